// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs4"
)

// shortLease is a lease that a test can wait for.
const shortLease = 300 * time.Millisecond

// lapse waits until the leases of those who say nothing are over. It is the server's clock that is waited for.
func lapse() { time.Sleep(shortLease + 50*time.Millisecond) }

// withState is a client that is not forgotten when its lease is over, since it holds something.
func (b *bed) withState(owner string) *client {
	b.Helper()
	c := b.client(owner)
	c.in("eve", openNew("o", "of "+owner, nfs4.CreateGuarded, nfs4.Fattr{})).ok()
	return c
}

// inTime makes requests of which the first renews a lease, and tells whether all were made before it could be over. Where the
// machine was held up for longer, nothing can be said of the others.
func inTime(requests func()) bool {
	began := time.Now()
	requests()
	return time.Since(began) < shortLease
}

// alive is send for a client whose session must have outlived the wait.
func (c *client) alive() {
	c.Helper()
	c.send(putRootFH()).ok()
}

// TestCourtesy: what a client holds whose lease is over stays its own while nobody else wants it.
func TestCourtesy(t *testing.T) {
	t.Parallel()
	b := newBed(t, withLease(shortLease))
	b.file("ada", "f", "contents")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyBoth)
	c.on(h, lockNew(id, "l", nfs4.WriteLock, 0, toEOF)).ok()
	lapse()
	b.client("b").in("ada", openNew("p", "g", nfs4.CreateUnchecked, nfs4.Fattr{})).ok()
	c.on(h, write(id, 0, nfs4.FileSync, "C")).ok()
	if n := b.recovery.homes("a"); n != 1 {
		t.Errorf("the record has %d homes, want 1", n)
	}
}

// TestCourtesyEnds: what is in another's way is taken away from a client whose lease is over, all of it, and the record
// is gone before the other has it.
func TestCourtesyEnds(t *testing.T) {
	for name, conflict := range map[string]func(*client, nfs4.Handle) *reply{
		"open": func(c *client, _ nfs4.Handle) *reply { return c.in("ada", open("p", "f", rw, denyNone)) },
		"lock": func(c *client, _ nfs4.Handle) *reply {
			id, h := c.open("p", "ada", "locked", rw, denyNone)
			return c.on(h, lockNew(id, "m", nfs4.WriteLock, 0, 1))
		},
		"anonymous write": func(c *client, h nfs4.Handle) *reply {
			return c.on(h, write(nfs4.AnonymousStateid, 0, nfs4.FileSync, "x"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, withLease(shortLease))
			b.file("ada", "f", "contents")
			b.file("ada", "locked", "contents")
			c, other := b.client("a"), b.withState("b")
			id, h := c.open("o", "ada", "f", rw, denyBoth)
			lockOpen, hl := c.open("o", "ada", "locked", rw, denyNone)
			c.on(hl, lockNew(lockOpen, "l", nfs4.WriteLock, 0, toEOF)).ok()
			lapse()
			if d := other.in("ada/locked", lockT("m", nfs4.WriteLock, 0, 1)); d.status != nfs4.OK {
				t.Errorf("LOCKT says that the lock is in the way: %v", d)
			}
			var refused *reply
			if inTime(func() {
				c.on(h, read(id, 0, 1)).ok() // it is back, and nobody was in its way
				refused = conflict(other, h)
			}) {
				refused.is(nfs4.ErrShareDenied, nfs4.ErrDenied, nfs4.ErrLocked)
			}
			lapse()
			other.alive()
			conflict(other, h).ok()
			if n := b.recovery.homes("a"); n != 0 {
				t.Errorf("the record of who lost all has %d homes", n)
			}
			c.send(putRootFH()).is(nfs4.ErrBadSession)
			c.begin()
			c.send(reclaimComplete()).ok()
			c.on(h, read(id, 0, 1)).is(nfs4.ErrBadStateid, nfs4.ErrLocked)
		})
	}
}

// TestCourtesyRecord: where the record of who loses its state cannot be removed, nobody else is given it: after a restart
// that client could reclaim it.
func TestCourtesyRecord(t *testing.T) {
	t.Parallel()
	b := newBed(t, withLease(shortLease))
	b.file("ada", "f", "contents")
	b.client("a").open("o", "ada", "f", rw, denyBoth)
	lapse()
	other := b.withState("b")
	b.recovery.fail("Replace", syscall.EIO)
	other.in("ada", open("p", "f", rw, denyNone)).is(nfs4.ErrIO)
	b.recovery.fail("Replace", nil)
	other.open("p", "ada", "f", rw, denyNone)
	if n := b.recovery.homes("a"); n != 0 {
		t.Errorf("the record of who lost all has %d homes", n)
	}
}

