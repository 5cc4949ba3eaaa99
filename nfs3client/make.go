// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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

// run sends the request, and sees that what was made has the attributes that were asked for. same tells whether what is
// there under the name is what was to be made, in what only its type knows; it is asked where the request may have run
// twice.
func (m *making) run(ctx context.Context, proc nfs3.Proc, args encoder, same func(vfs.Entry) bool) (vfs.Entry, vfs.DirChange, error) {
	e, ch, err := m.send(ctx, proc, args, same)
	if err == nil {
		e.Attr, err = m.correct(ctx, e)
	}
	if e.Handle != "" && (errors.Is(err, nfs3.ErrStale) || errors.Is(err, nfs3.ErrNoEnt)) {
		// Somebody has removed it before it could be looked at. It was made all the same.
		e.Attr, err = vfs.Attr{Type: m.typ}, nil
	}
	if err != nil {
		return vfs.Entry{}, ch, err
	}
	return e, ch, nil
}

func (m *making) send(ctx context.Context, proc nfs3.Proc, args encoder, same func(vfs.Entry) bool) (e vfs.Entry, ch vfs.DirChange, err error) {
	for raced := 0; ; raced++ {
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
			if now, e := m.fs.lookup(ctx, m.caller, m.dir, m.name); e == nil && m.asMade(&now.Attr) && same(now) {
				return now, ch, nil
			}
		case err == nfs3.ErrNoEnt && raced < maxRaced:
			continue // of a name that was there, and was gone when the server looked at it: no answer of RFC 1813
		}
		return e, ch, err
	}
}

// wrong is what is still to be set of something that was made: servers may leave out what they like of the attributes
// that come with a request to make something, and say nothing.
func (m *making) wrong(a *vfs.Attr) (set vfs.SetAttr) {
	if want := m.set.Mode; want != nil && m.typ != vfs.Symlink {
		const inherited = syscall.S_ISGID // in a directory that has it
		if diff := a.Mode ^ *want; diff&^inherited != 0 || diff&*want != 0 {
			set.Mode = want
		}
	}
	if want := m.set.UID; want != nil && *want != a.UID {
		set.UID = want
	}
	if want := m.set.GID; want != nil && *want != a.GID {
		set.GID = want
	}
	if want := m.set.Size; want != nil && *want != a.Size && m.typ == vfs.Regular {
		set.Size = want
	}
	if m.typ == vfs.Symlink {
		return set // many servers cannot set a link's times
	}
	if want := m.set.Mtime; want.Set && !want.Now && !a.Mtime.Equal(want.Time) && !want.Time.IsZero() {
		set.Mtime = want
	}
	if want := m.set.Atime; want.Set && !want.Now && !a.Atime.Equal(want.Time) && !want.Time.IsZero() {
		set.Atime = want
	}
	return set
}

// correct sets what the server left out. Where the caller may not, nothing stays of what was made.
func (m *making) correct(ctx context.Context, e vfs.Entry) (vfs.Attr, error) {
	set := m.wrong(&e.Attr)
	if set == (vfs.SetAttr{}) {
		return e.Attr, nil
	}
	a, err := m.fs.setAttr(ctx, m.caller, e.Handle, set)
	if err != nil {
		err = m.takeBack(ctx, err)
	}
	return a, err
}

// takeBack removes what was made, after an error that it returns, with that of the removal where there is one.
func (m *making) takeBack(ctx context.Context, err error) error {
	if _, _, e := m.fs.remove(ctx, m.caller, m.dir, m.name); e != nil && e != nfs3.ErrNoEnt {
		return fmt.Errorf("%w; and %q stays, which was made: %w", err, m.name, e)
	}
	return err
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
	return a.Type == m.typ && a.UID == uid && m.wrong(a).Mode == nil
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
	switch err {
	case nfs3.ErrIsDir, nfs3.ErrInval, nfs3.ErrBadType: // link(2) has another word for it
		if a, e := fs.getAttr(ctx, h); e != nil {
			err = e
		} else if a.Type == vfs.Directory {
			err = nfs3.ErrPerm
		}
	}
	return dirChange(&res.DirWcc), err
}
