// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import "github.com/hubhome/hubhome/oncrpc"

// ReadDirArgs is READDIR3args.
type ReadDirArgs struct {
	Dir    Handle
	Cookie uint64
	Verf   Verifier
	// Count is the longest result, in bytes.
	Count uint32
}

// Encode writes the arguments.
func (a *ReadDirArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.Dir)
	e.Uint64(a.Cookie)
	e.Fixed(a.Verf[:])
	e.Uint32(a.Count)
}

// Decode reads the arguments.
func (a *ReadDirArgs) Decode(d *oncrpc.Decoder) {
	a.Dir = d.Opaque(MaxHandle)
	a.Cookie = d.Uint64()
	a.Verf = decodeVerifier(d)
	a.Count = d.Uint32()
}

// ReadDirPlusArgs is READDIRPLUS3args.
type ReadDirPlusArgs struct {
	Dir    Handle
	Cookie uint64
	Verf   Verifier
	// DirCount is how many bytes of names, cookies and file ids are wanted, MaxCount the longest result, in bytes.
	DirCount, MaxCount uint32
}

// Encode writes the arguments.
func (a *ReadDirPlusArgs) Encode(e *oncrpc.Encoder) {
	e.Opaque(a.Dir)
	e.Uint64(a.Cookie)
	e.Fixed(a.Verf[:])
	e.Uint32(a.DirCount)
	e.Uint32(a.MaxCount)
}

// Decode reads the arguments.
func (a *ReadDirPlusArgs) Decode(d *oncrpc.Decoder) {
	a.Dir = d.Opaque(MaxHandle)
	a.Cookie = d.Uint64()
	a.Verf = decodeVerifier(d)
	a.DirCount = d.Uint32()
	a.MaxCount = d.Uint32()
}

// ReadDirHead is what comes before the entries in READDIR3res and READDIRPLUS3res. With Status OK, entries follow, each
// behind a TRUE, and behind them a FALSE and whether the directory has ended.
type ReadDirHead struct {
	Status Status
	Attr   PostOpAttr
	Verf   Verifier
}

// Encode writes the head.
func (h *ReadDirHead) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(h.Status))
	if h.Attr.Encode(e); h.Status == OK {
		e.Fixed(h.Verf[:])
	}
}

// Decode reads the head.
func (h *ReadDirHead) Decode(d *oncrpc.Decoder) {
	*h = ReadDirHead{Status: Status(d.Uint32())}
	h.Attr.Decode(d)
	if h.Status == OK {
		h.Verf = decodeVerifier(d)
	}
}

// DirEntry is one entry of a directory (entry3, entryplus3).
type DirEntry struct {
	FileID uint64
	Name   []byte
	Cookie uint64
	// Attr and Handle are of READDIRPLUS alone, and where the server says them.
	Attr   PostOpAttr
	Handle Handle
}

// Encode writes the entry, for READDIRPLUS with plus.
func (r *DirEntry) Encode(e *oncrpc.Encoder, plus bool) {
	e.Uint64(r.FileID)
	e.Opaque(r.Name)
	if e.Uint64(r.Cookie); plus {
		r.Attr.Encode(e)
		encodePostOpHandle(e, r.Handle)
	}
}

// Decode reads the entry, of READDIRPLUS with plus.
func (r *DirEntry) Decode(d *oncrpc.Decoder, plus bool) {
	*r = DirEntry{FileID: d.Uint64(), Name: d.Opaque(maxName), Cookie: d.Uint64()}
	if plus {
		r.Attr.Decode(d)
		r.Handle = decodePostOpHandle(d)
	}
}
