// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// coarse returns an FS that does not trust the kernel's time stamps to tell changes apart, as on kernels before 6.13.
func coarse(t *testing.T) (*FS, vfs.Handle) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
	path := t.TempDir()
	for _, dir := range []string{"prod", "new"} {
		if err := os.Mkdir(filepath.Join(path, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(path, "prod"), 1000, 1000); err != nil {
		t.Fatal(err)
	}
	open := func(name string) int {
		fd, err := unix.Open(filepath.Join(path, name), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	f, err := New(Options{Disk: new(disk.Disk), Root: open(""), Nursery: open("new"), Key: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	f.changes.fine = false
	if err := f.SetHubs([]Hub{{Name: "prod", Homes: Owner{1000, 1000}}}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	root, _ := f.Root(ctx)
	hub, err := f.Lookup(ctx, nil, root, "prod")
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := f.Mkdir(ctx, nil, hub.Handle, "ada", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return f, e.Handle
}

func TestConformanceWithCoarseTimeStamps(t *testing.T) {
	if testing.Short() {
		t.Skip("the same again with another source of change attributes")
	}
	vfstest.Run(t, vfstest.Config{New: func(t *testing.T) (vfs.FS, vfs.Handle) {
		f, home := coarse(t)
		return f, home
	}})
}

// TestChangeAcrossRest: what a client saw while a file was being changed is never what it sees of it at rest, and the
// value never goes back when it is forgotten.
func TestChangeAcrossRest(t *testing.T) {
	f, home := coarse(t)
	ctx := context.Background()
	file, e, _, _, err := f.Create(ctx, nil, home, "f", vfs.Create{}, vfs.Read|vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	last := e.Attr.Change
	for i := range 1000 {
		if _, _, _, err := file.WriteAt(ctx, []byte{byte(i)}, 0, vfs.Unstable); err != nil {
			t.Fatal(err)
		}
		a, err := f.GetAttr(ctx, e.Handle)
		if err != nil {
			t.Fatal(err)
		}
		if a.Change <= last {
			t.Fatalf("write %d: the change attribute went from %d to %d", i, last, a.Change)
		}
		last = a.Change
	}
	ino := e.Attr.FileID
	shard := f.changes.shard(ino)
	// As if the last change was long ago, by the values that a clock would have left.
	shard.mu.Lock()
	shard.hot[ino].last = shard.hot[ino].last.Add(-2 * rest)
	shard.hot[ino].value -= uint64(2 * rest)
	shard.swept = time.Time{}
	shard.sweep()
	forgotten := shard.hot[ino] == nil
	shard.mu.Unlock()
	if !forgotten {
		t.Fatal("an inode at rest is not forgotten")
	}
	a, err := f.GetAttr(ctx, e.Handle)
	if err != nil {
		t.Fatal(err)
	}
	if a.Change <= last {
		t.Errorf("at rest the change attribute went from %d to %d", last, a.Change)
	}
}

// TestChangeWithClockSetBack: an inode whose value is ahead of the clock is not forgotten.
func TestChangeWithClockSetBack(t *testing.T) {
	s := &changeShard{hot: map[uint64]*hotInode{7: {
		value: uint64(time.Now().Add(time.Hour).UnixNano()), last: time.Now().Add(-time.Minute),
	}}}
	s.sweep()
	if s.hot[7] == nil {
		t.Error("an inode is forgotten whose change attribute would go back")
	}
}

// TestSlowProbe: that a machine is slow does not pass for fine time stamps.
func TestSlowProbe(t *testing.T) {
	f, _ := coarse(t)
	fd, err := f.disk.OpenTemporary(f.nursery, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close(fd)
	fine, err := f.probe(fd, func(i int) error {
		time.Sleep(tick) // as long as the longest clock tick: whatever the kernel's time stamps are, they differ
		_, err := f.disk.Write(fd, []byte{byte(i)}, 0)
		return err
	})
	if fine || err != nil {
		t.Errorf("changes of which each is in another clock tick look fine: %v", err)
	}
}

// TestNoTemporaryFiles: where files cannot be made without a name, that is said at the start and not at every file.
func TestNoTemporaryFiles(t *testing.T) {
	f, _ := coarse(t)
	f.disk = &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpOpen {
			return syscall.EOPNOTSUPP
		}
		return nil
	}}
	if _, err := newChanges(f); !errors.Is(err, syscall.EOPNOTSUPP) || !strings.Contains(err.Error(), "use ext4") {
		t.Errorf("newChanges answers %v", err)
	}
}
