// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"math"

	"github.com/hubhome/hubhome/nfs4"
)

// byteRange is a locked range of bytes, both ends included; last is math.MaxUint64 for "to the end, however far".
type byteRange struct {
	first, last uint64
	write       bool
	owner       *lockState
}

// newByteRange checks a range as it stands in a request: INVAL for a length of zero and for one that goes beyond what
// 64 bits can address (RFC 8881 section 18.10.3).
func newByteRange(offset, length uint64, write bool) (byteRange, nfs4.Status) {
	if length == math.MaxUint64 {
		return byteRange{first: offset, last: math.MaxUint64, write: write}, nfs4.OK
	}
	if length == 0 || offset > math.MaxUint64-length {
		return byteRange{}, nfs4.ErrInval
	}
	return byteRange{first: offset, last: offset + length - 1, write: write}, nfs4.OK
}

// length is the range's length as a reply says it.
func (r byteRange) length() uint64 {
	if r.last == math.MaxUint64 {
		return math.MaxUint64
	}
	return r.last - r.first + 1
}

func (r byteRange) overlaps(o byteRange) bool { return r.first <= o.last && o.first <= r.last }

// lockList is the locks on one file, in no order. An owner's ranges never overlap, and those of one kind that touch
// are one range, so that the list is as short as it can be.
type lockList []byteRange

// conflict returns a range of another owner that forbids r.
func (l lockList) conflict(r byteRange, mine func(*lockState) bool) *byteRange {
	for i := range l {
		if (l[i].write || r.write) && l[i].overlaps(r) && !mine(l[i].owner) {
			return &l[i]
		}
	}
	return nil
}

// unlock takes r away from what its owner holds, splitting a range where needed.
func (l lockList) unlock(r byteRange) lockList {
	kept := make(lockList, 0, len(l)+1)
	for _, h := range l {
		if h.owner != r.owner || !h.overlaps(r) {
			kept = append(kept, h)
			continue
		}
		if h.first < r.first {
			left := h
			left.last = r.first - 1
			kept = append(kept, left)
		}
		if h.last > r.last {
			right := h
			right.first = r.last + 1
			kept = append(kept, right)
		}
	}
	return kept
}

// lock gives r to its owner, in place of what the owner held there (a POSIX lock may be upgraded and downgraded in
// place). The caller has asked conflict.
func (l lockList) lock(r byteRange) lockList {
	l = l.unlock(r)
	kept := l[:0]
	for _, h := range l {
		touches := h.owner == r.owner && h.write == r.write &&
			(h.last != math.MaxUint64 && h.last+1 == r.first || r.last != math.MaxUint64 && r.last+1 == h.first)
		if !touches {
			kept = append(kept, h)
			continue
		}
		r.first, r.last = min(r.first, h.first), max(r.last, h.last)
	}
	return append(kept, r)
}

// release takes away all that an owner holds.
func (l lockList) release(owner *lockState) lockList {
	kept := l[:0]
	for _, h := range l {
		if h.owner != owner {
			kept = append(kept, h)
		}
	}
	clear(l[len(kept):])
	return kept
}

// holds tells whether an owner holds anything.
func (l lockList) holds(owner *lockState) bool {
	for _, h := range l {
		if h.owner == owner {
			return true
		}
	}
	return false
}
