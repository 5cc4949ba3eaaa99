// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// Attrs are a file's attributes. Mask says which of the fields have a value. They are those that hubhome's server or
// client uses; KnownAttrs lists them.
type Attrs struct {
	Mask Bitmap

	SupportedAttrs    Bitmap
	Type              FileType
	FHExpireType      uint32
	Change            uint64
	Size              uint64
	LinkSupport       bool
	SymlinkSupport    bool
	NamedAttr         bool
	FSID              FSID
	UniqueHandles     bool
	LeaseTime         uint32 // seconds
	RdattrError       Status // in READDIR: why the entry has no other attributes
	ACLSupport        uint32 // zero: no ACLs
	CanSetTime        bool
	CaseInsensitive   bool
	CasePreserving    bool
	ChownRestricted   bool
	Filehandle        Handle
	FileID            uint64
	FilesAvail        uint64
	FilesFree         uint64
	FilesTotal        uint64
	Homogeneous       bool
	MaxFileSize       uint64
	MaxLink           uint32
	MaxName           uint32
	MaxRead           uint64
	MaxWrite          uint64
	Mode              uint32 // permission, set-id and sticky bits
	NoTrunc           bool
	NumLinks          uint32
	Owner             Owner
	OwnerGroup        Owner
	RawDev            SpecData
	SpaceAvail        uint64
	SpaceFree         uint64
	SpaceTotal        uint64
	SpaceUsed         uint64 // bytes on the disk
	TimeAccess        Time
	TimeAccessSet     SetTime
	TimeCreate        Time
	TimeDelta         Time
	TimeMetadata      Time
	TimeModify        Time
	TimeModifySet     SetTime
	MountedOnFileID   uint64
	SuppAttrExclCreat Bitmap
	FSCharsetCap      uint32
	CloneBlkSize      uint32
	ChangeAttrType    ChangeAttrType
	ModeUmask         ModeUmask
	XattrSupport      bool
}

// KnownAttrs are the attributes that Attrs has a field for.
var KnownAttrs = AttrsOf(
	AttrSupportedAttrs, AttrType, AttrFHExpireType, AttrChange, AttrSize, AttrLinkSupport, AttrSymlinkSupport,
	AttrNamedAttr, AttrFSID, AttrUniqueHandles, AttrLeaseTime, AttrRdattrError, AttrACLSupport, AttrCanSetTime,
	AttrCaseInsensitive, AttrCasePreserving, AttrChownRestricted, AttrFilehandle, AttrFileID, AttrFilesAvail,
	AttrFilesFree, AttrFilesTotal, AttrHomogeneous, AttrMaxFileSize, AttrMaxLink, AttrMaxName, AttrMaxRead,
	AttrMaxWrite, AttrMode, AttrNoTrunc, AttrNumLinks, AttrOwner, AttrOwnerGroup, AttrRawDev, AttrSpaceAvail,
	AttrSpaceFree, AttrSpaceTotal, AttrSpaceUsed, AttrTimeAccess, AttrTimeAccessSet, AttrTimeCreate, AttrTimeDelta,
	AttrTimeMetadata, AttrTimeModify, AttrTimeModifySet, AttrMountedOnFileID, AttrSuppAttrExclCreat,
	AttrFSCharsetCap, AttrCloneBlkSize, AttrChangeAttrType, AttrModeUmask, AttrXattrSupport,
)

// WriteOnlyAttrs can be set and not read (RFC 8881 section 5.5).
var WriteOnlyAttrs = AttrsOf(AttrTimeAccessSet, AttrTimeModifySet, AttrModeUmask)

// Fattr is attributes as they are on the wire (fattr4): which ones, and their values in ascending order of number.
// Keeping it so lets a receiver tell an attribute it does not support from a malformed message, and lets VERIFY compare
// bytes.
type Fattr struct {
	Mask Bitmap
	Vals []byte
}

// Encode writes the attributes.
func (f *Fattr) Encode(e *oncrpc.Encoder) {
	f.Mask.Encode(e)
	e.Opaque(f.Vals)
}

// Decode reads the attributes, without looking at the values.
func (f *Fattr) Decode(d *oncrpc.Decoder) {
	f.Mask.Decode(d)
	f.Vals = d.Opaque(maxAttrVals)
}

// Encode writes, as a fattr4, those of the attributes that are wanted. It allocates nothing.
func (a *Attrs) Encode(e *oncrpc.Encoder, want Bitmap) {
	mask := a.Mask.And(want).And(KnownAttrs)
	mask.Encode(e)
	at := e.Len()
	e.Uint32(0)
	a.encodeVals(e, mask)
	e.SetUint32(at, uint32(e.Len()-at-4))
}

