// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"errors"
	"math/bits"
	"sync"

	"github.com/hubhome/hubhome/nfs4"
)

// wantSlots is how many requests may be under way at once, if the server agrees.
const wantSlots = 64

// errOver is the error of a wait for a slot of a session that is no more.
var errOver = errors.New("the session is no more")

// slots are the slots of a session (RFC 8881 section 2.10.6.1). Each carries one request at a time. Low ones go first,
// so that the server keeps few replies for a client that asks little at once.
type slots struct {
	free chan struct{} // has an element for each free slot
	over chan struct{} // closed when the session is no more

	mu     sync.Mutex
	unused uint64 // a bit for each free slot
	seqs   [wantSlots]uint32
}

func newSlots(n int) *slots {
	t := &slots{free: make(chan struct{}, n), over: make(chan struct{})}
	for i := range n {
		t.free <- struct{}{}
		t.unused |= 1 << i
		t.seqs[i] = 1
	}
	return t
}

// take waits for a slot. What goes into SEQUENCE stays the same however often the request is sent: the server takes
// another request under the same number for an error.
func (t *slots) take(ctx context.Context) (nfs4.SequenceArgs, error) {
	select {
	case <-t.free:
	case <-t.over:
		return nfs4.SequenceArgs{}, errOver
	case <-ctx.Done():
		return nfs4.SequenceArgs{}, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	id := bits.TrailingZeros64(t.unused)
	t.unused &^= 1 << id
	used := ^t.unused & (1<<cap(t.free) - 1)
	return nfs4.SequenceArgs{
		SequenceID:    t.seqs[id],
		SlotID:        uint32(id),
		HighestSlotID: uint32(bits.Len64(used) - 1),
	}, nil
}

// give gives back a slot. seq is the number of its next request.
func (t *slots) give(id, seq uint32) {
	t.mu.Lock()
	t.seqs[id] = seq
	t.unused |= 1 << id
	t.mu.Unlock()
	t.free <- struct{}{}
}

// settle finds out what became of a request that was given up: its slot is of no use before the server has answered.
// It sends a SEQUENCE of its own under the same number. Whatever the server answers but NFS4ERR_DELAY, that number is
// used up: by the request or by this.
func (s *session) settle(seq nfs4.SequenceArgs) {
	for {
		select {
		case <-s.slots.over:
			return
		case <-s.fs.ctx.Done():
			return
		default:
		}
		if s.probe(seq) {
			s.slots.give(seq.SlotID, seq.SequenceID+1)
			return
		}
	}
}

// probe tells whether the server has answered.
func (s *session) probe(seq nfs4.SequenceArgs) bool {
	ctx, cancel := s.fs.deadline(s.fs.ctx)
	defer cancel()
	q := s.fs.request(nil)
	defer q.free()
	q.sequence = &seq
	_, err := s.exchange(ctx, q)
	if err == nil {
		return true
	}
	_, answered := errors.AsType[nfs4.Status](err)
	return answered && ctx.Err() == nil
}
