// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// ReadAt reads into p, with as many READs as it takes. What is read is copied once, from the connection's buffer.
func (f *File) ReadAt(ctx context.Context, p []byte, off uint64) (n int, eof bool, err error) {
	err = f.use(ctx, vfs.Read, func(ctx context.Context, id nfs4.Stateid) error {
		for {
			part := p[n:][:min(uint64(len(p)-n), f.fs.maxRead)]
			got, end, err := f.read(ctx, id, part, off+uint64(n))
			n += got
			if eof = end; err != nil || eof || n == len(p) {
				return err
			}
			if got == 0 {
				return fmt.Errorf("the server sends no data and no end: %w", oncrpc.ErrXDR)
			}
		}
	})
	return n, eof, f.fs.fail("read", "", err)
}

// read sends one READ (RFC 8881 section 18.22).
func (f *File) read(ctx context.Context, id nfs4.Stateid, p []byte, off uint64) (n int, eof bool, err error) {
	q := f.on()
	defer q.free()
	args := nfs4.ReadArgs{Stateid: id, Offset: off, Count: uint32(len(p))}
	args.Encode(q.op(nfs4.OpRead))
	if err := q.send(ctx); err != nil {
		return 0, false, err
	}
	q.result(nfs4.OpPutFH)
	var res nfs4.ReadRes
	if q.result(nfs4.OpRead) {
		res.Decode(&q.reply.Decoder)
	}
	if err := q.done(); err != nil {
		return 0, false, err
	}
	if len(res.Data) > len(p) {
		return 0, false, fmt.Errorf("the server sends %d bytes for %d: %w", len(res.Data), len(p), oncrpc.ErrXDR)
	}
	return copy(p, res.Data), res.EOF, nil
}

// WriteAt writes p, with as many WRITEs as it takes. It ends early, without error, where the server has lost what it had
// not synced between two of them: the verifier is of all that was written.
func (f *File) WriteAt(ctx context.Context, p []byte, off uint64, want vfs.Stability) (n int, did vfs.Stability, v vfs.Verifier, err error) {
	did = vfs.FileSync
	err = f.use(ctx, vfs.Write, func(ctx context.Context, id nfs4.Stateid) error {
		for {
			part := p[n:][:min(uint64(len(p)-n), f.fs.maxWrite)]
			res, err := f.write(ctx, id, part, off+uint64(n), nfs4.StableHow(want))
			if err != nil {
				return err
			}
			if n > 0 && vfs.Verifier(res.WriteVerf) != v {
				return nil
			}
			n += int(res.Count)
			v = vfs.Verifier(res.WriteVerf)
			did = min(did, vfs.Stability(res.Committed))
			if n == len(p) {
				return nil
			}
			if res.Count == 0 {
				return fmt.Errorf("the server wrote nothing: %w", syscall.EIO)
			}
		}
	})
	if err != nil && n == 0 {
		return 0, vfs.Unstable, v, f.fs.fail("write", "", err)
	}
	return n, did, v, nil // where it is short: what went wrong will again with the rest
}

// write sends one WRITE (RFC 8881 section 18.32). The data goes out from where it is.
func (f *File) write(ctx context.Context, id nfs4.Stateid, p []byte, off uint64, want nfs4.StableHow) (res nfs4.WriteRes, err error) {
	q := f.on()
	defer q.free()
	e := q.changing(nfs4.OpWrite)
	id.Encode(e)
	e.Uint64(off)
	e.Uint32(uint32(want))
	e.Uint32(uint32(len(p)))
	q.bulk = p
	if err := q.send(ctx); err != nil {
		return res, err
	}
	q.result(nfs4.OpPutFH)
	if q.result(nfs4.OpWrite) {
		res.Decode(&q.reply.Decoder)
	}
	if err := q.done(); err != nil {
		return res, err
	}
	if uint64(res.Count) > uint64(len(p)) || res.Committed > nfs4.FileSync || res.Committed < want {
		return res, fmt.Errorf("the server says it wrote %d bytes of %d, stability %d for %d: %w",
			res.Count, len(p), res.Committed, want, oncrpc.ErrXDR)
	}
	return res, nil
}

// Commit makes all that was written to the file FileSync (RFC 8881 section 18.3).
func (f *File) Commit(ctx context.Context) (vfs.Verifier, error) {
	var v vfs.Verifier
	err := f.use(ctx, vfs.Write, func(ctx context.Context, _ nfs4.Stateid) error {
		q := f.on()
		defer q.free()
		var args nfs4.CommitArgs
		args.Encode(q.changing(nfs4.OpCommit))
		if err := q.send(ctx); err != nil {
			return err
		}
		q.result(nfs4.OpPutFH)
		var res nfs4.CommitRes
		if q.result(nfs4.OpCommit) {
			res.Decode(&q.reply.Decoder)
		}
		v = vfs.Verifier(res.WriteVerf)
		return q.done()
	})
	return v, f.fs.fail("commit", "", err)
}

// Truncate sets the size.
func (f *File) Truncate(ctx context.Context, size uint64) error {
	err := f.use(ctx, vfs.Write, func(ctx context.Context, id nfs4.Stateid) error {
		_, err := f.fs.setAttr(ctx, &f.caller, f.handle, id, vfs.SetAttr{Size: &size})
		return err
	})
	return f.fs.fail("truncate", "", err)
}

// Allocate reserves space (RFC 7862 section 15.1).
func (f *File) Allocate(ctx context.Context, off, length uint64) error {
	return f.fs.fail("allocate", "", f.space(ctx, nfs4.OpAllocate, off, length))
}

// Deallocate makes a hole (RFC 7862 section 15.4).
func (f *File) Deallocate(ctx context.Context, off, length uint64) error {
	return f.fs.fail("deallocate", "", f.space(ctx, nfs4.OpDeallocate, off, length))
}

// space sends an ALLOCATE or DEALLOCATE, whose arguments are alike.
func (f *File) space(ctx context.Context, op nfs4.Op, off, length uint64) error {
	return f.use(ctx, vfs.Write, func(ctx context.Context, id nfs4.Stateid) error {
		if err := f.fs.newer(); err != nil {
			return err
		}
		q := f.on()
		defer q.free()
		args := nfs4.AllocateArgs{Stateid: id, Offset: off, Length: length}
		args.Encode(q.changing(op))
		return q.send(ctx)
	})
}

// newer refuses what NFSv4.1 does not have.
func (fs *FS) newer() error {
	if fs.minor < 2 {
		return fmt.Errorf("not in NFSv4.1: %w", syscall.EOPNOTSUPP)
	}
	return nil
}

// Seek finds data or a hole (RFC 7862 section 15.11).
func (f *File) Seek(ctx context.Context, what vfs.SeekWhat, off uint64) (at uint64, eof bool, err error) {
	content := nfs4.ContentData
	if what == vfs.SeekHole {
		content = nfs4.ContentHole
	}
	var res nfs4.SeekRes
	err = f.use(ctx, 0, func(ctx context.Context, id nfs4.Stateid) error {
		if err := f.fs.newer(); err != nil {
			return err
		}
		q := f.on()
		defer q.free()
		args := nfs4.SeekArgs{Stateid: id, Offset: off, What: content}
		args.Encode(q.op(nfs4.OpSeek))
		if err := q.send(ctx); err != nil {
			return err
		}
		q.result(nfs4.OpPutFH)
		if q.result(nfs4.OpSeek) {
			res.Decode(&q.reply.Decoder)
		}
		return q.done()
	})
	return res.Offset, res.EOF, f.fs.fail("seek", "", err)
}
