// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"context"
	"math"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// GetAttr returns a file's attributes.
func (m *Memory) GetAttr(_ context.Context, h vfs.Handle) (vfs.Attr, error) {
	if err := m.begin("GetAttr"); err != nil {
		return vfs.Attr{}, err
	}
	defer m.mu.Unlock()
	n, err := m.find(h)
	if err != nil {
		return vfs.Attr{}, err
	}
	return m.attr(n), nil
}

// SetAttr changes what is set: all of it, or nothing.
func (m *Memory) SetAttr(_ context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	if err := m.begin("SetAttr"); err != nil {
		return vfs.Attr{}, err
	}
	defer m.mu.Unlock()
	n, err := m.find(h)
	if err != nil {
		return vfs.Attr{}, err
	}
	if err := vfs.PermitSetAttr(c, &n.attr, &set); err != nil {
		return vfs.Attr{}, err
	}
	if err := n.takes(&set); err != nil {
		return vfs.Attr{}, err
	}
	if set != (vfs.SetAttr{}) {
		m.set(c, n, &set)
	}
	return m.attr(n), nil
}

// takes answers what no file of a type can be given.
func (n *node) takes(set *vfs.SetAttr) error {
	if set.Mode != nil && n.attr.Type == vfs.Symlink {
		return syscall.EOPNOTSUPP
	}
	switch {
	case set.Size == nil:
		return nil
	case n.attr.Type == vfs.Directory:
		return syscall.EISDIR
	case n.attr.Type != vfs.Regular:
		return syscall.EINVAL
	case *set.Size > math.MaxInt64:
		return syscall.EFBIG
	}
	return nil
}

// set changes a file's attributes. A new owner or size takes the set-id bits away, as chown(2) and write(2) do.
func (m *Memory) set(c *vfs.Caller, n *node, set *vfs.SetAttr) {
	if set.Size != nil {
		m.resize(c, n, *set.Size)
		n.content.sync()
	}
	if set.UID != nil || set.GID != nil {
		n.dropSetID()
	}
	if set.UID != nil {
		n.attr.UID = *set.UID
	}
	if set.GID != nil {
		n.attr.GID = *set.GID
	}
	if set.Mode != nil {
		n.attr.Mode = *set.Mode & 0o7777
		if !c.Root() && !c.In(n.attr.GID) {
			n.attr.Mode &^= syscall.S_ISGID
		}
	}
	if set.Atime.Set {
		n.attr.Atime = clock(set.Atime)
	}
	if set.Mtime.Set {
		n.attr.Mtime = clock(set.Mtime)
	}
	m.touch(n)
}

func clock(t vfs.SetTime) time.Time {
	if t.Now {
		return time.Now()
	}
	return t.Time
}

// resize cuts or grows a regular file for a caller.
func (m *Memory) resize(c *vfs.Caller, n *node, size uint64) {
	m.used -= n.content.used()
	n.content.truncate(size)
	m.used += n.content.used()
	n.written(c)
	m.touchData(n)
}

// written takes the set-id bits away from a file that a caller who is not root has written to.
func (n *node) written(c *vfs.Caller) {
	if !c.Root() {
		n.dropSetID()
	}
}

// dropSetID takes away the set-id bits, as the kernel does: set-group-id without permission to execute for the group
// means something else and stays.
func (n *node) dropSetID() {
	if n.attr.Type != vfs.Regular {
		return
	}
	n.attr.Mode &^= syscall.S_ISUID
	if n.attr.Mode&syscall.S_IXGRP != 0 {
		n.attr.Mode &^= syscall.S_ISGID
	}
}
