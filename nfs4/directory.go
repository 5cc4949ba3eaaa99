// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// LookupArgs is LOOKUP4args.
type LookupArgs struct{ ObjName []byte }

// Encode writes the arguments.
func (a *LookupArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.ObjName) }

// Decode reads the arguments.
func (a *LookupArgs) Decode(d *oncrpc.Decoder) { a.ObjName = d.Opaque(maxName) }

// LinkArgs is LINK4args.
type LinkArgs struct{ NewName []byte }

// Encode writes the arguments.
func (a *LinkArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.NewName) }

// Decode reads the arguments.
func (a *LinkArgs) Decode(d *oncrpc.Decoder) { a.NewName = d.Opaque(maxName) }

// LinkRes is LINK4resok.
type LinkRes struct{ CInfo ChangeInfo }

// Encode writes the results.
func (r *LinkRes) Encode(e *oncrpc.Encoder) { r.CInfo.Encode(e) }

// Decode reads the results.
func (r *LinkRes) Decode(d *oncrpc.Decoder) { r.CInfo.Decode(d) }

// RemoveArgs is REMOVE4args.
type RemoveArgs struct{ Target []byte }

// Encode writes the arguments.
func (a *RemoveArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.Target) }

// Decode reads the arguments.
func (a *RemoveArgs) Decode(d *oncrpc.Decoder) { a.Target = d.Opaque(maxName) }

// RemoveRes is REMOVE4resok.
type RemoveRes struct{ CInfo ChangeInfo }

// Encode writes the results.
func (r *RemoveRes) Encode(e *oncrpc.Encoder) { r.CInfo.Encode(e) }

// Decode reads the results.
func (r *RemoveRes) Decode(d *oncrpc.Decoder) { r.CInfo.Decode(d) }

// RenameArgs is RENAME4args.
type RenameArgs struct {
	OldName []byte
	NewName []byte
}

// Encode writes the arguments.
func (a *RenameArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.OldName)
	e.Opaque(a.NewName)
}

// Decode reads the arguments.
func (a *RenameArgs) Decode(d *oncrpc.Decoder) {
	a.OldName = d.Opaque(maxName)
	a.NewName = d.Opaque(maxName)
}

// RenameRes is RENAME4resok.
type RenameRes struct {
	SourceCInfo ChangeInfo
	TargetCInfo ChangeInfo
}

// Encode writes the results.
func (r *RenameRes) Encode(e *oncrpc.Encoder) {
	r.SourceCInfo.Encode(e)
	r.TargetCInfo.Encode(e)
}

// Decode reads the results.
func (r *RenameRes) Decode(d *oncrpc.Decoder) {
	r.SourceCInfo.Decode(d)
	r.TargetCInfo.Decode(d)
}

// ReadLinkRes is READLINK4resok.
type ReadLinkRes struct{ Link []byte }

// Encode writes the results.
func (r *ReadLinkRes) Encode(e *oncrpc.Encoder) { e.Opaque(r.Link) }

// Decode reads the results.
func (r *ReadLinkRes) Decode(d *oncrpc.Decoder) { r.Link = d.Opaque(maxLink) }

// CreateArgs is CREATE4args. A type that CREATE cannot make decodes as one without more data (NFS4ERR_BADTYPE).
type CreateArgs struct {
	Type FileType
	// LinkData counts with TypeLnk, DevData with TypeBlk and TypeChr.
	LinkData []byte
	DevData  SpecData

	ObjName     []byte
	CreateAttrs Fattr
}

// Encode writes the arguments.
func (a *CreateArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.Type))
	switch a.Type {
	case TypeLnk:
		e.Opaque(a.LinkData)
	case TypeBlk, TypeChr:
		a.DevData.Encode(e)
	}
	e.Opaque(a.ObjName)
	a.CreateAttrs.Encode(e)
}

// Decode reads the arguments.
func (a *CreateArgs) Decode(d *oncrpc.Decoder) {
	*a = CreateArgs{Type: FileType(d.Uint32())}
	switch a.Type {
	case TypeLnk:
		a.LinkData = d.Opaque(maxLink)
	case TypeBlk, TypeChr:
		a.DevData.Decode(d)
	}
	a.ObjName = d.Opaque(maxName)
	a.CreateAttrs.Decode(d)
}

// CreateRes is CREATE4resok.
type CreateRes struct {
	CInfo   ChangeInfo
	AttrSet Bitmap
}

// Encode writes the results.
func (r *CreateRes) Encode(e *oncrpc.Encoder) {
	r.CInfo.Encode(e)
	r.AttrSet.Encode(e)
}

// Decode reads the results.
func (r *CreateRes) Decode(d *oncrpc.Decoder) {
	r.CInfo.Decode(d)
	r.AttrSet.Decode(d)
}
