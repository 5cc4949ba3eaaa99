// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var makePromises = []promise{
	{"Mkdir makes a directory that belongs to the caller", (*tree).mkdirMakes},
	{"Mkdir sets the attributes given", (*tree).mkdirAttr},
	{"Symlink keeps what the link says to the byte", (*tree).symlinkSays},
	{"Symlink takes a mode and makes nothing of it", (*tree).symlinkMode},
	{"ReadLink is of symbolic links alone", (*tree).readLinkErrors},
	{"Mknod makes a FIFO and a socket for anybody", (*tree).mknodMakes},
	{"Mknod makes devices for root alone", (*tree).mknodDevices},
	{"what is made tells of the directory's change", (*tree).makeChange},
	{"a directory with set-group-id gives its group on", (*tree).makeInherits},
	{"nothing is made where a name is", (*tree).makeExists},
	{"nothing is made without permission to write and search", (*tree).makePermission},
	{"nothing is made in what is no directory", (*tree).makeNotDir},
}

func (t *tree) mkdirMakes() {
	e, _, err := t.fs.Mkdir(t.ctx, user, t.home, "d", vfs.SetAttr{})
	t.must("Mkdir", err)
	a := e.Attr
	if a.Type != vfs.Directory || a.Mode != 0o755 || a.UID != 1000 || a.GID != 1000 {
		t.Errorf("the attributes are %+v", a)
	}
	if got := t.lookup(t.home, "d"); got.Handle != e.Handle || got.Attr.FileID != a.FileID {
		t.Errorf("Mkdir answered %+v, Lookup %+v", e, got)
	}
	if n := len(t.list(e.Handle, 0, true)); n != 0 {
		t.Errorf("a new directory has %d entries", n)
	}
}

func (t *tree) mkdirAttr() {
	when := vfs.SetTime{Set: true, Time: clockTime}
	e, _, err := t.fs.Mkdir(t.ctx, user, t.home, "d", vfs.SetAttr{Mode: ptr(uint32(0o2750)), Mtime: when})
	t.must("Mkdir", err)
	if a := t.get(e.Handle); a.Mode != 0o2750 || !a.Mtime.Equal(clockTime) {
		t.Errorf("the attributes are %+v", a)
	}
	e, _, err = t.fs.Mkdir(t.ctx, root, t.home, "e", vfs.SetAttr{UID: ptr(uint32(5)), GID: ptr(uint32(6))})
	t.must("Mkdir by root", err)
	if a := t.get(e.Handle); a.UID != 5 || a.GID != 6 {
		t.Errorf("the owner is %d:%d, want 5:6", a.UID, a.GID)
	}
	if t.config.Foreign {
		return // there are servers that give directories away, of which the client knows nothing
	}
	_, _, err = t.fs.Mkdir(t.ctx, user, t.home, "f", vfs.SetAttr{UID: ptr(uint32(0))})
	t.refused("Mkdir for somebody else", err, syscall.EPERM)
	t.absent(t.home, "f")
}

func (t *tree) symlinkSays() {
	for i, target := range []string{"f", "/etc/passwd", "../../..", "with space\n", "\xff\xfe", strings.Repeat("t", 1000), "a//b/./../c/"} {
		e := t.symlink(t.home, string(rune('a'+i)), target)
		if e.Attr.Type != vfs.Symlink || e.Attr.Size != uint64(len(target)) || e.Attr.UID != 1000 {
			t.Errorf("the attributes are %+v", e.Attr)
		}
		got, err := t.fs.ReadLink(t.ctx, other, e.Handle)
		t.must("ReadLink", err)
		if got != target {
			t.Errorf("the link says %q, want %q", got, target)
		}
	}
	_, _, err := t.fs.Symlink(t.ctx, user, t.home, "empty", "", vfs.SetAttr{})
	t.refused("Symlink that says nothing", err, syscall.EINVAL, syscall.ENOENT)
	_, _, err = t.fs.Symlink(t.ctx, user, t.home, "long", strings.Repeat("t", 5000), vfs.SetAttr{})
	t.refused("Symlink that says 5,000 bytes", err, syscall.ENAMETOOLONG)
}

func (t *tree) symlinkMode() {
	_, _, err := t.fs.Symlink(t.ctx, user, t.home, "l", "x", vfs.SetAttr{Mode: ptr(uint32(0o777))})
	t.must("Symlink", err)
}

func (t *tree) readLinkErrors() {
	for _, h := range []vfs.Handle{t.file(t.home, "f", "x").Handle, t.mkdir(user, t.home, "d").Handle, t.fifo(t.home, "p").Handle} {
		_, err := t.fs.ReadLink(t.ctx, nil, h)
		t.refused("ReadLink", err, syscall.EINVAL)
	}
}

