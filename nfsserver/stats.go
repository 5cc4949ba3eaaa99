// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"maps"
	"slices"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// Operation is one operation that has run.
type Operation struct {
	// Op is OpIllegal for all numbers that no operation has.
	Op     nfs4.Op
	Status nfs4.Status
	// Home is that of the current filehandle after it; zero where there is none.
	Home vfs.HomeID
	// Bytes is what it read of a file or wrote to it.
	Bytes int
	Took  time.Duration
}

// observe tells of the operation that has just run, and begins the next one's time.
func (c *compound) observe(op nfs4.Op, status nfs4.Status) {
	if c.s.options.Observe == nil {
		return
	}
	now := time.Now()
	o := Operation{Op: op, Status: status, Bytes: c.moved, Took: now.Sub(c.began)}
	if c.cur.kind == fileHandle {
		o.Home = c.cur.home
	}
	c.began = now
	c.s.options.Observe(o)
}

// Stats is what a server holds at one moment.
type Stats struct {
	// Clients are those that the server knows; Courtesy of them have let their lease run out, and keep what they hold while
	// nobody wants it.
	Clients, Courtesy int
	Sessions          int
	// Opens are the files that clients have open, once for each open owner; LockOwners who has, or had, locks in one.
	Opens, LockOwners int
	// Reclaiming is how many clients have yet to reclaim what they held before the restart, and Grace the homes that wait for
	// them.
	Reclaiming int
	Grace      []vfs.HomeID
}

// Stats tells what the server holds. It takes each client's lock for a moment.
func (s *Server) Stats() Stats {
	var st Stats
	for _, c := range s.clients.all() {
		st.Clients++
		c.mu.RLock()
		st.Sessions += len(c.sessions)
		for _, held := range c.states {
			if _, open := held.(*openState); open {
				st.Opens++
			} else {
				st.LockOwners++
			}
		}
		if len(c.states) > 0 && s.leaseOver(c) {
			st.Courtesy++
		}
		c.mu.RUnlock()
	}
	s.grace.mu.Lock()
	defer s.grace.mu.Unlock()
	st.Reclaiming, st.Grace = len(s.grace.pending), slices.Collect(maps.Keys(s.grace.homes))
	return st
}
