// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// TestHomeMadeAgain: a home that was removed and made again, which may have the same inode number, is another home: what
// was known of the old one is stale, and a file that is still open lives on apart from it.
func TestHomeMadeAgain(t *testing.T) {
	fs := newStore(t).open()
	old := home(t, fs, "ada")
	file, h := create(t, fs, old, "f")
	sub, _, err := fs.Mkdir(ctx, user, old, "d", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := file.WriteAt(ctx, []byte("text"), 0, vfs.Unstable); err != nil {
		t.Fatal(err)
	}
	root, err := fs.Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := fs.Lookup(ctx, nil, root, hubName)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"f", "d"} {
		if _, _, err := fs.Remove(ctx, user, old, name); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := fs.Remove(ctx, user, hub.Handle, "ada"); err != nil {
		t.Fatal(err)
	}
	again := home(t, fs, "ada")
	if again == old {
		t.Fatal("the new home has the handle of the old one")
	}
	create(t, fs, again, "f")
	for what, err := range map[string]error{
		"GetAttr of the old home":     third(fs.GetAttr(ctx, old)),
		"Lookup in the old home":      third(fs.Lookup(ctx, user, old, "f")),
		"Create in the old home":      fifth(fs.Create(ctx, user, old, "g", vfs.Create{}, vfs.Write)),
		"Mkdir in its old directory":  fourth(fs.Mkdir(ctx, user, sub.Handle, "g", vfs.SetAttr{})),
		"Parent of its old directory": third(fs.Parent(ctx, user, sub.Handle)),
	} {
		if err != syscall.ESTALE {
			t.Errorf("%s: %v, want ESTALE", what, err)
		}
	}
	if _, err := fs.Link(ctx, user, h, again, "back"); err == nil {
		t.Error("a file without a name gets one in the new home")
	}
	got := make([]byte, 9)
	if n, _, err := file.ReadAt(ctx, got, 0); err != nil || string(got[:n]) != "text" {
		t.Errorf("%q is in the file that was open: %v", got[:n], err)
	}
	if _, err := file.Commit(ctx); err != nil {
		t.Errorf("Commit of the file that was open: %v", err)
	}
}

// TestHubRemoved: a hub whose directory somebody removes on the disk is gone for clients, answers nothing but errors, and
// cannot be declared again before it is there again.
func TestHubRemoved(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	file, h := create(t, fs, dir, "f")
	if err := os.RemoveAll(filepath.Join(s.path, hubName)); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := file.WriteAt(ctx, []byte("text"), 0, vfs.FileSync); err != nil {
		t.Errorf("a write to a file that is open: %v", err)
	}
	file.Close()
	root, err := fs.Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Lookup(ctx, nil, root, hubName); err != syscall.ENOENT {
		t.Errorf("Lookup of the hub: %v, want ENOENT", err)
	}
	if end, err := fs.ReadDir(ctx, nil, root, 0, true, func(e *vfs.DirEntry) bool {
		t.Errorf("the root lists %q", e.Name)
		return true
	}); err != nil || !end {
		t.Errorf("ReadDir of the root: %v", err)
	}
	if err := fs.SetHubs(hubs); !errors.Is(err, syscall.ENOENT) || !strings.Contains(err.Error(), hubName) {
		t.Errorf("SetHubs: %v, want ENOENT that names the hub", err)
	}
	if err := os.Mkdir(filepath.Join(s.path, hubName), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := fs.SetHubs(hubs); err != nil {
		t.Fatal(err)
	}
	if again := home(t, fs, "ada"); again == dir {
		t.Error("the new home has the handle of the old one")
	}
	for _, old := range []vfs.Handle{dir, h} {
		if _, err := fs.GetAttr(ctx, old); err != syscall.ESTALE {
			t.Errorf("GetAttr of what was in the hub: %v, want ESTALE", err)
		}
	}
}

// TestRemovedWhileWaiting: what is made in a directory that is removed just before is told that the directory is gone.
func TestRemovedWhileWaiting(t *testing.T) {
	s := newStore(t)
	looks := 0 // until the directory is removed
	s.disk.Before = func(op disk.Op) error {
		if op != disk.OpStat {
			return nil
		}
		if looks--; looks == 0 {
			if err := os.Remove(filepath.Join(s.path, hubName, "ada", "d")); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	for what, call := range map[string]func(vfs.Handle) error{
		"Create":  func(d vfs.Handle) error { return fifth(fs.Create(ctx, user, d, "x", vfs.Create{}, vfs.Write)) },
		"Mkdir":   func(d vfs.Handle) error { return fourth(fs.Mkdir(ctx, user, d, "x", vfs.SetAttr{})) },
		"Symlink": func(d vfs.Handle) error { return fourth(fs.Symlink(ctx, user, d, "x", "y", vfs.SetAttr{})) },
		"Remove":  func(d vfs.Handle) error { return fourth(fs.Remove(ctx, user, d, "x")) },
	} {
		for before := range 2 { // before the look at what was opened, and before the look at what is locked
			e, _, err := fs.Mkdir(ctx, user, dir, "d", vfs.SetAttr{})
			if err != nil {
				t.Fatal(err)
			}
			looks = before + 1
			if err := call(e.Handle); err != syscall.ESTALE {
				t.Errorf("%s, removed before look %d: %v, want ESTALE", what, before, err)
			}
		}
	}
}
