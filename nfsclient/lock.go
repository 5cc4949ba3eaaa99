// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// toTheEnd is the length of a lock of all that a file has and may come to have (RFC 8881 section 18.10.3).
const toTheEnd = 1<<64 - 1

// Lock locks the whole file for writing, against everybody who asks for locks, without waiting: EAGAIN where somebody
// else has one. It takes a File open for writing. unlock gives the lock back, as closing the File does.
//
// It is for those who want to know whether a server has locks, and not for those who rely on one: a lock is not reclaimed
// after a restart of the server, of which nobody tells the holder.
func (f *File) Lock(ctx context.Context) (unlock func(context.Context) error, err error) {
	var id nfs4.Stateid
	err = f.use(ctx, vfs.Write, func(ctx context.Context, open nfs4.Stateid) error {
		q := f.on()
		defer q.free()
		args := nfs4.LockArgs{LockType: nfs4.WriteLock, Length: toTheEnd, Locker: nfs4.Locker{
			NewLockOwner: true, OpenStateid: open, LockOwner: nfs4.StateOwner{Owner: f.owner},
		}}
		args.Encode(q.changing(nfs4.OpLock))
		if err := q.send(ctx); err != nil {
			return err
		}
		q.result(nfs4.OpPutFH)
		var res nfs4.LockRes
		if q.result(nfs4.OpLock) {
			res.Decode(&q.reply.Decoder)
		}
		id = res.LockStateid
		return q.done()
	})
	if err != nil {
		return nil, f.fs.fail("lock", "", err)
	}
	return func(ctx context.Context) error { return f.fs.fail("unlock", "", f.unlock(ctx, id)) }, nil
}

func (f *File) unlock(ctx context.Context, id nfs4.Stateid) error {
	q := f.on()
	defer q.free()
	args := nfs4.LockUArgs{LockType: nfs4.WriteLock, LockStateid: id, Length: toTheEnd}
	args.Encode(q.changing(nfs4.OpLockU))
	return q.send(ctx)
}
