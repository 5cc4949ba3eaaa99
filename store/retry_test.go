// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
)

// TestUnreadable has a home that cannot be read for a night: it is tried again more and more seldom, the log hears of it once,
// and it is told which home it is and why. A check that repairs tries at once.
func TestUnreadable(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 3 s: the ledger is persisted 2,000 times")
	}
	synctest.Test(t, func(t *testing.T) {
		path := t.TempDir()
		var broken atomic.Bool
		var tries, listing atomic.Int64
		s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
			if op == disk.OpReadDir && broken.Load() && listing.Add(-1) < 0 {
				tries.Add(1)
				return syscall.EIO
			}
			return nil
		}})
		s.Recount(ctx)
		var log bytes.Buffer
		s.LogTo(slog.New(slog.NewTextHandler(&log, nil)))
		home := mkdir(t, s, at(t, s, "prod"), "ada")
		put(t, s, home, "f", 100_000)
		used := report(t, s, "ada").Used
		// The hub's directory was not changed since it was listed, so that nobody lists it: it is the home that cannot be read.
		if err := os.Chtimes(filepath.Join(path, "prod"), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Notice(); err != nil {
			t.Fatal(err)
		}
		broken.Store(true)
		s.Distrust("ada")

		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- s.Run(running) }()
		night := 12 * time.Hour
		time.Sleep(night)
		if n := tries.Load(); n < 12 || n > 24 {
			t.Errorf("it was tried %d times in %v", n, night)
		}
		r := report(t, s, "ada")
		if r.State != quota.Unreadable || r.Unread != 1 || !strings.Contains(r.Fault, `"prod/ada"`) || !strings.Contains(r.Fault, "input/output error") {
			t.Errorf("what is told of it: %+v", r)
		}
		if r.Used != used {
			t.Errorf("it takes %+v, and took %+v before", r.Used, used)
		}
		check := func() (c store.Checked) {
			t.Helper()
			listing.Store(2) // the calls in which the hub's directory is read
			if err := s.CheckServed(ctx, true, func(one store.Checked) error {
				if one.Home == "ada" {
					c = one
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			return c
		}
		before := tries.Load()
		if c := check(); c.Fault == "" || tries.Load() == before {
			t.Errorf("a check that repairs says %+v of it", c)
		}
		time.Sleep(time.Minute) // the run is where nobody counts
		broken.Store(false)
		if c := check(); c.Fault != "" || c.Disk != used {
			t.Errorf("when it can be read again, a check that repairs says %+v of it", c)
		}
		exact(t, s, path)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for line, want := range map[string]int{"level=ERROR": 1, "a home can be counted again": 1, "counting what homes take": 1} {
			if n := strings.Count(log.String(), line); n != want {
				t.Errorf("%d lines have %q, of which there are to be %d:\n%s", n, line, want, log.String())
			}
		}
	})
}

// TestUnreadablePart: what can be read of a home that was never counted is what it takes at least.
func TestUnreadablePart(t *testing.T) {
	path := t.TempDir()
	for i := range 5 {
		dir := filepath.Join(path, "prod", "ada", fmt.Sprint("d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "f"), make([]byte, 10_000), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var broken atomic.Bool
	var reads atomic.Int64
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir && broken.Load() && reads.Add(1) == 3 { // each takes two
			return syscall.EIO
		}
		return nil
	}})
	all := du(t, filepath.Join(path, "prod", "ada"))
	broken.Store(true)
	for range 3 {
		reads.Store(0)
		s.RecountHome("ada")
		r := report(t, s, "ada")
		if r.State != quota.Unreadable || r.Unread != 1 {
			t.Errorf("what is told of it: %+v", r)
		}
		if missing := (quota.Usage{Bytes: all.Bytes - r.Used.Bytes, Inodes: all.Inodes - r.Used.Inodes}); missing.Inodes != 1 || missing.Bytes != 12288 {
			t.Errorf("of %+v it is said to take %+v", all, r.Used)
		}
	}
	broken.Store(false)
	s.Recount(ctx)
	exact(t, s, path)
}

// TestDamagedDisk has a real file system a directory of which cannot be read: it is named, and the rest of the home is counted.
func TestDamagedDisk(t *testing.T) {
	needsRoot(t)
	for _, tool := range []string{"mkfs.ext4", "debugfs", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%v: install e2fsprogs and mount", err)
			}
			t.Skip(err)
		}
	}
	image, path := filepath.Join(t.TempDir(), "image"), t.TempDir()
	run := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
	}
	mount := func() {
		t.Helper()
		out, err := exec.Command("mount", "-o", "loop,errors=continue", image, path).CombinedOutput()
		if err != nil && os.Getenv("CI") != "true" {
			t.Skipf("mount: %v\n%s", err, out)
		} else if err != nil {
			t.Fatalf("mount: %v\n%s", err, out)
		}
	}
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 32<<20)); err != nil {
		t.Fatal(err)
	}
	run("mkfs.ext4", "-q", "-F", "-O", "^metadata_csum", image)
	mount()
	t.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
	good, bad := filepath.Join(path, "prod/ada/good"), filepath.Join(path, "prod/ada/deep/bad")
	for _, dir := range []string{good, bad} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "f"), make([]byte, 10_000), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Unmount(path, 0); err != nil {
		t.Fatal(err)
	}
	// Where the directory's data is said to lie there is no disk any more.
	run("debugfs", "-w", "-R", "set_inode_field /prod/ada/deep/bad block[5] 99999999", image)
	mount()
	s := serving(t, path, nil)
	s.Recount(ctx)
	r := report(t, s, "ada")
	if r.State != quota.Unreadable || r.Unread != 1 || !strings.Contains(r.Fault, `"prod/ada/deep/bad"`) {
		t.Errorf("what is told of the home: %+v", r)
	}
	if want := du(t, good).Inodes + 2; r.Used.Inodes < want || r.Used.Bytes < du(t, good).Bytes {
		t.Errorf("it is said to take %+v, and has at least %d inodes", r.Used, want)
	}
}

// TestGoneIsNoFailure: a home that has gone before it is counted is none that could not be.
func TestGoneIsNoFailure(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	for _, name := range []string{"ada", "bob"} {
		mkdir(t, s, at(t, s, "prod"), name)
		s.Distrust(name)
	}
	if err := os.RemoveAll(filepath.Join(path, "prod", "ada")); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s.LogTo(slog.New(slog.NewTextHandler(&log, nil)))
	s.Recount(ctx)
	if text := log.String(); !strings.Contains(text, `msg="counted what homes take" homes=1 failed=0 `) {
		t.Errorf("the log is %s", text)
	}
}
