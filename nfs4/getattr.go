// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// GetAttrArgs is GETATTR4args.
type GetAttrArgs struct{ AttrRequest Bitmap }

// Encode writes the arguments.
func (a *GetAttrArgs) Encode(e *oncrpc.Encoder) { a.AttrRequest.Encode(e) }

// Decode reads the arguments.
func (a *GetAttrArgs) Decode(d *oncrpc.Decoder) { a.AttrRequest.Decode(d) }

// GetAttrRes is GETATTR4resok. The server writes the same with Attrs.Encode.
type GetAttrRes struct{ ObjAttributes Fattr }

// Encode writes the results.
func (r *GetAttrRes) Encode(e *oncrpc.Encoder) { r.ObjAttributes.Encode(e) }

// Decode reads the results.
func (r *GetAttrRes) Decode(d *oncrpc.Decoder) { r.ObjAttributes.Decode(d) }

// SetAttrArgs is SETATTR4args.
type SetAttrArgs struct {
	Stateid       Stateid
	ObjAttributes Fattr
}

// Encode writes the arguments.
func (a *SetAttrArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	a.ObjAttributes.Encode(e)
}

// Decode reads the arguments.
func (a *SetAttrArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.ObjAttributes.Decode(d)
}

// SetAttrRes is what follows every status of SETATTR4res: the attributes that were set, none with an error before any.
type SetAttrRes struct{ AttrsSet Bitmap }

// Encode writes the results.
func (r *SetAttrRes) Encode(e *oncrpc.Encoder) { r.AttrsSet.Encode(e) }

// Decode reads the results.
func (r *SetAttrRes) Decode(d *oncrpc.Decoder) { r.AttrsSet.Decode(d) }

// VerifyArgs is VERIFY4args and NVERIFY4args.
type VerifyArgs struct{ ObjAttributes Fattr }

// Encode writes the arguments.
func (a *VerifyArgs) Encode(e *oncrpc.Encoder) { a.ObjAttributes.Encode(e) }

// Decode reads the arguments.
func (a *VerifyArgs) Decode(d *oncrpc.Decoder) { a.ObjAttributes.Decode(d) }

// OpenAttrArgs is OPENATTR4args.
type OpenAttrArgs struct{ CreateDir bool }

// Encode writes the arguments.
func (a *OpenAttrArgs) Encode(e *oncrpc.Encoder) { e.Bool(a.CreateDir) }

// Decode reads the arguments.
func (a *OpenAttrArgs) Decode(d *oncrpc.Decoder) { a.CreateDir = d.Bool() }
