// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	// markSize is the size of a record mark, which precedes each fragment of a record (RFC 5531 section 11).
	markSize = 4
	// lastFragment is the bit of a record mark that ends the record; the other bits are the fragment's length.
	lastFragment = 1 << 31
	// maxFragments is how many fragments a record may have, empty ones included. Clients send one.
	maxFragments = 1024
	// aheadSize is how much is read before it is known what comes: most requests whole, at little cost for a connection
	// that is idle.
	aheadSize = 1 << 10
)

// ErrRecord is the error of what comes over a connection and is not a record: mostly, the peer speaks something else.
var ErrRecord = errors.New("not a record of RPC")

// Errors of a peer that does not keep to the protocol.
var (
	errRecordTooLong    = fmt.Errorf("%w: it is too long", ErrRecord)
	errTooManyFragments = fmt.Errorf("%w: it has too many fragments", ErrRecord)
	errRecordTooSlow    = errors.New("the record was begun and not ended in time")
)

// tooLong is errRecordTooLong for a record mark. The mark of a peer that speaks a protocol of text, such as HTTP or SSH,
// is the first four letters of it.
func tooLong(mark uint32) error {
	text := binary.BigEndian.AppendUint32(nil, mark)
	for _, c := range text {
		if c < ' ' || c > '~' {
			return errRecordTooLong
		}
	}
	return fmt.Errorf("%w; it begins with %q", errRecordTooLong, text)
}

// recordReader reads records from a connection (RFC 5531 section 11). One goroutine uses it.
type recordReader struct {
	conn net.Conn
	// memory is where the buffers come from.
	memory *budget
	// timeout is how long a record may take from its first byte to its last.
	timeout time.Duration
	// ended tells that nothing more shall be read; whoever makes it true sets the connection's read deadline after that.
	ended func() bool

	// timed: a deadline is set, and this is it.
	timed    bool
	deadline time.Time
	// ahead[r:w] was read and not yet taken.
	r, w  int
	ahead [aheadSize]byte
}

// next returns the next record, without its marks, in a buffer that the caller gives back to memory. It waits for the
// first byte without end. io.EOF is the end of the connection between two records.
func (rr *recordReader) next(ctx context.Context) ([]byte, error) {
	var record []byte
	err := rr.await()
	for fragments := 1; err == nil; fragments++ {
		var mark uint32
		if mark, err = rr.mark(); err != nil {
			break
		}
		length := int(mark &^ lastFragment)
		switch {
		case length > MaxRecord-len(record):
			err = tooLong(mark)
		case fragments > maxFragments:
			err = errTooManyFragments
		default:
			record, err = rr.fragment(ctx, record, length)
		}
		if err == nil && mark&lastFragment != 0 {
			if err = rr.untime(); err == nil {
				return record, nil
			}
		}
	}
	if record != nil {
		rr.memory.give(record)
	}
	return nil, err
}

// await waits for the first byte of a record.
func (rr *recordReader) await() error {
	if rr.r < rr.w {
		return nil
	}
	rr.r, rr.w = 0, 0
	n, err := rr.conn.Read(rr.ahead[:])
	rr.w = n
	if n > 0 {
		return nil
	}
	return err
}

// mark reads a record mark.
func (rr *recordReader) mark() (uint32, error) {
	for rr.w-rr.r < markSize {
		if err := rr.time(); err != nil {
			return 0, err
		}
		rr.w = copy(rr.ahead[:], rr.ahead[rr.r:rr.w])
		rr.r = 0
		n, err := rr.conn.Read(rr.ahead[rr.w:])
		rr.w += n
		if n == 0 && err != nil {
			return 0, unexpected(err)
		}
	}
	mark := binary.BigEndian.Uint32(rr.ahead[rr.r:])
	rr.r += markSize
	return mark, nil
}

// fragment reads length bytes and appends them to the record. The record's buffer grows with the bytes that have come,
// not with those that are claimed: it is never more than about sixteen times as big.
func (rr *recordReader) fragment(ctx context.Context, record []byte, length int) ([]byte, error) {
	for length > 0 {
		if len(record) == cap(record) {
			var err error
			if record, err = rr.room(ctx, record, length); err != nil {
				return record, err
			}
		}
		n := min(length, cap(record)-len(record))
		at := len(record)
		record = record[:at+n]
		if err := rr.full(record[at:]); err != nil {
			return record, err
		}
		length -= n
	}
	return record, nil
}

// room returns a record's buffer with room for more bytes: all that are to come, or as many as its present size allows.
// The wait for it does not count against the peer.
func (rr *recordReader) room(ctx context.Context, record []byte, length int) ([]byte, error) {
	var err error
	begun := time.Now()
	switch {
	case record == nil:
		record, err = rr.memory.take(ctx, min(length, smallBuffer))
	case len(record) < mediumBuffer:
		record, err = rr.memory.grow(ctx, record, min(length, mediumBuffer-len(record)))
	default:
		record, err = rr.memory.grow(ctx, record, length)
	}
	if err == nil && rr.timed {
		rr.deadline = rr.deadline.Add(time.Since(begun))
		err = rr.setDeadline(rr.deadline)
	}
	return record, err
}

// full fills p, first with what was read ahead.
func (rr *recordReader) full(p []byte) error {
	n := copy(p, rr.ahead[rr.r:rr.w])
	rr.r += n
	if n == len(p) {
		return nil
	}
	if err := rr.time(); err != nil {
		return err
	}
	_, err := io.ReadFull(rr.conn, p[n:])
	return unexpected(err)
}

// time sets the deadline for the rest of a record.
func (rr *recordReader) time() error {
	if rr.timed {
		return nil
	}
	rr.timed = true
	rr.deadline = time.Now().Add(rr.timeout)
	return rr.setDeadline(rr.deadline)
}

// untime takes the deadline away.
func (rr *recordReader) untime() error {
	if !rr.timed {
		return nil
	}
	rr.timed = false
	return rr.setDeadline(time.Time{})
}

// setDeadline sets the deadline, and looks only then whether reading has ended: whoever ends it sets the deadline after
// saying so, and so one of the two prevails that ends it.
func (rr *recordReader) setDeadline(t time.Time) error {
	if err := rr.conn.SetReadDeadline(t); err != nil {
		return err
	}
	if rr.ended() {
		return net.ErrClosed
	}
	return nil
}

// unexpected is the error of a connection that ends within a record.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
