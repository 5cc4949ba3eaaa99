// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// ShareAccess is what a client opens a file for, with its wishes for a delegation (RFC 8881 section 18.16).
type ShareAccess uint32

// The bits of a ShareAccess. The wish (want) is a number under ShareWantMask, not bits.
const (
	ShareAccessRead  ShareAccess = 0x1
	ShareAccessWrite ShareAccess = 0x2
	ShareAccessBoth  ShareAccess = 0x3

	ShareWantMask         ShareAccess = 0xff00
	ShareWantNoPreference ShareAccess = 0x0000
	ShareWantReadDeleg    ShareAccess = 0x0100
	ShareWantWriteDeleg   ShareAccess = 0x0200
	ShareWantAnyDeleg     ShareAccess = 0x0300
	ShareWantNoDeleg      ShareAccess = 0x0400
	ShareWantCancel       ShareAccess = 0x0500

	ShareWantSignalDelegWhenAvail     ShareAccess = 0x10000
	ShareWantPushDelegWhenUncontended ShareAccess = 0x20000
)

// Access returns the access alone.
func (s ShareAccess) Access() ShareAccess { return s & ShareAccessBoth }

// Want returns the wish for a delegation.
func (s ShareAccess) Want() ShareAccess { return s & ShareWantMask }

// ShareDeny is what an open refuses to the opens of others.
type ShareDeny uint32

// The bits of a ShareDeny.
const (
	ShareDenyNone  ShareDeny = 0x0
	ShareDenyRead  ShareDeny = 0x1
	ShareDenyWrite ShareDeny = 0x2
	ShareDenyBoth  ShareDeny = 0x3
)

// OpenType says whether OPEN may make the file (opentype4).
type OpenType uint32

// The types of OPEN.
const (
	OpenNoCreate   OpenType = 0
	OpenWithCreate OpenType = 1
)

// CreateMode says what OPEN does about a file that is there already (createmode4).
type CreateMode uint32

// The modes of creation.
const (
	CreateUnchecked    CreateMode = 0
	CreateGuarded      CreateMode = 1
	CreateExclusive    CreateMode = 2
	CreateExclusive4_1 CreateMode = 3
)

// OpenHow says whether and how OPEN makes the file (openflag4, createhow4).
type OpenHow struct {
	Type OpenType
	// Mode counts with OpenWithCreate.
	Mode CreateMode
	// Verifier counts with the two exclusive modes, Attrs with all but CreateExclusive.
	Verifier Verifier
	Attrs    Fattr
}

// Encode writes it.
func (h *OpenHow) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(h.Type))
	if h.Type != OpenWithCreate {
		return
	}
	e.Uint32(uint32(h.Mode))
	if h.Mode == CreateExclusive || h.Mode == CreateExclusive4_1 {
		e.Fixed(h.Verifier[:])
	}
	if h.Mode != CreateExclusive {
		h.Attrs.Encode(e)
	}
}

// Decode reads it.
func (h *OpenHow) Decode(d *oncrpc.Decoder) {
	*h = OpenHow{Type: OpenType(d.Uint32())}
	if h.Type != OpenWithCreate {
		return
	}
	h.Mode = CreateMode(d.Uint32())
	if h.Mode > CreateExclusive4_1 {
		d.Fail()
		return
	}
	if h.Mode == CreateExclusive || h.Mode == CreateExclusive4_1 {
		h.Verifier = decodeVerifier(d)
	}
	if h.Mode != CreateExclusive {
		h.Attrs.Decode(d)
	}
}

// ClaimType says by what right, and of which file, OPEN is (open_claim_type4).
type ClaimType uint32

// The types of claims.
const (
	ClaimNull         ClaimType = 0
	ClaimPrevious     ClaimType = 1
	ClaimDelegateCur  ClaimType = 2
	ClaimDelegatePrev ClaimType = 3
	ClaimFH           ClaimType = 4
	ClaimDelegCurFH   ClaimType = 5
	ClaimDelegPrevFH  ClaimType = 6
)

// OpenClaim is by what right, and of which file, OPEN is (open_claim4).
type OpenClaim struct {
	Type ClaimType
	// File counts with ClaimNull, ClaimDelegateCur and ClaimDelegatePrev.
	File []byte
	// DelegateType counts with ClaimPrevious.
	DelegateType DelegationType
	// DelegateStateid counts with ClaimDelegateCur and ClaimDelegCurFH.
	DelegateStateid Stateid
}

// Encode writes the claim.
func (c *OpenClaim) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(c.Type))
	switch c.Type {
	case ClaimNull, ClaimDelegatePrev:
		e.Opaque(c.File)
	case ClaimPrevious:
		e.Uint32(uint32(c.DelegateType))
	case ClaimDelegateCur:
		c.DelegateStateid.Encode(e)
		e.Opaque(c.File)
	case ClaimDelegCurFH:
		c.DelegateStateid.Encode(e)
	}
}

