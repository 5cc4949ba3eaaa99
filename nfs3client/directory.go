// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"cmp"
	"context"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// in names an entry of a directory.
func in(dir vfs.Handle, name string) nfs3.DirOpArgs {
	return nfs3.DirOpArgs{Dir: nfs3.Handle(dir), Name: []byte(name)}
}

// Lookup finds a name in a directory.
func (fs *FS) Lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	e, err := fs.lookup(ctx, c, dir, name)
	return e, fs.fail("lookup", name, err)
}

func (fs *FS) lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	if err := cmp.Or(checkHandle(dir), vfs.CheckName(name)); err != nil {
		return vfs.Entry{}, err
	}
	return fs.find(ctx, c, dir, name)
}

// maxRaced is how often a name is looked up whose file is gone before its attributes were seen.
const maxRaced = 16

// find is lookup of any name, also of "..".
func (fs *FS) find(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	for raced := 0; ; raced++ {
		var res nfs3.LookupRes
		args := in(dir, name)
		a, err := fs.ask(ctx, c, nfs3.ProcLookup, &args, nil, &res)
		h := vfs.Handle(res.Object)
		a.free()
		if err == nil && h == "" {
			err = fmt.Errorf("a handle of no bytes: %w", oncrpc.ErrXDR)
		}
		var attr vfs.Attr
		if err == nil {
			attr, err = fs.attrOf(ctx, h, &res.Attr)
		}
		if raced == maxRaced || !fs.racedIn(ctx, dir, err) {
			return vfs.Entry{Handle: h, Attr: attr}, err
		}
	}
}

// racedIn tells whether an operation on a name found its file stale that others have removed meanwhile: some servers
// answer so, of a directory that is there.
func (fs *FS) racedIn(ctx context.Context, dir vfs.Handle, err error) bool {
	if err != nfs3.ErrStale {
		return false
	}
	a, err := fs.getAttr(ctx, dir)
	return err == nil && a.Type == vfs.Directory
}

// Parent returns the directory that a directory is in. The root has none, whatever is above it at the server.
func (fs *FS) Parent(ctx context.Context, c *vfs.Caller, dir vfs.Handle) (vfs.Entry, error) {
	e, err := fs.parent(ctx, c, dir)
	return e, fs.fail("parent", "", err)
}

func (fs *FS) parent(ctx context.Context, c *vfs.Caller, dir vfs.Handle) (vfs.Entry, error) {
	if err := checkHandle(dir); err != nil {
		return vfs.Entry{}, err
	}
	root, err := fs.Root(ctx)
	if err != nil {
		return vfs.Entry{}, err
	}
	if dir == root {
		return vfs.Entry{}, syscall.ENOENT
	}
	return fs.find(ctx, c, dir, "..")
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
	var res nfs3.ReadLinkRes
	a, err := fs.ask(ctx, c, nfs3.ProcReadLink, &nfs3.HandleArgs{Object: nfs3.Handle(h)}, nil, &res)
	defer a.free()
	return string(res.Data), err
}

// Remove removes a name. gone is what the name was just before.
func (fs *FS) Remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (gone vfs.Entry, ch vfs.DirChange, err error) {
	gone, ch, err = fs.remove(ctx, c, dir, name)
	return gone, ch, fs.fail("remove", name, err)
}

func (fs *FS) remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (gone vfs.Entry, ch vfs.DirChange, err error) {
	for raced := 0; ; raced++ {
		if gone, err = fs.lookup(ctx, c, dir, name); err != nil {
			return gone, ch, err
		}
		proc := nfs3.ProcRemove
		if gone.Attr.Type == vfs.Directory {
			proc = nfs3.ProcRmdir
		}
		var res nfs3.WccRes
		args := in(dir, name)
		a, err := fs.ask(ctx, c, proc, &args, nil, &res)
		a.free()
		switch {
		case a.again && (err == nfs3.ErrNoEnt || err == nfs3.ErrIsDir || err == nfs3.ErrNotDir):
			err = nil // it has gone, by the first of the two; what has its name now is somebody's
		case proc == nfs3.ProcRmdir && err == nfs3.ErrExist: // RFC 1813 section 3.3.13
			err = nfs3.ErrNotEmpty
		case raced < maxRaced && (err == nfs3.ErrIsDir || err == nfs3.ErrNotDir || fs.racedIn(ctx, dir, err)):
			continue // the name has become something else
		}
		return gone, dirChange(&res.Wcc), err
	}
}

// Rename moves a name. over is what the new name was just before.
func (fs *FS) Rename(ctx context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (over vfs.Entry, fromCh, toCh vfs.DirChange, err error) {
	over, fromCh, toCh, err = fs.rename(ctx, c, fromDir, from, toDir, to)
	return over, fromCh, toCh, fs.fail("rename", from, err)
}

func (fs *FS) rename(ctx context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (over vfs.Entry, fromCh, toCh vfs.DirChange, err error) {
	err = cmp.Or(checkHandle(fromDir), checkHandle(toDir), vfs.CheckName(from), vfs.CheckName(to))
	if err != nil {
		return over, fromCh, toCh, err
	}
	// What is moved, and what is replaced. An error means nothing here: the rename itself tells of it.
	moved, _ := fs.lookup(ctx, c, fromDir, from)
	over, _ = fs.lookup(ctx, c, toDir, to)
	if over.Handle == moved.Handle {
		over = vfs.Entry{}
	}
	var res nfs3.RenameRes
	args := nfs3.RenameArgs{From: in(fromDir, from), To: in(toDir, to)}
	a, err := fs.ask(ctx, c, nfs3.ProcRename, &args, nil, &res)
	a.free()
	if a.again && err == nfs3.ErrNoEnt && moved.Handle != "" {
		// Where the file is under its new name, the first of the two has moved it.
		if now, e := fs.lookup(ctx, c, toDir, to); e == nil && now.Handle == moved.Handle {
			err = nil
		}
	}
	if err != nil {
		over = vfs.Entry{}
	}
	return over, dirChange(&res.FromWcc), dirChange(&res.ToWcc), err
}
