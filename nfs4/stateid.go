// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"math"

	"github.com/hubhome/hubhome/oncrpc"
)

// Stateid names what a client holds of a file: an open, its locks, a delegation (stateid4, RFC 8881 section 8.2).
type Stateid struct {
	// Seqid counts the changes of the state. Zero from a client: the latest (RFC 8881 section 8.2.2).
	Seqid uint32
	Other [12]byte
}

// allOnes is the Other of the READ bypass stateid.
var allOnes = [12]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// The special stateids (RFC 8881 section 8.2.3).
var (
	AnonymousStateid  = Stateid{}
	ReadBypassStateid = Stateid{Seqid: math.MaxUint32, Other: allOnes}
	CurrentStateid    = Stateid{Seqid: 1}
	InvalidStateid    = Stateid{Seqid: math.MaxUint32}
)

// Reserved tells whether Other is all zeros or all ones: no server issues such a stateid, and one that is not among the
// special ones is NFS4ERR_BAD_STATEID.
func (s Stateid) Reserved() bool { return s.Other == [12]byte{} || s.Other == allOnes }

// Encode writes the stateid.
func (s Stateid) Encode(e *oncrpc.Encoder) {
	e.Uint32(s.Seqid)
	e.Fixed(s.Other[:])
}

// Decode reads the stateid.
func (s *Stateid) Decode(d *oncrpc.Decoder) {
	s.Seqid = d.Uint32()
	copy(s.Other[:], d.Fixed(len(s.Other)))
}

// StateOwner is who holds opens or locks at a client (state_owner4). In a session the server takes the client from the
// session and ignores ClientID (RFC 8881 section 18.16.3).
type StateOwner struct {
	ClientID ClientID
	Owner    []byte
}

// Encode writes the owner.
func (o *StateOwner) Encode(e *oncrpc.Encoder) {
	e.Uint64(uint64(o.ClientID))
	e.Opaque(o.Owner)
}

// Decode reads the owner.
func (o *StateOwner) Decode(d *oncrpc.Decoder) {
	o.ClientID = ClientID(d.Uint64())
	o.Owner = d.Opaque(MaxOpaque)
}

// FreeStateidArgs is FREE_STATEID4args.
type FreeStateidArgs struct{ Stateid Stateid }

// Encode writes the arguments.
func (a *FreeStateidArgs) Encode(e *oncrpc.Encoder) { a.Stateid.Encode(e) }

// Decode reads the arguments.
func (a *FreeStateidArgs) Decode(d *oncrpc.Decoder) { a.Stateid.Decode(d) }

// TestStateidArgs is TEST_STATEID4args.
type TestStateidArgs struct{ Stateids []Stateid }

// Encode writes the arguments.
func (a *TestStateidArgs) Encode(e *oncrpc.Encoder) { encodeArray(e, a.Stateids) }

// Decode reads the arguments.
func (a *TestStateidArgs) Decode(d *oncrpc.Decoder) {
	a.Stateids = decodeArray[Stateid](d, maxElements, 16)
}

// TestStateidRes is TEST_STATEID4resok: one status for each stateid that was asked for.
type TestStateidRes struct{ StatusCodes []Status }

// Encode writes the results.
func (r *TestStateidRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(len(r.StatusCodes)))
	for _, s := range r.StatusCodes {
		e.Uint32(uint32(s))
	}
}

// Decode reads the results.
func (r *TestStateidRes) Decode(d *oncrpc.Decoder) {
	r.StatusCodes = make([]Status, d.Count(maxElements, 4))
	for i := range r.StatusCodes {
		r.StatusCodes[i] = Status(d.Uint32())
	}
}
