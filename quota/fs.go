// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"
	"errors"
	"math"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// FS is a vfs.FS whose homes are charged. What it does not change of the one that it wraps goes right through.
type FS struct {
	vfs.FS
	l *Ledger
}

// FS returns the ledger's files: nothing else may change them while it is in use, or the ledger is not told.
func (l *Ledger) FS() *FS { return &FS{FS: l.fs, l: l} }

// What an entry of a directory may take, in bytes: of the directory itself, where it has to grow, and of a new file that
// begins with a block of its own (a directory, a long link).
const (
	entryNeed = 4 * block
	birthNeed = block
)

// change is a change of a directory while it runs.
type change struct {
	f *FS
	// turn is when it began, as namings has it.
	turn uint64
	op   op
	dir  *inode
	// name is what it makes in the directory, or takes from it where removes is set.
	name    string
	removes bool
	// opens: nothing is changed but what says so itself.
	opens bool
}

// beginChange begins a change of the names in a directory. Where it takes something (need), that comes from the reserve when
// the quota is spent: names, directories and links are small.
func (f *FS) beginChange(ctx context.Context, dir vfs.Handle, need Usage) (*change, error) {
	a, err := f.l.account(ctx, dir)
	if err != nil {
		return nil, err
	}
	c := &change{f: f}
	if a == nil {
		return c, nil
	}
	if c.turn, err = a.naming.begin(ctx); err != nil {
		return nil, err
	}
	if c.op, err = f.l.begin(a, need, nil); err != nil {
		a.naming.end(c.turn)
		return nil, err
	}
	c.dir = f.l.inodes.hold(dir, a, 0)
	f.l.record(ctx, c.dir, f.l.byHandle(c.dir)) //nolint:errcheck // what is wrong with the directory the change itself will say
	return c, nil
}

// end ends a change that answered err, and charges what the directory has grown by.
func (c *change) end(ctx context.Context, err error) {
	if c.op.a == nil {
		return
	}
	if err != nil && !(errors.Is(err, syscall.ENOSPC) && c.undone(ctx)) {
		c.doubt(err)
	}
	by := c.settle(ctx, c.dir, err == nil)
	c.op.wrote = c.op.wrote || by != 0 || err == nil && !c.opens
	c.f.l.end(&c.op)
	c.op.a.naming.end(c.turn)
	c.f.l.inodes.release(c.dir)
}

// settle charges a directory. done: the change was made, so that there is something to charge.
func (c *change) settle(ctx context.Context, dir *inode, done bool) int64 {
	if !dir.recorded.Load() {
		if done {
			c.op.a.doubt()
		}
		return 0
	}
	by, err := c.f.l.settle(ctx, dir, c.f.l.byHandle(dir), false)
	if err != nil && !errors.Is(err, syscall.ESTALE) { // a directory that is gone was charged to the end by who removed it
		c.op.a.doubt()
	}
	return by
}

// undone tells whether the name is as it was before the change: the disk was too full for it. Otherwise it was too full to make
// it durable.
func (c *change) undone(ctx context.Context) bool {
	_, err := c.f.l.fs.Lookup(ctx, nil, c.dir.handle, c.name)
	return c.removes && err == nil || !c.removes && errors.Is(err, syscall.ENOENT)
}

// doubt has the home counted where an error does not tell whether something was done: one that may come of making it
// durable.
func (c *change) doubt(err error) {
	if c.op.a == nil {
		return
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		switch errno {
		case syscall.EPERM, syscall.ENOENT, syscall.EACCES, syscall.EEXIST, syscall.EXDEV, syscall.ENOTDIR, syscall.EISDIR,
			syscall.EINVAL, syscall.EFBIG, syscall.EROFS, syscall.EMLINK, syscall.ENAMETOOLONG, syscall.ENOTEMPTY,
			syscall.EDQUOT, syscall.ESTALE, syscall.EBADF, syscall.EOPNOTSUPP, syscall.ELOOP, syscall.EBUSY, syscall.ETXTBSY,
			syscall.ENODATA, syscall.E2BIG, syscall.EMFILE, syscall.ENFILE:
			return
		}
	}
	c.op.a.doubt()
}

// made charges what a change has made.
func (c *change) made(e *vfs.Entry, n *inode) {
	if c.op.a != nil {
		c.f.l.born(n, &e.Attr)
	}
}

