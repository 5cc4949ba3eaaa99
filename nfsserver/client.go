// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"container/list"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

const (
	// maxClients bounds the client records, confirmed or not.
	maxClients = 16384
	// maxSessions bounds the sessions of one client.
	maxSessions = 16
	// maxStates bounds the opens and lock owners of one client.
	maxStates = 65536
	// maxCourtesy bounds the clients whose lease is over and whose state is kept while nobody wants it
	// (RFC 8881 section 8.4.3); courtesyTime is for how long.
	maxCourtesy  = 1024
	courtesyTime = 24 * time.Hour
)

// principal is who sent an EXCHANGE_ID: another one may not take a client's record over (RFC 8881 section 2.4.3).
type principal struct {
	flavor oncrpc.Flavor
	uid    uint32
}

// client is one NFS client, as it names itself with EXCHANGE_ID.
type client struct {
	id        nfs4.ClientID
	owner     []byte
	verifier  [8]byte
	principal principal

	// renewed is when the lease was last renewed, in nanoseconds of the server's monotonic clock.
	renewed atomic.Int64

	// Under clientTable.mu.
	confirmed   bool
	createSeq   uint32
	createReply *createReply  // the last CREATE_SESSION's, under Server.createMu; nil before the first
	waits       *list.Element // in clientTable.waiting

	mu sync.RWMutex
	// dead is set for good before the client's state is taken away: it gets no more.
	dead     bool
	sessions map[nfs4.SessionID]*session
	states   map[stateOther]state
	// reclaimComplete: the client may take new state.
	reclaimComplete bool
	// used counts the opens in each home.
	used map[vfs.HomeID]int

	// releaseMu is held while the client's state is taken away: who finds it dead knows that all of it is gone.
	releaseMu sync.Mutex
	released  bool

	// recordMu is held over I/O on the client's durable record; recorded are the homes in it.
	recordMu sync.Mutex
	recorded map[vfs.HomeID]struct{}
}

// createReply is the answer to a CREATE_SESSION, kept for a retry (RFC 8881 section 18.36.4).
type createReply struct {
	status nfs4.Status
	result []byte
}

// clientTable finds clients by id and by owner.
type clientTable struct {
	mu          sync.Mutex
	confirmed   map[string]*client // by owner
	unconfirmed map[string]*client // by owner
	waiting     list.List          // of the unconfirmed, oldest first
	ids         sync.Map           // nfs4.ClientID → *client, both kinds
	next        uint64
}

func newClientTable() *clientTable {
	// A client id from before a restart must not be taken for one of now: the high half is random.
	var seed [4]byte
	rand.Read(seed[:])
	return &clientTable{
		confirmed:   map[string]*client{},
		unconfirmed: map[string]*client{},
		next:        uint64(binary.BigEndian.Uint32(seed[:])) << 32,
	}
}

func (t *clientTable) byID(id nfs4.ClientID) *client {
	c, ok := t.ids.Load(id)
	if !ok {
		return nil
	}
	return c.(*client)
}

// byOwner returns the confirmed client of an owner, nil where there is none.
func (t *clientTable) byOwner(owner []byte) *client {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.confirmed[string(owner)]
}

// exchangeID finds or makes the record of an owner: the cases of RFC 8881 section 18.35.4. update asks to change the
// record that is there. fresh tells whether the record is new and unconfirmed.
func (s *Server) exchangeID(owner []byte, verifier [8]byte, who principal, update bool) (c *client, fresh bool, status nfs4.Status) {
	t := s.clients
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.confirmed[string(owner)]
	if update {
		switch {
		case old == nil:
			return nil, false, nfs4.ErrNoEnt
		case old.verifier != verifier:
			return nil, false, nfs4.ErrNotSame
		case old.principal != who:
			return nil, false, nfs4.ErrPerm
		}
		return old, false, nfs4.OK
	}
	if old != nil {
		switch {
		case old.principal != who && old.busy() && !s.leaseOver(old):
			return nil, false, nfs4.ErrClidInUse
		case old.principal == who && old.verifier == verifier:
			s.renew(old)
			return old, false, nfs4.OK
		}
		// The client has restarted, or another principal takes over what is not in use. The old record goes when
		// the new one is confirmed.
	}
	if stale := t.unconfirmed[string(owner)]; stale != nil {
		t.forget(stale)
	} else if len(t.confirmed)+len(t.unconfirmed) >= maxClients && !t.makeRoom() {
		return nil, false, nfs4.ErrDelay
	}
	t.next++
	c = &client{
		id:        nfs4.ClientID(t.next),
		owner:     slices.Clone(owner),
		verifier:  verifier,
		principal: who,
		createSeq: 1,
		sessions:  map[nfs4.SessionID]*session{},
		states:    map[stateOther]state{},
		used:      map[vfs.HomeID]int{},
		recorded:  map[vfs.HomeID]struct{}{},
	}
	s.renew(c)
	t.unconfirmed[string(owner)] = c
	c.waits = t.waiting.PushBack(c)
	t.ids.Store(c.id, c)
	return c, true, nfs4.OK
}

// makeRoom forgets the unconfirmed client that has waited longest. t.mu is held.
func (t *clientTable) makeRoom() bool {
	oldest := t.waiting.Front()
	if oldest == nil {
		return false
	}
	t.forget(oldest.Value.(*client))
	return true
}

// forget takes an unconfirmed client out of the table. t.mu is held.
func (t *clientTable) forget(c *client) {
	delete(t.unconfirmed, string(c.owner))
	t.waiting.Remove(c.waits)
	t.ids.Delete(c.id)
}

