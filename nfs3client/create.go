// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"cmp"
	"context"
	"syscall"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/vfs"
)

const defaultFileMode = 0o644

// Open opens a regular file. The server is asked what the caller may do, and keeps nothing of it.
func (fs *FS) Open(ctx context.Context, c *vfs.Caller, h vfs.Handle, access vfs.Access) (vfs.File, error) {
	f, err := fs.open3(ctx, c, h, access)
	if err != nil {
		return nil, fs.fail("open", "", err)
	}
	return f, nil
}

func (fs *FS) open3(ctx context.Context, c *vfs.Caller, h vfs.Handle, access vfs.Access) (*File, error) {
	if err := cmp.Or(checkHandle(h), nfsconn.CheckAccess(access)); err != nil {
		return nil, err
	}
	const wanted = nfs3.AccessRead | nfs3.AccessModify | nfs3.AccessExtend | nfs3.AccessExecute
	var res nfs3.AccessRes
	a, err := fs.ask(ctx, c, nfs3.ProcAccess, &nfs3.AccessArgs{Object: nfs3.Handle(h), Access: wanted}, nil, &res)
	a.free()
	if err != nil {
		return nil, err
	}
	attr, err := fs.attrOf(ctx, h, &res.Attr)
	if err != nil {
		return nil, err
	}
	if err := checkOpen(attr.Type, access, res.Access); err != nil {
		return nil, err
	}
	return fs.newFile(c, h, access), nil
}

// checkOpen refuses to open what is no regular file, and what the server does not permit. Who may execute a file may
// read it (RFC 1813 section 3.3.6).
func checkOpen(t vfs.Type, access vfs.Access, may nfs3.Access) error {
	switch t {
	case vfs.Regular:
	case vfs.Directory:
		return syscall.EISDIR
	case vfs.Symlink:
		return syscall.ELOOP
	default:
		return syscall.EINVAL
	}
	if access&vfs.Read != 0 && may&(nfs3.AccessRead|nfs3.AccessExecute) == 0 {
		return nfs3.ErrAcces
	}
	if access&vfs.Write != 0 && may&nfs3.AccessModify == 0 {
		return nfs3.ErrAcces
	}
	return nil
}

// Create opens a regular file, and makes it where it is not there.
func (fs *FS) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	o := creation{fs: fs, caller: c, dir: dir, name: name, how: how}
	ctx, cancel := deadline(ctx, fs.timeout)
	defer cancel()
	f, err := o.run(ctx, access)
	if err != nil {
		return nil, vfs.Entry{}, false, vfs.DirChange{}, fs.fail("open", name, err)
	}
	return f, o.entry, o.created, o.change, nil
}

// creation is a Create while it runs.
type creation struct {
	fs     *FS
	caller *vfs.Caller
	dir    vfs.Handle
	name   string
	how    vfs.Create

	entry   vfs.Entry
	created bool
	change  vfs.DirChange
}

func (o *creation) run(ctx context.Context, access vfs.Access) (*File, error) {
	if err := nfsconn.CheckAccess(access); err != nil {
		return nil, err
	}
	if o.how.Attr.Mode == nil {
		mode := uint32(defaultFileMode)
		o.how.Attr.Mode = &mode
	}
	var err error
	switch o.how.Mode {
	case vfs.Unchecked:
		return o.unchecked(ctx, access)
	case vfs.Guarded:
		err = o.guarded(ctx)
	case vfs.Exclusive:
		err = o.exclusive(ctx)
	default:
		err = syscall.EINVAL
	}
	if err != nil {
		return nil, err
	}
	return o.fs.newFile(o.caller, o.entry.Handle, access), nil
}

// unchecked opens the file that is there, or makes it. CREATE with UNCHECKED would do either, and not say which.
func (o *creation) unchecked(ctx context.Context, access vfs.Access) (*File, error) {
	for raced := 0; ; raced++ {
		var err error
		if o.entry, err = o.fs.lookup(ctx, o.caller, o.dir, o.name); err == nil {
			f, err := o.openThere(ctx, access)
			if err != nfs3.ErrStale || raced == maxRaced {
				return f, err
			}
			continue // it has gone meanwhile
		}
		if err != nfs3.ErrNoEnt {
			return nil, err
		}
		err = o.guarded(ctx)
		if err == nil {
			return o.fs.newFile(o.caller, o.entry.Handle, access), nil
		}
		if err != nfs3.ErrExist || raced == maxRaced {
			return nil, err
		}
	}
}

// openThere opens the file that is there, and cuts it where a size of zero is asked for.
func (o *creation) openThere(ctx context.Context, access vfs.Access) (f *File, err error) {
	if f, err = o.fs.open3(ctx, o.caller, o.entry.Handle, access); err != nil {
		return nil, err
	}
	if size := o.how.Attr.Size; size != nil && *size == 0 {
		o.entry.Attr, err = o.fs.setAttr(ctx, o.caller, o.entry.Handle, vfs.SetAttr{Size: size})
	}
	return f, err
}

// guarded makes the file with its attributes, in one step.
func (o *creation) guarded(ctx context.Context) error {
	m, err := o.fs.making(o.caller, o.dir, o.name, vfs.Regular, o.how.Attr)
	if err != nil {
		return err
	}
	args := nfs3.CreateArgs{Where: in(o.dir, o.name), Mode: nfs3.CreateGuarded, Attr: m.wire}
	var size uint64
	if o.how.Attr.Size != nil {
		size = *o.how.Attr.Size
	}
	o.entry, o.change, err = m.run(ctx, nfs3.ProcCreate, &args, func(e vfs.Entry) bool {
		return e.Attr.Size == size && e.Attr.Nlink == 1
	})
	o.created = err == nil
	return err
}

// exclusive makes the file, and then sets its attributes, with the times that the verifier was kept in (RFC 1813 section
// 3.3.8). Where they cannot be set, it takes the file back.
func (o *creation) exclusive(ctx context.Context) error {
	set := o.how.Attr
	for _, t := range []*vfs.SetTime{&set.Atime, &set.Mtime} {
		if !t.Set {
			*t = vfs.SetTime{Set: true, Now: true}
		}
	}
	m, err := o.fs.making(o.caller, o.dir, o.name, vfs.Regular, set)
	if err != nil {
		return err
	}
	args := nfs3.CreateArgs{Where: in(o.dir, o.name), Mode: nfs3.CreateExclusive, Verf: nfs3.Verifier(o.how.Verifier)}
	o.entry, o.change, err = m.send(ctx, nfs3.ProcCreate, &args, func(vfs.Entry) bool { return false })
	if err != nil {
		return err
	}
	o.created = true
	o.entry.Attr, err = o.fs.setAttr(ctx, o.caller, o.entry.Handle, set)
	if err != nil {
		err = m.takeBack(ctx, err)
	}
	return err
}
