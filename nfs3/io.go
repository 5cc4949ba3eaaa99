// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import "github.com/hubhome/hubhome/oncrpc"

// RangeArgs is a range of a file: READ3args and COMMIT3args. COMMIT takes Count 0 for all to the end.
type RangeArgs struct {
	File   Handle
	Offset uint64
	Count  uint32
}

// Encode writes the arguments.
func (a *RangeArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.File)
	e.Uint64(a.Offset)
	e.Uint32(a.Count)
}

// Decode reads the arguments.
func (a *RangeArgs) Decode(d *oncrpc.Decoder) {
	a.File = d.Opaque(MaxHandle)
	a.Offset = d.Uint64()
	a.Count = d.Uint32()
}

// ReadRes is READ3res.
type ReadRes struct {
	Status Status
	Attr   PostOpAttr
	// Count is how many bytes were read: as many as Data has.
	Count uint32
	EOF   bool
	Data  []byte
}

// Encode writes the results.
func (r *ReadRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	if r.Attr.Encode(e); r.Status == OK {
		e.Uint32(r.Count)
		e.Bool(r.EOF)
		e.Opaque(r.Data)
	}
}

// Decode reads the results.
func (r *ReadRes) Decode(d *oncrpc.Decoder) {
	*r = ReadRes{Status: Status(d.Uint32())}
	r.Attr.Decode(d)
	if r.Status == OK {
		r.Count = d.Uint32()
		r.EOF = d.Bool()
		r.Data = d.Opaque(maxPayload)
	}
}

// StableHow is how safe written data is (stable_how).
type StableHow uint32

// The stabilities, weakest first.
const (
	Unstable StableHow = 0
	DataSync StableHow = 1
	FileSync StableHow = 2
)

// WriteArgs is WRITE3args.
type WriteArgs struct {
	File   Handle
	Offset uint64
	// Count is how many bytes to write: as many as Data has.
	Count  uint32
	Stable StableHow
	Data   []byte
}

// Encode writes the arguments.
func (a *WriteArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.File)
	e.Uint64(a.Offset)
	e.Uint32(a.Count)
	e.Uint32(uint32(a.Stable))
	e.Opaque(a.Data)
}

// Decode reads the arguments.
func (a *WriteArgs) Decode(d *oncrpc.Decoder) {
	a.File = d.Opaque(MaxHandle)
	a.Offset = d.Uint64()
	a.Count = d.Uint32()
	a.Stable = StableHow(d.Uint32())
	a.Data = d.Opaque(maxPayload)
}

// WriteRes is WRITE3res.
type WriteRes struct {
	Status    Status
	Wcc       WccData
	Count     uint32
	Committed StableHow
	Verf      Verifier
}

// Encode writes the results.
func (r *WriteRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	if r.Wcc.Encode(e); r.Status == OK {
		e.Uint32(r.Count)
		e.Uint32(uint32(r.Committed))
		e.Fixed(r.Verf[:])
	}
}

// Decode reads the results.
func (r *WriteRes) Decode(d *oncrpc.Decoder) {
	*r = WriteRes{Status: Status(d.Uint32())}
	r.Wcc.Decode(d)
	if r.Status == OK {
		r.Count = d.Uint32()
		r.Committed = StableHow(d.Uint32())
		r.Verf = decodeVerifier(d)
	}
}

// CommitRes is COMMIT3res.
type CommitRes struct {
	Status Status
	Wcc    WccData
	Verf   Verifier
}

// Encode writes the results.
func (r *CommitRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	if r.Wcc.Encode(e); r.Status == OK {
		e.Fixed(r.Verf[:])
	}
}

// Decode reads the results.
func (r *CommitRes) Decode(d *oncrpc.Decoder) {
	*r = CommitRes{Status: Status(d.Uint32())}
	r.Wcc.Decode(d)
	if r.Status == OK {
		r.Verf = decodeVerifier(d)
	}
}
