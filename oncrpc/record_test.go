// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// wireConn is the reading side of a connection whose bytes come in pieces of the sizes given, the last of them over and
// over.
type wireConn struct {
	net.Conn
	wire   []byte
	pieces []int
}

func (c *wireConn) Read(p []byte) (int, error) {
	if len(c.wire) == 0 {
		return 0, io.EOF
	}
	n := min(len(p), len(c.wire), c.pieces[0])
	if len(c.pieces) > 1 {
		c.pieces = c.pieces[1:]
	}
	copy(p, c.wire[:n])
	c.wire = c.wire[n:]
	return n, nil
}

func (c *wireConn) SetReadDeadline(time.Time) error { return nil }

// readerOf reads records from bytes that come in pieces.
func readerOf(wire []byte, pieces ...int) *recordReader {
	return &recordReader{
		conn:    &wireConn{wire: wire, pieces: pieces},
		memory:  newBudget(4*largeBuffer, time.Second),
		timeout: time.Second,
		ended:   func() bool { return false },
	}
}

// fragments makes a record of the parts given.
func fragments(parts ...[]byte) (wire []byte) {
	for i, part := range parts {
		mark := uint32(len(part))
		if i == len(parts)-1 {
			mark |= lastFragment
		}
		wire = append(binary.BigEndian.AppendUint32(wire, mark), part...)
	}
	return wire
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// expectAllGiven fails where memory was not given back.
func expectAllGiven(t *testing.T, b *budget) {
	t.Helper()
	if !b.bytes.TryAcquire(b.total) {
		t.Error("memory was not given back")
		return
	}
	b.bytes.Release(b.total)
}

// expectRecords reads records and expects them, and then the end.
func expectRecords(t *testing.T, rr *recordReader, want ...[]byte) {
	t.Helper()
	for i, w := range want {
		record, err := rr.next(context.Background())
		if err != nil || !bytes.Equal(record, w) {
			t.Fatalf("record %d: %d bytes, want %d: %v", i, len(record), len(w), err)
		}
		rr.memory.give(record)
	}
	if record, err := rr.next(context.Background()); err != io.EOF {
		t.Fatalf("after the last record: %d bytes, %v", len(record), err)
	}
	expectAllGiven(t, rr.memory)
}

// TestFragmentsInAllSplits cuts a record into three fragments everywhere, sends it with another one behind it in pieces
// of every size, and expects both.
func TestFragmentsInAllSplits(t *testing.T) {
	record, behind := randomBytes(12), []byte("behind")
	for i := range len(record) + 1 {
		for j := i; j <= len(record); j++ {
			wire := append(fragments(record[:i], record[i:j], record[j:]), fragments(behind)...)
			for piece := 1; piece <= len(wire); piece++ {
				expectRecords(t, readerOf(bytes.Clone(wire), piece), record, behind)
			}
		}
	}
}

// TestRecordSizes reads records of sizes around those of the buffers, whole and in fragments.
func TestRecordSizes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, aheadSize - markSize, aheadSize, aheadSize + 1, smallBuffer - 1, smallBuffer, smallBuffer + 1,
		mediumBuffer - 1, mediumBuffer, mediumBuffer + 1, 1 << 20, MaxRecord} {
		record := randomBytes(size)
		expectRecords(t, readerOf(fragments(record), size+markSize), record)
		expectRecords(t, readerOf(fragments(record), 1, 1000, 1<<16), record)
		var parts [][]byte
		for rest := record; len(rest) > 0; {
			n := min(len(rest), rnd.IntN(size/4+2))
			parts = append(parts, rest[:n])
			rest = rest[n:]
		}
		parts = append(parts, nil)
		expectRecords(t, readerOf(fragments(parts...), 1<<15, 7, 1<<14), record)
	}
}

func TestRecordErrors(t *testing.T) {
	mark := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	for _, test := range []struct {
		name string
		wire []byte
		want error
	}{
		{"a giant length", mark(0xffffffff), errRecordTooLong},
		{"a byte too many", mark(lastFragment | (MaxRecord + 1)), errRecordTooLong},
		{"fragments too long together", append(append(mark(MaxRecord), make([]byte, MaxRecord)...), mark(1)...), errRecordTooLong},
		{"empty fragments without end", make([]byte, 4*maxFragments+4), errTooManyFragments},
		{"half a mark", []byte{0x80, 0}, io.ErrUnexpectedEOF},
		{"half a record", append(mark(lastFragment|100), make([]byte, 50)...), io.ErrUnexpectedEOF},
		{"half a big record", append(mark(lastFragment|1<<20), make([]byte, 1<<19)...), io.ErrUnexpectedEOF},
		{"no last fragment", append(mark(4), make([]byte, 4)...), io.ErrUnexpectedEOF},
	} {
		rr := readerOf(test.wire, 1<<14)
		if record, err := rr.next(context.Background()); !errors.Is(err, test.want) {
			t.Errorf("%s: %d bytes, %v", test.name, len(record), err)
		}
		expectAllGiven(t, rr.memory)
	}
}

// TestClaimedLength sends the beginnings of big records: what is held must follow the bytes that came.
func TestClaimedLength(t *testing.T) {
	for _, came := range []int{0, 1, smallBuffer - 1, smallBuffer + 1, mediumBuffer - 1, mediumBuffer + 1} {
		ours, theirs := net.Pipe()
		rr := readerOf(nil, 1)
		rr.conn = ours
		end := make(chan error)
		go func() {
			_, err := rr.next(context.Background())
			end <- err
		}()
		theirs.Write(binary.BigEndian.AppendUint32(nil, lastFragment|MaxRecord))
		theirs.Write(make([]byte, came)) // a pipe's write ends when all of it was read
		held := held(rr.memory)
		if limit := int64(max(smallBuffer, 17*came+17)); held > limit {
			t.Errorf("%d bytes came and %d are held", came, held)
		}
		theirs.Close()
		if err := <-end; err == nil {
			t.Error("half a record was read")
		}
		ours.Close()
		expectAllGiven(t, rr.memory)
	}
}

// probing is held by who takes what is free to see how much it is: two would see each other.
var probing sync.Mutex

// held is how much of a budget is taken.
func held(b *budget) int64 {
	probing.Lock()
	defer probing.Unlock()
	low, high := int64(0), b.total // what is free is in [low, high]
	for low < high {
		n := high - (high-low)/2
		if b.bytes.TryAcquire(n) {
			b.bytes.Release(n)
			low = n
		} else {
			high = n - 1
		}
	}
	return b.total - low
}
