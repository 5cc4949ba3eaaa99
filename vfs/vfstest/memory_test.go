// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest_test

import (
	"bytes"
	"errors"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// newHome returns a tree and a home in it.
func newHome(t *testing.T) (*vfstest.Memory, vfs.Handle) {
	m := vfstest.NewMemory("hub")
	root, err := m.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hub, err := m.Lookup(t.Context(), nil, root, "hub")
	if err != nil {
		t.Fatal(err)
	}
	home, _, err := m.Mkdir(t.Context(), nil, hub.Handle, "ada", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return m, home.Handle
}

// TestMemory holds the tree in memory to the contract.
func TestMemory(t *testing.T) {
	vfstest.Run(t, vfstest.Config{
		New: func(t *testing.T) (vfs.FS, vfs.Handle) { return newHome(t) },
		Restart: func(t *testing.T, fs vfs.FS) vfs.FS {
			fs.(*vfstest.Memory).Crash()
			return fs
		},
	})
}

// create makes and opens a file.
func create(t *testing.T, fs vfs.FS, dir vfs.Handle, name string) (vfs.File, vfs.Handle) {
	f, e, _, _, err := fs.Create(t.Context(), nil, dir, name, vfs.Create{}, vfs.Read|vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	return f, e.Handle
}

func write(t *testing.T, f vfs.File, off uint64, data string, want vfs.Stability) vfs.Verifier {
	n, _, v, err := f.WriteAt(t.Context(), []byte(data), off, want)
	if n != len(data) || err != nil {
		t.Fatalf("write: %d bytes, %v", n, err)
	}
	return v
}

func contents(t *testing.T, fs vfs.FS, h vfs.Handle) string {
	f, err := fs.Open(t.Context(), nil, h, vfs.Read)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := make([]byte, 1<<16)
	n, _, err := f.ReadAt(t.Context(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(p[:n])
}

// TestCrashLosesUnsynced: a crash takes what was not synced, and nothing else.
func TestCrashLosesUnsynced(t *testing.T) {
	m, home := newHome(t)
	f, h := create(t, m, home, "f")
	before := write(t, f, 0, "synced", vfs.FileSync)
	write(t, f, 3, "lost and longer", vfs.Unstable)
	g, hg := create(t, m, home, "g")
	write(t, g, 0, "committed", vfs.Unstable)
	if _, err := g.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Remove(t.Context(), nil, home, "g"); err != nil {
		t.Fatal(err)
	}
	change, err := m.GetAttr(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	m.Crash()
	if got := contents(t, m, h); got != "synced" {
		t.Errorf("after the crash the file reads %q", got)
	}
	if after, err := m.GetAttr(t.Context(), h); err != nil || after.Change <= change.Change {
		t.Errorf("data was lost, and the change attribute went from %d to %d (%v)", change.Change, after.Change, err)
	}
	if _, _, err := f.ReadAt(t.Context(), make([]byte, 1), 0); err == nil {
		t.Error("a File of before the crash is still usable")
	}
	if _, err := m.GetAttr(t.Context(), hg); !errors.Is(err, syscall.ESTALE) {
		t.Errorf("a file that was open and had no name: %v, want ESTALE", err)
	}
	f, err = m.Open(t.Context(), nil, h, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	if after := write(t, f, 0, "x", vfs.Unstable); after == before {
		t.Error("the verifier is what it was before the crash")
	}
}

// TestFailedSync: what could not be synced is lost, once, and the verifier tells.
func TestFailedSync(t *testing.T) {
	m, home := newHome(t)
	f, h := create(t, m, home, "f")
	before := write(t, f, 0, "lost", vfs.Unstable)
	m.Fail("Sync", syscall.EIO)
	if _, err := f.Commit(t.Context()); !errors.Is(err, syscall.EIO) {
		t.Errorf("commit: %v, want EIO", err)
	}
	if _, _, _, err := f.WriteAt(t.Context(), []byte("x"), 0, vfs.FileSync); !errors.Is(err, syscall.EIO) {
		t.Errorf("synced write: %v, want EIO", err)
	}
	m.Fail("Sync", nil)
	after, err := f.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if after == before {
		t.Error("the verifier is what it was before the data was lost")
	}
	if got := contents(t, m, h); got != "" {
		t.Errorf("the file reads %q, which was lost", got)
	}
}

// TestHook: a hook holds an operation up, and answers it.
func TestHook(t *testing.T) {
	m, home := newHome(t)
	calls := 0
	m.Hook("GetAttr", func() error {
		calls++
		_, err := m.Lookup(t.Context(), nil, home, "nothing") // the tree is not locked
		return err
	})
	if _, err := m.GetAttr(t.Context(), home); !errors.Is(err, syscall.ENOENT) || calls != 1 {
		t.Errorf("the hook was called %d times, the error is %v", calls, err)
	}
	m.Hook("GetAttr", nil)
	if _, err := m.GetAttr(t.Context(), home); err != nil {
		t.Error(err)
	}
}

// TestMemoryFull: a full tree says so, loses nothing, and has room again after a removal.
func TestMemoryFull(t *testing.T) {
	m, home := newHome(t)
	f, _ := create(t, m, home, "full")
	free, err := m.StatFS(t.Context(), home)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Allocate(t.Context(), 0, free.AvailBytes); err != nil {
		t.Fatal(err)
	}
	g, h := create(t, m, home, "g")
	if _, _, _, err := g.WriteAt(t.Context(), []byte("x"), 0, vfs.Unstable); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write to a full tree: %v, want ENOSPC", err)
	}
	if err := g.Allocate(t.Context(), 0, 1); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("allocate in a full tree: %v, want ENOSPC", err)
	}
	if _, _, err := m.Remove(t.Context(), nil, home, "full"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	data := string(bytes.Repeat([]byte{'x'}, 10_000))
	write(t, g, 0, data, vfs.FileSync)
	if contents(t, m, h) != data {
		t.Error("the file is not what was written")
	}
	if after, err := m.StatFS(t.Context(), home); err != nil || after.FreeBytes != free.FreeBytes-12288 {
		t.Errorf("%d bytes are free, want %d less 3 pages (%v)", after.FreeBytes, free.FreeBytes, err)
	}
}
