// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"bytes"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// The cases of EXCHANGE_ID, as RFC 8881 section 18.35.4 numbers them.

// TestExchangeIDNew is case 1: an owner nobody knows gets an unconfirmed record.
func TestExchangeIDNew(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	r := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	if r.Flags&nfs4.ExchangeConfirmedR != 0 || r.Flags&nfs4.ExchangeUseNonPNFS == 0 || r.Flags&nfs4.ExchangeUpdConfirmedRecA != 0 {
		t.Errorf("the flags are %#x", r.Flags)
	}
	if !bytes.Equal(r.ServerOwner.MajorID, serverID) || !bytes.Equal(r.ServerScope, serverID) {
		t.Errorf("the server is %q in the scope %q", r.ServerOwner.MajorID, r.ServerScope)
	}
	other := res[nfs4.ExchangeIDRes](c.alone(exchangeID("b", c.verifier, 0)).ok())
	if other.ClientID == r.ClientID {
		t.Error("two owners got one client id")
	}
}

// TestExchangeIDAgain is case 2: a confirmed client that asks again is told its id, and keeps all that it has.
func TestExchangeIDAgain(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", nfs4.ShareAccessRead, nfs4.ShareDenyNone)
	r := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	if r.ClientID != c.id || r.Flags&nfs4.ExchangeConfirmedR == 0 {
		t.Errorf("client %d got the id %d and the flags %#x", c.id, r.ClientID, r.Flags)
	}
	c.on(h, read(id, 0, 1)).ok()
}

// TestExchangeIDCollision is case 3: another principal does not take over what is in use, and does take over what is not.
func TestExchangeIDCollision(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	thief := b.newClient("a")
	thief.cred = sys(2000, 2000)
	thief.alone(exchangeID("a", thief.verifier, 0)).is(nfs4.ErrClidInUse)
	thief.alone(exchangeID("a", nfs4.Verifier{9}, 0)).is(nfs4.ErrClidInUse)
	c.send().ok()
	c.alone(destroySession(c.session)).ok()
	r := res[nfs4.ExchangeIDRes](thief.alone(exchangeID("a", thief.verifier, 0)).ok())
	if r.ClientID == c.id || r.Flags&nfs4.ExchangeConfirmedR != 0 {
		t.Errorf("the other principal got the id %d and the flags %#x", r.ClientID, r.Flags)
	}
}

// TestExchangeIDUnconfirmed is case 4: a record that was never confirmed is replaced.
func TestExchangeIDUnconfirmed(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	first := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	second := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	if first.ClientID == second.ClientID {
		t.Error("the second EXCHANGE_ID got the record of the first")
	}
	c.alone(createSession(first.ClientID, first.SequenceID, channel)).is(nfs4.ErrStaleClientID)
	c.alone(createSession(second.ClientID, second.SequenceID, channel)).ok()
}

// TestExchangeIDRestart is case 5: a client that has restarted loses what it had when it confirms its new record, and
// not before.
func TestExchangeIDRestart(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", nfs4.ShareAccessRead, nfs4.ShareDenyBoth)
	next := b.newClient("a")
	next.verifier = nfs4.Verifier{9}
	r := res[nfs4.ExchangeIDRes](next.alone(exchangeID("a", next.verifier, 0)).ok())
	if r.ClientID == c.id || r.Flags&nfs4.ExchangeConfirmedR != 0 {
		t.Errorf("the restarted client got the id %d and the flags %#x", r.ClientID, r.Flags)
	}
	c.on(h, read(id, 0, 1)).ok()
	next.take(res[nfs4.CreateSessionRes](next.alone(createSession(r.ClientID, r.SequenceID, channel)).ok()))
	c.send().is(nfs4.ErrBadSession)
	next.send(reclaimComplete()).ok()
	next.on(h, read(id, 0, 1)).is(nfs4.ErrBadStateid)
	next.open("o", "ada", "f", nfs4.ShareAccessBoth, nfs4.ShareDenyNone)
	if n := b.recovery.homes("a"); n != 1 {
		t.Errorf("the restarted client's record has %d homes, want 1", n)
	}
}

