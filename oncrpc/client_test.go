// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// scripted connects a client with a server that does with the connection what a script says, and then closes it.
func scripted(t *testing.T, script func(conn net.Conn)) *Client {
	t.Helper()
	l := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		script(conn)
	}()
	c, err := Dial(t.Context(), l.Addr().String())
	t.Cleanup(func() {
		if c != nil {
			c.Close()
			if got := held(c.reader.memory); got != 0 {
				t.Errorf("the client holds %d bytes", got)
			}
		}
		l.Close()
		<-done
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// take reads a call, as the server of a script; nil at the connection's end.
func take(conn net.Conn) *Call {
	record, err := readRecord(conn)
	if err != nil {
		return nil
	}
	call := &Call{Args: new(Decoder)}
	if _, err := call.decode(record); err != nil {
		return nil
	}
	return call
}

// accepted is a record that answers a call with a success.
func accepted(xid uint32, results ...byte) []byte {
	e := NewEncoder(nil)
	beginReply(e, xid)
	e.Append(results)
	endReply(e, Success)
	return e.Bytes()
}

// ask makes a call with a number as argument, and returns the number that comes back.
func ask(ctx context.Context, c *Client, n uint32) (uint32, error) {
	reply, err := c.Call(ctx, program, 1, procEcho, nil, func(e *Encoder) { e.Uint32(n) }, nil)
	if err != nil {
		return 0, err
	}
	defer reply.Release()
	got := reply.Uint32()
	return got, reply.Err()
}

// within is a context for what should take no time.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// TestRepliesOutOfOrder: calls that wait at the same time get each its own reply, whatever the order.
func TestRepliesOutOfOrder(t *testing.T) {
	const count = 50
	c := scripted(t, func(conn net.Conn) {
		var calls []*Call
		for len(calls) < count {
			call := take(conn)
			if call == nil {
				return
			}
			calls = append(calls, call)
		}
		var wire []byte
		for i := range calls {
			call := calls[(i*7+count-1)%count]
			wire = append(wire, accepted(call.XID, call.Args.Rest()...)...)
		}
		conn.Write(wire)
	})
	var all sync.WaitGroup
	ctx := within(t)
	for n := range uint32(count) {
		all.Go(func() {
			if got, err := ask(ctx, c, n); err != nil || got != n {
				t.Errorf("call %d gets the reply to %d: %v", n, got, err)
			}
		})
	}
	all.Wait()
}

// TestCallGivenUp: a call waits no longer than its context, whether that runs out or is ended, and a reply that comes
// later is given to nobody.
func TestCallGivenUp(t *testing.T) {
	const runsOut, isEnded, isAnswered = 7, 8, 9
	ended, end := context.WithCancel(t.Context())
	defer end()
	c := scripted(t, func(conn net.Conn) {
		var late []byte
		for call := take(conn); call != nil; call = take(conn) {
			late = append(late, accepted(call.XID, call.Args.Rest()...)...)
			switch call.Args.Uint32() {
			case isEnded:
				end()
			case isAnswered:
				conn.Write(late)
			}
		}
	})
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ask(short, c, runsOut); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that is silent: %v", err)
	}
	if _, err := ask(ended, c, isEnded); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that is ended: %v", err)
	}
	if got, err := ask(within(t), c, isAnswered); err != nil || got != isAnswered {
		t.Errorf("behind the late replies comes %d: %v", got, err)
	}
	if _, err := ask(ended, c, isAnswered); !errors.Is(err, context.Canceled) {
		t.Errorf("a call with a context that has ended: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) != 0 {
		t.Errorf("%d calls wait", len(c.pending))
	}
}

// TestGivenUpAsAnswered: the memory of a reply that comes at the moment at which its call is given up is given back.
func TestGivenUpAsAnswered(t *testing.T) {
	c := scripted(t, func(conn net.Conn) { take(conn) })
	xid, answer, err := c.register()
	if err != nil {
		t.Fatal(err)
	}
	record, err := c.reader.memory.take(t.Context(), smallBuffer)
	if err != nil {
		t.Fatal(err)
	}
	c.deliver(append(record, accepted(xid)[markSize:]...))
	c.forget(xid, answer)
	if got := held(c.reader.memory); got != 0 || len(answer) != 0 {
		t.Errorf("%d bytes are held, %d replies wait", got, len(answer))
	}
}

// TestConnectionCut cuts the connection at every byte of a reply: all calls that wait hear of it, and those after them.
// Behind the last byte the reply has come.
func TestConnectionCut(t *testing.T) {
	size := len(accepted(0, 0, 0, 0, 1))
	for at := range size + 1 {
		c := scripted(t, func(conn net.Conn) {
			first, second := take(conn), take(conn)
			if first != nil && second != nil {
				conn.Write(accepted(first.XID, 0, 0, 0, 1)[:at])
			}
		})
		expectLost := func(err error) {
			t.Helper()
			lost, ok := errors.AsType[*ConnError](err)
			if !ok || lost.Addr != c.conn.RemoteAddr().String() || !strings.Contains(err.Error(), lost.Addr) {
				t.Fatalf("cut at %d: %v", at, err)
			}
			if amid := at > 0 && at < size; errors.Is(err, io.ErrUnexpectedEOF) != amid {
				t.Fatalf("cut at %d of %d: %v", at, size, err)
			}
		}
		results := make(chan error, 2)
		for n := range uint32(2) {
			go func() { _, err := ask(within(t), c, n); results <- err }()
		}
		answered := 0
		for range cap(results) {
			if err := <-results; err == nil {
				answered++
			} else {
				expectLost(err)
			}
		}
		if answered != at/size {
			t.Errorf("cut at %d of %d: %d calls are answered", at, size, answered)
		}
		<-c.Done()
		_, err := ask(within(t), c, 3)
		expectLost(err)
	}
}

// TestCloseWhileCallsWait: they answer ErrClosed, as all later ones do.
func TestCloseWhileCallsWait(t *testing.T) {
	const count = 10
	here := make(chan struct{})
	c := scripted(t, func(conn net.Conn) {
		for range count {
			take(conn)
		}
		close(here)
		take(conn)
	})
	results := make(chan error, count)
	for n := range uint32(count) {
		go func() { _, err := ask(within(t), c, n); results <- err }()
	}
	<-here
	var all sync.WaitGroup
	for range 3 { // at the same time, and more than once
		all.Go(func() {
			if err := c.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	all.Wait()
	for range count {
		if err := <-results; err != ErrClosed {
			t.Errorf("a call that waits: %v", err)
		}
	}
	if _, err := ask(t.Context(), c, 0); err != ErrClosed {
		t.Errorf("a call afterwards: %v", err)
	}
	<-c.Done()
}

// TestBulk sends bulk of every padding, and of sizes around those of the buffers: it stands on the wire as if it had been
// encoded.
func TestBulk(t *testing.T) {
	b := serveTest(t, &Server{Handler: handlerFunc(func(_ context.Context, call *Call, reply *Encoder) AcceptStat {
		reply.Append(call.Args.Rest())
		return Success
	})})
	c := b.dial()
	for _, size := range []int{0, 1, 2, 3, 4, 5, 6, 7, smallBuffer - 1, smallBuffer, smallBuffer + 1, mediumBuffer + 2, 1 << 20} {
		bulk := randomBytes(size)
		want := NewEncoder(nil)
		want.Uint32(42)
		want.Opaque(bulk)
		reply, err := c.Call(within(t), program, 1, procEcho, nil, func(e *Encoder) {
			e.Uint32(42)
			e.Uint32(uint32(size))
		}, bulk)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if !bytes.Equal(reply.Rest(), want.Bytes()) {
			t.Errorf("%d bytes: %d came and not %d, or others", size, reply.Remaining(), want.Len())
		}
		reply.Release()
	}
	if got := held(c.reader.memory); got != 0 {
		t.Errorf("%d bytes are held", got)
	}
}

// TestServerDoesNotRead: a call that waits for another to be written ends by its own context, and one that is half written
// by its deadline, and with it the connection; or when the client is closed.
func TestServerDoesNotRead(t *testing.T) {
	much := make([]byte, 64<<20) // more than the network holds
	over := make(chan struct{})
	defer close(over)
	write := func(ctx context.Context, c *Client) error {
		_, err := c.Call(ctx, program, 1, procEcho, nil, func(e *Encoder) { e.Uint32(uint32(len(much))) }, much)
		return err
	}
	c := scripted(t, func(net.Conn) { <-over })
	first := make(chan error, 1)
	go func() { first <- write(within(t), c) }()
	eventually(t, "the first call is being written", func() bool { return len(c.writing) == 1 })
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ask(short, c, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call behind it: %v", err)
	}
	c.Close()
	if err := <-first; err != ErrClosed {
		t.Errorf("the client is closed while a call is written: %v", err)
	}

	c = scripted(t, func(net.Conn) { <-over })
	short, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := write(short, c)
	if _, ok := errors.AsType[*ConnError](err); !ok || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a call that is half written when its time is over: %v", err)
	}
	<-c.Done()
}

// TestXIDsInUse: no two calls that wait have the same number, also when numbers begin anew.
func TestXIDsInUse(t *testing.T) {
	const count = 8
	c := scripted(t, func(conn net.Conn) {
		seen := map[uint32]bool{}
		var wire []byte
		for range count {
			call := take(conn)
			if call == nil {
				return
			}
			if seen[call.XID] {
				t.Errorf("xid %d is in use twice", call.XID)
			}
			seen[call.XID] = true
			wire = append(wire, accepted(call.XID, call.Args.Rest()...)...)
		}
		conn.Write(wire)
		take(conn)
	})
	var all sync.WaitGroup
	for n := range uint32(count) {
		all.Go(func() {
			c.mu.Lock()
			c.xid = math.MaxUint32 - 2
			c.mu.Unlock()
			if got, err := ask(within(t), c, n); err != nil || got != n {
				t.Errorf("call %d: %d, %v", n, got, err)
			}
		})
	}
	all.Wait()
}

// TestCloseAmidCalls: whatever moment it is, each call ends with its results or with ErrClosed.
func TestCloseAmidCalls(t *testing.T) {
	b := serveTest(t, &Server{Handler: newEcho()})
	for range 50 {
		c := b.dial()
		done := make(chan struct{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for first := true; ; first = false {
					_, err := call(t, c, procEcho, []byte("x"))
					if err != nil && err != ErrClosed {
						t.Errorf("a call ends with %v", err)
					}
					if first {
						done <- struct{}{}
					}
					if err != nil {
						return
					}
				}
			})
		}
		<-done
		closed := make(chan struct{})
		go func() { c.Close(); close(closed) }()
		for range 3 {
			<-done
		}
		all.Wait()
		<-closed
		if got := held(c.reader.memory); got != 0 {
			t.Errorf("%d bytes are held", got)
		}
	}
}

func TestDialErrors(t *testing.T) {
	l := listen(t)
	l.Close()
	if _, err := Dial(t.Context(), l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("nobody listens: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, listen(t).Addr().String()); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
}
