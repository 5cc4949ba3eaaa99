// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long anything in a test may take.
const patience = 20 * time.Second

// tcpPair returns both ends of a connection.
func tcpPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// The procedures of the program that tests serve.
const (
	procNull  = 0
	procEcho  = 1 // answers its argument
	procWait  = 2 // answers when the test lets it
	procPanic = 3
	procBig   = 4 // answers 1 MiB
	program   = 4711
)

// echo is a program for tests.
type echo struct {
	waiting chan struct{} // a procWait has begun
	release chan struct{} // lets one go on
}

func newEcho() *echo {
	return &echo{waiting: make(chan struct{}, 1000), release: make(chan struct{})}
}

func (h *echo) ServeRPC(ctx context.Context, call *Call, reply *Encoder) AcceptStat {
	switch {
	case call.Program != program:
		return ProgUnavail
	case call.Version != 1:
		return ProgMismatch(1, 1)
	}
	switch call.Procedure {
	case procNull:
	case procEcho:
		arg := call.Args.Opaque(MaxRecord)
		if call.Args.Err() != nil {
			return GarbageArgs
		}
		reply.Opaque(arg)
	case procWait:
		h.waiting <- struct{}{}
		select {
		case <-h.release:
		case <-ctx.Done():
		}
	case procPanic:
		panic("a bug")
	case procBig:
		reply.Opaque(make([]byte, 1<<20))
	default:
		return ProcUnavail
	}
	return Success
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// bed is a server under test.
type bed struct {
	t    *testing.T
	addr string
	log  *syncBuffer
	stop context.CancelFunc
	done chan error
}

// serveTest serves until the test ends.
func serveTest(t *testing.T, s *Server) *bed {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, addr: l.Addr().String(), log: new(syncBuffer), done: make(chan error, 1)}
	s.Logger = slog.New(slog.NewTextHandler(b.log, nil))
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go func() { b.done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-b.done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(patience):
			t.Error("Serve does not return")
		}
	})
	return b
}

func (b *bed) dial() *Client {
	b.t.Helper()
	c, err := Dial(b.t.Context(), b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return c
}

// raw connects without speaking RPC.
func (b *bed) raw() net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// call makes a call with an opaque argument, which may be nil, and returns the opaque result.
func call(t *testing.T, c *Client, procedure uint32, arg []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reply, err := c.Call(ctx, program, 1, procedure, nil, func(e *Encoder) {
		if procedure == procEcho {
			e.Uint32(uint32(len(arg)))
		}
	}, arg)
	if err != nil {
		return nil, err
	}
	defer reply.Release()
	if procedure != procEcho && procedure != procBig {
		return nil, nil
	}
	got := bytes.Clone(reply.Opaque(MaxRecord))
	return got, reply.Err()
}

// callRecord is a call as it stands on the wire.
func callRecord(xid, procedure uint32) []byte {
	e := NewEncoder(nil)
	encodeCall(e, xid, program, 1, procedure, nil)
	return fragments(e.Bytes())
}

func TestEcho(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho()})
	c := b.dial()
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			arg := randomBytes(n * n * 17 % (1 << 18))
			got, err := call(t, c, procEcho, arg)
			if err != nil || !bytes.Equal(got, arg) {
				t.Errorf("%d bytes came back as %d: %v", len(arg), len(got), err)
			}
		})
	}
	all.Wait()
}

// TestSlowRequest: a request that takes its time holds up no other of its connection.
func TestSlowRequest(t *testing.T) {
	h := newEcho()
	c := serveTest(t, &Server{Handler: h}).dial()
	slow := make(chan error, 1)
	go func() { _, err := call(t, c, procWait, nil); slow <- err }()
	<-h.waiting
	if _, err := call(t, c, procEcho, []byte("quick")); err != nil {
		t.Errorf("behind a slow request: %v", err)
	}
	close(h.release)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}

