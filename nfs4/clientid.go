// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// ClientOwner is who a client says it is: OwnerID stays over its restarts, the verifier does not (client_owner4).
type ClientOwner struct {
	Verifier Verifier
	OwnerID  []byte
}

// Encode writes it.
func (c *ClientOwner) Encode(e *oncrpc.Encoder) {
	e.Fixed(c.Verifier[:])
	e.Opaque(c.OwnerID)
}

// Decode reads it.
func (c *ClientOwner) Decode(d *oncrpc.Decoder) {
	c.Verifier = decodeVerifier(d)
	c.OwnerID = d.Opaque(MaxOpaque)
}

// ExchangeIDFlags are flags of EXCHANGE_ID (RFC 8881 section 18.35, RFC 7862 section 14.1).
type ExchangeIDFlags uint32

// The flags of EXCHANGE_ID.
const (
	ExchangeSuppMovedRefer   ExchangeIDFlags = 0x00000001
	ExchangeSuppMovedMigr    ExchangeIDFlags = 0x00000002
	ExchangeSuppFenceOps     ExchangeIDFlags = 0x00000004
	ExchangeBindPrincStateid ExchangeIDFlags = 0x00000100
	ExchangeUseNonPNFS       ExchangeIDFlags = 0x00010000
	ExchangeUsePNFSMDS       ExchangeIDFlags = 0x00020000
	ExchangeUsePNFSDS        ExchangeIDFlags = 0x00040000
	ExchangeMaskPNFS         ExchangeIDFlags = 0x00070000
	ExchangeUpdConfirmedRecA ExchangeIDFlags = 0x40000000
	ExchangeConfirmedR       ExchangeIDFlags = 0x80000000
)

// StateProtectHow is how a client's state is kept from other clients (state_protect_how4).
type StateProtectHow uint32

// The ways to protect state.
const (
	ProtectNone     StateProtectHow = 0
	ProtectMachCred StateProtectHow = 1
	ProtectSSV      StateProtectHow = 2
)

// StateProtectOps is which operations take, and may use, the machine's credential (state_protect_ops4).
type StateProtectOps struct {
	MustEnforce Bitmap
	MustAllow   Bitmap
}

// Encode writes it.
func (s *StateProtectOps) Encode(e *oncrpc.Encoder) {
	s.MustEnforce.Encode(e)
	s.MustAllow.Encode(e)
}

// Decode reads it.
func (s *StateProtectOps) Decode(d *oncrpc.Decoder) {
	s.MustEnforce.Decode(d)
	s.MustAllow.Decode(d)
}

// StateProtectArgs is how a client asks for its state to be protected (state_protect4_a).
type StateProtectArgs struct {
	How StateProtectHow
	// Ops counts with ProtectMachCred and ProtectSSV, the others with ProtectSSV.
	Ops           StateProtectOps
	HashAlgs      [][]byte
	EncrAlgs      [][]byte
	Window        uint32
	NumGSSHandles uint32
}

// Encode writes it.
func (a *StateProtectArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.How))
	if a.How == ProtectNone {
		return
	}
	a.Ops.Encode(e)
	if a.How == ProtectSSV {
		encodeOpaques(e, a.HashAlgs)
		encodeOpaques(e, a.EncrAlgs)
		e.Uint32(a.Window)
		e.Uint32(a.NumGSSHandles)
	}
}

// Decode reads it.
func (a *StateProtectArgs) Decode(d *oncrpc.Decoder) {
	*a = StateProtectArgs{How: StateProtectHow(d.Uint32())}
	switch a.How {
	case ProtectNone:
	case ProtectMachCred:
		a.Ops.Decode(d)
	case ProtectSSV:
		a.Ops.Decode(d)
		a.HashAlgs = decodeOpaques(d, maxAlgorithms, MaxOpaque)
		a.EncrAlgs = decodeOpaques(d, maxAlgorithms, MaxOpaque)
		a.Window = d.Uint32()
		a.NumGSSHandles = d.Uint32()
	default:
		d.Fail()
	}
}

// StateProtectRes is how a server protects a client's state (state_protect4_r). No client of ours asks for ProtectSSV
// and no server of ours grants it: it does not decode.
type StateProtectRes struct {
	How StateProtectHow
	// Ops counts with ProtectMachCred.
	Ops StateProtectOps
}

// Encode writes it.
func (r *StateProtectRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.How))
	if r.How == ProtectMachCred {
		r.Ops.Encode(e)
	}
}

