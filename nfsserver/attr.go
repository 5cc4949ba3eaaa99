// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"bytes"
	"math"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// newerAttrs are the attributes that minor version 1 does not have.
var newerAttrs = nfs4.AttrsOf(nfs4.AttrCloneBlkSize, nfs4.AttrChangeAttrType, nfs4.AttrModeUmask, nfs4.AttrXattrSupport)

// spaceAttrs are the attributes that take a look at the file system.
var spaceAttrs = nfs4.AttrsOf(nfs4.AttrFilesAvail, nfs4.AttrFilesFree, nfs4.AttrFilesTotal,
	nfs4.AttrSpaceAvail, nfs4.AttrSpaceFree, nfs4.AttrSpaceTotal)

// entryAttrs are the attributes that a directory entry has without a look at its file.
var entryAttrs = nfs4.AttrsOf(nfs4.AttrRdattrError, nfs4.AttrMountedOnFileID)

// settableAttrs can be given to SETATTR; a new file takes AttrModeUmask as well.
var settableAttrs = nfs4.AttrsOf(nfs4.AttrSize, nfs4.AttrMode, nfs4.AttrOwner, nfs4.AttrOwnerGroup,
	nfs4.AttrTimeAccessSet, nfs4.AttrTimeModifySet)

// exclusiveAttrs can be given to an OPEN with EXCLUSIVE4_1. The times are not among them: an FS may keep the verifier there.
var exclusiveAttrs = nfs4.AttrsOf(nfs4.AttrMode, nfs4.AttrOwner, nfs4.AttrOwnerGroup, nfs4.AttrModeUmask)

func (c *compound) supportedAttrs() nfs4.Bitmap {
	if c.minor == 1 {
		return nfs4.KnownAttrs.AndNot(newerAttrs)
	}
	return nfs4.KnownAttrs
}

// constants are the attributes that every file has alike.
func (c *compound) constants() nfs4.Attrs {
	supported := c.supportedAttrs()
	return nfs4.Attrs{
		Mask:              supported.AndNot(nfs4.WriteOnlyAttrs).AndNot(nfs4.AttrsOf(nfs4.AttrRdattrError)),
		SupportedAttrs:    supported,
		LinkSupport:       true,
		SymlinkSupport:    true,
		UniqueHandles:     true,
		LeaseTime:         uint32(c.s.options.Lease / time.Second),
		CanSetTime:        true,
		CasePreserving:    true,
		ChownRestricted:   true,
		Homogeneous:       true,
		MaxFileSize:       math.MaxInt64,
		MaxLink:           math.MaxUint16,
		MaxName:           vfs.MaxName,
		MaxRead:           maxIO,
		MaxWrite:          maxIO,
		NoTrunc:           true,
		TimeDelta:         nfs4.Time{Nsec: 1},
		SuppAttrExclCreat: exclusiveAttrs.And(supported),
		ChangeAttrType:    nfs4.ChangeMonotonicIncr,
		XattrSupport:      c.s.xattrs,
	}
}

var wireTypes = [...]nfs4.FileType{
	vfs.Regular:     nfs4.TypeReg,
	vfs.Directory:   nfs4.TypeDir,
	vfs.Symlink:     nfs4.TypeLnk,
	vfs.BlockDevice: nfs4.TypeBlk,
	vfs.CharDevice:  nfs4.TypeChr,
	vfs.Socket:      nfs4.TypeSock,
	vfs.FIFO:        nfs4.TypeFIFO,
}

// setFile fills in what is known of a file.
func (c *compound) setFile(a *nfs4.Attrs, v *vfs.Attr) {
	a.Type = wireTypes[v.Type]
	a.Change = v.Change
	a.Size = v.Size
	a.FSID = nfs4.FSID{Major: c.s.fsid}
	a.FileID, a.MountedOnFileID = v.FileID, v.FileID
	a.Mode = v.Mode
	a.NumLinks = v.Nlink
	a.Owner, a.OwnerGroup = nfs4.Owner{ID: v.UID}, nfs4.Owner{ID: v.GID}
	a.RawDev = nfs4.SpecData{Major: v.Rdev.Major, Minor: v.Rdev.Minor}
	a.SpaceUsed = v.Used
	a.TimeAccess, a.TimeModify, a.TimeMetadata = nfs4.TimeOf(v.Atime), nfs4.TimeOf(v.Mtime), nfs4.TimeOf(v.Ctime)
	if a.Mask.Set(nfs4.AttrTimeCreate); v.Birth.IsZero() {
		a.Mask = a.Mask.AndNot(nfs4.AttrsOf(nfs4.AttrTimeCreate))
	}
	a.TimeCreate = nfs4.TimeOf(v.Birth)
}

// setPseudo fills in what is known of a pseudo directory.
func (c *compound) setPseudo(a *nfs4.Attrs, d *pseudoDir) {
	a.Type = nfs4.TypeDir
	a.Change = uint64(c.now.since.UnixNano())
	a.Size = 4096
	a.FSID = nfs4.FSID{}
	a.FileID, a.MountedOnFileID = d.id, d.id
	a.Mode = 0o555
	a.NumLinks = 3
	t := nfs4.TimeOf(c.now.since)
	a.TimeAccess, a.TimeModify, a.TimeMetadata, a.TimeCreate = t, t, t, t
}