// gone gives back what a change has removed, if that was its last name.
func (c *change) gone(ctx context.Context, e *vfs.Entry) {
	if c.op.a == nil || e.Handle == "" {
		return
	}
	l, a := c.f.l, c.op.a
	if e.Attr.Home != a.id {
		// A home's directory was removed from its hub's.
		b := l.known(e.Attr.Home)
		if b == nil {
			return
		}
		defer l.abandon(b)
		a = b
	}
	n := l.inodes.hold(e.Handle, a, 0)
	defer l.inodes.release(n)
	if e.Attr.Type != vfs.Directory {
		switch left, err := l.named(ctx, e.Handle); {
		case err != nil:
			a.doubt()
			return
		case left:
			return
		}
	}
	l.died(n, &e.Attr)
}

// named tells whether a file has a name left.
func (l *Ledger) named(ctx context.Context, h vfs.Handle) (bool, error) {
	attr, err := l.fs.GetAttr(ctx, h)
	if errors.Is(err, syscall.ESTALE) {
		return false, nil
	}
	return attr.Nlink > 0, err
}

// moved shows a file or directory to whoever counts the home: in its new place nobody may come by any more.
func (c *change) moved(ctx context.Context, dir vfs.Handle, name string) {
	if c.op.a == nil || !c.op.a.counting() {
		return
	}
	switch e, err := c.f.l.fs.Lookup(ctx, nil, dir, name); {
	case err == nil:
		c.f.l.show(c.op.a, &e)
	case !errors.Is(err, syscall.ENOENT):
		c.doubt(err)
	}
}

// cuts tells whether Create cuts a file that is there.
func cuts(how *vfs.Create) bool {
	return how.Mode == vfs.Unchecked && how.Attr.Size != nil && *how.Attr.Size == 0
}

// Create opens a regular file, and makes it where it is not there: EDQUOT where there is no room for one.
func (f *FS) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (file vfs.File, e vfs.Entry, created bool, ch vfs.DirChange, err error) {
	need := Usage{entryNeed, 1}
	op, err := f.beginChange(ctx, dir, need)
	if err == syscall.EDQUOT {
		// A file that is there can be opened, and cut.
		if _, lookup := f.FS.Lookup(ctx, nil, dir, name); lookup == nil {
			op, err = f.beginChange(ctx, dir, Usage{})
		} else {
			f.deny(ctx, dir, need)
		}
	}
	if err != nil {
		return nil, e, false, ch, err
	}
	var cut *inode
	if cuts(&how) && op.op.a != nil {
		cut = f.cutting(ctx, op.op.a, dir, name)
	}
	op.name, op.opens = name, true
	inner, e, created, ch, err := f.FS.Create(ctx, c, dir, name, how, access)
	switch {
	case err != nil && created:
		op.doubt(syscall.EIO)
	case err == nil:
		file = f.createdFile(ctx, op, inner, &e, created, access)
	}
	if cut != nil {
		op.op.wrote = true
		if _, err := f.l.settle(ctx, cut, f.l.byHandle(cut), false); err != nil && !errors.Is(err, syscall.ESTALE) {
			op.op.a.doubt()
		}
		defer f.l.inodes.release(cut)
	}
	if err == nil && !created && cuts(&how) && (cut == nil || cut.handle != e.Handle) && op.op.a != nil {
		op.op.a.doubt() // another file got the name before it was cut
	}
	op.end(ctx, err)
	return file, e, created, ch, err
}

// cutting records a file that is about to be cut, if there is one.
func (f *FS) cutting(ctx context.Context, a *account, dir vfs.Handle, name string) *inode {
	e, err := f.FS.Lookup(ctx, nil, dir, name)
	if err != nil || e.Attr.Type != vfs.Regular {
		return nil
	}
	n := f.l.inodes.hold(e.Handle, a, 0)
	if f.l.record(ctx, n, f.l.byHandle(n)) != nil {
		f.l.inodes.release(n)
		return nil
	}
	return n
}

// createdFile wraps what Create opened, and charges what it made.
func (f *FS) createdFile(ctx context.Context, c *change, inner vfs.File, e *vfs.Entry, created bool, access vfs.Access) vfs.File {
	if c.op.a == nil {
		return inner
	}
	file := f.file(inner, f.l.inodes.hold(e.Handle, c.op.a, 1), access)
	if created {
		c.made(e, file.inode)
		c.op.wrote = true
	}
	// It may have been removed before it was known here that somebody has it open.
	if err := f.l.reopened(ctx, file.inode, file.look); err != nil {
		c.op.a.doubt()
	}
	return file
}

