// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

const (
	r  = nfs4.ShareAccessRead
	w  = nfs4.ShareAccessWrite
	rw = nfs4.ShareAccessBoth

	denyNone  = nfs4.ShareDenyNone
	denyRead  = nfs4.ShareDenyRead
	denyWrite = nfs4.ShareDenyWrite
	denyBoth  = nfs4.ShareDenyBoth
)

// TestOpenNull: OPEN by name makes the file the current filehandle, and its stateid the current one.
func TestOpenNull(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	reply := c.in("ada", open("o", "f", r, denyNone), getFH(), read(nfs4.CurrentStateid, 0, 100)).ok()
	if got := string(res[nfs4.ReadRes](reply).Data); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
	o := res[nfs4.OpenRes](reply)
	if o.Stateid.Seqid != 1 || o.Stateid.Reserved() || o.Delegation.Type != nfs4.DelegateNone || o.RFlags&nfs4.OpenResultConfirm != 0 ||
		o.RFlags&nfs4.OpenResultLockTypePosix == 0 || !o.AttrSet.Empty() {
		t.Errorf("OPEN answered %+v", o)
	}
	c.in("ada", open("o", "nothing", r, denyNone)).is(nfs4.ErrNoEnt)
	c.in("ada", mkdir("d"), lookupP(), open("o", "d", r, denyNone)).is(nfs4.ErrIsDir)
	c.in("ada", symlink("l", "f")).ok()
	c.in("ada", open("o", "l", r, denyNone)).is(nfs4.ErrSymlink)
	c.in("ada", create(nfs4.TypeFIFO, "p")).ok()
	c.in("ada", open("o", "p", r, denyNone)).is(nfs4.ErrWrongType)
	c.in("ada/f", open("o", "x", r, denyNone)).is(nfs4.ErrNotDir)
	c.send(open("o", "f", r, denyNone)).is(nfs4.ErrNoFileHandle)
	for name, want := range map[string]nfs4.Status{"": nfs4.ErrInval, ".": nfs4.ErrBadName, "..": nfs4.ErrBadName, "a/b": nfs4.ErrBadChar} {
		c.in("ada", open("o", name, r, denyNone)).is(want)
	}
}

// TestOpenArgs: what OPEN refuses.
func TestOpenArgs(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	c.in("ada", open("o", "f", 0, denyNone)).is(nfs4.ErrInval)
	c.in("ada", open("o", "f", r, 4)).is(nfs4.ErrInval)
	o := openNew("o", "f", nfs4.CreateUnchecked, nfs4.Fattr{})
	o.args.(*nfs4.OpenArgs).Claim = nfs4.OpenClaim{Type: nfs4.ClaimFH}
	c.in("ada/f", o).is(nfs4.ErrInval)
	for claim, want := range map[nfs4.ClaimType]nfs4.Status{
		nfs4.ClaimDelegateCur: nfs4.ErrBadStateid, nfs4.ClaimDelegCurFH: nfs4.ErrBadStateid,
		nfs4.ClaimDelegatePrev: nfs4.ErrNotSupp, nfs4.ClaimDelegPrevFH: nfs4.ErrNotSupp, nfs4.ClaimPrevious: nfs4.ErrNoGrace,
	} {
		c.in("ada/f", openClaim("o", claim, r, denyNone)).is(want)
	}
}

// TestOpenDelegation: a client that says what it wants is told why it gets none.
func TestOpenDelegation(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	for want, why := range map[nfs4.ShareAccess]nfs4.WhyNoDelegation{
		nfs4.ShareWantNoDeleg: nfs4.WhyNotWanted, nfs4.ShareWantReadDeleg: nfs4.WhyResource, nfs4.ShareWantAnyDeleg: nfs4.WhyResource,
	} {
		d := res[nfs4.OpenRes](c.in("ada", open("o", "f", r|want, denyNone)).ok()).Delegation
		if d.Type != nfs4.DelegateNoneExt || d.Why != why {
			t.Errorf("with the wish %#x the answer is %+v", want, d)
		}
	}
	c.in("ada/f", op{nfs4.OpDelegReturn, &nfs4.DelegReturnArgs{DelegStateid: nfs4.Stateid{Seqid: 1, Other: [12]byte{1}}}}).is(nfs4.ErrBadStateid)
}

