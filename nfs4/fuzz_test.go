// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/xdrtest"
)

// FuzzAttrs decodes any bytes as attributes.
func FuzzAttrs(f *testing.F) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 8 {
		var a Attrs
		xdrtest.Fill(rnd, reflect.ValueOf(&a).Elem())
		a.Mask = KnownAttrs
		fattr := a.Fattr()
		f.Add(xdrtest.Encode(&fattr))
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
