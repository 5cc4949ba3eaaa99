// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// TestRecordAfterFailedSync: a change of a record whose last fsync fails is done or not, nobody knows. What the next one
// answers must be what is on the disk, and not what was there before: otherwise a client holds state that is on no record.
func TestRecordAfterFailedSync(t *testing.T) {
	needsRoot(t)
	owner, v := []byte("a"), [8]byte{1}
	add := func(home vfs.HomeID) func(*store.ClientRecords) error {
		return func(c *store.ClientRecords) error { return c.Add(owner, v, home) }
	}
	replace := func(homes ...vfs.HomeID) func(*store.ClientRecords) error {
		return func(c *store.ClientRecords) error { return c.Replace(owner, v, homes) }
	}
	for name, test := range map[string]struct {
		fails, then func(*store.ClientRecords) error
		want        []vfs.HomeID
	}{
		"removed, then the same home":   {replace(), add(10), []vfs.HomeID{10, 11}},
		"removed, then removed again":   {replace(), replace(), nil},
		"shortened, then the same home": {replace(11), add(10), []vfs.HomeID{11, 10}},
		"shortened, then as it was":     {replace(11), replace(10, 11), []vfs.HomeID{10, 11}},
		"added, then as it was":         {add(12), replace(10, 11), []vfs.HomeID{10, 11}},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			failing := false
			d := &disk.Disk{}
			last := disk.OpStat
			d.Before = func(op disk.Op) error {
				after := last
				last = op
				if failing && op == disk.OpSync && (after == disk.OpRename || after == disk.OpUnlink) {
					return syscall.EIO
				}
				return nil
			}
			s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Disk: d})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			c := s.Clients()
			if err := c.Replace(owner, v, []vfs.HomeID{10, 11}); err != nil {
				t.Fatal(err)
			}
			failing = true
			if err := test.fails(c); !errors.Is(err, syscall.EIO) {
				t.Fatalf("the change answers %v, want EIO", err)
			}
			failing = false
			if err := test.then(c); err != nil {
				t.Fatal(err)
			}
			s.Close()
			s = open(t, path)
			records, err := s.Clients().Load()
			var homes []vfs.HomeID
			for _, r := range records {
				homes = append(homes, r.Homes...)
			}
			slices.Sort(homes)
			slices.Sort(test.want)
			if err != nil || !slices.Equal(homes, test.want) {
				t.Errorf("after a restart the record says %v, want %v: %v", homes, test.want, err)
			}
		})
	}
}

// TestClosedTwice: closing a store again closes nothing that has its descriptors' numbers by then.
func TestClosedTwice(t *testing.T) {
	s := open(t, t.TempDir())
	s.Close()
	var files []*os.File
	for range 16 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	s.Close()
	for _, f := range files {
		if _, err := f.Stat(); err != nil {
			t.Errorf("descriptor %d: %v", f.Fd(), err)
		}
	}
}

// TestOpenLeaksNothing fails each system call of Open in turn: what was opened by then is closed, the lock included.
func TestOpenLeaksNothing(t *testing.T) {
	needsRoot(t)
	path := t.TempDir()
	descriptors := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	before := descriptors()
	for nth := 1; ; nth++ {
		calls := 0
		s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Disk: &disk.Disk{Before: func(disk.Op) error {
			if calls++; calls == nth {
				return syscall.EIO
			}
			return nil
		}}})
		if err == nil {
			s.Close()
		} else if !errors.Is(err, syscall.EIO) {
			t.Errorf("call %d fails: %v", nth, err)
		}
		if after := descriptors(); after != before {
			t.Fatalf("call %d fails: %d descriptors before, %d after", nth, before, after)
		}
		if calls < nth {
			break
		}
		if nth > 500 {
			t.Fatal("Open makes more than 500 system calls")
		}
	}
}

// TestTwoFirstServers: of two servers that start at the same moment on a new store, the one that comes second to a directory
// finds it made.
func TestTwoFirstServers(t *testing.T) {
	needsRoot(t)
	path := t.TempDir()
	made := false
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Disk: &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpMkdir && !made {
			made = true
			return os.Mkdir(filepath.Join(path, ".hubhome"), 0o700)
		}
		return nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// TestLockFileRemoved: who removes the lock file, as if it were left over, does not let a second server in.
func TestLockFileRemoved(t *testing.T) {
	path := t.TempDir()
	open(t, path)
	if err := os.Remove(filepath.Join(path, ".hubhome", "lock")); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, syscall.EBUSY) {
		t.Errorf("a second server: %v, want EBUSY", err)
	}
}