// confirm makes a client's record the one of its owner. The record of its earlier life has been released. It answers
// false where the record was replaced by another meanwhile.
func (t *clientTable) confirm(c *client) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unconfirmed[string(c.owner)] != c {
		return false
	}
	delete(t.unconfirmed, string(c.owner))
	t.waiting.Remove(c.waits)
	t.confirmed[string(c.owner)] = c
	c.confirmed = true
	return true
}

// remove takes a client out of the table.
func (t *clientTable) remove(c *client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch c {
	case t.confirmed[string(c.owner)]:
		delete(t.confirmed, string(c.owner))
		t.ids.Delete(c.id)
	case t.unconfirmed[string(c.owner)]:
		t.forget(c)
	}
}

// all returns every client.
func (t *clientTable) all() []*client {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*client, 0, len(t.confirmed)+len(t.unconfirmed))
	for _, byOwner := range []map[string]*client{t.confirmed, t.unconfirmed} {
		for _, c := range byOwner {
			all = append(all, c)
		}
	}
	return all
}

// busy tells whether a client holds sessions or state.
func (c *client) busy() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.sessions) > 0 || len(c.states) > 0
}

func (c *client) hasState() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.states) > 0
}

// renew starts a client's lease anew.
func (s *Server) renew(c *client) { c.renewed.Store(int64(time.Since(s.started))) }

// leaseOver tells whether a client's lease has run out.
func (s *Server) leaseOver(c *client) bool {
	return time.Since(s.started)-time.Duration(c.renewed.Load()) > s.options.Lease
}

// release takes away all that a client has: its record, its sessions, its state. The files it had open are closed, and
// linger where they have unsynced data. Where the record cannot be removed, the client keeps its state, and can do
// nothing with it: nobody else may have what it could reclaim after a restart.
func (s *Server) release(c *client) error {
	c.releaseMu.Lock()
	defer c.releaseMu.Unlock()
	if c.released {
		return nil
	}
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	if err := s.forgetRecord(c); err != nil {
		return err
	}
	c.mu.Lock()
	sessions, states := c.sessions, c.states
	c.sessions, c.states = nil, nil
	c.mu.Unlock()
	for _, ses := range sessions {
		s.sessions.Delete(ses.id)
	}
	for _, st := range states {
		if open, ok := st.(*openState); ok {
			s.dropOpen(open)
		}
	}
	s.clients.remove(c)
	c.released = true
	return nil
}

// expire is release for a client whose lease is over and whose state is in another's way.
func (s *Server) expire(c *client) error {
	s.options.Logger.Info("a client's lease is over: what it held is free", "client", c.String())
	return s.release(c)
}

func (c *client) String() string { return fmt.Sprintf("%q", c.owner) }

// record makes it durable that a client holds state in a home, before it is given any. BADSESSION for a client that has
// just been released.
func (s *Server) record(c *client, home vfs.HomeID) error {
	c.recordMu.Lock()
	defer c.recordMu.Unlock()
	if _, done := c.recorded[home]; done {
		return nil
	}
	c.mu.RLock()
	dead := c.dead
	c.mu.RUnlock()
	if dead {
		return nfs4.ErrBadSession
	}
	if err := s.options.Recovery.Add(c.owner, c.verifier, home); err != nil {
		return fmt.Errorf("record a client's home: %w", err)
	}
	c.recorded[home] = struct{}{}
	return nil
}

// forgetRecord removes a client's record. The client is dead: nothing is added any more.
func (s *Server) forgetRecord(c *client) error {
	c.recordMu.Lock()
	defer c.recordMu.Unlock()
	if len(c.recorded) == 0 {
		return nil
	}
	if err := s.options.Recovery.Replace(c.owner, c.verifier, nil); err != nil {
		return fmt.Errorf("remove a client's record: %w", err)
	}
	clear(c.recorded)
	return nil
}

// trimRecord takes the homes out of a client's record in which it holds nothing any more: they would wait for it
// after a restart. A client that is yet to reclaim keeps them all.
func (s *Server) trimRecord(c *client) error {
	c.recordMu.Lock()
	defer c.recordMu.Unlock()
	if _, pending := s.grace.pendingVerifier(c.owner); pending {
		return nil
	}
	c.mu.RLock()
	var homes []vfs.HomeID
	for h := range c.recorded {
		if c.used[h] > 0 {
			homes = append(homes, h)
		}
	}
	dead := c.dead
	c.mu.RUnlock()
	if dead || len(homes) == len(c.recorded) {
		return nil
	}
	if err := s.options.Recovery.Replace(c.owner, c.verifier, homes); err != nil {
		return fmt.Errorf("shorten a client's record: %w", err)
	}
	clear(c.recorded)
	for _, h := range homes {
		c.recorded[h] = struct{}{}
	}
	return nil
}

// reap looks after leases: a client without a lease and without state is forgotten; one with state is kept for as
// long as nobody is in its way, within bounds.
func (s *Server) reap() {
	now := time.Since(s.started)
	var courtesy []*client
	for _, c := range s.clients.all() {
		if !s.leaseOver(c) {
			if err := s.trimRecord(c); err != nil {
				s.options.Logger.Error("client record", "client", c.String(), "error", err)
			}
			continue
		}
		if c.hasState() && now-time.Duration(c.renewed.Load()) < courtesyTime {
			courtesy = append(courtesy, c)
			continue
		}
		s.expireLogged(c)
	}
	if len(courtesy) <= maxCourtesy {
		return
	}
	slices.SortFunc(courtesy, func(a, b *client) int { return int(a.renewed.Load() - b.renewed.Load()) })
	for _, c := range courtesy[:len(courtesy)-maxCourtesy] {
		s.expireLogged(c)
	}
}

func (s *Server) expireLogged(c *client) {
	if err := s.expire(c); err != nil {
		s.options.Logger.Error("client record", "client", c.String(), "error", err)
	}
}
