// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// TestRecordsOnFullDisk: on a disk without a free byte clients that are known and clients that are new get their records,
// so that somebody can open a file, see what there is, and make room.
func TestRecordsOnFullDisk(t *testing.T) {
	needsRoot(t)
	path := t.TempDir()
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
	s := open(t, path)
	v := [8]byte{1}
	if err := s.Clients().Add([]byte("known"), v, 1); err != nil {
		t.Fatal(err)
	}
	fill := filepath.Join(path, "fill")
	if err := os.WriteFile(fill, make([]byte, 4<<20), 0o644); err == nil {
		t.Fatal("the disk does not fill up")
	}
	want := map[string][]vfs.HomeID{"known": {1}}
	for home := range vfs.HomeID(30) {
		if err := s.Clients().Add([]byte("known"), v, 100+home); err != nil {
			t.Fatalf("home %d of a client that is known: %v", home, err)
		}
		want["known"] = append(want["known"], 100+home)
	}
	for i := range 5 {
		name := fmt.Sprintf("new %d", i)
		if err := s.Clients().Add([]byte(name), v, 7); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want[name] = []vfs.HomeID{7}
	}
	s.Close()
	s = open(t, path)
	sameRecords(t, s, want)

	// Somebody has made room: there are spare files again, for the next time.
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	if err := s.Clients().Add([]byte("known"), v, 2); err != nil {
		t.Fatal(err)
	}
	if spare, err := os.ReadDir(filepath.Join(path, ".hubhome", "spare")); err != nil || len(spare) != 8 {
		t.Errorf("%d spare files: %v", len(spare), err)
	}
}

func sameRecords(t *testing.T, s *store.Store, want map[string][]vfs.HomeID) {
	t.Helper()
	records, err := s.Clients().Load()
	if err != nil || len(records) != len(want) {
		t.Errorf("%d records, want %d: %v", len(records), len(want), err)
	}
	for _, r := range records {
		if !slices.Equal(r.Homes, want[string(r.Owner)]) {
			t.Errorf("%q holds state in %v, want %v", r.Owner, r.Homes, want[string(r.Owner)])
		}
	}
}

// TestSharedIsNoDirectory: what a hub's admins make of its shared directories costs them those, and nobody a hub.
func TestSharedIsNoDirectory(t *testing.T) {
	path := t.TempDir()
	if err := os.Mkdir(filepath.Join(path, "prod"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc", filepath.Join(path, "prod", "_shared")); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if err := s.SetHubs(ctx, []store.Hub{
		{Name: "prod", Owner: jovyan, Mode: 0o755, Shared: true, SharedPublic: true}, {Name: "staging", Owner: jovyan, Mode: 0o755},
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"prod/_shared-public", "staging"} {
		if stat(t, filepath.Join(path, name)).Uid != jovyan.UID {
			t.Errorf("%s is not the owner's", name)
		}
	}
	if target, err := os.Readlink(filepath.Join(path, "prod", "_shared")); err != nil || target != "/etc" {
		t.Errorf("what was there is %q now: %v", target, err)
	}
}
