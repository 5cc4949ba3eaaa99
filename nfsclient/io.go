// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/vfs"
)

// ReadAt reads into p, with as many READs as it takes. What is read is copied once, from the connection's buffer.
func (f *File) ReadAt(ctx context.Context, p []byte, off uint64) (n int, eof bool, err error) {
	err = f.use(ctx, vfs.Read, func(ctx context.Context, id nfs4.Stateid) error {
		var got int
		got, eof, err = nfsconn.Read(p[n:], off+uint64(n), f.fs.maxRead, func(p []byte, off uint64) (int, bool, error) {
			return f.read(ctx, id, p, off)
		})
		n += got
		return err
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
	n, err = nfsconn.Copy(p, res.Data)
	return n, res.EOF && err == nil, err
}

// WriteAt writes p, with as many WRITEs as it takes. It ends early, without error, where the server has lost what it had
// not synced between two of them: the verifier is of all that was written.
func (f *File) WriteAt(ctx context.Context, p []byte, off uint64, want vfs.Stability) (n int, did vfs.Stability, v vfs.Verifier, err error) {
	var w nfsconn.Writing
	err = f.use(ctx, vfs.Write, func(ctx context.Context, id nfs4.Stateid) error {
		return w.Write(p, off, f.fs.maxWrite, func(p []byte, off uint64) (nfsconn.Written, error) {
			return f.write(ctx, id, p, off, want)
		})
	})
	return w.Result(f.fs.fail("write", "", err))
}

// write sends one WRITE (RFC 8881 section 18.32). The data goes out from where it is.
func (f *File) write(ctx context.Context, id nfs4.Stateid, p []byte, off uint64, want vfs.Stability) (w nfsconn.Written, err error) {
	q := f.on()
	defer q.free()
	e := q.changing(nfs4.OpWrite)
	id.Encode(e)
	e.Uint64(off)
	e.Uint32(uint32(want))
	e.Uint32(uint32(len(p)))
	q.bulk = p
	if err := q.send(ctx); err != nil {
		return w, err
	}
	q.result(nfs4.OpPutFH)
	var res nfs4.WriteRes
	if q.result(nfs4.OpWrite) {
		res.Decode(&q.reply.Decoder)
	}
	if err := q.done(); err != nil {
		return w, err
	}
	w = nfsconn.Written{Count: res.Count, Committed: uint32(res.Committed), Verifier: vfs.Verifier(res.WriteVerf)}
	return w, w.Check(p, want)
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
