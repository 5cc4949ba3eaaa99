// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"cmp"
	"context"
	"errors"
	"syscall"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/vfs"
)

const defaultDirMode = 0o755

// making is a request that makes a name while it runs.
type making struct {
	fs     *FS
	caller *vfs.Caller
	dir    vfs.Handle
	name   string
	typ    vfs.Type
	set    vfs.SetAttr
	wire   nfs3.SetAttr
}

func (fs *FS) making(c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, set vfs.SetAttr) (m *making, err error) {
	m = &making{fs: fs, caller: c, dir: dir, name: name, typ: t, set: set}
	if err := cmp.Or(checkHandle(dir), vfs.CheckName(name)); err != nil {
		return m, err
	}
	m.wire, err = setAttrs(&set)
	return m, err
}

// run sends the request. same tells whether what is there under the name is what was to be made, in what only its type
// knows; it is asked where the request may have run twice.
func (m *making) run(ctx context.Context, proc nfs3.Proc, args encoder, same func(vfs.Entry) bool) (e vfs.Entry, ch vfs.DirChange, err error) {
	var res nfs3.MakeRes
	a, err := m.fs.ask(ctx, m.caller, proc, args, nil, &res)
	e.Handle = vfs.Handle(res.Object)
	a.free()
	ch = dirChange(&res.DirWcc)
	switch {
	case err == nil && e.Handle != "":
		e.Attr, err = m.fs.attrOf(ctx, e.Handle, &res.Attr)
	case err == nil:
		e, err = m.fs.lookup(ctx, m.caller, m.dir, m.name)
	case a.again && err == nfs3.ErrExist:
		now, e := m.fs.lookup(ctx, m.caller, m.dir, m.name)
		if e != nil || !m.asMade(&now.Attr) || !same(now) {
			return vfs.Entry{}, ch, err
		}
		return now, ch, nil
	default:
		return vfs.Entry{}, ch, err
	}
	if errors.Is(err, nfs3.ErrStale) || errors.Is(err, nfs3.ErrNoEnt) {
		// Somebody has removed it before it could be looked at. It was made all the same.
		e.Attr, err = vfs.Attr{Type: m.typ}, nil
	}
	return e, ch, err
}

// asMade tells whether attributes are those that were to be made.
func (m *making) asMade(a *vfs.Attr) bool {
	uid := uint32(0)
	if m.caller != nil {
		uid = m.caller.UID
	}
	if m.set.UID != nil {
		uid = *m.set.UID
	}
	const permissions = 0o777 // a set-id bit may come from the directory, or be taken away
	return a.Type == m.typ && a.UID == uid && (m.set.Mode == nil || m.typ == vfs.Symlink || (a.Mode^*m.set.Mode)&permissions == 0)
}

// Mkdir makes a directory.
func (fs *FS) Mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	e, ch, err := fs.mkdir(ctx, c, dir, name, set)
	return e, ch, fs.fail("mkdir", name, err)
}

func (fs *FS) mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (e vfs.Entry, ch vfs.DirChange, err error) {
	if set.Mode == nil {
		mode := uint32(defaultDirMode)
		set.Mode = &mode
	}
	m, err := fs.making(c, dir, name, vfs.Directory, set)
	if err != nil {
		return e, ch, err
	}
	return m.run(ctx, nfs3.ProcMkdir, &nfs3.MkdirArgs{Where: in(dir, name), Attr: m.wire}, func(e vfs.Entry) bool {
		empty := true
		_, err := fs.ReadDir(ctx, c, e.Handle, 0, false, func(*vfs.DirEntry) bool {
			empty = false
			return false
		})
		return err == nil && empty
	})
}

// Symlink makes a symbolic link.
func (fs *FS) Symlink(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name, target string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	e, ch, err := fs.symlink(ctx, c, dir, name, target, set)
	return e, ch, fs.fail("symlink", name, err)
}

func (fs *FS) symlink(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name, target string, set vfs.SetAttr) (e vfs.Entry, ch vfs.DirChange, err error) {
	m, err := fs.making(c, dir, name, vfs.Symlink, set)
	if err != nil {
		return e, ch, err
	}
	args := nfs3.SymlinkArgs{Where: in(dir, name), Attr: m.wire, Data: []byte(target)}
	return m.run(ctx, nfs3.ProcSymlink, &args, func(e vfs.Entry) bool {
		says, err := fs.readLink(ctx, c, e.Handle)
		return err == nil && says == target
	})
}

var nodeTypes = map[vfs.Type]nfs3.FileType{
	vfs.BlockDevice: nfs3.TypeBlk,
	vfs.CharDevice:  nfs3.TypeChr,
	vfs.Socket:      nfs3.TypeSock,
	vfs.FIFO:        nfs3.TypeFIFO,
}

// Mknod makes a FIFO, socket or device node.
func (fs *FS) Mknod(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, dev vfs.Device, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	e, ch, err := fs.mknod(ctx, c, dir, name, t, dev, set)
	return e, ch, fs.fail("mknod", name, err)
}

func (fs *FS) mknod(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, dev vfs.Device, set vfs.SetAttr) (e vfs.Entry, ch vfs.DirChange, err error) {
	if nodeTypes[t] == 0 {
		return e, ch, syscall.EINVAL
	}
	m, err := fs.making(c, dir, name, t, set)
	if err != nil {
		return e, ch, err
	}
	args := nfs3.MknodArgs{Where: in(dir, name), Type: nodeTypes[t], Attr: m.wire, Spec: nfs3.SpecData{Major: dev.Major, Minor: dev.Minor}}
	return m.run(ctx, nfs3.ProcMknod, &args, func(e vfs.Entry) bool { return e.Attr.Rdev == dev })
}

// Link gives a file another name.
func (fs *FS) Link(ctx context.Context, c *vfs.Caller, h vfs.Handle, dir vfs.Handle, name string) (vfs.DirChange, error) {
	ch, err := fs.linkTo(ctx, c, h, dir, name)
	return ch, fs.fail("link", name, err)
}

func (fs *FS) linkTo(ctx context.Context, c *vfs.Caller, h vfs.Handle, dir vfs.Handle, name string) (ch vfs.DirChange, err error) {
	if err := cmp.Or(checkHandle(h), checkHandle(dir), vfs.CheckName(name)); err != nil {
		return ch, err
	}
	var res nfs3.LinkRes
	a, err := fs.ask(ctx, c, nfs3.ProcLink, &nfs3.LinkArgs{File: nfs3.Handle(h), Link: in(dir, name)}, nil, &res)
	a.free()
	if a.again && err == nfs3.ErrExist {
		if now, e := fs.lookup(ctx, c, dir, name); e == nil && now.Handle == h {
			err = nil
		}
	}
	if err == nfs3.ErrIsDir { // link(2) has another word for it
		err = nfs3.ErrPerm
	}
	return dirChange(&res.DirWcc), err
}
