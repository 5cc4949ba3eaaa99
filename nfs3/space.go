// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import "github.com/hubhome/hubhome/oncrpc"

// FSStatRes is FSSTAT3res: bytes and files, in all, free, and free for the caller.
type FSStatRes struct {
	Status                            Status
	Attr                              PostOpAttr
	TotalBytes, FreeBytes, AvailBytes uint64
	TotalFiles, FreeFiles, AvailFiles uint64
	// Invarsec is for how many seconds the server expects that to stay.
	Invarsec uint32
}

// Encode writes the results.
func (r *FSStatRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	r.Attr.Encode(e)
	if r.Status != OK {
		return
	}
	for _, v := range []uint64{r.TotalBytes, r.FreeBytes, r.AvailBytes, r.TotalFiles, r.FreeFiles, r.AvailFiles} {
		e.Uint64(v)
	}
	e.Uint32(r.Invarsec)
}

// Decode reads the results.
func (r *FSStatRes) Decode(d *oncrpc.Decoder) {
	*r = FSStatRes{Status: Status(d.Uint32())}
	r.Attr.Decode(d)
	if r.Status != OK {
		return
	}
	for _, v := range []*uint64{&r.TotalBytes, &r.FreeBytes, &r.AvailBytes, &r.TotalFiles, &r.FreeFiles, &r.AvailFiles} {
		*v = d.Uint64()
	}
	r.Invarsec = d.Uint32()
}

// The properties of a file system (RFC 1813 section 3.3.19).
const (
	FSFLink        = 0x0001
	FSFSymlink     = 0x0002
	FSFHomogeneous = 0x0008
	FSFCanSetTime  = 0x0010
)

// FSInfoRes is FSINFO3res: what the server can take at once, in bytes, as most, as it likes best, and in multiples of.
type FSInfoRes struct {
	Status                Status
	Attr                  PostOpAttr
	RTMax, RTPref, RTMult uint32
	WTMax, WTPref, WTMult uint32
	// DTPref is how much of a directory to ask for at once.
	DTPref      uint32
	MaxFileSize uint64
	// TimeDelta is the finest time that the server keeps.
	TimeDelta  Time
	Properties uint32
}

// Encode writes the results.
func (r *FSInfoRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(r.Status))
	r.Attr.Encode(e)
	if r.Status != OK {
		return
	}
	for _, v := range []uint32{r.RTMax, r.RTPref, r.RTMult, r.WTMax, r.WTPref, r.WTMult, r.DTPref} {
		e.Uint32(v)
	}
	e.Uint64(r.MaxFileSize)
	r.TimeDelta.Encode(e)
	e.Uint32(r.Properties)
}

// Decode reads the results.
func (r *FSInfoRes) Decode(d *oncrpc.Decoder) {
	*r = FSInfoRes{Status: Status(d.Uint32())}
	r.Attr.Decode(d)
	if r.Status != OK {
		return
	}
	for _, v := range []*uint32{&r.RTMax, &r.RTPref, &r.RTMult, &r.WTMax, &r.WTPref, &r.WTMult, &r.DTPref} {
		*v = d.Uint32()
	}
	r.MaxFileSize = d.Uint64()
	r.TimeDelta.Decode(d)
	r.Properties = d.Uint32()
}
