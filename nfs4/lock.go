// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import "github.com/hubhome/hubhome/oncrpc"

// LockType is nfs_lock_type4. The blocking ones say that the client will ask again.
type LockType uint32

// The types of byte-range locks.
const (
	ReadLock          LockType = 1
	WriteLock         LockType = 2
	ReadLockBlocking  LockType = 3
	WriteLockBlocking LockType = 4
)

// Exclusive tells whether the lock is for writing.
func (t LockType) Exclusive() bool { return t == WriteLock || t == WriteLockBlocking }

// Locker is on whose behalf LOCK is (locker4): a lock owner that is new to the file, with an open of the file, or the
// locks that a lock owner has of it already. The seqids mean nothing in a session.
type Locker struct {
	NewLockOwner bool

	// OpenSeqid, OpenStateid and LockOwner count where NewLockOwner is set.
	OpenSeqid   uint32
	OpenStateid Stateid
	LockOwner   StateOwner

	// LockStateid counts where NewLockOwner is not set.
	LockStateid Stateid

	LockSeqid uint32
}

// Encode writes the locker.
func (l *Locker) Encode(e *oncrpc.Encoder) {
	e.Bool(l.NewLockOwner)
	if l.NewLockOwner {
		e.Uint32(l.OpenSeqid)
		l.OpenStateid.Encode(e)
		e.Uint32(l.LockSeqid)
		l.LockOwner.Encode(e)
		return
	}
	l.LockStateid.Encode(e)
	e.Uint32(l.LockSeqid)
}

// Decode reads the locker.
func (l *Locker) Decode(d *oncrpc.Decoder) {
	*l = Locker{NewLockOwner: d.Bool()}
	if l.NewLockOwner {
		l.OpenSeqid = d.Uint32()
		l.OpenStateid.Decode(d)
		l.LockSeqid = d.Uint32()
		l.LockOwner.Decode(d)
		return
	}
	l.LockStateid.Decode(d)
	l.LockSeqid = d.Uint32()
}

// LockArgs is LOCK4args. Length of all ones: to the end of the file, however far that is (RFC 8881 section 18.10.3).
type LockArgs struct {
	LockType LockType
	Reclaim  bool
	Offset   uint64
	Length   uint64
	Locker   Locker
}

// Encode writes the arguments.
func (a *LockArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.LockType))
	e.Bool(a.Reclaim)
	e.Uint64(a.Offset)
	e.Uint64(a.Length)
	a.Locker.Encode(e)
}

// Decode reads the arguments.
func (a *LockArgs) Decode(d *oncrpc.Decoder) {
	a.LockType = LockType(d.Uint32())
	a.Reclaim = d.Bool()
	a.Offset = d.Uint64()
	a.Length = d.Uint64()
	a.Locker.Decode(d)
}

// LockRes is LOCK4resok.
type LockRes struct{ LockStateid Stateid }

// Encode writes the results.
func (r *LockRes) Encode(e *oncrpc.Encoder) { r.LockStateid.Encode(e) }

// Decode reads the results.
func (r *LockRes) Decode(d *oncrpc.Decoder) { r.LockStateid.Decode(d) }

// LockDenied is a lock in the way (LOCK4denied). It follows NFS4ERR_DENIED of LOCK and LOCKT.
type LockDenied struct {
	Offset, Length uint64
	LockType       LockType
	Owner          StateOwner
}

// Encode writes the lock.
func (l *LockDenied) Encode(e *oncrpc.Encoder) {
	e.Uint64(l.Offset)
	e.Uint64(l.Length)
	e.Uint32(uint32(l.LockType))
	l.Owner.Encode(e)
}

// Decode reads the lock.
func (l *LockDenied) Decode(d *oncrpc.Decoder) {
	l.Offset = d.Uint64()
	l.Length = d.Uint64()
	l.LockType = LockType(d.Uint32())
	l.Owner.Decode(d)
}

// LockTArgs is LOCKT4args.
type LockTArgs struct {
	LockType LockType
	Offset   uint64
	Length   uint64
	Owner    StateOwner
}

// Encode writes the arguments.
func (a *LockTArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.LockType))
	e.Uint64(a.Offset)
	e.Uint64(a.Length)
	a.Owner.Encode(e)
}

// Decode reads the arguments.
func (a *LockTArgs) Decode(d *oncrpc.Decoder) {
	a.LockType = LockType(d.Uint32())
	a.Offset = d.Uint64()
	a.Length = d.Uint64()
	a.Owner.Decode(d)
}

// LockUArgs is LOCKU4args.
type LockUArgs struct {
	LockType    LockType
	Seqid       uint32
	LockStateid Stateid
	Offset      uint64
	Length      uint64
}

// Encode writes the arguments.
func (a *LockUArgs) Encode(e *oncrpc.Encoder) {
	e.Uint32(uint32(a.LockType))
	e.Uint32(a.Seqid)
	a.LockStateid.Encode(e)
	e.Uint64(a.Offset)
	e.Uint64(a.Length)
}

// Decode reads the arguments.
func (a *LockUArgs) Decode(d *oncrpc.Decoder) {
	a.LockType = LockType(d.Uint32())
	a.Seqid = d.Uint32()
	a.LockStateid.Decode(d)
	a.Offset = d.Uint64()
	a.Length = d.Uint64()
}

// LockURes is the OK arm of LOCKU4res.
type LockURes struct{ LockStateid Stateid }

// Encode writes the results.
func (r *LockURes) Encode(e *oncrpc.Encoder) { r.LockStateid.Encode(e) }

// Decode reads the results.
func (r *LockURes) Decode(d *oncrpc.Decoder) { r.LockStateid.Decode(d) }
