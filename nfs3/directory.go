// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import "github.com/hubhome/hubhome/oncrpc"

// HandleArgs is a handle alone: GETATTR3args, READLINK3args, FSSTAT3args, FSINFO3args, PATHCONF3args.
type HandleArgs struct{ Object Handle }

// Encode writes the arguments.
func (a *HandleArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.Object) }

// Decode reads the arguments.
func (a *HandleArgs) Decode(d *oncrpc.Decoder) { a.Object = d.Opaque(MaxHandle) }

// DirOpArgs is a name in a directory (diropargs3): LOOKUP3args, REMOVE3args, RMDIR3args.
type DirOpArgs struct {
	Dir  Handle
	Name []byte
}

// Encode writes the arguments.
func (a *DirOpArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.Dir)
	e.Opaque(a.Name)
}

// Decode reads the arguments.
func (a *DirOpArgs) Decode(d *oncrpc.Decoder) {
	a.Dir = d.Opaque(MaxHandle)
	a.Name = d.Opaque(maxName)
}

// GetAttrRes is GETATTR3res.
type GetAttrRes struct {
	Status Status
	Attr   Attr
}

// Encode writes the results.
func (r *GetAttrRes) Encode(e *oncrpc.Encoder) {
	if e.Uint32(uint32(r.Status)); r.Status == OK {
		r.Attr.Encode(e)
	}
}

// Decode reads the results.
func (r *GetAttrRes) Decode(d *oncrpc.Decoder) {
	*r = GetAttrRes{Status: Status(d.Uint32())}
	if r.Status == OK {
		r.Attr.Decode(d)
	}
}

// SetAttrArgs is SETATTR3args.
type SetAttrArgs struct {
	Object Handle
	Attr   SetAttr
	// Guard, where set, is the ctime without which nothing is changed (sattrguard3).
	Guard *Time
}

// Encode writes the arguments.
func (a *SetAttrArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.Object)
	a.Attr.Encode(e)
	if e.Bool(a.Guard != nil); a.Guard != nil {
		a.Guard.Encode(e)
	}
}

// Decode reads the arguments.
func (a *SetAttrArgs) Decode(d *oncrpc.Decoder) {
	*a = SetAttrArgs{Object: d.Opaque(MaxHandle)}
	a.Attr.Decode(d)
	if d.Bool() {
		a.Guard = new(Time)
		a.Guard.Decode(d)
	}
}

// WccRes is the attributes of what was, or was not, changed: SETATTR3res, REMOVE3res, RMDIR3res.
type WccRes struct {
	Status Status
	Wcc    WccData
}

// Encode writes the results.
func (r *WccRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	r.Wcc.Encode(e)
}

// Decode reads the results.
func (r *WccRes) Decode(d *oncrpc.Decoder) {
	r.Status = Status(d.Uint32())
	r.Wcc.Decode(d)
}

// LookupRes is LOOKUP3res.
type LookupRes struct {
	Status Status
	Object Handle
	Attr   PostOpAttr
	Dir    PostOpAttr
}

// Encode writes the results.
func (r *LookupRes) Encode(e *oncrpc.Encoder) {
	if e.Uint32(uint32(r.Status)); r.Status == OK {
		e.Opaque(r.Object)
		r.Attr.Encode(e)
	}
	r.Dir.Encode(e)
}

// Decode reads the results.
func (r *LookupRes) Decode(d *oncrpc.Decoder) {
	*r = LookupRes{Status: Status(d.Uint32())}
	if r.Status == OK {
		r.Object = d.Opaque(MaxHandle)
		r.Attr.Decode(d)
	}
	r.Dir.Decode(d)
}

// Access is what a caller wants to do, or may, to a file (RFC 1813 section 3.3.4).
type Access uint32

// The bits of Access.
const (
	AccessRead    Access = 0x01
	AccessLookup  Access = 0x02
	AccessModify  Access = 0x04
	AccessExtend  Access = 0x08
	AccessDelete  Access = 0x10
	AccessExecute Access = 0x20
)

// AccessArgs is ACCESS3args.
type AccessArgs struct {
	Object Handle
	Access Access
}

// Encode writes the arguments.
func (a *AccessArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.Object)
	e.Uint32(uint32(a.Access))
}

// Decode reads the arguments.
func (a *AccessArgs) Decode(d *oncrpc.Decoder) {
	a.Object = d.Opaque(MaxHandle)
	a.Access = Access(d.Uint32())
}

// AccessRes is ACCESS3res.
type AccessRes struct {
	Status Status
	Attr   PostOpAttr
	Access Access
}

// Encode writes the results.
func (r *AccessRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	if r.Attr.Encode(e); r.Status == OK {
		e.Uint32(uint32(r.Access))
	}
}

// Decode reads the results.
func (r *AccessRes) Decode(d *oncrpc.Decoder) {
	*r = AccessRes{Status: Status(d.Uint32())}
	r.Attr.Decode(d)
	if r.Status == OK {
		r.Access = Access(d.Uint32())
	}
}

// ReadLinkRes is READLINK3res.
type ReadLinkRes struct {
	Status Status
	Attr   PostOpAttr
	Data   []byte
}

// Encode writes the results.
func (r *ReadLinkRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	if r.Attr.Encode(e); r.Status == OK {
		e.Opaque(r.Data)
	}
}

// Decode reads the results.
func (r *ReadLinkRes) Decode(d *oncrpc.Decoder) {
	*r = ReadLinkRes{Status: Status(d.Uint32())}
	r.Attr.Decode(d)
	if r.Status == OK {
		r.Data = d.Opaque(maxPath)
	}
}

// RenameArgs is RENAME3args.
type RenameArgs struct{ From, To DirOpArgs }

// Encode writes the arguments.
func (a *RenameArgs) Encode(e *oncrpc.Encoder) {
	a.From.Encode(e)
	a.To.Encode(e)
}

// Decode reads the arguments.
func (a *RenameArgs) Decode(d *oncrpc.Decoder) {
	a.From.Decode(d)
	a.To.Decode(d)
}

// RenameRes is RENAME3res.
type RenameRes struct {
	Status         Status
	FromWcc, ToWcc WccData
}

// Encode writes the results.
func (r *RenameRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	r.FromWcc.Encode(e)
	r.ToWcc.Encode(e)
}

// Decode reads the results.
func (r *RenameRes) Decode(d *oncrpc.Decoder) {
	r.Status = Status(d.Uint32())
	r.FromWcc.Decode(d)
	r.ToWcc.Decode(d)
}

// LinkArgs is LINK3args.
type LinkArgs struct {
	File Handle
	Link DirOpArgs
}

// Encode writes the arguments.
func (a *LinkArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.File)
	a.Link.Encode(e)
}

// Decode reads the arguments.
func (a *LinkArgs) Decode(d *oncrpc.Decoder) {
	a.File = d.Opaque(MaxHandle)
	a.Link.Decode(d)
}

// LinkRes is LINK3res.
type LinkRes struct {
	Status Status
	Attr   PostOpAttr
	DirWcc WccData
}

// Encode writes the results.
func (r *LinkRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	r.Attr.Encode(e)
	r.DirWcc.Encode(e)
}

// Decode reads the results.
func (r *LinkRes) Decode(d *oncrpc.Decoder) {
	r.Status = Status(d.Uint32())
	r.Attr.Decode(d)
	r.DirWcc.Decode(d)
}
