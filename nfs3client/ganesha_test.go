// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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

// TestContract holds the client, with Ganesha behind it, to the contract of a tree of files: as Ganesha answers, and
// without all that servers may leave out of their answers.
func TestContract(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	t.Run("Ganesha", func(t *testing.T) { g.contract(t, g.Addr()) })
	t.Run("terse", func(t *testing.T) {
		_, addr := between(t, g.Addr(), bare)
		g.contract(t, addr)
	})
}

func (p *peer) contract(t *testing.T, addr string) {
	var trees atomic.Int32
	vfstest.Run(t, vfstest.Config{
		New: func(t *testing.T) (vfs.FS, vfs.Handle) {
			if addr != p.Addr() && strings.Contains(t.Name(), "/concurrency/") {
				t.Skip("of a server that does not say what it made, nobody knows what it was when it is gone again")
			}
			return p.home(t, addr, fmt.Sprint(filepath.Base(t.Name())[:1], addr[len(addr)-5:], trees.Add(1)))
		},
		Restart: func(t *testing.T, fs vfs.FS) vfs.FS {
			if addr != p.Addr() {
				t.Skip("what is in the middle does not connect again")
			}
			if err := p.Restart(t.Context()); err != nil {
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

// home makes a tree of its own with a home in it, and connects a client to it.
func (p *peer) home(t *testing.T, addr, tree string) (vfs.FS, vfs.Handle) {
	t.Helper()
	dir := filepath.Join(p.dir, tree, "hub", "ada")
	for _, err := range []error{os.MkdirAll(dir, 0o755), os.Chown(dir, 1000, 1000)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cfg := p.config("/homes/" + tree)
	cfg.Addr = addr
	fs := ticking(t, p.dir, dial(t, cfg))
	h := root(t, fs)
	for _, name := range []string{"hub", "ada"} {
		e, err := fs.Lookup(t.Context(), nil, h, name)
		if err != nil {
			t.Fatal(err)
		}
		h = e.Handle
	}
	return fs, h
}
