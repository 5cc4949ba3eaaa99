// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// desk hands requests to a server without a network in between.
type desk struct {
	*testing.T
	server *nfsserver.Server
	conn   *oncrpc.Conn
	fs     *vfstest.Memory
	cred   oncrpc.Cred

	session nfs4.SessionID
	seq     uint32
}

// newDesk makes a server over a home with a little of everything in it.
func newDesk(t *testing.T, conn *oncrpc.Conn) *desk {
	fs := vfstest.NewMemory(hub)
	d := &desk{T: t, conn: conn, fs: fs, cred: sys(1000, 1000)}
	b := &bed{T: t, fs: fs}
	home, _, err := fs.Mkdir(t.Context(), nil, b.find(hub), "ada", vfs.SetAttr{})
	b.must("make a home", err)
	b.file("ada", "f", "contents")
	_, _, err = fs.Symlink(t.Context(), nil, home.Handle, "l", "target", vfs.SetAttr{})
	b.must("make a link", err)
	_, _, err = fs.Mkdir(t.Context(), nil, home.Handle, "d", vfs.SetAttr{})
	b.must("make a directory", err)
	d.server = nfsserver.New(nfsserver.Options{
		FS: fs, Recovery: &records{}, Logger: slog.New(&watcher{b}), ServerID: serverID, Lease: time.Minute,
	}, nfsserver.Settings{BaseShare: baseShare, Identity: nfsserver.Identity{Squash: nfsserver.SquashNone}})
	b.must("open the server", d.server.Open(t.Context()))
	return d
}

// hand hands over the arguments of a COMPOUND and returns its reply; nil where the server does not take them for one.
func (d *desk) hand(args []byte) *reply {
	d.Helper()
	e := oncrpc.NewEncoder([]byte("what stands in front"))
	before := e.Len()
	stat := d.server.ServeRPC(d.Context(), &oncrpc.Call{
		Program: nfs4.Program, Version: nfs4.Version, Procedure: nfs4.ProcCompound, Cred: d.cred, Args: oncrpc.NewDecoder(args), Conn: d.conn,
	}, e)
	if string(e.Bytes()[:before]) != "what stands in front" {
		d.Fatalf("%x: what stood in front of the reply was changed", args)
	}
	if stat != oncrpc.Success {
		return nil
	}
	r, err := parseReply(e.Bytes()[before:])
	if err != nil {
		d.Fatalf("%x: %v", args, err)
	}
	r.t = d
	return r
}

// ask is hand for operations.
func (d *desk) ask(ops ...op) *reply {
	d.Helper()
	return d.hand(encoded(ops...)).ok()
}

// encoded is the arguments of a COMPOUND.
func encoded(ops ...op) []byte {
	e := oncrpc.NewEncoder(nil)
	encodeCompound(e, 2, "", ops)
	return e.Bytes()
}

// begin makes a client with a session, and answers the session of it.
func (d *desk) begin(owner string, fore nfs4.ChannelAttrs) nfs4.SessionID {
	d.Helper()
	id := res[nfs4.ExchangeIDRes](d.ask(exchangeID(owner, nfs4.Verifier{}, 0)))
	d.session = res[nfs4.CreateSessionRes](d.ask(createSession(id.ClientID, id.SequenceID, fore))).SessionID
	d.seq = 0
	d.send(reclaimComplete()).ok()
	return d.session
}

// send is ask in the session, for an answer that may be any.
func (d *desk) send(ops ...op) *reply {
	d.Helper()
	d.seq++
	return d.hand(encoded(append([]op{sequence(d.session, d.seq, 0, false)}, ops...)...))
}

// someConn returns a connection for requests to have come by.
func someConn(f testing.TB) *oncrpc.Conn {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	conns, done := make(chan *oncrpc.Conn, 1), make(chan error, 1)
	server := oncrpc.Server{OnConnect: func(c *oncrpc.Conn) { conns <- c }, DrainTimeout: time.Millisecond}
	go func() { done <- server.Serve(ctx, listener) }()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		client.Close()
		cancel()
		if err := <-done; err != nil {
			f.Error(err)
		}
	})
	return <-conns
}
