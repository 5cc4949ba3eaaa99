// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/vfs"
)

// TestOffsets: past its end a file has nothing to read, however far past. What cannot be an offset of a file is no
// success anywhere.
func TestOffsets(t *testing.T) {
	fs := newStore(t).open()
	dir := home(t, fs, "ada")
	file, h := create(t, fs, dir, "f")
	if _, _, _, err := file.WriteAt(ctx, []byte("text"), 0, vfs.Unstable); err != nil {
		t.Fatal(err)
	}
	for _, off := range []uint64{4, 5, 1 << 40, math.MaxInt64 - 9, math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		if n, eof, err := file.ReadAt(ctx, make([]byte, 10), off); n != 0 || !eof || err != nil {
			t.Errorf("ReadAt %#x: %d bytes, eof %v: %v", off, n, eof, err)
		}
		if _, _, err := file.Seek(ctx, vfs.SeekData, off); err != syscall.ENXIO {
			t.Errorf("Seek from %#x: %v, want ENXIO", off, err)
		}
	}
	for _, off := range []uint64{math.MaxInt64 - 8, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64 - 8, math.MaxUint64} {
		for what, err := range map[string]error{
			"WriteAt":    second(file.WriteAt(ctx, make([]byte, 9), off, vfs.Unstable)),
			"Allocate":   file.Allocate(ctx, off, 9),
			"Deallocate": file.Deallocate(ctx, off, 9),
		} {
			if err != syscall.EFBIG {
				t.Errorf("%s at %#x: %v, want EFBIG", what, off, err)
			}
		}
		if _, _, err := file.CopyFrom(ctx, file, off, 0, 9); err == nil {
			t.Errorf("CopyFrom from %#x succeeds", off)
		}
		if _, _, err := file.CopyFrom(ctx, file, 0, off, 9); err == nil {
			t.Errorf("CopyFrom to %#x succeeds", off)
		}
	}
	for _, size := range []uint64{math.MaxInt64 + 1, math.MaxUint64} {
		if err := file.Truncate(ctx, size); err != syscall.EFBIG {
			t.Errorf("Truncate to %#x: %v, want EFBIG", size, err)
		}
		if _, err := fs.SetAttr(ctx, user, h, vfs.SetAttr{Size: &size}); err != syscall.EFBIG {
			t.Errorf("SetAttr of size %#x: %v, want EFBIG", size, err)
		}
		if _, _, _, _, err := fs.Create(ctx, user, dir, "new", vfs.Create{Attr: vfs.SetAttr{Size: &size}}, vfs.Write); err != syscall.EFBIG {
			t.Errorf("Create of size %#x: %v, want EFBIG", size, err)
		}
	}
	if a, err := fs.GetAttr(ctx, h); err != nil || a.Size != 4 {
		t.Errorf("the file has %d bytes: %v", a.Size, err)
	}
}

func second(_ int, _ vfs.Stability, _ vfs.Verifier, err error) error { return err }

