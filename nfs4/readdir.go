// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// ReadDirArgs is READDIR4args. DirCount and MaxCount are bytes: of cookies and names alone, and of READDIR4resok in all.
type ReadDirArgs struct {
	Cookie      uint64
	CookieVerf  Verifier
	DirCount    uint32
	MaxCount    uint32
	AttrRequest Bitmap
}

// Encode writes the arguments.
func (a *ReadDirArgs) Encode(e *oncrpc.Encoder) {
	e.Uint64(a.Cookie)
	e.Fixed(a.CookieVerf[:])
	e.Uint32(a.DirCount)
	e.Uint32(a.MaxCount)
	a.AttrRequest.Encode(e)
}

// Decode reads the arguments.
func (a *ReadDirArgs) Decode(d *oncrpc.Decoder) {
	a.Cookie = d.Uint64()
	a.CookieVerf = decodeVerifier(d)
	a.DirCount = d.Uint32()
	a.MaxCount = d.Uint32()
	a.AttrRequest.Decode(d)
}

// ReadDirRes is READDIR4resok. The server writes the same entry by entry, with ReadDirReply.
type ReadDirRes struct {
	CookieVerf Verifier
	Entries    []DirEntry
	// EOF tells that no entry follows the last one.
	EOF bool
}

// DirEntry is one entry of a directory (entry4).
type DirEntry struct {
	Cookie uint64
	Name   []byte
	Attrs  Fattr
}

// Encode writes the results.
func (r *ReadDirRes) Encode(e *oncrpc.Encoder) {
	e.Fixed(r.CookieVerf[:])
	for i := range r.Entries {
		entry := &r.Entries[i]
		e.Bool(true)
		e.Uint64(entry.Cookie)
		e.Opaque(entry.Name)
		entry.Attrs.Encode(e)
	}
	e.Bool(false)
	e.Bool(r.EOF)
}

// Decode reads the results.
func (r *ReadDirRes) Decode(d *oncrpc.Decoder) {
	r.CookieVerf = decodeVerifier(d)
	r.Entries = nil
	for d.Bool() {
		entry := DirEntry{Cookie: d.Uint64(), Name: d.Opaque(maxName)}
		entry.Attrs.Decode(d)
		if d.Err() != nil {
			return
		}
		r.Entries = append(r.Entries, entry)
	}
	r.EOF = d.Bool()
}

// readDirEnd is the size of what End writes: two bools.
const readDirEnd = 8

// ReadDirReply writes READDIR4resok as entries come, within MaxCount. It copies names and attributes into the reply and
// allocates nothing.
type ReadDirReply struct {
	e *oncrpc.Encoder
	// limit is the greatest length of the encoder with all of the results in it.
	limit int
	count int
}

// BeginReadDir writes the head of READDIR4resok, which may be at most maxCount bytes long in all.
func BeginReadDir(e *oncrpc.Encoder, verf Verifier, maxCount int) ReadDirReply {
	r := ReadDirReply{e: e, limit: e.Len() + maxCount}
	e.Fixed(verf[:])
	return r
}

// Add writes an entry with those of its attributes that are wanted. It answers false, and writes nothing, where the
// entry does not fit.
func (r *ReadDirReply) Add(cookie uint64, name string, attrs *Attrs, want Bitmap) bool {
	at := r.e.Len()
	r.e.Bool(true)
	r.e.Uint64(cookie)
	r.e.String(name)
	attrs.Encode(r.e, want)
	if r.e.Len()+readDirEnd > r.limit {
		r.e.Truncate(at)
		return false
	}
	r.count++
	return true
}

// Count is how many entries were added. None, and not the end of the directory: NFS4ERR_TOOSMALL.
func (r *ReadDirReply) Count() int { return r.count }

// End writes the end of READDIR4resok.
func (r *ReadDirReply) End(eof bool) {
	r.e.Bool(false)
	r.e.Bool(eof)
}
