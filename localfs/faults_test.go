// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

var (
	ctx  = context.Background()
	user = &vfs.Caller{UID: 1000, GID: 1000}
)

// failing is what a Disk's Before answers while it is set.
type failing struct {
	op  atomic.Pointer[disk.Op]
	err error
}

func (f *failing) before(op disk.Op) error {
	if bad := f.op.Load(); bad != nil && *bad == op {
		return f.err
	}
	return nil
}

func create(t *testing.T, fs vfs.FS, dir vfs.Handle, name string) (vfs.File, vfs.Handle) {
	t.Helper()
	f, e, _, _, err := fs.Create(ctx, user, dir, name, vfs.Create{}, vfs.Read|vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, e.Handle
}

// TestFailedSync: after a failed fsync Linux has dropped the data and says nothing at the next. The client must hear of it
// once, and know by the verifier that what it wrote before is not safe, whichever file it was.
func TestFailedSync(t *testing.T) {
	s := newStore(t)
	fault := &failing{err: syscall.EIO}
	s.disk.Before = fault.before
	fs := s.open()
	dir := home(t, fs, "ada")
	file, _ := create(t, fs, dir, "f")
	other, _ := create(t, fs, dir, "other")
	_, _, written, err := file.WriteAt(ctx, []byte("unsynced"), 0, vfs.Unstable)
	if err != nil {
		t.Fatal(err)
	}
	op := disk.OpSync
	fault.op.Store(&op)
	if _, err := file.Commit(ctx); !errors.Is(err, syscall.EIO) {
		t.Errorf("Commit answers %v, want EIO", err)
	}
	if _, did, _, err := other.WriteAt(ctx, []byte("x"), 0, vfs.FileSync); !errors.Is(err, syscall.EIO) || did != vfs.Unstable {
		t.Errorf("a synced write answers %v and %v, want EIO and Unstable", err, did)
	}
	if _, _, err := fs.Mkdir(ctx, user, dir, "d", vfs.SetAttr{}); !errors.Is(err, syscall.EIO) {
		t.Errorf("Mkdir answers %v, want EIO", err)
	}
	fault.op.Store(nil)
	now, err := file.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if now == written {
		t.Error("Commit after a failed one answers the verifier of the write that is lost")
	}
}

// TestFailedCalls fails each kind of system call in turn: every error comes to the caller, and none leaves a descriptor, a
// lock or a half-made name behind.
func TestFailedCalls(t *testing.T) {
	for _, op := range []disk.Op{
		disk.OpOpen, disk.OpOpenHandle, disk.OpHandle, disk.OpStat, disk.OpMkdir, disk.OpSymlink, disk.OpLink, disk.OpUnlink,
		disk.OpRename, disk.OpChmod, disk.OpChown, disk.OpSync, disk.OpWrite, disk.OpReadDir, disk.OpReadLink,
	} {
		t.Run(string(op), func(t *testing.T) { failEverywhere(t, op) })
	}
}

func failEverywhere(t *testing.T, op disk.Op) {
	s := newStore(t)
	fault := &failing{err: syscall.EIO}
	s.disk.Before = fault.before
	fs := s.open()
	dir := home(t, fs, "ada")
	_, h := create(t, fs, dir, "f")
	link, _, err := fs.Symlink(ctx, user, dir, "link", "f", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := fs.Mkdir(ctx, user, dir, "empty", vfs.SetAttr{}); err != nil {
		t.Fatal(err)
	}
	before := descriptors(t)
	calls := map[string]func() error{
		"Create": func() error {
			f, _, _, _, err := fs.Create(ctx, user, dir, "new", vfs.Create{Mode: vfs.Guarded}, vfs.Write)
			if err == nil {
				f.Close()
			}
			return err
		},
		"Mkdir":   func() error { _, _, err := fs.Mkdir(ctx, user, dir, "d", vfs.SetAttr{}); return err },
		"Symlink": func() error { _, _, err := fs.Symlink(ctx, user, dir, "l", "f", vfs.SetAttr{}); return err },
		"Link":    func() error { _, err := fs.Link(ctx, user, h, dir, "f2"); return err },
		"Rename":  func() error { _, _, _, err := fs.Rename(ctx, user, dir, "f", dir, "g"); return err },
		"Remove":  func() error { _, _, err := fs.Remove(ctx, user, dir, "empty"); return err },
		"SetAttr": func() error {
			mode, gid := uint32(0o600), uint32(1000)
			_, err := fs.SetAttr(ctx, user, h, vfs.SetAttr{Mode: &mode, GID: &gid})
			return err
		},
		"Write": func() error {
			f, err := fs.Open(ctx, user, h, vfs.Write)
			if err != nil {
				return err
			}
			defer f.Close()
			_, _, _, err = f.WriteAt(ctx, []byte("x"), 0, vfs.FileSync)
			return err
		},
		"ReadDir": func() error {
			_, err := fs.ReadDir(ctx, user, dir, 0, false, func(*vfs.DirEntry) bool { return true })
			return err
		},
		"ReadLink": func() error { _, err := fs.ReadLink(ctx, user, link.Handle); return err },
	}
	hit := 0
	for name, call := range calls {
		fault.op.Store(&op)
		err := call()
		fault.op.Store(nil)
		if err != nil {
			hit++
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("%s answers %v, want EIO", name, err)
			}
		}
	}
	if hit == 0 {
		t.Errorf("no call notices that %s fails", op)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors were open before and %d are after", before, after)
	}
	// Whatever a call has left, the same can be done now, without a lock in the way.
	for name, call := range calls {
		if err := call(); err != nil && !errors.Is(err, syscall.EEXIST) && !errors.Is(err, syscall.ENOENT) {
			t.Errorf("%s answers %v when nothing fails any more", name, err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(s.path, ".hubhome/new")); err != nil || len(left) > 0 && op != disk.OpUnlink {
		t.Errorf("the nursery holds %v (%v)", left, err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// TestFullDisk writes to a file system of a few MiB until it is full, and past that: what was acknowledged is there, the
// rest is refused with ENOSPC, and removing something makes room.
func TestFullDisk(t *testing.T) {
	s := newStore(t)
	if err := unix.Mount("tmpfs", s.path, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(s.path, unix.MNT_DETACH) })
	for _, dir := range []string{hubName, ".hubhome", ".hubhome/new"} {
		if err := os.Mkdir(filepath.Join(s.path, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	file, h := create(t, fs, dir, "big")
	block := bytes.Repeat([]byte("0123456789abcdef"), 100<<10/16)
	acknowledged := uint64(0)
	var err error
	for err == nil {
		var n int
		n, _, _, err = file.WriteAt(ctx, block, acknowledged, vfs.FileSync)
		acknowledged += uint64(n)
		if acknowledged > 8<<20 {
			t.Fatal("the disk does not fill up")
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a write on the full disk answers %v, want ENOSPC", err)
	}
	got := make([]byte, acknowledged)
	if n, _, err := file.ReadAt(ctx, got, 0); err != nil || uint64(n) != acknowledged {
		t.Fatalf("%d of %d acknowledged bytes can be read: %v", n, acknowledged, err)
	}
	if want := bytes.Repeat(block, len(got)/len(block)+1)[:len(got)]; !bytes.Equal(got, want) {
		t.Error("what was acknowledged is not what is there")
	}
	if a, err := fs.GetAttr(ctx, h); err != nil || a.Size < acknowledged {
		t.Errorf("the file has %d bytes of %d acknowledged: %v", a.Size, acknowledged, err)
	}
	file.Close()
	if _, _, err := fs.Remove(ctx, user, dir, "big"); err != nil {
		t.Errorf("remove on a full disk: %v", err)
	}
	again, _ := create(t, fs, dir, "small")
	if _, _, _, err := again.WriteAt(ctx, block, 0, vfs.FileSync); err != nil {
		t.Errorf("write after room was made: %v", err)
	}
}

// TestUndeclaredHub: a hub that is not declared any more cannot be seen, nor reached by a handle from before.
func TestUndeclaredHub(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	if err := fs.SetHubs(nil); err != nil {
		t.Fatal(err)
	}
	root, err := fs.Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{hubName, ".hubhome"} {
		if _, err := fs.Lookup(ctx, nil, root, name); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("Lookup of %s answers %v, want ENOENT", name, err)
		}
	}
	if _, err := fs.GetAttr(ctx, dir); !errors.Is(err, syscall.ESTALE) {
		t.Errorf("GetAttr answers %v, want ESTALE", err)
	}
	names := 0
	if _, err := fs.ReadDir(ctx, nil, root, 0, true, func(*vfs.DirEntry) bool { names++; return true }); err != nil || names > 0 {
		t.Errorf("the root lists %d names: %v", names, err)
	}
}

// TestMountInside: a file system that is mounted over a directory of a home is not served.
func TestMountInside(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	if _, _, err := fs.Mkdir(ctx, user, dir, "m", vfs.SetAttr{}); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(s.path, hubName, "ada", "m")
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("mount a file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(at, unix.MNT_DETACH) })
	if _, err := fs.Lookup(ctx, user, dir, "m"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("Lookup answers %v, want EACCES", err)
	}
}

// TestSymlinkHub: a link in the store's directory is no hub, wherever it leads.
func TestSymlinkHub(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	if err := os.Rename(filepath.Join(s.path, hubName), filepath.Join(s.path, "moved")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("moved", filepath.Join(s.path, hubName)); err != nil {
		t.Fatal(err)
	}
	if err := fs.SetHubs(nil); err != nil {
		t.Fatal(err)
	}
	err := fs.SetHubs(hubs)
	if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), hubName) {
		t.Errorf("SetHubs answers %v, want ENOTDIR that names the hub", err)
	}
}
