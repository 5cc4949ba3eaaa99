// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"bytes"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// TestCreateSessionGrants: the server grants what was asked within its bounds, and never a back channel.
func TestCreateSessionGrants(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	id := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	asked := nfs4.ChannelAttrs{MaxRequestSize: 1 << 30, MaxResponseSize: 1 << 30, MaxResponseSizeCached: 1 << 30, MaxOperations: 1 << 20, MaxRequests: 1 << 20}
	o := createSession(id.ClientID, id.SequenceID, asked)
	o.args.(*nfs4.CreateSessionArgs).Flags = nfs4.SessionPersist | nfs4.SessionConnBackChan
	r := res[nfs4.CreateSessionRes](c.alone(o).ok())
	got := r.ForeChanAttrs
	if got.MaxRequestSize < 1<<20 || got.MaxRequestSize >= 1<<30 || got.MaxResponseSize < 1<<20 || got.MaxResponseSize >= 1<<30 ||
		got.MaxOperations < 16 || got.MaxOperations > 1024 || got.MaxRequests < 16 || got.MaxRequests > 1024 || got.MaxResponseSizeCached < 1024 || got.MaxResponseSizeCached > 1<<20 {
		t.Errorf("asked for %+v, the server granted %+v", asked, got)
	}
	if r.Flags != 0 || r.Sequence != id.SequenceID {
		t.Errorf("the flags are %#x, the sequence %d, want 0 and %d", r.Flags, r.Sequence, id.SequenceID)
	}
}

// TestCreateSessionTooSmall: a channel in which nothing can be said is refused.
func TestCreateSessionTooSmall(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	id := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	seq := id.SequenceID
	for _, change := range []func(*nfs4.ChannelAttrs){
		func(a *nfs4.ChannelAttrs) { a.MaxRequestSize = 100 },
		func(a *nfs4.ChannelAttrs) { a.MaxResponseSize = 100 },
	} {
		small := channel
		change(&small)
		c.alone(createSession(id.ClientID, seq, small)).is(nfs4.ErrTooSmall)
		seq++
	}
	for _, change := range []func(*nfs4.ChannelAttrs){
		func(a *nfs4.ChannelAttrs) { a.MaxRequests = 0 },
		func(a *nfs4.ChannelAttrs) { a.MaxOperations = 0 },
	} {
		none := channel
		change(&none)
		c.alone(createSession(id.ClientID, seq, none)).is(nfs4.ErrInval)
		seq++
	}
	c.alone(createSession(id.ClientID, seq, channel)).ok()
}

// TestCreateSessionReplay: CREATE_SESSION has a reply cache of one (RFC 8881 section 18.36.4).
func TestCreateSessionReplay(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	id := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	c.alone(createSession(id.ClientID, id.SequenceID+1, channel)).is(nfs4.ErrSeqMisordered)
	c.alone(createSession(id.ClientID, id.SequenceID-1, channel)).is(nfs4.ErrSeqMisordered)
	first := c.alone(createSession(id.ClientID, id.SequenceID, channel)).ok()
	again := c.alone(createSession(id.ClientID, id.SequenceID, channel)).ok()
	if !bytes.Equal(first.raw, again.raw) {
		t.Errorf("the retry was answered %x, the request %x", again.raw, first.raw)
	}
	second := c.alone(createSession(id.ClientID, id.SequenceID+1, channel)).ok()
	if res[nfs4.CreateSessionRes](second).SessionID == res[nfs4.CreateSessionRes](first).SessionID {
		t.Error("two requests got one session")
	}
	c.alone(createSession(id.ClientID, id.SequenceID, channel)).is(nfs4.ErrSeqMisordered)
	seq := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok()).SequenceID
	if seq != id.SequenceID+2 {
		t.Errorf("after two sessions EXCHANGE_ID says sequence %d, want %d", seq, id.SequenceID+2)
	}
	c.alone(createSession(id.ClientID+1, 1, channel)).is(nfs4.ErrStaleClientID)

	// An error is cached like any other answer.
	small := channel
	small.MaxRequestSize = 1
	c.alone(createSession(id.ClientID, seq, small)).is(nfs4.ErrTooSmall)
	c.alone(createSession(id.ClientID, seq, channel)).is(nfs4.ErrTooSmall)
	c.alone(createSession(id.ClientID, seq+1, channel)).ok()
}

