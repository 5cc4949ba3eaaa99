// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// SequenceArgs is SEQUENCE4args.
type SequenceArgs struct {
	SessionID     SessionID
	SequenceID    uint32
	SlotID        uint32
	HighestSlotID uint32
	CacheThis     bool
}

// Encode writes the arguments.
func (a *SequenceArgs) Encode(e *oncrpc.Encoder) {
	e.Fixed(a.SessionID[:])
	e.Uint32(a.SequenceID)
	e.Uint32(a.SlotID)
	e.Uint32(a.HighestSlotID)
	e.Bool(a.CacheThis)
}

// Decode reads the arguments.
func (a *SequenceArgs) Decode(d *oncrpc.Decoder) {
	a.SessionID = decodeSessionID(d)
	a.SequenceID = d.Uint32()
	a.SlotID = d.Uint32()
	a.HighestSlotID = d.Uint32()
	a.CacheThis = d.Bool()
}

// SequenceFlags tell a client of what it should look after (RFC 8881 section 18.46.3).
type SequenceFlags uint32

// The status flags of SEQUENCE.
const (
	SeqCBPathDown              SequenceFlags = 0x0001
	SeqCBGSSContextsExpiring   SequenceFlags = 0x0002
	SeqCBGSSContextsExpired    SequenceFlags = 0x0004
	SeqExpiredAllStateRevoked  SequenceFlags = 0x0008
	SeqExpiredSomeStateRevoked SequenceFlags = 0x0010
	SeqAdminStateRevoked       SequenceFlags = 0x0020
	SeqRecallableStateRevoked  SequenceFlags = 0x0040
	SeqLeaseMoved              SequenceFlags = 0x0080
	SeqRestartReclaimNeeded    SequenceFlags = 0x0100
	SeqCBPathDownSession       SequenceFlags = 0x0200
	SeqBackchannelFault        SequenceFlags = 0x0400
	SeqDevIDChanged            SequenceFlags = 0x0800
	SeqDevIDDeleted            SequenceFlags = 0x1000
)

// SequenceRes is SEQUENCE4resok.
type SequenceRes struct {
	SessionID           SessionID
	SequenceID          uint32
	SlotID              uint32
	HighestSlotID       uint32
	TargetHighestSlotID uint32
	StatusFlags         SequenceFlags
}

// Encode writes the results.
func (r *SequenceRes) Encode(e *oncrpc.Encoder) {
	e.Fixed(r.SessionID[:])
	e.Uint32(r.SequenceID)
	e.Uint32(r.SlotID)
	e.Uint32(r.HighestSlotID)
	e.Uint32(r.TargetHighestSlotID)
	e.Uint32(uint32(r.StatusFlags))
}

// Decode reads the results.
func (r *SequenceRes) Decode(d *oncrpc.Decoder) {
	r.SessionID = decodeSessionID(d)
	r.SequenceID = d.Uint32()
	r.SlotID = d.Uint32()
	r.HighestSlotID = d.Uint32()
	r.TargetHighestSlotID = d.Uint32()
	r.StatusFlags = SequenceFlags(d.Uint32())
}

// ChannelAttrs is what a session's channel can carry (channel_attrs4); sizes in bytes.
type ChannelAttrs struct {
	HeaderPadSize         uint32
	MaxRequestSize        uint32
	MaxResponseSize       uint32
	MaxResponseSizeCached uint32
	MaxOperations         uint32
	MaxRequests           uint32
	// RDMAIRD has at most one element.
	RDMAIRD []uint32
}

// Encode writes them.
func (c *ChannelAttrs) Encode(e *oncrpc.Encoder) {
	e.Uint32(c.HeaderPadSize)
	e.Uint32(c.MaxRequestSize)
	e.Uint32(c.MaxResponseSize)
	e.Uint32(c.MaxResponseSizeCached)
	e.Uint32(c.MaxOperations)
	e.Uint32(c.MaxRequests)
	e.Uint32(uint32(len(c.RDMAIRD)))
	for _, v := range c.RDMAIRD {
		e.Uint32(v)
	}
}

// Decode reads them.
func (c *ChannelAttrs) Decode(d *oncrpc.Decoder) {
	c.HeaderPadSize = d.Uint32()
	c.MaxRequestSize = d.Uint32()
	c.MaxResponseSize = d.Uint32()
	c.MaxResponseSizeCached = d.Uint32()
	c.MaxOperations = d.Uint32()
	c.MaxRequests = d.Uint32()
	c.RDMAIRD = nil
	if d.Count(1, 4) == 1 {
		c.RDMAIRD = []uint32{d.Uint32()}
	}
}

// CallbackSec is how a server may authenticate itself on the back channel (callback_sec_parms4).
type CallbackSec struct {
	Flavor oncrpc.Flavor
	// Sys counts with AUTH_SYS.
	Sys oncrpc.SysCred
	// The others count with RPCSEC_GSS.
	GSSService      uint32
	GSSHandleServer []byte
	GSSHandleClient []byte
}

// Encode writes it.
func (c *CallbackSec) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(c.Flavor))
	switch c.Flavor {
	case oncrpc.AuthSys:
		c.Sys.Encode(e)
	case oncrpc.RPCSecGSS:
		e.Uint32(c.GSSService)
		e.Opaque(c.GSSHandleServer)
		e.Opaque(c.GSSHandleClient)
	}
}

// Decode reads it.
func (c *CallbackSec) Decode(d *oncrpc.Decoder) {
	*c = CallbackSec{Flavor: oncrpc.Flavor(d.Uint32())}
	switch c.Flavor {
	case oncrpc.AuthNone:
	case oncrpc.AuthSys:
		c.Sys.Decode(d)
	case oncrpc.RPCSecGSS:
		c.GSSService = d.Uint32()
		c.GSSHandleServer = d.Opaque(MaxOpaque)
		c.GSSHandleClient = d.Opaque(MaxOpaque)
	default:
		d.Fail()
	}
}