// TestRenameOfNothing: two names of one file stay as they are, and the change attributes around that are the directory's.
func TestRenameOfNothing(t *testing.T) {
	fs := newStore(t).open()
	dir := home(t, fs, "ada")
	_, h := create(t, fs, dir, "f")
	e, _, err := fs.Mkdir(ctx, user, dir, "d", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []vfs.Handle{dir, e.Handle} {
		if _, err := fs.Link(ctx, user, h, at, "g"); err != nil {
			t.Fatal(err)
		}
	}
	for _, to := range []struct {
		dir  vfs.Handle
		name string
	}{{dir, "f"}, {dir, "g"}, {e.Handle, "g"}} {
		a, err := fs.GetAttr(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fs.GetAttr(ctx, to.dir)
		if err != nil {
			t.Fatal(err)
		}
		over, from, after, err := fs.Rename(ctx, user, dir, "f", to.dir, to.name)
		if err != nil || over.Handle != "" {
			t.Fatalf("over %q: %v", over.Handle, err)
		}
		if want := (vfs.DirChange{Before: a.Change, After: a.Change, Atomic: true}); from != want {
			t.Errorf("from: %+v, want %+v", from, want)
		}
		if want := (vfs.DirChange{Before: b.Change, After: b.Change, Atomic: true}); after != want {
			t.Errorf("to: %+v, want %+v", after, want)
		}
	}
}

// TestParentOutside: a directory that an admin has moved out of its home on the disk has no parent that clients could see.
// Its handle must not be the way to what lies beside the store.
func TestParentOutside(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	other := home(t, fs, "bob")
	sub, _, err := fs.Mkdir(ctx, user, dir, "sub", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	deep, _, err := fs.Mkdir(ctx, user, sub.Handle, "deep", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(names ...string) string { return filepath.Join(append([]string{s.path}, names...)...) }
	for _, h := range []vfs.Handle{deep.Handle, sub.Handle, dir} {
		if _, err := fs.Parent(ctx, user, h); err != nil {
			t.Fatalf("where all is in its place: %v", err)
		}
	}
	if e, err := fs.Parent(ctx, user, deep.Handle); err != nil || e.Handle != sub.Handle {
		t.Errorf("the parent is %q, want %q: %v", e.Handle, sub.Handle, err)
	}
	if e, err := fs.Parent(ctx, user, sub.Handle); err != nil || e.Handle != dir {
		t.Errorf("the parent is %q, want the home %q: %v", e.Handle, dir, err)
	}
	for what, to := range map[string]string{"the store": at("sub"), "another home": at(hubName, "bob", "sub"), "hubhome's own": at(".hubhome", "sub")} {
		if err := os.Rename(at(hubName, "ada", "sub"), to); err != nil {
			t.Fatal(err)
		}
		for _, h := range []vfs.Handle{sub.Handle, deep.Handle} {
			if e, err := fs.Parent(ctx, nil, h); err != syscall.ESTALE {
				t.Errorf("moved into %s: the parent is inode %d: %v, want ESTALE", what, e.Attr.FileID, err)
			}
		}
		if err := os.Rename(to, at(hubName, "ada", "sub")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(at(hubName, "ada"), at("ada")); err != nil {
		t.Fatal(err)
	}
	if e, err := fs.Parent(ctx, nil, dir); err != syscall.ESTALE {
		t.Errorf("a home moved out of its hub: the parent is inode %d: %v, want ESTALE", e.Attr.FileID, err)
	}
	root, err := fs.Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := fs.Parent(ctx, nil, other)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := fs.Parent(ctx, nil, hub.Handle); err != nil || e.Handle != root {
		t.Errorf("the hub's parent is %q, want the root %q: %v", e.Handle, root, err)
	}
	if err := os.Rename(at(hubName), at("ada", hubName)); err != nil {
		t.Fatal(err)
	}
	if e, err := fs.Parent(ctx, nil, hub.Handle); err != syscall.ESTALE {
		t.Errorf("a hub moved out of the root: the parent is inode %d: %v, want ESTALE", e.Attr.FileID, err)
	}
}

// TestOddNames: NULs are refused wherever a name or a target can have one, and 255 bytes are a name for every kind of file.
func TestOddNames(t *testing.T) {
	fs := newStore(t).open()
	dir := home(t, fs, "ada")
	if _, _, err := fs.Symlink(ctx, user, dir, "l", "a\x00b", vfs.SetAttr{}); err != syscall.EINVAL {
		t.Errorf("a target with a NUL: %v, want EINVAL", err)
	}
	if _, err := fs.Lookup(ctx, user, dir, "l"); err != syscall.ENOENT {
		t.Errorf("the link with the NUL: %v, want ENOENT", err)
	}
	long := string(make([]byte, 0, vfs.MaxName))
	for len(long) < vfs.MaxName {
		long += "\xff"
	}
	for _, make := range []func() error{
		func() error { _, _, err := fs.Mkdir(ctx, user, dir, long, vfs.SetAttr{}); return err },
		func() error { _, _, err := fs.Symlink(ctx, user, dir, long, "x", vfs.SetAttr{}); return err },
		func() error {
			_, _, err := fs.Mknod(ctx, user, dir, long, vfs.FIFO, vfs.Device{}, vfs.SetAttr{})
			return err
		},
		func() error { create(t, fs, dir, long); return nil },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		e, err := fs.Lookup(ctx, user, dir, long)
		if err != nil {
			t.Fatal(err)
		}
		if gone, _, err := fs.Remove(ctx, user, dir, long); err != nil || gone.Handle != e.Handle {
			t.Errorf("Remove: %v", err)
		}
	}
}

// TestNothingBlocks: opening what is no regular file is refused at once, and never waits for somebody at the other end.
func TestNothingBlocks(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	for name, kind := range map[string]uint32{"pipe": unix.S_IFIFO, "socket": unix.S_IFSOCK, "device": unix.S_IFCHR} {
		if err := unix.Mknod(filepath.Join(s.path, hubName, "ada", name), kind|0o666, int(unix.Mkdev(1, 3))); err != nil {
			t.Fatal(err)
		}
		e, err := fs.Lookup(ctx, user, dir, name)
		if err != nil {
			t.Fatal(err)
		}
		size := uint64(0)
		for what, err := range map[string]error{
			"Open":    third(fs.Open(ctx, user, e.Handle, vfs.Read)),
			"Create":  fifth(fs.Create(ctx, user, dir, name, vfs.Create{}, vfs.Write)),
			"SetAttr": third(fs.SetAttr(ctx, nil, e.Handle, vfs.SetAttr{Size: &size})),
		} {
			if err != syscall.EINVAL {
				t.Errorf("%s of a %s: %v, want EINVAL", what, name, err)
			}
		}
		if _, err := fs.GetXattr(ctx, user, e.Handle, "x"); err != syscall.EPERM {
			t.Errorf("GetXattr of a %s: %v, want EPERM", name, err)
		}
		if _, err := fs.ReadDir(ctx, user, e.Handle, 0, false, func(*vfs.DirEntry) bool { return true }); err != syscall.ENOTDIR {
			t.Errorf("ReadDir of a %s: %v, want ENOTDIR", name, err)
		}
		if _, err := fs.SetAttr(ctx, nil, e.Handle, mode(0o600)); err != nil {
			t.Errorf("SetAttr of the mode of a %s: %v", name, err)
		}
	}
}

func third[T any](_ T, err error) error { return err }

func fifth(_ vfs.File, _ vfs.Entry, _ bool, _ vfs.DirChange, err error) error { return err }
