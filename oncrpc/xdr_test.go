// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
)

// TestXDR compares what is encoded with bytes from RFC 4506, and reads it again.
func TestXDR(t *testing.T) {
	for _, test := range []struct {
		name, wire string
		encode     func(*Encoder)
		decode     func(*Decoder) bool // whether what was read is what was written
	}{
		{"Uint32", "fffffffe", func(e *Encoder) { e.Uint32(math.MaxUint32 - 1) }, func(d *Decoder) bool { return d.Uint32() == math.MaxUint32-1 }},
		{"Int32", "fffffffe", func(e *Encoder) { e.Int32(-2) }, func(d *Decoder) bool { return d.Int32() == -2 }},
		{"Uint64", "01020304 05060708", func(e *Encoder) { e.Uint64(0x0102030405060708) }, func(d *Decoder) bool { return d.Uint64() == 0x0102030405060708 }},
		{"Int64", "ffffffff fffffffe", func(e *Encoder) { e.Int64(-2) }, func(d *Decoder) bool { return d.Int64() == -2 }},
		{"true", "00000001", func(e *Encoder) { e.Bool(true) }, func(d *Decoder) bool { return d.Bool() }},
		{"false", "00000000", func(e *Encoder) { e.Bool(false) }, func(d *Decoder) bool { return !d.Bool() }},
		{"Append", "01020304", func(e *Encoder) { e.Append([]byte{1, 2, 3, 4}) }, func(d *Decoder) bool { return d.Uint32() == 0x01020304 }},
		{"empty Opaque", "00000000", func(e *Encoder) { e.Opaque(nil) }, func(d *Decoder) bool { return len(d.Opaque(0)) == 0 }},
		{"empty Fixed", "", func(e *Encoder) { e.Fixed(nil) }, func(d *Decoder) bool { return len(d.Fixed(0)) == 0 }},
		{"Opaque of 1", "00000001 61000000", func(e *Encoder) { e.Opaque([]byte("a")) }, func(d *Decoder) bool { return string(d.Opaque(1)) == "a" }},
		{"Opaque of 2", "00000002 61620000", func(e *Encoder) { e.Opaque([]byte("ab")) }, func(d *Decoder) bool { return string(d.Opaque(9)) == "ab" }},
		{"Opaque of 3", "00000003 61626300", func(e *Encoder) { e.Opaque([]byte("abc")) }, func(d *Decoder) bool { return string(d.Opaque(3)) == "abc" }},
		{"Opaque of 4", "00000004 61626364", func(e *Encoder) { e.Opaque([]byte("abcd")) }, func(d *Decoder) bool { return string(d.Opaque(4)) == "abcd" }},
		{"String", "00000005 736f6d65 6e000000", func(e *Encoder) { e.String("somen") }, func(d *Decoder) bool { return d.String(5) == "somen" }},
		{"Fixed", "61626364 65000000", func(e *Encoder) { e.Fixed([]byte("abcde")) }, func(d *Decoder) bool { return string(d.Fixed(5)) == "abcde" }},
		{"Count", "00000002 00000000 00000000", func(e *Encoder) { e.Uint32(2); e.Uint64(0) }, func(d *Decoder) bool { return d.Count(2, 4) == 2 && d.Uint64() == 0 }},
	} {
		const before, after = 0xbefebefe, 0xafafafaf
		e := NewEncoder([]byte("xx"))
		e.Uint32(before)
		test.encode(e)
		e.Uint32(after)
		want := append(append([]byte("xx\xbe\xfe\xbe\xfe"), unhex(t, test.wire)...), 0xaf, 0xaf, 0xaf, 0xaf)
		if !bytes.Equal(e.Bytes(), want) || e.Len() != len(want) {
			t.Errorf("%s: %x, want %x", test.name, e.Bytes(), want)
			continue
		}
		message := want[2:]
		d := NewDecoder(message)
		if d.Uint32() != before || !test.decode(d) || d.Uint32() != after || d.Err() != nil {
			t.Errorf("%s: %x is not what was written: %v", test.name, message, d.Err())
		}
		if d.Remaining() != 0 || d.Offset() != len(message) || len(d.Rest()) != 0 {
			t.Errorf("%s: %d bytes read and %d left of %d", test.name, d.Offset(), d.Remaining(), len(message))
		}
		for n := 4; n < len(message)-4; n++ { // cut anywhere within
			d.Reset(message[:n:n])
			d.Uint32()
			if test.decode(d); !errors.Is(d.Err(), ErrXDR) {
				t.Errorf("%s: the first %d bytes of %x decode", test.name, n, message)
			}
		}
	}
}

