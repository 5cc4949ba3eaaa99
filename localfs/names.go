// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// Link gives a file another name.
func (f *FS) Link(_ context.Context, c *vfs.Caller, h vfs.Handle, dir vfs.Handle, name string) (ch vfs.DirChange, err error) {
	n, err := f.open(h)
	if err != nil {
		return ch, err
	}
	defer n.close()
	op, err := f.begin(c, dir, name)
	if err != nil {
		return ch, err
	}
	a := op.dir.attr()
	switch err = f.absent(op, name); {
	case err != nil:
	case n.isDir():
		err = syscall.EPERM
	case n.homeID() != op.dir.homeID():
		err = syscall.EXDEV
	default:
		err = vfs.Permit(c, &a, vfs.MayWrite)
	}
	if err == nil {
		err = f.changing(n.fd, n.st.Ino)
	}
	if err == nil {
		ch, err = op.change(func() error { return f.disk.LinkFile(n.fd, op.dir.fd, name) })
		f.changed(n.st.Ino)
	}
	if err != nil {
		op.abandon()
		return ch, err
	}
	return ch, op.end()
}

// absent answers EEXIST where a name is there.
func (f *FS) absent(op *dirOp, name string) error {
	var st disk.Stat
	switch err := f.disk.Stat(op.dir.fd, name, &st); err {
	case nil:
		return syscall.EEXIST
	case syscall.ENOENT:
		return nil
	default:
		return err
	}
}

// victim opens the entry that has a name in a directory, and tells whether a caller may remove it from there.
func (f *FS) victim(c *vfs.Caller, dir *node, name string) (*node, error) {
	e, err := f.entry(dir, name)
	if err != nil {
		return nil, err
	}
	a := dir.attr()
	if err := vfs.PermitUnlink(c, &a, &e.Attr); err != nil {
		return nil, err
	}
	return f.open(e.Handle)
}

// Remove removes a name.
func (f *FS) Remove(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string) (gone vfs.Entry, ch vfs.DirChange, err error) {
	op, err := f.begin(c, dir, name)
	if err != nil {
		return gone, ch, err
	}
	n, err := f.victim(c, op.dir, name)
	if err != nil {
		op.abandon()
		return gone, ch, err
	}
	defer n.close()
	flags := 0
	if n.isDir() {
		flags = unix.AT_REMOVEDIR
	}
	if err = f.changing(n.fd, n.st.Ino); err == nil {
		ch, err = op.change(func() error { return f.disk.Unlink(op.dir.fd, name, flags) })
		f.changed(n.st.Ino)
	}
	if err == syscall.EEXIST {
		err = syscall.ENOTEMPTY // POSIX lets a file system say either
	}
	if err != nil {
		op.abandon()
		return gone, ch, err
	}
	return vfs.Entry{Handle: n.handle, Attr: n.attr()}, ch, op.end()
}

// Rename moves a name.
func (f *FS) Rename(_ context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (over vfs.Entry, fromCh, toCh vfs.DirChange, err error) {
	r := renaming{f: f, from: from, to: to}
	defer r.close()
	if err = r.open(fromDir, toDir); err == nil {
		err = r.check(c)
	}
	if err == nil && !r.same {
		err = r.move()
	}
	if err == nil {
		err = r.after()
	}
	if err != nil || r.same {
		return vfs.Entry{}, r.fromCh, r.toCh, err
	}
	r.unlock()
	err = r.sync()
	if r.target != nil {
		over = vfs.Entry{Handle: r.target.handle, Attr: r.target.attr()}
	}
	return over, r.fromCh, r.toCh, err
}

// renaming is a Rename while it runs.
type renaming struct {
	f              *FS
	from, to       string
	dir, dst       *node // dst is dir where both are one directory
	source, target *node // target is nil where there is none
	unlockDirs     func()
	same           bool // both are names of one file: there is nothing to do
	fromCh, toCh   vfs.DirChange
}

func (r *renaming) close() {
	r.unlock()
	if r.dst == r.dir {
		r.dst = nil
	}
	for _, n := range []*node{r.dir, r.dst, r.source, r.target} {
		if n != nil {
			n.close()
		}
	}
}

func (r *renaming) unlock() {
	if r.unlockDirs != nil {
		r.unlockDirs()
		r.unlockDirs = nil
	}
}

// open opens and locks the directories.
func (r *renaming) open(fromDir, toDir vfs.Handle) (err error) {
	if r.dir, err = r.f.openDir(fromDir); err != nil {
		return err
	}
	r.dst = r.dir
	if fromDir != toDir {
		r.dst = nil
		dst, err := r.f.openDir(toDir)
		if err != nil {
			return err
		}
		r.dst = dst
		r.unlockDirs = r.f.stripes.lock(r.dir.st.Ino, dst.st.Ino)
	} else {
		r.unlockDirs = r.f.stripes.lock(r.dir.st.Ino)
	}
	if err := r.f.refresh(r.dir); err != nil {
		return err
	}
	return r.f.refresh(r.dst)
}

// check finds both names and tells whether the caller may move the one to the other.
func (r *renaming) check(c *vfs.Caller) (err error) {
	if err := mayChange(c, r.dir, r.from); err != nil {
		return err
	}
	if err := mayChange(c, r.dst, r.to); err != nil {
		return err
	}
	if r.source, err = r.f.victim(c, r.dir, r.from); err != nil {
		return err
	}
	if r.dir.homeID() != r.dst.homeID() {
		return syscall.EXDEV
	}
	if r.source.level == levelHome {
		return syscall.EPERM // renaming a home is the admin's verb
	}
	target, err := r.f.victim(c, r.dst, r.to)
	switch {
	case err == syscall.ENOENT:
		a := r.dst.attr()
		err = vfs.Permit(c, &a, vfs.MayWrite)
	case err == nil && target.handle == r.source.handle:
		r.same = true
		target.close()
		return nil
	case err == nil:
		r.target = target
		if target.isDir() != r.source.isDir() {
			if target.isDir() {
				return syscall.EISDIR
			}
			return syscall.ENOTDIR
		}
	}
	if err != nil {
		return err
	}
	if r.source.isDir() && r.dst != r.dir {
		// Its ".." changes.
		a := r.source.attr()
		return vfs.Permit(c, &a, vfs.MayWrite)
	}
	return nil
}

// move renames, between the change attributes of all that it changes.
func (r *renaming) move() error {
	f := r.f
	changing := []*node{r.dir, r.source}
	if r.dst != r.dir {
		changing = append(changing, r.dst)
	}
	if r.target != nil {
		changing = append(changing, r.target)
	}
	for _, n := range changing {
		if err := f.changing(n.fd, n.st.Ino); err != nil {
			return err
		}
		defer f.changed(n.st.Ino)
	}
	return f.disk.Rename(r.dir.fd, r.from, r.dst.fd, r.to, 0)
}

// after looks at the directories again, which are still locked.
func (r *renaming) after() (err error) {
	r.fromCh = vfs.DirChange{Before: r.dir.change, Atomic: true}
	r.toCh = vfs.DirChange{Before: r.dst.change, Atomic: true}
	if r.fromCh.After, err = r.f.look(r.dir.fd, &r.dir.st); err != nil {
		return err
	}
	r.toCh.After, err = r.f.look(r.dst.fd, &r.dst.st)
	return err
}

// sync makes the move durable: where the name is first, so that no crash finds it nowhere.
func (r *renaming) sync() error {
	_, err := r.f.sync(&r.dst.inode, r.dst.fd)
	if err == nil && r.dst != r.dir {
		_, err = r.f.sync(&r.dir.inode, r.dir.fd)
	}
	return err
}