func setSpace(a *nfs4.Attrs, s *vfs.StatFS) {
	a.FilesAvail, a.FilesFree, a.FilesTotal = s.AvailFiles, s.FreeFiles, s.TotalFiles
	a.SpaceAvail, a.SpaceFree, a.SpaceTotal = s.AvailBytes, s.FreeBytes, s.TotalBytes
}

// fill answers want of a filehandle into c.attrs.
func (c *compound) fill(h *filehandle, want nfs4.Bitmap) nfs4.Status {
	c.attrs = c.constants()
	if want.Has(nfs4.AttrFilehandle) {
		c.attrs.Filehandle = h.wire(nil)
	}
	if h.kind == pseudoHandle {
		c.setPseudo(&c.attrs, h.pseudo)
	} else {
		v, err := c.s.options.FS.GetAttr(c.ctx, h.file)
		if err != nil {
			return c.status(err)
		}
		c.setFile(&c.attrs, &v)
		if want.Has(nfs4.AttrMountedOnFileID) && len(c.now.pseudo) > 0 {
			c.mountedOn(h)
		}
	}
	if want.And(spaceAttrs).Empty() {
		return nfs4.OK
	}
	of := h.file
	if h.kind == pseudoHandle {
		root, status := c.fsRoot()
		if status != nfs4.OK {
			return status
		}
		of = root.file
	}
	space, err := c.s.options.FS.StatFS(c.ctx, of)
	if err != nil {
		return c.status(err)
	}
	setSpace(&c.attrs, &space)
	return nfs4.OK
}

// mountedOn puts right the file id of what the FS's root covers: an entry in the last pseudo directory, which stands
// for it (RFC 8881 section 5.8.2.19).
func (c *compound) mountedOn(h *filehandle) {
	if root, err := c.s.options.FS.Root(c.ctx); err == nil && root == h.file {
		c.attrs.MountedOnFileID = pseudoID(c.now.BaseShare)
	}
}

// opGetAttr: RFC 8881 section 18.7.
func opGetAttr(c *compound) nfs4.Status {
	var a nfs4.GetAttrArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if c.cur.kind == noHandle {
		return nfs4.ErrNoFileHandle
	}
	if !a.AttrRequest.And(nfs4.WriteOnlyAttrs).And(c.supportedAttrs()).Empty() {
		return nfs4.ErrInval
	}
	if status := c.fill(&c.cur, a.AttrRequest); status != nfs4.OK {
		return status
	}
	c.attrs.Encode(c.res, a.AttrRequest)
	return nfs4.OK
}

// opAccess: RFC 8881 section 18.1.
func opAccess(c *compound) nfs4.Status {
	var a nfs4.AccessArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	const all = nfs4.AccessRead | nfs4.AccessLookup | nfs4.AccessModify | nfs4.AccessExtend | nfs4.AccessDelete | nfs4.AccessExecute
	known := all
	if c.minor >= 2 && c.s.xattrs {
		known |= nfs4.AccessXARead | nfs4.AccessXAWrite | nfs4.AccessXAList
	}
	var res nfs4.AccessRes
	switch c.cur.kind {
	case noHandle:
		return nfs4.ErrNoFileHandle
	case pseudoHandle:
		res.Supported = a.Access & all &^ nfs4.AccessExecute
		res.Access = a.Access & (nfs4.AccessRead | nfs4.AccessLookup)
	case fileHandle:
		v, err := c.s.options.FS.GetAttr(c.ctx, c.cur.file)
		if err != nil {
			return c.status(err)
		}
		meaning := known &^ (nfs4.AccessLookup | nfs4.AccessDelete)
		if v.Type == vfs.Directory {
			meaning = known &^ nfs4.AccessExecute
		}
		res.Supported = a.Access & meaning
		res.Access = res.Supported & permitted(vfs.Allowed(&c.caller, &v))
	}
	res.Encode(c.res)
	return nfs4.OK
}

// permitted is what mode bits permit, in the words of ACCESS.
func permitted(p vfs.Perm) (a nfs4.Access) {
	if p&vfs.MayRead != 0 {
		a |= nfs4.AccessRead | nfs4.AccessXARead | nfs4.AccessXAList
	}
	if p&vfs.MayWrite != 0 {
		a |= nfs4.AccessModify | nfs4.AccessExtend | nfs4.AccessDelete | nfs4.AccessXAWrite
	}
	if p&vfs.MayExec != 0 {
		a |= nfs4.AccessLookup | nfs4.AccessExecute
	}
	return a
}

// opVerify: RFC 8881 section 18.30.
func opVerify(c *compound) nfs4.Status {
	same, status := c.compare()
	if status == nfs4.OK && !same {
		return nfs4.ErrNotSame
	}
	return status
}