// TestOpenFH: OPEN by filehandle.
func TestOpenFH(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	id := res[nfs4.OpenRes](c.in("ada/f", openClaim("o", nfs4.ClaimFH, rw, denyNone)).ok()).Stateid
	c.in("ada/f", write(id, 0, nfs4.FileSync, "C")).ok()
	c.in("ada", openClaim("o", nfs4.ClaimFH, r, denyNone)).is(nfs4.ErrIsDir)
	c.in("ada/f", remove("x")).is(nfs4.ErrNotDir)
	if got := b.contents(hub, "ada", "f"); got != "Contents" {
		t.Errorf("the file reads %q", got)
	}
}

// TestOpenCreate: the ways to make a file.
func TestOpenCreate(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	mode := set(nfs4.Attrs{Mode: 0o600}, nfs4.AttrMode)
	reply := c.in("ada", openNew("o", "f", nfs4.CreateUnchecked, mode), getAttr(nfs4.AttrMode, nfs4.AttrOwner, nfs4.AttrSize)).ok()
	if a := c.decode(reply); a.Mode != 0o600 || a.Owner.ID != 1000 {
		t.Errorf("the new file has mode %o and belongs to %d", a.Mode, a.Owner.ID)
	}
	o := res[nfs4.OpenRes](reply)
	if !o.AttrSet.Has(nfs4.AttrMode) || !o.CInfo.Atomic || o.CInfo.Before == o.CInfo.After {
		t.Errorf("OPEN answered %+v", o)
	}
	c.in("ada/f", write(o.Stateid, 0, nfs4.FileSync, "contents")).ok()

	o = res[nfs4.OpenRes](c.in("ada", openNew("o", "f", nfs4.CreateUnchecked, mode)).ok())
	if !o.AttrSet.Empty() || o.CInfo.Before != o.CInfo.After {
		t.Errorf("OPEN of a file that is there answered %+v", o)
	}
	size := func(n uint64) nfs4.Fattr { return set(nfs4.Attrs{Size: n}, nfs4.AttrSize) }
	o = res[nfs4.OpenRes](c.in("ada", openNew("o", "f", nfs4.CreateUnchecked, size(3))).ok())
	if got := b.contents(hub, "ada", "f"); got != "contents" || !o.AttrSet.Empty() {
		t.Errorf("a size other than zero was set on a file that is there: it reads %q, OPEN says %v", got, o.AttrSet)
	}
	o = res[nfs4.OpenRes](c.in("ada", openNew("o", "f", nfs4.CreateUnchecked, size(0))).ok())
	if got := b.contents(hub, "ada", "f"); got != "" || !o.AttrSet.Has(nfs4.AttrSize) {
		t.Errorf("with a size of zero the file reads %q, OPEN says %v", got, o.AttrSet)
	}

	c.in("ada", openNew("o", "f", nfs4.CreateGuarded, mode)).is(nfs4.ErrExist)
	c.in("ada", openNew("o", "g", nfs4.CreateGuarded, mode)).ok()
	c.in("ada", mkdir("d")).ok()
	c.in("ada", openNew("o", "d", nfs4.CreateUnchecked, nfs4.Fattr{})).is(nfs4.ErrIsDir)
	c.in("ada", openNew("o", "d", nfs4.CreateGuarded, nfs4.Fattr{})).is(nfs4.ErrExist)
	c.in("ada", openNew("o", "x", nfs4.CreateUnchecked, set(nfs4.Attrs{Type: nfs4.TypeReg}, nfs4.AttrType))).is(nfs4.ErrInval)
	c.in("ada", openNew("o", "x", nfs4.CreateUnchecked, nfs4.Fattr{Mask: nfs4.AttrsOf(nfs4.AttrACL), Vals: []byte{0, 0, 0, 0}})).is(nfs4.ErrAttrNotSupp)
	c.in("ada", lookup("x")).is(nfs4.ErrNoEnt)
}

