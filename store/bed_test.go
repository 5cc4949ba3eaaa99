// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

var prod = []store.Hub{{Name: "prod", Owner: jovyan, Mode: 0o755, Shared: true}}

// serving opens a store with the hub prod.
func serving(t testing.TB, path string, d *disk.Disk) *store.Store {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Disk: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	return s
}

// at finds a path of names.
func at(t testing.TB, s *store.Store, names ...string) vfs.Handle {
	t.Helper()
	h, err := s.FS().Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		e, err := s.FS().Lookup(ctx, nil, h, name)
		if err != nil {
			t.Fatalf("find %q: %v", name, err)
		}
		h = e.Handle
	}
	return h
}

func mkdir(t testing.TB, s *store.Store, dir vfs.Handle, name string) vfs.Handle {
	t.Helper()
	e, _, err := s.FS().Mkdir(ctx, user, dir, name, vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Handle
}

// put writes a file, synced.
func put(t testing.TB, s *store.Store, dir vfs.Handle, name string, size int) {
	t.Helper()
	f, _, _, _, err := s.FS().Create(ctx, user, dir, name, vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if size == 0 {
		return
	}
	if n, _, _, err := f.WriteAt(ctx, make([]byte, size), 0, vfs.FileSync); n != size || err != nil {
		t.Fatalf("write %s: %d bytes, %v", name, n, err)
	}
}

// report is what the ledger says of a home.
func report(t testing.TB, s *store.Store, name string) quota.HomeReport {
	t.Helper()
	for _, h := range s.Report().Hubs[0].Homes {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("the ledger has no home %q", name)
	return quota.HomeReport{}
}

// du is what a directory takes, every inode once.
func du(t testing.TB, path string) (u quota.Usage) {
	t.Helper()
	seen := map[uint64]bool{}
	err := filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		var st unix.Stat_t
		if err != nil || unix.Lstat(p, &st) != nil {
			return errors.Join(err, unix.Lstat(p, &st))
		}
		if !seen[st.Ino] {
			seen[st.Ino] = true
			u.Bytes, u.Inodes = u.Bytes+st.Blocks*512, u.Inodes+1
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// exact fails the test where the ledger does not say what the disk does, of any home.
func exact(t testing.TB, s *store.Store, path string) {
	t.Helper()
	hub := s.Report().Hubs[0]
	sum := hub.Own
	for _, h := range hub.Homes {
		want := du(t, filepath.Join(path, "prod", h.Name))
		if h.Used != want || h.State != quota.Clean {
			t.Errorf("the ledger says %+v of %q, which is %s; the disk says %+v", h.Used, h.Name, h.State, want)
		}
		sum.Bytes, sum.Inodes = sum.Bytes+h.Used.Bytes, sum.Inodes+h.Used.Inodes
	}
	if want := du(t, filepath.Join(path, "prod")); hub.Used != want || sum != want {
		t.Errorf("the ledger says %+v of the hub, the sum of its homes is %+v; the disk says %+v", hub.Used, sum, want)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after 30 s", what)
		}
	}
}
