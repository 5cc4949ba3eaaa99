// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"math"
	"strings"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// locker is a client with a file open and a lock owner on it.
type locker struct {
	*client
	owner string
	open  nfs4.Stateid
	id    nfs4.Stateid
	file  nfs4.Handle
}

// locker opens the file f in the home ada for an owner.
func (c *client) locker(owner string) *locker {
	c.Helper()
	id, h := c.open("open by "+owner, "ada", "f", rw, denyNone)
	return &locker{client: c, owner: owner, open: id, file: h}
}

// lock asks for a lock, as an owner that is new to the file where it has none yet.
func (l *locker) lock(t nfs4.LockType, offset, length uint64) *reply {
	l.Helper()
	o := lock(l.id, t, offset, length)
	if l.id == (nfs4.Stateid{}) {
		o = lockNew(l.open, l.owner, t, offset, length)
	}
	r := l.on(l.file, o)
	if r.status == nfs4.OK {
		l.id = res[nfs4.LockRes](r).LockStateid
	}
	return r
}

func (l *locker) unlock(offset, length uint64) {
	l.Helper()
	l.id = res[nfs4.LockURes](l.on(l.file, lockU(l.id, offset, length)).ok()).LockStateid
}

// test answers what is in the way of a lock; nil where nothing is.
func (l *locker) test(t nfs4.LockType, offset, length uint64) *nfs4.LockDenied {
	l.Helper()
	r := l.on(l.file, lockT(l.owner, t, offset, length)).is(nfs4.OK, nfs4.ErrDenied)
	if r.status == nfs4.OK {
		return nil
	}
	return res[nfs4.LockDenied](r)
}

// lockBed is a bed with two clients' lockers on one file.
func lockBed(t *testing.T) (*bed, *locker, *locker) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	return b, b.client("a").locker("first"), b.client("b").locker("second")
}

// TestLockConflict: locks for reading go together, others do not, and who is refused learns what is in the way.
func TestLockConflict(t *testing.T) {
	_, a, b := lockBed(t)
	a.lock(nfs4.ReadLock, 10, 10).ok()
	b.lock(nfs4.ReadLock, 0, 100).ok()
	d := res[nfs4.LockDenied](b.lock(nfs4.WriteLock, 15, 1).is(nfs4.ErrDenied))
	if d.Offset != 10 || d.Length != 10 || d.LockType != nfs4.ReadLock || string(d.Owner.Owner) != "first" || d.Owner.ClientID != a.client.id {
		t.Errorf("in the way is %+v", d)
	}
	b.unlock(0, toEOF)
	a.lock(nfs4.WriteLock, 30, 10).ok()
	for _, r := range [][2]uint64{{30, 1}, {39, 1}, {0, toEOF}, {25, 6}, {39, 100}, {35, 1}} {
		if d := b.test(nfs4.ReadLock, r[0], r[1]); d == nil || d.LockType != nfs4.WriteLock || d.Offset != 30 {
			t.Errorf("LOCKT of %d at %d: in the way is %+v", r[1], r[0], d)
		}
		b.lock(nfs4.ReadLockBlocking, r[0], r[1]).is(nfs4.ErrDenied)
	}
	for _, r := range [][2]uint64{{20, 10}, {40, 1}, {40, toEOF}, {0, 10}} {
		if d := b.test(nfs4.WriteLock, r[0], r[1]); d != nil {
			t.Errorf("LOCKT of %d at %d: in the way is %+v", r[1], r[0], d)
		}
		b.lock(nfs4.WriteLock, r[0], r[1]).ok()
	}
}

