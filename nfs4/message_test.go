// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
)

// message is what every part of a COMPOUND can do.
type message interface {
	Encode(*oncrpc.Encoder)
	Decode(*oncrpc.Decoder)
}

// messages are all the types that stand alone in a COMPOUND.
var messages = map[string]func() message{
	"CompoundRes":           func() message { return new(compoundRes) },
	"AccessArgs":            func() message { return new(AccessArgs) },
	"AccessRes":             func() message { return new(AccessRes) },
	"AllocateArgs":          func() message { return new(AllocateArgs) },
	"BackchannelCtlArgs":    func() message { return new(BackchannelCtlArgs) },
	"BindConnToSessionArgs": func() message { return new(BindConnToSessionArgs) },
	"BindConnToSessionRes":  func() message { return new(BindConnToSessionRes) },
	"CloneArgs":             func() message { return new(CloneArgs) },
	"CloseArgs":             func() message { return new(CloseArgs) },
	"CloseRes":              func() message { return new(CloseRes) },
	"CommitArgs":            func() message { return new(CommitArgs) },
	"CommitRes":             func() message { return new(CommitRes) },
	"CompoundArgs":          func() message { return new(CompoundArgs) },
	"CopyArgs":              func() message { return new(CopyArgs) },
	"CopyNotifyArgs":        func() message { return new(CopyNotifyArgs) },
	"CopyRequirements":      func() message { return new(CopyRequirements) },
	"CopyRes":               func() message { return new(CopyRes) },
	"CreateArgs":            func() message { return new(CreateArgs) },
	"CreateRes":             func() message { return new(CreateRes) },
	"CreateSessionArgs":     func() message { return new(CreateSessionArgs) },
	"CreateSessionRes":      func() message { return new(CreateSessionRes) },
	"DeallocateArgs":        func() message { return new(DeallocateArgs) },
	"DelegPurgeArgs":        func() message { return new(DelegPurgeArgs) },
	"DelegReturnArgs":       func() message { return new(DelegReturnArgs) },
	"DestroyClientIDArgs":   func() message { return new(DestroyClientIDArgs) },
	"DestroySessionArgs":    func() message { return new(DestroySessionArgs) },
	"ExchangeIDArgs":        func() message { return new(ExchangeIDArgs) },
	"ExchangeIDRes":         func() message { return new(ExchangeIDRes) },
	"FreeStateidArgs":       func() message { return new(FreeStateidArgs) },
	"GetAttrArgs":           func() message { return new(GetAttrArgs) },
	"GetAttrRes":            func() message { return new(GetAttrRes) },
	"GetDirDelegationArgs":  func() message { return new(GetDirDelegationArgs) },
	"GetFHRes":              func() message { return new(GetFHRes) },
	"GetXattrArgs":          func() message { return new(GetXattrArgs) },
	"GetXattrRes":           func() message { return new(GetXattrRes) },
	"IOAdviseArgs":          func() message { return new(IOAdviseArgs) },
	"IOAdviseRes":           func() message { return new(IOAdviseRes) },
	"LinkArgs":              func() message { return new(LinkArgs) },
	"LinkRes":               func() message { return new(LinkRes) },
	"ListXattrsArgs":        func() message { return new(ListXattrsArgs) },
	"ListXattrsRes":         func() message { return new(ListXattrsRes) },
	"LockArgs":              func() message { return new(LockArgs) },
	"LockDenied":            func() message { return new(LockDenied) },
	"LockRes":               func() message { return new(LockRes) },
	"LockTArgs":             func() message { return new(LockTArgs) },
	"LockUArgs":             func() message { return new(LockUArgs) },
	"LockURes":              func() message { return new(LockURes) },
	"LookupArgs":            func() message { return new(LookupArgs) },
	"OffloadCancelArgs":     func() message { return new(OffloadCancelArgs) },
	"OffloadStatusArgs":     func() message { return new(OffloadStatusArgs) },
	"OffloadStatusRes":      func() message { return new(OffloadStatusRes) },
	"OpenArgs":              func() message { return new(OpenArgs) },
	"OpenAttrArgs":          func() message { return new(OpenAttrArgs) },
	"OpenDowngradeArgs":     func() message { return new(OpenDowngradeArgs) },
	"OpenDowngradeRes":      func() message { return new(OpenDowngradeRes) },
	"OpenRes":               func() message { return new(OpenRes) },
	"PutFHArgs":             func() message { return new(PutFHArgs) },
	"ReadArgs":              func() message { return new(ReadArgs) },
	"ReadDirArgs":           func() message { return new(ReadDirArgs) },
	"ReadDirRes":            func() message { return new(ReadDirRes) },
	"ReadLinkRes":           func() message { return new(ReadLinkRes) },
	"ReadPlusArgs":          func() message { return new(ReadPlusArgs) },
	"ReadPlusRes":           func() message { return new(ReadPlusRes) },
	"ReadRes":               func() message { return new(ReadRes) },
	"ReclaimCompleteArgs":   func() message { return new(ReclaimCompleteArgs) },
	"RemoveArgs":            func() message { return new(RemoveArgs) },
	"RemoveRes":             func() message { return new(RemoveRes) },
	"RemoveXattrArgs":       func() message { return new(RemoveXattrArgs) },
	"RemoveXattrRes":        func() message { return new(RemoveXattrRes) },
	"RenameArgs":            func() message { return new(RenameArgs) },
	"RenameRes":             func() message { return new(RenameRes) },
	"ResOp":                 func() message { return new(ResOp) },
	"SecInfoArgs":           func() message { return new(SecInfoArgs) },
	"SecInfoNoNameArgs":     func() message { return new(SecInfoNoNameArgs) },
	"SecInfoRes":            func() message { return new(SecInfoRes) },
	"SeekArgs":              func() message { return new(SeekArgs) },
	"SeekRes":               func() message { return new(SeekRes) },
	"SequenceArgs":          func() message { return new(SequenceArgs) },
	"SequenceRes":           func() message { return new(SequenceRes) },
	"SetAttrArgs":           func() message { return new(SetAttrArgs) },
	"SetAttrRes":            func() message { return new(SetAttrRes) },
	"SetXattrArgs":          func() message { return new(SetXattrArgs) },
	"SetXattrRes":           func() message { return new(SetXattrRes) },
	"TestStateidArgs":       func() message { return new(TestStateidArgs) },
	"TestStateidRes":        func() message { return new(TestStateidRes) },
	"VerifyArgs":            func() message { return new(VerifyArgs) },
	"WantDelegationArgs":    func() message { return new(WantDelegationArgs) },
	"WriteArgs":             func() message { return new(WriteArgs) },
	"WriteRes":              func() message { return new(WriteRes) },
}

