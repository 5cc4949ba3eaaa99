// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"context"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// move is a Rename while it runs.
type move struct {
	m                *Memory
	caller           *vfs.Caller
	fromDir, toDir   *node
	fromName, toName string
	// what moves; over is what is in its place, nil where there is nothing.
	what, over *node
}

// Rename moves a name.
func (m *Memory) Rename(_ context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (over vfs.Entry, fromCh, toCh vfs.DirChange, err error) {
	if err := m.begin("Rename"); err != nil {
		return over, fromCh, toCh, err
	}
	defer m.mu.Unlock()
	v := move{m: m, caller: c, fromName: from, toName: to}
	if v.fromDir, err = m.findDir(fromDir); err != nil {
		return over, fromCh, toCh, err
	}
	if v.toDir, err = m.findDir(toDir); err != nil {
		return over, fromCh, toCh, err
	}
	if err := v.check(); err != nil {
		return over, fromCh, toCh, err
	}
	fromCh = vfs.DirChange{Before: v.fromDir.attr.Change, Atomic: true}
	toCh = vfs.DirChange{Before: v.toDir.attr.Change, Atomic: true}
	if v.what != v.over {
		over = v.run()
	}
	fromCh.After, toCh.After = v.fromDir.attr.Change, v.toDir.attr.Change
	return over, fromCh, toCh, nil
}

// check finds what moves and what is replaced, and whether that may be.
func (v *move) check() (err error) {
	if v.what, err = v.m.lookup(v.caller, v.fromDir, v.fromName); err != nil {
		return err
	}
	if v.over, err = v.m.lookup(v.caller, v.toDir, v.toName); err != nil && err != syscall.ENOENT {
		return err
	}
	directory := v.what.attr.Type == vfs.Directory
	switch {
	case directory && v.what.level < inside:
		return syscall.EPERM
	case v.fromDir.attr.Home != v.toDir.attr.Home:
		return syscall.EXDEV
	case v.what == v.over:
		return nil
	case directory && v.toDir.within(v.what):
		return syscall.EINVAL
	case v.over != nil && v.fromDir.within(v.over):
		return syscall.ENOTEMPTY
	}
	if err := vfs.PermitUnlink(v.caller, &v.fromDir.attr, &v.what.attr); err != nil {
		return err
	}
	if directory && v.fromDir != v.toDir {
		// Its entry ".." changes.
		if err := vfs.Permit(v.caller, &v.what.attr, vfs.MayWrite); err != nil {
			return err
		}
	}
	if v.over == nil {
		return vfs.Permit(v.caller, &v.toDir.attr, vfs.MayWrite|vfs.MayExec)
	}
	if err := vfs.PermitUnlink(v.caller, &v.toDir.attr, &v.over.attr); err != nil {
		return err
	}
	switch overDir := v.over.attr.Type == vfs.Directory; {
	case directory && !overDir:
		return syscall.ENOTDIR
	case !directory && overDir:
		return syscall.EISDIR
	case len(v.over.entries) > 0:
		return syscall.ENOTEMPTY
	}
	return nil
}

// within tells whether a directory is another one or somewhere in it.
func (n *node) within(other *node) bool {
	for ; n != nil; n = n.parent {
		if n == other {
			return true
		}
	}
	return false
}

// run moves the name and returns what was replaced.
func (v *move) run() (over vfs.Entry) {
	if v.over != nil {
		over = v.m.entry(v.over)
		v.m.take(v.toDir, v.toName)
		v.m.unlinked(v.over)
	}
	v.m.take(v.fromDir, v.fromName)
	v.m.add(v.toDir, v.toName, v.what)
	v.m.touch(v.what)
	return over
}
