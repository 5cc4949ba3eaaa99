// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// watched makes a server tell of the connections that it takes.
func watched(s *Server) (*Server, chan *Conn) {
	conns := make(chan *Conn, 1000)
	s.OnConnect = func(c *Conn) { conns <- c }
	return s, conns
}

// expectIdle waits until a server holds no memory for messages.
func expectIdle(t *testing.T, run *serving) {
	t.Helper()
	eventually(t, "all memory is given back", func() bool { return held(run.requests) == 0 && held(run.replies) == 0 })
}

// TestRunningRequests: of one connection no more requests run than may, and no more than one is read beyond them; when
// there is room the reading goes on.
func TestRunningRequests(t *testing.T) {
	const limit, calls = 3, 40
	var run atomic.Pointer[serving]
	var running, most atomic.Int64
	begun, release := make(chan struct{}, calls), make(chan struct{})
	s, conns := watched(&Server{MaxRequests: limit})
	s.Handler = handlerFunc(func(ctx context.Context, call *Call, reply *Encoder) AcceptStat {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if got := held(run.Load().requests); got > (limit+1)*smallBuffer {
			t.Errorf("%d bytes of requests are held", got)
		}
		begun <- struct{}{}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return Success
	})
	conn := serveTest(t, s).raw()
	run.Store((<-conns).server)
	for xid := range uint32(calls) {
		send(t, conn, callRecord(xid, procNull))
	}
	for range limit {
		<-begun
	}
	eventually(t, "one more is read", func() bool { return held(run.Load().requests) == (limit+1)*smallBuffer })
	if len(begun) > 0 {
		t.Error("and begins")
	}
	close(release)
	answered := map[uint32]bool{}
	for range calls {
		answered[binary.BigEndian.Uint32(receive(t, conn))] = true
	}
	if len(answered) != calls || most.Load() != limit {
		t.Errorf("%d of %d calls were answered, up to %d at the same time", len(answered), calls, most.Load())
	}
	expectIdle(t, run.Load())
}

// TestClaims: for records that claim to be long as much is held as has come, and nothing for those that claim too much.
func TestClaims(t *testing.T) {
	const count = 16
	s, conns := watched(&Server{Handler: newEcho(), MaxMemory: 8 << 20})
	b := serveTest(t, s)
	for range count {
		send(t, b.raw(), binary.BigEndian.AppendUint32(nil, lastFragment|MaxRecord), []byte{0})
	}
	run := (<-conns).server
	eventually(t, "a small buffer is held for each", func() bool { return held(run.requests) == count*smallBuffer })
	for _, mark := range []uint32{1<<31 - 1, 1<<32 - 1, lastFragment | (MaxRecord + 1)} {
		conn := b.raw()
		send(t, conn, binary.BigEndian.AppendUint32(nil, mark))
		expectEnd(t, conn)
		if got := held(run.requests); got != count*smallBuffer {
			t.Errorf("mark %#x: %d bytes are held", mark, got)
		}
	}
	if _, err := call(t, b.dial(), procEcho, randomBytes(1<<20)); err != nil {
		t.Errorf("another connection: %v", err)
	}
	eventually(t, "it is logged", func() bool { return strings.Contains(b.log.String(), errRecordTooLong.Error()) })
	b.stop()
	expectIdle(t, run)
}

// TestReplyNotRead: a client that asks for much and reads nothing loses its connection in time, its requests and replies
// hold nothing any more, and others get their answers meanwhile.
func TestReplyNotRead(t *testing.T) {
	ended := make(chan *Conn, 10)
	h := newEcho()
	s, conns := watched(&Server{Handler: h, WriteTimeout: 500 * time.Millisecond, MaxMemory: 64 << 20,
		OnDisconnect: func(c *Conn) { ended <- c }})
	b := serveTest(t, s)
	deaf := b.raw()
	if err := deaf.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	theirs := <-conns
	good := b.dial()
	for xid := range uint32(24) { // more than the network holds
		send(t, deaf, callRecord(xid, procBig))
	}
	for alive, end := true, time.Now().Add(patience); alive; {
		if time.Now().After(end) {
			t.Fatal("the connection does not end")
		}
		if _, err := call(t, good, procEcho, []byte("another")); err != nil {
			t.Fatal(err)
		}
		select {
		case c := <-ended:
			if alive = false; c != theirs {
				t.Error("another connection ends")
			}
		default:
		}
	}
	if got, err := call(t, good, procBig, nil); err != nil || len(got) != 1<<20 {
		t.Errorf("afterwards %d bytes: %v", len(got), err)
	}
	expectIdle(t, theirs.server)
	if log := b.log.String(); strings.Count(log, "send a reply") != 1 {
		t.Errorf("the log says %q", log)
	}
}

