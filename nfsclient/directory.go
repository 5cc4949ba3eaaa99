// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"cmp"
	"context"
	"errors"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// dirError is the status of an operation on a directory as the contract has it: NFS tells a symbolic link in the place of
// a directory from other files (RFC 8881 section 15.1.2.9), a local disk does not.
func dirError(status nfs4.Status) nfs4.Status {
	if status == nfs4.ErrSymlink {
		return nfs4.ErrNotDir
	}
	return status
}

// failDir is fail for an operation on a directory.
func (fs *FS) failDir(op, name string, err error) error {
	if status, ok := errors.AsType[nfs4.Status](err); ok && status == nfs4.ErrSymlink {
		err = dirError(status)
	}
	return fs.fail(op, name, err)
}

// Lookup finds a name in a directory.
func (fs *FS) Lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	e, err := fs.lookup(ctx, c, dir, name)
	return e, fs.failDir("lookup", name, err)
}

func (fs *FS) lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (e vfs.Entry, err error) {
	if err := cmp.Or(checkHandle(dir), vfs.CheckName(name)); err != nil {
		return e, err
	}
	q := fs.on(c, dir)
	defer q.free()
	q.lookup(name)
	q.getEntry()
	if err := q.send(ctx); err != nil {
		return e, err
	}
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpLookup)
	e = q.entry()
	return e, q.done()
}

// Parent returns the directory that a directory is in. The root has none, whatever is above it at the server.
func (fs *FS) Parent(ctx context.Context, c *vfs.Caller, dir vfs.Handle) (vfs.Entry, error) {
	e, err := fs.parent(ctx, c, dir)
	return e, fs.failDir("parent", "", err)
}

func (fs *FS) parent(ctx context.Context, c *vfs.Caller, dir vfs.Handle) (e vfs.Entry, err error) {
	if err := checkHandle(dir); err != nil {
		return e, err
	}
	root, err := fs.Root(ctx)
	if err != nil {
		return e, err
	}
	if dir == root {
		return e, syscall.ENOENT
	}
	q := fs.on(c, dir)
	defer q.free()
	q.op(nfs4.OpLookupP)
	q.getEntry()
	if err := q.send(ctx); err != nil {
		return e, err
	}
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpLookupP)
	e = q.entry()
	return e, q.done()
}

// ReadLink returns what a symbolic link says.
func (fs *FS) ReadLink(ctx context.Context, c *vfs.Caller, h vfs.Handle) (string, error) {
	target, err := fs.readLink(ctx, c, h)
	return target, fs.fail("readlink", "", err)
}

func (fs *FS) readLink(ctx context.Context, c *vfs.Caller, h vfs.Handle) (string, error) {
	if err := checkHandle(h); err != nil {
		return "", err
	}
	q := fs.on(c, h)
	defer q.free()
	q.op(nfs4.OpReadLink)
	if err := q.send(ctx); err != nil {
		if errors.Is(err, nfs4.ErrIsDir) { // RFC 8881 lets a server say so of a directory
			err = nfs4.ErrInval
		}
		return "", err
	}
	q.result(nfs4.OpPutFH)
	var res nfs4.ReadLinkRes
	if q.result(nfs4.OpReadLink) {
		res.Decode(&q.reply.Decoder)
	}
	return string(res.Link), q.done()
}

const defaultDirMode = 0o755

// Mkdir makes a directory.
func (fs *FS) Mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	if set.Mode == nil {
		mode := uint32(defaultDirMode)
		set.Mode = &mode
	}
	e, ch, err := fs.create(ctx, c, dir, &nfs4.CreateArgs{Type: nfs4.TypeDir, ObjName: []byte(name)}, set)
	return e, ch, fs.failDir("mkdir", name, err)
}

// Symlink makes a symbolic link.
func (fs *FS) Symlink(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name, target string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	args := nfs4.CreateArgs{Type: nfs4.TypeLnk, ObjName: []byte(name), LinkData: []byte(target)}
	e, ch, err := fs.create(ctx, c, dir, &args, set)
	return e, ch, fs.failDir("symlink", name, err)
}

var nodeTypes = map[vfs.Type]nfs4.FileType{
	vfs.BlockDevice: nfs4.TypeBlk,
	vfs.CharDevice:  nfs4.TypeChr,
	vfs.Socket:      nfs4.TypeSock,
	vfs.FIFO:        nfs4.TypeFIFO,
}

// Mknod makes a FIFO, socket or device node.
func (fs *FS) Mknod(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, dev vfs.Device, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	if nodeTypes[t] == 0 {
		return vfs.Entry{}, vfs.DirChange{}, fs.fail("mknod", name, syscall.EINVAL)
	}
	args := nfs4.CreateArgs{Type: nodeTypes[t], ObjName: []byte(name), DevData: nfs4.SpecData{Major: dev.Major, Minor: dev.Minor}}
	e, ch, err := fs.create(ctx, c, dir, &args, set)
	return e, ch, fs.failDir("mknod", name, err)
}

