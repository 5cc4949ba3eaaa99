// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package nfsserver answers NFSv4.1 and 4.2 for a vfs.FS (RFC 8881, RFC 7862, RFC 8276): COMPOUND, sessions with
// exactly-once replies, leases, opens, byte-range locks, and reclaim after a restart, home by home.
//
// It owns the protocol and its state. It never touches a disk: files are the FS's, the records that outlive a restart
// are the Recovery's. It never fakes stability: a reply says what the FS said was done. It gives no delegations and
// makes no calls back.
//
// One file of the package for each noun: compound, session, client, recovery, state, open, lock (range), io, file,
// walk, attr, directory, xattr, pseudo, squash, stats.
//
// Locks, in the order in which they are taken; those on one line are never held together:
//
//	Server.createMu                   one CREATE_SESSION at a time
//	client.releaseMu                  held over I/O while a client's state is taken away
//	slot.mu                           a request's slot, while it is looked at
//	client.recordMu                   held over I/O on the client's durable record
//	file.mu                           a file's opens, locks and descriptors; never held over I/O
//	clientTable.mu
//	client.mu                         a client's sessions and states
//	fileTable.shards, lingerMu, grace.mu
//
// No lock is held by all requests: two requests meet only in a client's read lock, in one file, or in one shard of 64.
package nfsserver

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// Options are what a Server is made of.
type Options struct {
	FS       vfs.FS
	Recovery Recovery
	Logger   *slog.Logger
	// ServerID names the store for as long as it exists: clients know by it that a restarted server is the same one.
	ServerID []byte
	// Lease is how long a client may be silent before what it holds may be given to others.
	Lease time.Duration
	// Observe, where set, is told of every operation that has run. It is called concurrently, in the middle of requests.
	Observe func(Operation)
}

// Settings are what can change while the server runs.
type Settings struct {
	// BaseShare is the path under which clients find the FS's root.
	BaseShare string
	Identity  Identity
}

// settings are Settings as the server uses them.
type settings struct {
	Settings
	pseudo []*pseudoDir
	since  time.Time
}

// Server answers NFS requests. It is an oncrpc.Handler; its methods may be called concurrently.
type Server struct {
	options Options
	now     atomic.Pointer[settings]
	started time.Time
	fsid    uint64
	xattrs  bool

	clients  *clientTable
	sessions sync.Map // nfs4.SessionID → *session
	files    *fileTable
	grace    *grace
	createMu sync.Mutex
}

// New returns a server. Open comes next.
func New(o Options, now Settings) *Server {
	id := sha256.Sum256(o.ServerID)
	s := &Server{
		options: o,
		started: time.Now(),
		fsid:    binary.BigEndian.Uint64(id[:]) | 1, // never that of the pseudo file system, zero
		clients: newClientTable(),
		files:   newFileTable(o.FS),
		grace:   newGrace(o.Logger, o.Recovery),
	}
	s.Set(now)
	return s
}

// Set changes the settings from the next request on. The base share may be given with or without slashes around it.
func (s *Server) Set(now Settings) {
	dirs := newPseudo(now.BaseShare)
	path := ""
	for _, d := range dirs {
		path += "/" + d.child
	}
	now.BaseShare = path
	s.now.Store(&settings{Settings: now, pseudo: dirs, since: time.Now()})
}

// Open reads the client records. Grace begins with it, where there are any.
func (s *Server) Open(ctx context.Context) error {
	root, err := s.options.FS.Root(ctx)
	if err != nil {
		return err
	}
	_, err = s.options.FS.ListXattr(ctx, nil, root)
	if err != nil && !errors.Is(err, syscall.EOPNOTSUPP) {
		return err
	}
	s.xattrs = err == nil
	s.started = time.Now()
	return s.grace.open(s.options.Lease)
}

// Run looks after leases, grace and lingering files until ctx ends. Then it syncs what lingers, and returns nil.
func (s *Server) Run(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	reap := time.NewTicker(max(s.options.Lease/4, time.Second))
	defer reap.Stop()
	for {
		select {
		case <-ctx.Done():
			s.files.settleBefore(time.Now())
			return nil
		case <-second.C:
			s.files.settleBefore(time.Now().Add(-lingerTime))
			s.endGrace()
		case <-reap.C:
			s.reap()
		}
	}
}

// endGrace ends grace for clients that have not come back within a lease; who came back has another to finish.
func (s *Server) endGrace() {
	since := time.Since(s.started)
	if since <= s.options.Lease {
		return
	}
	s.grace.end(func(owner []byte) bool {
		c := s.clients.byOwner(owner)
		return since <= 2*s.options.Lease && c != nil && !s.leaseOver(c)
	}, func(owner []byte) error {
		if c := s.clients.byOwner(owner); c != nil {
			c.recordMu.Lock()
			defer c.recordMu.Unlock()
		}
		return s.grace.done(owner, true)
	})
}

var compounds = sync.Pool{New: func() any { return new(compound) }}

// ServeRPC answers one call.
func (s *Server) ServeRPC(ctx context.Context, call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
	switch {
	case call.Program != nfs4.Program:
		return oncrpc.ProgUnavail
	case call.Version != nfs4.Version:
		return oncrpc.ProgMismatch(nfs4.Version, nfs4.Version)
	case call.Procedure == nfs4.ProcNull:
		return oncrpc.Success
	case call.Procedure != nfs4.ProcCompound:
		return oncrpc.ProcUnavail
	}
	c := compounds.Get().(*compound)
	defer compounds.Put(c)
	*c = compound{ctx: ctx, s: s, now: s.now.Load(), call: call, args: call.Args, res: reply, request: call.Args.Rest()}
	c.now.Identity.caller(&call.Cred, &c.caller, &c.groups)
	stat := c.serve()
	*c = compound{} // what is in the pool keeps no request alive
	return stat
}
