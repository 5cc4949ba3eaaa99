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
	// Held is what each client holds, of those that hold anything.
	Held []Held
	// Locks are the ranges of bytes that are locked, by home.
	Locks map[vfs.HomeID]int
	// Reclaiming is how many clients have yet to reclaim what they held before the restart, and Grace the homes that wait for
	// them.
	Reclaiming int
	Grace      []vfs.HomeID
}

// Held is what one client holds.
type Held struct {
	// Courtesy: its lease has run out.
	Courtesy bool
	// Opens are the files that it has open, once for each open owner, and LockOwners who has, or had, locks in one, by home.
	Opens, LockOwners map[vfs.HomeID]int
}

// Stats tells what the server holds. It takes each client's lock for a moment, and waits for no disk.
func (s *Server) Stats() Stats {
	var st Stats
	for _, c := range s.clients.all() {
		st.Clients++
		c.mu.RLock()
		st.Sessions += len(c.sessions)
		if len(c.states) > 0 {
			held := Held{s.leaseOver(c), map[vfs.HomeID]int{}, map[vfs.HomeID]int{}}
			for _, state := range c.states {
				home := state.common().file.home
				if _, open := state.(*openState); open {
					held.Opens[home]++
				} else {
					held.LockOwners[home]++
				}
			}
			if held.Courtesy {
				st.Courtesy++
			}
			st.Held = append(st.Held, held)
		}
		c.mu.RUnlock()
	}
	st.Locks = s.files.locked()
	s.grace.mu.Lock()
	defer s.grace.mu.Unlock()
	st.Reclaiming, st.Grace = len(s.grace.pending), slices.Collect(maps.Keys(s.grace.homes))
	return st
}