// Open opens a regular file.
func (f *FS) Open(ctx context.Context, c *vfs.Caller, h vfs.Handle, access vfs.Access) (vfs.File, error) {
	a, err := f.l.account(ctx, h)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return f.FS.Open(ctx, c, h, access)
	}
	// It is known to be open before it is: who removes it meanwhile leaves its charge.
	n := f.l.inodes.hold(h, a, 1)
	inner, err := f.FS.Open(ctx, c, h, access)
	if err != nil {
		f.l.closed(ctx, n)
		return nil, err
	}
	file := f.file(inner, n, access)
	if err := f.l.reopened(ctx, n, file.look); err != nil {
		a.doubt()
	}
	return file, nil
}

// make makes something that is no regular file.
func (f *FS) make(ctx context.Context, dir vfs.Handle, make func() (vfs.Entry, vfs.DirChange, error), name string) (vfs.Entry, vfs.DirChange, error) {
	need := Usage{entryNeed + birthNeed, 1}
	op, err := f.beginChange(ctx, dir, need)
	if err != nil {
		if err == syscall.EDQUOT {
			f.deny(ctx, dir, need)
		}
		return vfs.Entry{}, vfs.DirChange{}, err
	}
	op.name = name
	e, ch, err := make()
	if a := op.op.a; err == nil && a != nil {
		if e.Attr.Home != a.id {
			home, turn := f.l.adopt(a.hub, Home{ID: e.Attr.Home, Name: name, Birth: birthOf(&e.Attr)})
			defer f.l.end(&home)
			defer home.a.naming.end(turn)
			a = home.a
		}
		n := f.l.inodes.hold(e.Handle, a, 0)
		op.made(&e, n)
		f.l.inodes.release(n)
	}
	op.end(ctx, err)
	return e, ch, err
}

// birthOf is when a file was made, as Home has it.
func birthOf(a *vfs.Attr) int64 {
	if a.Birth.IsZero() {
		return 0
	}
	return a.Birth.UnixNano()
}

// Mkdir makes a directory; in a hub's, a home.
func (f *FS) Mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	return f.make(ctx, dir, func() (vfs.Entry, vfs.DirChange, error) { return f.FS.Mkdir(ctx, c, dir, name, set) }, name)
}

// Symlink makes a symbolic link.
func (f *FS) Symlink(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name, target string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	return f.make(ctx, dir, func() (vfs.Entry, vfs.DirChange, error) { return f.FS.Symlink(ctx, c, dir, name, target, set) }, name)
}

// Mknod makes a FIFO, socket or device node.
func (f *FS) Mknod(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, dev vfs.Device, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	return f.make(ctx, dir, func() (vfs.Entry, vfs.DirChange, error) { return f.FS.Mknod(ctx, c, dir, name, t, dev, set) }, name)
}

// Link gives a file another name, which takes no inode.
func (f *FS) Link(ctx context.Context, c *vfs.Caller, h vfs.Handle, dir vfs.Handle, name string) (vfs.DirChange, error) {
	need := Usage{Bytes: entryNeed}
	op, err := f.beginChange(ctx, dir, need)
	if err != nil {
		if err == syscall.EDQUOT {
			f.deny(ctx, dir, need)
		}
		return vfs.DirChange{}, err
	}
	op.name = name
	ch, err := f.FS.Link(ctx, c, h, dir, name)
	if err == nil {
		op.moved(ctx, dir, name)
	}
	op.end(ctx, err)
	return ch, err
}

// Remove removes a name. It works whatever the quota.
func (f *FS) Remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, vfs.DirChange, error) {
	op, err := f.beginChange(ctx, dir, Usage{})
	if err != nil {
		return vfs.Entry{}, vfs.DirChange{}, err
	}
	op.name, op.removes = name, true
	gone, ch, err := f.FS.Remove(ctx, c, dir, name)
	op.gone(ctx, &gone)
	op.end(ctx, err)
	return gone, ch, err
}

// Rename moves a name. It works whatever the quota.
func (f *FS) Rename(ctx context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (over vfs.Entry, fromCh, toCh vfs.DirChange, err error) {
	op, err := f.beginChange(ctx, fromDir, Usage{})
	if err != nil {
		return over, fromCh, toCh, err
	}
	op.name, op.removes = from, true
	var dst *inode
	if home, err := f.FS.Home(toDir); op.op.a != nil && fromDir != toDir && err == nil && home == op.op.a.id {
		dst = f.l.inodes.hold(toDir, op.op.a, 0)
		f.l.record(ctx, dst, f.l.byHandle(dst)) //nolint:errcheck // the rename itself will say
	}
	op.moved(ctx, fromDir, from)
	over, fromCh, toCh, err = f.FS.Rename(ctx, c, fromDir, from, toDir, to)
	if err == nil {
		op.moved(ctx, toDir, to)
	}
	op.gone(ctx, &over)
	if dst != nil {
		op.settle(ctx, dst, err == nil)
		defer f.l.inodes.release(dst)
	}
	op.end(ctx, err)
	return over, fromCh, toCh, err
}

// SetAttr changes attributes. A new size works whatever the quota: a file that grows so has a hole at its end.
func (f *FS) SetAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	if set.Size == nil {
		return f.FS.SetAttr(ctx, c, h, set)
	}
	var attr vfs.Attr
	err := f.alter(ctx, h, Usage{}, func() (err error) {
		attr, err = f.FS.SetAttr(ctx, c, h, set)
		return err
	})
	return attr, err
}