// TestExchangeIDUpdate is cases 6 to 9: a confirmed record may be changed by its own client alone.
func TestExchangeIDUpdate(t *testing.T) {
	b := newBed(t)
	const update = nfs4.ExchangeUpdConfirmedRecA
	c := b.client("a")
	r := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, update)).ok())
	if r.ClientID != c.id || r.Flags&nfs4.ExchangeConfirmedR == 0 || r.Flags&update != 0 {
		t.Errorf("client %d got the id %d and the flags %#x", c.id, r.ClientID, r.Flags)
	}
	c.alone(exchangeID("nobody", c.verifier, update)).is(nfs4.ErrNoEnt)
	c.alone(exchangeID("a", nfs4.Verifier{9}, update)).is(nfs4.ErrNotSame)
	other := b.newClient("a")
	other.cred = sys(2000, 2000)
	other.alone(exchangeID("a", other.verifier, update)).is(nfs4.ErrPerm)
	c.send().ok()
}

// TestExchangeIDArgs: flags that nobody knows are refused, and so is protection that AUTH_SYS cannot give.
func TestExchangeIDArgs(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	c.alone(exchangeID("a", c.verifier, 0x8)).is(nfs4.ErrInval)
	c.alone(exchangeID("a", c.verifier, nfs4.ExchangeConfirmedR)).is(nfs4.ErrInval)
	o := exchangeID("a", c.verifier, 0)
	o.args.(*nfs4.ExchangeIDArgs).StateProtect.How = nfs4.ProtectMachCred
	if s := c.alone(o).status; s == nfs4.OK {
		t.Error("SP4_MACH_CRED was granted to AUTH_SYS")
	}
	c.alone(exchangeID("a", c.verifier, 0), putRootFH()).is(nfs4.ErrNotOnlyOp)
}

// TestDestroyClientID: a client that has nothing goes at once, one that has a session or a file open does not.
func TestDestroyClientID(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.alone(destroyClientID(c.id)).is(nfs4.ErrClientIDBusy)
	c.send(destroyClientID(c.id)).is(nfs4.ErrClientIDBusy)
	c.alone(destroySession(c.session)).ok()
	c.alone(destroyClientID(c.id)).ok()
	c.alone(destroyClientID(c.id)).is(nfs4.ErrStaleClientID)
	c.alone(createSession(c.id, 2, channel)).is(nfs4.ErrStaleClientID)

	b.file("ada", "f", "x")
	c = b.client("a")
	id, h := c.open("o", "ada", "f", nfs4.ShareAccessRead, nfs4.ShareDenyNone)
	other := b.client("b")
	c.alone(destroySession(c.session)).ok()
	other.send(destroyClientID(c.id)).is(nfs4.ErrClientIDBusy)
	seq := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok()).SequenceID
	c.take(res[nfs4.CreateSessionRes](c.alone(createSession(c.id, seq, channel)).ok()))
	c.on(h, closeFile(id)).ok()
	c.alone(destroySession(c.session)).ok()
	other.send(destroyClientID(c.id)).ok()
	if n := b.recovery.homes("a"); n != 0 {
		t.Errorf("the record of a client that is gone has %d homes", n)
	}
}

// TestDestroyUnconfirmed: who forgets a record that was never confirmed takes nothing from the confirmed one of the same
// owner, also not the right to reclaim.
func TestDestroyUnconfirmed(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	_, h := c.open("o", "ada", "f", nfs4.ShareAccessRead, nfs4.ShareDenyNone)
	b.restart()
	thief := b.newClient("a")
	r := res[nfs4.ExchangeIDRes](thief.alone(exchangeID("a", nfs4.Verifier{9}, 0)).ok())
	thief.alone(destroyClientID(r.ClientID)).ok()
	c.again()
	c.on(h, reopen("o", nfs4.ShareAccessRead)).ok()
}
