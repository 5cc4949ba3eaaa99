// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
)

const (
	maxOperations = 64
	// maxCachedReply is the longest reply that the server is asked to keep for a retry: an OPEN with its attributes.
	maxCachedReply = 8 << 10
	// minMessage is the least that the server must carry for this client to be of use.
	minMessage = 8 << 10
	// messageHead is room for what stands around the data of a READ or WRITE, in bytes: the RPC header with its
	// credential, the COMPOUND, SEQUENCE, PUTFH, and the operation.
	messageHead = 1 << 10
)

// session is a session of the client at the server (RFC 8881 section 2.10).
type session struct {
	fs *FS
	id nfs4.SessionID
	// maxRequest and maxResponse are in bytes, of RPC messages with their headers.
	maxRequest, maxResponse int
	slots                   *slots
}

// newSession makes a session (RFC 8881 section 18.36). Where the server does not know the client id any more, it makes
// that first, and what was open is to be reclaimed.
func (fs *FS) newSession(ctx context.Context) (*session, error) {
	var pace nfsconn.Backoff
	for {
		s, err := fs.createSession(ctx)
		switch {
		case err == nil:
			return s, nil
		case errors.Is(err, nfs4.ErrStaleClientID), errors.Is(err, nfs4.ErrSeqMisordered):
			err = fs.exchangeID(ctx)
		}
		if err != nil && !errors.Is(err, nfs4.ErrDelay) {
			return nil, err
		}
		if e := fs.wait(ctx, &pace); e != nil {
			return nil, fmt.Errorf("%w: making a session", e)
		}
	}
}

func (fs *FS) createSession(ctx context.Context) (*session, error) {
	want := nfs4.ChannelAttrs{
		MaxRequestSize:        oncrpc.MaxRecord,
		MaxResponseSize:       oncrpc.MaxRecord,
		MaxResponseSizeCached: maxCachedReply,
		MaxOperations:         maxOperations,
		MaxRequests:           wantSlots,
	}
	// There is no back channel, but some servers want to see one that could be.
	back := nfs4.ChannelAttrs{
		MaxRequestSize: 4 << 10, MaxResponseSize: 4 << 10, MaxOperations: 2, MaxRequests: 1,
	}
	args := nfs4.CreateSessionArgs{
		ClientID:      fs.client.id,
		Sequence:      fs.client.seq,
		ForeChanAttrs: want,
		BackChanAttrs: back,
		SecParms:      []nfs4.CallbackSec{{Flavor: oncrpc.AuthNone}},
	}
	q := fs.request(nil)
	defer q.free()
	args.Encode(q.op(nfs4.OpCreateSession))
	if err := fs.bare(ctx, q); err != nil {
		if status, ok := errors.AsType[nfs4.Status](err); ok && status != nfs4.ErrStaleClientID && status != nfs4.ErrSeqMisordered {
			fs.client.seq++ // the server has this answer in its cache
		}
		return nil, fmt.Errorf("make a session: %w", err)
	}
	var res nfs4.CreateSessionRes
	if q.result(nfs4.OpCreateSession) {
		res.Decode(&q.reply.Decoder)
	}
	if err := q.done(); err != nil {
		return nil, fmt.Errorf("make a session: %w", err)
	}
	fs.client.seq++
	fore := res.ForeChanAttrs
	if fore.MaxRequests == 0 || fore.MaxOperations < 8 || fore.MaxRequestSize < minMessage || fore.MaxResponseSize < minMessage {
		return nil, fmt.Errorf("the server offers a session of %d slots, %d operations, %d bytes a request and %d a reply, which is not enough: %w",
			fore.MaxRequests, fore.MaxOperations, fore.MaxRequestSize, fore.MaxResponseSize, nfs4.ErrTooSmall)
	}
	return &session{
		fs:          fs,
		id:          res.SessionID,
		maxRequest:  int(min(fore.MaxRequestSize, oncrpc.MaxRecord)),
		maxResponse: int(min(fore.MaxResponseSize, oncrpc.MaxRecord)),
		slots:       newSlots(int(min(fore.MaxRequests, wantSlots))),
	}, nil
}

