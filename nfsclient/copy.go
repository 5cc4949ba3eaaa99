// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// source returns the File to copy from, which must be of the same FS.
func (f *File) source(src vfs.File) (*File, error) {
	s, ok := src.(*File)
	if !ok || s.fs != f.fs {
		return nil, fmt.Errorf("the source is not a file of this client: %w", syscall.EXDEV)
	}
	return s, nil
}

// useBoth is use with two files: what to read from and what to write to.
func (f *File) useBoth(ctx context.Context, src vfs.File, op func(ctx context.Context, s *File, from, to nfs4.Stateid) error) error {
	s, err := f.source(src)
	if err != nil {
		return err
	}
	return f.use(ctx, vfs.Write, func(ctx context.Context, to nfs4.Stateid) error {
		if err := f.fs.newer(); err != nil {
			return err
		}
		return s.use(ctx, vfs.Read, func(ctx context.Context, from nfs4.Stateid) error {
			return op(ctx, s, from, to)
		})
	})
}

// onBoth begins a COMPOUND with the source as the saved filehandle.
func (f *File) onBoth(src *File) *request {
	q := f.fs.on(&f.caller, src.handle)
	q.op(nfs4.OpSaveFH)
	q.putFH(f.handle)
	return q
}

func (q *request) readBoth() {
	q.result(nfs4.OpPutFH)
	q.result(nfs4.OpSaveFH)
	q.result(nfs4.OpPutFH)
}

// CopyFrom copies at the server, with as many COPYs as it takes. It ends early, without error, where the server has lost
// what it had not synced between two of them.
func (f *File) CopyFrom(ctx context.Context, src vfs.File, srcOff, off, length uint64) (n uint64, v vfs.Verifier, err error) {
	err = f.useBoth(ctx, src, func(ctx context.Context, s *File, from, to nfs4.Stateid) error {
		// COPY refuses a range that ends beyond the source (RFC 7862 section 15.2.3), and takes zero for all of it.
		a, err := f.fs.getAttr(ctx, s.handle)
		if err != nil {
			return err
		}
		total := min(length, a.Size-min(a.Size, srcOff))
		for n < total {
			res, err := f.copy(ctx, s, &nfs4.CopyArgs{
				SrcStateid: from, DstStateid: to, SrcOffset: srcOff + n, DstOffset: off + n, Count: total - n,
				Consecutive: true, Synchronous: true,
			})
			if err != nil {
				return err
			}
			if n > 0 && vfs.Verifier(res.WriteVerf) != v {
				return nil
			}
			if res.Count == 0 {
				return nil // the source has become shorter
			}
			n, v = n+res.Count, vfs.Verifier(res.WriteVerf)
		}
		return nil
	})
	return n, v, f.fs.fail("copy", "", err)
}

// copy sends one COPY within the server (RFC 7862 section 15.2).
func (f *File) copy(ctx context.Context, src *File, args *nfs4.CopyArgs) (res nfs4.CopyRes, err error) {
	q := f.onBoth(src)
	defer q.free()
	args.Encode(q.changing(nfs4.OpCopy))
	if err := q.send(ctx); err != nil {
		return res, err
	}
	q.readBoth()
	if q.result(nfs4.OpCopy) {
		res.Decode(&q.reply.Decoder)
	}
	if len(res.CallbackID) > 0 {
		return res, fmt.Errorf("the server wants to copy later and call back: %w", syscall.EOPNOTSUPP)
	}
	return res, q.done()
}

// CloneFrom shares blocks at the server (RFC 7862 section 15.13).
func (f *File) CloneFrom(ctx context.Context, src vfs.File, srcOff, off, length uint64) error {
	err := f.useBoth(ctx, src, func(ctx context.Context, s *File, from, to nfs4.Stateid) error {
		q := f.onBoth(s)
		defer q.free()
		args := nfs4.CloneArgs{SrcStateid: from, DstStateid: to, SrcOffset: srcOff, DstOffset: off, Count: length}
		args.Encode(q.changing(nfs4.OpClone))
		return q.send(ctx)
	})
	return f.fs.fail("clone", "", err)
}