// TestLockOwn: an owner's locks are never in its own way; it may up- and downgrade them in place.
func TestLockOwn(t *testing.T) {
	_, a, b := lockBed(t)
	a.lock(nfs4.WriteLock, 0, 100).ok()
	if d := a.test(nfs4.WriteLock, 50, 100); d != nil {
		t.Errorf("the own lock is in the way: %+v", d)
	}
	seq := a.id.Seqid
	a.lock(nfs4.ReadLock, 40, 20).ok()
	if a.id.Seqid != seq+1 {
		t.Errorf("a lock took the seqid from %d to %d", seq, a.id.Seqid)
	}
	for _, r := range [][2]uint64{{40, 20}, {45, 5}} {
		if d := b.test(nfs4.ReadLock, r[0], r[1]); d != nil {
			t.Errorf("what was downgraded is in the way: %+v", d)
		}
	}
	for _, r := range [][2]uint64{{39, 1}, {60, 1}} {
		if b.test(nfs4.ReadLock, r[0], r[1]) == nil {
			t.Errorf("byte %d is free", r[0])
		}
	}
	b.lock(nfs4.ReadLock, 50, 1).ok()
	a.lock(nfs4.WriteLock, 50, 1).is(nfs4.ErrDenied)
	b.unlock(50, 1)
	a.lock(nfs4.WriteLock, 40, 20).ok()
	if d := b.test(nfs4.ReadLock, 0, 1000); d == nil || d.Offset != 0 || d.Length != 100 {
		t.Errorf("three ranges that touch are not one: %+v", d)
	}
}

// TestUnlockSplits: a part of a range can be unlocked.
func TestUnlockSplits(t *testing.T) {
	_, a, b := lockBed(t)
	a.lock(nfs4.WriteLock, 0, toEOF).ok()
	a.unlock(10, 10)
	a.unlock(15, 1) // holds nothing there: no error
	if d := b.test(nfs4.WriteLock, 10, 10); d != nil {
		t.Errorf("what was unlocked is in the way: %+v", d)
	}
	if d := b.test(nfs4.WriteLock, 9, 1); d == nil || d.Offset != 0 || d.Length != 10 {
		t.Errorf("before it is %+v", d)
	}
	if d := b.test(nfs4.WriteLock, 20, 1); d == nil || d.Offset != 20 || d.Length != toEOF {
		t.Errorf("behind it is %+v", d)
	}
	a.unlock(0, toEOF)
	if d := b.test(nfs4.WriteLock, 0, toEOF); d != nil {
		t.Errorf("all was unlocked, and %+v is in the way", d)
	}
}

// TestLockEdges: 64 bits, and not one more (RFC 8881 section 18.10.3).
func TestLockEdges(t *testing.T) {
	_, a, b := lockBed(t)
	for _, r := range [][2]uint64{{0, 0}, {100, 0}, {math.MaxUint64, 0}, {math.MaxUint64, 2}, {2, math.MaxUint64 - 1}, {1 << 63, 1<<63 + 1}} {
		a.lock(nfs4.WriteLock, r[0], r[1]).is(nfs4.ErrInval)
		a.on(a.file, lockT("x", nfs4.WriteLock, r[0], r[1])).is(nfs4.ErrInval)
		a.on(a.file, lockU(a.open, r[0], r[1])).is(nfs4.ErrInval)
	}
	a.lock(5, 0, 1).is(nfs4.ErrInval)
	a.lock(0, 0, 1).is(nfs4.ErrInval)
	a.lock(nfs4.WriteLock, math.MaxUint64-1, 1).ok()
	a.lock(nfs4.WriteLock, math.MaxUint64, toEOF).ok()
	if d := b.test(nfs4.WriteLock, math.MaxUint64, toEOF); d == nil || d.Length != toEOF {
		t.Errorf("in the way of the last byte is %+v", d)
	}
	if d := b.test(nfs4.WriteLock, 0, math.MaxUint64-1); d != nil {
		t.Errorf("in the way of all before is %+v", d)
	}
}

