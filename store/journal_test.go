// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
)

// TestJournalFull: when the journal is full it says so of all homes, also after a first try that failed.
func TestJournalFull(t *testing.T) {
	failing := false
	d := &disk.Disk{Before: func(op disk.Op) error {
		if failing && op == disk.OpWrite {
			return syscall.EIO
		}
		return nil
	}}
	dir, err := d.Open(unix.AT_FDCWD, t.TempDir(), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close(dir)
	j, made, err := openJournal(d, dir, func() error { return nil })
	if err != nil || !made {
		t.Fatalf("openJournal: %v, made: %v", err, made)
	}
	defer j.close()
	j.begin(1)
	j.end(nil)
	j.used[1] = journalSlots - 1
	failing = true
	if _, err := j.mark(7); !errors.Is(err, syscall.EIO) {
		t.Errorf("mark answers %v", err)
	}
	failing = false
	for range 3 {
		if _, err := j.mark(8); err != nil {
			t.Fatal(err)
		}
	}
	if _, all, err := j.load(1); err != nil || !all {
		t.Errorf("load: all: %v, %v", all, err)
	}
}
