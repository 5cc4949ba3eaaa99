// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// homes is a ledger over a tree in memory, and what was set at run time.
type homes struct {
	testing.TB
	*quota.Ledger
	tree *vfstest.Memory

	mu      sync.Mutex
	set     [][]console.Override
	inForce []console.Override // what Overrides returns
	err     error
	// after is how many homes are checked before err.
	after int
}

// Mark, Find and Now make homes its own keeper: nothing outlives a test.
func (h *homes) Mark(vfs.HomeID) (uint64, error) { return 0, nil }
func (h *homes) Find(context.Context) error      { return nil }
func (h *homes) Now() time.Time                  { return time.Now() }

func (h *homes) FS() vfs.FS { return h.tree }

func (h *homes) Check(ctx context.Context, repair bool, tell func(console.Checked) error) error {
	for i := range 3 {
		if h.err != nil && i == h.after {
			return h.err
		}
		u := quota.Usage{Bytes: int64(i), Inodes: 1}
		if err := tell(console.Checked{Hub: "prod", Home: fmt.Sprint("caf\xe9", i), Ledger: u, Disk: u, Believed: repair}); err != nil {
			return err
		}
	}
	return nil
}

func (h *homes) SetQuotas(set []console.Override) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	h.set = append(h.set, set)
	for _, o := range set {
		h.SetOverride(o.Hub, o.Home, o.Quota)
	}
	return nil
}

func (h *homes) Overrides() []console.Override { return h.inForce }

// newHomes has the hub prod with a quota of 1 GiB a home and the homes named, and the empty hub staging.
func newHomes(t testing.TB, names ...string) *homes {
	h := &homes{TB: t, tree: vfstest.NewMemory("prod", "staging")}
	h.Ledger = quota.New(h.tree, h)
	root, err := h.tree.Root(t.Context())
	h.must(err)
	var hubs []quota.Hub
	for _, name := range []string{"prod", "staging"} {
		e, err := h.tree.Lookup(t.Context(), nil, root, name)
		h.must(err)
		hub := quota.Hub{Home: quota.Home{ID: vfs.HomeID(e.Attr.FileID), Name: name}}
		if name == "prod" {
			hub.Quotas.Home.Bytes = hubhome.GiB
			for i, home := range names {
				id := vfs.HomeID(1<<20 + i)
				if len(names) < 100 {
					made, _, err := h.tree.Mkdir(t.Context(), nil, e.Handle, home, vfs.SetAttr{})
					h.must(err)
					id = vfs.HomeID(made.Attr.FileID)
				}
				hub.Homes = append(hub.Homes, quota.Home{ID: id, Name: home})
			}
		}
		hubs = append(hubs, hub)
	}
	h.SetHubs(hubs)
	return h
}

func (h *homes) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// dir returns a directory below prod, made where it is not there.
func (h *homes) dir(path string) vfs.Handle {
	h.Helper()
	at, err := h.tree.Root(h.Context())
	h.must(err)
	for name := range strings.SplitSeq("prod/"+path, "/") {
		e, err := h.tree.Lookup(h.Context(), nil, at, name)
		if err != nil {
			e, _, err = h.tree.Mkdir(h.Context(), nil, at, name, vfs.SetAttr{})
		}
		h.must(err)
		at = e.Handle
	}
	return at
}

// file makes a file below prod of a size.
func (h *homes) file(path string, size int) vfs.Handle {
	h.Helper()
	dir, name := filepath.Split(path)
	f, e, _, _, err := h.tree.Create(h.Context(), nil, h.dir(strings.TrimSuffix(dir, "/")), name, vfs.Create{}, vfs.Write)
	h.must(err)
	defer f.Close()
	_, _, _, err = f.WriteAt(h.Context(), make([]byte, size), 0, vfs.FileSync)
	h.must(err)
	return e.Handle
}

// serve serves them on a socket, and returns a client and the socket.
func serve(t testing.TB, h console.Homes) (*console.Client, string) {
	dir, err := os.MkdirTemp("", "console") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "admin.sock")
	l, err := console.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- console.NewServer(h, slog.New(slog.DiscardHandler)).Serve(ctx, l) }()
	c := console.NewClient(socket)
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it left its socket behind: %v", err)
		}
	})
	return c, socket
}
