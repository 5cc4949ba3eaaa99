// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"context"
	"slices"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// add gives a file a name in a directory. The name is free.
func (m *Memory) add(dir *node, name string, n *node) {
	dir.lastCookie++
	e := &entry{name: name, cookie: dir.lastCookie, node: n}
	dir.entries = append(dir.entries, e)
	dir.names[name] = e
	if n.attr.Type == vfs.Directory {
		n.parent = dir
		dir.attr.Nlink++
	}
	m.touchData(dir)
}

// take takes a name away from its directory. The name is there.
func (m *Memory) take(dir *node, name string) {
	e := dir.names[name]
	delete(dir.names, name)
	i, _ := dir.after(e.cookie - 1)
	dir.entries = slices.Delete(dir.entries, i, i+1)
	if e.node.attr.Type == vfs.Directory {
		dir.attr.Nlink--
	}
	m.touchData(dir)
}

// after finds the first entry with a cookie greater than one.
func (n *node) after(cookie uint64) (i int, found bool) {
	i, _ = slices.BinarySearchFunc(n.entries, cookie+1, func(e *entry, c uint64) int {
		switch {
		case e.cookie < c:
			return -1
		case e.cookie > c:
			return 1
		}
		return 0
	})
	return i, i < len(n.entries)
}

// unlinked counts one name less of a file, and forgets it with the last.
func (m *Memory) unlinked(n *node) {
	n.attr.Nlink--
	if n.attr.Type == vfs.Directory {
		n.attr.Nlink = 0
	}
	m.touch(n)
	m.drop(n)
}

// lookup finds a name in a directory for a caller.
func (m *Memory) lookup(c *vfs.Caller, dir *node, name string) (*node, error) {
	if err := vfs.CheckName(name); err != nil {
		return nil, err
	}
	if err := vfs.Permit(c, &dir.attr, vfs.MayExec); err != nil {
		return nil, err
	}
	e := dir.names[name]
	if e == nil {
		return nil, syscall.ENOENT
	}
	return e.node, nil
}

// free answers whether a caller may give something a name in a directory: EEXIST comes before EACCES, as in the kernel.
func (m *Memory) free(c *vfs.Caller, dir *node, name string) error {
	_, err := m.lookup(c, dir, name)
	switch err {
	case nil:
		return syscall.EEXIST
	case syscall.ENOENT:
		return vfs.Permit(c, &dir.attr, vfs.MayWrite|vfs.MayExec)
	}
	return err
}

// Lookup finds a name in a directory.
func (m *Memory) Lookup(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	if err := m.begin("Lookup"); err != nil {
		return vfs.Entry{}, err
	}
	defer m.mu.Unlock()
	d, err := m.findDir(dir)
	if err != nil {
		return vfs.Entry{}, err
	}
	n, err := m.lookup(c, d, name)
	if err != nil {
		return vfs.Entry{}, err
	}
	return m.entry(n), nil
}

// Parent returns the directory that a directory is in.
func (m *Memory) Parent(_ context.Context, c *vfs.Caller, dir vfs.Handle) (vfs.Entry, error) {
	if err := m.begin("Parent"); err != nil {
		return vfs.Entry{}, err
	}
	defer m.mu.Unlock()
	d, err := m.findDir(dir)
	if err != nil {
		return vfs.Entry{}, err
	}
	if d.parent == nil {
		return vfs.Entry{}, syscall.ENOENT
	}
	if err := vfs.Permit(c, &d.attr, vfs.MayExec); err != nil {
		return vfs.Entry{}, err
	}
	return m.entry(d.parent), nil
}

// readBatch is how many entries ReadDir takes from a directory at a time.
const readBatch = 256

// ReadDir calls fn for the entries of a directory. The tree is not locked while fn runs.
func (m *Memory) ReadDir(_ context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (end bool, err error) {
	if err := m.hooked("ReadDir"); err != nil {
		return false, err
	}
	for first := true; ; first = false {
		batch, err := m.readSome(c, dir, cookie, withAttr, first)
		if err != nil {
			return false, err
		}
		if len(batch) == 0 {
			return true, nil
		}
		for i := range batch {
			if !fn(&batch[i]) {
				return false, nil
			}
			cookie = batch[i].Cookie
		}
	}
}

// readSome returns some of the entries after a cookie; none at the end. The permission is that of the first look.
func (m *Memory) readSome(c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr, first bool) ([]vfs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, err := m.findDir(dir)
	if err != nil {
		return nil, err
	}
	if first {
		if err := vfs.Permit(c, &d.attr, vfs.MayRead); err != nil {
			return nil, err
		}
	}
	var batch []vfs.DirEntry
	if cookie == ^uint64(0) {
		return nil, nil
	}
	i, _ := d.after(cookie)
	for _, e := range d.entries[i:min(i+readBatch, len(d.entries))] {
		de := vfs.DirEntry{Name: e.name, Cookie: e.cookie, FileID: e.node.attr.FileID}
		if withAttr {
			de.Entry = m.entry(e.node)
		}
		batch = append(batch, de)
	}
	return batch, nil
}

// ReadLink returns what a symbolic link says.
func (m *Memory) ReadLink(_ context.Context, c *vfs.Caller, h vfs.Handle) (string, error) {
	if err := m.begin("ReadLink"); err != nil {
		return "", err
	}
	defer m.mu.Unlock()
	n, err := m.find(h)
	if err != nil {
		return "", err
	}
	if n.attr.Type != vfs.Symlink {
		return "", syscall.EINVAL
	}
	return n.target, nil
}

// Link gives a file another name.
func (m *Memory) Link(_ context.Context, c *vfs.Caller, h, dir vfs.Handle, name string) (vfs.DirChange, error) {
	if err := m.begin("Link"); err != nil {
		return vfs.DirChange{}, err
	}
	defer m.mu.Unlock()
	n, err := m.find(h)
	if err != nil {
		return vfs.DirChange{}, err
	}
	d, err := m.findDir(dir)
	if err != nil {
		return vfs.DirChange{}, err
	}
	if err := m.free(c, d, name); err != nil {
		return vfs.DirChange{}, err
	}
	switch {
	case n.attr.Type == vfs.Directory:
		return vfs.DirChange{}, syscall.EPERM
	case n.attr.Home != d.attr.Home:
		return vfs.DirChange{}, syscall.EXDEV
	case n.attr.Nlink == 0:
		return vfs.DirChange{}, syscall.ENOENT
	}
	ch := vfs.DirChange{Before: d.attr.Change, Atomic: true}
	n.attr.Nlink++
	m.touch(n)
	m.add(d, name, n)
	ch.After = d.attr.Change
	return ch, nil
}

// Remove removes a name.
func (m *Memory) Remove(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string) (gone vfs.Entry, ch vfs.DirChange, err error) {
	if err := m.begin("Remove"); err != nil {
		return gone, ch, err
	}
	defer m.mu.Unlock()
	d, err := m.findDir(dir)
	if err != nil {
		return gone, ch, err
	}
	n, err := m.lookup(c, d, name)
	if err != nil {
		return gone, ch, err
	}
	if err := vfs.PermitUnlink(c, &d.attr, &n.attr); err != nil {
		return gone, ch, err
	}
	if len(n.entries) > 0 {
		return gone, ch, syscall.ENOTEMPTY
	}
	gone, ch = m.entry(n), vfs.DirChange{Before: d.attr.Change, Atomic: true}
	m.take(d, name)
	m.unlinked(n)
	ch.After = d.attr.Change
	return gone, ch, nil
}
