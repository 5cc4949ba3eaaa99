// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// TestStartOnFullDisk: a server starts on a disk that is full to the last byte and the last inode, and its users can read
// and remove what they have.
func TestStartOnFullDisk(t *testing.T) {
	needsRoot(t)
	path := t.TempDir()
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, "size=1m,nr_inodes=64"); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
	hubs := []store.Hub{{Name: "prod", Owner: jovyan, Mode: 0o755, Shared: true}}
	s := open(t, path)
	if err := s.SetHubs(ctx, hubs); err != nil {
		t.Fatal(err)
	}
	s.Close()
	home := filepath.Join(path, "prod", "ada")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, 1000, 1000); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(home, "big"))
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SetHubs(ctx, hubs); err != nil {
		t.Fatal(err)
	}
	dir, err := s.FS().Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prod", "ada"} {
		e, err := s.FS().Lookup(ctx, user, dir, name)
		if err != nil {
			t.Fatal(err)
		}
		dir = e.Handle
	}
	e, err := s.FS().Lookup(ctx, user, dir, "big")
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.FS().Open(ctx, user, e.Handle, vfs.Read)
	if err != nil {
		t.Fatal(err)
	}
	if n, _, err := f.ReadAt(ctx, make([]byte, 4096), 0); n != 4096 || err != nil {
		t.Errorf("%d bytes can be read: %v", n, err)
	}
	f.Close()
	if _, _, err := s.FS().Remove(ctx, user, dir, "big"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	if err := s.Clients().Add([]byte("a"), [8]byte{1}, 10); err != nil {
		t.Errorf("a client's record when there is room again: %v", err)
	}
}

// fill writes a file until nothing more goes on the disk, and makes others until there are no more inodes.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Chown(1000, 1000); err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; {
		var spare *os.File
		if spare, err = os.CreateTemp(filepath.Dir(path), "spare"); err == nil {
			spare.Close()
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