// TestStickyError expects zero values after an error, and that nothing is read any more.
func TestStickyError(t *testing.T) {
	message := bytes.Repeat([]byte{0, 0, 0, 1}, 8)
	d := NewDecoder(message)
	d.Uint32()
	d.Fail()
	if got := d.Uint32(); got != 0 {
		t.Errorf("Uint32: %d", got)
	}
	if got := d.Int32(); got != 0 {
		t.Errorf("Int32: %d", got)
	}
	if got := d.Uint64(); got != 0 {
		t.Errorf("Uint64: %d", got)
	}
	if got := d.Int64(); got != 0 {
		t.Errorf("Int64: %d", got)
	}
	if d.Bool() {
		t.Error("Bool: true")
	}
	if got := d.Fixed(4); got != nil {
		t.Errorf("Fixed: %x", got)
	}
	if got := d.Opaque(4); got != nil {
		t.Errorf("Opaque: %x", got)
	}
	if got := d.String(4); got != "" {
		t.Errorf("String: %q", got)
	}
	if got := d.Count(4, 4); got != 0 {
		t.Errorf("Count: %d", got)
	}
	if d.Err() != ErrXDR || d.Offset() != 4 {
		t.Errorf("%v at %d", d.Err(), d.Offset())
	}
	d.Reset(message)
	if d.Err() != nil || d.Offset() != 0 || d.Uint64() != 1<<32+1 {
		t.Errorf("after Reset: %v at %d", d.Err(), d.Offset())
	}
}

// TestBounds decodes lengths at their bound, one beyond it, and as big as can be: the last two are errors, found without
// allocating what they name.
func TestBounds(t *testing.T) {
	opaque := func(limit int) func(*Decoder) int { return func(d *Decoder) int { return len(d.Opaque(limit)) } }
	count := func(limit, size int) func(*Decoder) int { return func(d *Decoder) int { return d.Count(limit, size) } }
	eight := strings.Repeat("61", 8)
	for _, test := range []struct {
		name, wire string
		decode     func(*Decoder) int
		want       int // -1: an error
	}{
		{"Opaque at its limit", "00000008" + eight, opaque(8), 8},
		{"Opaque beyond its limit", "00000008" + eight, opaque(7), -1},
		{"Opaque beyond the message", "00000009" + eight, opaque(math.MaxInt), -1},
		{"Opaque without its padding", "00000007" + eight[2:], opaque(8), -1},
		{"a giant Opaque", "ffffffff" + eight, opaque(math.MaxInt), -1},
		{"an Opaque with the sign bit", "80000000" + eight, opaque(math.MaxInt), -1},
		{"a giant String", "ffffffff" + eight, func(d *Decoder) int { return len(d.String(math.MaxInt)) }, -1},
		{"Fixed beyond the message", eight, func(d *Decoder) int { return len(d.Fixed(9)) }, -1},
		{"Fixed without its padding", eight[2:], func(d *Decoder) int { return len(d.Fixed(7)) }, -1},
		{"Count at its limit", "00000002" + eight, count(2, 4), 2},
		{"Count beyond its limit", "00000002" + eight, count(1, 4), -1},
		{"Count beyond the message", "00000003" + eight, count(100, 4), -1},
		{"Count of big elements", "00000002" + eight, count(100, 5), -1},
		{"a giant Count", "ffffffff" + eight, count(math.MaxInt, 4), -1},
		{"a Count of giant elements", "ffffffff" + eight, count(math.MaxInt, math.MaxUint32), -1},
		{"a bool that is 2", "00000002", func(d *Decoder) int { d.Bool(); return 0 }, -1},
		{"a bool with the sign bit", "80000001", func(d *Decoder) int { d.Bool(); return 0 }, -1},
	} {
		message := unhex(t, test.wire)
		d := NewDecoder(message)
		got := test.decode(d)
		if test.want < 0 && (got != 0 || d.Err() != ErrXDR) || test.want >= 0 && (got != test.want || d.Err() != nil) {
			t.Errorf("%s: %d, %v", test.name, got, d.Err())
		}
		if test.want >= 0 {
			continue
		}
		if allocated := testing.AllocsPerRun(10, func() { d.Reset(message); test.decode(d) }); allocated != 0 {
			t.Errorf("%s: %v allocations", test.name, allocated)
		}
	}
}

