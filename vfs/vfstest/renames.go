// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var renamePromises = []promise{
	{"Rename moves a name within a directory and to another", (*tree).renameMoves},
	{"Rename moves every type of file", (*tree).renameTypes},
	{"Rename replaces a file and tells of it", (*tree).renameReplaces},
	{"Rename replaces an empty directory with a directory", (*tree).renameReplacesDirectory},
	{"Rename does nothing where both names are of one file", (*tree).renameSame},
	{"Rename keeps a directory out of itself", (*tree).renameLoop},
	{"Rename says why it moves nothing", (*tree).renameErrors},
	{"Rename takes permission to write and search both directories", (*tree).renamePermission},
	{"Rename of a directory to another takes permission to write it", (*tree).renameDirectoryPermission},
	{"a file that is open may be moved and replaced", (*tree).renameOpen},
}

// rename is Rename by the user within the home.
func (t *tree) rename(from, to string) (vfs.Entry, error) {
	over, _, _, err := t.fs.Rename(t.ctx, user, t.home, from, t.home, to)
	return over, err
}

func (t *tree) renameMoves() {
	f := t.file(t.home, "a", "contents")
	before := t.get(t.home).Change
	over, fromCh, toCh, err := t.fs.Rename(t.ctx, user, t.home, "a", t.home, "b")
	t.must("Rename", err)
	t.changed("Rename (from)", t.home, before, fromCh)
	t.changed("Rename (to)", t.home, before, toCh)
	if over.Handle != "" {
		t.Error("Rename told of a file that it replaced")
	}
	t.absent(t.home, "a")
	if t.lookup(t.home, "b").Handle != f.Handle {
		t.Error("the new name is of another file")
	}

	d := t.mkdir(user, t.home, "d")
	fromBefore, toBefore := t.get(t.home).Change, t.get(d.Handle).Change
	_, fromCh, toCh, err = t.fs.Rename(t.ctx, user, t.home, "b", d.Handle, "c")
	t.must("Rename to another directory", err)
	t.changed("Rename (from)", t.home, fromBefore, fromCh)
	t.changed("Rename (to)", d.Handle, toBefore, toCh)
	if got := t.contents(t.lookup(d.Handle, "c").Handle); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
	if len(t.names(t.home)) != 1 || len(t.names(d.Handle)) != 1 {
		t.Error("the directories do not have one entry each")
	}
}

func (t *tree) renameTypes() {
	d := t.mkdir(user, t.home, "d")
	t.file(d.Handle, "inside", "x")
	for name, e := range map[string]vfs.Entry{"d": d, "l": t.symlink(t.home, "l", "x"), "p": t.fifo(t.home, "p")} {
		_, err := t.rename(name, name+"2")
		t.must("Rename of "+name, err)
		if t.lookup(t.home, name+"2").Handle != e.Handle {
			t.Errorf("the new name of %s is of another file", name)
		}
	}
	t.lookup(d.Handle, "inside")
}

func (t *tree) renameReplaces() {
	a, b := t.file(t.home, "a", "new"), t.file(t.home, "b", "old")
	over, err := t.rename("a", "b")
	t.must("Rename", err)
	if over.Handle != b.Handle {
		t.Error("Rename did not tell of the file that it replaced")
	}
	t.absent(t.home, "a")
	if t.lookup(t.home, "b").Handle != a.Handle || t.contents(a.Handle) != "new" {
		t.Error("the name is not of the new file")
	}
	_, err = t.fs.GetAttr(t.ctx, b.Handle)
	t.refused("GetAttr of the old file", err, syscall.ESTALE)
	if n := len(t.names(t.home)); n != 1 {
		t.Errorf("%d entries are left", n)
	}

	// A file with another name lives on.
	c, d := t.file(t.home, "c", "new"), t.file(t.home, "d", "old")
	_, err = t.fs.Link(t.ctx, user, d.Handle, t.home, "e")
	t.must("Link", err)
	_, err = t.rename("c", "d")
	t.must("Rename", err)
	if t.lookup(t.home, "d").Handle != c.Handle || t.get(d.Handle).Nlink != 1 || t.contents(d.Handle) != "old" {
		t.Error("the replaced file's other name is not what it was")
	}
}

func (t *tree) renameReplacesDirectory() {
	a, b := t.mkdir(user, t.home, "a"), t.mkdir(user, t.home, "b")
	t.file(a.Handle, "f", "x")
	over, err := t.rename("a", "b")
	t.must("Rename", err)
	if over.Handle != b.Handle || t.lookup(t.home, "b").Handle != a.Handle {
		t.Error("the directory was not replaced")
	}
	t.lookup(a.Handle, "f")
	_, err = t.fs.GetAttr(t.ctx, b.Handle)
	t.refused("GetAttr of the old directory", err, syscall.ESTALE)
}

func (t *tree) renameSame() {
	f, d := t.file(t.home, "f", "x"), t.mkdir(user, t.home, "d")
	_, err := t.fs.Link(t.ctx, user, f.Handle, t.home, "g")
	t.must("Link", err)
	before := t.get(t.home).Change
	for _, names := range [][2]string{{"f", "g"}, {"g", "f"}, {"f", "f"}, {"d", "d"}} {
		over, err := t.rename(names[0], names[1])
		t.must("Rename", err)
		if over.Handle != "" {
			t.Error("Rename told of a file that it replaced")
		}
	}
	if t.lookup(t.home, "f").Handle != f.Handle || t.lookup(t.home, "g").Handle != f.Handle || t.lookup(t.home, "d").Handle != d.Handle {
		t.Error("a name is of another file")
	}
	if after := t.get(t.home).Change; after != before || t.get(f.Handle).Nlink != 2 {
		t.Errorf("the directory's change attribute went from %d to %d, the file has %d links", before, after, t.get(f.Handle).Nlink)
	}
}

