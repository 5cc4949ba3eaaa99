// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// PutFHArgs is PUTFH4args.
type PutFHArgs struct{ Object Handle }

// Encode writes the arguments.
func (a *PutFHArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.Object) }

// Decode reads the arguments.
func (a *PutFHArgs) Decode(d *oncrpc.Decoder) { a.Object = decodeHandle(d) }

// GetFHRes is GETFH4resok.
type GetFHRes struct{ Object Handle }

// Encode writes the results.
func (r *GetFHRes) Encode(e *oncrpc.Encoder) { e.Opaque(r.Object) }

// Decode reads the results.
func (r *GetFHRes) Decode(d *oncrpc.Decoder) { r.Object = decodeHandle(d) }

// Access is a set of ways to use a file (RFC 8881 section 18.1, RFC 8276 section 8.5).
type Access uint32

// The ways to use a file.
const (
	AccessRead    Access = 0x001
	AccessLookup  Access = 0x002
	AccessModify  Access = 0x004
	AccessExtend  Access = 0x008
	AccessDelete  Access = 0x010
	AccessExecute Access = 0x020
	AccessXARead  Access = 0x040
	AccessXAWrite Access = 0x080
	AccessXAList  Access = 0x100
)

// AccessArgs is ACCESS4args.
type AccessArgs struct{ Access Access }

// Encode writes the arguments.
func (a *AccessArgs) Encode(e *oncrpc.Encoder) { e.Uint32(uint32(a.Access)) }

// Decode reads the arguments.
func (a *AccessArgs) Decode(d *oncrpc.Decoder) { a.Access = Access(d.Uint32()) }

// AccessRes is ACCESS4resok: which of the ways asked for the server can tell of, and which of those are permitted.
type AccessRes struct {
	Supported Access
	Access    Access
}

// Encode writes the results.
func (r *AccessRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Supported))
	e.Uint32(uint32(r.Access))
}

// Decode reads the results.
func (r *AccessRes) Decode(d *oncrpc.Decoder) {
	r.Supported = Access(d.Uint32())
	r.Access = Access(d.Uint32())
}

// SecInfoArgs is SECINFO4args.
type SecInfoArgs struct{ Name []byte }

// Encode writes the arguments.
func (a *SecInfoArgs) Encode(e *oncrpc.Encoder) { e.Opaque(a.Name) }

// Decode reads the arguments.
func (a *SecInfoArgs) Decode(d *oncrpc.Decoder) { a.Name = d.Opaque(maxName) }

// SecInfoStyle is of which directory SECINFO_NO_NAME asks (secinfo_style4).
type SecInfoStyle uint32

// The styles of SECINFO_NO_NAME.
const (
	SecInfoCurrentFH SecInfoStyle = 0
	SecInfoParent    SecInfoStyle = 1
)

// SecInfoNoNameArgs is SECINFO_NO_NAME4args.
type SecInfoNoNameArgs struct{ Style SecInfoStyle }

// Encode writes the arguments.
func (a *SecInfoNoNameArgs) Encode(e *oncrpc.Encoder) { e.Uint32(uint32(a.Style)) }

// Decode reads the arguments.
func (a *SecInfoNoNameArgs) Decode(d *oncrpc.Decoder) { a.Style = SecInfoStyle(d.Uint32()) }

// SecInfo is one way of authentication that the server takes (secinfo4).
type SecInfo struct {
	Flavor oncrpc.Flavor
	// OID, QOP and Service count with RPCSEC_GSS alone.
	OID     []byte
	QOP     uint32
	Service uint32
}

// Encode writes it.
func (s *SecInfo) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(s.Flavor))
	if s.Flavor == oncrpc.RPCSecGSS {
		e.Opaque(s.OID)
		e.Uint32(s.QOP)
		e.Uint32(s.Service)
	}
}

// Decode reads it.
func (s *SecInfo) Decode(d *oncrpc.Decoder) {
	*s = SecInfo{Flavor: oncrpc.Flavor(d.Uint32())}
	if s.Flavor == oncrpc.RPCSecGSS {
		s.OID = d.Opaque(maxName)
		s.QOP = d.Uint32()
		s.Service = d.Uint32()
	}
}

// SecInfoRes is SECINFO4resok, for SECINFO and SECINFO_NO_NAME: what the server takes, best first.
type SecInfoRes struct{ Flavors []SecInfo }

// Encode writes the results.
func (r *SecInfoRes) Encode(e *oncrpc.Encoder) { encodeArray(e, r.Flavors) }

// Decode reads the results.
func (r *SecInfoRes) Decode(d *oncrpc.Decoder) { r.Flavors = decodeArray[SecInfo](d, maxSecFlavors, 4) }