// TestCreateSessionPrincipal: nobody else confirms a client's record.
func TestCreateSessionPrincipal(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	id := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok())
	c.cred = sys(2000, 2000)
	c.alone(createSession(id.ClientID, id.SequenceID, channel)).is(nfs4.ErrClidInUse)
}

// TestSessionCreatedInSession: a client makes its second session within the first.
func TestSessionCreatedInSession(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	seq := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok()).SequenceID
	r := res[nfs4.CreateSessionRes](c.send(createSession(c.id, seq, channel)).ok())
	if r.SessionID == c.session {
		t.Error("the second session is the first")
	}
	c.alone(sequence(r.SessionID, 1, 0, false), putRootFH()).ok()
	c.send(putRootFH()).ok()
}

// TestSessionLimit: a client cannot have sessions without end.
func TestSessionLimit(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	seq := res[nfs4.ExchangeIDRes](c.alone(exchangeID("a", c.verifier, 0)).ok()).SequenceID
	for n := range 100 {
		r := c.alone(createSession(c.id, seq+uint32(n), channel)).is(nfs4.OK, nfs4.ErrDelay)
		if r.status == nfs4.ErrDelay {
			c.send(putRootFH()).ok()
			return
		}
	}
	t.Error("a client has more than a hundred sessions")
}

// TestTrunking: any connection may carry a session, and a slot is the same by all of them.
func TestTrunking(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	first := c.conn
	c.conn = b.connect()
	c.send(putRootFH()).ok()
	r := res[nfs4.BindConnToSessionRes](c.alone(bindConn(c.session, nfs4.ChannelBackOrBoth)).ok())
	if r.SessionID != c.session || r.Dir != nfs4.ChannelFore {
		t.Errorf("the connection was bound in the direction %d", r.Dir)
	}
	c.alone(bindConn(c.session, nfs4.ChannelForeOrBoth)).ok()
	c.alone(bindConn(nfs4.SessionID{1}, nfs4.ChannelFore)).is(nfs4.ErrBadSession)
	c.alone(bindConn(c.session, nfs4.ChannelFore), putRootFH()).is(nfs4.ErrNotOnlyOp)
	second := c.conn
	c.conn = first
	c.send(putRootFH()).ok()
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	c.send(putRootFH()).ok()
}

// TestDestroySession: a session that was destroyed is none any more, whoever destroyed it and from where.
func TestDestroySession(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.send(destroySession(c.session), putRootFH()).is(nfs4.ErrNotOnlyOp)
	c.send(putRootFH()).ok()
	c.alone(destroySession(c.session), putRootFH()).is(nfs4.ErrNotOnlyOp)
	c.send(destroySession(c.session)).ok() // the last operation of its own request
	c.send(putRootFH()).is(nfs4.ErrBadSession)
	c.alone(destroySession(c.session)).is(nfs4.ErrBadSession)
	c.alone(destroySession(nfs4.SessionID{})).is(nfs4.ErrBadSession)
}

// TestSessionRestart: sessions do not outlive the server, and the client notices by the first status.
func TestSessionRestart(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	session, id := c.session, c.id
	b.restart()
	c.conn = b.connect()
	c.alone(sequence(session, 2, 0, false), putRootFH()).is(nfs4.ErrBadSession)
	c.alone(createSession(id, 2, channel)).is(nfs4.ErrStaleClientID)
	c.begin()
	c.send(putRootFH()).ok()
}

// TestBackchannelCtl: the server takes the parameters of calls that it never makes.
func TestBackchannelCtl(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	c.send(op{nfs4.OpBackchannelCtl, &nfs4.BackchannelCtlArgs{CBProgram: 1 << 30, SecParms: []nfs4.CallbackSec{{}}}}).ok()
}
