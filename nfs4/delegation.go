// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// DelegationType is open_delegation_type4.
type DelegationType uint32

// The types of delegations. DelegateNoneExt is none, with the reason why.
const (
	DelegateNone    DelegationType = 0
	DelegateRead    DelegationType = 1
	DelegateWrite   DelegationType = 2
	DelegateNoneExt DelegationType = 3
)

// WhyNoDelegation is why_no_delegation4.
type WhyNoDelegation uint32

// The reasons for no delegation.
const (
	WhyNotWanted              WhyNoDelegation = 0
	WhyContention             WhyNoDelegation = 1
	WhyResource               WhyNoDelegation = 2
	WhyNotSuppFType           WhyNoDelegation = 3
	WhyWriteDelegNotSuppFType WhyNoDelegation = 4
	WhyNotSuppUpgrade         WhyNoDelegation = 5
	WhyNotSuppDowngrade       WhyNoDelegation = 6
	WhyCancelled              WhyNoDelegation = 7
	WhyIsDir                  WhyNoDelegation = 8
)

// LimitBy says how a SpaceLimit counts (limit_by4).
type LimitBy uint32

// The ways to count.
const (
	LimitSize   LimitBy = 1
	LimitBlocks LimitBy = 2
)

// SpaceLimit is how much a client may hold back under a write delegation (nfs_space_limit4).
type SpaceLimit struct {
	By LimitBy
	// FileSize, in bytes, counts with LimitSize, the others with LimitBlocks.
	FileSize                 uint64
	NumBlocks, BytesPerBlock uint32
}

// Encode writes the limit.
func (l *SpaceLimit) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(l.By))
	if l.By == LimitSize {
		e.Uint64(l.FileSize)
		return
	}
	e.Uint32(l.NumBlocks)
	e.Uint32(l.BytesPerBlock)
}

// Decode reads the limit.
func (l *SpaceLimit) Decode(d *oncrpc.Decoder) {
	*l = SpaceLimit{By: LimitBy(d.Uint32())}
	switch l.By {
	case LimitSize:
		l.FileSize = d.Uint64()
	case LimitBlocks:
		l.NumBlocks = d.Uint32()
		l.BytesPerBlock = d.Uint32()
	default:
		d.Fail()
	}
}

// ACE is an entry of an access control list (nfsace4). A delegation says with one who may open the file without asking;
// the zero ACE permits nothing to nobody.
type ACE struct {
	Type       uint32
	Flag       uint32
	AccessMask uint32
	Who        []byte
}

// Encode writes it.
func (a *ACE) Encode(e *oncrpc.Encoder) {
	e.Uint32(a.Type)
	e.Uint32(a.Flag)
	e.Uint32(a.AccessMask)
	e.Opaque(a.Who)
}

// Decode reads it.
func (a *ACE) Decode(d *oncrpc.Decoder) {
	a.Type = d.Uint32()
	a.Flag = d.Uint32()
	a.AccessMask = d.Uint32()
	a.Who = d.Opaque(maxName)
}

// Delegation is what OPEN and WANT_DELEGATION delegate to the client (open_delegation4).
type Delegation struct {
	Type DelegationType

	// Stateid, Recall and Permissions count with DelegateRead and DelegateWrite, SpaceLimit with DelegateWrite.
	Stateid     Stateid
	Recall      bool
	SpaceLimit  SpaceLimit
	Permissions ACE

	// Why counts with DelegateNoneExt. WillTell, with WhyContention and WhyResource, says that the server will push a
	// delegation, or signal that there can be one.
	Why      WhyNoDelegation
	WillTell bool
}

// Encode writes the delegation.
func (g *Delegation) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(g.Type))
	switch g.Type {
	case DelegateRead, DelegateWrite:
		g.Stateid.Encode(e)
		e.Bool(g.Recall)
		if g.Type == DelegateWrite {
			g.SpaceLimit.Encode(e)
		}
		g.Permissions.Encode(e)
	case DelegateNoneExt:
		e.Uint32(uint32(g.Why))
		if g.Why == WhyContention || g.Why == WhyResource {
			e.Bool(g.WillTell)
		}
	}
}

