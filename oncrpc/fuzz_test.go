// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
)

// heldFor is the most memory that may be held for a record of which so many bytes have come, marks included.
func heldFor(came int) int64 { return int64(max(smallBuffer, 17*came)) }

// hungryConn looks at every read how much memory is held for the record that is being read.
type hungryConn struct {
	wireConn
	t      *testing.T
	reader *recordReader
	came   int // in all
	begun  int // where the record begins that is being read
}

func (c *hungryConn) Read(p []byte) (int, error) {
	memory, limit := c.reader.memory, heldFor(c.came-c.begun)
	if free := memory.total - limit; free > 0 {
		if !memory.bytes.TryAcquire(free) {
			c.t.Fatalf("%d bytes of a record came and more than %d are held", c.came-c.begun, limit)
		}
		memory.bytes.Release(free)
	}
	n, err := c.wireConn.Read(p)
	c.came += n
	return n, err
}

// splitRecords is what a recordReader does, for one who has all bytes before him: the records that bytes begin with, and
// the error behind them.
func splitRecords(wire []byte) (records [][]byte, err error) {
	record, fragments := []byte{}, 0
	for len(wire) > 0 {
		if len(wire) < markSize {
			return records, io.ErrUnexpectedEOF
		}
		mark := binary.BigEndian.Uint32(wire)
		length := int(mark &^ lastFragment)
		wire = wire[markSize:]
		fragments++
		switch {
		case len(record)+length > MaxRecord:
			return records, errRecordTooLong
		case fragments > maxFragments:
			return records, errTooManyFragments
		case length > len(wire):
			return records, io.ErrUnexpectedEOF
		}
		record, wire = append(record, wire[:length]...), wire[length:]
		if mark&lastFragment != 0 {
			records, record, fragments = append(records, record), []byte{}, 0
		}
	}
	if fragments > 0 {
		return records, io.ErrUnexpectedEOF
	}
	return records, io.EOF
}

// FuzzRecord reads any bytes as records, in any pieces: the size of each is by the square of a byte of cuts, the last over
// and over. The records are those that are in there, the memory that is held follows the bytes that have come, and all of
// it is given back.
func FuzzRecord(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add(fragments([]byte("a record")), []byte{2})
	f.Add(fragments([]byte("in"), nil, []byte(" fragments")), []byte{0, 1, 2, 3})
	f.Add(fragments(randomBytes(smallBuffer+100)), []byte{30})
	f.Add(append(fragments([]byte("one")), fragments([]byte("behind the other"))...), []byte{9})
	f.Fuzz(func(t *testing.T, wire, cuts []byte) {
		pieces := []int{len(wire) + 1}
		if len(cuts) > 0 {
			pieces = nil
		}
		for _, cut := range cuts {
			pieces = append(pieces, int(cut)*int(cut)+1)
		}
		rr := readerOf(nil, 1)
		conn := &hungryConn{wireConn: wireConn{wire: bytes.Clone(wire), pieces: pieces}, t: t, reader: rr}
		rr.conn = conn
		want, wantErr := splitRecords(wire)
		for i := 0; ; i++ {
			record, err := rr.next(context.Background())
			if err != nil {
				if i != len(want) || !errors.Is(err, wantErr) {
					t.Fatalf("after %d records: %v; there are %d and then %v", i, err, len(want), wantErr)
				}
				break
			}
			if i >= len(want) || !bytes.Equal(record, want[i]) {
				t.Fatalf("record %d of %d: %x", i, len(want), record)
			}
			rr.memory.give(record)
			conn.begun = conn.came - (rr.w - rr.r)
		}
		expectAllGiven(t, rr.memory)
	})
}

