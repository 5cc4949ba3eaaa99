// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// handlerFunc is a Handler of one function.
type handlerFunc func(ctx context.Context, call *Call, reply *Encoder) AcceptStat

func (f handlerFunc) ServeRPC(ctx context.Context, call *Call, reply *Encoder) AcceptStat {
	return f(ctx, call, reply)
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not happen that %s", what)
		}
	}
}

// send writes to a connection.
func send(t *testing.T, conn net.Conn, wire ...[]byte) {
	t.Helper()
	if _, err := conn.Write(bytes.Join(wire, nil)); err != nil {
		t.Fatal(err)
	}
}

// setPatience bounds what is done with a connection from now on.
func setPatience(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

// readRecord reads one record of one fragment, and nothing behind it.
func readRecord(conn net.Conn) ([]byte, error) {
	var mark [markSize]byte
	if _, err := io.ReadFull(conn, mark[:]); err != nil {
		return nil, err
	}
	record := make([]byte, binary.BigEndian.Uint32(mark[:])&^lastFragment)
	_, err := io.ReadFull(conn, record)
	return record, err
}

// receive reads a reply.
func receive(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	record, err := readRecord(conn)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// expectEnd expects the end of a connection, by the server and not by the deadline, with nothing before it.
func expectEnd(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := io.Copy(io.Discard, conn); n != 0 || isTimeout(err) {
		t.Errorf("the connection does not end: %d bytes, %v", n, err)
	}
}

// expectNull makes a call on a raw connection.
func expectNull(t *testing.T, conn net.Conn) {
	t.Helper()
	send(t, conn, callRecord(99, procNull))
	if got, want := receive(t, conn), unhex(t, "00000063 00000001 00000000 00000000 00000000 00000000"); !bytes.Equal(got, want) {
		t.Errorf("NULL is answered %x", got)
	}
}

// TestOutOfOrder: calls that come in one piece are answered in the order in which they are done.
func TestOutOfOrder(t *testing.T) {
	var gates [8]chan struct{}
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	conn := serveTest(t, &Server{Handler: handlerFunc(func(ctx context.Context, call *Call, reply *Encoder) AcceptStat {
		select {
		case <-gates[call.Procedure]:
		case <-ctx.Done():
		}
		reply.Uint32(call.Procedure)
		return Success
	})}).raw()
	var wire []byte
	for i := range uint32(len(gates)) {
		wire = append(wire, callRecord(100+i, i)...)
	}
	send(t, conn, wire)
	for _, i := range []uint32{7, 0, 3, 4, 6, 5, 1, 2} {
		close(gates[i])
		d := NewDecoder(receive(t, conn))
		xid, _, err := d.Uint32(), d.Uint32(), decodeReply(d)
		if got := d.Uint32(); err != nil || xid != 100+i || got != i {
			t.Fatalf("call %d is answered with xid %d and %d: %v", i, xid, got, err)
		}
	}
}

// TestDeniedOnTheWire: calls that are denied before a handler sees them are answered as RFC 5531 has it, and the
// connection goes on.
func TestDeniedOnTheWire(t *testing.T) {
	conn := serveTest(t, &Server{Handler: handlerFunc(func(_ context.Context, call *Call, _ *Encoder) AcceptStat {
		if call.XID != 99 {
			t.Errorf("the handler sees %+v", call)
		}
		return Success
	})}).raw()
	const (
		mismatch = "00000007 00000001 00000001 00000000 00000002 00000002"
		badCred  = "00000007 00000001 00000001 00000001 00000001"
	)
	for _, test := range []struct{ name, call, want string }{
		{"RPC version 3", "00000007 00000000 00000003", mismatch},
		{"RPC version 3 and all else", strings.Replace(callHead, "00000002", "00000003", 1) + authNone + authNone, mismatch},
		{"RPC version 0", "00000007 00000000 00000000", mismatch},
		{"AUTH_SHORT", callHead + "00000002 00000000" + authNone, badCred},
		{"AUTH_DH", callHead + "00000003 00000000" + authNone, badCred},
		{"RPCSEC_GSS", callHead + "00000006 00000004 00000000" + authNone, badCred},
		{"no flavor", callHead + "ffffffff 00000000" + authNone, badCred},
		{"AUTH_SYS with nothing in it", callHead + "00000001 00000000" + authNone, badCred},
		{"AUTH_SYS with 17 groups", callHead + "00000001 00000058 00000000 00000000 00000000 00000000 00000011" + strings.Repeat("00000000", 17) + authNone, badCred},
	} {
		send(t, conn, fragments(unhex(t, test.call)))
		if got := receive(t, conn); !bytes.Equal(got, unhex(t, test.want)) {
			t.Errorf("%s is answered %x", test.name, got)
		}
		expectNull(t, conn)
	}
}

// TestCredential: the handler sees who calls, and may find that too weak.
func TestCredential(t *testing.T) {
	c := serveTest(t, &Server{Handler: handlerFunc(func(_ context.Context, call *Call, reply *Encoder) AcceptStat {
		if call.Cred.Flavor != AuthSys {
			return AuthTooWeak
		}
		call.Cred.SysCred.Encode(reply)
		return Success
	})}).dial()
	_, err := call(t, c, procNull, nil)
	if refused, ok := errors.AsType[*ReplyError](err); !ok || refused.Stat != AuthTooWeak {
		t.Errorf("AUTH_NONE: %v", err)
	}
	cred := Cred{Flavor: AuthSys, SysCred: SysCred{Stamp: 5, Machine: []byte("pod"), UID: 1000, GID: 100}}
	gids := []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}
	cred.SetGIDs(gids)
	reply, err := c.Call(t.Context(), program, 1, procNull, &cred, func(*Encoder) {}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Release()
	var got SysCred
	got.Decode(&reply.Decoder)
	if reply.Err() != nil || got.UID != 1000 || got.GID != 100 || got.Stamp != 5 || string(got.Machine) != "pod" || !slices.Equal(got.GIDs(), gids[:16]) {
		t.Errorf("the handler saw %+v: %v", got, reply.Err())
	}
}

// TestDrop: a call that a handler drops gets no answer, and takes no room from those behind it.
func TestDrop(t *testing.T) {
	conn := serveTest(t, &Server{MaxRequests: 2, Handler: handlerFunc(func(_ context.Context, call *Call, reply *Encoder) AcceptStat {
		reply.Uint32(1)
		if call.XID != 99 {
			return Drop
		}
		reply.Truncate(reply.Len() - 4)
		return Success
	})}).raw()
	for xid := range uint32(5) {
		send(t, conn, callRecord(xid, procNull))
	}
	expectNull(t, conn)
}

// TestIdleBetweenRecords: who begins a record and falls silent is cut off, who falls silent between two records is not,
// whether nothing was sent yet, or a short record, or one that had a deadline.
func TestIdleBetweenRecords(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho(), RecordTimeout: time.Second})
	mute, short, long := b.raw(), b.raw(), b.dial()
	expectNull(t, short)
	if _, err := call(t, long, procEcho, randomBytes(mediumBuffer)); err != nil {
		t.Fatal(err)
	}
	var halves []net.Conn
	for _, begun := range [][]byte{{0x80}, callRecord(1, procNull)[:20], fragments(randomBytes(mediumBuffer))[:mediumBuffer/2]} {
		half := b.raw()
		send(t, half, begun)
		halves = append(halves, half)
	}
	for _, half := range halves {
		expectEnd(t, half) // after the others have been silent for as long
	}
	expectNull(t, mute)
	expectNull(t, short)
	if _, err := call(t, long, procNull, nil); err != nil {
		t.Errorf("after a long record: %v", err)
	}
	eventually(t, "it is logged", func() bool { return strings.Contains(b.log.String(), errRecordTooSlow.Error()) })
	b.stop()
	expectServed(t, b.done, nil)
	if log := b.log.String(); strings.Count(log, "connection ended") != 1 {
		t.Errorf("the log says %q", log)
	}
}

// TestHalfClosed: a client that has said all it wants to say gets its answers.
func TestHalfClosed(t *testing.T) {
	h := newEcho()
	b := serveTest(t, &Server{Handler: h})
	conn := b.raw()
	send(t, conn, callRecord(1, procWait), callRecord(2, procWait))
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		<-h.waiting
	}
	close(h.release)
	for range 2 {
		receive(t, conn)
	}
	expectEnd(t, conn)
	if log := b.log.String(); log != "" {
		t.Errorf("the log says %q", log)
	}
}

// TestGarbage: any bytes end a connection at the latest when no more come, and never with more than refusals.
func TestGarbage(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho(), RecordTimeout: patience / 2})
	good := b.dial()
	for n := range 64 {
		conn := b.raw()
		conn.Write(randomBytes(n + 64*n)[n:]) // the server may have closed it
		conn.(*net.TCPConn).CloseWrite()
		expectEnd(t, conn)
	}
	if _, err := call(t, good, procNull, nil); err != nil {
		t.Errorf("another connection: %v", err)
	}
	if log := b.log.String(); strings.Count(log, "connection ended") > 1 {
		t.Errorf("more than once a minute: %q", log)
	}
}