// create makes what is not a regular file (RFC 8881 section 18.4).
func (fs *FS) create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, args *nfs4.CreateArgs, set vfs.SetAttr) (e vfs.Entry, ch vfs.DirChange, err error) {
	if err := cmp.Or(checkHandle(dir), vfs.CheckName(string(args.ObjName))); err != nil {
		return e, ch, err
	}
	q := fs.on(c, dir)
	defer q.free()
	attrs := setAttrs(&set)
	args.CreateAttrs = attrs.Fattr()
	args.Encode(q.changing(nfs4.OpCreate))
	q.getEntry()
	if err := q.send(ctx); err != nil {
		return e, ch, err
	}
	q.result(nfs4.OpPutFH)
	if q.result(nfs4.OpCreate) {
		ch = q.changeInfo()
		var attrSet nfs4.Bitmap
		attrSet.Decode(&q.reply.Decoder)
	}
	e, err = q.made(ctx)
	if errors.Is(err, nfs4.ErrStale) {
		// Somebody has removed it before it could be looked at. It was made all the same.
		e.Attr, err = vfs.Attr{Type: fileTypes[args.Type]}, nil
	}
	return e, ch, err
}

// made reads the results of getEntry behind an operation that has made a file. Where only the look at its attributes
// went wrong, it looks again.
func (q *request) made(ctx context.Context) (vfs.Entry, error) {
	e := q.entry()
	if q.failed != nfs4.OK && e.Handle != "" {
		a, err := q.fs.getAttr(ctx, e.Handle)
		return vfs.Entry{Handle: e.Handle, Attr: a}, err
	}
	return e, q.done()
}

// Link gives a file another name.
func (fs *FS) Link(ctx context.Context, c *vfs.Caller, h vfs.Handle, dir vfs.Handle, name string) (vfs.DirChange, error) {
	ch, err := fs.linkTo(ctx, c, h, dir, name)
	return ch, fs.failDir("link", name, err)
}

func (fs *FS) linkTo(ctx context.Context, c *vfs.Caller, h vfs.Handle, dir vfs.Handle, name string) (ch vfs.DirChange, err error) {
	if err := cmp.Or(checkHandle(h), checkHandle(dir), vfs.CheckName(name)); err != nil {
		return ch, err
	}
	q := fs.on(c, h)
	defer q.free()
	q.op(nfs4.OpSaveFH)
	q.putFH(dir)
	q.changing(nfs4.OpLink).String(name)
	if err := q.send(ctx); err != nil {
		if errors.Is(err, nfs4.ErrIsDir) { // RFC 8881 section 18.9.4; link(2) has another word for it
			err = nfs4.ErrPerm
		}
		return ch, err
	}
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpSaveFH)
	q.result(nfs4.OpPutFH)
	if q.result(nfs4.OpLink) {
		ch = q.changeInfo()
	}
	return ch, q.done()
}

// Remove removes a name. gone is what the name was just before.
func (fs *FS) Remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (gone vfs.Entry, ch vfs.DirChange, err error) {
	gone, ch, err = fs.remove(ctx, c, dir, name)
	return gone, ch, fs.failDir("remove", name, err)
}

func (fs *FS) remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (gone vfs.Entry, ch vfs.DirChange, err error) {
	if err := cmp.Or(checkHandle(dir), vfs.CheckName(name)); err != nil {
		return gone, ch, err
	}
	q := fs.on(c, dir)
	defer q.free()
	q.op(nfs4.OpSaveFH)
	q.lookup(name)
	q.getEntry()
	q.op(nfs4.OpRestoreFH)
	q.changing(nfs4.OpRemove).String(name)
	if err := q.send(ctx); err != nil {
		return gone, ch, err
	}
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpSaveFH)
	q.result(nfs4.OpLookup)
	gone = q.entry()
	q.result(nfs4.OpRestoreFH)
	if q.result(nfs4.OpRemove) {
		ch = q.changeInfo()
	}
	return gone, ch, q.done()
}

// Rename moves a name. over is what the new name was just before.
func (fs *FS) Rename(ctx context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (over vfs.Entry, fromCh, toCh vfs.DirChange, err error) {
	over, fromCh, toCh, err = fs.rename(ctx, c, fromDir, from, toDir, to)
	return over, fromCh, toCh, fs.failDir("rename", from, err)
}

func (fs *FS) rename(ctx context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (over vfs.Entry, fromCh, toCh vfs.DirChange, err error) {
	err = cmp.Or(checkHandle(fromDir), checkHandle(toDir), vfs.CheckName(from), vfs.CheckName(to))
	if err != nil {
		return over, fromCh, toCh, err
	}
	over = fs.replaced(ctx, c, fromDir, from, toDir, to)
	q := fs.on(c, fromDir)
	defer q.free()
	q.op(nfs4.OpSaveFH)
	q.putFH(toDir)
	e := q.changing(nfs4.OpRename)
	e.String(from)
	e.String(to)
	if err := q.send(ctx); err != nil {
		return vfs.Entry{}, fromCh, toCh, err
	}
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpSaveFH)
	q.result(nfs4.OpPutFH)
	if q.result(nfs4.OpRename) {
		fromCh, toCh = q.changeInfo(), q.changeInfo()
	}
	return over, fromCh, toCh, q.done()
}

// replaced returns what a rename will replace. An error means nothing here: the rename itself tells of it.
func (fs *FS) replaced(ctx context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) vfs.Entry {
	q := fs.on(c, fromDir)
	defer q.free()
	q.lookup(from)
	q.op(nfs4.OpGetFH)
	q.putFH(toDir)
	q.lookup(to)
	q.getEntry()
	if err := q.send(ctx); err != nil {
		return vfs.Entry{}
	}
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpLookup)
	moved := q.handle()
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpLookup)
	over := q.entry()
	if q.done() != nil || over.Handle == moved {
		return vfs.Entry{}
	}
	return over
}
