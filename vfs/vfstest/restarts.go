// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var restartPromises = []promise{
	{"handles find their files", (*tree).handlesRestart},
	{"a file that was removed is stale", (*tree).staleRestart},
	{"cookies resume", (*tree).cookiesRestart},
	{"the change attribute does not go back", (*tree).changeRestart},
	{"synced data is there, and the verifier is another", (*tree).dataRestart},
	{"every name and attribute is there", (*tree).treeRestart},
	{"an exclusive Create finds its own", (*tree).exclusiveRestart},
	{"a home is what it was", (*tree).homeRestart},
}

// restart ends the tree and goes on with another on the same store.
func (t *tree) restart() {
	t.Helper()
	if t.config.Restart == nil {
		t.Skip("there is no restart")
	}
	t.fs = t.config.Restart(t.T, t.fs)
}

func (t *tree) handlesRestart() {
	d := t.mkdir(user, t.home, "d")
	f, l := t.file(d.Handle, "f", "contents"), t.symlink(d.Handle, "l", "target")
	before, err := t.fs.Root(t.ctx)
	t.must("Root", err)
	t.restart()
	after, err := t.fs.Root(t.ctx)
	t.must("Root", err)
	if after != before {
		t.Error("the root has another handle")
	}
	for _, e := range []vfs.Entry{d, f, l} {
		if a := t.get(e.Handle); a.FileID != e.Attr.FileID || a.Type != e.Attr.Type {
			t.Errorf("the handle of file %d (type %d) is of file %d (type %d)", e.Attr.FileID, e.Attr.Type, a.FileID, a.Type)
		}
	}
	if got := t.contents(f.Handle); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
	if t.lookup(d.Handle, "f").Handle != f.Handle {
		t.Error("Lookup gives another handle than before")
	}
}

func (t *tree) staleRestart() {
	f := t.file(t.home, "f", "x")
	_, _, err := t.fs.Remove(t.ctx, user, t.home, "f")
	t.must("Remove", err)
	t.restart()
	t.file(t.home, "f", "another")
	_, err = t.fs.GetAttr(t.ctx, f.Handle)
	t.refused("GetAttr", err, syscall.ESTALE)
}

func (t *tree) cookiesRestart() {
	dir := t.fill(300)
	all := t.list(dir, 0, false)
	t.restart()
	rest := t.list(dir, all[149].Cookie, false)
	if len(rest) != 150 {
		t.Fatalf("after entry 149 of 300 there are %d", len(rest))
	}
	for i, e := range rest {
		if e.Name != all[150+i].Name || e.Cookie != all[150+i].Cookie {
			t.Errorf("%s (cookie %d) is in the place of %s (%d)", e.Name, e.Cookie, all[150+i].Name, all[150+i].Cookie)
		}
	}
}

func (t *tree) changeRestart() {
	e := t.file(t.home, "f", "x")
	var last vfs.Attr
	for i := range 100 {
		last = t.chmod(e.Handle, uint32(0o600+i%2*0o40))
		t.file(t.home, string(rune('A'+i%26))+string(rune('a'+i/26)), "x")
	}
	home := t.get(t.home).Change
	t.restart()
	if now := t.get(e.Handle).Change; now < last.Change {
		t.Errorf("a file's change attribute went from %d to %d", last.Change, now)
	}
	if now := t.get(t.home).Change; now < home {
		t.Errorf("a directory's change attribute went from %d to %d", home, now)
	}
	before := t.get(e.Handle).Change
	if after := t.chmod(e.Handle, 0o644).Change; after <= before {
		t.Errorf("the first change took the change attribute from %d to %d", before, after)
	}
}

