// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/test/loopback"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

const (
	hub = "hub"
	// patience is how long anything in a test may take.
	patience = 30 * time.Second
)

// records are client records that outlive a server, not the test.
type records struct {
	mu   sync.Mutex
	kept map[string]nfsserver.ClientRecord
}

func (r *records) Load() ([]nfsserver.ClientRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []nfsserver.ClientRecord
	for _, rec := range r.kept {
		all = append(all, rec)
	}
	return all, nil
}

func (r *records) Add(owner []byte, verifier [8]byte, home vfs.HomeID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.kept[string(owner)]
	homes := slices.Clone(rec.Homes)
	if !slices.Contains(homes, home) {
		homes = append(homes, home)
	}
	r.kept[string(owner)] = nfsserver.ClientRecord{Owner: slices.Clone(owner), Verifier: verifier, Homes: homes}
	return nil
}

func (r *records) Replace(owner []byte, verifier [8]byte, homes []vfs.HomeID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.kept, string(owner))
	if len(homes) > 0 {
		r.kept[string(owner)] = nfsserver.ClientRecord{Owner: slices.Clone(owner), Verifier: verifier, Homes: slices.Clone(homes)}
	}
	return nil
}

// server is a hubhome server in this process, on a port of its own.
type server struct {
	t       testing.TB
	memory  *vfstest.Memory
	records *records
	addr    string
	lease   time.Duration
	// handler is the server of now without a network.
	handler oncrpc.Handler
	stop    func()
}

// serve starts a server of a tree with one hub, which stops with the test.
func serve(t testing.TB) *server {
	t.Helper()
	addr, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		t:       t,
		memory:  vfstest.NewMemory(hub),
		records: &records{kept: map[string]nfsserver.ClientRecord{}},
		addr:    addr,
		lease:   20 * time.Second,
	}
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

// start starts the server, on the port that it had before.
func (s *server) start() {
	s.t.Helper()
	srv := nfsserver.New(nfsserver.Options{
		FS:       s.memory,
		Recovery: s.records,
		Logger:   slog.New(slog.DiscardHandler),
		ServerID: []byte("a store"),
		Lease:    s.lease,
	}, nfsserver.Settings{BaseShare: "/homes", Identity: nfsserver.Identity{Squash: nfsserver.SquashNone}})
	if err := srv.Open(context.Background()); err != nil {
		s.t.Fatalf("open the server: %v", err)
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatalf("listen: %v", err)
	}
	s.addr, s.handler = listener.Addr().String(), srv
	ctx, cancel := context.WithCancel(context.Background())
	rpc := oncrpc.Server{Handler: srv}
	var all sync.WaitGroup
	all.Go(func() { srv.Run(ctx) })
	all.Go(func() { rpc.Serve(ctx, listener) })
	s.stop = func() {
		cancel()
		all.Wait()
	}
}

// restart ends the server and starts another one on what is left: with lose, without what was not synced.
func (s *server) restart(lose bool) {
	s.t.Helper()
	s.stop()
	if lose {
		s.memory.Crash()
	}
	s.start()
}

// home makes a home, as a kubelet does, and returns its path.
func (s *server) home(name string) (path string, h vfs.Handle) {
	s.t.Helper()
	ctx := context.Background()
	root, err := s.memory.Root(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	dir, err := s.memory.Lookup(ctx, nil, root, hub)
	if err != nil {
		s.t.Fatal(err)
	}
	e, _, err := s.memory.Mkdir(ctx, nil, dir.Handle, name, vfs.SetAttr{})
	if err != nil {
		s.t.Fatal(err)
	}
	return "/homes/" + hub + "/" + name, e.Handle
}

// dial connects a client, which is closed with the test.
func dial(t *testing.T, cfg nfsclient.Config) *nfsclient.FS {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	fs, err := nfsclient.Dial(t.Context(), cfg)
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
