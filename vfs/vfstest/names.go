// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var namePromises = []promise{
	{"a name is any bytes but NUL and slash", (*tree).anyName},
	{"what cannot be a name is refused by every method", (*tree).impossibleNames},
	{"a name of 255 bytes is the longest", (*tree).longestName},
	{"names that differ in case or in Unicode's forms are different", (*tree).differentNames},
	{"Lookup says why it finds nothing", (*tree).lookupErrors},
	{"Parent is of directories alone", (*tree).parentErrors},
}

func (t *tree) anyName() {
	names := []string{
		"plain", " ", "...", "-", "with space", "tab\tand\nnewline", "\x01\x7f", "\xff\xfe", "half of a rune \xc3", "\xed\xa0\x80",
		"naïve", "☃", `back\slash`, "*?[", "user.name", "con", "a:b", ".nfs0001", "~", "..x", ".x",
	}
	for _, name := range names {
		if e := t.file(t.home, name, name); t.contents(e.Handle) != name {
			t.Errorf("the file %q has other contents", name)
		}
	}
	listed := t.names(t.home)
	for _, name := range names {
		if !listed[name] {
			t.Errorf("ReadDir does not tell of %q", name)
		}
	}
	if len(listed) != len(names) {
		t.Errorf("ReadDir tells of %d names, want %d", len(listed), len(names))
	}
}

// nameless tries a name with every method that takes one, and fails the test unless all refuse it.
func (t *tree) nameless(name string, want syscall.Errno) {
	t.Helper()
	if _, err := t.fs.Lookup(t.ctx, nil, t.home, "file"); err != nil {
		t.file(t.home, "file", "x")
	}
	f := t.lookup(t.home, "file")
	_, err := t.fs.Lookup(t.ctx, nil, t.home, name)
	t.refused("Lookup", err, want)
	opened, _, _, _, err := t.fs.Create(t.ctx, nil, t.home, name, vfs.Create{}, vfs.Read)
	t.refused("Create", err, want)
	if err == nil {
		t.closeAtEnd(opened)
	}
	_, _, err = t.fs.Mkdir(t.ctx, nil, t.home, name, vfs.SetAttr{})
	t.refused("Mkdir", err, want)
	_, _, err = t.fs.Symlink(t.ctx, nil, t.home, name, "x", vfs.SetAttr{})
	t.refused("Symlink", err, want)
	_, _, err = t.fs.Mknod(t.ctx, nil, t.home, name, vfs.FIFO, vfs.Device{}, vfs.SetAttr{})
	t.refused("Mknod", err, want)
	_, err = t.fs.Link(t.ctx, nil, f.Handle, t.home, name)
	t.refused("Link", err, want)
	_, _, err = t.fs.Remove(t.ctx, nil, t.home, name)
	t.refused("Remove", err, want)
	_, _, _, err = t.fs.Rename(t.ctx, nil, t.home, "file", t.home, name)
	t.refused("Rename to it", err, want)
	_, _, _, err = t.fs.Rename(t.ctx, nil, t.home, name, t.home, "file2")
	t.refused("Rename from it", err, want)
	if names := t.names(t.home); len(names) != 1 {
		t.Errorf("the home has %d entries", len(names))
	}
}

func (t *tree) impossibleNames() {
	for _, name := range []string{"", ".", "..", "a/b", "/", "a/", "/a", "../x", "a\x00b", "\x00"} {
		t.Logf("name %q", name)
		t.nameless(name, syscall.EINVAL)
	}
}

func (t *tree) longestName() {
	t.nameless(strings.Repeat("n", vfs.MaxName+1), syscall.ENAMETOOLONG)
	longest := strings.Repeat("n", vfs.MaxName)
	e := t.file(t.home, longest, "x")
	if t.lookup(t.home, longest).Handle != e.Handle || !t.names(t.home)[longest] {
		t.Error("the file with the longest name is not found again")
	}
	_, _, _, err := t.fs.Rename(t.ctx, user, t.home, longest, t.home, strings.Repeat("m", vfs.MaxName))
	t.must("Rename", err)
	_, _, err = t.fs.Remove(t.ctx, user, t.home, strings.Repeat("m", vfs.MaxName))
	t.must("Remove", err)
}

func (t *tree) differentNames() {
	names := []string{"readme", "README", "\u00e9", "e\u0301", "\ufb01", "fi"}
	for _, name := range names {
		t.file(t.home, name, name)
	}
	for _, name := range names {
		if got := t.contents(t.lookup(t.home, name).Handle); got != name {
			t.Errorf("%q reads %q", name, got)
		}
	}
}

func (t *tree) lookupErrors() {
	f := t.file(t.home, "f", "x")
	_, err := t.fs.Lookup(t.ctx, nil, t.home, "nothing")
	t.refused("Lookup", err, syscall.ENOENT)
	_, err = t.fs.Lookup(t.ctx, nil, f.Handle, "x")
	t.refused("Lookup in a file", err, syscall.ENOTDIR)
	t.chmod(t.home, 0o600)
	_, err = t.fs.Lookup(t.ctx, user, t.home, "f")
	t.refused("Lookup without permission to search", err, syscall.EACCES)
	t.chmod(t.home, 0o100)
	_, err = t.fs.Lookup(t.ctx, user, t.home, "f")
	t.must("Lookup with permission to search alone", err)
}

func (t *tree) parentErrors() {
	f := t.file(t.home, "f", "x")
	_, err := t.fs.Parent(t.ctx, nil, f.Handle)
	t.refused("Parent of a file", err, syscall.ENOTDIR)
	d := t.mkdir(user, t.home, "d")
	e := t.mkdir(user, t.home, "e")
	_, _, _, err = t.fs.Rename(t.ctx, user, t.home, "d", e.Handle, "d")
	t.must("Rename", err)
	up, err := t.fs.Parent(t.ctx, user, d.Handle)
	t.must("Parent", err)
	if up.Handle != e.Handle {
		t.Error("Parent of a directory that was moved is not where it is now")
	}
}
