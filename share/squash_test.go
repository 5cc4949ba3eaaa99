// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package share_test

import (
	"context"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/share"
	"github.com/hubhome/hubhome/vfs"
)

// squashed is a server that takes root, or everybody, for nobody. Like the Linux kernel's, it makes a directory and sets
// its attributes after that: where the second is refused, the directory stays.
type squashed struct {
	*tree
	all bool
}

var nobody = &vfs.Caller{UID: 65534, GID: 65534}

func (s squashed) as(c *vfs.Caller) *vfs.Caller {
	if s.all || c.Root() {
		return nobody
	}
	return c
}

func (s squashed) Lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	return s.tree.Lookup(ctx, s.as(c), dir, name)
}

func (s squashed) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	return s.tree.ReadDir(ctx, s.as(c), dir, cookie, withAttr, fn)
}

func (s squashed) SetAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	return s.tree.SetAttr(ctx, s.as(c), h, set)
}

func (s squashed) Mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	e, ch, err := s.tree.Mkdir(ctx, s.as(c), dir, name, vfs.SetAttr{})
	if err == nil {
		e.Attr, err = s.SetAttr(ctx, c, e.Handle, set)
	}
	return e, ch, err
}

func (s squashed) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	return s.tree.Create(ctx, s.as(c), dir, name, how, access)
}

func (s squashed) Remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, vfs.DirChange, error) {
	return s.tree.Remove(ctx, s.as(c), dir, name)
}

// TestSquash: no root is needed where the base share is the owner's; elsewhere it is said, and nothing is left behind.
func TestSquash(t *testing.T) {
	for _, test := range []struct {
		name           string
		uid, gid, mode uint32 // of the base share
		all            bool
		says           string // "" where it works
	}{
		{name: "the owner's", uid: 1000, gid: 1000, mode: 0o755},
		{name: "the group's", gid: 1000, mode: 0o775},
		{name: "everybody's", mode: 0o1777},
		{name: "root's", mode: 0o755, says: "make /mnt/export/homes/prod: permission denied"},
		{name: "nobody's", uid: 65534, gid: 65534, mode: 0o755, says: "make /mnt/export/homes/prod: operation not permitted"},
		{name: "everybody's, all squashed", mode: 0o777, all: true, says: "make /mnt/export/homes/prod: operation not permitted: the server has a new directory belong to 65534:65534"},
		{name: "closed", uid: 1000, gid: 1000, mode: 0o700},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newTree(t)
			m.mkdir("/mnt/export/homes")
			m.give("/mnt/export/homes", test.uid, test.gid, test.mode)
			before := m.list("/mnt/export")
			report, err := share.Create(t.Context(), squashed{m, test.all}, spec())
			if test.says == "" {
				m.must(err)
				if !report.RootSquashed {
					t.Error("that root is squashed is not said")
				}
				return
			}
			failed(t, err, share.Denied, test.says)
			if got := m.list("/mnt/export"); got != before {
				t.Errorf("there is\n%s\nand there was\n%s", got, before)
			}
		})
	}
}

// TestSquashBase: a base share that root may not make, and the owner neither.
func TestSquashBase(t *testing.T) {
	m := newTree(t)
	_, err := share.Create(t.Context(), squashed{m, false}, spec())
	failed(t, err, share.Denied, "make base share /mnt/export/homes: permission denied")
}

// stubborn is a server that has its own idea of modes, and says that it does as it is told.
type stubborn struct{ *tree }

func (s stubborn) Mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	mode := uint32(0o777)
	set.Mode = &mode
	return s.tree.Mkdir(ctx, c, dir, name, set)
}

func (s stubborn) SetAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	set.Mode = nil
	return s.tree.SetAttr(ctx, c, h, set)
}

// TestStubborn: what is not as it was asked for is not success.
func TestStubborn(t *testing.T) {
	m := newTree(t)
	m.mkdir("/mnt/export/homes")
	_, err := share.Create(t.Context(), stubborn{m}, spec())
	failed(t, err, share.Denied, "make /mnt/export/homes/prod: operation not permitted: the server has a new directory belong to 1000:1000, mode 0777")
}

// TestSetGID: the bit that a base share hands down stays.
func TestSetGID(t *testing.T) {
	m := newTree(t)
	m.mkdir("/mnt/export/homes")
	m.give("/mnt/export/homes", 0, 50, 0o2755)
	for _, want := range []string{"made", "unchanged"} {
		report, err := share.Create(t.Context(), m, spec())
		m.must(err)
		if got := actions(report); got != "/mnt/export/homes/prod "+want+" 1000:1000 2755" {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestMissing: where nobody can make the base share, it is not exported, and the message has what is.
func TestMissing(t *testing.T) {
	m := newTree(t)
	m.mkdir("/mnt/export/other")
	m.Fail("Mkdir", syscall.EROFS)
	_, err := share.Create(t.Context(), m, spec())
	failed(t, err, share.Missing, `make base share /mnt/export/homes: read-only file system: the server does not export it; in /mnt/export there is: "other"`)
}

// TestReadOnly: the base share is there, and nothing can be made in it.
func TestReadOnly(t *testing.T) {
	m := newTree(t)
	m.mkdir("/mnt/export/homes")
	m.Fail("Mkdir", syscall.EROFS)
	_, err := share.Create(t.Context(), m, spec())
	failed(t, err, share.ReadOnly, "make /mnt/export/homes/prod: read-only file system")
}
