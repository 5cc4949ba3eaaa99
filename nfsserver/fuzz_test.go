// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"bytes"
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
	cred   oncrpc.Cred
}

// newDesk makes a server over a home with a little of everything in it.
func newDesk(t *testing.T, conn *oncrpc.Conn) *desk {
	fs := vfstest.NewMemory(hub)
	d := &desk{T: t, conn: conn, cred: sys(1000, 1000)}
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
	e := oncrpc.NewEncoder(nil)
	encodeCompound(e, 2, "", ops)
	return d.hand(e.Bytes()).ok()
}

// begin makes a session.
func (d *desk) begin() nfs4.SessionID {
	d.Helper()
	id := res[nfs4.ExchangeIDRes](d.ask(exchangeID("a", nfs4.Verifier{}, 0)))
	fore := channel
	fore.MaxResponseSize, fore.MaxResponseSizeCached = maxFuzzReply, maxFuzzReply
	session := res[nfs4.CreateSessionRes](d.ask(createSession(id.ClientID, id.SequenceID, fore))).SessionID
	d.ask(sequence(session, 1, 0, false), reclaimComplete())
	return session
}

// maxFuzzReply is how long a reply may be.
const maxFuzzReply = 4096

// FuzzCompound hands any bytes to a server as a COMPOUND; with a session, SEQUENCE stands in front of them. The server does
// not panic, its reply decodes to the last byte and is no longer than the session carries, the retry is answered alike,
// and the next request as well.
func FuzzCompound(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		e := oncrpc.NewEncoder(nil)
		encodeCompound(e, 2, "", seed)
		head := 12 // an empty tag, the minor version and the count
		f.Add(uint32(2), uint32(len(seed)), e.Bytes()[head:], true)
		f.Add(uint32(1), uint32(len(seed)), e.Bytes()[head:], true)
		f.Add(uint32(2), uint32(len(seed)), e.Bytes()[head:], false)
	}
	conn := someConn(f)
	f.Fuzz(func(t *testing.T, minor, ops uint32, body []byte, inSession bool) {
		d := newDesk(t, conn)
		session := d.begin()
		e := oncrpc.NewEncoder(nil)
		head := nfs4.CompoundArgs{Tag: []byte("tag"), MinorVersion: minor, Ops: int(ops)}
		if inSession {
			head.Ops = int(ops%64) + 1
		}
		head.Encode(e)
		if inSession {
			e.Uint32(uint32(nfs4.OpSequence))
			sequence(session, 1, 1, true).args.Encode(e)
		}
		e.Append(body)
		first := d.hand(e.Bytes())
		switch {
		case first == nil:
			t.Fatalf("%x: refused as no COMPOUND", e.Bytes())
		case inSession && len(first.raw)+24 > maxFuzzReply:
			t.Fatalf("%x: the reply has %d bytes", e.Bytes(), len(first.raw))
		case first.tag != "tag":
			t.Fatalf("%x: the tag is %q", e.Bytes(), first.tag)
		}
		if inSession && (minor == 1 || minor == 2) {
			again := d.hand(e.Bytes())
			if !bytes.Equal(again.raw, first.raw) && !gone(again) {
				t.Fatalf("%x: the retry was answered %v, the request %v", e.Bytes(), again, first)
			}
		}
		e = oncrpc.NewEncoder(nil)
		encodeCompound(e, 2, "", []op{sequence(session, 2, 0, false), putRootFH(), lookup("homes"), lookup(hub), readDir(0, 1000)})
		if r := d.hand(e.Bytes()); r.status != nfs4.OK && !gone(r) {
			t.Fatalf("the next request: %v", r)
		}
	})
}

// gone tells whether a reply is that the session was destroyed.
func gone(r *reply) bool { return r.status == nfs4.ErrBadSession }

// fuzzSeeds are requests that get somewhere.
func fuzzSeeds() [][]op {
	now := nfs4.CurrentStateid
	mode := set(nfs4.Attrs{Mode: 0o644, Size: 0}, nfs4.AttrMode, nfs4.AttrSize)
	return [][]op{
		{putRootFH(), getAttr(nfs4.AttrType, nfs4.AttrFSID, nfs4.AttrSpaceFree), readDir(0, 4096, nfs4.AttrType), access(0x1ff)},
		at("ada", openNew("o", "f", nfs4.CreateUnchecked, mode), write(now, 0, nfs4.Unstable, "data"), commit(), read(now, 0, 8000), closeFile(now)),
		at("ada", openNew("o", "g", nfs4.CreateExclusive4_1, nfs4.Fattr{}), allocate(now, 0, 8192), seek(now, nfs4.ContentHole, 0), deallocate(now, 0, 100), getFH()),
		at("ada", open("o", "f", rw, denyWrite), lockNew(now, "l", nfs4.WriteLock, 0, 10), lockU(now, 5, 1), lockT("m", nfs4.ReadLock, 0, toEOF), downgrade(now, rw, denyWrite)),
		at("ada", open("o", "f", rw, denyNone), saveFH(), copyRange(now, now, 0, 100, 0), clone(now, now, 0, 4096, 0), setSize(now, 5)),
		at("ada", mkdir("x"), lookupP(), symlink("y", "target"), readLink(), lookupP(), saveFH(), rename("x", "z"), remove("y")),
		at("ada/f", saveFH(), lookupP(), putRootFH(), lookup("homes"), lookup(hub), lookup("ada"), link("g"), readDir(0, 8192, nfs4.AttrFilehandle, nfs4.AttrRdattrError)),
		at("ada/f", setXattr("name", "value", nfs4.SetXattrEither), getXattr("name"), listXattrs(0, 100), removeXattr("name"), setMode(0o7777)),
		at("ada/f", op{nfs4.OpVerify, &nfs4.VerifyArgs{ObjAttributes: mode}}, op{nfs4.OpSecInfoNoName, &nfs4.SecInfoNoNameArgs{}}),
		at("ada/f", reopen("o", rw), freeStateid(now), testStateid(now, nfs4.AnonymousStateid), op{nfs4.OpDelegReturn, &nfs4.DelegReturnArgs{}}),
		{exchangeID("b", nfs4.Verifier{1}, 0), createSession(1, 1, channel), destroyClientID(1), destroySession(nfs4.SessionID{})},
		{exchangeID("b", nfs4.Verifier{1}, 0)},
		{createSession(1, 1, channel)},
		{bindConn(nfs4.SessionID{}, nfs4.ChannelBoth)},
		{op{nfs4.OpBackchannelCtl, &nfs4.BackchannelCtlArgs{SecParms: []nfs4.CallbackSec{{}}}}, {num: nfs4.OpIllegal}},
		at("ada/l", readLink(), readLink(), getAttr(nfs4.AttrFilehandle), op{num: nfs4.OpReadPlus}),
	}
}

// someConn returns a connection for requests to have come by.
func someConn(f *testing.F) *oncrpc.Conn {
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
