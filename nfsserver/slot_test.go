// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// The rules of a session's slots: RFC 8881 section 2.10.6.1.

// slotted sends a request by a slot of its own choosing.
func (c *client) slotted(slot, seq uint32, cache bool, ops ...op) *reply {
	c.Helper()
	return c.alone(append([]op{sequence(c.session, seq, slot, cache)}, ops...)...)
}

// TestSlotRetry: a retry is answered byte for byte as the request was, and nothing runs twice.
func TestSlotRetry(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	var calls atomic.Int32
	b.fs.Hook("Mkdir", func() error { calls.Add(1); return nil })
	request := at("ada", mkdir("d"), getFH(), getAttr(nfs4.AttrChange))
	first := c.slotted(1, 1, true, request...).ok()
	if res[nfs4.SequenceRes](first).SlotID != 1 || res[nfs4.SequenceRes](first).SequenceID != 1 {
		t.Errorf("SEQUENCE answered %+v", res[nfs4.SequenceRes](first))
	}
	c.in("ada", mkdir("meanwhile")).ok()
	calls.Store(0)
	for range 3 {
		again := c.slotted(1, 1, true, request...).ok()
		if !bytes.Equal(again.raw, first.raw) {
			t.Errorf("the retry was answered\n%x, the request\n%x", again.raw, first.raw)
		}
	}
	// Also by another connection.
	c.conn = b.connect()
	if again := c.slotted(1, 1, true, request...); !bytes.Equal(again.raw, first.raw) {
		t.Error("the retry by another connection was answered otherwise")
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("the retries made %d directories", n)
	}
	c.slotted(1, 2, true, request...).is(nfs4.ErrExist)
	if r := c.slotted(1, 2, true, request...); r.status != nfs4.ErrExist {
		t.Errorf("the retry of a request that was refused: %v", r)
	}
}

// TestSlotMisordered: a slot takes the next request and the last one again, and no other.
func TestSlotMisordered(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.slotted(1, 0, false, putRootFH()).is(nfs4.ErrSeqMisordered)
	c.slotted(1, 2, false, putRootFH()).is(nfs4.ErrSeqMisordered)
	c.slotted(1, 1, false, putRootFH()).ok()
	c.slotted(1, 3, false, putRootFH()).is(nfs4.ErrSeqMisordered)
	c.slotted(1, 0, false, putRootFH()).is(nfs4.ErrSeqMisordered)
	c.slotted(1, 1<<31, false, putRootFH()).is(nfs4.ErrSeqMisordered)
	c.slotted(1, 2, false, putRootFH()).ok()
	c.slotted(1, 1, false, putRootFH()).is(nfs4.ErrSeqMisordered)
	c.slotted(2, 1, false, putRootFH()).ok() // slots are independent
}

// TestSlotUncached: the retry of a request whose reply was not to be kept is told so, and does not run.
func TestSlotUncached(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	request := at("ada", mkdir("d"))
	c.slotted(1, 1, false, request...).ok()
	r := c.slotted(1, 1, false, request...).is(nfs4.ErrRetryUncachedRep)
	if len(r.results) != 1 || r.results[0].op != nfs4.OpSequence {
		t.Errorf("the answer is %v, want that of SEQUENCE alone", r)
	}
	// SEQUENCE alone is kept always.
	first := c.slotted(1, 2, false).ok()
	if again := c.slotted(1, 2, false).ok(); !bytes.Equal(again.raw, first.raw) {
		t.Error("the retry of a lone SEQUENCE was answered otherwise")
	}
}

// TestSlotFalseRetry: another request under the number of the last one is not taken for it.
func TestSlotFalseRetry(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.slotted(1, 1, true, at("ada", mkdir("d"))...).ok()
	c.slotted(1, 1, true, at("ada", mkdir("e"))...).is(nfs4.ErrSeqFalseRetry)
	c.slotted(1, 1, true, at("ada", remove("d"))...).is(nfs4.ErrSeqFalseRetry)
	c.in("ada", lookup("d")).ok()
	c.in("ada", lookup("e")).is(nfs4.ErrNoEnt)
}

