// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var createPromises = []promise{
	{"Create makes a regular file that belongs to the caller", (*tree).createMakes},
	{"Create sets the attributes given", (*tree).createAttr},
	{"Create tells of the directory's change", (*tree).createChange},
	{"Unchecked opens the file that is there and leaves its attributes", (*tree).uncheckedOpens},
	{"Unchecked with a size of zero cuts the file that is there", (*tree).uncheckedCuts},
	{"Guarded refuses what is there", (*tree).guardedRefuses},
	{"Exclusive refuses what is there, but finds its own", (*tree).exclusive},
	{"Create opens nothing but regular files", (*tree).createTypes},
	{"the File is usable although the mode refuses it", (*tree).createUsable},
	{"Create takes permission to write and search the directory", (*tree).createPermission},
	{"Create opens a file that is there as Open does", (*tree).createOpens},
	{"only root gives a new file away", (*tree).createOwner},
}

// tryCreate is Create by the user; a File is closed at the end of the test.
func (t *tree) tryCreate(c *vfs.Caller, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	t.Helper()
	f, e, created, ch, err := t.fs.Create(t.ctx, c, t.home, name, how, access)
	if err == nil {
		t.closeAtEnd(f)
	}
	return f, e, created, ch, err
}

func (t *tree) createMakes() {
	_, e, created, _, err := t.tryCreate(user, "f", vfs.Create{}, vfs.Write)
	t.must("Create", err)
	a := e.Attr
	if !created || a.Type != vfs.Regular || a.Mode != 0o644 || a.UID != 1000 || a.GID != 1000 || a.Nlink != 1 || a.Size != 0 {
		t.Errorf("created is %v, the attributes are %+v", created, a)
	}
	if got := t.lookup(t.home, "f"); got.Handle != e.Handle || got.Attr.FileID != a.FileID || got.Attr.Mode != a.Mode {
		t.Errorf("Create answered %+v, Lookup %+v", e, got)
	}
	if a.Mtime.IsZero() || a.Ctime.IsZero() || a.Change == 0 {
		t.Errorf("a new file's times are %v and %v, its change attribute %d", a.Mtime, a.Ctime, a.Change)
	}
}

func (t *tree) createAttr() {
	set := vfs.SetAttr{Mode: ptr(uint32(0o600)), Size: ptr(uint64(5))}
	_, e, _, _, err := t.tryCreate(user, "f", vfs.Create{Mode: vfs.Guarded, Attr: set}, vfs.Read|vfs.Write)
	t.must("Create", err)
	if a := t.get(e.Handle); a.Mode != 0o600 || a.Size != 5 || e.Attr.Mode != 0o600 || e.Attr.Size != 5 {
		t.Errorf("the attributes are %+v", a)
	}
	if got := t.contents(e.Handle); got != "\x00\x00\x00\x00\x00" {
		t.Errorf("the file reads %q", got)
	}
	set = vfs.SetAttr{UID: ptr(uint32(5)), GID: ptr(uint32(6))}
	_, e, _, _, err = t.tryCreate(root, "g", vfs.Create{Mode: vfs.Guarded, Attr: set}, vfs.Write)
	t.must("Create by root", err)
	if a := t.get(e.Handle); a.UID != 5 || a.GID != 6 {
		t.Errorf("the owner is %d:%d, want 5:6", a.UID, a.GID)
	}
}

func (t *tree) createChange() {
	before := t.get(t.home).Change
	_, _, _, ch, err := t.tryCreate(user, "f", vfs.Create{}, vfs.Write)
	t.must("Create", err)
	t.changed("Create", t.home, before, ch)
	before = t.get(t.home).Change
	_, _, _, ch, err = t.tryCreate(user, "f", vfs.Create{}, vfs.Write)
	t.must("Create", err)
	if after := t.get(t.home).Change; after != before || ch.Atomic && ch.Before != ch.After {
		t.Errorf("Create of a file that is there changed the directory from %d to %d, and says %+v", before, after, ch)
	}
}

