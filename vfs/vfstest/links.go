// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var linkPromises = []promise{
	{"Link gives a file another name", (*tree).linkMakes},
	{"Link works for symbolic links and FIFOs", (*tree).linkTypes},
	{"Link refuses a directory", (*tree).linkDirectory},
	{"Link refuses a name that is there", (*tree).linkExists},
	{"Link takes permission to write and search the directory", (*tree).linkPermission},
}

var removePromises = []promise{
	{"Remove removes a name and tells what it was", (*tree).removeTells},
	{"Remove removes a directory that is empty", (*tree).removeDirectory},
	{"Remove takes permission to write and search the directory", (*tree).removePermission},
	{"Remove in a sticky directory is for the owners", (*tree).removeSticky},
	{"Remove says why it removes nothing", (*tree).removeErrors},
}

func (t *tree) linkMakes() {
	f := t.file(t.home, "f", "contents")
	d := t.mkdir(user, t.home, "d")
	before := t.get(d.Handle).Change
	ch, err := t.fs.Link(t.ctx, user, f.Handle, d.Handle, "g")
	t.must("Link", err)
	t.changed("Link", d.Handle, before, ch)
	a := t.get(f.Handle)
	if a.Nlink != 2 || a.Change <= f.Attr.Change {
		t.Errorf("the file has %d links, its change attribute went from %d to %d", a.Nlink, f.Attr.Change, a.Change)
	}
	if t.lookup(d.Handle, "g").Handle != f.Handle {
		t.Error("the new name is of another file")
	}
	_, _, err = t.fs.Remove(t.ctx, user, t.home, "f")
	t.must("Remove", err)
	if a := t.get(f.Handle); a.Nlink != 1 {
		t.Errorf("the file has %d links", a.Nlink)
	}
	if got := t.contents(f.Handle); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) linkTypes() {
	for name, e := range map[string]vfs.Entry{"l": t.symlink(t.home, "l", "x"), "p": t.fifo(t.home, "p")} {
		_, err := t.fs.Link(t.ctx, user, e.Handle, t.home, name+"2")
		t.must("Link of "+name, err)
		if got := t.lookup(t.home, name+"2"); got.Handle != e.Handle || got.Attr.Type != e.Attr.Type {
			t.Errorf("the new name of %s is of another file", name)
		}
	}
}

func (t *tree) linkDirectory() {
	d := t.mkdir(user, t.home, "d")
	_, err := t.fs.Link(t.ctx, user, d.Handle, t.home, "e")
	t.refused("Link", err, syscall.EPERM, syscall.EISDIR)
	_, err = t.fs.Link(t.ctx, nil, d.Handle, t.home, "e")
	t.refused("Link by the server itself", err, syscall.EPERM, syscall.EISDIR)
	t.absent(t.home, "e")
}

func (t *tree) linkExists() {
	f := t.file(t.home, "f", "x")
	t.file(t.home, "g", "y")
	t.mkdir(user, t.home, "d")
	for _, name := range []string{"f", "g", "d"} {
		_, err := t.fs.Link(t.ctx, user, f.Handle, t.home, name)
		t.refused("Link to "+name, err, syscall.EEXIST)
	}
	_, err := t.fs.Link(t.ctx, user, f.Handle, f.Handle, "x")
	t.refused("Link in a file", err, syscall.ENOTDIR)
}

func (t *tree) linkPermission() {
	f := t.file(t.home, "f", "x")
	d := t.mkdir(user, t.home, "d")
	for _, mode := range []uint32{0o500, 0o600, 0o077} {
		t.chmod(d.Handle, mode)
		_, err := t.fs.Link(t.ctx, user, f.Handle, d.Handle, "g")
		t.refused("Link", err, syscall.EACCES)
	}
	t.chmod(d.Handle, 0o755)
	_, err := t.fs.Link(t.ctx, other, f.Handle, d.Handle, "g")
	t.refused("Link by another user", err, syscall.EACCES)
}

func (t *tree) removeTells() {
	f := t.file(t.home, "f", "contents")
	before := t.get(t.home).Change
	gone, ch, err := t.fs.Remove(t.ctx, user, t.home, "f")
	t.must("Remove", err)
	t.changed("Remove", t.home, before, ch)
	if gone.Handle != f.Handle || gone.Attr.FileID != f.Attr.FileID {
		t.Error("Remove told of another file")
	}
	t.absent(t.home, "f")
	if n := len(t.names(t.home)); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

func (t *tree) removeDirectory() {
	d := t.mkdir(user, t.home, "d")
	t.file(d.Handle, "f", "x")
	_, _, err := t.fs.Remove(t.ctx, user, t.home, "d")
	t.refused("Remove of a directory that is not empty", err, syscall.ENOTEMPTY)
	_, _, err = t.fs.Remove(t.ctx, user, d.Handle, "f")
	t.must("Remove of the file", err)
	_, _, err = t.fs.Remove(t.ctx, user, t.home, "d")
	t.must("Remove of the directory", err)
	t.absent(t.home, "d")
}

func (t *tree) removePermission() {
	f := t.file(t.home, "f", "x")
	t.chmod(f.Handle, 0o666) // is of no matter
	for _, mode := range []uint32{0o500, 0o600, 0o077} {
		t.chmod(t.home, mode)
		_, _, err := t.fs.Remove(t.ctx, user, t.home, "f")
		t.refused("Remove", err, syscall.EACCES)
	}
	t.chmod(t.home, 0o755)
	_, _, err := t.fs.Remove(t.ctx, other, t.home, "f")
	t.refused("Remove by another user", err, syscall.EACCES)
	t.chmod(f.Handle, 0)
	t.chmod(t.home, 0o775)
	_, _, err = t.fs.Remove(t.ctx, member, t.home, "f")
	t.must("Remove by a member of the group that may write", err)
}

func (t *tree) removeSticky() {
	d := t.mkdir(user, t.home, "d")
	t.chmod(d.Handle, 0o1777)
	t.create(member, d.Handle, "members")
	t.create(user, d.Handle, "users")
	t.create(other, d.Handle, "others")
	for _, name := range []string{"members", "users"} {
		_, _, err := t.fs.Remove(t.ctx, other, d.Handle, name)
		t.refused("Remove of "+name, err, syscall.EPERM, syscall.EACCES)
	}
	_, _, _, err := t.fs.Rename(t.ctx, other, d.Handle, "members", d.Handle, "taken")
	t.refused("Rename of another's", err, syscall.EPERM, syscall.EACCES)
	_, _, _, err = t.fs.Rename(t.ctx, other, d.Handle, "others", d.Handle, "members")
	t.refused("Rename over another's", err, syscall.EPERM, syscall.EACCES)
	_, _, err = t.fs.Remove(t.ctx, other, d.Handle, "others")
	t.must("Remove by the file's owner", err)
	_, _, err = t.fs.Remove(t.ctx, user, d.Handle, "members")
	t.must("Remove by the directory's owner", err)
	_, _, err = t.fs.Remove(t.ctx, root, d.Handle, "users")
	t.must("Remove by root", err)
}

func (t *tree) removeErrors() {
	f := t.file(t.home, "f", "x")
	_, _, err := t.fs.Remove(t.ctx, user, t.home, "nothing")
	t.refused("Remove of nothing", err, syscall.ENOENT)
	_, _, err = t.fs.Remove(t.ctx, user, f.Handle, "x")
	t.refused("Remove in a file", err, syscall.ENOTDIR)
}