// Fattr returns all the attributes as they are on the wire.
func (a *Attrs) Fattr() Fattr {
	mask := a.Mask.And(KnownAttrs)
	e := oncrpc.NewEncoder(nil)
	a.encodeVals(e, mask)
	return Fattr{Mask: mask, Vals: e.Bytes()}
}

// Decode reads attributes from the wire. Where there are some that Attrs has no field for, it answers
// NFS4ERR_ATTRNOTSUPP with them, and the others are not read; where the values are malformed, NFS4ERR_BADXDR.
func (a *Attrs) Decode(f *Fattr) (unknown Bitmap, status Status) {
	*a = Attrs{}
	if unknown = f.Mask.AndNot(KnownAttrs); !unknown.Empty() {
		return unknown, ErrAttrNotSupp
	}
	a.Mask = f.Mask
	var d oncrpc.Decoder
	d.Reset(f.Vals)
	for n := range a.Mask.All {
		a.decodeVal(&d, n)
	}
	if d.Err() != nil || d.Remaining() != 0 {
		*a = Attrs{}
		return Bitmap{}, ErrBadXDR
	}
	return Bitmap{}, OK
}

// encodeVals writes the values of the attributes in mask.
func (a *Attrs) encodeVals(e *oncrpc.Encoder, mask Bitmap) {
	for n := range mask.All {
		a.encodeVal(e, n)
	}
}

func (a *Attrs) encodeVal(e *oncrpc.Encoder, n Attr) {
	switch n {
	case AttrSupportedAttrs:
		a.SupportedAttrs.Encode(e)
	case AttrType:
		e.Uint32(uint32(a.Type))
	case AttrFHExpireType:
		e.Uint32(a.FHExpireType)
	case AttrChange:
		e.Uint64(a.Change)
	case AttrSize:
		e.Uint64(a.Size)
	case AttrLinkSupport:
		e.Bool(a.LinkSupport)
	case AttrSymlinkSupport:
		e.Bool(a.SymlinkSupport)
	case AttrNamedAttr:
		e.Bool(a.NamedAttr)
	case AttrFSID:
		e.Uint64(a.FSID.Major)
		e.Uint64(a.FSID.Minor)
	case AttrUniqueHandles:
		e.Bool(a.UniqueHandles)
	case AttrLeaseTime:
		e.Uint32(a.LeaseTime)
	case AttrRdattrError:
		e.Uint32(uint32(a.RdattrError))
	case AttrACLSupport:
		e.Uint32(a.ACLSupport)
	case AttrCanSetTime:
		e.Bool(a.CanSetTime)
	case AttrCaseInsensitive:
		e.Bool(a.CaseInsensitive)
	case AttrCasePreserving:
		e.Bool(a.CasePreserving)
	case AttrChownRestricted:
		e.Bool(a.ChownRestricted)
	case AttrFilehandle:
		e.Opaque(a.Filehandle)
	case AttrFileID:
		e.Uint64(a.FileID)
	case AttrFilesAvail:
		e.Uint64(a.FilesAvail)
	case AttrFilesFree:
		e.Uint64(a.FilesFree)
	case AttrFilesTotal:
		e.Uint64(a.FilesTotal)
	case AttrHomogeneous:
		e.Bool(a.Homogeneous)
	case AttrMaxFileSize:
		e.Uint64(a.MaxFileSize)
	case AttrMaxLink:
		e.Uint32(a.MaxLink)
	case AttrMaxName:
		e.Uint32(a.MaxName)
	case AttrMaxRead:
		e.Uint64(a.MaxRead)
	case AttrMaxWrite:
		e.Uint64(a.MaxWrite)
	case AttrMode:
		e.Uint32(a.Mode)
	case AttrNoTrunc:
		e.Bool(a.NoTrunc)
	case AttrNumLinks:
		e.Uint32(a.NumLinks)
	case AttrOwner:
		a.Owner.Encode(e)
	case AttrOwnerGroup:
		a.OwnerGroup.Encode(e)
	case AttrRawDev:
		a.RawDev.Encode(e)
	case AttrSpaceAvail:
		e.Uint64(a.SpaceAvail)
	case AttrSpaceFree:
		e.Uint64(a.SpaceFree)
	case AttrSpaceTotal:
		e.Uint64(a.SpaceTotal)
	case AttrSpaceUsed:
		e.Uint64(a.SpaceUsed)
	case AttrTimeAccess:
		a.TimeAccess.Encode(e)
	case AttrTimeAccessSet:
		a.TimeAccessSet.Encode(e)
	case AttrTimeCreate:
		a.TimeCreate.Encode(e)
	case AttrTimeDelta:
		a.TimeDelta.Encode(e)
	case AttrTimeMetadata:
		a.TimeMetadata.Encode(e)
	case AttrTimeModify:
		a.TimeModify.Encode(e)
	case AttrTimeModifySet:
		a.TimeModifySet.Encode(e)
	case AttrMountedOnFileID:
		e.Uint64(a.MountedOnFileID)
	case AttrSuppAttrExclCreat:
		a.SuppAttrExclCreat.Encode(e)
	case AttrFSCharsetCap:
		e.Uint32(a.FSCharsetCap)
	case AttrCloneBlkSize:
		e.Uint32(a.CloneBlkSize)
	case AttrChangeAttrType:
		e.Uint32(uint32(a.ChangeAttrType))
	case AttrModeUmask:
		e.Uint32(a.ModeUmask.Mode)
		e.Uint32(a.ModeUmask.Umask)
	case AttrXattrSupport:
		e.Bool(a.XattrSupport)
	}
}