func (t *tree) uncheckedOpens() {
	old := t.file(t.home, "f", "contents")
	how := vfs.Create{Attr: vfs.SetAttr{Mode: ptr(uint32(0o600)), Size: ptr(uint64(3))}}
	f, e, created, _, err := t.tryCreate(user, "f", how, vfs.Read|vfs.Write)
	t.must("Create", err)
	if created || e.Handle != old.Handle || e.Attr.Mode != old.Attr.Mode || e.Attr.Size != 8 {
		t.Errorf("created is %v, the attributes are %+v", created, e.Attr)
	}
	if got := t.read(f, 0, 100); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) uncheckedCuts() {
	old := t.file(t.home, "f", "contents")
	cut := vfs.Create{Attr: vfs.SetAttr{Size: ptr(uint64(0))}}
	_, e, created, _, err := t.tryCreate(user, "f", cut, vfs.Write)
	t.must("Create", err)
	if a := t.get(e.Handle); created || e.Handle != old.Handle || e.Attr.Size != 0 || a.Size != 0 || a.Change <= old.Attr.Change {
		t.Errorf("created is %v, the attributes are %+v", created, a)
	}
	g := t.file(t.home, "g", "contents")
	_, _, _, _, err = t.tryCreate(other, "g", cut, vfs.Read)
	t.refused("Create of a file that may not be written", err, syscall.EACCES)
	if got := t.contents(g.Handle); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) guardedRefuses() {
	f := t.file(t.home, "f", "contents")
	t.mkdir(user, t.home, "d")
	t.symlink(t.home, "l", "nowhere")
	for _, name := range []string{"f", "d", "l"} {
		_, _, _, _, err := t.tryCreate(user, name, vfs.Create{Mode: vfs.Guarded, Attr: vfs.SetAttr{Size: ptr(uint64(0))}}, vfs.Write)
		t.refused("Create of "+name, err, syscall.EEXIST)
	}
	if got := t.contents(f.Handle); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) exclusive() {
	how := vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc}, Attr: vfs.SetAttr{Mode: ptr(uint32(0o640))}}
	_, e, created, _, err := t.tryCreate(user, "f", how, vfs.Read|vfs.Write)
	t.must("Create", err)
	if !created || t.get(e.Handle).Mode != 0o640 {
		t.Errorf("created is %v, the mode %o", created, e.Attr.Mode)
	}
	_, again, _, _, err := t.tryCreate(user, "f", how, vfs.Read|vfs.Write)
	if t.config.NoOpens {
		t.refused("the same Create again", err, syscall.EEXIST)
	} else {
		t.must("the same Create again", err)
		if again.Handle != e.Handle {
			t.Error("the retry found another file")
		}
	}
	for i := range how.Verifier {
		another := how
		another.Verifier[i] ^= 1
		_, _, _, _, err = t.tryCreate(user, "f", another, vfs.Read|vfs.Write)
		t.refused("Create with another verifier", err, syscall.EEXIST)
	}
	t.file(t.home, "g", "x")
	_, _, _, _, err = t.tryCreate(user, "g", how, vfs.Write)
	t.refused("Create over a file that was made otherwise", err, syscall.EEXIST)
	t.mkdir(user, t.home, "d")
	_, _, _, _, err = t.tryCreate(user, "d", how, vfs.Write)
	t.refused("Create over a directory", err, syscall.EEXIST)
}

func (t *tree) createTypes() {
	t.mkdir(user, t.home, "d")
	t.symlink(t.home, "l", "f")
	t.symlink(t.home, "broken", "nowhere")
	t.fifo(t.home, "p")
	f := t.file(t.home, "f", "x")
	for name, want := range map[string]syscall.Errno{"d": syscall.EISDIR, "l": syscall.ELOOP, "broken": syscall.ELOOP, "p": syscall.EINVAL} {
		_, _, _, _, err := t.tryCreate(user, name, vfs.Create{}, vfs.Write)
		t.refused("Create of "+name, err, want)
	}
	_, _, _, _, err := t.fs.Create(t.ctx, user, f.Handle, "x", vfs.Create{}, vfs.Write)
	t.refused("Create in a file", err, syscall.ENOTDIR)
	t.absent(t.home, "nowhere")
}

func (t *tree) createUsable() {
	for _, mode := range []vfs.CreateMode{vfs.Unchecked, vfs.Guarded, vfs.Exclusive} {
		name := string(rune('a' + mode))
		f, _, _, _, err := t.tryCreate(user, name, vfs.Create{Mode: mode, Attr: vfs.SetAttr{Mode: ptr(uint32(0))}}, vfs.Read|vfs.Write)
		t.must("Create", err)
		t.write(f, 0, "contents")
		if got := t.read(f, 0, 100); got != "contents" {
			t.Errorf("the file reads %q", got)
		}
	}
}

func (t *tree) createPermission() {
	for mode, want := range map[uint32]syscall.Errno{0o500: syscall.EACCES, 0o600: syscall.EACCES, 0o055: syscall.EACCES} {
		t.chmod(t.home, mode)
		_, _, _, _, err := t.tryCreate(user, "f", vfs.Create{}, vfs.Write)
		t.refused("Create", err, want)
	}
	t.chmod(t.home, 0o755)
	_, _, _, _, err := t.tryCreate(other, "f", vfs.Create{}, vfs.Write)
	t.refused("Create by another user", err, syscall.EACCES)
	_, _, _, _, err = t.tryCreate(member, "f", vfs.Create{}, vfs.Write)
	t.refused("Create by a member of the group", err, syscall.EACCES)
	t.absent(t.home, "f")
	t.chmod(t.home, 0o775)
	_, e, _, _, err := t.tryCreate(member, "f", vfs.Create{}, vfs.Write)
	t.must("Create by a member of the group that may write", err)
	if e.Attr.UID != 2000 || e.Attr.GID != 2000 {
		t.Errorf("the owner is %d:%d, want the caller's 2000:2000", e.Attr.UID, e.Attr.GID)
	}
}

func (t *tree) createOpens() {
	f := t.file(t.home, "f", "x")
	t.chmod(t.home, 0o555) // a file that is there needs no permission to write the directory
	_, _, _, _, err := t.tryCreate(user, "f", vfs.Create{}, vfs.Read|vfs.Write)
	t.must("Create", err)
	t.chmod(f.Handle, 0o400)
	_, _, _, _, err = t.tryCreate(user, "f", vfs.Create{}, vfs.Write)
	t.refused("Create of a file that may not be written", err, syscall.EACCES)
	_, _, _, _, err = t.tryCreate(user, "f", vfs.Create{}, vfs.Read)
	t.must("Create of a file that may be read", err)
	_, _, _, _, err = t.tryCreate(other, "f", vfs.Create{}, vfs.Read)
	t.refused("Create of a file that may not be read", err, syscall.EACCES)
}

func (t *tree) createOwner() {
	for _, set := range []vfs.SetAttr{{UID: ptr(uint32(0))}, {UID: ptr(uint32(2000))}, {GID: ptr(uint32(3000))}} {
		_, _, _, _, err := t.tryCreate(user, "f", vfs.Create{Attr: set}, vfs.Write)
		t.refused("Create", err, syscall.EPERM)
		t.absent(t.home, "f")
	}
}
