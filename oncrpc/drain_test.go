// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// expectServed waits until Serve has returned, and expects that none of its goroutines is left.
func expectServed(t *testing.T, done chan error, want error) {
	t.Helper()
	select {
	case err := <-done:
		if !errors.Is(err, want) {
			t.Errorf("Serve: %v, want %v", err, want)
		}
		done <- err // for the cleanup
	case <-time.After(patience):
		t.Fatal("Serve does not return")
	}
	eventually(t, "the server's goroutines end", func() bool {
		buf := make([]byte, 1<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		return !strings.Contains(stacks, "oncrpc.(*Conn)") && !strings.Contains(stacks, "oncrpc.(*serving)")
	})
}

// TestStop: every reply that is written in time arrives, also by a connection whose client has half of the next record on
// the way; idle connections end; and then Serve returns.
func TestStop(t *testing.T) {
	const count = 20
	h := newEcho()
	b := serveTest(t, &Server{Handler: h, DrainTimeout: 2 * patience, RecordTimeout: 2 * patience})
	idle, mute := b.raw(), b.raw()
	expectNull(t, idle)
	var busy []net.Conn
	for i := range uint32(count) {
		conn := b.raw()
		send(t, conn, callRecord(i, procWait), callRecord(100+i, procWait))
		busy = append(busy, conn)
	}
	for range 2 * count {
		<-h.waiting
	}
	for i, conn := range busy {
		send(t, conn, fragments(randomBytes(2 * smallBuffer))[:i*400])
	}
	b.stop()
	expectEnd(t, idle)
	expectEnd(t, mute)
	select {
	case err := <-b.done:
		t.Fatalf("Serve returns while requests run: %v", err)
	default:
	}
	close(h.release)
	for _, conn := range busy {
		receive(t, conn)
		receive(t, conn)
		expectEnd(t, conn)
	}
	expectServed(t, b.done, nil)
	if log := b.log.String(); log != "" {
		t.Errorf("the log says %q", log)
	}
}

// TestStopCutsOff: when the time is over a handler's context ends, and what it answers to that goes nowhere, as the
// client would take it for the answer; so does a reply that its client does not read.
func TestStopCutsOff(t *testing.T) {
	h := newEcho()
	b := serveTest(t, &Server{Handler: h, DrainTimeout: 200 * time.Millisecond})
	slow, deaf := b.raw(), b.raw()
	for xid := range uint32(64) {
		send(t, deaf, callRecord(xid, procBig))
	}
	send(t, slow, callRecord(1, procWait))
	<-h.waiting
	b.stop()
	expectServed(t, b.done, nil)
	expectEnd(t, slow)
	if n, err := io.Copy(io.Discard, deaf); isTimeout(err) || n >= 64<<20 {
		t.Errorf("a client that did not read got %d bytes: %v", n, err)
	}
}

// TestCloseByHandler: a handler may end its connection; what runs beside it ends by itself and is answered to nobody.
func TestCloseByHandler(t *testing.T) {
	began, release := make(chan context.Context, 1), make(chan struct{})
	var ended atomic.Bool
	s, conns := watched(&Server{OnDisconnect: func(*Conn) { ended.Store(true) }})
	s.Handler = handlerFunc(func(ctx context.Context, call *Call, _ *Encoder) AcceptStat {
		if call.Procedure == procNull {
			call.Conn.Close()
			return Success
		}
		began <- ctx
		<-release
		return Success
	})
	b := serveTest(t, s)
	conn := b.raw()
	theirs := <-conns
	send(t, conn, callRecord(1, procWait))
	ctx := <-began
	send(t, conn, callRecord(2, procNull))
	expectEnd(t, conn)
	<-theirs.Context().Done()
	if ctx.Err() != nil {
		t.Error("the context of a request ends with its connection")
	}
	if ended.Load() {
		t.Error("OnDisconnect before the last request has ended")
	}
	if got, want := theirs.RemoteAddr().String(), conn.LocalAddr().String(); got != want {
		t.Errorf("the client's address is %s, not %s", got, want)
	}
	close(release)
	eventually(t, "OnDisconnect is called", ended.Load)
	expectIdle(t, theirs.server)
}

// errListener is a listener that has errors to give before connections.
type errListener struct {
	net.Listener
	errs chan error
}

func (l *errListener) Accept() (net.Conn, error) {
	select {
	case err := <-l.errs:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	default:
		return l.Listener.Accept()
	}
}

// listen returns a listener on a free port.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestAcceptErrors: where no connection can be taken for the moment the server says so, once, and goes on.
func TestAcceptErrors(t *testing.T) {
	l := &errListener{listen(t), make(chan error, 4)}
	for range cap(l.errs) {
		l.errs <- syscall.EMFILE
	}
	log := new(syncBuffer)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- (&Server{Handler: newEcho(), Logger: slog.New(slog.NewTextHandler(log, nil))}).Serve(ctx, l)
	}()
	c, err := Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, c, procNull, nil); err != nil {
		t.Error(err)
	}
	c.Close()
	stop()
	expectServed(t, done, nil)
	if got := log.String(); strings.Count(got, "accept connections") != 1 || !strings.Contains(got, syscall.EMFILE.Error()) {
		t.Errorf("the log says %q", got)
	}
}

// TestListenerClosedByAnother: the server ends as by its context, and says why.
func TestListenerClosedByAnother(t *testing.T) {
	l := listen(t)
	h := newEcho()
	done := make(chan error, 1)
	go func() { done <- (&Server{Handler: h, DrainTimeout: patience}).Serve(t.Context(), l) }()
	c, err := Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	result := make(chan error, 1)
	go func() { _, err := call(t, c, procWait, nil); result <- err }()
	<-h.waiting
	l.Close()
	close(h.release)
	if err := <-result; err != nil {
		t.Errorf("a request that ran meanwhile: %v", err)
	}
	expectServed(t, done, net.ErrClosed)
}

// TestServeTwice: a Server that has served may serve again, on another listener.
func TestServeTwice(t *testing.T) {
	s := &Server{Handler: newEcho(), MaxConns: 1}
	for range 2 {
		b := serveTest(t, s)
		expectNull(t, b.raw())
		b.stop()
		expectServed(t, b.done, nil)
	}
}
