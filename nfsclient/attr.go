// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"bytes"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// fileAttrs are the attributes that a vfs.Attr is made of.
var fileAttrs = nfs4.AttrsOf(nfs4.AttrType, nfs4.AttrChange, nfs4.AttrSize, nfs4.AttrFileID, nfs4.AttrMode,
	nfs4.AttrNumLinks, nfs4.AttrOwner, nfs4.AttrOwnerGroup, nfs4.AttrRawDev, nfs4.AttrSpaceUsed, nfs4.AttrTimeAccess,
	nfs4.AttrTimeCreate, nfs4.AttrTimeMetadata, nfs4.AttrTimeModify)

// neededAttrs are those without which nothing can be said of a file.
var neededAttrs = nfs4.AttrsOf(nfs4.AttrType, nfs4.AttrChange, nfs4.AttrSize)

var fileTypes = [...]vfs.Type{
	nfs4.TypeReg:  vfs.Regular,
	nfs4.TypeDir:  vfs.Directory,
	nfs4.TypeBlk:  vfs.BlockDevice,
	nfs4.TypeChr:  vfs.CharDevice,
	nfs4.TypeLnk:  vfs.Symlink,
	nfs4.TypeSock: vfs.Socket,
	nfs4.TypeFIFO: vfs.FIFO,
}

// attrs reads the result of GETATTR. It is valid until the next one, and until free.
func (q *request) attrs() *nfs4.Attrs {
	q.wire = nfs4.Attrs{}
	if q.result(nfs4.OpGetAttr) {
		var f nfs4.Fattr
		f.Decode(&q.reply.Decoder)
		q.decodeAttrs(&f)
	}
	return &q.wire
}

func (q *request) decodeAttrs(f *nfs4.Fattr) {
	if _, status := q.wire.Decode(f); status != nfs4.OK {
		q.reply.Fail()
	}
}

// attr reads the result of a GETATTR of fileAttrs.
func (q *request) attr() vfs.Attr {
	a := q.attrs()
	if q.failed != nfs4.OK || q.reply.Err() != nil {
		return vfs.Attr{}
	}
	return q.fileAttr(a)
}

// fileAttr makes what the contract knows of a file from what is on the wire.
func (q *request) fileAttr(a *nfs4.Attrs) vfs.Attr {
	if !neededAttrs.AndNot(a.Mask).Empty() || int(a.Type) >= len(fileTypes) || fileTypes[a.Type] == 0 {
		q.reply.Fail()
		return vfs.Attr{}
	}
	v := vfs.Attr{
		Type:   fileTypes[a.Type],
		Mode:   a.Mode & 0o7777,
		Nlink:  a.NumLinks,
		UID:    ownerID(&a.Owner),
		GID:    ownerID(&a.OwnerGroup),
		Size:   a.Size,
		Used:   spaceUsed(a),
		Rdev:   vfs.Device{Major: a.RawDev.Major, Minor: a.RawDev.Minor},
		FileID: a.FileID,
		Change: a.Change,
		Atime:  a.TimeAccess.Time(),
		Mtime:  a.TimeModify.Time(),
		Ctime:  a.TimeMetadata.Time(),
	}
	if a.Mask.Has(nfs4.AttrTimeCreate) {
		v.Birth = a.TimeCreate.Time()
	}
	return v
}

// spaceUsed is what a file takes, and where a server does not say how long it is: more is said by that than by nothing.
func spaceUsed(a *nfs4.Attrs) uint64 {
	if !a.Mask.Has(nfs4.AttrSpaceUsed) {
		return a.Size
	}
	return a.SpaceUsed
}

// ownerID returns the number of an owner. Of the names that a server may send in its place, only root is known here.
func ownerID(o *nfs4.Owner) uint32 {
	if o.Name == nil {
		return o.ID
	}
	if name, _, _ := bytes.Cut(o.Name, []byte("@")); string(name) == "root" {
		return 0
	}
	return vfs.Nobody
}

// entry reads the results of getEntry.
func (q *request) entry() vfs.Entry {
	h := q.handle()
	return vfs.Entry{Handle: h, Attr: q.attr()}
}

// handle reads the result of GETFH.
func (q *request) handle() vfs.Handle {
	var res nfs4.GetFHRes
	if q.result(nfs4.OpGetFH) {
		res.Decode(&q.reply.Decoder)
	}
	return vfs.Handle(res.Object)
}

// changeInfo reads a change_info4.
func (q *request) changeInfo() vfs.DirChange {
	var c nfs4.ChangeInfo
	c.Decode(&q.reply.Decoder)
	return vfs.DirChange{Before: c.Before, After: c.After, Atomic: c.Atomic}
}

// setAttrs makes what is on the wire of attributes to set.
func setAttrs(set *vfs.SetAttr) (a nfs4.Attrs) {
	if set.Size != nil {
		a.Mask.Set(nfs4.AttrSize)
		a.Size = *set.Size
	}
	if set.Mode != nil {
		a.Mask.Set(nfs4.AttrMode)
		a.Mode = *set.Mode
	}
	if set.UID != nil {
		a.Mask.Set(nfs4.AttrOwner)
		a.Owner = nfs4.Owner{ID: *set.UID}
	}
	if set.GID != nil {
		a.Mask.Set(nfs4.AttrOwnerGroup)
		a.OwnerGroup = nfs4.Owner{ID: *set.GID}
	}
	if set.Atime.Set {
		a.Mask.Set(nfs4.AttrTimeAccessSet)
		a.TimeAccessSet = setTime(set.Atime)
	}
	if set.Mtime.Set {
		a.Mask.Set(nfs4.AttrTimeModifySet)
		a.TimeModifySet = setTime(set.Mtime)
	}
	return a
}

func setTime(t vfs.SetTime) nfs4.SetTime {
	if t.Now {
		return nfs4.SetTime{How: nfs4.SetToServerTime}
	}
	return nfs4.SetTime{How: nfs4.SetToClientTime, Time: timeOf(t.Time)}
}

// timeOf is nfs4.TimeOf, with the zero time as the beginning of Unix time.
func timeOf(t time.Time) nfs4.Time {
	if t.IsZero() {
		return nfs4.Time{}
	}
	return nfs4.TimeOf(t)
}