// TestMaxRequests: of one connection no more run than may, and the rest are answered when there is room.
func TestMaxRequests(t *testing.T) {
	h := newEcho()
	b := serveTest(t, &Server{Handler: h, MaxRequests: 4})
	c, other := b.dial(), b.dial()
	results := make(chan error, 12)
	for range cap(results) {
		go func() { _, err := call(t, c, procWait, nil); results <- err }()
	}
	for range 4 {
		<-h.waiting
	}
	// What is asked meanwhile by another connection is answered, and by then a fifth would have begun.
	if _, err := call(t, other, procEcho, []byte("x")); err != nil {
		t.Error(err)
	}
	select {
	case <-h.waiting:
		t.Error("more requests run than may")
	default:
	}
	close(h.release)
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho()})
	c := b.dial()
	for name, test := range map[string]struct {
		program, version, procedure uint32
		want                        AcceptStat
	}{
		"program":   {program + 1, 1, 0, ProgUnavail},
		"version":   {program, 2, 0, ProgMismatch(1, 1)},
		"procedure": {program, 1, 99, ProcUnavail},
		"arguments": {program, 1, procEcho, GarbageArgs},
	} {
		_, err := c.Call(t.Context(), test.program, test.version, test.procedure, nil, func(*Encoder) {}, nil)
		var reply *ReplyError
		if !errors.As(err, &reply) || reply.Stat != test.want {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := call(t, c, procNull, nil); err != nil {
		t.Errorf("after refusals: %v", err)
	}
}

// TestPanic: a bug costs one request its answer and nobody the connection.
func TestPanic(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho()})
	c := b.dial()
	_, err := call(t, c, procPanic, nil)
	var reply *ReplyError
	if !errors.As(err, &reply) || reply.Stat != SystemErr {
		t.Errorf("the answer is %v", err)
	}
	if _, err := call(t, c, procNull, nil); err != nil {
		t.Errorf("after a panic: %v", err)
	}
	if log := b.log.String(); strings.Count(log, "panic in a request") != 1 || !strings.Contains(log, "a bug") || !strings.Contains(log, "(*echo).ServeRPC") {
		t.Errorf("the log says %q", log)
	}
}

// TestMalformed: who does not speak the protocol loses the connection, and that alone.
func TestMalformed(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho(), RecordTimeout: 200 * time.Millisecond})
	good := b.dial()
	for name, wire := range map[string][]byte{
		"2 GiB claimed":            {0x7f, 0xff, 0xff, 0xff, 0, 0},
		"2 GiB claimed as last":    {0xff, 0xff, 0xff, 0xff, 0, 0},
		"half a record":            callRecord(1, procNull)[:20],
		"half a mark":              {0x80, 0},
		"an HTTP request":          []byte("GET / HTTP/1.1\r\nHost: homes\r\n\r\n"),
		"a reply":                  fragments([]byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}),
		"nothing in it":            fragments(nil),
		"fragments without an end": bytes.Repeat([]byte{0, 0, 0, 0}, maxFragments+2),
	} {
		conn := b.raw()
		if _, err := conn.Write(wire); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n, err := io.Copy(io.Discard, conn); n != 0 || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%s: %d bytes come back: %v", name, n, err)
		}
	}
	if _, err := call(t, good, procNull, nil); err != nil {
		t.Errorf("another connection: %v", err)
	}
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestAllow(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho(), Allow: func(a netip.Addr) bool { return a != netip.MustParseAddr("127.0.0.1") }})
	for range 3 {
		if n, err := io.Copy(io.Discard, b.raw()); n != 0 || isTimeout(err) {
			t.Errorf("%d bytes come back: %v", n, err)
		}
	}
	if log := b.log.String(); strings.Count(log, "not allowed") != 1 || !strings.Contains(log, "client=127.0.0.1") {
		t.Errorf("the log says %q", log)
	}
}

