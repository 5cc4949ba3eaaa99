// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"context"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// Allocate reserves space for a range.
func (f *file) Allocate(_ context.Context, off, length uint64) error {
	if err := f.begin("Allocate", vfs.Write); err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	if length == 0 {
		return syscall.EINVAL
	}
	if err := within(off, length); err != nil {
		return err
	}
	more := f.n.content.missing(off, length)
	if err := f.m.room(more); err != nil {
		return err
	}
	f.m.used += more
	f.n.content.allocate(off, length)
	f.changed()
	return nil
}

// Deallocate makes a range a hole.
func (f *file) Deallocate(_ context.Context, off, length uint64) error {
	if err := f.begin("Deallocate", vfs.Write); err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	if length == 0 {
		return syscall.EINVAL
	}
	if err := within(off, length); err != nil {
		return err
	}
	f.m.used -= f.n.content.used()
	f.n.content.punch(off, off+length)
	f.m.used += f.n.content.used()
	f.changed()
	return nil
}

// Seek finds the next data or hole.
func (f *file) Seek(_ context.Context, what vfs.SeekWhat, off uint64) (at uint64, eof bool, err error) {
	if err := f.begin("Seek", 0); err != nil {
		return 0, false, err
	}
	defer f.m.mu.Unlock()
	if what != vfs.SeekData && what != vfs.SeekHole {
		return 0, false, syscall.EINVAL
	}
	c := &f.n.content
	if off >= c.size {
		return 0, false, syscall.ENXIO
	}
	at, found := c.next(what == vfs.SeekData, off)
	if !found {
		return c.size, true, nil
	}
	return at, false, nil
}

// CopyFrom copies a range of src.
func (f *file) CopyFrom(_ context.Context, src vfs.File, srcOff, off, length uint64) (n uint64, v vfs.Verifier, err error) {
	from, err := f.beginCopy("CopyFrom", src)
	if err != nil {
		return 0, v, err
	}
	defer f.m.mu.Unlock()
	if within(srcOff, length) != nil || within(off, length) != nil {
		return 0, f.m.verifier, syscall.EINVAL
	}
	if from.n == f.n && srcOff < off+length && off < srcOff+length {
		return 0, f.m.verifier, syscall.EINVAL
	}
	buf := make([]byte, 1<<20)
	for n < length && srcOff+n < from.n.content.size {
		piece := buf[:min(uint64(len(buf)), length-n)]
		piece = piece[:from.n.content.read(piece, srcOff+n)]
		if v, err = f.write(piece, off+n); err != nil {
			return n, v, err
		}
		n += uint64(len(piece))
	}
	return n, f.m.verifier, nil
}

// beginCopy is begin for an operation that also reads another File, which it returns.
func (f *file) beginCopy(label string, src vfs.File) (*file, error) {
	if err := f.begin(label, vfs.Write); err != nil {
		return nil, err
	}
	from, ours := src.(*file)
	err := error(syscall.EXDEV)
	if ours && from.m == f.m {
		err = from.usable(vfs.Read)
	}
	if err != nil {
		f.m.mu.Unlock()
	}
	return from, err
}

// CloneFrom shares pages of src.
func (f *file) CloneFrom(_ context.Context, src vfs.File, srcOff, off, length uint64) error {
	from, err := f.beginCopy("CloneFrom", src)
	if err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	if from.n.attr.Home != f.n.attr.Home {
		return syscall.EXDEV
	}
	size := from.n.content.size
	if length == 0 && srcOff <= size {
		length = size - srcOff
	}
	switch end := srcOff + length; {
	case within(srcOff, length) != nil || within(off, length) != nil || end > size:
		return syscall.EINVAL
	case srcOff%pageSize != 0 || off%pageSize != 0:
		return syscall.EINVAL
	case end%pageSize != 0 && (end != size || off+length < f.n.content.size):
		return syscall.EINVAL
	case from.n == f.n && srcOff < off+length && off < end:
		return syscall.EINVAL
	case length == 0:
		return nil
	}
	return f.clone(from, srcOff, off, length)
}

func (f *file) clone(from *file, srcOff, off, length uint64) error {
	if err := f.m.room(f.n.content.missing(off, length)); err != nil {
		return err
	}
	c := &f.n.content
	f.m.used -= c.used()
	c.punch(off, off+length)
	for i, page := range from.n.content.pages {
		if first := i * pageSize; first >= srcOff && first < srcOff+length {
			c.pages[(first-srcOff+off)/pageSize] = page
		}
	}
	c.size = max(c.size, off+length)
	f.m.used += c.used()
	f.changed()
	return nil
}
