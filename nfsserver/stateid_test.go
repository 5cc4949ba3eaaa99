// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"slices"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// TestStateidSeqid: an old seqid is told apart from one that never was, and zero is the latest (RFC 8881 section 8.2.2).
func TestStateidSeqid(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	first, h := c.open("o", "ada", "f", r, denyNone)
	second, _ := c.open("o", "ada", "f", rw, denyNone)
	c.on(h, read(first, 0, 1)).is(nfs4.ErrOldStateid)
	c.on(h, read(second, 0, 1)).ok()
	next := nfs4.Stateid{Seqid: second.Seqid + 1, Other: second.Other}
	c.on(h, read(next, 0, 1)).is(nfs4.ErrBadStateid)
	latest := nfs4.Stateid{Other: second.Other}
	c.on(h, write(latest, 0, nfs4.FileSync, "y")).ok()
	c.on(h, closeFile(first)).is(nfs4.ErrOldStateid)
	c.on(h, closeFile(latest)).ok()
}

// TestStateidOf: a stateid is good for its client, its file and its kind alone.
func TestStateidOf(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	b.file("ada", "g", "x")
	c, other := b.client("a"), b.client("b")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	other.on(h, read(id, 0, 1)).is(nfs4.ErrBadStateid)
	other.on(h, closeFile(id)).is(nfs4.ErrBadStateid)
	other.on(h, lockNew(id, "l", nfs4.WriteLock, 0, 1)).is(nfs4.ErrBadStateid)
	other.send(freeStateid(id)).is(nfs4.ErrBadStateid)
	c.in("ada/g", read(id, 0, 1)).is(nfs4.ErrBadStateid)
	c.in("ada/g", closeFile(id)).is(nfs4.ErrBadStateid)
	c.in("ada/g", setSize(id, 0)).is(nfs4.ErrBadStateid)
	guess := id
	guess.Other[11] ^= 1
	c.on(h, read(guess, 0, 1)).is(nfs4.ErrBadStateid)

	lockID := res[nfs4.LockRes](c.on(h, lockNew(id, "l", nfs4.WriteLock, 0, 1)).ok()).LockStateid
	c.on(h, closeFile(lockID)).is(nfs4.ErrBadStateid)
	c.on(h, downgrade(lockID, r, denyNone)).is(nfs4.ErrBadStateid)
	c.on(h, lock(id, nfs4.WriteLock, 0, 1)).is(nfs4.ErrBadStateid)
	c.on(h, lockU(id, 0, 1)).is(nfs4.ErrBadStateid)
	c.on(h, write(lockID, 0, nfs4.FileSync, "y")).ok() // a lock's stateid is good for I/O
}

// TestStateidSpecial: the special stateids (RFC 8881 section 8.2.3).
func TestStateidSpecial(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c, other := b.client("a"), b.client("b")
	for _, id := range []nfs4.Stateid{nfs4.AnonymousStateid, nfs4.ReadBypassStateid} {
		c.in("ada/f", read(id, 0, 1)).ok()
		c.in("ada/f", write(id, 0, nfs4.FileSync, "C")).ok()
		c.in("ada/f", setSize(id, 8)).ok()
	}
	ones := nfs4.ReadBypassStateid.Other
	for _, id := range []nfs4.Stateid{{Seqid: 2}, {Seqid: 7, Other: ones}, {Other: ones}, nfs4.InvalidStateid} {
		c.in("ada/f", read(id, 0, 1)).is(nfs4.ErrBadStateid)
	}
	for _, id := range []nfs4.Stateid{nfs4.AnonymousStateid, nfs4.ReadBypassStateid} {
		c.in("ada/f", closeFile(id)).is(nfs4.ErrBadStateid)
		c.in("ada/f", lockNew(id, "l", nfs4.ReadLock, 0, 1)).is(nfs4.ErrBadStateid)
		c.send(freeStateid(id)).is(nfs4.ErrBadStateid)
	}
	// What an open denies, it denies to them too; all ones bypass nothing.
	other.open("o", "ada", "f", r, denyBoth)
	for _, id := range []nfs4.Stateid{nfs4.AnonymousStateid, nfs4.ReadBypassStateid} {
		c.in("ada/f", read(id, 0, 1)).is(nfs4.ErrLocked)
		c.in("ada/f", write(id, 0, nfs4.FileSync, "x")).is(nfs4.ErrLocked)
		c.in("ada/f", setSize(id, 0)).is(nfs4.ErrLocked)
	}
	// They permit what the mode does.
	b.file("ada", "g", "contents")
	c.in("ada/g", setMode(0o600)).ok()
	stranger := sys(3000, 3000)
	c.sendAs(&stranger, at("ada/g", read(nfs4.AnonymousStateid, 0, 1))...).is(nfs4.ErrAccess)
	c.sendAs(&stranger, at("ada/g", read(nfs4.ReadBypassStateid, 0, 1))...).is(nfs4.ErrAccess)
	c.in("ada", read(nfs4.AnonymousStateid, 0, 1)).is(nfs4.ErrIsDir)
	c.in("ada", symlink("l", "g")).ok()
	c.in("ada/l", read(nfs4.AnonymousStateid, 0, 1)).is(nfs4.ErrSymlink)
}

