// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// CompoundArgs is what precedes the operations of a COMPOUND call (COMPOUND4args). Each operation follows as its Op and
// its XxxArgs.
type CompoundArgs struct {
	Tag          []byte
	MinorVersion uint32
	// Ops is the number of operations that follow, as the caller claims: the bytes may not be there.
	Ops int
}

// Encode writes the header.
func (a *CompoundArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.Tag)
	e.Uint32(a.MinorVersion)
	e.Uint32(uint32(a.Ops))
}

// Decode reads the header.
func (a *CompoundArgs) Decode(d *oncrpc.Decoder) {
	a.Tag = d.Opaque(maxTag)
	a.MinorVersion = d.Uint32()
	a.Ops = int(d.Uint32())
}

// CompoundRes is what precedes the results of a COMPOUND reply (COMPOUND4res). Each result follows as its ResOp and, as
// the status says, its XxxRes.
type CompoundRes struct {
	// Status is that of the last result.
	Status Status
	Tag    []byte
	// Ops is the number of results that follow, as the server claims.
	Ops int
}

// Encode writes the header. It returns where Status and Ops are, for Encoder.SetUint32: they are known at the end.
func (r *CompoundRes) Encode(e *oncrpc.Encoder) (statusAt, opsAt int) {
	statusAt = e.Len()
	e.Uint32(uint32(r.Status))
	e.Opaque(r.Tag)
	opsAt = e.Len()
	e.Uint32(uint32(r.Ops))
	return statusAt, opsAt
}

// Decode reads the header.
func (r *CompoundRes) Decode(d *oncrpc.Decoder) {
	r.Status = Status(d.Uint32())
	r.Tag = d.Opaque(maxTag)
	r.Ops = int(d.Uint32())
}

// ResOp is what precedes each result: of which operation it is, and its status (nfs_resop4).
type ResOp struct {
	Op     Op
	Status Status
}

// Encode writes the header.
func (r ResOp) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Op))
	e.Uint32(uint32(r.Status))
}

// Decode reads the header.
func (r *ResOp) Decode(d *oncrpc.Decoder) {
	r.Op = Op(d.Uint32())
	r.Status = Status(d.Uint32())
}