// FuzzCall reads any bytes as a call, and what is one is answered with a reply that can be read.
func FuzzCall(f *testing.F) {
	for _, seed := range []string{callHead + credSys + authNone + "cafe0000", callHead + authNone + authNone, "00000007 00000000 00000003",
		callHead + "00000006 00000004 00000000" + authNone, callHead + "00000001 7fffffff"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		c := Call{Args: new(Decoder)}
		stat, err := c.decode(message)
		if err != nil {
			return
		}
		var e Encoder
		if stat == Success {
			if len(c.Args.Rest())+c.Args.Offset() != c.Size() || c.Size() != len(message) {
				t.Fatalf("%x: %d bytes, arguments at %d", message, c.Size(), c.Args.Offset())
			}
			encodeCall(&e, c.XID, c.Program, c.Version, c.Procedure, &c.Cred)
			again := Call{Args: new(Decoder)}
			if stat, err := again.decode(e.Bytes()); stat != Success || err != nil {
				t.Fatalf("%x became %x: %v, %v", message, e.Bytes(), stat, err)
			}
			if !sameHead(&c, &again) || again.Args.Remaining() != 0 {
				t.Fatalf("%+v became %+v", c, again)
			}
		}
		e.Truncate(0)
		beginReply(&e, c.XID)
		endReply(&e, stat)
		d := NewDecoder(e.Bytes()[markSize:])
		if xid, msgType := d.Uint32(), d.Uint32(); xid != c.XID || msgType != msgReply {
			t.Fatalf("reply %x", e.Bytes())
		}
		if got := statOf(decodeReply(d)); got != stat {
			t.Fatalf("reply %x to %v reads as %v", e.Bytes(), stat, got)
		}
	})
}

// sameHead tells whether two calls are of the same procedure by the same caller.
func sameHead(a, b *Call) bool {
	return a.XID == b.XID && a.Program == b.Program && a.Version == b.Version && a.Procedure == b.Procedure &&
		a.Cred.Flavor == b.Cred.Flavor && a.Cred.Stamp == b.Cred.Stamp && bytes.Equal(a.Cred.Machine, b.Cred.Machine) &&
		a.Cred.UID == b.Cred.UID && a.Cred.GID == b.Cred.GID && a.Cred.gids == b.Cred.gids && a.Cred.ngids == b.Cred.ngids
}

// statOf is what a decoded reply says; Drop where it says nothing that can be understood.
func statOf(err error) AcceptStat {
	if err == nil {
		return Success
	}
	if reply, ok := errors.AsType[*ReplyError](err); ok {
		return reply.Stat
	}
	return Drop
}

// FuzzReply hands any bytes to a client that waits for one reply. They are its results, an error, or dropped; memory is
// given back in each case, and a server cannot say what only this side says of a reply.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{"", "00000007", "00000007 00000001", "00000007 00000000 00000002", "00000008 00000001 00000000",
		"00000007 00000001 00000000 00000000 00000000 00000000 cafecafe",
		"00000007 00000001 00000000 00000001 00000004 cafecafe 00000000",
		"00000007 00000001 00000000 00000000 7fffffff 00000000",
		"00000007 00000001 00000000 00000000 00000000 00000002 00000003 00000004",
		"00000007 00000001 00000000 00000000 00000000 00000005",
		"00000007 00000001 00000001 00000000 00000002 00000002",
		"00000007 00000001 00000001 00000001 00000005"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		const xid = 7
		answer := make(chan *Reply, 1)
		c := &Client{pending: map[uint32]chan *Reply{xid: answer}}
		c.reader.memory = newBudget(math.MaxInt64, 0)
		record, err := c.reader.memory.take(context.Background(), len(message))
		if err != nil {
			t.Fatal(err)
		}
		c.deliver(append(record, message...))
		select {
		case reply := <-answer:
			results, err := c.results(reply)
			var refused *ReplyError
			switch {
			case err == nil:
				if !bytes.HasSuffix(message, results.Rest()) {
					t.Errorf("%x has the results %x", message, results.Rest())
				}
				results.Release()
			case errors.As(err, &refused):
				if known := refused.Stat <= SystemErr || refused.Stat&math.MaxUint32 == progMismatch; message[11] == msgAccepted && !known {
					t.Errorf("%x: an accepted call and %v", message, err)
				}
			case !errors.Is(err, ErrXDR):
				t.Errorf("%x: %v", message, err)
			}
			if len(c.pending) != 0 {
				t.Error("the call is answered and still waits")
			}
		default:
			if len(c.pending) != 1 {
				t.Error("the call is not answered and does not wait any more")
			}
		}
		expectAllGiven(t, c.reader.memory)
	})
}
