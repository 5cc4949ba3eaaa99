// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

const (
	// maxLinks is how many files with several names a directory may have that a record is kept of.
	maxLinks = 4 << 10
	// racyTime is how much older than a look a directory's last change must have been, for the change attribute to tell of
	// every later one. Servers make it of a clock that may tick slowly, and of which it is not known how far it is off.
	racyTime = time.Minute
	// keepBytes and keepTime are how much of a home may be lost with the process.
	keepBytes = 64 << 10
	keepTime  = 5 * time.Second
)

// record is what was found in a directory that has no directories in it.
type record struct {
	// dir is the directory's handle, hashed, and change its change attribute before it was read, at readAt.
	dir, change uint64
	readAt      time.Time
	// tally is what is in it, without itself and without links.
	tally Tally
	links []link
	// ours: this scan has kept it, before it was interrupted.
	ours bool
}

// hash makes a number of a handle.
func hash(h vfs.Handle) uint64 {
	sum := sha256.Sum256([]byte(h))
	return binary.LittleEndian.Uint64(sum[:])
}

// empty tells whether there was nothing in the directory: nothing, then, that can have grown.
func (r *record) empty() bool { return r.tally.Files == 0 && len(r.links) == 0 }

// append encodes a record: hash and change attribute in eight bytes each, the rest as varints.
func (r *record) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, r.dir)
	b = binary.LittleEndian.AppendUint64(b, r.change)
	b = binary.AppendVarint(b, r.readAt.UnixMilli())
	for _, n := range []uint64{r.tally.Used, r.tally.Size, r.tally.Files} {
		b = binary.AppendUvarint(b, n)
	}
	for _, at := range []time.Time{r.tally.Newest, r.tally.Oldest} {
		if r.tally.Newest.IsZero() {
			at = time.Unix(0, 0)
		}
		b = binary.AppendVarint(b, at.Unix())
		b = binary.AppendUvarint(b, uint64(at.Nanosecond()))
	}
	b = binary.AppendUvarint(b, uint64(len(r.links)))
	for i := range r.links {
		l := &r.links[i]
		for _, n := range []uint64{l.id, l.used, l.size, uint64(l.names)} {
			b = binary.AppendUvarint(b, n)
		}
	}
	return b
}

// decoder reads what append wrote. After an error it reads zeros.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) fixed() (n uint64) {
	if len(d.b) < 8 {
		d.fail()
		return 0
	}
	n, d.b = binary.LittleEndian.Uint64(d.b), d.b[8:]
	return n
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) fail() { d.b, d.bad = nil, true }

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) time() time.Time {
	sec := d.varint()
	return time.Unix(sec, int64(d.uvarint())).UTC()
}

func (d *decoder) record() (r record) {
	r.dir, r.change = d.fixed(), d.fixed()
	r.readAt = time.UnixMilli(d.varint()).UTC()
	r.tally.Used, r.tally.Size, r.tally.Files = d.uvarint(), d.uvarint(), d.uvarint()
	r.tally.Newest, r.tally.Oldest = d.time(), d.time()
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail()
		return r
	}
	r.links = make([]link, n)
	for i := range r.links {
		r.links[i] = link{id: d.uvarint(), used: d.uvarint(), size: d.uvarint(), names: uint32(d.uvarint())}
	}
	if r.empty() {
		r.tally.Newest, r.tally.Oldest = time.Time{}, time.Time{}
	}
	return r
}

// known is what an earlier scan recorded of a home.
type known struct {
	raw []byte
	// at is where in raw the record of a directory is. What is from ours on, this scan has kept.
	at   map[uint64]int
	ours int
}

// index makes raw ready to be searched. Later records of a directory are in place of earlier ones.
func (k *known) index() (ok bool) {
	k.at = map[uint64]int{}
	d := decoder{b: k.raw}
	for len(d.b) > 0 {
		at := len(k.raw) - len(d.b)
		if r := d.record(); !d.bad {
			k.at[r.dir] = at
		}
	}
	return !d.bad
}

// find returns the record of a directory.
func (k *known) find(h vfs.Handle) (r record, ok bool) {
	at, ok := k.at[hash(h)]
	if !ok {
		return r, false
	}
	d := decoder{b: k.raw[at:]}
	r = d.record()
	r.ours = at >= k.ours
	return r, !d.bad
}

// skip takes what a record says of a directory in place of reading it, where that is right; at is when the directory's
// attributes were seen.
func (s *scanner) skip(d *directory, at time.Time) bool {
	h := d.home
	if h.old == nil {
		return false
	}
	r, ok := h.old.find(d.handle)
	if !ok || r.change != d.change || !s.good(&r, d) {
		return false
	}
	asOf := at
	if !r.empty() && r.readAt.Before(at) {
		asOf = r.readAt
	}
	h.add(&r.tally, r.links, asOf)
	bytes := r.tally.Used
	for i := range r.links {
		bytes += r.links[i].used
	}
	s.counted(r.tally.Files+uint64(len(r.links)), bytes)
	if !r.ours {
		s.keep(h, &r)
	}
	return true
}

// good tells whether a record whose change attribute is that of the directory can be taken for what is in it.
func (s *scanner) good(r *record, d *directory) bool {
	age := s.spec.now().Sub(r.readAt)
	switch {
	case age < 0: // the clock was set back: nobody knows how old it is
		return false
	case r.ours && age < resumeTime: // it was read by this scan
		return true
	case d.ctime.Unix() == 0 || r.readAt.Sub(d.ctime) < racyTime || r.readAt.Sub(d.mtime) < racyTime:
		// A server that does not tell when the directory changed, or tells of a change since, is not believed that there was
		// none, whatever its change attribute.
		return false
	}
	return r.empty() || age < s.spec.MaxAge
}

// record keeps what was found in a directory that has no directories in it.
func (s *scanner) record(d *directory) {
	if s.spec.State == nil || len(d.links) > maxLinks {
		return
	}
	r := record{dir: hash(d.handle), change: d.change, readAt: d.began, tally: d.seen, links: d.links}
	s.keep(d.home, &r)
}

// keep has a record written to the state's file, now or with others. No more than one is added to what is enough already:
// segments have a longest length.
func (s *scanner) keep(h *home, r *record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = r.append(h.kept)
	now := time.Now()
	if h.keptAt.IsZero() {
		h.keptAt = now
	}
	if len(h.kept) >= keepBytes || now.Sub(h.keptAt) >= keepTime {
		s.flushLocked(h)
	}
}

// flush writes the records of a home that are not in the state's file yet.
func (s *scanner) flush(h *home) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.flushLocked(h)
}

// flushLocked is flush where h.mu is held.
func (s *scanner) flushLocked(h *home) {
	if len(h.kept) > 0 {
		s.spec.State.keepRecords(h.hub.name, h.name, h.kept)
	}
	h.kept, h.keptAt = nil, time.Now()
}
