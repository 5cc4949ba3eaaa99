// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs4"
)

// TestNoRecordsNoGrace: where nobody held anything, nobody waits after a restart.
func TestNoRecordsNoGrace(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	b.client("a").in("ada/f", read(nfs4.AnonymousStateid, 0, 1)).ok()
	b.restart()
	b.client("b").open("o", "ada", "f", rw, denyNone)
}

// TestReclaimCompleteFirst: a client says that it has reclaimed before it gets anything new (RFC 8881 section 18.51.3).
func TestReclaimCompleteFirst(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.newClient("a")
	c.begin()
	c.in("ada", open("o", "f", r, denyNone)).is(nfs4.ErrGrace)
	c.in("ada/f", reopen("o", r)).is(nfs4.ErrNoGrace)
	oneFS := op{nfs4.OpReclaimComplete, &nfs4.ReclaimCompleteArgs{OneFS: true}}
	c.send(oneFS).is(nfs4.ErrNoFileHandle)
	c.in("ada", oneFS).ok()
	c.in("ada", open("o", "f", r, denyNone)).is(nfs4.ErrGrace) // one file system is not all
	c.send(reclaimComplete()).ok()
	c.send(reclaimComplete()).is(nfs4.ErrCompleteAlready)
	c.open("o", "ada", "f", r, denyNone)
	c.in("ada/f", reopen("o", r)).is(nfs4.ErrNoGrace)
}

// graceBed is a bed in which a client had files open in a home when the server ended. It has another server now, and
// another client that had nothing.
func graceBed(t *testing.T, options ...option) (b *bed, had, new *client, h nfs4.Handle) {
	b = newBed(t, options...)
	b.file("ada", "f", "contents")
	b.file("ada", "g", "contents")
	b.file("bob", "f", "contents")
	had = b.client("had")
	id, h := had.open("o", "ada", "f", rw, denyWrite)
	had.on(h, lockNew(id, "l", nfs4.WriteLock, 0, 4)).ok()
	b.restart()
	return b, had, b.client("new"), h
}

// TestGracePerHome: in a home where somebody may reclaim, nobody gets anything new; all others are as ever.
func TestGracePerHome(t *testing.T) {
	b, had, other, h := graceBed(t)
	for _, name := range []string{"f", "g"} {
		other.in("ada", open("p", name, r, denyNone)).is(nfs4.ErrGrace)
	}
	other.in("ada", openNew("p", "new", nfs4.CreateUnchecked, nfs4.Fattr{})).is(nfs4.ErrGrace)
	other.in("ada", lookup("new")).is(nfs4.ErrNoEnt)
	other.in("ada/f", openClaim("p", nfs4.ClaimFH, r, denyNone)).is(nfs4.ErrGrace)
	other.in("ada/f", read(nfs4.AnonymousStateid, 0, 1)).is(nfs4.ErrGrace)
	other.in("ada/f", write(nfs4.AnonymousStateid, 0, nfs4.FileSync, "x")).is(nfs4.ErrGrace)
	other.in("ada/f", setSize(nfs4.AnonymousStateid, 0)).is(nfs4.ErrGrace)
	other.in("ada/f", lockT("m", nfs4.WriteLock, 0, 1)).is(nfs4.ErrGrace)
	other.in("ada/f", getAttr(nfs4.AttrSize)).ok()
	other.in("ada", readDir(0, 4096)).ok()
	other.in("ada", mkdir("d")).ok()

	id, hb := other.open("p", "bob", "f", rw, denyNone)
	other.on(hb, lockNew(id, "m", nfs4.WriteLock, 0, 1)).ok()
	other.in("bob/f", read(nfs4.AnonymousStateid, 0, 1)).ok()

	had.again()
	had.in("ada", open("o", "g", r, denyNone)).is(nfs4.ErrGrace)
	had.in("bob/f", reopen("o", r)).is(nfs4.ErrReclaimBad)
	had.on(h, reopen("o", rw)).ok()
	other.in("ada", open("p", "g", r, denyNone)).is(nfs4.ErrGrace)
	had.send(reclaimComplete()).ok()
	other.open("p", "ada", "g", r, denyNone)
	had.open("o", "ada", "g", r, denyNone)
	had.on(h, reopen("o", rw)).is(nfs4.ErrNoGrace)
	if n := b.recovery.homes("had"); n != 1 {
		t.Errorf("the record has %d homes, want 1", n)
	}
}

