// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var homePromises = []promise{
	{"a home is born 1000:1000 and 0755 whoever makes it", (*tree).homeBorn},
	{"all that is in a home belongs to it", (*tree).homeOfFiles},
	{"a file does not leave its home", (*tree).homeStays},
	{"what lies in the hub's directory is of no user's home", (*tree).homeOfHub},
	{"a home is not renamed", (*tree).homeRename},
}

func (t *tree) homeBorn() {
	t.skipIf(t.config.NoHomes, "there are no homes")
	hub := t.hub()
	t.chmod(hub, 0o777)
	for name, c := range map[string]*vfs.Caller{"server": nil, "root": root, "user": user, "other": other} {
		e, _, err := t.fs.Mkdir(t.ctx, c, hub, "by-"+name, vfs.SetAttr{Mode: ptr(uint32(0o700))})
		t.must("Mkdir by "+name, err)
		a := t.get(e.Handle)
		if a.UID != 1000 || a.GID != 1000 || a.Mode != 0o755 || e.Attr.UID != 1000 || e.Attr.Mode != 0o755 {
			t.Errorf("the home that %s made belongs to %d:%d and has mode %o", name, a.UID, a.GID, a.Mode)
		}
	}
}

// homeOf returns the home that a handle tells of, and fails the test where the attributes tell of another.
func (t *tree) homeOf(h vfs.Handle) vfs.HomeID {
	t.Helper()
	home, err := t.fs.Home(h)
	t.must("Home", err)
	if a := t.get(h); a.Home != home {
		t.Errorf("Home says %d, GetAttr %d", home, a.Home)
	}
	return home
}

func (t *tree) homeOfFiles() {
	if t.config.NoHomeID {
		t.Skip("the home is not told")
	}
	home := t.homeOf(t.home)
	if home == 0 || uint64(home) != t.get(t.home).FileID {
		t.Errorf("the home's number is %d, its FileID %d", home, t.get(t.home).FileID)
	}
	d := t.mkdir(user, t.home, "d")
	for _, e := range []vfs.Entry{d, t.file(d.Handle, "f", "x"), t.symlink(d.Handle, "l", "x"), t.fifo(t.mkdir(user, d.Handle, "e").Handle, "p")} {
		if got := t.homeOf(e.Handle); got != home || e.Attr.Home != home {
			t.Errorf("a file in home %d is of home %d", home, got)
		}
	}
	for _, e := range t.list(d.Handle, 0, true) {
		if e.Attr.Home != home {
			t.Errorf("ReadDir says home %d of %s, want %d", e.Attr.Home, e.Name, home)
		}
	}
	if another := t.homeOf(t.otherHome()); another == home || another == 0 {
		t.Errorf("another home has the number %d", another)
	}
}

func (t *tree) homeStays() {
	t.skipIf(t.config.NoHomes, "there are no homes")
	far := t.otherHome()
	f := t.file(t.home, "f", "x")
	d := t.mkdir(user, t.home, "d")
	t.file(far, "g", "y")
	_, err := t.fs.Link(t.ctx, nil, f.Handle, far, "f")
	t.refused("Link to another home", err, syscall.EXDEV)
	for _, to := range []string{"f", "g"} {
		_, _, _, err = t.fs.Rename(t.ctx, nil, t.home, "f", far, to)
		t.refused("Rename to another home", err, syscall.EXDEV)
	}
	_, _, _, err = t.fs.Rename(t.ctx, nil, t.home, "d", far, "d")
	t.refused("Rename of a directory to another home", err, syscall.EXDEV)
	_, _, _, err = t.fs.Rename(t.ctx, nil, d.Handle, "nothing", far, "d")
	t.refused("Rename of nothing", err, syscall.ENOENT, syscall.EXDEV)
	if t.lookup(t.home, "f").Handle != f.Handle || len(t.names(far)) != 1 {
		t.Error("a home is not what it was")
	}
}

func (t *tree) homeOfHub() {
	t.skipIf(t.config.NoHomes, "there are no homes")
	hub := t.hub()
	f := t.file(hub, "notes", "x")
	if !t.config.NoHomeID {
		if of, hubs := t.homeOf(f.Handle), t.homeOf(hub); of != hubs || of == t.homeOf(t.home) {
			t.Errorf("a file in the hub's directory is of home %d, the directory of %d", of, hubs)
		}
	}
	_, _, _, err := t.fs.Rename(t.ctx, nil, hub, "notes", t.home, "notes")
	t.refused("Rename from the hub's directory into a home", err, syscall.EXDEV)
	_, err = t.fs.Link(t.ctx, nil, f.Handle, t.home, "notes")
	t.refused("Link from the hub's directory into a home", err, syscall.EXDEV)
	_, _, _, err = t.fs.Rename(t.ctx, nil, t.home, "nothing", hub, "notes")
	t.refused("Rename of nothing", err, syscall.ENOENT, syscall.EXDEV)
	t.mkdir(user, t.home, "d")
	_, _, _, err = t.fs.Rename(t.ctx, nil, t.home, "d", hub, "d")
	t.refused("Rename of a directory out of a home", err, syscall.EXDEV)
	_, _, _, err = t.fs.Rename(t.ctx, nil, hub, "notes", hub, "notes2")
	t.must("Rename within the hub's directory", err)
	if t.lookup(hub, "notes2").Handle != f.Handle {
		t.Error("the file has another handle in its new place")
	}
}

func (t *tree) homeRename() {
	t.skipIf(t.config.NoHomes, "there are no homes")
	hub := t.hub()
	e := t.mkdir(nil, hub, "moved")
	for _, to := range []string{"bob", "eve"} {
		_, _, _, err := t.fs.Rename(t.ctx, nil, hub, "moved", hub, to)
		t.refused("Rename of a home", err, syscall.EPERM)
		if to == "bob" {
			t.mkdir(nil, hub, "eve")
		}
	}
	_, _, _, err := t.fs.Rename(t.ctx, nil, hub, "moved", t.home, "moved")
	t.refused("Rename of a home into another", err, syscall.EPERM, syscall.EXDEV)
	if t.lookup(hub, "moved").Handle != e.Handle {
		t.Error("the home is not where it was")
	}
}