// TestOpenExclusive: a retry finds its own file, nobody else's.
func TestOpenExclusive(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	for _, mode := range []nfs4.CreateMode{nfs4.CreateExclusive, nfs4.CreateExclusive4_1} {
		name := string(rune('a' + mode))
		o := openNew("o", name, mode, nfs4.Fattr{})
		how := &o.args.(*nfs4.OpenArgs).How
		how.Verifier = nfs4.Verifier{1, 2, 3}
		if mode == nfs4.CreateExclusive4_1 {
			how.Attrs = set(nfs4.Attrs{Mode: 0o640}, nfs4.AttrMode)
		}
		first := res[nfs4.GetFHRes](c.in("ada", o, getFH()).ok()).Object
		again := res[nfs4.GetFHRes](c.in("ada", o, getFH()).ok()).Object
		if string(first) != string(again) {
			t.Error("the retry found another file")
		}
		how.Verifier = nfs4.Verifier{1, 2, 4}
		c.in("ada", o).is(nfs4.ErrExist)
	}
	supported := c.attrs("ada", nfs4.AttrSuppAttrExclCreat).SuppAttrExclCreat
	if !supported.Has(nfs4.AttrMode) || supported.Has(nfs4.AttrSize) {
		t.Errorf("EXCLUSIVE4_1 is said to take %v", supported)
	}
	o := openNew("o", "x", nfs4.CreateExclusive4_1, set(nfs4.Attrs{Size: 1}, nfs4.AttrSize))
	c.in("ada", o).is(nfs4.ErrInval)
}

// TestOpenPermission: mode bits decide, and the server asks for nothing more after OPEN.
func TestOpenPermission(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	c.in("ada/f", setMode(0o640)).ok()
	other := sys(3000, 3000)
	c.sendAs(&other, at("ada", open("o", "f", r, denyNone))...).is(nfs4.ErrAccess)
	member := sys(3000, 3000, 1000)
	c.sendAs(&member, at("ada", open("o", "f", r, denyNone))...).ok()
	c.sendAs(&member, at("ada", open("o", "f", rw, denyNone))...).is(nfs4.ErrAccess)
	c.sendAs(&member, at("ada", openNew("o", "new", nfs4.CreateUnchecked, nfs4.Fattr{}))...).is(nfs4.ErrAccess)
	id, h := c.open("p", "ada", "f", rw, denyNone)
	c.in("ada/f", setMode(0)).ok()
	c.on(h, write(id, 0, nfs4.FileSync, "C")).ok()
	c.on(h, read(id, 0, 1)).ok()
}

// TestShare: which opens go together (RFC 8881 section 9.7).
func TestShare(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	a, c := b.client("a"), b.client("c")
	for _, have := range []struct {
		access nfs4.ShareAccess
		deny   nfs4.ShareDeny
	}{{r, denyNone}, {w, denyNone}, {rw, denyNone}, {r, denyRead}, {r, denyWrite}, {w, denyBoth}, {rw, denyBoth}} {
		id, h := a.open("o", "ada", "f", have.access, have.deny)
		for _, want := range []nfs4.ShareAccess{r, w, rw} {
			for _, deny := range []nfs4.ShareDeny{denyNone, denyRead, denyWrite, denyBoth} {
				status := nfs4.OK
				if uint32(have.deny)&uint32(want) != 0 || uint32(have.access)&uint32(deny) != 0 {
					status = nfs4.ErrShareDenied
				}
				for _, who := range []*client{a, c} { // another owner of the same client, and another client
					reply := who.in("ada", open("p", "f", want, deny)).is(status)
					if status == nfs4.OK {
						who.on(h, closeFile(res[nfs4.OpenRes](reply).Stateid)).ok()
					}
				}
			}
		}
		a.on(h, closeFile(id)).ok()
	}
	// The own open never denies anything to its owner.
	id, h := a.open("o", "ada", "f", r, denyBoth)
	a.open("o", "ada", "f", w, denyNone)
	a.on(h, closeFile(nfs4.Stateid{Other: id.Other})).ok()
	c.open("p", "ada", "f", rw, denyBoth)
}

// TestShareTruncate: an open that may not write does not cut the file.
func TestShareTruncate(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	a, c := b.client("a"), b.client("c")
	a.open("o", "ada", "f", r, denyWrite)
	c.in("ada", openNew("p", "f", nfs4.CreateUnchecked, set(nfs4.Attrs{}, nfs4.AttrSize))).is(nfs4.ErrShareDenied)
	o := openNew("p", "f", nfs4.CreateUnchecked, set(nfs4.Attrs{}, nfs4.AttrSize))
	o.args.(*nfs4.OpenArgs).ShareAccess = r
	c.in("ada", o).is(nfs4.ErrShareDenied, nfs4.ErrInval)
	if got := b.contents(hub, "ada", "f"); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
}