// TestLockOwners: who owns a lock is the client's name for the owner, with the client.
func TestLockOwners(t *testing.T) {
	bed, a, b := lockBed(t)
	a.lock(nfs4.WriteLock, 0, 10).ok()
	same := b.client.locker("first") // another client's owner of the same name
	same.lock(nfs4.WriteLock, 0, 10).is(nfs4.ErrDenied)
	twin := a.client.locker("twin") // another owner of the same client
	twin.lock(nfs4.WriteLock, 0, 10).is(nfs4.ErrDenied)
	// The client id in the request says nothing (RFC 8881 section 18.10.3).
	o := lockNew(b.open, "first", nfs4.WriteLock, 0, 10)
	o.args.(*nfs4.LockArgs).Locker.LockOwner.ClientID = a.client.id
	b.on(b.file, o).is(nfs4.ErrDenied)
	// An owner that says that it is new again is the one it was, also with another open.
	again := res[nfs4.LockRes](a.on(a.file, lockNew(twin.open, "first", nfs4.WriteLock, 10, 10)).ok()).LockStateid
	if again.Other != a.id.Other {
		t.Errorf("one owner has two stateids on a file: %v and %v", a.id, again)
	}
	a.id = again
	// On another file it is another state.
	bed.file("ada", "g", "x")
	id, h := a.client.open("o", "ada", "g", rw, denyNone)
	other := res[nfs4.LockRes](a.on(h, lockNew(id, "first", nfs4.WriteLock, 0, 10)).ok()).LockStateid
	if other.Other == a.id.Other {
		t.Error("one stateid is of two files")
	}
	a.on(h, lock(a.id, nfs4.WriteLock, 0, 1)).is(nfs4.ErrBadStateid)
}

// TestLockOpenMode: a lock takes an open for what it locks.
func TestLockOpenMode(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	readID, h := c.open("reader", "ada", "f", r, denyNone)
	writeID, _ := c.open("writer", "ada", "f", w, denyNone)
	c.on(h, lockNew(readID, "l", nfs4.WriteLock, 0, 1)).is(nfs4.ErrOpenMode)
	c.on(h, lockNew(writeID, "m", nfs4.ReadLock, 0, 1)).is(nfs4.ErrOpenMode)
	c.on(h, lockNew(readID, "l", nfs4.ReadLock, 0, 1)).ok()
	c.on(h, lockNew(writeID, "m", nfs4.WriteLock, 5, 1)).ok()
}

// TestLockTypes: there are locks on regular files alone.
func TestLockTypes(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.in("ada", symlink("l", "x")).ok()
	c.in("ada", create(nfs4.TypeFIFO, "p")).ok()
	for path, want := range map[string]nfs4.Status{"ada": nfs4.ErrIsDir, "ada/l": nfs4.ErrSymlink, "ada/p": nfs4.ErrWrongType, "": nfs4.ErrIsDir} {
		c.in(path, lockT("l", nfs4.WriteLock, 0, 1)).is(want)
	}
	c.send(putRootFH(), lockT("l", nfs4.WriteLock, 0, 1)).is(nfs4.ErrIsDir)
	c.send(lockT("l", nfs4.WriteLock, 0, 1)).is(nfs4.ErrNoFileHandle)
	b.file("ada", "f", "x")
	c.in("ada/f", lockT("l", nfs4.WriteLock, 0, 1)).ok() // nobody has it open
}

// TestLockDeniedLong: the longest owner fits into an answer, or the answer says that it does not.
func TestLockDeniedLong(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	owner := strings.Repeat("o", nfs4.MaxOpaque)
	c.on(h, lockNew(id, owner, nfs4.WriteLock, 0, 1)).ok()
	d := res[nfs4.LockDenied](b.client("b").on(h, lockT("l", nfs4.WriteLock, 0, 1)).is(nfs4.ErrDenied))
	if string(d.Owner.Owner) != owner {
		t.Errorf("the owner in the way has %d bytes", len(d.Owner.Owner))
	}
	reply := b.small("c", 1024, 1024, 16).on(h, lockT("l", nfs4.WriteLock, 0, 1)).is(nfs4.ErrRepTooBig)
	if n := len(reply.raw) + 24; n > 1024 {
		t.Errorf("the reply has %d bytes", n)
	}
}
