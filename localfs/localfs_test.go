// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

const hubName = "prod"

var hubs = []localfs.Hub{{Name: hubName, Homes: localfs.Owner{UID: 1000, GID: 1000}}}

// store is a directory with one hub, and what an FS on it needs.
type store struct {
	t    testing.TB
	path string
	disk disk.Disk
}

func newStore(t testing.TB) *store {
	t.Helper()
	if os.Geteuid() != 0 && os.Getenv(childOf) == "" {
		t.Skip("needs root: files are opened by handle and given away")
	}
	s := &store{t: t, path: t.TempDir()}
	for _, dir := range []string{hubName, ".hubhome", ".hubhome/new"} {
		if err := os.Mkdir(filepath.Join(s.path, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(s.path, hubName), 1000, 1000); err != nil {
		t.Fatal(err)
	}
	return s
}

// open returns an FS, as every start of a server makes one.
func (s *store) open() *localfs.FS {
	s.t.Helper()
	fs, err := localfs.New(localfs.Options{
		Disk: &s.disk, Root: s.dir(""), Nursery: s.dir(".hubhome/new"), Key: []byte("0123456789abcdef"),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := fs.SetHubs(hubs); err != nil {
		s.t.Fatal(err)
	}
	return fs
}

func (s *store) dir(name string) int {
	s.t.Helper()
	fd, err := unix.Open(filepath.Join(s.path, name), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// home makes a home, as a kubelet does: as root, under the hub.
func home(t testing.TB, fs vfs.FS, name string) vfs.Handle {
	t.Helper()
	ctx := context.Background()
	root, err := fs.Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	hub, err := fs.Lookup(ctx, nil, root, hubName)
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := fs.Mkdir(ctx, &vfs.Caller{}, hub.Handle, name, vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Handle
}

func TestConformance(t *testing.T) {
	stores := map[vfs.FS]*store{}
	vfstest.Run(t, vfstest.Config{
		New: func(t *testing.T) (vfs.FS, vfs.Handle) {
			s := newStore(t)
			fs := s.open()
			stores[fs] = s
			return fs, home(t, fs, "ada")
		},
		Restart: func(t *testing.T, fs vfs.FS) vfs.FS { return stores[fs].open() },
	})
}