// alter runs a change of one file by its handle, and charges it.
func (f *FS) alter(ctx context.Context, h vfs.Handle, need Usage, do func() error) error {
	a, err := f.l.account(ctx, h)
	if err != nil {
		return err
	}
	o, err := f.l.begin(a, need, nil)
	if err != nil {
		if err == syscall.EDQUOT {
			f.deny(ctx, h, need)
		}
		return err
	}
	if o.a == nil {
		return do()
	}
	n := f.l.inodes.hold(h, o.a, 0)
	defer f.l.inodes.release(n)
	if err := f.l.record(ctx, n, f.l.byHandle(n)); err != nil {
		f.l.end(&o)
		return err
	}
	err = do()
	o.wrote = err == nil
	_, looked := f.l.settle(ctx, n, f.l.byHandle(n), false)
	if looked != nil && !errors.Is(looked, syscall.ESTALE) {
		o.a.doubt()
	}
	f.l.end(&o)
	return err
}

// SetXattr sets an attribute: EDQUOT where there is no room for it.
func (f *FS) SetXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string, value []byte, mode vfs.XattrMode) (ch vfs.DirChange, err error) {
	need := Usage{Bytes: int64(blocks(uint64(len(value)))) + block}
	err = f.alter(ctx, h, need, func() (err error) {
		ch, err = f.FS.SetXattr(ctx, c, h, name, value, mode)
		return err
	})
	return ch, err
}

// RemoveXattr removes an attribute.
func (f *FS) RemoveXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string) (ch vfs.DirChange, err error) {
	err = f.alter(ctx, h, Usage{}, func() (err error) {
		ch, err = f.FS.RemoveXattr(ctx, c, h, name)
		return err
	})
	return ch, err
}

// deny counts a refusal.
func (f *FS) deny(ctx context.Context, h vfs.Handle, need Usage) {
	if a, err := f.l.account(ctx, h); err == nil && a != nil {
		a.deny(need)
	}
}

// StatFS returns the space of a file's home: its quota, as far as it has one, and what is left of that and of the disk. What
// is in no home has its hub's. The reserve is not part of it: it is for when nothing is left.
func (f *FS) StatFS(ctx context.Context, h vfs.Handle) (vfs.StatFS, error) {
	st, err := f.FS.StatFS(ctx, h)
	if err != nil {
		return st, err
	}
	a, err := f.l.account(ctx, h)
	if err != nil || a == nil {
		return st, err
	}
	f.l.collectHub(a.hub, nil)
	a.narrow(&st)
	return st, nil
}

// narrow makes the space of a disk that of a home.
func (a *account) narrow(st *vfs.StatFS) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	own, hub := a.limit, h.limit
	narrow(&st.TotalBytes, &st.FreeBytes, &st.AvailBytes, int64(own.Bytes), a.used.Bytes, int64(hub.Bytes), h.used.Bytes)
	narrow(&st.TotalFiles, &st.FreeFiles, &st.AvailFiles, own.Inodes, a.used.Inodes, hub.Inodes, h.used.Inodes)
}

// narrow makes a total that of the nearest limit that there is, what is free what is left of that, so that the difference is
// what is used (df(1)), and what may be taken the least that is left of anything.
func narrow(total, free, avail *uint64, limit, used, hubLimit, hubUsed int64) {
	const none = math.MaxInt64 // Unlimited and UnlimitedInodes
	for _, l := range []struct{ limit, used int64 }{{hubLimit, hubUsed}, {limit, used}} {
		if l.limit == none {
			continue
		}
		rest := uint64(max(0, left(l.limit, l.used, 0)))
		if *total == 0 {
			*avail = rest // a file system without a number of inodes: Btrfs
		}
		*total, *free, *avail = uint64(l.limit), rest, min(*avail, rest)
	}
}
