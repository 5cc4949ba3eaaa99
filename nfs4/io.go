// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// StableHow is how safe written data is (stable_how4), weakest first.
type StableHow uint32

// The stabilities.
const (
	Unstable StableHow = 0
	DataSync StableHow = 1
	FileSync StableHow = 2
)

// ReadArgs is READ4args.
type ReadArgs struct {
	Stateid Stateid
	Offset  uint64
	Count   uint32
}

// Encode writes the arguments.
func (a *ReadArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint32(a.Count)
}

// Decode reads the arguments.
func (a *ReadArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.Offset = d.Uint64()
	a.Count = d.Uint32()
}

// ReadRes is READ4resok. The server writes the same with ReadReply. Data aliases the message.
type ReadRes struct {
	EOF  bool
	Data []byte
}

// Encode writes the results.
func (r *ReadRes) Encode(e *oncrpc.Encoder) {
	e.Bool(r.EOF)
	e.Opaque(r.Data)
}

// Decode reads the results.
func (r *ReadRes) Decode(d *oncrpc.Decoder) {
	r.EOF = d.Bool()
	r.Data = d.Opaque(maxPayload)
}

// ReadReply writes READ4resok around data that is read right into the reply.
type ReadReply struct {
	e  *oncrpc.Encoder
	at int
}

// BeginRead writes the head of READ4resok, and returns room for count bytes of data. They are not cleared.
func BeginRead(e *oncrpc.Encoder, count int) (r ReadReply, data []byte) {
	r = ReadReply{e: e, at: e.Len()}
	e.Bool(false)
	e.Uint32(0)
	return r, e.Extend(count)
}

// End makes the first n bytes of the room the data, and gives back the rest.
func (r *ReadReply) End(n int, eof bool) {
	if eof {
		r.e.SetUint32(r.at, 1)
	}
	r.e.SetUint32(r.at+4, uint32(n))
	r.e.Truncate(r.at + 8 + n)
	r.e.Pad(n)
}

// WriteArgs is WRITE4args. Data aliases the message.
type WriteArgs struct {
	Stateid Stateid
	Offset  uint64
	Stable  StableHow
	Data    []byte
}

// Encode writes the arguments.
func (a *WriteArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint32(uint32(a.Stable))
	e.Opaque(a.Data)
}

// Decode reads the arguments.
func (a *WriteArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.Offset = d.Uint64()
	a.Stable = StableHow(d.Uint32())
	a.Data = d.Opaque(maxPayload)
}

// WriteRes is WRITE4resok.
type WriteRes struct {
	Count     uint32
	Committed StableHow
	WriteVerf Verifier
}

// Encode writes the results.
func (r *WriteRes) Encode(e *oncrpc.Encoder) {
	e.Uint32(r.Count)
	e.Uint32(uint32(r.Committed))
	e.Fixed(r.WriteVerf[:])
}

// Decode reads the results.
func (r *WriteRes) Decode(d *oncrpc.Decoder) {
	r.Count = d.Uint32()
	r.Committed = StableHow(d.Uint32())
	r.WriteVerf = decodeVerifier(d)
}

// CommitArgs is COMMIT4args. Count zero: to the end of the file.
type CommitArgs struct {
	Offset uint64
	Count  uint32
}

// Encode writes the arguments.
func (a *CommitArgs) Encode(e *oncrpc.Encoder) {
	e.Uint64(a.Offset)
	e.Uint32(a.Count)
}

// Decode reads the arguments.
func (a *CommitArgs) Decode(d *oncrpc.Decoder) {
	a.Offset = d.Uint64()
	a.Count = d.Uint32()
}

// CommitRes is COMMIT4resok.
type CommitRes struct{ WriteVerf Verifier }

// Encode writes the results.
func (r *CommitRes) Encode(e *oncrpc.Encoder) { e.Fixed(r.WriteVerf[:]) }

// Decode reads the results.
func (r *CommitRes) Decode(d *oncrpc.Decoder) { r.WriteVerf = decodeVerifier(d) }

// AllocateArgs is ALLOCATE4args.
type AllocateArgs struct {
	Stateid Stateid
	Offset  uint64
	Length  uint64
}

// Encode writes the arguments.
func (a *AllocateArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint64(a.Length)
}

// Decode reads the arguments.
func (a *AllocateArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.Offset = d.Uint64()
	a.Length = d.Uint64()
}

