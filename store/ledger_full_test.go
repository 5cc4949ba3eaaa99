// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
)

// TestLedgerOnFullDisk: while the ledger cannot be persisted, everything goes on; and what was persisted before is not
// believed of homes that were changed since.
func TestLedgerOnFullDisk(t *testing.T) {
	path := t.TempDir()
	var full atomic.Bool
	d := &disk.Disk{Before: func(op disk.Op) error {
		if full.Load() && op == disk.OpOpen { // which a new file needs
			return syscall.ENOSPC
		}
		return nil
	}}
	s := serving(t, path, d)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	other := mkdir(t, s, at(t, s, "prod"), "bob")
	put(t, s, other, "f", 10_000)
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	put(t, s, home, "f", 100_000)
	full.Store(true)
	for range 2 {
		if err := s.Checkpoint(); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Checkpoint answers %v", err)
		}
		if _, _, err := s.FS().Remove(ctx, user, other, "f"); err != nil && err != syscall.ENOENT {
			t.Fatalf("Remove: %v", err)
		}
	}
	if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close answers %v", err)
	}
	s = serving(t, path, nil)
	for _, name := range []string{"ada", "bob"} {
		if r := report(t, s, name); r.State != quota.Dirty {
			t.Errorf("%s is %s, although it was changed", name, r.State)
		}
	}
	s.Recount(ctx)
	exact(t, s, path)
}

// TestFullDiskInPlace: also on a file system that has no room for what is written in place, files can be removed after the
// ledger could not be persisted.
func TestFullDiskInPlace(t *testing.T) {
	path := t.TempDir()
	var full atomic.Bool
	d := &disk.Disk{Before: func(op disk.Op) error {
		if full.Load() && op == disk.OpWrite {
			return syscall.ENOSPC
		}
		return nil
	}}
	s := serving(t, path, d)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	put(t, s, home, "f", 10_000)
	s.Sweep()
	for range 2 {
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
	}
	full.Store(true)
	if err := s.Checkpoint(); err == nil {
		t.Fatal("Checkpoint answers success")
	}
	if _, _, err := s.FS().Remove(ctx, user, home, "f"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	full.Store(false)
	s.Sweep()
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	exact(t, s, path)
}

// TestFullDiskWhilePersisted: nor does a ledger that is being persisted at that moment keep anybody from removing files.
func TestFullDiskWhilePersisted(t *testing.T) {
	path := t.TempDir()
	var full atomic.Bool
	var writes atomic.Int64
	persisting, marking := make(chan struct{}), make(chan struct{})
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op != disk.OpWrite || !full.Load() {
			return nil
		}
		switch writes.Add(1) {
		case 1: // the ledger
			close(persisting)
			select {
			case <-marking:
			case <-time.After(time.Minute):
				t.Error("nobody notes that the home is being changed")
			}
		case 2:
			close(marking)
		}
		return syscall.ENOSPC
	}})
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	put(t, s, home, "f", 10_000)
	s.Sweep()
	for range 2 {
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
	}
	full.Store(true)
	ended := make(chan error, 1)
	go func() { ended <- s.Checkpoint() }()
	<-persisting
	if _, _, err := s.FS().Remove(ctx, user, home, "f"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("Checkpoint answers success")
	}
	full.Store(false)
	s.Sweep()
	exact(t, s, path)
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
}

// TestJournalLostOnFullDisk: a journal that is missing, and for which there is no room, keeps nobody out.
func TestJournalLostOnFullDisk(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	put(t, s, home, "f", 10_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(path, ".hubhome/ledger/dirty.0")); err != nil {
		t.Fatal(err)
	}
	var full atomic.Bool
	full.Store(true)
	s = serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if full.Load() && op == disk.OpWrite {
			return syscall.ENOSPC
		}
		return nil
	}})
	if _, _, err := s.FS().Remove(ctx, user, at(t, s, "prod", "ada"), "f"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	full.Store(false)
	s.Recount(ctx)
	exact(t, s, path)
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
}
