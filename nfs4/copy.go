// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// CloneArgs is CLONE4args. Count zero: to the end of the source.
type CloneArgs struct {
	SrcStateid Stateid
	DstStateid Stateid
	SrcOffset  uint64
	DstOffset  uint64
	Count      uint64
}

// Encode writes the arguments.
func (a *CloneArgs) Encode(e *oncrpc.Encoder) {
	a.SrcStateid.Encode(e)
	a.DstStateid.Encode(e)
	e.Uint64(a.SrcOffset)
	e.Uint64(a.DstOffset)
	e.Uint64(a.Count)
}

// Decode reads the arguments.
func (a *CloneArgs) Decode(d *oncrpc.Decoder) {
	a.SrcStateid.Decode(d)
	a.DstStateid.Decode(d)
	a.SrcOffset = d.Uint64()
	a.DstOffset = d.Uint64()
	a.Count = d.Uint64()
}

// NetLocType says how a NetLoc names a server (netloc_type4).
type NetLocType uint32

// The ways to name a server.
const (
	NetLocName NetLocType = 1
	NetLocURL  NetLocType = 2
	NetLocAddr NetLocType = 3
)

// NetLoc names a server (netloc4).
type NetLoc struct {
	Type NetLocType
	// Name is the name or the URL, or with NetLocAddr the universal address.
	Name []byte
	// NetID counts with NetLocAddr alone.
	NetID []byte
}

// Encode writes it.
func (n *NetLoc) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(n.Type))
	if n.Type == NetLocAddr {
		e.Opaque(n.NetID)
	}
	e.Opaque(n.Name)
}

// Decode reads it.
func (n *NetLoc) Decode(d *oncrpc.Decoder) {
	*n = NetLoc{Type: NetLocType(d.Uint32())}
	switch n.Type {
	case NetLocName, NetLocURL:
	case NetLocAddr:
		n.NetID = d.Opaque(maxNetAddr)
	default:
		d.Fail()
	}
	n.Name = d.Opaque(maxNetAddr)
}

// CopyArgs is COPY4args. Count zero: to the end of the source. SourceServer is empty for a copy within one server.
type CopyArgs struct {
	SrcStateid   Stateid
	DstStateid   Stateid
	SrcOffset    uint64
	DstOffset    uint64
	Count        uint64
	Consecutive  bool
	Synchronous  bool
	SourceServer []NetLoc
}

// Encode writes the arguments.
func (a *CopyArgs) Encode(e *oncrpc.Encoder) {
	a.SrcStateid.Encode(e)
	a.DstStateid.Encode(e)
	e.Uint64(a.SrcOffset)
	e.Uint64(a.DstOffset)
	e.Uint64(a.Count)
	e.Bool(a.Consecutive)
	e.Bool(a.Synchronous)
	encodeArray(e, a.SourceServer)
}

// Decode reads the arguments.
func (a *CopyArgs) Decode(d *oncrpc.Decoder) {
	a.SrcStateid.Decode(d)
	a.DstStateid.Decode(d)
	a.SrcOffset = d.Uint64()
	a.DstOffset = d.Uint64()
	a.Count = d.Uint64()
	a.Consecutive = d.Bool()
	a.Synchronous = d.Bool()
	a.SourceServer = decodeArray[NetLoc](d, maxServers, 8)
}

// CopyRequirements is how a server copies (copy_requirements4). It is a part of CopyRes, and follows
// NFS4ERR_OFFLOAD_NO_REQS of COPY.
type CopyRequirements struct{ Consecutive, Synchronous bool }

// Encode writes it.
func (c *CopyRequirements) Encode(e *oncrpc.Encoder) {
	e.Bool(c.Consecutive)
	e.Bool(c.Synchronous)
}

// Decode reads it.
func (c *CopyRequirements) Decode(d *oncrpc.Decoder) {
	c.Consecutive = d.Bool()
	c.Synchronous = d.Bool()
}

// CopyRes is COPY4resok.
type CopyRes struct {
	// CallbackID names a copy that goes on; empty for one that is done, else one element.
	CallbackID   []Stateid
	Count        uint64
	Committed    StableHow
	WriteVerf    Verifier
	Requirements CopyRequirements
}

// Encode writes the results.
func (r *CopyRes) Encode(e *oncrpc.Encoder) {
	encodeArray(e, r.CallbackID)
	e.Uint64(r.Count)
	e.Uint32(uint32(r.Committed))
	e.Fixed(r.WriteVerf[:])
	r.Requirements.Encode(e)
}

// Decode reads the results.
func (r *CopyRes) Decode(d *oncrpc.Decoder) {
	r.CallbackID = decodeArray[Stateid](d, 1, 16)
	r.Count = d.Uint64()
	r.Committed = StableHow(d.Uint32())
	r.WriteVerf = decodeVerifier(d)
	r.Requirements.Decode(d)
}

// CopyNotifyArgs is COPY_NOTIFY4args.
type CopyNotifyArgs struct {
	SrcStateid        Stateid
	DestinationServer NetLoc
}

// Encode writes the arguments.
func (a *CopyNotifyArgs) Encode(e *oncrpc.Encoder) {
	a.SrcStateid.Encode(e)
	a.DestinationServer.Encode(e)
}

// Decode reads the arguments.
func (a *CopyNotifyArgs) Decode(d *oncrpc.Decoder) {
	a.SrcStateid.Decode(d)
	a.DestinationServer.Decode(d)
}

// OffloadCancelArgs is OFFLOAD_CANCEL4args.
type OffloadCancelArgs struct{ Stateid Stateid }

// Encode writes the arguments.
func (a *OffloadCancelArgs) Encode(e *oncrpc.Encoder) { a.Stateid.Encode(e) }

// Decode reads the arguments.
func (a *OffloadCancelArgs) Decode(d *oncrpc.Decoder) { a.Stateid.Decode(d) }

// OffloadStatusArgs is OFFLOAD_STATUS4args.
type OffloadStatusArgs struct{ Stateid Stateid }

// Encode writes the arguments.
func (a *OffloadStatusArgs) Encode(e *oncrpc.Encoder) { a.Stateid.Encode(e) }

// Decode reads the arguments.
func (a *OffloadStatusArgs) Decode(d *oncrpc.Decoder) { a.Stateid.Decode(d) }

// OffloadStatusRes is OFFLOAD_STATUS4resok.
type OffloadStatusRes struct {
	Count uint64
	// Done tells that the copy has ended, with the status Complete.
	Done     bool
	Complete Status
}

// Encode writes the results.
func (r *OffloadStatusRes) Encode(e *oncrpc.Encoder) {
	e.Uint64(r.Count)
	e.Bool(r.Done)
	if r.Done {
		e.Uint32(uint32(r.Complete))
	}
}

// Decode reads the results.
func (r *OffloadStatusRes) Decode(d *oncrpc.Decoder) {
	*r = OffloadStatusRes{Count: d.Uint64(), Done: d.Bool()}
	if r.Done {
		r.Complete = Status(d.Uint32())
	}
}