// TestStateidCurrent: the current stateid goes with the current filehandle (RFC 8881 section 16.2.3.1.2).
func TestStateidCurrent(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	b.file("ada", "g", "contents")
	c := b.client("a")
	now := nfs4.CurrentStateid
	c.in("ada", open("o", "f", rw, denyNone), write(now, 0, nfs4.FileSync, "C"), read(now, 0, 8),
		lockNew(now, "l", nfs4.WriteLock, 0, 4), lockU(now, 0, 4), read(now, 0, 1)).ok()
	c.in("ada", open("o", "f", rw, denyNone), closeFile(now), closeFile(now)).is(nfs4.ErrBadStateid)
	c.in("ada/f", read(now, 0, 1)).is(nfs4.ErrBadStateid)
	c.in("ada", open("o", "f", rw, denyNone), putRootFH(), read(now, 0, 1)).is(nfs4.ErrIsDir)
	h := c.handle("ada/f")
	c.in("ada", open("o", "f", rw, denyNone), putFH(h), read(now, 0, 1)).is(nfs4.ErrBadStateid)
	c.in("ada", open("o", "f", rw, denyNone), saveFH(), putRootFH(), restoreFH(), read(now, 0, 1)).ok()
	c.in("ada", open("o", "f", rw, denyNone), setSize(now, 3)).ok()
	if got := b.contents(hub, "ada", "f"); got != "Con" {
		t.Errorf("the file reads %q", got)
	}
}

// TestTestStateid: TEST_STATEID says of each what an operation with it would say (RFC 8881 section 18.48).
func TestTestStateid(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	first, h := c.open("o", "ada", "f", r, denyNone)
	second, _ := c.open("o", "ada", "f", rw, denyNone)
	closed, hc := c.open("p", "ada", "f", r, denyNone)
	c.on(hc, closeFile(closed)).ok()
	lockID := res[nfs4.LockRes](c.on(h, lockNew(second, "l", nfs4.WriteLock, 0, 1)).ok()).LockStateid
	got := res[nfs4.TestStateidRes](c.send(testStateid(first, second, closed, lockID, nfs4.AnonymousStateid, nfs4.ReadBypassStateid, nfs4.Stateid{Seqid: 1, Other: [12]byte{9}})).ok()).StatusCodes
	want := []nfs4.Status{nfs4.ErrOldStateid, nfs4.OK, nfs4.ErrBadStateid, nfs4.OK, nfs4.ErrBadStateid, nfs4.ErrBadStateid, nfs4.ErrBadStateid}
	if !slices.Equal(got, want) {
		t.Errorf("TEST_STATEID says %v, want %v", got, want)
	}
	if got := res[nfs4.TestStateidRes](c.send(testStateid()).ok()).StatusCodes; len(got) != 0 {
		t.Errorf("of no stateids, TEST_STATEID says %v", got)
	}
}

// TestFreeStateid: what holds nothing can be freed, and nothing else (RFC 8881 section 18.38).
func TestFreeStateid(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	lockID := res[nfs4.LockRes](c.on(h, lockNew(id, "l", nfs4.WriteLock, 0, 1)).ok()).LockStateid
	c.send(freeStateid(id)).is(nfs4.ErrLocksHeld)
	c.send(freeStateid(lockID)).is(nfs4.ErrLocksHeld)
	free := res[nfs4.LockURes](c.on(h, lockU(lockID, 0, 1)).ok()).LockStateid
	c.send(freeStateid(lockID)).is(nfs4.ErrOldStateid)
	c.send(freeStateid(free)).ok()
	c.send(freeStateid(free)).is(nfs4.ErrBadStateid)
	c.on(h, lock(free, nfs4.WriteLock, 0, 1)).is(nfs4.ErrBadStateid)
	c.on(h, closeFile(id)).ok()
}

// TestStateidRestart: a stateid does not outlive the server.
func TestStateidRestart(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", r, denyNone)
	b.restart()
	c.again()
	c.on(h, read(id, 0, 1)).is(nfs4.ErrBadStateid)
	c.on(h, closeFile(id)).is(nfs4.ErrBadStateid)
}