// TestSlotRunning: the retry of a request that still runs is told to wait, and so is the next request.
func TestSlotRunning(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	entered, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	b.fs.Hook("Mkdir", func() error {
		calls.Add(1)
		close(entered)
		<-release
		return nil
	})
	request := at("ada", mkdir("d"))
	conn := b.connect()
	done := make(chan *reply, 1)
	go func() {
		r, err := tryCall(t, conn, &c.cred, encoder(2, append([]op{sequence(c.session, 1, 1, true)}, request...)))
		if err != nil {
			t.Error(err)
		}
		done <- r
	}()
	<-entered
	c.slotted(1, 1, true, request...).is(nfs4.ErrDelay)
	c.slotted(1, 2, true, putRootFH()).is(nfs4.ErrDelay, nfs4.ErrSeqMisordered)
	c.slotted(2, 1, false, putRootFH()).ok()
	close(release)
	first := <-done
	if first == nil {
		return
	}
	first.ok()
	if again := c.slotted(1, 1, true, request...).ok(); !bytes.Equal(again.raw, first.raw) {
		t.Error("the retry was answered otherwise")
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("the request ran %d times", n)
	}
	c.slotted(1, 2, true, putRootFH()).ok()
}

// TestSlotLostConnection: a request whose connection is lost while it runs is done all the same, once, and the client
// finds its answer by another connection.
func TestSlotLostConnection(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	entered, release := make(chan struct{}), make(chan struct{})
	var calls atomic.Int32
	b.fs.Hook("Mkdir", func() error {
		if calls.Add(1) == 1 {
			close(entered)
			<-release
		}
		return nil
	})
	request := append([]op{sequence(c.session, 1, 1, true)}, at("ada", mkdir("d"))...)
	lost := b.connect()
	failed := make(chan error, 1)
	go func() {
		_, err := tryCall(t, lost, &c.cred, encoder(2, request))
		failed <- err
	}()
	<-entered
	lost.Close()
	if err := <-failed; err == nil {
		t.Error("the request was answered by a connection that was closed")
	}
	close(release)
	b.eventually("the retry finds the answer", func() bool {
		return c.alone(request...).is(nfs4.OK, nfs4.ErrDelay).status == nfs4.OK
	})
	if n := calls.Load(); n != 1 {
		t.Errorf("the request ran %d times", n)
	}
}

// TestSequenceArgs: what SEQUENCE refuses.
func TestSequenceArgs(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.slotted(c.granted.MaxRequests, 1, false).is(nfs4.ErrBadSlot)
	c.slotted(1<<31, 1, false).is(nfs4.ErrBadSlot)
	o := sequence(c.session, 1, 3, false)
	o.args.(*nfs4.SequenceArgs).HighestSlotID = 2
	c.alone(o).is(nfs4.ErrBadHighSlot)
	o.args.(*nfs4.SequenceArgs).HighestSlotID = c.granted.MaxRequests
	c.alone(o).is(nfs4.ErrBadHighSlot)
	c.alone(sequence(nfs4.SessionID{1}, 1, 0, false)).is(nfs4.ErrBadSession)
	c.send(sequence(c.session, 1, 1, false)).is(nfs4.ErrSequencePos)
	c.alone(putRootFH()).is(nfs4.ErrOpNotInSession)
	c.alone(putRootFH(), sequence(c.session, 1, 1, false)).is(nfs4.ErrOpNotInSession)
}

// small connects a client whose session carries next to nothing.
func (b *bed) small(owner string, maxResponse, maxCached, maxOps uint32) *client {
	b.Helper()
	c := b.newClient(owner)
	id := res[nfs4.ExchangeIDRes](c.alone(exchangeID(owner, c.verifier, 0)).ok())
	fore := channel
	fore.MaxRequestSize, fore.MaxResponseSize, fore.MaxResponseSizeCached, fore.MaxOperations = 2048, maxResponse, maxCached, maxOps
	c.id = id.ClientID
	c.take(res[nfs4.CreateSessionRes](c.alone(createSession(id.ClientID, id.SequenceID, fore)).ok()))
	c.send(reclaimComplete()).ok()
	return c
}

