// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
)

// FuzzDecode decodes any bytes as any message. Decoding must not panic and not allocate by what the bytes claim, and
// what it accepts must stay the same through encoding and decoding.
func FuzzDecode(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for kind, name := range messageNames {
		for range 4 {
			m := messages[name]()
			fill(rnd, reflect.ValueOf(m).Elem())
			f.Add(uint8(kind), encode(m))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, wire []byte) {
		name := messageNames[int(kind)%len(messageNames)]
		first := messages[name]()
		d := oncrpc.NewDecoder(wire)
		if took, limit := allocated(func() { first.Decode(d) }), 32*len(wire)+64<<10; took > limit {
			t.Errorf("%s: decoding %d bytes allocated %d", name, len(wire), took)
		}
		if d.Err() != nil {
			return
		}
		again := encode(first)
		second := messages[name]()
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

// FuzzAttrs decodes any bytes as attributes.
func FuzzAttrs(f *testing.F) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 8 {
		var a Attrs
		fill(rnd, reflect.ValueOf(&a).Elem())
		a.Mask = KnownAttrs
		fattr := a.Fattr()
		f.Add(encode(&fattr))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var fattr Fattr
		fattr.Decode(oncrpc.NewDecoder(wire))
		var first, second Attrs
		unknown, status := first.Decode(&fattr)
		switch {
		case status == ErrAttrNotSupp && !unknown.Empty() && unknown.And(KnownAttrs).Empty():
			return
		case status == ErrBadXDR && unknown.Empty():
			return
		case status != OK:
			t.Fatalf("%v, %v", unknown, status)
		}
		again := first.Fattr()
		if _, status := second.Decode(&again); status != OK || !reflect.DeepEqual(first, second) {
			t.Fatalf("%+v became %+v: %v", first, second, status)
		}
	})
}
