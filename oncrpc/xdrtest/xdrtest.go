// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package xdrtest tries the messages of a protocol in XDR: against bytes that were written out by hand, against
// themselves, cut short, and fuzzed. It is for tests.
package xdrtest

import (
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
)

// Message is what every part of a protocol can do.
type Message interface {
	Encode(*oncrpc.Encoder)
	Decode(*oncrpc.Decoder)
}

// Messages make the messages of a protocol that stand alone, by their names.
type Messages map[string]func() Message

// names are the keys in an order that stays.
func (m Messages) names() []string { return slices.Sorted(maps.Keys(m)) }

// Encode returns a message on the wire.
func Encode(m Message) []byte {
	e := oncrpc.NewEncoder(nil)
	m.Encode(e)
	return e.Bytes()
}

// Unhex reads bytes as tests write them: groups of hex digits and, after two spaces, what they are.
func Unhex(t testing.TB, lines string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(lines) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "  ")
		digits.WriteString(strings.ReplaceAll(line, " ", ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Golden compares a message with bytes that were written by hand, as Unhex reads them: it encodes the message, and
// decodes the bytes and encodes them again.
func Golden(t *testing.T, m Message, lines string) {
	t.Helper()
	kind := reflect.TypeOf(m).Elem()
	want := Unhex(t, lines)
	back := reflect.New(kind).Interface().(Message)
	d := oncrpc.NewDecoder(want)
	back.Decode(d)
	if d.Err() != nil || d.Remaining() != 0 {
		t.Errorf("%s: %v after %d bytes, %d left", kind.Name(), d.Err(), d.Offset(), d.Remaining())
		return
	}
	if got := Encode(m); string(got) != string(want) {
		t.Errorf("%s:\n got %x\nwant %x", kind.Name(), got, want)
	}
	if got := Encode(back); string(got) != string(want) {
		t.Errorf("%s decodes as %+v", kind.Name(), back)
	}
}

// Fill gives every exported field a random value; numbers are small, so that unions get arms that exist.
func Fill(rnd *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if sys, ok := v.Addr().Interface().(*oncrpc.SysCred); ok {
			sys.SetGIDs([]uint32{rnd.Uint32(), rnd.Uint32()}[:rnd.IntN(3)])
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				Fill(rnd, v.Field(i))
			}
		}
	case reflect.Pointer:
		if v.SetZero(); rnd.IntN(2) == 1 {
			v.Set(reflect.New(v.Type().Elem()))
			Fill(rnd, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rnd.IntN(2), 2))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), rnd.IntN(10), 10))
		}
		for i := range v.Len() {
			Fill(rnd, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			Fill(rnd, v.Index(i))
		}
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 1)
	case reflect.Int:
		v.SetInt(rnd.Int64N(9))
	case reflect.Int64:
		v.SetInt(rnd.Int64N(9) - 4)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(rnd.Uint64N(9))
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

// RoundTrip encodes random messages, decodes them, and expects the same bytes when they are encoded again.
func (m Messages) RoundTrip(t *testing.T) {
	for _, name := range m.names() {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			decoded := 0
			for range 500 {
				first := m[name]()
				Fill(rnd, reflect.ValueOf(first).Elem())
				wire := Encode(first)
				back := m[name]()
				d := oncrpc.NewDecoder(wire)
				back.Decode(d)
				if d.Err() != nil {
					continue // a union arm that does not exist
				}
				decoded++
				if d.Remaining() != 0 {
					t.Fatalf("%d bytes of %x are left after %+v", d.Remaining(), wire, back)
				}
				if again := Encode(back); string(again) != string(wire) {
					t.Fatalf("%+v\nwas      %x\nbecame   %+v\nencoded  %x", first, wire, back, again)
				}
			}
			if decoded < 25 {
				t.Errorf("%d of 500 messages decoded", decoded)
			}
		})
	}
}

// Truncated cuts random messages short: what is missing is an error, and never a panic.
func (m Messages) Truncated(t *testing.T) {
	for _, name := range m.names() {
		rnd := rand.New(rand.NewPCG(3, 4))
		first := m[name]()
		Fill(rnd, reflect.ValueOf(first).Elem())
		wire := Encode(first)
		for n := range wire {
			d := oncrpc.NewDecoder(wire[:n:n])
			m[name]().Decode(d)
			if d.Err() == nil {
				t.Errorf("%s: %d bytes of %d decode without error", name, n, len(wire))
			}
		}
	}
}

// Fuzz decodes any bytes as any message. Decoding must not panic and not allocate by what the bytes claim, and what it
// accepts must stay the same through encoding and decoding.
func (m Messages) Fuzz(f *testing.F) {
	names := m.names()
	rnd := rand.New(rand.NewPCG(5, 6))
	for kind, name := range names {
		for range 4 {
			first := m[name]()
			Fill(rnd, reflect.ValueOf(first).Elem())
			f.Add(uint8(kind), Encode(first))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, wire []byte) {
		name := names[int(kind)%len(names)]
		first := m[name]()
		d := oncrpc.NewDecoder(wire)
		if took, limit := allocated(func() { first.Decode(d) }), 32*len(wire)+64<<10; took > limit {
			t.Errorf("%s: decoding %d bytes allocated %d", name, len(wire), took)
		}
		if d.Err() != nil {
			return
		}
		again := Encode(first)
		second := m[name]()
		d.Reset(again)
		second.Decode(d)
		if d.Err() != nil || d.Remaining() != 0 {
			t.Fatalf("%s: %+v encodes as %x: %v, %d bytes left", name, first, again, d.Err(), d.Remaining())
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("%s: %+v became %+v", name, first, second)
		}
	})
}

// allocated returns how many bytes fn allocates.
func allocated(fn func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
