// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// File is a file of the server. It is a vfs.File. It acts for the caller that opened it, and the server looks at that
// caller's permissions with every call.
type File struct {
	fs     *FS
	handle vfs.Handle
	access vfs.Access
	caller *vfs.Caller
	closed atomic.Bool
}

var _ vfs.File = (*File)(nil)

func (fs *FS) newFile(c *vfs.Caller, h vfs.Handle, access vfs.Access) *File {
	f := &File{fs: fs, handle: h, access: access}
	if c != nil {
		f.caller = &vfs.Caller{UID: c.UID, GID: c.GID, Groups: slices.Clone(c.Groups)}
	}
	return f
}

// may answers EBADF for what the File was not opened for, and when it is closed.
func (f *File) may(access vfs.Access) error {
	if f.access&access != access || f.closed.Load() {
		return syscall.EBADF
	}
	return nil
}

// ReadAt reads into p, with as many READs as it takes. What is read is copied once, from the connection's buffer.
func (f *File) ReadAt(ctx context.Context, p []byte, off uint64) (n int, eof bool, err error) {
	if err := f.may(vfs.Read); err != nil {
		return 0, false, f.fs.fail("read", "", err)
	}
	whole := len(p)
	if limit := f.fs.limits.file; limit > 0 { // beyond which there is nothing, and servers are cross about who asks
		p = p[:min(uint64(len(p)), limit-min(limit, off))]
	}
	if len(p) == 0 {
		return 0, whole > 0, nil
	}
	ctx, cancel := deadline(ctx, f.fs.timeout)
	defer cancel()
	n, eof, err = nfsconn.Read(p, off, f.fs.limits.read, func(p []byte, off uint64) (int, bool, error) {
		return f.read(ctx, p, off)
	})
	return n, eof || n == len(p) && n < whole, f.fs.fail("read", "", err)
}

// read sends one READ (RFC 1813 section 3.3.6).
func (f *File) read(ctx context.Context, p []byte, off uint64) (n int, eof bool, err error) {
	args := nfs3.RangeArgs{File: nfs3.Handle(f.handle), Offset: off, Count: uint32(len(p))}
	var res nfs3.ReadRes
	a, err := f.fs.ask(ctx, f.caller, nfs3.ProcRead, &args, nil, &res)
	defer a.free()
	if err != nil {
		return 0, false, err
	}
	n, err = nfsconn.Copy(p, res.Data)
	return n, res.EOF && err == nil, err
}

// WriteAt writes p, with as many WRITEs as it takes. It ends early, without error, where the server has lost what it had
// not synced between two of them: the verifier is of all that was written.
func (f *File) WriteAt(ctx context.Context, p []byte, off uint64, want vfs.Stability) (n int, did vfs.Stability, v vfs.Verifier, err error) {
	if err := f.mayReach(off, uint64(len(p))); err != nil {
		return 0, 0, v, f.fs.fail("write", "", err)
	}
	ctx, cancel := deadline(ctx, f.fs.timeout)
	defer cancel()
	var w nfsconn.Writing
	err = w.Write(p, off, f.fs.limits.write, func(p []byte, off uint64) (nfsconn.Written, error) {
		return f.write(ctx, p, off, want)
	})
	return w.Result(f.fs.fail("write", "", err))
}

// mayReach answers EBADF where the File is not for writing, and EFBIG where no file of the server's can reach that far.
func (f *File) mayReach(off, length uint64) error {
	if err := f.may(vfs.Write); err != nil {
		return err
	}
	if limit := f.fs.limits.file; limit > 0 && (off > limit || length > limit-off) {
		return syscall.EFBIG
	}
	return nil
}

// writeArgs are nfs3.WriteArgs up to the data, which goes out from where it is.
type writeArgs struct {
	file   vfs.Handle
	off    uint64
	count  int
	stable vfs.Stability
}

func (a *writeArgs) Encode(e *oncrpc.Encoder) {
	e.String(string(a.file))
	e.Uint64(a.off)
	e.Uint32(uint32(a.count))
	e.Uint32(uint32(a.stable))
	e.Uint32(uint32(a.count))
}

// write sends one WRITE (RFC 1813 section 3.3.7).
func (f *File) write(ctx context.Context, p []byte, off uint64, want vfs.Stability) (w nfsconn.Written, err error) {
	var res nfs3.WriteRes
	a, err := f.fs.ask(ctx, f.caller, nfs3.ProcWrite, &writeArgs{f.handle, off, len(p), want}, p, &res)
	a.free()
	if err != nil {
		return w, err
	}
	w = nfsconn.Written{Count: res.Count, Committed: uint32(res.Committed), Verifier: vfs.Verifier(res.Verf)}
	return w, w.Check(p, want)
}

// Commit makes all that was written to the file FileSync (RFC 1813 section 3.3.21).
func (f *File) Commit(ctx context.Context) (vfs.Verifier, error) {
	if err := f.may(vfs.Write); err != nil {
		return vfs.Verifier{}, f.fs.fail("commit", "", err)
	}
	var res nfs3.CommitRes
	a, err := f.fs.ask(ctx, f.caller, nfs3.ProcCommit, &nfs3.RangeArgs{File: nfs3.Handle(f.handle)}, nil, &res)
	a.free()
	return vfs.Verifier(res.Verf), f.fs.fail("commit", "", err)
}

// Truncate sets the size.
func (f *File) Truncate(ctx context.Context, size uint64) error {
	err := f.mayReach(0, size)
	if err == nil {
		_, err = f.fs.setAttr(ctx, f.caller, f.handle, vfs.SetAttr{Size: &size})
	}
	return f.fs.fail("truncate", "", err)
}

// lacks is the error of what the protocol does not have, or before that of a File that is not for it.
func (f *File) lacks(op string, access vfs.Access) error {
	err := f.may(access)
	if err == nil {
		err = errNotInVersion
	}
	return f.fs.fail(op, "", err)
}

var errNotInVersion = fmt.Errorf("not in NFSv3: %w", syscall.EOPNOTSUPP)

// Allocate answers EOPNOTSUPP.
func (f *File) Allocate(context.Context, uint64, uint64) error { return f.lacks("allocate", vfs.Write) }

// Deallocate answers EOPNOTSUPP.
func (f *File) Deallocate(context.Context, uint64, uint64) error {
	return f.lacks("deallocate", vfs.Write)
}

// Seek answers EOPNOTSUPP.
func (f *File) Seek(context.Context, vfs.SeekWhat, uint64) (at uint64, eof bool, err error) {
	return 0, false, f.lacks("seek", 0)
}

// CopyFrom answers EOPNOTSUPP.
func (f *File) CopyFrom(context.Context, vfs.File, uint64, uint64, uint64) (n uint64, v vfs.Verifier, err error) {
	return 0, v, f.lacks("copy", vfs.Write)
}

// CloneFrom answers EOPNOTSUPP.
func (f *File) CloneFrom(context.Context, vfs.File, uint64, uint64, uint64) error {
	return f.lacks("clone", vfs.Write)
}

// Close ends the File. The server knows nothing of it.
func (f *File) Close() error {
	f.closed.Store(true)
	return nil
}
