// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// maxXattrName is the longest name of an extended attribute in bytes, without "user." (XATTR_NAME_MAX).
const maxXattrName = 250

// beginXattr finds a file whose extended attributes a caller may read or change, with the tree locked. Only regular
// files and directories have any, as xattr(7) says; refusal is the answer for all others.
func (m *Memory) beginXattr(label string, c *vfs.Caller, h vfs.Handle, name string, want vfs.Perm, refusal syscall.Errno) (*node, error) {
	if err := m.begin(label); err != nil {
		return nil, err
	}
	n, err := m.xattrNode(c, h, name, want, refusal)
	if err != nil {
		m.mu.Unlock()
	}
	return n, err
}

func (m *Memory) xattrNode(c *vfs.Caller, h vfs.Handle, name string, want vfs.Perm, refusal syscall.Errno) (*node, error) {
	n, err := m.find(h)
	switch {
	case err != nil:
		return nil, err
	case name == "" || strings.IndexByte(name, 0) >= 0:
		return nil, syscall.EINVAL
	case len(name) > maxXattrName:
		return nil, syscall.ENAMETOOLONG
	case n.attr.Type != vfs.Regular && n.attr.Type != vfs.Directory:
		return nil, refusal
	}
	return n, vfs.Permit(c, &n.attr, want)
}

// GetXattr returns an extended attribute.
func (m *Memory) GetXattr(_ context.Context, c *vfs.Caller, h vfs.Handle, name string) ([]byte, error) {
	n, err := m.beginXattr("GetXattr", c, h, name, vfs.MayRead, syscall.ENODATA)
	if err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	value, there := n.xattrs[name]
	if !there {
		return nil, syscall.ENODATA
	}
	return bytes.Clone(value), nil
}

// SetXattr sets an extended attribute.
func (m *Memory) SetXattr(_ context.Context, c *vfs.Caller, h vfs.Handle, name string, value []byte, mode vfs.XattrMode) (ch vfs.DirChange, err error) {
	n, err := m.beginXattr("SetXattr", c, h, name, vfs.MayWrite, syscall.EPERM)
	if err != nil {
		return ch, err
	}
	defer m.mu.Unlock()
	_, there := n.xattrs[name]
	switch {
	case len(value) > vfs.MaxXattr:
		return ch, syscall.E2BIG
	case mode == vfs.XattrCreate && there:
		return ch, syscall.EEXIST
	case mode == vfs.XattrReplace && !there:
		return ch, syscall.ENODATA
	}
	if n.xattrs == nil {
		n.xattrs = map[string][]byte{}
	}
	return m.changeXattrs(n, func() { n.xattrs[name] = append([]byte{}, value...) }), nil
}

// ListXattr returns the names of all extended attributes, sorted.
func (m *Memory) ListXattr(_ context.Context, c *vfs.Caller, h vfs.Handle) ([]string, error) {
	if err := m.begin("ListXattr"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	n, err := m.find(h)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(n.xattrs)), nil
}

// RemoveXattr removes an extended attribute.
func (m *Memory) RemoveXattr(_ context.Context, c *vfs.Caller, h vfs.Handle, name string) (ch vfs.DirChange, err error) {
	n, err := m.beginXattr("RemoveXattr", c, h, name, vfs.MayWrite, syscall.EPERM)
	if err != nil {
		return ch, err
	}
	defer m.mu.Unlock()
	if _, there := n.xattrs[name]; !there {
		return ch, syscall.ENODATA
	}
	return m.changeXattrs(n, func() { delete(n.xattrs, name) }), nil
}

// changeXattrs makes a change and tells of the change attribute around it.
func (m *Memory) changeXattrs(n *node, change func()) vfs.DirChange {
	ch := vfs.DirChange{Before: n.attr.Change, Atomic: true}
	change()
	m.touch(n)
	ch.After = n.attr.Change
	return ch
}
