// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/disk"
)

// TestEntryIsOfOneFile: a name changes hands between two system calls of a Lookup, and the new file has the old one's inode
// number. Handle and attributes are of one of the two; or else the handle is stale, and the client looks again.
func TestEntryIsOfOneFile(t *testing.T) {
	s := newStore(t)
	calls, at := 0, 0
	swapped := false
	path := filepath.Join(s.path, hubName, "ada", "f")
	put := func(text string) (ino uint64) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Error(err)
		}
		return stat(t, path).Ino
	}
	s.disk.Before = func(disk.Op) error {
		if calls++; calls == at {
			old := stat(t, path).Ino
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
			swapped = put("new") == old
		}
		return nil
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	reused := 0
	for at = 1; ; at++ {
		put("the old file")
		calls, swapped = 0, false
		e, err := fs.Lookup(ctx, user, dir, "f")
		if err != nil {
			t.Fatal(err)
		}
		if calls < at {
			break
		}
		calls = at // no more
		if swapped {
			reused++
		}
		now, err := fs.GetAttr(ctx, e.Handle)
		if err == nil && now != e.Attr || err != nil && err != syscall.ESTALE {
			t.Errorf("swapped before call %d (same inode number: %v): Lookup says\n%+v, and of its handle GetAttr says\n%+v: %v", at, swapped, e.Attr, now, err)
		}
		again, err := fs.Lookup(ctx, user, dir, "f")
		if err != nil || again.Attr.Size != 3 {
			t.Errorf("the new file is %+v: %v", again.Attr, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if reused == 0 {
		t.Skip("the file system gives no inode number away at once")
	}
}

func stat(t *testing.T, path string) *syscall.Stat_t {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t)
}
