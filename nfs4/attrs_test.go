// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/xdrtest"
)

// TestAttrsOneByOne encodes each attribute alone, and expects it, and nothing else, back.
func TestAttrsOneByOne(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for n := range KnownAttrs.All {
		var a, back Attrs
		xdrtest.Fill(rnd, reflect.ValueOf(&a).Elem())
		a.Mask = KnownAttrs
		e := oncrpc.NewEncoder(nil)
		a.Encode(e, AttrsOf(n))
		var f Fattr
		d := oncrpc.NewDecoder(e.Bytes())
		f.Decode(d)
		if _, status := back.Decode(&f); status != OK || d.Err() != nil || d.Remaining() != 0 {
			t.Fatalf("attribute %d: %v, %v, %d bytes left", n, status, d.Err(), d.Remaining())
		}
		if back.Mask != AttrsOf(n) {
			t.Errorf("attribute %d: mask %v", n, back.Mask)
		}
		if len(f.Vals) == 0 {
			t.Errorf("attribute %d has no value", n)
		}
		e.Truncate(0)
		back.Encode(e, KnownAttrs)
		again := Fattr{}
		again.Decode(oncrpc.NewDecoder(e.Bytes()))
		if string(again.Vals) != string(f.Vals) {
			t.Errorf("attribute %d: %x became %x", n, f.Vals, again.Vals)
		}
	}
}

func TestAttrsWanted(t *testing.T) {
	a := Attrs{Mask: AttrsOf(AttrType, AttrSize, AttrMode), Type: TypeReg, Size: 5, Mode: 0o640}
	e := oncrpc.NewEncoder(nil)
	a.Encode(e, AttrsOf(AttrSize, AttrMode, AttrOwner))
	want := xdrtest.Unhex(t, `
		00000002 00000010 00000002  bitmap: size, mode; owner was wanted and is not there
		0000000c                    attrlist of 12 bytes
		00000000 00000005 000001a0  size, mode`)
	if string(e.Bytes()) != string(want) {
		t.Errorf("got %x, want %x", e.Bytes(), want)
	}
}

func TestAttrsDecodeErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		fattr   Fattr
		unknown Bitmap
		status  Status
	}{
		{"unknown", Fattr{AttrsOf(AttrSize, AttrACL, AttrSecLabel), make([]byte, 100)}, AttrsOf(AttrACL, AttrSecLabel), ErrAttrNotSupp},
		{"beyond", Fattr{AttrsOf(Beyond), nil}, AttrsOf(Beyond), ErrAttrNotSupp},
		{"short", Fattr{AttrsOf(AttrSize), make([]byte, 4)}, Bitmap{}, ErrBadXDR},
		{"long", Fattr{AttrsOf(AttrSize), make([]byte, 12)}, Bitmap{}, ErrBadXDR},
		{"handle", Fattr{AttrsOf(AttrFilehandle), append([]byte{0, 0, 0, 132}, make([]byte, 132)...)}, Bitmap{}, ErrBadXDR},
	} {
		var a Attrs
		unknown, status := a.Decode(&test.fattr)
		if unknown != test.unknown || status != test.status {
			t.Errorf("%s: %v, %v", test.name, unknown, status)
		}
		if !reflect.DeepEqual(a, Attrs{}) {
			t.Errorf("%s: left %+v", test.name, a)
		}
	}
}

func TestOwner(t *testing.T) {
	for _, test := range []struct {
		wire string
		want Owner
	}{
		{"0", Owner{}},
		{"1000", Owner{ID: 1000}},
		{"4294967295", Owner{ID: 4294967295}},
		{"4294967296", Owner{Name: []byte("4294967296")}},
		{"99999999999", Owner{Name: []byte("99999999999")}},
		{"007", Owner{Name: []byte("007")}},
		{"-1", Owner{Name: []byte("-1")}},
		{"", Owner{Name: []byte{}}},
		{"jovyan@hub.example", Owner{Name: []byte("jovyan@hub.example")}},
	} {
		e := oncrpc.NewEncoder(nil)
		e.String(test.wire)
		var o Owner
		o.Decode(oncrpc.NewDecoder(e.Bytes()))
		if !reflect.DeepEqual(o, test.want) {
			t.Errorf("%q: %+v", test.wire, o)
		}
		if back := xdrtest.Encode(&o); string(back) != string(e.Bytes()) {
			t.Errorf("%q encodes as %x", test.wire, back)
		}
	}
}