// DeallocateArgs is DEALLOCATE4args.
type DeallocateArgs struct {
	Stateid Stateid
	Offset  uint64
	Length  uint64
}

// Encode writes the arguments.
func (a *DeallocateArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint64(a.Length)
}

// Decode reads the arguments.
func (a *DeallocateArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.Offset = d.Uint64()
	a.Length = d.Uint64()
}

// Content is what a range of a file is (data_content4).
type Content uint32

// The contents.
const (
	ContentData Content = 0
	ContentHole Content = 1
)

// SeekArgs is SEEK4args.
type SeekArgs struct {
	Stateid Stateid
	Offset  uint64
	What    Content
}

// Encode writes the arguments.
func (a *SeekArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint32(uint32(a.What))
}

// Decode reads the arguments.
func (a *SeekArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.Offset = d.Uint64()
	a.What = Content(d.Uint32())
}

// SeekRes is seek_res4.
type SeekRes struct {
	EOF    bool
	Offset uint64
}

// Encode writes the results.
func (r *SeekRes) Encode(e *oncrpc.Encoder) {
	e.Bool(r.EOF)
	e.Uint64(r.Offset)
}

// Decode reads the results.
func (r *SeekRes) Decode(d *oncrpc.Decoder) {
	r.EOF = d.Bool()
	r.Offset = d.Uint64()
}

// ReadPlusArgs is READ_PLUS4args.
type ReadPlusArgs struct {
	Stateid Stateid
	Offset  uint64
	Count   uint32
}

// Encode writes the arguments.
func (a *ReadPlusArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint32(a.Count)
}

// Decode reads the arguments.
func (a *ReadPlusArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.Offset = d.Uint64()
	a.Count = d.Uint32()
}

// ReadPlusRes is read_plus_res4.
type ReadPlusRes struct {
	EOF      bool
	Contents []ReadPlusContent
}

// Encode writes the results.
func (r *ReadPlusRes) Encode(e *oncrpc.Encoder) {
	e.Bool(r.EOF)
	encodeArray(e, r.Contents)
}

// Decode reads the results.
func (r *ReadPlusRes) Decode(d *oncrpc.Decoder) {
	r.EOF = d.Bool()
	r.Contents = decodeArray[ReadPlusContent](d, maxElements, 16)
}

// ReadPlusContent is one range of a file, data or a hole (read_plus_content).
type ReadPlusContent struct {
	Content Content
	Offset  uint64
	// Data counts with ContentData and aliases the message, Length with ContentHole.
	Data   []byte
	Length uint64
}

// Encode writes the range.
func (c *ReadPlusContent) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(c.Content))
	e.Uint64(c.Offset)
	if c.Content == ContentHole {
		e.Uint64(c.Length)
	} else {
		e.Opaque(c.Data)
	}
}

// Decode reads the range.
func (c *ReadPlusContent) Decode(d *oncrpc.Decoder) {
	*c = ReadPlusContent{Content: Content(d.Uint32()), Offset: d.Uint64()}
	switch c.Content {
	case ContentData:
		c.Data = d.Opaque(maxPayload)
	case ContentHole:
		c.Length = d.Uint64()
	default:
		d.Fail()
	}
}

// The hints of IO_ADVISE are numbers in a Bitmap (IO_ADVISE_type4, RFC 7862 section 15.5). A server may take them or not.

// IOAdviseArgs is IO_ADVISE4args.
type IOAdviseArgs struct {
	Stateid Stateid
	Offset  uint64
	Count   uint64
	Hints   Bitmap
}

// Encode writes the arguments.
func (a *IOAdviseArgs) Encode(e *oncrpc.Encoder) {
	a.Stateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint64(a.Count)
	a.Hints.Encode(e)
}

// Decode reads the arguments.
func (a *IOAdviseArgs) Decode(d *oncrpc.Decoder) {
	a.Stateid.Decode(d)
	a.Offset = d.Uint64()
	a.Count = d.Uint64()
	a.Hints.Decode(d)
}

// IOAdviseRes is IO_ADVISE4resok: the hints that the server will follow.
type IOAdviseRes struct{ Hints Bitmap }

// Encode writes the results.
func (r *IOAdviseRes) Encode(e *oncrpc.Encoder) { r.Hints.Encode(e) }

// Decode reads the results.
func (r *IOAdviseRes) Decode(d *oncrpc.Decoder) { r.Hints.Decode(d) }
