// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// ClientRecord is what must be known of a client after a restart: who it was, and in which homes it held state.
type ClientRecord struct {
	// Owner is the client's co_ownerid; Verifier its co_verifier, which changes when the client itself restarts.
	Owner    []byte
	Verifier [8]byte
	Homes    []vfs.HomeID
}

// Recovery keeps client records where a restart finds them (RFC 8881 section 8.4.2.1). Every method is durable when it
// returns without error. Methods may be called concurrently, for one client only one at a time.
type Recovery interface {
	// Load returns the records that were kept when the server ended.
	Load() ([]ClientRecord, error)
	// Add records that a client is about to hold state in a home.
	Add(owner []byte, verifier [8]byte, home vfs.HomeID) error
	// Replace makes a client's record say these homes and no others; none: the record is gone.
	Replace(owner []byte, verifier [8]byte, homes []vfs.HomeID) error
}

// grace is the time after a restart in which clients reclaim what they held. It is per home: a home is in grace while
// a client that held state there has neither reclaimed nor run out of its lease (RFC 8881 section 8.4.2; the granularity
// is the server's choice as long as no conflicting state can be granted).
type grace struct {
	log      *slog.Logger
	recovery Recovery

	// active is false outside grace: the one look that a request takes then.
	active atomic.Bool

	mu      sync.Mutex
	pending map[string]*pendingClient // by owner
	homes   map[vfs.HomeID]int        // how many pending clients held state there
}

// pendingClient is a client that held state when the server ended, and has not reclaimed yet.
type pendingClient struct {
	record    ClientRecord
	homes     map[vfs.HomeID]struct{}
	reclaimed map[vfs.HomeID]struct{}
	// closed: it is being struck from the record what was not reclaimed; nothing can be reclaimed any more.
	closed bool
}

func newGrace(log *slog.Logger, recovery Recovery) *grace {
	return &grace{log: log, recovery: recovery, pending: map[string]*pendingClient{}, homes: map[vfs.HomeID]int{}}
}

// open reads the records. Where there are none, there is no grace.
func (g *grace) open(lease time.Duration) error {
	records, err := g.recovery.Load()
	if err != nil {
		return fmt.Errorf("load client records: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range records {
		p := &pendingClient{record: r, homes: map[vfs.HomeID]struct{}{}, reclaimed: map[vfs.HomeID]struct{}{}}
		for _, h := range r.Homes {
			p.homes[h] = struct{}{}
		}
		for h := range p.homes {
			g.homes[h]++
		}
		g.pending[string(r.Owner)] = p
	}
	if len(g.pending) > 0 {
		g.active.Store(true)
		g.log.Info("grace period: clients may reclaim", "clients", len(g.pending), "homes", len(g.homes), "lease", lease)
	}
	return nil
}

// holds tells whether a home refuses new state: somebody may still reclaim there.
func (g *grace) holds(home vfs.HomeID) bool {
	if !g.active.Load() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.homes[home] > 0
}

// mayReclaim tells whether a client may reclaim state in a home, and remembers that it did.
func (g *grace) mayReclaim(owner []byte, home vfs.HomeID) nfs4.Status {
	if !g.active.Load() {
		return nfs4.ErrNoGrace
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.pending[string(owner)]
	if p == nil || p.closed {
		return nfs4.ErrNoGrace
	}
	if _, held := p.homes[home]; !held {
		return nfs4.ErrReclaimBad
	}
	p.reclaimed[home] = struct{}{}
	return nfs4.OK
}

// done ends a client's part: it has reclaimed all that it wanted (keep), or it has restarted itself or gone for good, and
// lost what it had. What it does not keep is struck from its record before anybody else can get it: after another
// restart the client must not find it again (RFC 8881 section 8.4.3).
func (g *grace) done(owner []byte, keep bool) error {
	g.mu.Lock()
	p := g.pending[string(owner)]
	var homes []vfs.HomeID
	if p != nil {
		p.closed = true
	}
	if p != nil && keep {
		homes = slices.Collect(maps.Keys(p.reclaimed))
	}
	g.mu.Unlock()
	if p == nil {
		return nil
	}
	if err := g.recovery.Replace(owner, p.record.Verifier, homes); err != nil {
		g.mu.Lock()
		p.closed = false
		g.mu.Unlock()
		return fmt.Errorf("strike what a client did not reclaim: %w", err)
	}
	g.forget(owner)
	return nil
}

func (g *grace) forget(owner []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.pending[string(owner)]
	if p == nil {
		return
	}
	delete(g.pending, string(owner))
	for h := range p.homes {
		if g.homes[h]--; g.homes[h] == 0 {
			delete(g.homes, h)
		}
	}
	if len(g.pending) == 0 && g.active.CompareAndSwap(true, false) {
		g.log.Info("grace period is over")
	}
}

// pendingVerifier returns the verifier of a pending client, to tell a client that restarted from one that did not.
func (g *grace) pendingVerifier(owner []byte) (v [8]byte, pending bool) {
	if !g.active.Load() {
		return v, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.pending[string(owner)]
	if p == nil {
		return v, false
	}
	return p.record.Verifier, true
}

// end ends grace for the clients that have not come back: their lease is over. strike is done, with what must not
// happen meanwhile kept out.
func (g *grace) end(cameBack func(owner []byte) bool, strike func(owner []byte) error) {
	if !g.active.Load() {
		return
	}
	g.mu.Lock()
	owners := slices.Collect(maps.Keys(g.pending))
	g.mu.Unlock()
	for _, owner := range owners {
		if cameBack([]byte(owner)) {
			continue
		}
		// A record that cannot be struck keeps its homes in grace: better closed than given twice.
		if err := strike([]byte(owner)); err != nil {
			g.log.Error("a client's homes stay in grace", "error", err)
			continue
		}
		g.log.Info("a client did not reclaim in time: what it held is free", "client", fmt.Sprintf("%q", owner))
	}
}