// Decode reads the delegation.
func (g *Delegation) Decode(d *oncrpc.Decoder) {
	*g = Delegation{Type: DelegationType(d.Uint32())}
	switch g.Type {
	case DelegateNone:
	case DelegateRead, DelegateWrite:
		g.Stateid.Decode(d)
		g.Recall = d.Bool()
		if g.Type == DelegateWrite {
			g.SpaceLimit.Decode(d)
		}
		g.Permissions.Decode(d)
	case DelegateNoneExt:
		g.Why = WhyNoDelegation(d.Uint32())
		if g.Why == WhyContention || g.Why == WhyResource {
			g.WillTell = d.Bool()
		}
	default:
		d.Fail()
	}
}

// DelegPurgeArgs is DELEGPURGE4args.
type DelegPurgeArgs struct{ ClientID ClientID }

// Encode writes the arguments.
func (a *DelegPurgeArgs) Encode(e *oncrpc.Encoder) { e.Uint64(uint64(a.ClientID)) }

// Decode reads the arguments.
func (a *DelegPurgeArgs) Decode(d *oncrpc.Decoder) { a.ClientID = ClientID(d.Uint64()) }

// DelegReturnArgs is DELEGRETURN4args.
type DelegReturnArgs struct{ DelegStateid Stateid }

// Encode writes the arguments.
func (a *DelegReturnArgs) Encode(e *oncrpc.Encoder) { a.DelegStateid.Encode(e) }

// Decode reads the arguments.
func (a *DelegReturnArgs) Decode(d *oncrpc.Decoder) { a.DelegStateid.Decode(d) }

// WantDelegationArgs is WANT_DELEGATION4args. The claim is ClaimFH, ClaimDelegPrevFH or ClaimPrevious.
type WantDelegationArgs struct {
	Want  ShareAccess
	Claim ClaimType
	// DelegateType counts with ClaimPrevious.
	DelegateType DelegationType
}

// Encode writes the arguments.
func (a *WantDelegationArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.Want))
	e.Uint32(uint32(a.Claim))
	if a.Claim == ClaimPrevious {
		e.Uint32(uint32(a.DelegateType))
	}
}

// Decode reads the arguments.
func (a *WantDelegationArgs) Decode(d *oncrpc.Decoder) {
	*a = WantDelegationArgs{Want: ShareAccess(d.Uint32()), Claim: ClaimType(d.Uint32())}
	switch a.Claim {
	case ClaimFH, ClaimDelegPrevFH:
	case ClaimPrevious:
		a.DelegateType = DelegationType(d.Uint32())
	default:
		d.Fail()
	}
}

// GetDirDelegationArgs is GET_DIR_DELEGATION4args.
type GetDirDelegationArgs struct {
	SignalDelegAvail  bool
	NotificationTypes Bitmap
	ChildAttrDelay    Time
	DirAttrDelay      Time
	ChildAttributes   Bitmap
	DirAttributes     Bitmap
}

// Encode writes the arguments.
func (a *GetDirDelegationArgs) Encode(e *oncrpc.Encoder) {
	e.Bool(a.SignalDelegAvail)
	a.NotificationTypes.Encode(e)
	a.ChildAttrDelay.Encode(e)
	a.DirAttrDelay.Encode(e)
	a.ChildAttributes.Encode(e)
	a.DirAttributes.Encode(e)
}

// Decode reads the arguments.
func (a *GetDirDelegationArgs) Decode(d *oncrpc.Decoder) {
	a.SignalDelegAvail = d.Bool()
	a.NotificationTypes.Decode(d)
	a.ChildAttrDelay.Decode(d)
	a.DirAttrDelay.Decode(d)
	a.ChildAttributes.Decode(d)
	a.DirAttributes.Decode(d)
}
