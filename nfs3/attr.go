// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import "github.com/hubhome/hubhome/oncrpc"

// FileType is ftype3.
type FileType uint32

// The types of files.
const (
	TypeReg  FileType = 1
	TypeDir  FileType = 2
	TypeBlk  FileType = 3
	TypeChr  FileType = 4
	TypeLnk  FileType = 5
	TypeSock FileType = 6
	TypeFIFO FileType = 7
)

// Attr is what is known of a file (fattr3).
type Attr struct {
	Type                FileType
	Mode, NLink         uint32
	UID, GID            uint32
	Size, Used          uint64
	Rdev                SpecData
	FSID, FileID        uint64
	Atime, Mtime, Ctime Time
}

// Encode writes the attributes.
func (a *Attr) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.Type))
	e.Uint32(a.Mode)
	e.Uint32(a.NLink)
	e.Uint32(a.UID)
	e.Uint32(a.GID)
	e.Uint64(a.Size)
	e.Uint64(a.Used)
	a.Rdev.Encode(e)
	e.Uint64(a.FSID)
	e.Uint64(a.FileID)
	a.Atime.Encode(e)
	a.Mtime.Encode(e)
	a.Ctime.Encode(e)
}

// Decode reads the attributes.
func (a *Attr) Decode(d *oncrpc.Decoder) {
	a.Type = FileType(d.Uint32())
	a.Mode = d.Uint32()
	a.NLink = d.Uint32()
	a.UID = d.Uint32()
	a.GID = d.Uint32()
	a.Size = d.Uint64()
	a.Used = d.Uint64()
	a.Rdev.Decode(d)
	a.FSID = d.Uint64()
	a.FileID = d.Uint64()
	a.Atime.Decode(d)
	a.Mtime.Decode(d)
	a.Ctime.Decode(d)
}

// PostOpAttr is the attributes of a file after an operation, where the server says them (post_op_attr).
type PostOpAttr struct {
	Follows bool
	Attr    Attr
}

// Encode writes the attributes, where there are any.
func (a *PostOpAttr) Encode(e *oncrpc.Encoder) {
	if e.Bool(a.Follows); a.Follows {
		a.Attr.Encode(e)
	}
}

// Decode reads the attributes, where there are any.
func (a *PostOpAttr) Decode(d *oncrpc.Decoder) {
	*a = PostOpAttr{Follows: d.Bool()}
	if a.Follows {
		a.Attr.Decode(d)
	}
}

// WccAttr is what tells whether a file was changed (wcc_attr).
type WccAttr struct {
	Size         uint64
	Mtime, Ctime Time
}

// WccData is a file's attributes before and after an operation, where the server says them (wcc_data).
type WccData struct {
	// BeforeFollows tells that there is Before: the server looked at the file in one step with the change of it.
	BeforeFollows bool
	Before        WccAttr
	After         PostOpAttr
}

// Encode writes what there is.
func (w *WccData) Encode(e *oncrpc.Encoder) {
	if e.Bool(w.BeforeFollows); w.BeforeFollows {
		e.Uint64(w.Before.Size)
		w.Before.Mtime.Encode(e)
		w.Before.Ctime.Encode(e)
	}
	w.After.Encode(e)
}

// Decode reads what there is.
func (w *WccData) Decode(d *oncrpc.Decoder) {
	*w = WccData{BeforeFollows: d.Bool()}
	if w.BeforeFollows {
		w.Before.Size = d.Uint64()
		w.Before.Mtime.Decode(d)
		w.Before.Ctime.Decode(d)
	}
	w.After.Decode(d)
}

// TimeHow is how a time is set (time_how).
type TimeHow uint32

// The ways to set a time.
const (
	DontChange      TimeHow = 0
	SetToServerTime TimeHow = 1
	SetToClientTime TimeHow = 2
)

// SetTime is a time to set (set_atime, set_mtime).
type SetTime struct {
	How TimeHow
	// Time is what to set with SetToClientTime.
	Time Time
}

// Encode writes the time to set.
func (t SetTime) Encode(e *oncrpc.Encoder) {
	if e.Uint32(uint32(t.How)); t.How == SetToClientTime {
		t.Time.Encode(e)
	}
}

// Decode reads the time to set.
func (t *SetTime) Decode(d *oncrpc.Decoder) {
	*t = SetTime{How: TimeHow(d.Uint32())}
	switch t.How {
	case DontChange, SetToServerTime:
	case SetToClientTime:
		t.Time.Decode(d)
	default:
		d.Fail()
	}
}

// SetAttr is what to set of a file (sattr3). A nil field stays as it is.
type SetAttr struct {
	Mode, UID, GID *uint32
	Size           *uint64
	Atime, Mtime   SetTime
}

// Encode writes what to set.
func (s *SetAttr) Encode(e *oncrpc.Encoder) {
	for _, v := range []*uint32{s.Mode, s.UID, s.GID} {
		if e.Bool(v != nil); v != nil {
			e.Uint32(*v)
		}
	}
	if e.Bool(s.Size != nil); s.Size != nil {
		e.Uint64(*s.Size)
	}
	s.Atime.Encode(e)
	s.Mtime.Encode(e)
}

// Decode reads what to set.
func (s *SetAttr) Decode(d *oncrpc.Decoder) {
	*s = SetAttr{}
	for _, field := range []**uint32{&s.Mode, &s.UID, &s.GID} {
		if d.Bool() {
			v := d.Uint32()
			*field = &v
		}
	}
	if d.Bool() {
		v := d.Uint64()
		s.Size = &v
	}
	s.Atime.Decode(d)
	s.Mtime.Decode(d)
}
