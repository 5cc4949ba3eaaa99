// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipeReader reads records from a pipe. What it has read, or its error, comes by a channel.
func pipeReader(t *testing.T, memory *budget, timeout time.Duration) (net.Conn, chan []byte, chan error) {
	ours, theirs := net.Pipe()
	records, end := make(chan []byte, 10), make(chan error, 1)
	rr := &recordReader{conn: ours, memory: memory, timeout: timeout, ended: func() bool { return false }}
	go func() {
		for {
			record, err := rr.next(t.Context())
			if err != nil {
				end <- err
				ours.Close()
				return
			}
			records <- bytes.Clone(record)
			memory.give(record)
		}
	}()
	return theirs, records, end
}

// TestRecordDeadline: the time of a record is from its first byte to its last, however it dribbles in, and there is none
// between two records.
func TestRecordDeadline(t *testing.T) {
	const timeout = 30 * time.Second
	record := randomBytes(3 * smallBuffer)
	wire := fragments(record)
	for _, test := range []struct {
		name string
		at   int // where the record stops for as long
		wait time.Duration
		ok   bool
	}{
		{"in the mark, in time", 2, timeout - 1, true},
		{"in the mark, too late", 2, timeout + 1, false},
		{"behind the mark, in time", markSize, timeout - 1, true},
		{"behind the mark, too late", markSize, timeout + 1, false},
		{"before the last byte, in time", len(wire) - 1, timeout - 1, true},
		{"before the last byte, too late", len(wire) - 1, timeout + 1, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			memory := newBudget(4*largeBuffer, 0)
			conn, records, end := pipeReader(t, memory, timeout)
			for range 2 { // the second is not the worse for the first
				time.Sleep(24 * time.Hour)
				conn.Write(wire[:test.at])
				time.Sleep(test.wait)
				conn.Write(wire[test.at:])
				synctest.Wait()
				if !test.ok {
					break
				}
				if len(records) != 1 || !bytes.Equal(<-records, record) {
					t.Errorf("%s: the record does not come", test.name)
				}
			}
			conn.Close()
			if err := <-end; errors.Is(err, os.ErrDeadlineExceeded) == test.ok {
				t.Errorf("%s: %v", test.name, err)
			}
			expectAllGiven(t, memory)
		})
	}
}

// TestRecordDribbles: a byte now and then does not put the deadline off.
func TestRecordDribbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := newBudget(4*largeBuffer, 0)
		conn, _, end := pipeReader(t, memory, time.Minute)
		begun := time.Now()
		for _, b := range fragments(randomBytes(1000)) {
			if _, err := conn.Write([]byte{b}); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if err := <-end; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the record ends with %v", err)
		}
		if took := time.Since(begun); took > time.Minute+time.Second {
			t.Errorf("after %v", took)
		}
		conn.Close()
		expectAllGiven(t, memory)
	})
}

// TestWaitForMemory: the time in which a record waits for memory is not the peer's, and has an end of its own.
func TestWaitForMemory(t *testing.T) {
	const timeout, patience = 10 * time.Second, time.Minute
	for _, free := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			memory := newBudget(2*largeBuffer, patience)
			conn, records, end := pipeReader(t, memory, timeout)
			record := randomBytes(1 << 20)
			wire := fragments(record)
			conn.Write(wire[:5]) // it has a small buffer
			synctest.Wait()
			rest := memory.total - smallBuffer
			if !memory.acquire(t.Context(), int(rest)) { // others have the rest
				t.Fatal("more than a small buffer is held")
			}
			go conn.Write(wire[5:])
			time.Sleep(patience - time.Second)
			if len(end) > 0 {
				t.Fatalf("it does not wait: %v", <-end)
			}
			if free {
				memory.release(int(rest))
				synctest.Wait()
				if len(records) != 1 || !bytes.Equal(<-records, record) {
					t.Error("the record does not come")
				}
				conn.Close()
				<-end
			} else {
				if err := <-end; err != errNoMemory {
					t.Errorf("the wait ends with %v", err)
				}
				conn.Close()
				memory.release(int(rest))
			}
			expectAllGiven(t, memory)
		})
	}
}

// TestReadingEnds: whoever ends the reading, at whatever moment of a record, ends it. A reader that sets a deadline of its
// own at that moment must not undo it.
func TestReadingEnds(t *testing.T) {
	for i := range 300 {
		client, server := tcpPair(t)
		var ended atomic.Bool
		rr := &recordReader{conn: server, memory: newBudget(4*largeBuffer, 0), timeout: time.Hour, ended: ended.Load}
		end := make(chan error, 1)
		go func() {
			for {
				record, err := rr.next(context.Background())
				if err != nil {
					end <- err
					return
				}
				rr.memory.give(record)
			}
		}()
		wire := fragments(randomBytes(2 * aheadSize))
		for at := 0; at < i%8; at++ {
			client.Write(wire)
		}
		client.Write(wire[:i*7%len(wire)]) // where the next one stops
		ended.Store(true)
		server.SetReadDeadline(time.Now())
		select {
		case err := <-end:
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
				t.Errorf("the reading ends with %v", err)
			}
		case <-time.After(patience):
			server.Close()
			t.Fatal("the reading does not end")
		}
		expectAllGiven(t, rr.memory)
		client.Close()
		server.Close()
	}
}