// Decode reads it.
func (r *StateProtectRes) Decode(d *oncrpc.Decoder) {
	*r = StateProtectRes{How: StateProtectHow(d.Uint32())}
	switch r.How {
	case ProtectNone:
	case ProtectMachCred:
		r.Ops.Decode(d)
	default:
		d.Fail()
	}
}

// ImplID is an implementation's name, for people (nfs_impl_id4).
type ImplID struct {
	Domain []byte
	Name   []byte
	Date   Time
}

// Encode writes it.
func (i *ImplID) Encode(e *oncrpc.Encoder) {
	e.Opaque(i.Domain)
	e.Opaque(i.Name)
	i.Date.Encode(e)
}

// Decode reads it.
func (i *ImplID) Decode(d *oncrpc.Decoder) {
	i.Domain = d.Opaque(MaxOpaque)
	i.Name = d.Opaque(MaxOpaque)
	i.Date.Decode(d)
}

// ExchangeIDArgs is EXCHANGE_ID4args. ClientImplID has at most one element.
type ExchangeIDArgs struct {
	ClientOwner  ClientOwner
	Flags        ExchangeIDFlags
	StateProtect StateProtectArgs
	ClientImplID []ImplID
}

// Encode writes the arguments.
func (a *ExchangeIDArgs) Encode(e *oncrpc.Encoder) {
	a.ClientOwner.Encode(e)
	e.Uint32(uint32(a.Flags))
	a.StateProtect.Encode(e)
	encodeArray(e, a.ClientImplID)
}

// Decode reads the arguments.
func (a *ExchangeIDArgs) Decode(d *oncrpc.Decoder) {
	a.ClientOwner.Decode(d)
	a.Flags = ExchangeIDFlags(d.Uint32())
	a.StateProtect.Decode(d)
	a.ClientImplID = decodeArray[ImplID](d, 1, 20)
}

// ServerOwner is which server this is: two addresses with the same MajorID are one server (server_owner4).
type ServerOwner struct {
	MinorID uint64
	MajorID []byte
}

// Encode writes it.
func (s *ServerOwner) Encode(e *oncrpc.Encoder) {
	e.Uint64(s.MinorID)
	e.Opaque(s.MajorID)
}

// Decode reads it.
func (s *ServerOwner) Decode(d *oncrpc.Decoder) {
	s.MinorID = d.Uint64()
	s.MajorID = d.Opaque(MaxOpaque)
}

// ExchangeIDRes is EXCHANGE_ID4resok. ServerImplID has at most one element.
type ExchangeIDRes struct {
	ClientID     ClientID
	SequenceID   uint32
	Flags        ExchangeIDFlags
	StateProtect StateProtectRes
	ServerOwner  ServerOwner
	ServerScope  []byte
	ServerImplID []ImplID
}

// Encode writes the results.
func (r *ExchangeIDRes) Encode(e *oncrpc.Encoder) {
	e.Uint64(uint64(r.ClientID))
	e.Uint32(r.SequenceID)
	e.Uint32(uint32(r.Flags))
	r.StateProtect.Encode(e)
	r.ServerOwner.Encode(e)
	e.Opaque(r.ServerScope)
	encodeArray(e, r.ServerImplID)
}

// Decode reads the results.
func (r *ExchangeIDRes) Decode(d *oncrpc.Decoder) {
	r.ClientID = ClientID(d.Uint64())
	r.SequenceID = d.Uint32()
	r.Flags = ExchangeIDFlags(d.Uint32())
	r.StateProtect.Decode(d)
	r.ServerOwner.Decode(d)
	r.ServerScope = d.Opaque(MaxOpaque)
	r.ServerImplID = decodeArray[ImplID](d, 1, 20)
}

// DestroyClientIDArgs is DESTROY_CLIENTID4args.
type DestroyClientIDArgs struct{ ClientID ClientID }

// Encode writes the arguments.
func (a *DestroyClientIDArgs) Encode(e *oncrpc.Encoder) { e.Uint64(uint64(a.ClientID)) }

// Decode reads the arguments.
func (a *DestroyClientIDArgs) Decode(d *oncrpc.Decoder) { a.ClientID = ClientID(d.Uint64()) }

// ReclaimCompleteArgs is RECLAIM_COMPLETE4args. OneFS: complete for the current filehandle's file system alone, and so
// not the end of the client's reclaims (RFC 8881 section 18.51.3).
type ReclaimCompleteArgs struct{ OneFS bool }

// Encode writes the arguments.
func (a *ReclaimCompleteArgs) Encode(e *oncrpc.Encoder) { e.Bool(a.OneFS) }

// Decode reads the arguments.
func (a *ReclaimCompleteArgs) Decode(d *oncrpc.Decoder) { a.OneFS = d.Bool() }