// TestReclaim: what is reclaimed is what it was, and goes on at once.
func TestReclaim(t *testing.T) {
	_, had, other, h := graceBed(t)
	had.again()
	o := reopen("o", rw)
	o.args.(*nfs4.OpenArgs).ShareDeny = denyWrite
	id := res[nfs4.OpenRes](had.on(h, o).ok()).Stateid
	l := lockNew(id, "l", nfs4.WriteLock, 0, 4)
	had.on(h, l).is(nfs4.ErrGrace)
	l.args.(*nfs4.LockArgs).Reclaim = true
	lockID := res[nfs4.LockRes](had.on(h, l).ok()).LockStateid
	had.on(h, write(lockID, 0, nfs4.Unstable, "CON"), commit(), read(id, 0, 8), setSize(id, 3)).ok()
	had.send(reclaimComplete()).ok()
	had.on(h, l).is(nfs4.ErrNoGrace)
	other.in("ada", open("p", "f", w, denyNone)).is(nfs4.ErrShareDenied)
	other.on(h, lockT("m", nfs4.ReadLock, 3, 1)).is(nfs4.ErrDenied)
	other.open("p", "ada", "f", r, denyNone)
}

// TestReclaimPermission: what was open before the restart is reclaimed whatever the mode has become.
func TestReclaimPermission(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	_, h := c.open("o", "ada", "f", rw, denyNone)
	c.on(h, setMode(0)).ok()
	b.restart()
	c.again()
	id := res[nfs4.OpenRes](c.on(h, reopen("o", rw)).ok()).Stateid
	c.on(h, write(id, 0, nfs4.FileSync, "C")).ok()
}

// TestReclaimConflict: two clients cannot reclaim what could not have been.
func TestReclaimConflict(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	x, y := b.client("x"), b.client("y")
	_, h := x.open("o", "ada", "f", rw, denyNone)
	y.open("o", "ada", "f", rw, denyNone)
	b.restart()
	x.again()
	y.again()
	o := reopen("o", rw)
	o.args.(*nfs4.OpenArgs).ShareDeny = denyBoth
	x.on(h, o).ok()
	y.on(h, reopen("o", rw)).is(nfs4.ErrReclaimConflict)
}

// TestReclaimByStranger: who held nothing reclaims nothing.
func TestReclaimByStranger(t *testing.T) {
	b, _, _, h := graceBed(t)
	c := b.newClient("stranger")
	c.begin()
	c.on(h, reopen("o", rw)).is(nfs4.ErrNoGrace)
}

// TestGraceRestartedClient: a client that has itself restarted has nothing to reclaim, and its homes are free at once.
func TestGraceRestartedClient(t *testing.T) {
	b, had, other, h := graceBed(t)
	had.verifier = nfs4.Verifier{9}
	had.again()
	had.on(h, reopen("o", rw)).is(nfs4.ErrNoGrace)
	other.open("p", "ada", "f", rw, denyNone)
	if n := b.recovery.homes("had"); n != 0 {
		t.Errorf("the record of who lost all has %d homes", n)
	}
}

// TestGraceGoneClient: a client that says goodbye instead of reclaiming sets its homes free.
func TestGraceGoneClient(t *testing.T) {
	_, had, other, _ := graceBed(t)
	had.again()
	had.alone(destroySession(had.session)).ok()
	had.alone(destroyClientID(had.id)).ok()
	other.open("p", "ada", "f", rw, denyNone)
}

// TestGraceEnds: who has not come back when its lease is over holds up nobody any more, and gets nothing back.
func TestGraceEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's clock")
	}
	t.Parallel()
	b, had, other, h := graceBed(t, withLease(time.Second))
	b.eventually("grace is over", func() bool {
		return other.in("ada", open("p", "f", rw, denyNone)).is(nfs4.OK, nfs4.ErrGrace).status == nfs4.OK
	})
	if n := b.recovery.homes("had"); n != 0 {
		t.Errorf("the record of who did not come back has %d homes", n)
	}
	had.again()
	had.on(h, reopen("o", rw)).is(nfs4.ErrNoGrace)
}

// TestGraceNotComplete: a client that comes back and never says that it has reclaimed holds its homes up for two leases
// at most. What it reclaimed it keeps.
func TestGraceNotComplete(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's clock")
	}
	t.Parallel()
	b, had, other, h := graceBed(t, withLease(2*time.Second))
	had.again()
	id := res[nfs4.OpenRes](had.on(h, reopen("o", rw)).ok()).Stateid
	b.eventually("grace is over", func() bool {
		had.alive()
		return other.in("ada", open("p", "g", rw, denyNone)).is(nfs4.OK, nfs4.ErrGrace).status == nfs4.OK
	})
	had.on(h, read(id, 0, 1)).ok()
	had.on(h, reopen("o2", rw)).is(nfs4.ErrNoGrace)
	had.in("ada", open("o", "g", r, denyNone)).is(nfs4.ErrGrace)
	had.send(reclaimComplete()).ok()
	had.open("o", "ada", "g", r, denyNone)
	if n := b.recovery.homes("had"); n != 1 {
		t.Errorf("the record has %d homes, want 1", n)
	}
}

