// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var handlePromises = []promise{
	{"two handles are equal exactly when they are of one file", (*tree).equalHandles},
	{"a handle is at most MaxHandle bytes", (*tree).shortHandles},
	{"a handle survives a rename of the file and of its directory", (*tree).renamedHandles},
	{"a handle of a removed file is stale", (*tree).staleHandles},
	{"a handle outlives one of two names", (*tree).linkedHandle},
	{"a handle that was not issued is refused", (*tree).foreignHandles},
	{"a handle with one bit flipped is refused", (*tree).flippedHandles},
	{"the root is where it was", (*tree).rootHandle},
}

func (t *tree) equalHandles() {
	a, b := t.file(t.home, "a", "same"), t.file(t.home, "b", "same")
	if a.Handle == b.Handle || a.Attr.FileID == b.Attr.FileID {
		t.Error("two files share a handle or a FileID")
	}
	again := t.lookup(t.home, "a")
	if again.Handle != a.Handle || again.Attr.FileID != a.Attr.FileID {
		t.Error("two lookups of one name gave different handles or FileIDs")
	}
	_, err := t.fs.Link(t.ctx, user, a.Handle, t.home, "c")
	t.must("Link", err)
	if t.lookup(t.home, "c").Handle != a.Handle {
		t.Error("two names of one file gave different handles")
	}
	d := t.mkdir(user, t.home, "d")
	up, err := t.fs.Parent(t.ctx, user, d.Handle)
	t.must("Parent", err)
	if up.Handle != t.home {
		t.Error("Parent gave another handle of the home than Lookup did")
	}
	for _, e := range t.list(t.home, 0, true) {
		if e.Err != nil || e.Handle != t.lookup(t.home, e.Name).Handle {
			t.Errorf("ReadDir gave another handle of %s than Lookup did, or the error %v", e.Name, e.Err)
		}
	}
}

func (t *tree) shortHandles() {
	dir := t.home
	for range 20 {
		dir = t.mkdir(user, dir, strings.Repeat("d", vfs.MaxName)).Handle
		if len(dir) == 0 || len(dir) > vfs.MaxHandle {
			t.Fatalf("a handle has %d bytes", len(dir))
		}
	}
}

func (t *tree) renamedHandles() {
	d, e := t.mkdir(user, t.home, "d"), t.mkdir(user, t.home, "e")
	f := t.file(d.Handle, "f", "contents")
	_, _, _, err := t.fs.Rename(t.ctx, user, d.Handle, "f", e.Handle, "g")
	t.must("Rename of the file", err)
	_, _, _, err = t.fs.Rename(t.ctx, user, t.home, "e", d.Handle, "h")
	t.must("Rename of the directory", err)
	if got := t.contents(f.Handle); got != "contents" {
		t.Errorf("the old handle reads %q", got)
	}
	if t.lookup(t.lookup(d.Handle, "h").Handle, "g").Handle != f.Handle {
		t.Error("the file has another handle in its new place")
	}
}

func (t *tree) staleHandles() {
	f, d, l := t.file(t.home, "f", "x"), t.mkdir(user, t.home, "d"), t.symlink(t.home, "l", "x")
	for _, name := range []string{"f", "d", "l"} {
		_, _, err := t.fs.Remove(t.ctx, user, t.home, name)
		t.must("Remove "+name, err)
	}
	for _, e := range []vfs.Entry{f, d, l} {
		_, err := t.fs.GetAttr(t.ctx, e.Handle)
		t.refused("GetAttr", err, syscall.ESTALE)
		_, err = t.fs.SetAttr(t.ctx, nil, e.Handle, vfs.SetAttr{Mtime: vfs.SetTime{Set: true, Now: true}})
		t.refused("SetAttr", err, syscall.ESTALE)
		_, err = t.fs.StatFS(t.ctx, e.Handle)
		t.refused("StatFS", err, syscall.ESTALE)
		_, err = t.fs.Link(t.ctx, user, e.Handle, t.home, "again")
		t.refused("Link", err, syscall.ESTALE)
	}
	_, err := t.fs.Open(t.ctx, user, f.Handle, vfs.Read)
	t.refused("Open", err, syscall.ESTALE)
	_, err = t.fs.ReadLink(t.ctx, user, l.Handle)
	t.refused("ReadLink", err, syscall.ESTALE)
	_, err = t.fs.Lookup(t.ctx, user, d.Handle, "x")
	t.refused("Lookup", err, syscall.ESTALE)
	_, _, err = t.fs.Mkdir(t.ctx, user, d.Handle, "x", vfs.SetAttr{})
	t.refused("Mkdir", err, syscall.ESTALE)
	_, err = t.fs.ReadDir(t.ctx, user, d.Handle, 0, false, func(*vfs.DirEntry) bool { return true })
	t.refused("ReadDir", err, syscall.ESTALE)

	// Whatever takes the number on the disk is another file.
	for _, name := range []string{"f", "f2", "f3"} {
		if e := t.file(t.home, name, "new"); e.Handle == f.Handle {
			t.Error("a new file has the handle of a removed one")
		}
	}
	_, err = t.fs.GetAttr(t.ctx, f.Handle)
	t.refused("GetAttr with another file in the place", err, syscall.ESTALE)
}

func (t *tree) linkedHandle() {
	f := t.file(t.home, "a", "contents")
	_, err := t.fs.Link(t.ctx, user, f.Handle, t.home, "b")
	t.must("Link", err)
	_, _, err = t.fs.Remove(t.ctx, user, t.home, "a")
	t.must("Remove", err)
	if got := t.contents(f.Handle); got != "contents" {
		t.Errorf("the handle reads %q", got)
	}
}

func (t *tree) foreignHandles() {
	for _, h := range []vfs.Handle{
		"", "x", "garbage", t.home[:len(t.home)-1], t.home + "x", t.home + t.home, "\x00", vfs.Handle(strings.Repeat("\xff", vfs.MaxHandle)),
		vfs.Handle(strings.Repeat("\x00", len(t.home))),
	} {
		_, err := t.fs.GetAttr(t.ctx, h)
		t.refused("GetAttr", err, syscall.EBADF)
		_, err = t.fs.Lookup(t.ctx, nil, h, "x")
		t.refused("Lookup", err, syscall.EBADF)
		if !t.config.NoHomeID {
			_, err = t.fs.Home(h)
			t.refused("Home", err, syscall.EBADF)
		}
	}
}

func (t *tree) flippedHandles() {
	t.skipIf(t.config.Foreign, "handles are not signed")
	f := t.file(t.home, "f", "x")
	for _, h := range []vfs.Handle{t.home, f.Handle} {
		for i := range len(h) {
			for bit := range 8 {
				b := []byte(h)
				b[i] ^= 1 << bit
				if _, err := t.fs.GetAttr(t.ctx, vfs.Handle(b)); err == nil {
					t.Fatalf("bit %d of byte %d of a handle may be flipped", bit, i)
				} else {
					t.refused("GetAttr", err, syscall.EBADF)
				}
			}
		}
	}
}

func (t *tree) rootHandle() {
	first, err := t.fs.Root(t.ctx)
	t.must("Root", err)
	up, err := t.fs.Parent(t.ctx, nil, t.hub())
	t.must("Parent of the hub", err)
	if up.Handle != first || up.Attr.Type != vfs.Directory {
		t.Error("the hub's directory is not in the root")
	}
	_, err = t.fs.Parent(t.ctx, nil, first)
	t.refused("Parent of the root", err, syscall.ENOENT)
}