// opNVerify: RFC 8881 section 18.15.
func opNVerify(c *compound) nfs4.Status {
	same, status := c.compare()
	if status == nfs4.OK && same {
		return nfs4.ErrSame
	}
	return status
}

// compare compares attributes as they are on the wire.
func (c *compound) compare() (same bool, status nfs4.Status) {
	var a nfs4.VerifyArgs
	if a.Decode(c.args); c.malformed() {
		return false, nfs4.ErrBadXDR
	}
	if c.cur.kind == noHandle {
		return false, nfs4.ErrNoFileHandle
	}
	want := a.ObjAttributes.Mask
	if !want.AndNot(c.supportedAttrs()).Empty() {
		return false, nfs4.ErrAttrNotSupp
	}
	if !want.And(nfs4.WriteOnlyAttrs.Or(nfs4.AttrsOf(nfs4.AttrRdattrError))).Empty() {
		return false, nfs4.ErrInval
	}
	if status := c.fill(&c.cur, want); status != nfs4.OK {
		return false, status
	}
	c.attrs.Mask = c.attrs.Mask.And(want)
	ours := c.attrs.Fattr()
	return ours.Mask == want && bytes.Equal(ours.Vals, a.ObjAttributes.Vals), nfs4.OK
}

// settable reads attributes to set, of those that may be.
func (c *compound) settable(f *nfs4.Fattr, may nfs4.Bitmap) (set vfs.SetAttr, status nfs4.Status) {
	if !f.Mask.AndNot(c.supportedAttrs()).Empty() {
		return set, nfs4.ErrAttrNotSupp
	}
	if !f.Mask.AndNot(may).Empty() {
		return set, nfs4.ErrInval
	}
	a := &c.attrs
	if _, status := a.Decode(f); status != nfs4.OK {
		return set, status
	}
	if a.Mask.Has(nfs4.AttrSize) {
		if a.Size > math.MaxInt64 {
			return set, nfs4.ErrFBig
		}
		set.Size = &a.Size
	}
	mode := a.Mode
	if a.Mask.Has(nfs4.AttrModeUmask) {
		if a.Mask.Has(nfs4.AttrMode) {
			return set, nfs4.ErrInval
		}
		mode = a.ModeUmask.Mode &^ (a.ModeUmask.Umask & 0o777)
	}
	if a.Mask.Has(nfs4.AttrMode) || a.Mask.Has(nfs4.AttrModeUmask) {
		if mode&^0o7777 != 0 {
			return set, nfs4.ErrInval
		}
		set.Mode = &mode
	}
	if a.Mask.Has(nfs4.AttrOwner) {
		if a.Owner.Name != nil {
			return set, nfs4.ErrBadOwner
		}
		set.UID = &a.Owner.ID
	}
	if a.Mask.Has(nfs4.AttrOwnerGroup) {
		if a.OwnerGroup.Name != nil {
			return set, nfs4.ErrBadOwner
		}
		set.GID = &a.OwnerGroup.ID
	}
	if set.Atime, status = setTime(a.Mask.Has(nfs4.AttrTimeAccessSet), a.TimeAccessSet); status != nfs4.OK {
		return set, status
	}
	set.Mtime, status = setTime(a.Mask.Has(nfs4.AttrTimeModifySet), a.TimeModifySet)
	return set, status
}

func setTime(set bool, t nfs4.SetTime) (vfs.SetTime, nfs4.Status) {
	if !set {
		return vfs.SetTime{}, nfs4.OK
	}
	if t.How != nfs4.SetToClientTime {
		return vfs.SetTime{Set: true, Now: true}, nfs4.OK
	}
	if !t.Time.Valid() {
		return vfs.SetTime{}, nfs4.ErrInval
	}
	return vfs.SetTime{Set: true, Time: t.Time.Time()}, nfs4.OK
}

// opSetAttr: RFC 8881 section 18.30. A stateid that is open for writing permits a size whatever the mode has become.
func opSetAttr(c *compound) nfs4.Status {
	var a nfs4.SetAttrArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	status := c.setAttr(&a)
	res := nfs4.SetAttrRes{}
	if status == nfs4.OK {
		res.AttrsSet = a.ObjAttributes.Mask
	}
	res.Encode(c.res)
	c.keep = true
	return status
}

func (c *compound) setAttr(a *nfs4.SetAttrArgs) nfs4.Status {
	if status := c.writable(&c.cur); status != nfs4.OK {
		return status
	}
	set, status := c.settable(&a.ObjAttributes, settableAttrs)
	if status != nfs4.OK {
		return status
	}
	if set.Size != nil {
		use, status := c.beginIO(&c.cur, a.Stateid, vfs.Write)
		if status != nfs4.OK {
			return status
		}
		defer use.end()
		if use.open {
			if err := use.Truncate(c.ctx, *set.Size); err != nil {
				return c.ioError(err)
			}
			set.Size = nil
		}
	}
	if set == (vfs.SetAttr{}) {
		return nfs4.OK
	}
	_, err := c.s.options.FS.SetAttr(c.ctx, &c.caller, c.cur.file, set)
	return c.status(err)
}
