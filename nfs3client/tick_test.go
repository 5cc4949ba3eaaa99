// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/vfs"
)

// ticks are an FS on a kernel that takes the time of a change from its last tick: every change waits for the next one, so
// that the change attribute, which is that time, shows it. What else the contract says can so be tried there too.
type ticks struct{ vfs.FS }

// ticking returns an FS whose changes can be told apart by ctime, of a server that keeps its files in a directory here.
func ticking(t *testing.T, dir string, fs vfs.FS) vfs.FS {
	t.Helper()
	path := filepath.Join(dir, "clock")
	var last unix.Stat_t
	for range 100 {
		var now unix.Stat_t
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := unix.Stat(path, &now); err != nil {
			t.Fatal(err)
		}
		if now.Ctim == last.Ctim {
			return ticks{fs}
		}
		last = now
	}
	return fs
}

// tick waits for the kernel's clock to move.
func tick() {
	var begin, now unix.Timespec
	unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &begin)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		if unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now); now != begin {
			return
		}
	}
}

func (fs ticks) SetAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	tick()
	return fs.FS.SetAttr(ctx, c, h, set)
}

func (fs ticks) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	tick()
	f, e, created, ch, err := fs.FS.Create(ctx, c, dir, name, how, access)
	if err != nil {
		return f, e, created, ch, err
	}
	return tickingFile{f}, e, created, ch, nil
}

func (fs ticks) Mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	tick()
	return fs.FS.Mkdir(ctx, c, dir, name, set)
}

func (fs ticks) Symlink(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name, target string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	tick()
	return fs.FS.Symlink(ctx, c, dir, name, target, set)
}

func (fs ticks) Mknod(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, dev vfs.Device, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	tick()
	return fs.FS.Mknod(ctx, c, dir, name, t, dev, set)
}

func (fs ticks) Link(ctx context.Context, c *vfs.Caller, h vfs.Handle, dir vfs.Handle, name string) (vfs.DirChange, error) {
	tick()
	return fs.FS.Link(ctx, c, h, dir, name)
}

func (fs ticks) Remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, vfs.DirChange, error) {
	tick()
	return fs.FS.Remove(ctx, c, dir, name)
}

func (fs ticks) Rename(ctx context.Context, c *vfs.Caller, fromDir vfs.Handle, from string, toDir vfs.Handle, to string) (vfs.Entry, vfs.DirChange, vfs.DirChange, error) {
	tick()
	return fs.FS.Rename(ctx, c, fromDir, from, toDir, to)
}

func (fs ticks) Open(ctx context.Context, c *vfs.Caller, h vfs.Handle, access vfs.Access) (vfs.File, error) {
	f, err := fs.FS.Open(ctx, c, h, access)
	if err != nil {
		return f, err
	}
	return tickingFile{f}, nil
}

// tickingFile is a File of such an FS.
type tickingFile struct{ vfs.File }

func (f tickingFile) WriteAt(ctx context.Context, p []byte, off uint64, want vfs.Stability) (int, vfs.Stability, vfs.Verifier, error) {
	tick()
	return f.File.WriteAt(ctx, p, off, want)
}

func (f tickingFile) Truncate(ctx context.Context, size uint64) error {
	tick()
	return f.File.Truncate(ctx, size)
}
