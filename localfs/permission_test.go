// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

var stranger = &vfs.Caller{UID: 3000, GID: 3000}

func mode(m uint32) vfs.SetAttr { return vfs.SetAttr{Mode: &m} }

// TestExclusiveIsOfItsMaker: an exclusive create opens the file that the same request made, whatever its mode. An empty file
// of somebody else whose times look like a verifier is not that file.
func TestExclusiveIsOfItsMaker(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	how := vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{0, 0, 0, 1, 0, 0, 0, 2}, Attr: mode(0o600)}
	file, made, _, _, err := fs.Create(ctx, user, dir, "f", how, vfs.Read|vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	again, e, created, _, err := fs.Create(ctx, user, dir, "f", how, vfs.Read|vfs.Write)
	if err != nil || created || e.Handle != made.Handle {
		t.Fatalf("the same request again: created %v: %v", created, err)
	}
	again.Close()
	if got, _, _, _, err := fs.Create(ctx, stranger, dir, "f", how, vfs.Read|vfs.Write); !errors.Is(err, syscall.EEXIST) {
		if err == nil {
			got.Close()
		}
		t.Errorf("somebody who knows the file's times has it opened: %v, want EEXIST", err)
	}
}

// TestReadDirWithoutSearch: who may read a directory but not search it sees names, and neither handles nor attributes.
func TestReadDirWithoutSearch(t *testing.T) {
	fs := newStore(t).open()
	parent := home(t, fs, "ada")
	e, _, err := fs.Mkdir(ctx, user, parent, "d", mode(0o744))
	if err != nil {
		t.Fatal(err)
	}
	create(t, fs, e.Handle, "f")
	for who, c := range map[string]*vfs.Caller{"the owner": user, "root": {}, "the server": nil, "a stranger": stranger} {
		for _, withAttr := range []bool{false, true} {
			n := 0
			_, err := fs.ReadDir(ctx, c, e.Handle, 0, withAttr, func(e *vfs.DirEntry) bool {
				n++
				refused := c == stranger && withAttr
				if refused != errors.Is(e.Err, syscall.EACCES) || refused && e.Handle != "" || e.Name != "f" || e.FileID == 0 {
					t.Errorf("%s, with attributes %v: %q, handle of %d bytes: %v", who, withAttr, e.Name, len(e.Handle), e.Err)
				}
				return true
			})
			if err != nil || n != 1 {
				t.Errorf("%s, with attributes %v: %d names: %v", who, withAttr, n, err)
			}
		}
	}
}

// TestGroupAsAsked: a set-group-id directory gives its group to what is made in it, unless somebody who may asks for another,
// and be it the process's own.
func TestGroupAsAsked(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	e, _, err := fs.Mkdir(ctx, nil, dir, "d", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	gid := uint32(50)
	set := mode(0o2777)
	set.GID = &gid
	if _, err := fs.SetAttr(ctx, nil, e.Handle, set); err != nil {
		t.Fatal(err)
	}
	uid, own := uint32(0), uint32(os.Getegid())
	for name, want := range map[string]vfs.SetAttr{"inherits": {}, "own": {GID: &own}, "own, of root": {UID: &uid, GID: &own}} {
		wanted := gid
		if want.GID != nil {
			wanted = *want.GID
		}
		file, made, _, _, err := fs.Create(ctx, &vfs.Caller{}, e.Handle, name, vfs.Create{Attr: want}, vfs.Write)
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
		made.Attr.GID++ // what counts is what the disk says
		st, err := os.Stat(filepath.Join(s.path, hubName, "ada", "d", name))
		if err != nil || st.Sys().(*syscall.Stat_t).Gid != wanted || made.Attr.GID != wanted+1 {
			t.Errorf("%s: the file has group %d, want %d: %v", name, st.Sys().(*syscall.Stat_t).Gid, wanted, err)
		}
	}
}

// TestWriteAfterSetID: who writes to a file after set-id bits were set clears them, also through a File that was opened
// before and that was written to while they were being set.
func TestWriteAfterSetID(t *testing.T) {
	s := newStore(t)
	var during func()
	s.disk.Before = func(op disk.Op) error {
		if f := during; f != nil && op == disk.OpChmod {
			during = nil
			f()
		}
		return nil
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	file, h := create(t, fs, dir, "f")
	write := func() {
		if _, _, _, err := file.WriteAt(ctx, []byte("x"), 0, vfs.Unstable); err != nil {
			t.Error(err)
		}
	}
	during = write
	if _, err := fs.SetAttr(ctx, user, h, mode(0o4755)); err != nil {
		t.Fatal(err)
	}
	if during != nil {
		t.Fatal("nothing was written meanwhile")
	}
	write()
	if a, err := fs.GetAttr(ctx, h); err != nil || a.Mode != 0o755 {
		t.Errorf("after a write the mode is %o, want 755: %v", a.Mode, err)
	}
}

// TestSetIDAgainstChown: who owns a file when its mode is changed is who owned it when that was permitted. Otherwise an
// owner who keeps setting the set-user-id bit gets one that is root's, at the moment when an admin takes the file over.
func TestSetIDAgainstChown(t *testing.T) {
	s := newStore(t)
	var during func()
	s.disk.Before = func(op disk.Op) error {
		if f := during; f != nil && op == disk.OpChmod {
			during = nil
			f()
		}
		return nil
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	_, h := create(t, fs, dir, "f")
	taken := make(chan error, 1)
	during = func() {
		go func() {
			root := uint32(0)
			_, err := fs.SetAttr(ctx, &vfs.Caller{}, h, vfs.SetAttr{UID: &root})
			taken <- err
		}()
		// It is done now, unless it waits for the one that is running, as it should.
		select {
		case err := <-taken:
			taken <- err
		case <-time.After(200 * time.Millisecond):
		}
	}
	_, err := fs.SetAttr(ctx, user, h, mode(0o4755))
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	a, getErr := fs.GetAttr(ctx, h)
	if getErr != nil || a.UID != 0 || a.Mode&0o6000 != 0 {
		t.Errorf("the file is of %d with mode %o (SetAttr by its former owner: %v, GetAttr: %v)", a.UID, a.Mode, err, getErr)
	}
}

// TestClearSetIDAgainstChmod: a write that clears set-id bits does not bring back the mode from before a change of it.
func TestClearSetIDAgainstChmod(t *testing.T) {
	s := newStore(t)
	var during func()
	s.disk.Before = func(op disk.Op) error {
		if f := during; f != nil && op == disk.OpChmod {
			during = nil
			f()
		}
		return nil
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	file, h := create(t, fs, dir, "f")
	if _, err := fs.SetAttr(ctx, user, h, mode(0o4755)); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	during = func() {
		go func() {
			_, err := fs.SetAttr(ctx, user, h, mode(0o600))
			changed <- err
		}()
		select {
		case err := <-changed:
			changed <- err
		case <-time.After(200 * time.Millisecond):
		}
	}
	if _, _, _, err := file.WriteAt(ctx, []byte("x"), 0, vfs.Unstable); err != nil {
		t.Fatal(err)
	}
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	if a, err := fs.GetAttr(ctx, h); err != nil || a.Mode != 0o600 {
		t.Errorf("the mode is %o, want 600: %v", a.Mode, err)
	}
}