func TestMaxConns(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho(), MaxConns: 2})
	first, second := b.dial(), b.dial()
	for _, c := range []*Client{first, second} {
		if _, err := call(t, c, procNull, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := io.Copy(io.Discard, b.raw()); n != 0 || isTimeout(err) {
		t.Errorf("a third connection: %d bytes: %v", n, err)
	}
	first.Close()
	for deadline := time.Now().Add(patience); ; {
		c := b.dial()
		_, err := call(t, c, procNull, nil)
		if err == nil {
			break
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatalf("no connection after another has ended: %v", err)
		}
	}
	if log := b.log.String(); strings.Count(log, "too many connections") != 1 || !strings.Contains(log, "limit=2") {
		t.Errorf("the log says %q", log)
	}
}

// TestDeafClient: a client that asks for much and reads nothing loses its connection, and its memory is free again.
func TestDeafClient(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho(), WriteTimeout: 200 * time.Millisecond, MaxMemory: 64 << 20})
	good := b.dial()
	deaf := b.raw()
	deaf.(*net.TCPConn).SetReadBuffer(4 << 10)
	// More than all the memory there is. Writing ends when the server does not read any more, or has closed.
	for xid := range uint32(200) {
		if _, err := deaf.Write(callRecord(xid, procBig)); err != nil {
			break
		}
	}
	if got, err := call(t, good, procBig, nil); err != nil || len(got) != 1<<20 {
		t.Errorf("another connection gets %d bytes: %v", len(got), err)
	}
	// The connection ends although nothing was read: what is in flight comes, and then the end.
	if n, err := io.Copy(io.Discard, deaf); isTimeout(err) || n >= 200<<20 {
		t.Errorf("the connection does not end: %d bytes, %v", n, err)
	}
}

// TestMemoryBudget: many connections that want much share what there is; all get their answers.
func TestMemoryBudget(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho(), MaxMemory: 8 << 20})
	var all sync.WaitGroup
	for range 16 {
		c := b.dial()
		for range 4 {
			all.Go(func() {
				arg := randomBytes(1 << 20)
				if got, err := call(t, c, procEcho, arg); err != nil || !bytes.Equal(got, arg) {
					t.Errorf("%d bytes come back: %v", len(got), err)
				}
			})
		}
	}
	all.Wait()
}

// TestDrain: when the server stops, what runs is answered if it ends in time, and nothing new is taken.
func TestDrain(t *testing.T) {
	h := newEcho()
	b := serveTest(t, &Server{Handler: h, DrainTimeout: patience})
	c := b.dial()
	result := make(chan error, 1)
	go func() { _, err := call(t, c, procWait, nil); result <- err }()
	<-h.waiting
	b.stop()
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("connections are taken after the stop")
		}
	}
	close(h.release)
	if err := <-result; err != nil {
		t.Errorf("a request that ran when the server stopped: %v", err)
	}
}

// TestDrainInVain: what does not end in time is cut off, its context over.
func TestDrainInVain(t *testing.T) {
	h := newEcho()
	b := serveTest(t, &Server{Handler: h, DrainTimeout: 50 * time.Millisecond})
	c := b.dial()
	result := make(chan error, 1)
	go func() { _, err := call(t, c, procWait, nil); result <- err }()
	<-h.waiting
	b.stop()
	var lost *ConnError
	if err := <-result; !errors.As(err, &lost) {
		t.Errorf("a request that does not end: %v", err)
	}
}

func TestListenerClosed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := (&Server{Handler: newEcho()}).Serve(t.Context(), l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve answers %v", err)
	}
}

// TestConnCallbacks: who serves hears of each connection's beginning and end, once.
func TestConnCallbacks(t *testing.T) {
	began, ended := make(chan *Conn, 10), make(chan *Conn, 10)
	b := serveTest(t, &Server{Handler: newEcho(), OnConnect: func(c *Conn) { began <- c }, OnDisconnect: func(c *Conn) { ended <- c }})
	c := b.dial()
	if _, err := call(t, c, procNull, nil); err != nil {
		t.Fatal(err)
	}
	conn := <-began
	c.Close()
	if gone := <-ended; gone != conn {
		t.Error("the connection that ended is not the one that began")
	}
	if len(began)+len(ended) != 0 {
		t.Error("a connection began or ended twice")
	}
}

// TestXIDs: replies carry the number of their call.
func TestXIDs(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho()})
	conn := b.raw()
	for _, xid := range []uint32{0, 7, 1<<32 - 1} {
		if _, err := conn.Write(callRecord(xid, procNull)); err != nil {
			t.Fatal(err)
		}
		var head [8]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			t.Fatal(err)
		}
		mark := binary.BigEndian.Uint32(head[:])
		if got := binary.BigEndian.Uint32(head[4:]); got != xid || mark&lastFragment == 0 {
			t.Errorf("the reply to %d is to %d", xid, got)
		}
		if _, err := io.CopyN(io.Discard, conn, int64(mark&^lastFragment)-4); err != nil {
			t.Fatal(err)
		}
	}
}
