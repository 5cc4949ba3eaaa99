// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
)

// client is one NFS client with a session. A request takes the first slot, so one runs at a time.
type client struct {
	testing.TB
	bed      *bed
	conn     *oncrpc.Client
	cred     oncrpc.Cred
	minor    uint32
	owner    string
	verifier nfs4.Verifier

	id      nfs4.ClientID
	session nfs4.SessionID
	granted nfs4.ChannelAttrs

	mu  sync.Mutex
	seq uint32
}

// sys is the credential of a user.
func sys(uid, gid uint32, groups ...uint32) oncrpc.Cred {
	c := oncrpc.Cred{Flavor: oncrpc.AuthSys, SysCred: oncrpc.SysCred{UID: uid, GID: gid, Machine: []byte("test")}}
	c.SetGIDs(groups)
	return c
}

// connect opens a connection to the server.
func (b *bed) connect() *oncrpc.Client {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	conn, err := oncrpc.Dial(ctx, b.addr)
	b.must("connect", err)
	b.Cleanup(func() { conn.Close() })
	return conn
}

// newClient connects a client that is known to nobody yet. It is uid 1000, which owns the homes.
func (b *bed) newClient(owner string) *client {
	b.Helper()
	return &client{
		TB: b.T, bed: b, conn: b.connect(), cred: sys(1000, 1000), minor: 2, owner: owner,
		verifier: nfs4.Verifier{1, 2, 3},
	}
}

// client connects a client that has a session and nothing to reclaim.
func (b *bed) client(owner string) *client {
	b.Helper()
	c := b.newClient(owner)
	c.begin()
	c.send(reclaimComplete()).ok()
	return c
}

// begin makes the client known and gives it a session.
func (c *client) begin() {
	c.Helper()
	id := res[nfs4.ExchangeIDRes](c.alone(exchangeID(c.owner, c.verifier, 0)).ok())
	c.id = id.ClientID
	c.take(res[nfs4.CreateSessionRes](c.alone(createSession(c.id, id.SequenceID, channel)).ok()))
}

// take makes a session the client's.
func (c *client) take(s *nfs4.CreateSessionRes) {
	c.session, c.granted, c.seq = s.SessionID, s.ForeChanAttrs, 0
}

// again is the same client after a restart of the server: it connects again and has a new session.
func (c *client) again() {
	c.Helper()
	c.conn = c.bed.connect()
	c.begin()
}

// alone sends a request without SEQUENCE.
func (c *client) alone(ops ...op) *reply {
	c.Helper()
	return call(c, c.conn, &c.cred, c.minor, "", ops)
}

// send sends a request with SEQUENCE in front. The reply is not kept for a retry.
func (c *client) send(ops ...op) *reply {
	c.Helper()
	return c.sendAs(&c.cred, ops...)
}

// sendAs is send by another user of the client.
func (c *client) sendAs(cred *oncrpc.Cred, ops ...op) *reply {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	all := append([]op{sequence(c.session, c.seq, 0, false)}, ops...)
	return call(c, c.conn, cred, c.minor, "", all)
}

// at is the operations that make a path in the hub the current filehandle; "ada/file" is in the home ada.
func at(path string, ops ...op) []op {
	walk := []op{putRootFH(), lookup("homes"), lookup(hub)}
	for name := range strings.SplitSeq(path, "/") {
		if name != "" {
			walk = append(walk, lookup(name))
		}
	}
	return append(walk, ops...)
}

// in is send with a path in the hub as the current filehandle.
func (c *client) in(path string, ops ...op) *reply {
	c.Helper()
	return c.send(at(path, ops...)...)
}

// handle returns the filehandle of a path in the hub.
func (c *client) handle(path string) nfs4.Handle {
	c.Helper()
	return res[nfs4.GetFHRes](c.in(path, getFH()).ok()).Object
}

// attrs returns attributes of a path in the hub.
func (c *client) attrs(path string, want ...nfs4.Attr) nfs4.Attrs {
	c.Helper()
	return c.decode(c.in(path, getAttr(want...)).ok())
}

// decode returns the attributes in a reply.
func (c *client) decode(r *reply) nfs4.Attrs {
	c.Helper()
	var a nfs4.Attrs
	if unknown, status := a.Decode(&res[nfs4.GetAttrRes](r).ObjAttributes); status != nfs4.OK {
		c.Fatalf("decode attributes: %v, %v", unknown, status)
	}
	return a
}

// open opens a file in a home that is there, and returns its stateid and filehandle.
func (c *client) open(owner, home, name string, access nfs4.ShareAccess, deny nfs4.ShareDeny) (nfs4.Stateid, nfs4.Handle) {
	c.Helper()
	r := c.in(home, open(owner, name, access, deny), getFH()).ok()
	return res[nfs4.OpenRes](r).Stateid, res[nfs4.GetFHRes](r).Object
}

// on is send with a filehandle as the current one.
func (c *client) on(h nfs4.Handle, ops ...op) *reply {
	c.Helper()
	return c.send(append([]op{putFH(h)}, ops...)...)
}
