// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"maps"
	"slices"
)

// pageSize is the unit in which content has data or a hole, in bytes.
const pageSize = 4 << 10

// content is a regular file's data: pages, and holes where there are none. A nil page is allocated and reads as zeros.
// A page's bytes are never changed, only the page exchanged, so that copies of the map may share them. What lies beyond
// the size in a page is zero.
type content struct {
	size  uint64
	pages map[uint64][]byte
	// synced is what a crash would leave, where that is not all; nil where it is.
	synced *content
}

// used is what the content takes, in bytes.
func (c *content) used() uint64 { return uint64(len(c.pages)) * pageSize }

// dirty tells whether a crash would lose anything.
func (c *content) dirty() bool { return c.synced != nil }

// sync makes all of the content safe from a crash.
func (c *content) sync() { c.synced = nil }

// revert goes back to what was synced.
func (c *content) revert() {
	if c.synced != nil {
		*c = *c.synced
	}
}

// change is called before every change that a crash may undo.
func (c *content) change() {
	if c.synced == nil {
		c.synced = &content{size: c.size, pages: maps.Clone(c.pages)}
	}
	if c.pages == nil {
		c.pages = map[uint64][]byte{}
	}
}

// missing is how many bytes more the content would take if a range of bytes had no hole.
func (c *content) missing(off, length uint64) (bytes uint64) {
	if length == 0 {
		return 0
	}
	first, last := off/pageSize, (off+length-1)/pageSize
	if last-first >= capacity/pageSize {
		return capacity + 1 // more than there can ever be room for
	}
	for i := first; i <= last; i++ {
		if _, there := c.pages[i]; !there {
			bytes += pageSize
		}
	}
	return bytes
}

// read fills p from off, which is within the size, with what is there.
func (c *content) read(p []byte, off uint64) (n int) {
	p = p[:min(uint64(len(p)), c.size-off)]
	for n < len(p) {
		i, at := (off+uint64(n))/pageSize, (off+uint64(n))%pageSize
		piece := p[n:min(len(p), n+int(pageSize-at))]
		if page := c.pages[i]; page != nil {
			copy(piece, page[at:])
		} else {
			clear(piece)
		}
		n += len(piece)
	}
	return n
}

// write puts p at off.
func (c *content) write(p []byte, off uint64) {
	c.change()
	for n := 0; n < len(p); {
		i, at := (off+uint64(n))/pageSize, (off+uint64(n))%pageSize
		page := c.copyPage(i)
		n += copy(page[at:], p[n:])
		c.pages[i] = page
	}
	c.size = max(c.size, off+uint64(len(p)))
}

// copyPage returns a page that may be changed before it is put in place of the one that is there.
func (c *content) copyPage(i uint64) []byte {
	if page := c.pages[i]; page != nil {
		return slices.Clone(page)
	}
	return make([]byte, pageSize)
}

// allocate fills the holes of a range, and grows the content to its end.
func (c *content) allocate(off, length uint64) {
	c.change()
	for i := off / pageSize; i <= (off+length-1)/pageSize; i++ {
		if _, there := c.pages[i]; !there {
			c.pages[i] = nil
		}
	}
	c.size = max(c.size, off+length)
}

// truncate cuts or grows the content.
func (c *content) truncate(size uint64) {
	c.change()
	if size < c.size {
		c.punch(size, c.size)
	}
	c.size = size
}

// punch makes the bytes from off to end read as zeros, and a hole where they fill pages. A page that only reaches
// beyond the size is filled as well.
func (c *content) punch(off, end uint64) {
	c.change()
	for i := range c.pages {
		first, last := i*pageSize, (i+1)*pageSize
		switch {
		case last <= off || first >= end:
		case off <= first && (end >= last || end >= c.size):
			delete(c.pages, i)
		case c.pages[i] != nil:
			page := c.copyPage(i)
			clear(page[max(off, first)-first : min(end, last)-first])
			c.pages[i] = page
		}
	}
}

// next returns the start of the first page with data (or the first hole) at or after off; off itself where it is in one.
func (c *content) next(data bool, off uint64) (at uint64, found bool) {
	if data {
		var pages []uint64
		for i := range c.pages {
			if (i+1)*pageSize > off && i*pageSize < c.size {
				pages = append(pages, i)
			}
		}
		if len(pages) == 0 {
			return 0, false
		}
		return max(off, slices.Min(pages)*pageSize), true
	}
	for i := off / pageSize; i*pageSize < c.size; i++ {
		if _, there := c.pages[i]; !there {
			return max(off, i*pageSize), true
		}
	}
	return 0, false
}
