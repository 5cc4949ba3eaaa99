// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import "github.com/hubhome/hubhome/oncrpc"

// CreateMode is createmode3.
type CreateMode uint32

// The modes of CREATE.
const (
	CreateUnchecked CreateMode = 0
	CreateGuarded   CreateMode = 1
	CreateExclusive CreateMode = 2
)

// CreateArgs is CREATE3args.
type CreateArgs struct {
	Where DirOpArgs
	Mode  CreateMode
	// Attr goes with CreateUnchecked and CreateGuarded.
	Attr SetAttr
	// Verf goes with CreateExclusive.
	Verf Verifier
}

// Encode writes the arguments.
func (a *CreateArgs) Encode(e *oncrpc.Encoder) {
	a.Where.Encode(e)
	e.Uint32(uint32(a.Mode))
	if a.Mode == CreateExclusive {
		e.Fixed(a.Verf[:])
	} else {
		a.Attr.Encode(e)
	}
}

// Decode reads the arguments.
func (a *CreateArgs) Decode(d *oncrpc.Decoder) {
	*a = CreateArgs{}
	a.Where.Decode(d)
	a.Mode = CreateMode(d.Uint32())
	switch a.Mode {
	case CreateUnchecked, CreateGuarded:
		a.Attr.Decode(d)
	case CreateExclusive:
		a.Verf = decodeVerifier(d)
	default:
		d.Fail()
	}
}

// MkdirArgs is MKDIR3args.
type MkdirArgs struct {
	Where DirOpArgs
	Attr  SetAttr
}

// Encode writes the arguments.
func (a *MkdirArgs) Encode(e *oncrpc.Encoder) {
	a.Where.Encode(e)
	a.Attr.Encode(e)
}

// Decode reads the arguments.
func (a *MkdirArgs) Decode(d *oncrpc.Decoder) {
	a.Where.Decode(d)
	a.Attr.Decode(d)
}

// SymlinkArgs is SYMLINK3args.
type SymlinkArgs struct {
	Where DirOpArgs
	Attr  SetAttr
	Data  []byte
}

// Encode writes the arguments.
func (a *SymlinkArgs) Encode(e *oncrpc.Encoder) {
	a.Where.Encode(e)
	a.Attr.Encode(e)
	e.Opaque(a.Data)
}

// Decode reads the arguments.
func (a *SymlinkArgs) Decode(d *oncrpc.Decoder) {
	a.Where.Decode(d)
	a.Attr.Decode(d)
	a.Data = d.Opaque(maxPath)
}

// MknodArgs is MKNOD3args. Attr goes with devices, sockets and FIFOs, Spec with devices; other types have neither.
type MknodArgs struct {
	Where DirOpArgs
	Type  FileType
	Attr  SetAttr
	Spec  SpecData
}

// Encode writes the arguments.
func (a *MknodArgs) Encode(e *oncrpc.Encoder) {
	a.Where.Encode(e)
	e.Uint32(uint32(a.Type))
	switch a.Type {
	case TypeChr, TypeBlk:
		a.Attr.Encode(e)
		a.Spec.Encode(e)
	case TypeSock, TypeFIFO:
		a.Attr.Encode(e)
	}
}

// Decode reads the arguments.
func (a *MknodArgs) Decode(d *oncrpc.Decoder) {
	*a = MknodArgs{}
	a.Where.Decode(d)
	a.Type = FileType(d.Uint32())
	switch a.Type {
	case TypeChr, TypeBlk:
		a.Attr.Decode(d)
		a.Spec.Decode(d)
	case TypeSock, TypeFIFO:
		a.Attr.Decode(d)
	}
}

// MakeRes is what was made: CREATE3res, MKDIR3res, SYMLINK3res, MKNOD3res.
type MakeRes struct {
	Status Status
	// Object is nil where the server does not say it (post_op_fh3).
	Object Handle
	Attr   PostOpAttr
	DirWcc WccData
}

// Encode writes the results.
func (r *MakeRes) Encode(e *oncrpc.Encoder) {
	if e.Uint32(uint32(r.Status)); r.Status == OK {
		encodePostOpHandle(e, r.Object)
		r.Attr.Encode(e)
	}
	r.DirWcc.Encode(e)
}

// Decode reads the results.
func (r *MakeRes) Decode(d *oncrpc.Decoder) {
	*r = MakeRes{Status: Status(d.Uint32())}
	if r.Status == OK {
		r.Object = decodePostOpHandle(d)
		r.Attr.Decode(d)
	}
	r.DirWcc.Decode(d)
}

// encodePostOpHandle writes a post_op_fh3.
func encodePostOpHandle(e *oncrpc.Encoder, h Handle) {
	if e.Bool(h != nil); h != nil {
		e.Opaque(h)
	}
}

// decodePostOpHandle reads a post_op_fh3: nil where there is none.
func decodePostOpHandle(d *oncrpc.Decoder) Handle {
	if !d.Bool() {
		return nil
	}
	return d.Opaque(MaxHandle)
}