// messageNames are the keys of messages in an order that stays.
var messageNames = slices.Sorted(maps.Keys(messages))

// compoundRes drops what CompoundRes.Encode returns.
type compoundRes struct{ CompoundRes }

func (r *compoundRes) Encode(e *oncrpc.Encoder) { r.CompoundRes.Encode(e) }

func encode(m message) []byte {
	e := oncrpc.NewEncoder(nil)
	m.Encode(e)
	return e.Bytes()
}

// fill gives every exported field a random value; numbers are small, so that unions get arms that exist.
func fill(rnd *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if sys, ok := v.Addr().Interface().(*oncrpc.SysCred); ok {
			sys.SetGIDs([]uint32{rnd.Uint32(), rnd.Uint32()}[:rnd.IntN(3)])
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(rnd, v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rnd.IntN(2), 2))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), rnd.IntN(10), 10))
		}
		for i := range v.Len() {
			fill(rnd, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(rnd, v.Index(i))
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

// TestRoundTrip encodes random messages, decodes them, and expects the same bytes when they are encoded again.
func TestRoundTrip(t *testing.T) {
	for _, name := range messageNames {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			decoded := 0
			for range 500 {
				m := messages[name]()
				fill(rnd, reflect.ValueOf(m).Elem())
				wire := encode(m)
				back := messages[name]()
				d := oncrpc.NewDecoder(wire)
				back.Decode(d)
				if d.Err() != nil {
					continue // a union arm that does not exist
				}
				decoded++
				if d.Remaining() != 0 {
					t.Fatalf("%d bytes of %x are left after %+v", d.Remaining(), wire, back)
				}
				if again := encode(back); string(again) != string(wire) {
					t.Fatalf("%+v\nwas      %x\nbecame   %+v\nencoded  %x", m, wire, back, again)
				}
			}
			if decoded < 50 {
				t.Errorf("%d of 500 messages decoded", decoded)
			}
		})
	}
}

// TestTruncated cuts random messages short: what is missing is an error, and never a panic.
func TestTruncated(t *testing.T) {
	for _, name := range messageNames {
		rnd := rand.New(rand.NewPCG(3, 4))
		m := messages[name]()
		fill(rnd, reflect.ValueOf(m).Elem())
		wire := encode(m)
		for n := range wire {
			d := oncrpc.NewDecoder(wire[:n:n])
			messages[name]().Decode(d)
			if d.Err() == nil {
				t.Errorf("%s: %d bytes of %d decode without error", name, n, len(wire))
			}
		}
	}
}