// lostSession are the answers to SEQUENCE that end the use of a session.
var lostSession = []nfs4.Status{
	nfs4.ErrBadSession, nfs4.ErrDeadSession, nfs4.ErrBadSlot, nfs4.ErrBadHighSlot, nfs4.ErrSeqMisordered,
	nfs4.ErrSeqFalseRetry, nfs4.ErrConnNotBoundToSession, nfs4.ErrStaleClientID,
}

// sequenceError is SEQUENCE's own status: nothing behind it was run.
type sequenceError struct{ status nfs4.Status }

func (e *sequenceError) Error() string { return "SEQUENCE: " + e.status.String() }
func (e *sequenceError) Unwrap() error { return e.status }

func sessionLost(err error) bool {
	if err == errOver {
		return true
	}
	e, ok := errors.AsType[*sequenceError](err)
	return ok && slices.Contains(lostSession, e.status)
}

// send sends a request in a slot until it is answered. nil: SEQUENCE was OK, and the other results can be read.
func (s *session) send(ctx context.Context, q *request) error {
	seq, err := s.slots.take(ctx)
	if err != nil {
		return err
	}
	seq.SessionID = s.id
	seq.CacheThis = q.change > 0
	q.sequence = &seq
	var pace nfsconn.Backoff
	for {
		var sent bool
		sent, err = s.exchange(ctx, q)
		if e, ok := errors.AsType[*sequenceError](err); ok {
			if e.status == nfs4.ErrRetryUncachedRep {
				seq.SequenceID++
				if q.change == 0 && s.fs.wait(ctx, &pace) == nil {
					continue // it ran, and may run again
				}
			}
			s.slots.give(seq.SlotID, seq.SequenceID)
			return err
		}
		switch {
		case err == nil:
			s.slots.give(seq.SlotID, seq.SequenceID+1)
		case !sent:
			s.slots.give(seq.SlotID, seq.SequenceID)
		default:
			s.fs.background(func() { s.settle(seq) })
		}
		return err
	}
}

// exchange sends a request, again and again while the connection is lost or the request still runs at the server.
// sent tells whether the server may have seen it.
func (s *session) exchange(ctx context.Context, q *request) (sent bool, err error) {
	var pace nfsconn.Backoff
	for {
		start := time.Now()
		attempted, err := q.transmit(ctx, &pace)
		sent = sent || attempted
		if err != nil {
			return sent, err
		}
		if q.results == 0 { // the COMPOUND itself was refused
			return sent, &sequenceError{q.status}
		}
		if q.result(nfs4.OpSequence) {
			var res nfs4.SequenceRes
			res.Decode(&q.reply.Decoder)
			s.fs.renewed.Store(int64(start.Sub(s.fs.begun)))
			return sent, q.reply.Err()
		}
		status := q.failed
		if err := q.reply.Err(); err != nil || status == nfs4.OK {
			return sent, oncrpc.ErrXDR
		}
		if status != nfs4.ErrDelay {
			return sent, &sequenceError{status}
		}
		if e := s.fs.wait(ctx, &pace); e != nil {
			return sent, fmt.Errorf("%w: the request still runs at the server", e)
		}
	}
}

// transmit sends a request until it is answered. A connection that is lost is made again.
func (q *request) transmit(ctx context.Context, pace *nfsconn.Backoff) (sent bool, err error) {
	fs := q.fs
	send := func(conn *oncrpc.Client) error { return q.call(ctx, conn) }
	times, err := fs.link.Do(ctx, fs.ctx, pace, send, func(lost error) bool {
		if fs.session.Load() == nil {
			return false // Dial tries once
		}
		fs.log.Debug("connection to the NFS server lost", "server", fs.addr, "error", lost)
		return true
	})
	return times > 0, err
}

// bare sends a request that no session carries.
func (fs *FS) bare(ctx context.Context, q *request) error {
	var pace nfsconn.Backoff
	if _, err := q.transmit(ctx, &pace); err != nil {
		return err
	}
	return q.status.Err()
}

// background starts a goroutine that Close waits for, unless the FS is closed.
func (fs *FS) background(fn func()) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if !fs.closed {
		fs.wg.Go(fn)
	}
}