// Decode reads the claim.
func (c *OpenClaim) Decode(d *oncrpc.Decoder) {
	*c = OpenClaim{Type: ClaimType(d.Uint32())}
	switch c.Type {
	case ClaimNull, ClaimDelegatePrev:
		c.File = d.Opaque(maxName)
	case ClaimPrevious:
		c.DelegateType = DelegationType(d.Uint32())
	case ClaimDelegateCur:
		c.DelegateStateid.Decode(d)
		c.File = d.Opaque(maxName)
	case ClaimDelegCurFH:
		c.DelegateStateid.Decode(d)
	case ClaimFH, ClaimDelegPrevFH:
	default:
		d.Fail()
	}
}

// OpenArgs is OPEN4args.
type OpenArgs struct {
	// Seqid means nothing in a session.
	Seqid       uint32
	ShareAccess ShareAccess
	ShareDeny   ShareDeny
	Owner       StateOwner
	How         OpenHow
	Claim       OpenClaim
}

// Encode writes the arguments.
func (a *OpenArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(a.Seqid)
	e.Uint32(uint32(a.ShareAccess))
	e.Uint32(uint32(a.ShareDeny))
	a.Owner.Encode(e)
	a.How.Encode(e)
	a.Claim.Encode(e)
}

// Decode reads the arguments.
func (a *OpenArgs) Decode(d *oncrpc.Decoder) {
	a.Seqid = d.Uint32()
	a.ShareAccess = ShareAccess(d.Uint32())
	a.ShareDeny = ShareDeny(d.Uint32())
	a.Owner.Decode(d)
	a.How.Decode(d)
	a.Claim.Decode(d)
}

// OpenFlags are the result flags of OPEN (RFC 8881 section 18.16.2).
type OpenFlags uint32

// The result flags. OpenResultConfirm is of NFSv4.0.
const (
	OpenResultConfirm          OpenFlags = 0x02
	OpenResultLockTypePosix    OpenFlags = 0x04
	OpenResultPreserveUnlinked OpenFlags = 0x08
	OpenResultMayNotifyLock    OpenFlags = 0x20
)

// OpenRes is OPEN4resok.
type OpenRes struct {
	Stateid    Stateid
	CInfo      ChangeInfo
	RFlags     OpenFlags
	AttrSet    Bitmap
	Delegation Delegation
}

// Encode writes the results.
func (r *OpenRes) Encode(e *oncrpc.Encoder) {
	r.Stateid.Encode(e)
	r.CInfo.Encode(e)
	e.Uint32(uint32(r.RFlags))
	r.AttrSet.Encode(e)
	r.Delegation.Encode(e)
}

// Decode reads the results.
func (r *OpenRes) Decode(d *oncrpc.Decoder) {
	r.Stateid.Decode(d)
	r.CInfo.Decode(d)
	r.RFlags = OpenFlags(d.Uint32())
	r.AttrSet.Decode(d)
	r.Delegation.Decode(d)
}

// OpenDowngradeArgs is OPEN_DOWNGRADE4args.
type OpenDowngradeArgs struct {
	OpenStateid Stateid
	Seqid       uint32
	ShareAccess ShareAccess
	ShareDeny   ShareDeny
}

// Encode writes the arguments.
func (a *OpenDowngradeArgs) Encode(e *oncrpc.Encoder) {
	a.OpenStateid.Encode(e)
	e.Uint32(a.Seqid)
	e.Uint32(uint32(a.ShareAccess))
	e.Uint32(uint32(a.ShareDeny))
}

// Decode reads the arguments.
func (a *OpenDowngradeArgs) Decode(d *oncrpc.Decoder) {
	a.OpenStateid.Decode(d)
	a.Seqid = d.Uint32()
	a.ShareAccess = ShareAccess(d.Uint32())
	a.ShareDeny = ShareDeny(d.Uint32())
}

// OpenDowngradeRes is OPEN_DOWNGRADE4resok.
type OpenDowngradeRes struct{ OpenStateid Stateid }

// Encode writes the results.
func (r *OpenDowngradeRes) Encode(e *oncrpc.Encoder) { r.OpenStateid.Encode(e) }

// Decode reads the results.
func (r *OpenDowngradeRes) Decode(d *oncrpc.Decoder) { r.OpenStateid.Decode(d) }

// CloseArgs is CLOSE4args.
type CloseArgs struct {
	Seqid       uint32
	OpenStateid Stateid
}

// Encode writes the arguments.
func (a *CloseArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(a.Seqid)
	a.OpenStateid.Encode(e)
}

// Decode reads the arguments.
func (a *CloseArgs) Decode(d *oncrpc.Decoder) {
	a.Seqid = d.Uint32()
	a.OpenStateid.Decode(d)
}

// CloseRes is the OK arm of CLOSE4res. The stateid means nothing any more (RFC 8881 section 18.2.4).
type CloseRes struct{ OpenStateid Stateid }

// Encode writes the results.
func (r *CloseRes) Encode(e *oncrpc.Encoder) { r.OpenStateid.Encode(e) }

// Decode reads the results.
func (r *CloseRes) Decode(d *oncrpc.Decoder) { r.OpenStateid.Decode(d) }