// SessionFlags are flags of CREATE_SESSION.
type SessionFlags uint32

// The flags of CREATE_SESSION.
const (
	SessionPersist      SessionFlags = 0x1
	SessionConnBackChan SessionFlags = 0x2
	SessionConnRDMA     SessionFlags = 0x4
)

// CreateSessionArgs is CREATE_SESSION4args.
type CreateSessionArgs struct {
	ClientID      ClientID
	Sequence      uint32
	Flags         SessionFlags
	ForeChanAttrs ChannelAttrs
	BackChanAttrs ChannelAttrs
	CBProgram     uint32
	SecParms      []CallbackSec
}

// Encode writes the arguments.
func (a *CreateSessionArgs) Encode(e *oncrpc.Encoder) {
	e.Uint64(uint64(a.ClientID))
	e.Uint32(a.Sequence)
	e.Uint32(uint32(a.Flags))
	a.ForeChanAttrs.Encode(e)
	a.BackChanAttrs.Encode(e)
	e.Uint32(a.CBProgram)
	encodeArray(e, a.SecParms)
}

// Decode reads the arguments.
func (a *CreateSessionArgs) Decode(d *oncrpc.Decoder) {
	a.ClientID = ClientID(d.Uint64())
	a.Sequence = d.Uint32()
	a.Flags = SessionFlags(d.Uint32())
	a.ForeChanAttrs.Decode(d)
	a.BackChanAttrs.Decode(d)
	a.CBProgram = d.Uint32()
	a.SecParms = decodeArray[CallbackSec](d, maxSecParms, 4)
}

// CreateSessionRes is CREATE_SESSION4resok.
type CreateSessionRes struct {
	SessionID     SessionID
	Sequence      uint32
	Flags         SessionFlags
	ForeChanAttrs ChannelAttrs
	BackChanAttrs ChannelAttrs
}

// Encode writes the results.
func (r *CreateSessionRes) Encode(e *oncrpc.Encoder) {
	e.Fixed(r.SessionID[:])
	e.Uint32(r.Sequence)
	e.Uint32(uint32(r.Flags))
	r.ForeChanAttrs.Encode(e)
	r.BackChanAttrs.Encode(e)
}

// Decode reads the results.
func (r *CreateSessionRes) Decode(d *oncrpc.Decoder) {
	r.SessionID = decodeSessionID(d)
	r.Sequence = d.Uint32()
	r.Flags = SessionFlags(d.Uint32())
	r.ForeChanAttrs.Decode(d)
	r.BackChanAttrs.Decode(d)
}

// DestroySessionArgs is DESTROY_SESSION4args.
type DestroySessionArgs struct{ SessionID SessionID }

// Encode writes the arguments.
func (a *DestroySessionArgs) Encode(e *oncrpc.Encoder) { e.Fixed(a.SessionID[:]) }

// Decode reads the arguments.
func (a *DestroySessionArgs) Decode(d *oncrpc.Decoder) { a.SessionID = decodeSessionID(d) }

// BackchannelCtlArgs is BACKCHANNEL_CTL4args.
type BackchannelCtlArgs struct {
	CBProgram uint32
	SecParms  []CallbackSec
}

// Encode writes the arguments.
func (a *BackchannelCtlArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(a.CBProgram)
	encodeArray(e, a.SecParms)
}

// Decode reads the arguments.
func (a *BackchannelCtlArgs) Decode(d *oncrpc.Decoder) {
	a.CBProgram = d.Uint32()
	a.SecParms = decodeArray[CallbackSec](d, maxSecParms, 4)
}

// ChannelDir is for which of a session's channels a connection is (channel_dir_from_client4, channel_dir_from_server4).
// The last two are a client's.
type ChannelDir uint32

// The directions.
const (
	ChannelFore       ChannelDir = 0x1
	ChannelBack       ChannelDir = 0x2
	ChannelBoth       ChannelDir = 0x3
	ChannelForeOrBoth ChannelDir = 0x3
	ChannelBackOrBoth ChannelDir = 0x7
)

// BindConnToSessionArgs is BIND_CONN_TO_SESSION4args.
type BindConnToSessionArgs struct {
	SessionID         SessionID
	Dir               ChannelDir
	UseConnInRDMAMode bool
}

// Encode writes the arguments.
func (a *BindConnToSessionArgs) Encode(e *oncrpc.Encoder) {
	e.Fixed(a.SessionID[:])
	e.Uint32(uint32(a.Dir))
	e.Bool(a.UseConnInRDMAMode)
}

// Decode reads the arguments.
func (a *BindConnToSessionArgs) Decode(d *oncrpc.Decoder) {
	a.SessionID = decodeSessionID(d)
	a.Dir = ChannelDir(d.Uint32())
	a.UseConnInRDMAMode = d.Bool()
}

// BindConnToSessionRes is BIND_CONN_TO_SESSION4resok.
type BindConnToSessionRes struct {
	SessionID         SessionID
	Dir               ChannelDir
	UseConnInRDMAMode bool
}

// Encode writes the results.
func (r *BindConnToSessionRes) Encode(e *oncrpc.Encoder) {
	e.Fixed(r.SessionID[:])
	e.Uint32(uint32(r.Dir))
	e.Bool(r.UseConnInRDMAMode)
}

// Decode reads the results.
func (r *BindConnToSessionRes) Decode(d *oncrpc.Decoder) {
	r.SessionID = decodeSessionID(d)
	r.Dir = ChannelDir(d.Uint32())
	r.UseConnInRDMAMode = d.Bool()
}
