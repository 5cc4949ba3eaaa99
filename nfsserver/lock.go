// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"slices"

	"github.com/hubhome/hubhome/nfs4"
)

// maxLocks bounds the byte ranges on one file.
const maxLocks = 16384

func lockType(t nfs4.LockType) (write bool, status nfs4.Status) {
	switch t {
	case nfs4.ReadLock, nfs4.ReadLockBlocking:
		return false, nfs4.OK
	case nfs4.WriteLock, nfs4.WriteLockBlocking:
		return true, nfs4.OK
	}
	return false, nfs4.ErrInval
}

// opLock: RFC 8881 section 18.10. A blocking lock is answered like any other: the client asks again.
func opLock(c *compound) nfs4.Status {
	var a nfs4.LockArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.regular(); status != nfs4.OK {
		return status
	}
	write, status := lockType(a.LockType)
	if status != nfs4.OK {
		return status
	}
	r, status := newByteRange(a.Offset, a.Length, write)
	if status != nfs4.OK {
		return status
	}
	if status := c.lockAllowed(a.Reclaim); status != nfs4.OK {
		return status
	}
	for {
		blocker, status := c.lock(&a, r)
		if blocker == nil {
			return status
		}
		// The lock in the way is of a client whose lease is over.
		if err := c.s.expire(blocker); err != nil {
			return c.fault(err)
		}
	}
}

// lockAllowed is the rules of grace for LOCK.
func (c *compound) lockAllowed(reclaim bool) nfs4.Status {
	if reclaim {
		return c.s.grace.mayReclaim(c.client.owner, c.cur.home)
	}
	return c.newStateAllowed(c.cur.home)
}

// lock is one try of LOCK: it answers the client that is in the way where that one's lease is over.
func (c *compound) lock(a *nfs4.LockArgs, r byteRange) (blocker *client, status nfs4.Status) {
	var open *openState
	var owner *lockState
	if a.Locker.NewLockOwner {
		open, status = c.findOpen(a.Locker.OpenStateid)
	} else if owner, status = c.findLock(a.Locker.LockStateid); status == nfs4.OK {
		open = owner.open
	}
	if status != nfs4.OK {
		return nil, status
	}
	f := open.file
	defer f.mu.Unlock()
	need := nfs4.ShareAccessRead
	if r.write {
		need = nfs4.ShareAccessWrite
	}
	if open.access&need == 0 {
		return nil, nfs4.ErrOpenMode
	}
	if owner == nil {
		owner = f.lockOwner(c.client, a.Locker.LockOwner.Owner)
	}
	if hit := f.locks.conflict(r, func(l *lockState) bool { return l == owner }); hit != nil {
		if c.s.leaseOver(hit.owner.client) {
			return hit.owner.client, nfs4.OK
		}
		if a.Reclaim {
			return nil, nfs4.ErrReclaimConflict
		}
		c.denied(hit)
		return nil, nfs4.ErrDenied
	}
	if len(f.locks) >= maxLocks {
		return nil, nfs4.ErrDelay
	}
	if owner == nil {
		owner = &lockState{
			stateCommon: stateCommon{client: c.client, file: f},
			owner:       slices.Clone(a.Locker.LockOwner.Owner),
			open:        open,
		}
		if status := c.s.addState(owner); status != nfs4.OK {
			return nil, status
		}
		open.locks = append(open.locks, owner)
	} else {
		owner.bump()
	}
	r.owner = owner
	f.lockNow(f.locks.lock(r))
	c.curState = owner.stateid()
	res := nfs4.LockRes{LockStateid: c.curState}
	res.Encode(c.res)
	return nil, nfs4.OK
}

// lockOwner finds a lock owner's state on a file. f.mu is held.
func (f *file) lockOwner(cl *client, name []byte) *lockState {
	for _, o := range f.opens {
		for _, l := range o.locks {
			if sameOwner(l.client, l.owner, cl, name) {
				return l
			}
		}
	}
	return nil
}

// denied tells the client what is in its way.
func (c *compound) denied(hit *byteRange) {
	res := nfs4.LockDenied{
		Offset:   hit.first,
		Length:   hit.length(),
		LockType: nfs4.ReadLock,
		Owner:    nfs4.StateOwner{ClientID: hit.owner.client.id, Owner: hit.owner.owner},
	}
	if hit.write {
		res.LockType = nfs4.WriteLock
	}
	res.Encode(c.res)
	c.keep = true
}

// opLockT: RFC 8881 section 18.11.
func opLockT(c *compound) nfs4.Status {
	var a nfs4.LockTArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.regular(); status != nfs4.OK {
		return status
	}
	write, status := lockType(a.LockType)
	if status != nfs4.OK {
		return status
	}
	r, status := newByteRange(a.Offset, a.Length, write)
	if status != nfs4.OK {
		return status
	}
	if c.s.grace.holds(c.cur.home) {
		return nfs4.ErrGrace
	}
	f := c.s.files.find(c.cur.file)
	if f == nil {
		v, err := c.s.options.FS.GetAttr(c.ctx, c.cur.file)
		if err != nil {
			return c.status(err)
		}
		return mustBeRegular(v.Type)
	}
	defer c.s.files.put(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	hit := f.locks.conflict(r, func(l *lockState) bool {
		// What a client holds whose lease is over is no obstacle: LOCK would take it away.
		return sameOwner(l.client, l.owner, c.client, a.Owner.Owner) || c.s.leaseOver(l.client)
	})
	if hit == nil {
		return nfs4.OK
	}
	c.denied(hit)
	return nfs4.ErrDenied
}

// opLockU: RFC 8881 section 18.12.
func opLockU(c *compound) nfs4.Status {
	var a nfs4.LockUArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.regular(); status != nfs4.OK {
		return status
	}
	r, status := newByteRange(a.Offset, a.Length, false)
	if status != nfs4.OK {
		return status
	}
	owner, status := c.findLock(a.LockStateid)
	if status != nfs4.OK {
		return status
	}
	f := owner.file
	defer f.mu.Unlock()
	if len(f.locks) >= maxLocks {
		// A hole in a range makes two of one; the whole file can always be unlocked.
		if r.first != 0 || r.length() != ^uint64(0) {
			return nfs4.ErrDelay
		}
	}
	r.owner = owner
	f.lockNow(f.locks.unlock(r))
	owner.bump()
	c.curState = owner.stateid()
	res := nfs4.LockURes{LockStateid: c.curState}
	res.Encode(c.res)
	return nfs4.OK
}

// regular answers for a current filehandle that cannot be one of a regular file. Of the others, no state exists.
func (c *compound) regular() nfs4.Status {
	switch c.cur.kind {
	case noHandle:
		return nfs4.ErrNoFileHandle
	case pseudoHandle:
		return nfs4.ErrIsDir
	}
	return nfs4.OK
}