func TestBitmap(t *testing.T) {
	b := AttrsOf(AttrXattrSupport, AttrType, AttrMode)
	if got := slices.Collect(b.All); !slices.Equal(got, []Attr{AttrType, AttrMode, AttrXattrSupport}) {
		t.Errorf("All: %v", got)
	}
	if !b.Has(AttrMode) || b.Has(AttrSize) || b.Has(1000) || b.HasOp(OpIllegal) {
		t.Error("Has")
	}
	var long Bitmap
	d := oncrpc.NewDecoder(xdrtest.Unhex(t, "00000005 00000002 00000000 00000000 00000000 00000001"))
	long.Decode(d)
	if want := AttrsOf(AttrType, Beyond); d.Err() != nil || long != want {
		t.Errorf("a longer bitmap: %v, %v", long, d.Err())
	}
	var zeros Bitmap
	zeros.Decode(oncrpc.NewDecoder(xdrtest.Unhex(t, "00000004 00000002 00000000 00000000 00000000")))
	if zeros != AttrsOf(AttrType) {
		t.Errorf("zeros beyond: %v", zeros)
	}
	var huge Bitmap
	d.Reset(append([]byte{0, 0, 1, 0}, make([]byte, 1024)...))
	if huge.Decode(d); d.Err() == nil {
		t.Error("a bitmap of 256 words decodes")
	}
}

func TestTime(t *testing.T) {
	for _, want := range []time.Time{time.Unix(0, 0), time.Unix(1700000000, 999999999), time.Unix(-1, 5)} {
		if got := TimeOf(want).Time(); !got.Equal(want) {
			t.Errorf("%v became %v", want, got)
		}
	}
}

// TestHotOperations expects no allocation where every request goes.
func TestHotOperations(t *testing.T) {
	wire := func(m xdrtest.Message) []byte { return xdrtest.Encode(m) }
	var (
		sequence = wire(&SequenceArgs{SequenceID: 5})
		putFH    = wire(&PutFHArgs{Object: make(Handle, 40)})
		getAttr  = wire(&GetAttrArgs{AttrRequest: AttrsOf(AttrSize, AttrMode)})
		lookup   = wire(&LookupArgs{ObjName: []byte("notebook.ipynb")})
		read     = wire(&ReadArgs{Count: 4096})
		write    = wire(&WriteArgs{Data: make([]byte, 4096)})
		d        oncrpc.Decoder
	)
	allocates(t, "decoding", func() {
		var args struct {
			SequenceArgs
			PutFHArgs
			GetAttrArgs
			LookupArgs
			ReadArgs
			WriteArgs
		}
		d.Reset(sequence)
		args.SequenceArgs.Decode(&d)
		d.Reset(putFH)
		args.PutFHArgs.Decode(&d)
		d.Reset(getAttr)
		args.GetAttrArgs.Decode(&d)
		d.Reset(lookup)
		args.LookupArgs.Decode(&d)
		d.Reset(read)
		args.ReadArgs.Decode(&d)
		d.Reset(write)
		args.WriteArgs.Decode(&d)
		if d.Err() != nil {
			t.Error(d.Err())
		}
	})

	e := oncrpc.NewEncoder(make([]byte, 0, 64<<10))
	attrs := Attrs{Mask: KnownAttrs, Owner: Owner{ID: 1000}, Filehandle: make(Handle, 40)}
	allocates(t, "encoding", func() {
		e.Truncate(0)
		(&SequenceRes{SequenceID: 5}).Encode(e)
		attrs.Encode(e, KnownAttrs)
		dir := BeginReadDir(e, Verifier{}, 32<<10)
		for dir.Add(3, "notebook.ipynb", &attrs, KnownAttrs) {
		}
		dir.End(false)
		r, data := BeginRead(e, 4096)
		r.End(len(data), true)
	})
}

func allocates(t *testing.T, what string, fn func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, fn); n != 0 {
		t.Errorf("%s takes %v allocations", what, n)
	}
}
