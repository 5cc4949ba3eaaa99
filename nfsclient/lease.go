// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
)

// defaultLease is the lease of a server that does not say, in seconds.
const defaultLease = 60

// learn asks the server for what the client must know of it: the lease, and how long a READ and a WRITE may be.
func (fs *FS) learn(ctx context.Context) error {
	q := fs.request(nil)
	defer q.free()
	q.op(nfs4.OpPutRootFH)
	q.getAttr(nfs4.AttrsOf(nfs4.AttrLeaseTime, nfs4.AttrMaxRead, nfs4.AttrMaxWrite))
	if err := q.send(ctx); err != nil {
		return err
	}
	q.result(nfs4.OpPutRootFH)
	a := q.attrs()
	if err := q.done(); err != nil {
		return err
	}
	lease := a.LeaseTime
	if lease == 0 {
		lease = defaultLease
	}
	fs.lease = time.Duration(lease) * time.Second
	s := fs.session.Load()
	fs.maxRead, fs.maxWrite = ioSize(s.maxResponse, a.MaxRead), ioSize(s.maxRequest, a.MaxWrite)
	return nil
}

// ioSize is how much data goes into one READ or WRITE, in bytes: as much as the session and the server carry, in whole
// pages.
func ioSize(message int, limit uint64) uint64 {
	size := min(uint64(message-messageHead), 1<<20)
	if limit > 0 {
		size = min(size, limit)
	}
	return max(size&^(4<<10-1), 1<<10)
}

// renew keeps the lease while the FS is idle, so that the server keeps what is open. When the connection goes, it asks
// at once: a server that restarted is told soon what was open.
func (fs *FS) renew() {
	interval := max(fs.lease/3, time.Second)
	tick := time.NewTicker(max(interval/2, 500*time.Millisecond))
	defer tick.Stop()
	var pace nfsconn.Backoff
	for {
		select {
		case <-fs.ctx.Done():
			return
		case <-fs.link.Lost():
		case <-tick.C:
			if time.Since(fs.begun)-time.Duration(fs.renewed.Load()) < interval {
				continue
			}
		}
		err := fs.ping()
		if err == nil {
			pace = nfsconn.Backoff{}
			continue
		}
		if fs.wait(fs.ctx, &pace) == nil {
			fs.log.Warn("renew the lease", "server", fs.addr, "error", err)
		}
	}
}

// ping sends a SEQUENCE alone.
func (fs *FS) ping() error {
	ctx, cancel := fs.deadline(fs.ctx)
	defer cancel()
	q := fs.request(nil)
	defer q.free()
	return q.send(ctx)
}
