// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// patience is how long a test waits for anything. It is there for what hangs.
const patience = 30 * time.Second

// The tree that every test begins with: the homes ada, bob and eve in the hub prod, and an empty hub, staging.
const (
	baseShare = "/homes"
	hub       = "prod"
)

var serverID = []byte("a store that is for tests")

// bed is a server over a tree in memory, on a loopback port, and all that outlives its restart.
type bed struct {
	*testing.T
	fs       *vfstest.Memory
	recovery *records
	settings nfsserver.Settings
	lease    time.Duration
	observe  func(nfsserver.Operation)

	// panics: the test makes the server panic, and wants to.
	panics atomic.Bool

	server *nfsserver.Server
	addr   string
	stop   func() // ends the server and waits until it has
}

// option changes how a bed is made.
type option func(*bed)

func withLease(d time.Duration) option { return func(b *bed) { b.lease = d } }

func withBaseShare(path string) option { return func(b *bed) { b.settings.BaseShare = path } }

func withSquash(s nfsserver.Squash) option { return func(b *bed) { b.settings.Identity.Squash = s } }

// newBed starts a server. Nobody is squashed, so that tests say who they are.
func newBed(t *testing.T, options ...option) *bed {
	b := &bed{
		T:        t,
		fs:       vfstest.NewMemory(hub, "staging"),
		recovery: &records{},
		settings: nfsserver.Settings{
			BaseShare: baseShare,
			Identity:  nfsserver.Identity{Squash: nfsserver.SquashNone, UID: 1000, GID: 1000},
		},
		lease: 90 * time.Second,
	}
	for _, o := range options {
		o(b)
	}
	for _, user := range []string{"ada", "bob", "eve"} {
		_, _, err := b.fs.Mkdir(t.Context(), nil, b.find(hub), user, vfs.SetAttr{})
		b.must("make a home", err)
	}
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *bed) must(step string, err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: %v", step, err)
	}
}

// find returns the handle of a path of names in the tree.
func (b *bed) find(names ...string) vfs.Handle {
	b.Helper()
	h, err := b.fs.Root(b.Context())
	b.must("find the root", err)
	for _, name := range names {
		e, err := b.fs.Lookup(b.Context(), nil, h, name)
		b.must("find "+name, err)
		h = e.Handle
	}
	return h
}

// file makes a file in a home, behind the server's back, that belongs to 1000:1000 and has a mode of 0666.
func (b *bed) file(home, name, contents string) vfs.Handle {
	b.Helper()
	mode, owner := uint32(0o666), uint32(1000)
	how := vfs.Create{Mode: vfs.Guarded, Attr: vfs.SetAttr{Mode: &mode, UID: &owner, GID: &owner}}
	f, e, _, _, err := b.fs.Create(b.Context(), nil, b.find(hub, home), name, how, vfs.Write)
	b.must("make "+name, err)
	if contents != "" {
		_, _, _, err = f.WriteAt(b.Context(), []byte(contents), 0, vfs.FileSync)
		b.must("write "+name, err)
	}
	b.must("close "+name, f.Close())
	return e.Handle
}

// contents reads a file behind the server's back.
func (b *bed) contents(names ...string) string {
	b.Helper()
	f, err := b.fs.Open(b.Context(), nil, b.find(names...), vfs.Read)
	b.must("open", err)
	defer f.Close()
	p := make([]byte, 4<<20)
	n, _, err := f.ReadAt(b.Context(), p, 0)
	b.must("read", err)
	return string(p[:n])
}

// start starts a server on the tree, as a process would that has just begun.
func (b *bed) start() {
	b.Helper()
	b.server = nfsserver.New(nfsserver.Options{
		FS:       b.fs,
		Recovery: b.recovery,
		Logger:   slog.New(&watcher{b}),
		ServerID: serverID,
		Lease:    b.lease,
		Observe:  b.observe,
	}, b.settings)
	b.must("open the server", b.server.Open(b.Context()))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	b.must("listen", err)
	b.addr = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	rpc := oncrpc.Server{Handler: b.server, DrainTimeout: 10 * time.Millisecond}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := rpc.Serve(ctx, listener); err != nil {
			b.Errorf("serve: %v", err)
		}
	})
	wg.Go(func() {
		if err := b.server.Run(ctx); err != nil {
			b.Errorf("run: %v", err)
		}
	})
	b.stop = func() {
		cancel()
		wg.Wait()
	}
}

// restart ends the server's process, and starts another on the same tree and records. Clients have to connect again.
func (b *bed) restart() {
	b.Helper()
	b.stop()
	b.start()
}

// eventually waits until something is so.
func (b *bed) eventually(what string, is func() bool) {
	b.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// watcher fails the test for a panic in the server.
type watcher struct{ bed *bed }

func (w *watcher) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

func (w *watcher) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "panic in a request" && !w.bed.panics.Load() {
		r.Attrs(func(a slog.Attr) bool {
			w.bed.Errorf("panic in a request: %v", a)
			return true
		})
	}
	return nil
}

func (w *watcher) WithAttrs([]slog.Attr) slog.Handler { return w }

func (w *watcher) WithGroup(string) slog.Handler { return w }

// records is a Recovery in memory. Its records outlive the server, and it can be made to fail.
type records struct {
	mu   sync.Mutex
	kept []nfsserver.ClientRecord
	// broken are the methods that answer an error.
	broken map[string]error
}

// fail makes a method answer an error, until it is called with nil.
func (r *records) fail(method string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = map[string]error{method: err}
}

// homes returns how many homes the record of an owner has; none where there is no record.
func (r *records) homes(owner string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.index([]byte(owner)); i >= 0 {
		return len(r.kept[i].Homes)
	}
	return 0
}

func (r *records) index(owner []byte) int {
	return slices.IndexFunc(r.kept, func(c nfsserver.ClientRecord) bool { return string(c.Owner) == string(owner) })
}

// Load returns copies of the records.
func (r *records) Load() ([]nfsserver.ClientRecord, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := slices.Clone(r.kept)
	for i := range kept {
		kept[i].Homes = slices.Clone(kept[i].Homes)
	}
	return kept, r.broken["Load"]
}

// Add adds a home to a client's record; a record of another verifier is replaced.
func (r *records) Add(owner []byte, verifier [8]byte, home vfs.HomeID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.broken["Add"]; err != nil {
		return err
	}
	i := r.index(owner)
	switch {
	case i < 0:
		r.kept = append(r.kept, nfsserver.ClientRecord{Owner: slices.Clone(owner), Verifier: verifier, Homes: []vfs.HomeID{home}})
	case r.kept[i].Verifier != verifier:
		r.kept[i].Verifier, r.kept[i].Homes = verifier, []vfs.HomeID{home}
	case !slices.Contains(r.kept[i].Homes, home):
		r.kept[i].Homes = append(r.kept[i].Homes, home)
	}
	return nil
}

// Replace makes a client's record say these homes.
func (r *records) Replace(owner []byte, verifier [8]byte, homes []vfs.HomeID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.broken["Replace"]; err != nil {
		return err
	}
	r.kept = slices.DeleteFunc(r.kept, func(c nfsserver.ClientRecord) bool { return string(c.Owner) == string(owner) })
	if len(homes) > 0 {
		r.kept = append(r.kept, nfsserver.ClientRecord{Owner: slices.Clone(owner), Verifier: verifier, Homes: slices.Clone(homes)})
	}
	return nil
}

// setModeOf sets a file's mode, behind the server's back.
func setModeOf(mode uint32) vfs.SetAttr { return vfs.SetAttr{Mode: &mode} }