func (t *tree) mknodMakes() {
	for name, typ := range map[string]vfs.Type{"fifo": vfs.FIFO, "socket": vfs.Socket} {
		e, _, err := t.fs.Mknod(t.ctx, user, t.home, name, typ, vfs.Device{}, vfs.SetAttr{Mode: ptr(uint32(0o620))})
		t.must("Mknod of a "+name, err)
		if a := t.get(e.Handle); a.Type != typ || a.Mode != 0o620 || a.UID != 1000 || a.GID != 1000 {
			t.Errorf("the %s's attributes are %+v", name, a)
		}
		for _, access := range []vfs.Access{vfs.Read, vfs.Write} {
			_, err := t.fs.Open(t.ctx, nil, e.Handle, access)
			t.refused("Open of a "+name, err, syscall.EINVAL)
		}
	}
}

func (t *tree) mknodDevices() {
	dev := vfs.Device{Major: 1, Minor: 3}
	for name, typ := range map[string]vfs.Type{"character": vfs.CharDevice, "block": vfs.BlockDevice} {
		_, _, err := t.fs.Mknod(t.ctx, user, t.home, name, typ, dev, vfs.SetAttr{})
		t.refused("Mknod by a user", err, syscall.EPERM)
		t.absent(t.home, name)
		if t.config.NoDevices {
			continue
		}
		e, _, err := t.fs.Mknod(t.ctx, root, t.home, name, typ, dev, vfs.SetAttr{})
		t.must("Mknod by root", err)
		if a := t.get(e.Handle); a.Type != typ || a.Rdev != dev {
			t.Errorf("the attributes are %+v", a)
		}
		_, err = t.fs.Open(t.ctx, nil, e.Handle, vfs.Read)
		t.refused("Open of a device", err, syscall.EINVAL)
	}
}

// makers are the ways to make something that CREATE of NFS has.
func (t *tree) makers() map[string]func(c *vfs.Caller, dir vfs.Handle, name string) (vfs.DirChange, error) {
	return map[string]func(c *vfs.Caller, dir vfs.Handle, name string) (vfs.DirChange, error){
		"Mkdir": func(c *vfs.Caller, dir vfs.Handle, name string) (vfs.DirChange, error) {
			_, ch, err := t.fs.Mkdir(t.ctx, c, dir, name, vfs.SetAttr{})
			return ch, err
		},
		"Symlink": func(c *vfs.Caller, dir vfs.Handle, name string) (vfs.DirChange, error) {
			_, ch, err := t.fs.Symlink(t.ctx, c, dir, name, "target", vfs.SetAttr{})
			return ch, err
		},
		"Mknod": func(c *vfs.Caller, dir vfs.Handle, name string) (vfs.DirChange, error) {
			_, ch, err := t.fs.Mknod(t.ctx, c, dir, name, vfs.FIFO, vfs.Device{}, vfs.SetAttr{})
			return ch, err
		},
	}
}

func (t *tree) makeChange() {
	for how, run := range t.makers() {
		before := t.get(t.home)
		ch, err := run(user, t.home, how)
		t.must(how, err)
		t.changed(how, t.home, before.Change, ch)
		if after := t.get(t.home); after.Mtime.Before(before.Mtime) {
			t.Errorf("%s: the directory's mtime went from %v to %v", how, before.Mtime, after.Mtime)
		}
	}
}

func (t *tree) makeInherits() {
	d := t.mkdirMode("d", 0o2777)
	f, e := t.create(other, d, "f")
	t.write(f, 0, "x")
	if a := t.get(e.Handle); a.UID != 3000 || a.GID != 1000 || a.Mode != 0o644 {
		t.Errorf("the new file belongs to %d:%d and has mode %o, want 3000:1000 and 644", a.UID, a.GID, a.Mode)
	}
	if a := t.mkdir(other, d, "sub").Attr; a.UID != 3000 || a.GID != 1000 || a.Mode != 0o2755 {
		t.Errorf("the new directory belongs to %d:%d and has mode %o, want 3000:1000 and 2755", a.UID, a.GID, a.Mode)
	}
	l, _, err := t.fs.Symlink(t.ctx, other, d, "l", "x", vfs.SetAttr{})
	t.must("Symlink", err)
	if a := t.get(l.Handle); a.GID != 1000 {
		t.Errorf("the new link is of the group %d, want 1000", a.GID)
	}
}

func (t *tree) makeExists() {
	t.file(t.home, "f", "x")
	t.mkdir(user, t.home, "d")
	t.symlink(t.home, "l", "nowhere")
	for how, run := range t.makers() {
		for _, name := range []string{"f", "d", "l"} {
			_, err := run(user, t.home, name)
			t.refused(how+" of "+name, err, syscall.EEXIST)
		}
	}
}

func (t *tree) makePermission() {
	for how, run := range t.makers() {
		for _, mode := range []uint32{0o500, 0o600, 0o077} {
			t.chmod(t.home, mode)
			_, err := run(user, t.home, "x")
			t.refused(how, err, syscall.EACCES)
		}
		t.chmod(t.home, 0o755)
		_, err := run(other, t.home, "x")
		t.refused(how+" by another user", err, syscall.EACCES)
	}
	if n := len(t.names(t.home)); n != 0 {
		t.Errorf("%d entries were made", n)
	}
}

func (t *tree) makeNotDir() {
	f := t.file(t.home, "f", "x")
	for how, run := range t.makers() {
		_, err := run(user, f.Handle, "x")
		t.refused(how, err, syscall.ENOTDIR)
	}
}