// TestTooManyOps: a request has no more operations than the session carries.
func TestTooManyOps(t *testing.T) {
	b := newBed(t)
	c := b.small("a", 1024, 1024, 4)
	c.send(putRootFH(), putRootFH(), putRootFH()).ok()
	r := c.alone(sequence(c.session, c.seq+1, 0, false), putRootFH(), putRootFH(), putRootFH(), putRootFH()).is(nfs4.ErrTooManyOps)
	if len(r.results) != 1 {
		t.Errorf("the answer is %v, want that of SEQUENCE alone", r)
	}
	c.send(putRootFH()).ok() // the slot is as it was
}

// TestRequestTooBig: a request is no longer than the session carries.
func TestRequestTooBig(t *testing.T) {
	b := newBed(t)
	c := b.small("a", 1024, 1024, 16)
	request := at("ada", symlink("l", strings.Repeat("x", 3000)))
	c.alone(append([]op{sequence(c.session, c.seq+1, 0, false)}, request...)...).is(nfs4.ErrReqTooBig)
	c.in("ada", lookup("l")).is(nfs4.ErrNoEnt)
}

// TestReplyTooBig: a reply is no longer than the session carries, and what was answered before stands.
func TestReplyTooBig(t *testing.T) {
	b := newBed(t)
	c := b.small("a", 1024, 512, 64)
	b.file("ada", "f", strings.Repeat("x", 4000))
	target := strings.Repeat("t", 300)
	c.in("ada", symlink("l", target)).ok()
	ops := at("ada/l", readLink(), readLink(), readLink(), readLink())
	r := c.send(ops...).is(nfs4.ErrRepTooBig)
	if n := len(r.raw) + 24; n > 1024 {
		t.Errorf("the reply has %d bytes", n)
	}
	c.seq++
	r = c.slotted(0, c.seq, true, ops...).is(nfs4.ErrRepTooBigToCache)
	if n := len(r.raw) + 24; n > 512 {
		t.Errorf("the reply to keep has %d bytes", n)
	}
	if again := c.slotted(0, c.seq, true, ops...); !bytes.Equal(again.raw, r.raw) {
		t.Error("the retry was answered otherwise")
	}
	// READ and READDIR give what fits.
	data := res[nfs4.ReadRes](c.in("ada/f", read(nfs4.AnonymousStateid, 0, 4000)).ok())
	if len(data.Data) == 0 || len(data.Data) > 1024 || data.EOF {
		t.Errorf("READ of 4,000 bytes in a reply of 1,024: %d bytes, EOF %v", len(data.Data), data.EOF)
	}
}

// TestReplyTooBigDoesNothing: an operation that changes something and whose answer has no room does not run: the client
// could not know that it did.
func TestReplyTooBigDoesNothing(t *testing.T) {
	b := newBed(t)
	c := b.small("a", 1024, 1024, 64)
	b.file("ada", "f", "x")
	target := strings.Repeat("t", 100)
	c.in("ada", symlink("l", target)).ok()
	// Fill the reply further and further, until the last operation has no room.
	for fill := range 100 {
		name := strings.Repeat("n", fill%4+1)
		walk := at("ada", lookup("l"), readLink(), readLink(), readLink(), readLink(), readLink(), readLink())
		for range fill + 1 {
			walk = append(walk, putRootFH())
		}
		walk = append(walk, lookup("homes"), lookup(hub), lookup("ada"), mkdir(name))
		if len(walk) > 63 {
			t.Fatal("the reply never was too big")
		}
		r := c.send(walk...).is(nfs4.OK, nfs4.ErrRepTooBig)
		if r.status == nfs4.OK {
			c.in("ada", remove(name)).ok()
			continue
		}
		if last := r.results[len(r.results)-1]; last.op == nfs4.OpCreate {
			c.in("ada", lookup(name)).is(nfs4.ErrNoEnt)
			return
		}
	}
	t.Fatal("the reply never was too big")
}