// TestLeaseRenewal: a SEQUENCE that succeeds renews the lease, one that fails does not (RFC 8881 section 18.46.3).
func TestLeaseRenewal(t *testing.T) {
	t.Parallel()
	b := newBed(t, withLease(shortLease))
	b.file("ada", "f", "contents")
	kept, lost, other := b.client("kept"), b.client("lost"), b.withState("other")
	b.file("ada", "g", "contents")
	kept.open("o", "ada", "f", rw, denyBoth)
	lost.open("o", "ada", "g", rw, denyBoth)
	b.eventually("the lease of who sends nothing that succeeds is over", func() bool {
		kept.alive()
		lost.alone(sequence(lost.session, lost.seq+9, 0, false)).is(nfs4.ErrSeqMisordered)
		lost.alone(sequence(lost.session, 1, 1<<20, false)).is(nfs4.ErrBadSlot)
		return other.in("ada", open("p", "g", rw, denyNone)).is(nfs4.OK, nfs4.ErrShareDenied).status == nfs4.OK
	})
	var refused *reply
	if inTime(func() {
		kept.alive()
		refused = other.in("ada", open("p", "f", rw, denyNone))
	}) {
		refused.is(nfs4.ErrShareDenied)
	}
}

// TestLeaseOverWithoutState: a client that is silent for longer than its lease and holds nothing is forgotten.
func TestLeaseOverWithoutState(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's clock")
	}
	t.Parallel()
	b := newBed(t, withLease(shortLease))
	c := b.client("a")
	unconfirmed := b.newClient("b")
	id := res[nfs4.ExchangeIDRes](unconfirmed.alone(exchangeID("b", unconfirmed.verifier, 0)).ok())
	b.eventually("the session is gone", func() bool {
		// A SEQUENCE that fails does not renew the lease.
		return c.alone(sequence(c.session, 1<<20, 0, false)).is(nfs4.ErrSeqMisordered, nfs4.ErrBadSession).status == nfs4.ErrBadSession
	})
	b.eventually("the record is gone", func() bool {
		return unconfirmed.alone(createSession(id.ClientID, id.SequenceID+9, channel)).is(nfs4.ErrSeqMisordered, nfs4.ErrStaleClientID).status == nfs4.ErrStaleClientID
	})
	c.begin()
	c.alive()
}

// TestRecordShortened: a client's record loses the homes in which it has nothing open any more.
func TestRecordShortened(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's clock")
	}
	t.Parallel()
	b := newBed(t, withLease(2*time.Second))
	b.file("ada", "f", "x")
	b.file("bob", "g", "x")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", r, denyNone)
	c.open("o", "bob", "g", r, denyNone)
	if n := b.recovery.homes("a"); n != 2 {
		t.Errorf("the record has %d homes, want 2", n)
	}
	c.on(h, closeFile(id)).ok()
	b.eventually("the record is shortened", func() bool {
		c.alive()
		return b.recovery.homes("a") == 1
	})
	c.open("o", "ada", "f", r, denyNone)
	if n := b.recovery.homes("a"); n != 2 {
		t.Errorf("the record has %d homes, want 2", n)
	}
}

// TestReleaseFails: where the record of a client that restarted cannot be removed, its new life does not begin.
func TestReleaseFails(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	b.client("a").open("o", "ada", "f", r, denyBoth)
	b.recovery.fail("Replace", syscall.EIO)
	next := b.newClient("a")
	next.verifier = nfs4.Verifier{9}
	id := res[nfs4.ExchangeIDRes](next.alone(exchangeID("a", next.verifier, 0)).ok())
	next.alone(createSession(id.ClientID, id.SequenceID, channel)).is(nfs4.ErrIO)
	b.recovery.fail("Replace", nil)
	next.begin()
	next.send(reclaimComplete()).ok()
	next.open("o", "ada", "f", rw, denyNone)
	if n := b.recovery.homes("a"); n != 1 {
		t.Errorf("the record has %d homes, want 1", n)
	}
	next.alive()
}
