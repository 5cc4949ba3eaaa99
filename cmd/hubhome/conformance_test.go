// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// served is a server of this process, wired as `serve` wires it.
type served struct {
	file string
	addr string
	// hub is what the configuration says of the hub prod, rest what else it says.
	hub, rest string
	stop      func()
}

// start serves the store beside the file, at addr; again at the same one, so that clients find it.
func (s *served) start(t *testing.T) {
	t.Helper()
	text := fmt.Sprintf("store: {disk: {path: .}}\nnfs: {listen: '%s', squash: none}\n%shubs: {prod: %s}\n", s.addr, s.rest, cmp.Or(s.hub, "{}"))
	if err := os.WriteFile(s.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(s.file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := openServer(ctx, slog.New(slog.DiscardHandler), new(slog.LevelVar), s.file, c)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	s.addr = srv.listener.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- srv.run(ctx, nil) }()
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended: %v", err)
		}
		if err := srv.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestConformance holds the whole way, from the client over the wire and the server to the disk and back, to the contract
// of a tree of files, with both versions of the protocol.
func TestConformance(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
	for minor := range uint32(2) {
		t.Run(fmt.Sprintf("NFSv4.%d", minor+1), func(t *testing.T) {
			if testing.Short() && minor == 0 {
				t.Skip("the same again with an older minor version")
			}
			conformance(t, minor+1)
		})
	}
}

func conformance(t *testing.T, minor uint32) {
	servers := map[vfs.FS]*served{}
	dial := func(t *testing.T, s *served) *nfsclient.FS {
		t.Helper()
		fs, err := nfsclient.Dial(t.Context(), nfsclient.Config{Addr: s.addr, Export: "/homes", MinorVersion: minor, Timeout: patience})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { fs.Close() })
		servers[fs] = s
		return fs
	}
	vfstest.Run(t, vfstest.Config{
		New: func(t *testing.T) (vfs.FS, vfs.Handle) {
			addr, err := freeAddr()
			if err != nil {
				t.Fatal(err)
			}
			s := &served{file: filepath.Join(t.TempDir(), "hubhome.yaml"), addr: addr}
			s.start(t)
			t.Cleanup(func() { s.stop() })
			fs := dial(t, s)
			return fs, kubelet(t, fs, "prod", "ada")
		},
		Restart: func(t *testing.T, fs vfs.FS) vfs.FS {
			s := servers[fs]
			s.stop()
			s.start(t)
			return dial(t, s)
		},
		NoHomeID: true,
		NoXattrs: minor < 2,
		NoSeek:   minor < 2,
	})
}

// kubelet makes a home as a kubelet does for a subPath.
func kubelet(t *testing.T, fs vfs.FS, hub, name string) vfs.Handle {
	t.Helper()
	root, err := fs.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir, err := fs.Lookup(t.Context(), nil, root, hub)
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := fs.Mkdir(t.Context(), &vfs.Caller{}, dir.Handle, name, vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Handle
}