func (t *tree) renameLoop() {
	a := t.mkdir(user, t.home, "a")
	b := t.mkdir(user, a.Handle, "b")
	c := t.mkdir(user, b.Handle, "c")
	for _, dir := range []vfs.Handle{a.Handle, b.Handle, c.Handle} {
		_, _, _, err := t.fs.Rename(t.ctx, nil, t.home, "a", dir, "x")
		t.refused("Rename of a directory into itself", err, syscall.EINVAL)
	}
	_, _, _, err := t.fs.Rename(t.ctx, nil, b.Handle, "c", t.home, "a")
	t.refused("Rename over a directory that it is in", err, syscall.ENOTEMPTY, syscall.EEXIST)
	_, _, _, err = t.fs.Rename(t.ctx, nil, a.Handle, "b", t.home, "b")
	t.must("Rename upwards", err)
	_, _, _, err = t.fs.Rename(t.ctx, nil, t.home, "a", c.Handle, "a")
	t.must("Rename into what was inside", err)
}

func (t *tree) renameErrors() {
	f := t.file(t.home, "f", "x")
	t.file(t.mkdir(user, t.home, "full").Handle, "x", "x")
	t.mkdir(user, t.home, "empty")
	for _, try := range []struct {
		from, to string
		want     []syscall.Errno
	}{
		{"nothing", "f", []syscall.Errno{syscall.ENOENT}},
		{"nothing", "new", []syscall.Errno{syscall.ENOENT}},
		{"f", "empty", []syscall.Errno{syscall.EISDIR}},
		{"f", "full", []syscall.Errno{syscall.EISDIR}},
		{"empty", "f", []syscall.Errno{syscall.ENOTDIR}},
		{"empty", "full", []syscall.Errno{syscall.ENOTEMPTY, syscall.EEXIST}},
	} {
		_, err := t.rename(try.from, try.to)
		t.refused("Rename of "+try.from+" to "+try.to, err, try.want...)
	}
	_, _, _, err := t.fs.Rename(t.ctx, user, f.Handle, "x", t.home, "y")
	t.refused("Rename from a file", err, syscall.ENOTDIR)
	_, _, _, err = t.fs.Rename(t.ctx, user, t.home, "f", f.Handle, "y")
	t.refused("Rename into a file", err, syscall.ENOTDIR)
	if n := len(t.names(t.home)); n != 3 {
		t.Errorf("the home has %d entries, want 3", n)
	}
}

func (t *tree) renamePermission() {
	a, b := t.mkdir(user, t.home, "a"), t.mkdir(user, t.home, "b")
	t.file(a.Handle, "f", "x")
	t.file(b.Handle, "g", "x")
	for _, closed := range []vfs.Handle{a.Handle, b.Handle} {
		for _, mode := range []uint32{0o500, 0o600, 0o077} {
			t.chmod(closed, mode)
			_, _, _, err := t.fs.Rename(t.ctx, user, a.Handle, "f", b.Handle, "f")
			t.refused("Rename", err, syscall.EACCES)
			_, _, _, err = t.fs.Rename(t.ctx, user, a.Handle, "f", b.Handle, "g")
			t.refused("Rename over a file", err, syscall.EACCES)
		}
		t.chmod(closed, 0o755)
	}
	_, _, _, err := t.fs.Rename(t.ctx, other, a.Handle, "f", b.Handle, "f")
	t.refused("Rename by another user", err, syscall.EACCES)
	t.lookup(a.Handle, "f")
	t.lookup(b.Handle, "g")
}

func (t *tree) renameDirectoryPermission() {
	a, b := t.mkdir(user, t.home, "a"), t.mkdir(user, t.home, "b")
	t.chmod(a.Handle, 0o777)
	t.chmod(b.Handle, 0o777)
	d := t.mkdir(user, a.Handle, "d")
	_, _, _, err := t.fs.Rename(t.ctx, other, a.Handle, "d", b.Handle, "d")
	t.refused("Rename to another directory", err, syscall.EACCES)
	_, _, _, err = t.fs.Rename(t.ctx, other, a.Handle, "d", a.Handle, "e")
	t.must("Rename within the directory", err)
	t.chmod(d.Handle, 0o777)
	_, _, _, err = t.fs.Rename(t.ctx, other, a.Handle, "e", b.Handle, "d")
	t.must("Rename to another directory, with permission", err)
}

func (t *tree) renameOpen() {
	t.skipIf(t.config.NoOpens, "the server knows nothing of a File")
	f, e := t.create(user, t.home, "f")
	g, _ := t.create(user, t.home, "g")
	t.write(f, 0, "moved")
	t.write(g, 0, "replaced")
	_, err := t.rename("f", "g")
	t.must("Rename", err)
	t.write(f, 5, " on")
	if got := t.read(f, 0, 100); got != "moved on" {
		t.Errorf("the file that was moved reads %q", got)
	}
	t.write(g, 8, " too")
	if got := t.read(g, 0, 100); got != "replaced too" {
		t.Errorf("the file that was replaced reads %q", got)
	}
	if got := t.contents(e.Handle); got != "moved on" {
		t.Errorf("the name reads %q", got)
	}
}
