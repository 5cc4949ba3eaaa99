// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"
	"math"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// spacious is a File that tells what it takes without being found again, and of its attributes what matters for that.
type spacious interface {
	Space(ctx context.Context) (vfs.Attr, error)
}

// file is an open File that is charged.
type file struct {
	vfs.File
	l     *Ledger
	inode *inode
	write bool
	look  look
}

// file wraps a File. The inode is held as open.
func (f *FS) file(inner vfs.File, n *inode, access vfs.Access) *file {
	o := &file{File: inner, l: f.l, inode: n, write: access&vfs.Write != 0, look: f.l.byHandle(n)}
	if s, ok := inner.(spacious); ok {
		o.look = s.Space
	}
	return o
}

// Close gives back what the File holds, and with the last one of a removed file its charge.
func (o *file) Close() error {
	if o.write {
		o.l.collect(o.inode) // which may be by a look through this File
	}
	err := o.File.Close()
	o.l.closed(context.Background(), o.inode)
	return err
}

// span is how much a range of a file can take, in bytes.
func span(off, length uint64) int64 {
	if length == 0 || off > math.MaxInt64 || length > math.MaxInt64-off-block {
		return 0 // what no file can have is refused by who is asked for it
	}
	return int64(blocks(off+length) - off&^(block-1))
}

// long returns the file where it is too long, when it has grown to a size, to be one that the reserve is for.
func (o *file) long(size uint64) *inode {
	o.inode.mu.Lock()
	defer o.inode.mu.Unlock()
	if max(size, o.inode.size) <= uint64(o.l.reserve.Load().File) {
		return nil
	}
	return o.inode
}

// begin begins an operation that fills a range of the file. It reserves for all of it; if that is more than there is, only
// for what the range does not have yet. n is how much of the range may be filled: where short is set and not all fits, that
// is as much as does.
func (o *file) begin(ctx context.Context, off, length uint64, short bool) (p op, n uint64, err error) {
	if !o.write {
		return op{}, length, nil // the File itself answers EBADF
	}
	if err := o.l.record(ctx, o.inode, o.look); err != nil {
		return op{}, 0, err
	}
	need := span(off, length)
	p, err = o.l.admit(o.inode.a, Usage{Bytes: need}, nil, nil)
	if err != syscall.EDQUOT {
		return p, length, err
	}
	defer o.l.strict(o.inode.a, Usage{Bytes: need})()
	long := o.long(off + length)
	p, err = o.l.begin(o.inode.a, Usage{Bytes: need}, long)
	if err != syscall.EDQUOT {
		return p, length, err
	}
	if missing := o.missing(ctx, off, length); missing < need {
		need = missing
		if p, err = o.l.begin(o.inode.a, Usage{Bytes: need}, long); err != syscall.EDQUOT {
			return p, length, err
		}
	}
	// As much of it as fits, in whole blocks: the client asks again for the rest, and is told then.
	if fits := uint64(o.inode.a.room()) &^ (block - 1); short && fits > 0 {
		if end := off&^(block-1) + fits; end > off && end < off+length {
			if p, err = o.l.begin(o.inode.a, Usage{Bytes: span(off, end-off)}, long); err == nil {
				return p, end - off, nil
			}
		}
	}
	o.inode.a.deny(Usage{Bytes: need})
	return op{}, 0, err
}

// missing is how much a range of the file does not have yet, in bytes: nothing is taken for what is written again. What
// cannot be found out counts as missing.
func (o *file) missing(ctx context.Context, off, length uint64) (missing int64) {
	o.inode.mu.Lock()
	size, full := o.inode.size, o.inode.full
	o.inode.mu.Unlock()
	end := off + length
	if off >= size || end < off {
		return span(off, length)
	}
	if end > blocks(size) {
		missing = span(blocks(size), end-blocks(size))
		end = blocks(size)
	}
	if full {
		return missing // also where it was only allocated, which Seek takes for a hole
	}
	for at := off; at < end; {
		data, eof, err := o.Seek(ctx, vfs.SeekData, at)
		if err != nil || eof || data >= end {
			return missing + span(at, end-at)
		}
		if data > at {
			missing += span(at, data-at)
		}
		if at, eof, err = o.Seek(ctx, vfs.SeekHole, data); err != nil {
			return missing + span(data, end-data)
		}
		if eof {
			break
		}
	}
	return missing
}

