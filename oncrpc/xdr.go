// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"encoding/binary"
	"errors"
	"slices"
)

// ErrXDR is what a Decoder answers for a message that is too short, or in which a length is beyond its bound or beyond
// the bytes that are there.
var ErrXDR = errors.New("malformed XDR")

// Decoder reads XDR (RFC 4506) from a message. After the first error every call returns zero values and Err returns
// that error, so a caller may decode a whole structure and look once. What it returns aliases the message.
// It never allocates by a length that the message names.
type Decoder struct {
	buf []byte
	off int
	err error
}

// NewDecoder returns a decoder of a message.
func NewDecoder(message []byte) *Decoder { return &Decoder{buf: message} }

// Reset makes the decoder read another message.
func (d *Decoder) Reset(message []byte) { *d = Decoder{buf: message} }

// Err returns the first error.
func (d *Decoder) Err() error { return d.err }

// Fail makes ErrXDR the decoder's error, for values that decode but cannot be (an unknown union arm).
func (d *Decoder) Fail() {
	if d.err == nil {
		d.err = ErrXDR
	}
}

// Remaining is how many bytes are left.
func (d *Decoder) Remaining() int { return len(d.buf) - d.off }

// Offset is how many bytes were read.
func (d *Decoder) Offset() int { return d.off }

// Rest returns the bytes that are left, without reading them.
func (d *Decoder) Rest() []byte { return d.buf[d.off:] }

// take returns the next n bytes, nil after an error.
func (d *Decoder) take(n int) []byte {
	if d.err != nil || n > len(d.buf)-d.off {
		d.Fail()
		return nil
	}
	b := d.buf[d.off : d.off+n : d.off+n]
	d.off += n
	return b
}

// Uint32 reads an unsigned int, or an enum.
func (d *Decoder) Uint32() uint32 {
	b := d.take(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// Int32 reads an int.
func (d *Decoder) Int32() int32 { return int32(d.Uint32()) }

// Uint64 reads an unsigned hyper.
func (d *Decoder) Uint64() uint64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// Int64 reads a hyper.
func (d *Decoder) Int64() int64 { return int64(d.Uint64()) }

// Bool reads a bool. Anything but 0 and 1 is an error (RFC 4506 section 4.4).
func (d *Decoder) Bool() bool {
	v := d.Uint32()
	if v > 1 {
		d.Fail()
	}
	return v == 1
}

// Fixed reads opaque bytes of a known length.
func (d *Decoder) Fixed(n int) []byte {
	b := d.take(n + (-n & 3))
	if b == nil {
		return nil
	}
	return b[:n:n]
}

// Opaque reads opaque bytes or a string of at most limit bytes.
func (d *Decoder) Opaque(limit int) []byte {
	n := d.Uint32()
	if uint64(n) > uint64(limit) {
		d.Fail()
		return nil
	}
	return d.Fixed(int(n))
}

// String is Opaque as a string of its own memory.
func (d *Decoder) String(limit int) string { return string(d.Opaque(limit)) }

// Count reads the length of an array of at most limit elements that take at least size bytes each (4 or more).
func (d *Decoder) Count(limit, size int) int {
	n := d.Uint32()
	if uint64(n) > uint64(limit) || uint64(n)*uint64(size) > uint64(d.Remaining()) {
		d.Fail()
		return 0
	}
	return int(n)
}

// Encoder writes XDR (RFC 4506), appending to a buffer.
type Encoder struct {
	buf []byte
	// grow, where set, returns a buffer with what buf holds and room for n bytes more.
	grow func(buf []byte, n int) []byte
}

// NewEncoder returns an encoder that appends to buf.
func NewEncoder(buf []byte) *Encoder { return &Encoder{buf: buf} }

// Bytes returns all that was written; valid until the next write.
func (e *Encoder) Bytes() []byte { return e.buf }

// Len is how many bytes were written.
func (e *Encoder) Len() int { return len(e.buf) }

// Truncate takes back all but the first n bytes.
func (e *Encoder) Truncate(n int) { e.buf = e.buf[:n] }

// Uint32 writes an unsigned int, or an enum.
func (e *Encoder) Uint32(v uint32) { e.buf = binary.BigEndian.AppendUint32(e.room(4), v) }

// Int32 writes an int.
func (e *Encoder) Int32(v int32) { e.Uint32(uint32(v)) }

// Uint64 writes an unsigned hyper.
func (e *Encoder) Uint64(v uint64) { e.buf = binary.BigEndian.AppendUint64(e.room(8), v) }

// Int64 writes a hyper.
func (e *Encoder) Int64(v int64) { e.Uint64(uint64(v)) }

// Bool writes a bool.
func (e *Encoder) Bool(v bool) {
	if v {
		e.Uint32(1)
	} else {
		e.Uint32(0)
	}
}

// Append writes bytes that are XDR already.
func (e *Encoder) Append(b []byte) { e.buf = append(e.room(len(b)), b...) }

// Fixed writes opaque bytes of a length that both sides know.
func (e *Encoder) Fixed(b []byte) {
	e.Append(b)
	e.Pad(len(b))
}

// Opaque writes opaque bytes with their length.
func (e *Encoder) Opaque(b []byte) {
	e.Uint32(uint32(len(b)))
	e.Fixed(b)
}

// String writes a string with its length.
func (e *Encoder) String(s string) {
	e.Uint32(uint32(len(s)))
	e.buf = append(e.room(len(s)), s...)
	e.Pad(len(s))
}

// SetUint32 writes over four bytes that were written before, at offset at.
func (e *Encoder) SetUint32(at int, v uint32) { binary.BigEndian.PutUint32(e.buf[at:], v) }

// Extend appends n bytes whose contents the caller fills in, and returns them. They are not cleared.
func (e *Encoder) Extend(n int) []byte {
	l := len(e.buf)
	e.buf = e.room(n)[:l+n]
	return e.buf[l:]
}

// Pad appends the zeros that follow n opaque bytes.
func (e *Encoder) Pad(n int) {
	var zeros [3]byte
	e.Append(zeros[:-n&3])
}

// room returns the buffer with room for n bytes more.
func (e *Encoder) room(n int) []byte {
	if cap(e.buf)-len(e.buf) >= n {
		return e.buf
	}
	if e.grow != nil {
		return e.grow(e.buf, n)
	}
	return slices.Grow(e.buf, n)
}
