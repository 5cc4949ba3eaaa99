// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"fmt"

	"github.com/hubhome/hubhome/vfs"
)

var changePromises = []promise{
	{"the change attribute is greater after every write", (*tree).changeByWrite},
	{"the change attribute of a directory is greater after every entry", (*tree).changeByEntry},
	{"the change attribute is greater after every change of an attribute", (*tree).changeByAttr},
	{"the change attribute stays where nothing changes", (*tree).changeStays},
	{"the change attribute of another file stays", (*tree).changeOfOthers},
}

// rapid is how many changes are made in a row: more than fit between two ticks of a kernel's clock.
const rapid = 2000

func (t *tree) changeByWrite() {
	f, e := t.create(user, t.home, "f")
	last := t.get(e.Handle).Change
	for i := range rapid {
		_, _, _, err := f.WriteAt(t.ctx, []byte{byte(i)}, 0, vfs.Unstable)
		t.must("WriteAt", err)
		now := t.get(e.Handle).Change
		if now <= last {
			t.Fatalf("write %d took the change attribute from %d to %d", i, last, now)
		}
		last = now
	}
}

func (t *tree) changeByEntry() {
	last := t.get(t.home).Change
	for i := range rapid / 4 {
		name := fmt.Sprintf("l%d", i)
		for _, step := range []func() (vfs.DirChange, error){
			func() (vfs.DirChange, error) {
				_, ch, err := t.fs.Symlink(t.ctx, user, t.home, name, "x", vfs.SetAttr{})
				return ch, err
			},
			func() (vfs.DirChange, error) {
				_, ch, err := t.fs.Remove(t.ctx, user, t.home, name)
				return ch, err
			},
		} {
			ch, err := step()
			t.must("change of the directory", err)
			now := t.get(t.home).Change
			if now <= last || ch.Atomic && (ch.Before != last || ch.After != now) {
				t.Fatalf("the change attribute went from %d to %d, the answer was %+v", last, now, ch)
			}
			last = now
		}
	}
}

func (t *tree) changeByAttr() {
	f := t.file(t.home, "f", "x")
	last := t.get(f.Handle).Change
	for i := range rapid {
		a := t.chmod(f.Handle, uint32(0o600+i%2*0o40))
		if a.Change <= last {
			t.Fatalf("change %d took the change attribute from %d to %d", i, last, a.Change)
		}
		last = a.Change
	}
}

func (t *tree) changeStays() {
	f := t.file(t.home, "f", "contents")
	w := t.open(user, f.Handle, vfs.Write)
	looks := func() {
		t.contents(f.Handle)
		t.list(t.home, 0, true)
		t.lookup(t.home, "f")
		_, err := w.Commit(t.ctx)
		t.must("Commit", err)
	}
	t.stays("a file that is only read", f.Handle, looks)
	t.stays("a directory that is only read", t.home, looks)
	t.stays("a directory with a file that is written to", t.home, func() { t.write(w, 0, "C") })
}

// stays fails the test where steps that change nothing move a file's change attribute. It may move once by itself, when
// the implementation forgets how often the file was changed lately.
func (t *tree) stays(what string, h vfs.Handle, steps func()) {
	t.Helper()
	var before, after uint64
	for range 2 {
		before = t.get(h).Change
		steps()
		if after = t.get(h).Change; after == before {
			return
		}
	}
	t.Errorf("%s went from %d to %d", what, before, after)
}

func (t *tree) changeOfOthers() {
	f, g := t.file(t.home, "f", "x"), t.file(t.home, "g", "x")
	d := t.mkdir(user, t.home, "d")
	t.stays("another file than the one that was changed", g.Handle, func() { t.chmod(f.Handle, 0o600) })
	i := 0
	t.stays("the directory above the one that was changed", t.home, func() {
		i++
		t.file(d.Handle, fmt.Sprint(i), "x")
	})
}