// The edge cases of two restarts: RFC 8881 section 8.4.3.

// TestSecondRestartInGrace: who had no time to reclaim may do so after the next restart.
func TestSecondRestartInGrace(t *testing.T) {
	b, had, _, h := graceBed(t)
	b.restart()
	b.client("new").in("ada", open("p", "f", rw, denyNone)).is(nfs4.ErrGrace)
	had.again()
	had.on(h, reopen("o", rw)).ok()
	b.restart()
	had.again()
	had.on(h, reopen("o", rw)).ok()
	had.send(reclaimComplete()).ok()
	b.restart()
	had.again()
	had.on(h, reopen("o", rw)).ok()
}

// TestSecondRestartAfterGrace: what a client did not reclaim after one restart, it does not after another: somebody else
// may have had it in between.
func TestSecondRestartAfterGrace(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	b.file("bob", "f", "x")
	c := b.client("c")
	_, ha := c.open("o", "ada", "f", rw, denyNone)
	_, hb := c.open("o", "bob", "f", rw, denyNone)
	b.restart()
	c.again()
	c.on(ha, reopen("o", rw)).ok()
	c.send(reclaimComplete()).ok()
	other := b.client("other")
	id, h := other.open("p", "bob", "f", rw, denyBoth)
	other.on(h, closeFile(id)).ok()
	b.restart()
	c.again()
	c.on(ha, reopen("o", rw)).ok()
	c.on(hb, reopen("o", rw)).is(nfs4.ErrReclaimBad)
}

// TestRestartAfterExpiry: who lost its state because its lease was over does not get it back by a restart.
func TestRestartAfterExpiry(t *testing.T) {
	t.Parallel()
	b := newBed(t, withLease(shortLease))
	b.file("ada", "f", "x")
	c := b.client("c")
	_, h := c.open("o", "ada", "f", rw, denyBoth)
	lapse()
	other := b.client("other")
	id, _ := other.open("p", "ada", "f", rw, denyNone)
	other.on(h, closeFile(id)).ok()
	b.restart()
	c.again()
	c.on(h, reopen("o", rw)).is(nfs4.ErrNoGrace)
}

// TestRecordKeptInGrace: closing what was reclaimed does not shorten the record of a client that has more to reclaim.
func TestRecordKeptInGrace(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's clock")
	}
	t.Parallel()
	b := newBed(t, withLease(4*time.Second)) // looked after once a second
	b.file("ada", "f", "x")
	b.file("bob", "f", "x")
	c := b.client("c")
	_, ha := c.open("o", "ada", "f", rw, denyNone)
	_, hb := c.open("o", "bob", "f", rw, denyNone)
	b.restart()
	c.again()
	id := res[nfs4.OpenRes](c.on(ha, reopen("o", rw)).ok()).Stateid
	c.on(ha, closeFile(id)).ok()
	// Once the record of another client, who closed its file later, is shortened, the server has looked at both.
	other := b.client("other")
	b.file("eve", "f", "x")
	id, h := other.open("o", "eve", "f", rw, denyNone)
	other.on(h, closeFile(id)).ok()
	b.eventually("the other's record is shortened", func() bool {
		c.alive()
		other.alive()
		return b.recovery.homes("other") == 0
	})
	b.restart()
	c.again()
	c.on(hb, reopen("o", rw)).ok()
}

// TestGraceRecordBroken: where it cannot be recorded what a client did not reclaim, its homes stay closed.
func TestGraceRecordBroken(t *testing.T) {
	b, had, other, _ := graceBed(t)
	had.again()
	b.recovery.fail("Replace", syscall.EIO)
	had.send(reclaimComplete()).is(nfs4.ErrIO)
	other.in("ada", open("p", "g", rw, denyNone)).is(nfs4.ErrGrace)
	b.recovery.fail("Replace", nil)
	had.alone(destroySession(had.session)).ok()
	had.alone(destroyClientID(had.id)).ok()
	other.open("p", "ada", "g", rw, denyNone)
}