func (t *tree) dataRestart() {
	if t.config.Restart == nil {
		t.Skip("there is no restart")
	}
	f, e, _, _, err := t.fs.Create(t.ctx, user, t.home, "f", vfs.Create{}, vfs.Write)
	t.must("Create", err)
	_, _, v, err := f.WriteAt(t.ctx, []byte("committed"), 0, vfs.Unstable)
	t.must("WriteAt", err)
	_, err = f.Commit(t.ctx)
	t.must("Commit", err)
	t.write(f, 9, " and synced")
	t.must("Close", f.Close())
	t.restart()
	if got := t.contents(e.Handle); got != "committed and synced" {
		t.Errorf("the file reads %q", got)
	}
	w, err := t.open(user, e.Handle, vfs.Write).Commit(t.ctx)
	t.must("Commit", err)
	if w == v && !t.config.Foreign { // some have the second of their start for one
		t.Error("the verifier is the same: a client would not write again what was lost")
	}
}

func (t *tree) treeRestart() {
	d := t.mkdir(user, t.home, "d")
	t.symlink(d.Handle, "l", "target")
	f := t.file(d.Handle, "f", "x")
	_, err := t.fs.Link(t.ctx, user, f.Handle, t.home, "g")
	t.must("Link", err)
	t.file(t.home, "removed", "x")
	_, _, err = t.fs.Remove(t.ctx, user, t.home, "removed")
	t.must("Remove", err)
	_, _, _, err = t.fs.Rename(t.ctx, user, d.Handle, "f", d.Handle, "h")
	t.must("Rename", err)
	_, err = t.set(nil, f.Handle, vfs.SetAttr{Mode: ptr(uint32(0o2710)), UID: ptr(uint32(7)), GID: ptr(uint32(8)), Mtime: vfs.SetTime{Set: true, Time: clockTime}})
	t.must("SetAttr", err)
	before := t.get(f.Handle)
	t.restart()
	if names := t.names(t.home); len(names) != 2 || !names["d"] || !names["g"] {
		t.Errorf("the home's names are %v, want d and g", names)
	}
	if names := t.names(d.Handle); len(names) != 2 || !names["l"] || !names["h"] {
		t.Errorf("the directory's names are %v, want l and h", names)
	}
	a := t.get(f.Handle)
	if a.Mode != 0o2710 || a.UID != 7 || a.GID != 8 || a.Nlink != 2 || !a.Mtime.Equal(clockTime) || a.FileID != before.FileID || !a.Ctime.Equal(before.Ctime) {
		t.Errorf("the attributes are\n%+v, want\n%+v", a, before)
	}
}

func (t *tree) exclusiveRestart() {
	t.skipIf(t.config.NoOpens, "an exclusive Create cannot be repeated")
	if t.config.Restart == nil {
		t.Skip("there is no restart")
	}
	how := vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{9, 8, 7, 6, 0xf5, 0xf4, 0xf3, 0xf2}}
	f, e, _, _, err := t.fs.Create(t.ctx, user, t.home, "f", how, vfs.Write)
	t.must("Create", err)
	t.must("Close", f.Close())
	t.restart()
	f, again, _, _, err := t.fs.Create(t.ctx, user, t.home, "f", how, vfs.Write)
	t.must("the same Create again", err)
	t.must("Close", f.Close())
	if again.Handle != e.Handle {
		t.Error("the retry found another file")
	}
	how.Verifier[7]++
	_, _, _, _, err = t.fs.Create(t.ctx, user, t.home, "f", how, vfs.Write)
	t.refused("Create with another verifier", err, syscall.EEXIST)
}

func (t *tree) homeRestart() {
	t.skipIf(t.config.NoHomes, "there are no homes")
	f := t.file(t.home, "f", "x")
	hub := t.hub()
	before, another := t.get(t.home), t.otherHome()
	t.restart()
	if got := t.hub(); got != hub {
		t.Error("the home is in another hub")
	}
	if a := t.get(t.home); a.Home != before.Home || a.FileID != before.FileID || t.get(f.Handle).Home != before.Home {
		t.Errorf("the home was %d and is %d", before.Home, a.Home)
	}
	_, _, _, err := t.fs.Rename(t.ctx, nil, t.home, "f", another, "f")
	t.refused("Rename to another home", err, syscall.EXDEV)
	_, _, err = t.fs.Mkdir(t.ctx, nil, hub, "new", vfs.SetAttr{})
	t.must("Mkdir of another home", err)
}
