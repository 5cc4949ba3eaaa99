// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// The names of extended attributes are without "user." (RFC 8276 section 8.2).

// GetXattrArgs is GETXATTR4args.
type GetXattrArgs struct{ Name []byte }

// Encode writes the arguments.
func (a *GetXattrArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.Name) }

// Decode reads the arguments.
func (a *GetXattrArgs) Decode(d *oncrpc.Decoder) { a.Name = d.Opaque(maxName) }

// GetXattrRes is the OK arm of GETXATTR4res.
type GetXattrRes struct{ Value []byte }

// Encode writes the results.
func (r *GetXattrRes) Encode(e *oncrpc.Encoder) { e.Opaque(r.Value) }

// Decode reads the results.
func (r *GetXattrRes) Decode(d *oncrpc.Decoder) { r.Value = d.Opaque(maxXattrValue) }

// SetXattrOption says what SETXATTR does about an attribute that is, or is not, there (setxattr_option4).
type SetXattrOption uint32

// The options of SETXATTR.
const (
	SetXattrEither  SetXattrOption = 0
	SetXattrCreate  SetXattrOption = 1
	SetXattrReplace SetXattrOption = 2
)

// SetXattrArgs is SETXATTR4args.
type SetXattrArgs struct {
	Option SetXattrOption
	Key    []byte
	Value  []byte
}

// Encode writes the arguments.
func (a *SetXattrArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.Option))
	e.Opaque(a.Key)
	e.Opaque(a.Value)
}

// Decode reads the arguments.
func (a *SetXattrArgs) Decode(d *oncrpc.Decoder) {
	a.Option = SetXattrOption(d.Uint32())
	a.Key = d.Opaque(maxName)
	a.Value = d.Opaque(maxXattrValue)
}

// SetXattrRes is the OK arm of SETXATTR4res: the file's own change attribute, before and after.
type SetXattrRes struct{ Info ChangeInfo }

// Encode writes the results.
func (r *SetXattrRes) Encode(e *oncrpc.Encoder) { r.Info.Encode(e) }

// Decode reads the results.
func (r *SetXattrRes) Decode(d *oncrpc.Decoder) { r.Info.Decode(d) }

// ListXattrsArgs is LISTXATTRS4args. MaxCount is bytes of LISTXATTRS4resok.
type ListXattrsArgs struct {
	Cookie   uint64
	MaxCount uint32
}

// Encode writes the arguments.
func (a *ListXattrsArgs) Encode(e *oncrpc.Encoder) {
	e.Uint64(a.Cookie)
	e.Uint32(a.MaxCount)
}

// Decode reads the arguments.
func (a *ListXattrsArgs) Decode(d *oncrpc.Decoder) {
	a.Cookie = d.Uint64()
	a.MaxCount = d.Uint32()
}

// ListXattrsRes is LISTXATTRS4resok.
type ListXattrsRes struct {
	Cookie uint64
	Names  [][]byte
	EOF    bool
}

// Encode writes the results.
func (r *ListXattrsRes) Encode(e *oncrpc.Encoder) {
	e.Uint64(r.Cookie)
	encodeOpaques(e, r.Names)
	e.Bool(r.EOF)
}

// Decode reads the results.
func (r *ListXattrsRes) Decode(d *oncrpc.Decoder) {
	r.Cookie = d.Uint64()
	r.Names = decodeOpaques(d, maxElements, maxName)
	r.EOF = d.Bool()
}

// RemoveXattrArgs is REMOVEXATTR4args.
type RemoveXattrArgs struct{ Name []byte }

// Encode writes the arguments.
func (a *RemoveXattrArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.Name) }

// Decode reads the arguments.
func (a *RemoveXattrArgs) Decode(d *oncrpc.Decoder) { a.Name = d.Opaque(maxName) }

// RemoveXattrRes is the OK arm of REMOVEXATTR4res: the file's own change attribute, before and after.
type RemoveXattrRes struct{ Info ChangeInfo }

// Encode writes the results.
func (r *RemoveXattrRes) Encode(e *oncrpc.Encoder) { r.Info.Encode(e) }

// Decode reads the results.
func (r *RemoveXattrRes) Decode(d *oncrpc.Decoder) { r.Info.Decode(d) }
