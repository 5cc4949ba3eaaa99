// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"context"
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// maxTarget is the longest target of a symbolic link in bytes (PATH_MAX, with the NUL at its end).
const maxTarget = 4095

// Create opens a regular file, and makes it where it is not there.
func (m *Memory) Create(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (f vfs.File, e vfs.Entry, created bool, ch vfs.DirChange, err error) {
	if err := m.begin("Create"); err != nil {
		return nil, e, false, ch, err
	}
	defer m.mu.Unlock()
	d, err := m.findDir(dir)
	if err != nil {
		return nil, e, false, ch, err
	}
	ch = vfs.DirChange{Before: d.attr.Change, Atomic: true}
	n, err := m.lookup(c, d, name)
	switch err {
	case nil:
		err = m.reopen(c, n, &how, access)
	case syscall.ENOENT:
		created = true
		n, err = m.createIn(c, d, name, &how)
	}
	if err != nil {
		return nil, vfs.Entry{}, false, vfs.DirChange{}, err
	}
	ch.After = d.attr.Change
	return m.open(c, n, access), m.entry(n), created, ch, nil
}

// reopen is Create for a file that is there.
func (m *Memory) reopen(c *vfs.Caller, n *node, how *vfs.Create, access vfs.Access) error {
	if how.Mode == vfs.Exclusive && n.made != nil && *n.made == how.Verifier {
		return nil
	}
	if how.Mode != vfs.Unchecked {
		return syscall.EEXIST
	}
	cut := how.Attr.Size != nil && *how.Attr.Size == 0
	if cut {
		access |= vfs.Write
	}
	if err := n.permitOpen(c, access); err != nil {
		return err
	}
	if cut {
		zero := uint64(0)
		m.set(c, n, &vfs.SetAttr{Size: &zero})
	}
	return nil
}

// createIn makes a regular file.
func (m *Memory) createIn(c *vfs.Caller, dir *node, name string, how *vfs.Create) (*node, error) {
	if err := vfs.Permit(c, &dir.attr, vfs.MayWrite|vfs.MayExec); err != nil {
		return nil, err
	}
	n, err := m.make(c, dir, name, vfs.Regular, 0o644, &how.Attr)
	if err == nil && how.Mode == vfs.Exclusive {
		n.made = &how.Verifier
	}
	return n, err
}

// Mkdir makes a directory. One made in a hub is a home.
func (m *Memory) Mkdir(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	return m.makeNode("Mkdir", c, dir, name, vfs.Directory, 0o755, set, func(*node) error { return nil })
}

// Symlink makes a symbolic link. Its mode is 0777, whatever set says.
func (m *Memory) Symlink(_ context.Context, c *vfs.Caller, dir vfs.Handle, name, target string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	set.Mode = nil
	return m.makeNode("Symlink", c, dir, name, vfs.Symlink, 0o777, set, func(n *node) error {
		if n.target = target; len(target) > maxTarget {
			return syscall.ENAMETOOLONG
		}
		if target == "" || strings.IndexByte(target, 0) >= 0 {
			return syscall.EINVAL
		}
		return nil
	})
}

// Mknod makes a FIFO, socket or device node.
func (m *Memory) Mknod(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, dev vfs.Device, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	return m.makeNode("Mknod", c, dir, name, t, 0o644, set, func(n *node) error {
		switch t {
		case vfs.FIFO, vfs.Socket:
		case vfs.BlockDevice, vfs.CharDevice:
			if n.attr.Rdev = dev; !c.Root() {
				return syscall.EPERM
			}
		default:
			return syscall.EINVAL
		}
		return nil
	})
}

// makeNode makes a file of any type; complete fills in what only that type has, and may refuse it.
func (m *Memory) makeNode(label string, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, mode uint32, set vfs.SetAttr, complete func(*node) error) (vfs.Entry, vfs.DirChange, error) {
	if err := m.begin(label); err != nil {
		return vfs.Entry{}, vfs.DirChange{}, err
	}
	defer m.mu.Unlock()
	d, err := m.findDir(dir)
	if err != nil {
		return vfs.Entry{}, vfs.DirChange{}, err
	}
	if err := m.free(c, d, name); err != nil {
		return vfs.Entry{}, vfs.DirChange{}, err
	}
	var special node
	if err := complete(&special); err != nil {
		return vfs.Entry{}, vfs.DirChange{}, err
	}
	ch := vfs.DirChange{Before: d.attr.Change, Atomic: true}
	n, err := m.make(c, d, name, t, mode, &set)
	if err != nil {
		return vfs.Entry{}, vfs.DirChange{}, err
	}
	n.target, n.attr.Rdev = special.target, special.attr.Rdev
	ch.After = d.attr.Change
	return m.entry(n), ch, nil
}

// make makes a file and gives it its name, which is free. It belongs to the caller, or to root, where set says nothing
// else; only root gives it to another. A directory with set-group-id gives its group on, and the bit to directories.
func (m *Memory) make(c *vfs.Caller, dir *node, name string, t vfs.Type, mode uint32, set *vfs.SetAttr) (*node, error) {
	if uint64(len(m.nodes)) >= maxFiles {
		return nil, syscall.ENOSPC
	}
	var owner vfs.Attr
	if c != nil {
		owner.UID, owner.GID = c.UID, c.GID
	}
	inherited := dir.attr.Mode & syscall.S_ISGID
	if inherited != 0 {
		owner.GID = dir.attr.GID
	}
	if err := vfs.PermitSetAttr(c, &owner, set); err != nil {
		return nil, err
	}
	if probe := (&node{attr: vfs.Attr{Type: t}}); probe.takes(set) != nil {
		return nil, probe.takes(set)
	}
	n := m.newNode(t, dir)
	n.attr.Mode, n.attr.UID, n.attr.GID, n.attr.Nlink = mode, owner.UID, owner.GID, 1
	if t == vfs.Directory {
		n.attr.Nlink = 2
	}
	m.set(c, n, set)
	if t == vfs.Directory {
		n.attr.Mode |= inherited
	}
	if t == vfs.Directory && n.level == homeLevel {
		n.attr.Mode, n.attr.UID, n.attr.GID = 0o755, homeOwner, homeOwner
	}
	m.add(dir, name, n)
	return n, nil
}
