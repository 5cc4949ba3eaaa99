// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// patience is how long anything in a test may take.
const patience = 30 * time.Second

// peer is a Ganesha that serves a new directory with NFSv3 as /homes, until the test ends.
type peer struct {
	*ganesha.Server
	dir string
}

func startPeer(t *testing.T, cfg ganesha.Config) *peer {
	t.Helper()
	if testing.Short() {
		t.Skip("starts another server")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := ganesha.Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cfg.Dir, cfg.Pseudo, cfg.NFSv3 = t.TempDir(), "/homes", true
	if err := os.Chmod(cfg.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	g, err := ganesha.Start(ctx, cfg)
	if err != nil {
		t.Fatalf("start NFS-Ganesha: %v", err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Errorf("stop NFS-Ganesha: %v", err)
		}
	})
	return &peer{g, cfg.Dir}
}

// config is how to reach the peer without a port mapper.
func (p *peer) config(export string) nfs3client.Config {
	return nfs3client.Config{Addr: p.Addr(), MountAddr: p.MountAddr(), Export: export, Timeout: patience}
}

// dial connects a client, which is closed with the test.
func dial(t *testing.T, cfg nfs3client.Config) *nfs3client.FS {
	t.Helper()
	fs, err := nfs3client.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() {
		if err := fs.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return fs
}

// root returns the root of a client's export.
func root(t *testing.T, fs vfs.FS) vfs.Handle {
	t.Helper()
	h, err := fs.Root(t.Context())
	if err != nil {
		t.Fatalf("root: %v", err)
	}
	return h
}

// TestContract holds the client, with Ganesha behind it, to the contract of a tree of files.
func TestContract(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	var trees atomic.Int32
	vfstest.Run(t, vfstest.Config{
		New: func(t *testing.T) (vfs.FS, vfs.Handle) {
			name := fmt.Sprint("tree", trees.Add(1))
			home := filepath.Join(g.dir, name, "hub", "ada")
			for _, err := range []error{os.MkdirAll(home, 0o755), os.Chown(home, 1000, 1000)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			fs := dial(t, g.config("/homes/"+name))
			hub, err := fs.Lookup(t.Context(), nil, root(t, fs), "hub")
			if err != nil {
				t.Fatal(err)
			}
			e, err := fs.Lookup(t.Context(), nil, hub.Handle, "ada")
			if err != nil {
				t.Fatal(err)
			}
			return fs, e.Handle
		},
		Restart: func(t *testing.T, fs vfs.FS) vfs.FS {
			if err := g.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			return fs // which connects again
		},
		NoHomeID: true,
		NoXattrs: true,
		NoSeek:   true,
		NoOpens:  true,
		NoHomes:  true,
		Foreign:  true,
	})
}