// TestUpgradeDowngrade: an owner's opens of a file are one state.
func TestUpgradeDowngrade(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c, other := b.client("a"), b.client("b")
	first, h := c.open("o", "ada", "f", r, denyNone)
	c.on(h, write(first, 0, nfs4.Unstable, "y")).is(nfs4.ErrOpenMode)
	second, _ := c.open("o", "ada", "f", w, denyWrite)
	if second.Other != first.Other || second.Seqid != first.Seqid+1 {
		t.Errorf("the open was %v and became %v", first, second)
	}
	c.on(h, write(second, 0, nfs4.Unstable, "y")).ok()
	other.in("ada", open("p", "f", w, denyNone)).is(nfs4.ErrShareDenied)

	c.on(h, downgrade(second, r, denyWrite)).is(nfs4.ErrInval) // was never opened so
	c.on(h, downgrade(second, 0, denyNone)).is(nfs4.ErrInval)
	c.on(h, downgrade(second, r, 4)).is(nfs4.ErrInval)
	c.on(h, downgrade(first, r, denyNone)).is(nfs4.ErrOldStateid)
	third := res[nfs4.OpenDowngradeRes](c.on(h, downgrade(second, r, denyNone)).ok()).OpenStateid
	if third.Other != first.Other || third.Seqid != second.Seqid+1 {
		t.Errorf("the open was %v and became %v", second, third)
	}
	c.on(h, write(third, 0, nfs4.Unstable, "z")).is(nfs4.ErrOpenMode)
	other.open("p", "ada", "f", w, denyNone)
	c.on(h, downgrade(third, rw, denyNone)).is(nfs4.ErrInval)
}

// TestClose: a closed open is none, what it denied is free, and its locks go with it.
func TestClose(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c, other := b.client("a"), b.client("b")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	lockID := res[nfs4.LockRes](c.on(h, lockNew(id, "l", nfs4.WriteLock, 0, toEOF)).ok()).LockStateid
	otherID, _ := other.open("p", "ada", "f", rw, denyNone)
	other.on(h, lockNew(otherID, "m", nfs4.WriteLock, 0, 1)).is(nfs4.ErrDenied)
	closed := res[nfs4.CloseRes](c.on(h, closeFile(id)).ok()).OpenStateid
	if closed != nfs4.InvalidStateid {
		t.Errorf("CLOSE answered the stateid %v", closed)
	}
	c.on(h, closeFile(id)).is(nfs4.ErrBadStateid)
	c.on(h, read(id, 0, 1)).is(nfs4.ErrBadStateid)
	c.on(h, lockU(lockID, 0, 1)).is(nfs4.ErrBadStateid)
	other.on(h, lockNew(otherID, "m", nfs4.WriteLock, 0, 1)).ok()
	c.in("ada", closeFile(otherID)).is(nfs4.ErrBadStateid)
}

// TestOpenUnlinked: a file that is open stays readable and writable when its name goes.
func TestOpenUnlinked(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	c.in("ada", remove("f")).ok()
	c.on(h, write(id, 0, nfs4.Unstable, "C"), commit()).ok()
	if got := string(res[nfs4.ReadRes](c.on(h, read(id, 0, 100)).ok()).Data); got != "Contents" {
		t.Errorf("the file reads %q", got)
	}
	c.on(h, closeFile(id)).ok()
	c.on(h, getAttr(nfs4.AttrSize)).is(nfs4.ErrStale)
}

// TestOpenRecorded: which client holds state in which home is recorded before the client has it; what cannot be recorded is
// not given.
func TestOpenRecorded(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	b.recovery.fail("Add", syscall.EIO)
	c.in("ada", open("o", "f", r, denyBoth)).is(nfs4.ErrIO)
	b.recovery.fail("Add", nil)
	b.client("b").open("o", "ada", "f", rw, denyNone)
	if n := b.recovery.homes("a"); n != 0 {
		t.Errorf("the record of who has nothing has %d homes", n)
	}
	c.open("o", "ada", "f", r, denyNone)
	c.in("bob", openNew("o", "g", nfs4.CreateUnchecked, nfs4.Fattr{})).is(nfs4.OK)
	if n := b.recovery.homes("a"); n != 2 {
		t.Errorf("the record of who has files open in two homes has %d", n)
	}
}