func (a *Attrs) decodeVal(d *oncrpc.Decoder, n Attr) {
	switch n {
	case AttrSupportedAttrs:
		a.SupportedAttrs.Decode(d)
	case AttrType:
		a.Type = FileType(d.Uint32())
	case AttrFHExpireType:
		a.FHExpireType = d.Uint32()
	case AttrChange:
		a.Change = d.Uint64()
	case AttrSize:
		a.Size = d.Uint64()
	case AttrLinkSupport:
		a.LinkSupport = d.Bool()
	case AttrSymlinkSupport:
		a.SymlinkSupport = d.Bool()
	case AttrNamedAttr:
		a.NamedAttr = d.Bool()
	case AttrFSID:
		a.FSID = FSID{Major: d.Uint64(), Minor: d.Uint64()}
	case AttrUniqueHandles:
		a.UniqueHandles = d.Bool()
	case AttrLeaseTime:
		a.LeaseTime = d.Uint32()
	case AttrRdattrError:
		a.RdattrError = Status(d.Uint32())
	case AttrACLSupport:
		a.ACLSupport = d.Uint32()
	case AttrCanSetTime:
		a.CanSetTime = d.Bool()
	case AttrCaseInsensitive:
		a.CaseInsensitive = d.Bool()
	case AttrCasePreserving:
		a.CasePreserving = d.Bool()
	case AttrChownRestricted:
		a.ChownRestricted = d.Bool()
	case AttrFilehandle:
		a.Filehandle = decodeHandle(d)
	case AttrFileID:
		a.FileID = d.Uint64()
	case AttrFilesAvail:
		a.FilesAvail = d.Uint64()
	case AttrFilesFree:
		a.FilesFree = d.Uint64()
	case AttrFilesTotal:
		a.FilesTotal = d.Uint64()
	case AttrHomogeneous:
		a.Homogeneous = d.Bool()
	case AttrMaxFileSize:
		a.MaxFileSize = d.Uint64()
	case AttrMaxLink:
		a.MaxLink = d.Uint32()
	case AttrMaxName:
		a.MaxName = d.Uint32()
	case AttrMaxRead:
		a.MaxRead = d.Uint64()
	case AttrMaxWrite:
		a.MaxWrite = d.Uint64()
	case AttrMode:
		a.Mode = d.Uint32()
	case AttrNoTrunc:
		a.NoTrunc = d.Bool()
	case AttrNumLinks:
		a.NumLinks = d.Uint32()
	case AttrOwner:
		a.Owner.Decode(d)
	case AttrOwnerGroup:
		a.OwnerGroup.Decode(d)
	case AttrRawDev:
		a.RawDev.Decode(d)
	case AttrSpaceAvail:
		a.SpaceAvail = d.Uint64()
	case AttrSpaceFree:
		a.SpaceFree = d.Uint64()
	case AttrSpaceTotal:
		a.SpaceTotal = d.Uint64()
	case AttrSpaceUsed:
		a.SpaceUsed = d.Uint64()
	case AttrTimeAccess:
		a.TimeAccess.Decode(d)
	case AttrTimeAccessSet:
		a.TimeAccessSet.Decode(d)
	case AttrTimeCreate:
		a.TimeCreate.Decode(d)
	case AttrTimeDelta:
		a.TimeDelta.Decode(d)
	case AttrTimeMetadata:
		a.TimeMetadata.Decode(d)
	case AttrTimeModify:
		a.TimeModify.Decode(d)
	case AttrTimeModifySet:
		a.TimeModifySet.Decode(d)
	case AttrMountedOnFileID:
		a.MountedOnFileID = d.Uint64()
	case AttrSuppAttrExclCreat:
		a.SuppAttrExclCreat.Decode(d)
	case AttrFSCharsetCap:
		a.FSCharsetCap = d.Uint32()
	case AttrCloneBlkSize:
		a.CloneBlkSize = d.Uint32()
	case AttrChangeAttrType:
		a.ChangeAttrType = ChangeAttrType(d.Uint32())
	case AttrModeUmask:
		a.ModeUmask = ModeUmask{Mode: d.Uint32(), Umask: d.Uint32()}
	case AttrXattrSupport:
		a.XattrSupport = d.Bool()
	}
}
