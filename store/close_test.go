// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// TestCloseSlowDisk stops while more files are yet to be synced than the disk can sync in the time that a stop may take. Those that
// are left are remembered: what becomes of them is found by the next server.
func TestCloseSlowDisk(t *testing.T) {
	const files = 400
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		var syncs atomic.Int64
		s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
			if op == disk.OpSync && slow.Load() {
				syncs.Add(1)
				time.Sleep(100 * time.Millisecond)
			}
			return nil
		}})
		s.Recount(ctx)
		home := mkdir(t, s, at(t, s, "prod"), "ada")
		for i := range files {
			f, _, _, _, err := s.FS().Create(ctx, user, home, fmt.Sprint(i), vfs.Create{}, vfs.Write)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := f.WriteAt(ctx, make([]byte, 10_000), 0, vfs.Unstable); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
		slow.Store(true)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if n := syncs.Load(); n == 0 || n > files/2 {
			t.Errorf("of %d files %d were synced", files, n)
		}
	})
	for i := range files { // as a file system does that takes space in advance, and gives it back
		f, err := os.OpenFile(filepath.Join(path, "prod", "ada", fmt.Sprint(i)), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, 100_000); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	s := serving(t, path, nil)
	if r := report(t, s, "ada"); r.State != quota.Clean {
		t.Errorf("after the stop the home is %s", r.State)
	}
	s.Sweep()
	all, ada := du(t, filepath.Join(path, "prod", "ada")), report(t, s, "ada")
	const taken = 102_400 - 12_288 // of each, by the file system
	if missing := all.Bytes - ada.Used.Bytes; missing%taken != 0 || missing/taken > files/2 || all.Inodes != ada.Used.Inodes {
		t.Errorf("of %d files that were not synced too many are not remembered: the ledger says %+v, the disk %+v", files, ada.Used, all)
	}
}
