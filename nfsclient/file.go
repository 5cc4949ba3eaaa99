// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// File is an open file of the server. It is a vfs.File. It acts for the caller that opened it.
type File struct {
	fs     *FS
	handle vfs.Handle
	access vfs.Access
	caller vfs.Caller
	// owner is the open owner: one for each File, so that closing one File leaves another of the same file open.
	owner []byte

	mu      sync.Mutex
	stateid nfs4.Stateid // changed by recovery
	closed  bool
}

var _ vfs.File = (*File)(nil)

// newFile makes what an OPEN will fill.
func (fs *FS) newFile(c *vfs.Caller, access vfs.Access) *File {
	f := &File{fs: fs, access: access, owner: fs.openOwner()}
	if c != nil {
		f.caller = vfs.Caller{UID: c.UID, GID: c.GID, Groups: slices.Clone(c.Groups)}
	}
	return f
}

// opened makes the File one that recovery looks after.
func (f *File) opened(h vfs.Handle, id nfs4.Stateid) {
	f.handle, f.stateid = h, id
	f.fs.mu.Lock()
	f.fs.files[f] = struct{}{}
	f.fs.mu.Unlock()
}

// state returns the stateid to use: of its latest state, whatever number that has (RFC 8881 section 8.2.2).
func (f *File) state() (nfs4.Stateid, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nfs4.Stateid{}, syscall.EBADF
	}
	return nfs4.Stateid{Other: f.stateid.Other}, nil
}

// lostState are the answers to a stateid that the server does not take any more.
var lostState = []nfs4.Status{
	nfs4.ErrBadStateid, nfs4.ErrStaleStateid, nfs4.ErrOldStateid, nfs4.ErrExpired, nfs4.ErrAdminRevoked,
}

func stateLost(err error) bool {
	status, ok := errors.AsType[nfs4.Status](err)
	return ok && slices.Contains(lostState, status)
}

// maxReopen is how often one operation has the file opened anew.
const maxReopen = 3

// use runs an operation that needs an access, with the file's stateid. Where the server has lost it, the file is opened
// anew: nothing is lost by that, since the File denies nothing to others and holds no locks.
func (f *File) use(ctx context.Context, access vfs.Access, op func(ctx context.Context, id nfs4.Stateid) error) error {
	if f.access&access != access {
		return syscall.EBADF
	}
	ctx, cancel := f.fs.deadline(ctx)
	defer cancel()
	for attempt := 0; ; attempt++ {
		id, err := f.state()
		if err != nil {
			return err
		}
		err = op(ctx, id)
		if !stateLost(err) || attempt == maxReopen {
			return err
		}
		if now, _ := f.state(); now != id {
			continue // recovery has reclaimed it
		}
		if err := f.reopen(ctx); err != nil {
			return err
		}
	}
}

// on begins a COMPOUND on the file.
func (f *File) on() *request { return f.fs.on(&f.caller, f.handle) }

// Close gives the open back. It waits for the server until the deadline.
func (f *File) Close() error {
	f.fs.mu.Lock()
	delete(f.fs.files, f)
	f.fs.mu.Unlock()
	f.mu.Lock()
	id, closed := f.stateid, f.closed
	f.closed = true
	f.mu.Unlock()
	if closed { // by FS.Close
		return nil
	}
	ctx, cancel := f.fs.deadline(context.Background())
	defer cancel()
	for {
		err := f.fs.closeState(ctx, f.handle, id)
		if !stateLost(err) {
			return f.fs.fail("close", "", err)
		}
		f.mu.Lock()
		now := f.stateid
		f.mu.Unlock()
		if now == id { // the server has nothing of it
			return nil
		}
		id = now
	}
}

// closeState gives an open back (RFC 8881 section 18.2).
func (fs *FS) closeState(ctx context.Context, h vfs.Handle, id nfs4.Stateid) error {
	q := fs.on(nil, h)
	defer q.free()
	args := nfs4.CloseArgs{OpenStateid: nfs4.Stateid{Other: id.Other}}
	args.Encode(q.changing(nfs4.OpClose))
	return q.send(ctx)
}
