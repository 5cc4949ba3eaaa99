// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"math/bits"

	"github.com/hubhome/hubhome/oncrpc"
)

// Bitmap is a set of small numbers, mostly of attributes (bitmap4). The zero value is empty. It is comparable.
//
// Every number that the RFCs give out fits. A longer bitmap is read without error: whatever is in the words beyond is
// remembered as the number Beyond, which names nothing.
type Bitmap [bitmapWords]uint32

const bitmapWords = 3

// Beyond is in a Bitmap that was decoded from one with numbers that do not fit.
const Beyond = bitmapWords*32 - 1

// maxBitmapWords is the longest bitmap that is read.
const maxBitmapWords = 64

// AttrsOf returns the set of some attributes.
func AttrsOf(attrs ...Attr) (b Bitmap) {
	for _, a := range attrs {
		b.Set(a)
	}
	return b
}

// Has tells whether an attribute is in the set.
func (b Bitmap) Has(a Attr) bool { return b.bit(uint32(a)) }

// HasOp tells whether an operation is in the set (RFC 8881 section 18.35.3, state_protect_ops4).
func (b Bitmap) HasOp(o Op) bool { return b.bit(uint32(o)) }

func (b Bitmap) bit(n uint32) bool { return n <= Beyond && b[n/32]&(1<<(n%32)) != 0 }

// Set adds an attribute, one of those this package names.
func (b *Bitmap) Set(a Attr) { b[a/32] |= 1 << (a % 32) }

// SetOp adds an operation, one of those this package names but OpIllegal.
func (b *Bitmap) SetOp(o Op) { b[o/32] |= 1 << (o % 32) }

// Empty tells whether nothing is in the set.
func (b Bitmap) Empty() bool { return b == Bitmap{} }

// And returns what is in both sets.
func (b Bitmap) And(c Bitmap) Bitmap { return Bitmap{b[0] & c[0], b[1] & c[1], b[2] & c[2]} }

// Or returns what is in either set.
func (b Bitmap) Or(c Bitmap) Bitmap { return Bitmap{b[0] | c[0], b[1] | c[1], b[2] | c[2]} }

// AndNot returns what is in b and not in c.
func (b Bitmap) AndNot(c Bitmap) Bitmap { return Bitmap{b[0] &^ c[0], b[1] &^ c[1], b[2] &^ c[2]} }

// All calls fn for each number in the set, in ascending order, until it returns false. It is an iter.Seq.
func (b Bitmap) All(fn func(Attr) bool) {
	for i, word := range b {
		for ; word != 0; word &= word - 1 {
			if !fn(Attr(i*32 + bits.TrailingZeros32(word))) {
				return
			}
		}
	}
}

// Encode writes the bitmap, without words of zero at its end.
func (b Bitmap) Encode(e *oncrpc.Encoder) {
	n := bitmapWords
	for n > 0 && b[n-1] == 0 {
		n--
	}
	e.Uint32(uint32(n))
	for _, word := range b[:n] {
		e.Uint32(word)
	}
}

// Decode reads a bitmap.
func (b *Bitmap) Decode(d *oncrpc.Decoder) {
	*b = Bitmap{}
	for i := range d.Count(maxBitmapWords, 4) {
		switch word := d.Uint32(); {
		case i < bitmapWords:
			b[i] = word
		case word != 0:
			b[Beyond/32] |= 1 << (Beyond % 32)
		}
	}
}