// TestBackPressure: when many connections want much at once, the server takes as much as it may hold, leaves the rest to
// wait in the network, and answers all.
func TestBackPressure(t *testing.T) {
	const conns, memory = 48, 8 << 20
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	payload := randomBytes(1 << 20)
	e := NewEncoder(make([]byte, 0, MaxRecord))
	encodeCall(e, 1, program, 1, procEcho, nil)
	e.Opaque(payload)
	record := fragments(e.Bytes())

	h := newEcho()
	var before, calls int64
	var measured sync.Mutex
	b := serveTest(t, &Server{MaxMemory: memory, Handler: handlerFunc(func(ctx context.Context, call *Call, reply *Encoder) AcceptStat {
		stat := h.ServeRPC(ctx, call, reply)
		measured.Lock()
		defer measured.Unlock()
		// What a connection has of its own, and what it has read while it waits for room to read more.
		const each = mediumBuffer + 32<<10
		if calls++; calls%8 == 0 {
			if grown := heap() - before; grown > memory+conns*each {
				t.Errorf("the heap has grown by %d bytes", grown)
			}
		}
		return stat
	})})
	var all []net.Conn
	for range conns {
		all = append(all, b.raw())
	}
	before = heap()
	var done sync.WaitGroup
	for _, conn := range all {
		done.Go(func() {
			if _, err := conn.Write(record); err != nil {
				t.Error(err)
			}
		})
		done.Go(func() {
			want := markSize + 24 + 4 + len(payload)
			piece := make([]byte, 4<<10)
			got := 0
			for got < want {
				n, err := conn.Read(piece)
				got += n
				if at := got - n - (want - len(payload)); at >= 0 && !bytes.Equal(piece[:n], payload[at:at+n]) {
					t.Error("the payload comes back as another")
					return
				}
				if err != nil {
					t.Errorf("%d of %d bytes came: %v", got, want, err)
					return
				}
			}
		})
	}
	done.Wait()
}

// TestGrownReply: what a handler wrote survives that its reply grows through all buffers and beyond them.
func TestGrownReply(t *testing.T) {
	want := randomBytes(MaxRecord + 1<<20)
	s, conns := watched(&Server{Handler: handlerFunc(func(_ context.Context, call *Call, reply *Encoder) AcceptStat {
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 20_000)
			reply.Append(rest[:n])
			rest = rest[n:]
		}
		return Success
	})})
	conn := serveTest(t, s).raw()
	send(t, conn, callRecord(1, procNull))
	if got := receive(t, conn)[24:]; !bytes.Equal(got, want) {
		t.Errorf("%d bytes are not the %d that were written", len(got), len(want))
	}
	expectIdle(t, (<-conns).server)
}

// TestReplyTooBigToHold: where there is no memory for a reply in time the connection is closed, the handler does not
// notice, and nothing is taken or given that should not be.
func TestReplyTooBigToHold(t *testing.T) {
	const total = 2 * largeBuffer
	s, conns := watched(&Server{Handler: newEcho(), MaxMemory: 2 * total, WriteTimeout: 200 * time.Millisecond})
	b := serveTest(t, s)
	conn := b.raw()
	run := (<-conns).server
	if !run.replies.acquire(t.Context(), total-smallBuffer) { // others hold all but one small buffer
		t.Fatal("the budget is not free")
	}
	send(t, conn, callRecord(1, procBig))
	if n, err := io.Copy(io.Discard, conn); n != 0 || isTimeout(err) {
		t.Errorf("the connection does not end: %d bytes, %v", n, err)
	}
	run.replies.release(total - smallBuffer)
	expectIdle(t, run)
	if got, err := call(t, b.dial(), procBig, nil); err != nil || len(got) != 1<<20 {
		t.Errorf("afterwards %d bytes: %v", len(got), err)
	}
	expectIdle(t, run)
}