// TestPadding: what is written is padded with zeros (RFC 4506 section 4.10), also into a buffer that held something else;
// what is read may be padded with anything, as a reader has nothing to lose by it.
func TestPadding(t *testing.T) {
	dirty := bytes.Repeat([]byte{0xff}, 64)
	for n := range 9 {
		e := NewEncoder(dirty[:0])
		e.Fixed(bytes.Repeat([]byte{'a'}, n))
		want := append(bytes.Repeat([]byte{'a'}, n), make([]byte, -n&3)...)
		if !bytes.Equal(e.Bytes(), want) {
			t.Errorf("%d bytes: %x", n, e.Bytes())
		}
	}
	d := NewDecoder([]byte{0, 0, 0, 1, 'a', 0xff, 0xff, 0xff, 0, 0, 0, 9})
	if a, nine := d.Opaque(1), d.Uint32(); string(a) != "a" || nine != 9 || d.Err() != nil {
		t.Errorf("%q, %d, %v", a, nine, d.Err())
	}
}

// TestDecodedAliases: what Opaque and Fixed return is the message's own memory, and an append to it does not write on
// what follows; a String is a copy.
func TestDecodedAliases(t *testing.T) {
	message := []byte("\x00\x00\x00\x03abc\x00fixd\x00\x00\x00\x02hi\x00\x00")
	d := NewDecoder(message)
	opaque, fixed, s := d.Opaque(3), d.Fixed(4), d.String(2)
	if &opaque[0] != &message[4] || &fixed[0] != &message[8] {
		t.Error("bytes were copied")
	}
	_ = append(opaque, 'X')
	_ = append(fixed, "XXXX"...)
	if string(message) != "\x00\x00\x00\x03abc\x00fixd\x00\x00\x00\x02hi\x00\x00" {
		t.Errorf("the message became %q", message)
	}
	message[16] = 'H'
	if s != "hi" {
		t.Errorf("the string became %q", s)
	}
}

// TestEncoderInPlace writes where something is already.
func TestEncoderInPlace(t *testing.T) {
	e := NewEncoder(make([]byte, 0, 8))
	e.Uint32(0)
	copy(e.Extend(5), "hello")
	e.Pad(5)
	e.SetUint32(0, 5)
	want := "\x00\x00\x00\x05hello\x00\x00\x00"
	if string(e.Bytes()) != want {
		t.Errorf("%q, want %q", e.Bytes(), want)
	}
	if got := e.Extend(0); len(got) != 0 || e.Len() != len(want) {
		t.Errorf("Extend(0): %d bytes, %d in all", len(got), e.Len())
	}
	e.Truncate(6)
	e.String("x")
	if got := string(e.Bytes()); got != "\x00\x00\x00\x05he\x00\x00\x00\x01x\x00\x00\x00" {
		t.Errorf("after Truncate: %q", got)
	}
}

// TestEncoderGrow: where grow is set it is asked for room, for as much as is needed and only where there is none.
func TestEncoderGrow(t *testing.T) {
	for _, write := range []struct {
		name string
		n    int
		fn   func(*Encoder)
	}{
		{"Uint32", 4, func(e *Encoder) { e.Uint32(1) }},
		{"Uint64", 8, func(e *Encoder) { e.Uint64(1) }},
		{"Append", 5, func(e *Encoder) { e.Append([]byte("hello")) }},
		{"String", 4 + 5 + 3, func(e *Encoder) { e.String("hello") }},
		{"Opaque", 4 + 6 + 2, func(e *Encoder) { e.Opaque([]byte("hello!")) }},
		{"Extend", 3, func(e *Encoder) { copy(e.Extend(3), "abc") }},
	} {
		plain := NewEncoder(nil)
		plain.Append([]byte("before"))
		write.fn(plain)
		for room := range write.n + 1 {
			asked := 0
			e := Encoder{buf: make([]byte, 0, 6+room)}
			e.grow = func(buf []byte, n int) []byte {
				if cap(buf)-len(buf) >= n {
					t.Errorf("%s: asked for %d bytes where %d are", write.name, n, cap(buf)-len(buf))
				}
				asked++
				return append(make([]byte, 0, len(buf)+n), buf...)
			}
			e.Append([]byte("before"))
			write.fn(&e)
			if !bytes.Equal(e.Bytes(), plain.Bytes()) {
				t.Errorf("%s with %d bytes of room: %q, want %q", write.name, room, e.Bytes(), plain.Bytes())
			}
			if (asked > 0) != (room < write.n) {
				t.Errorf("%s with %d bytes of room: asked %d times", write.name, room, asked)
			}
		}
	}
}
