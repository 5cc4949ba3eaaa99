// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"sync"
	"time"
)

// home is a home while it is read.
type home struct {
	hub     *hub
	name    string
	started bool

	mu  sync.Mutex
	row Home
	// pending is how many of its directories are still to be read.
	pending int
	// links are the files that have more names than were seen.
	links map[uint64]names
	// old is what an earlier scan knew of it; nil where none did.
	old *known
	// kept are records of it that are not in the state's file yet.
	kept   []byte
	keptAt time.Time
}

// names is how many names of a file were seen, of how many.
type names struct{ seen, all uint32 }

// link is a file that has more than one name.
type link struct {
	id, used, size uint64
	names          uint32
}

// first tells whether no other name of the file was seen in this home. A file is forgotten when all its names were.
func (h *home) first(l *link) bool {
	n, known := h.links[l.id]
	n.seen++
	n.all = max(n.all, l.names)
	switch {
	case n.seen >= n.all:
		delete(h.links, l.id)
	case h.links == nil:
		h.links = map[uint64]names{l.id: n}
	default:
		h.links[l.id] = n
	}
	return !known
}

// add adds what was read of a directory.
func (h *home) add(t *Tally, links []link, asOf time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.row.Add(t)
	for i := range links {
		if l := &links[i]; h.first(l) {
			h.row.Add(&Tally{Used: l.used, Size: l.size, Files: 1})
		}
	}
	if h.row.AsOf.IsZero() || asOf.Before(h.row.AsOf) {
		h.row.AsOf = asOf
	}
}

// waits takes note of directories of the home that are to be read, and tells whether none is any more.
func (h *home) waits(n int) (over bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pending += n
	return h.pending == 0
}

// hub is a hub while it is read. scanner.mu guards it.
type hub struct {
	name   string
	loose  Tally
	links  home // of loose files; nothing else of it is used
	rows   []Home
	active map[*home]struct{}
	listed bool
	errors uint64
}
