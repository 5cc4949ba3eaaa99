// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// TestOutside: a home that somebody makes on the disk while the server runs is found when it is used, and one that goes is
// not listed for ever.
func TestOutside(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	home := filepath.Join(path, "prod", "late")
	for _, err := range []error{os.Mkdir(home, 0o755), os.Chown(home, 1000, 1000), os.WriteFile(filepath.Join(home, "f"), make([]byte, 5000), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, at(t, s, "prod", "late"), "g", 5000)
	report(t, s, "late") // from its first use on
	s.Recount(ctx)
	exact(t, s, path)
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	exact(t, s, path)
}

// TestMovedWhileOpen: a home that somebody moves on the disk, to another hub or out of its own and back, while a file in it is open
// is not said to be known before that is closed.
func TestMovedWhileOpen(t *testing.T) {
	for _, hub := range []string{"prod", "test"} {
		t.Run(hub, func(t *testing.T) {
			path := t.TempDir()
			s := serving(t, path, nil)
			hubs := append([]store.Hub{{Name: "test", Owner: jovyan, Mode: 0o755}}, prod...)
			list := func() {
				t.Helper()
				if err := s.SetHubs(ctx, hubs); err != nil {
					t.Fatal(err)
				}
			}
			list()
			s.Recount(ctx)
			home := mkdir(t, s, at(t, s, "prod"), "ada")
			f, _, _, _, err := s.FS().Create(ctx, user, home, "f", vfs.Create{}, vfs.Read|vfs.Write)
			if err != nil {
				t.Fatal(err)
			}
			write := func(off uint64) {
				t.Helper()
				if _, _, _, err := f.WriteAt(ctx, make([]byte, 100_000), off, vfs.FileSync); err != nil {
					t.Fatal(err)
				}
			}
			write(0)
			from, away, to := filepath.Join(path, "prod", "ada"), filepath.Join(path, "ada"), filepath.Join(path, hub, "ada")
			for _, move := range [][2]string{{from, away}, {away, to}} {
				if err := os.Rename(move[0], move[1]); err != nil {
					t.Fatal(err)
				}
				list()
			}
			write(100_000)
			s.Recount(ctx)
			write(200_000)
			ada := func() quota.HomeReport {
				t.Helper()
				r, there, err := s.Home(hubhome.HubName(hub), "ada")
				if err != nil || !there {
					t.Fatalf("the home is there: %v, %v", there, err)
				}
				return r
			}
			if r := ada(); r.State != quota.Dirty || r.Used.Inodes != 2 || r.Used.Bytes < 200_000 {
				t.Errorf("while the file is open it is told: %+v", r)
			}
			f.Close()
			s.Sweep()
			s.Recount(ctx)
			if r := ada(); r.State != quota.Clean || r.Used != du(t, to) {
				t.Errorf("when it is closed it is told: %+v, of %+v", r, du(t, to))
			}
		})
	}
}

// TestMovedWhileCounted: a home that is renamed or removed on the disk when it is to be counted costs nobody anything, and has
// what it takes under its new name.
func TestMovedWhileCounted(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	for _, name := range []string{"ada", "bob", "eve"} {
		put(t, s, mkdir(t, s, at(t, s, "prod"), name), "f", 10_000)
		s.Distrust(name)
	}
	for _, err := range []error{
		os.Rename(filepath.Join(path, "prod", "ada"), filepath.Join(path, "prod", "ada2")),
		os.RemoveAll(filepath.Join(path, "prod", "bob")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all homes are known", func() bool {
		s.Recount(ctx)
		for _, h := range s.Report().Hubs[0].Homes {
			if h.State != quota.Clean {
				return false
			}
		}
		return true
	})
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	if used := report(t, s, "ada2").Used; used.Inodes != 2 {
		t.Errorf("the home under its new name takes %+v", used)
	}
	for _, h := range s.Report().Hubs[0].Homes {
		if h.Name == "bob" || h.Name == "ada" {
			t.Errorf("%s is still there", h.Name)
		}
	}
}

// TestHomeMadeWhileListed: a home that is made while the hubs' directories are being listed is not taken for one that has
// gone.
func TestHomeMadeWhileListed(t *testing.T) {
	path := t.TempDir()
	var during atomic.Pointer[func()]
	d := &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir {
			if f := during.Load(); f != nil {
				if entries, _ := os.ReadDir(filepath.Join(path, "prod")); len(entries) > 0 && during.CompareAndSwap(f, nil) {
					(*f)()
				}
			}
		}
		return nil
	}}
	s := serving(t, path, d)
	s.Recount(ctx)
	hub := at(t, s, "prod")
	var home vfs.Handle
	// The last getdents64 of the hub's directory, which says that there is no more.
	calls := 0
	var last func()
	last = func() {
		if calls++; calls < 2 {
			during.Store(&last)
			return
		}
		home = mkdir(t, s, hub, "ada")
	}
	during.Store(&last)
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	if home == "" {
		t.Fatal("the directory was not listed")
	}
	put(t, s, home, "f", 10_000)
	s.Sweep()
	exact(t, s, path)
}

// TestStaleHandle: a handle of a home that is gone has nobody list the hubs, and nobody wait for that.
func TestStaleHandle(t *testing.T) {
	path := t.TempDir()
	var lists atomic.Int64
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir {
			lists.Add(1)
		}
		return nil
	}})
	s.Recount(ctx)
	hub := at(t, s, "prod")
	home := mkdir(t, s, hub, "ada")
	if _, _, err := s.FS().Remove(ctx, user, hub, "ada"); err != nil {
		t.Fatal(err)
	}
	before := lists.Load()
	for label, err := range map[string]error{
		"Create": func() error {
			_, _, _, _, err := s.FS().Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
			return err
		}(),
		"StatFS": func() error { _, err := s.FS().StatFS(ctx, home); return err }(),
	} {
		if err != syscall.ESTALE {
			t.Errorf("%s answers %v, want ESTALE", label, err)
		}
	}
	if n := lists.Load() - before; n > 0 {
		t.Errorf("directories were read %d times", n)
	}
}

// TestDamagedHome: one home whose directory cannot be looked at keeps nobody from the others.
func TestDamagedHome(t *testing.T) {
	path := t.TempDir()
	var armed, listing atomic.Bool
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir && armed.Load() {
			listing.Store(true)
		}
		if op == disk.OpStat && listing.Load() && armed.CompareAndSwap(true, false) {
			return syscall.EUCLEAN
		}
		return nil
	}})
	s.Recount(ctx)
	for _, name := range []string{"ada", "bob", "eve"} {
		put(t, s, mkdir(t, s, at(t, s, "prod"), name), "f", 10_000)
	}
	before := len(s.Report().Hubs[0].Homes)
	armed.Store(true)
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	if armed.Load() {
		t.Fatal("no home was looked at")
	}
	if n := len(s.Report().Hubs[0].Homes); n != before-1 {
		t.Errorf("of %d homes %d are known", before, n)
	}
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	s.Recount(ctx)
	exact(t, s, path)
}