// settle ends an operation that began.
func (o *file) settle(ctx context.Context, p op) {
	if p.a == nil {
		return
	}
	p.due(o.inode, o.look)
	if _, err := o.l.settle(ctx, o.inode, o.look, false); err != nil {
		p.a.doubt()
	}
	p.wrote = true
	o.l.end(&p)
}

// WriteAt writes: EDQUOT where nothing of it may be written, and less than all of p where a part may.
func (o *file) WriteAt(ctx context.Context, p []byte, off uint64, want vfs.Stability) (n int, did vfs.Stability, v vfs.Verifier, err error) {
	op, length, err := o.begin(ctx, off, uint64(len(p)), true)
	if err != nil {
		return 0, vfs.Unstable, v, err
	}
	n, did, v, err = o.File.WriteAt(ctx, p[:length], off, want)
	if want == vfs.Unstable || err != nil { // a part may be written that is not synced
		o.inode.written.Add(1) // not before: a Commit would take it for synced
	}
	if err != nil || want != vfs.Unstable || !o.l.owe(&op, o.inode, o.look, off+uint64(len(p))) {
		o.settle(ctx, op)
	}
	return n, did, v, err
}

// Commit syncs the file. The file system has found a place for all of its data then.
func (o *file) Commit(ctx context.Context) (vfs.Verifier, error) {
	written := o.inode.written.Load()
	v, err := o.File.Commit(ctx)
	if err != nil || !o.inode.recorded.Load() {
		return v, err
	}
	if _, err := o.l.settle(ctx, o.inode, o.look, false); err != nil {
		o.inode.a.doubt()
		return v, nil
	}
	o.inode.sync(written)
	return v, nil
}

// change runs a change that takes nothing, or gives something back.
func (o *file) change(ctx context.Context, do func() error) error {
	if !o.write {
		return do()
	}
	if err := o.l.record(ctx, o.inode, o.look); err != nil {
		return err
	}
	op, err := o.l.begin(o.inode.a, Usage{}, nil)
	if err != nil {
		return err
	}
	err = do()
	o.inode.written.Add(1)
	o.settle(ctx, op)
	return err
}

// Truncate sets the size. It works whatever the quota: a file that grows so has a hole at its end.
func (o *file) Truncate(ctx context.Context, size uint64) error {
	return o.change(ctx, func() error { return o.File.Truncate(ctx, size) })
}

// Deallocate makes a hole.
func (o *file) Deallocate(ctx context.Context, off, length uint64) error {
	return o.change(ctx, func() error { return o.File.Deallocate(ctx, off, length) })
}

// Allocate reserves space: EDQUOT where there is less.
func (o *file) Allocate(ctx context.Context, off, length uint64) error {
	op, _, err := o.begin(ctx, off, length, false)
	if err != nil {
		return err
	}
	err = o.File.Allocate(ctx, off, length)
	o.inode.written.Add(1)
	o.settle(ctx, op)
	return err
}

// CopyFrom copies: EDQUOT where there is no room for all of it.
func (o *file) CopyFrom(ctx context.Context, src vfs.File, srcOff, off, length uint64) (n uint64, v vfs.Verifier, err error) {
	from, ok := src.(*file)
	if !ok {
		return 0, v, syscall.EXDEV
	}
	op, _, err := o.begin(ctx, off, length, false)
	if err != nil {
		return 0, v, err
	}
	n, v, err = o.File.CopyFrom(ctx, from.File, srcOff, off, length)
	o.inode.written.Add(1)
	o.settle(ctx, op)
	return n, v, err
}

// CloneFrom shares blocks, for which the file is charged as for its own.
func (o *file) CloneFrom(ctx context.Context, src vfs.File, srcOff, off, length uint64) error {
	from, ok := src.(*file)
	if !ok {
		return syscall.EXDEV
	}
	fill := length
	if fill == 0 {
		a, err := from.look(ctx)
		if err != nil {
			return err
		}
		fill = a.Size - min(a.Size, srcOff)
	}
	op, _, err := o.begin(ctx, off, fill, false)
	if err != nil {
		return err
	}
	err = o.File.CloneFrom(ctx, from.File, srcOff, off, length)
	o.inode.written.Add(1)
	o.settle(ctx, op)
	return err
}
