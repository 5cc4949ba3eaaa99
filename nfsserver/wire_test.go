// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"context"
	"errors"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
)

// TestVersions: what the server does not speak, it says so.
func TestVersions(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	rpc := func(program, version, procedure uint32) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := c.conn.Call(ctx, program, version, procedure, &c.cred, func(*oncrpc.Encoder) {}, nil)
		if err == nil {
			r.Release()
		}
		return err
	}
	b.must("NULL", rpc(nfs4.Program, nfs4.Version, nfs4.ProcNull))
	for _, version := range []uint32{2, 3, 5} {
		refused, ok := errors.AsType[*oncrpc.ReplyError](rpc(nfs4.Program, version, nfs4.ProcNull))
		if !ok {
			t.Errorf("NFSv%d was answered", version)
			continue
		}
		if low, high, ok := refused.Versions(); !ok || low != 4 || high != 4 {
			t.Errorf("NFSv%d: %v, want PROG_MISMATCH with version 4", version, refused)
		}
	}
	for stat, err := range map[oncrpc.AcceptStat]error{
		oncrpc.ProgUnavail: rpc(100005, 3, 0), oncrpc.ProcUnavail: rpc(nfs4.Program, nfs4.Version, 2), oncrpc.GarbageArgs: rpc(nfs4.Program, nfs4.Version, nfs4.ProcCompound),
	} {
		if refused, ok := errors.AsType[*oncrpc.ReplyError](err); !ok || refused.Stat != stat {
			t.Errorf("%v, want %v", err, stat)
		}
	}
}

// TestMinorVersions: 1 and 2, and no results at all for others (RFC 8881 section 16.2.3).
func TestMinorVersions(t *testing.T) {
	b := newBed(t)
	c := b.newClient("a")
	for _, minor := range []uint32{0, 3, 1 << 31} {
		c.minor = minor
		if r := c.alone(exchangeID("a", c.verifier, 0)).is(nfs4.ErrMinorVersMismatch); len(r.results) != 0 {
			t.Errorf("minor version %d has the results %v", minor, r)
		}
	}
	for _, minor := range []uint32{1, 2} {
		c.minor = minor
		c.begin()
		c.send(putRootFH(), getAttr(nfs4.AttrType)).ok()
	}
}

// TestTag: the tag comes back as it went, whatever it is.
func TestTag(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	for _, tag := range []string{"", "mount", "\xff\x00 tag"} {
		c.seq++
		call(t, c.conn, &c.cred, 2, tag, []op{sequence(c.session, c.seq, 0, false), putRootFH()}).ok()
		if r := call(t, c.conn, &c.cred, 0, tag, []op{putRootFH()}); r.status != nfs4.ErrMinorVersMismatch {
			t.Errorf("minor version 0: %v", r)
		}
	}
}

// TestOperations: every number is answered: what is not supported as such, what is none as OP_ILLEGAL.
func TestOperations(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	unsupported := []nfs4.Op{
		nfs4.OpDelegPurge, nfs4.OpOpenAttr, nfs4.OpOpenConfirm, nfs4.OpRenew, nfs4.OpSetClientID, nfs4.OpSetClientIDConfirm, nfs4.OpReleaseLockOwner,
		nfs4.OpGetDirDelegation, nfs4.OpGetDeviceInfo, nfs4.OpGetDeviceList, nfs4.OpLayoutCommit, nfs4.OpLayoutGet, nfs4.OpLayoutReturn,
		nfs4.OpSetSSV, nfs4.OpWantDelegation,
	}
	newer := []nfs4.Op{nfs4.OpCopyNotify, nfs4.OpLayoutError, nfs4.OpLayoutStats, nfs4.OpOffloadCancel, nfs4.OpOffloadStatus, nfs4.OpReadPlus, nfs4.OpWriteSame}
	refused := func(o nfs4.Op, status nfs4.Status, as nfs4.Op) {
		t.Helper()
		r := c.send(putRootFH(), op{num: o}).is(status)
		if last := r.results[len(r.results)-1]; last.op != as || len(r.results) != 3 {
			t.Errorf("%v was answered as %v", o, last.op)
		}
	}
	for _, o := range append(unsupported, newer...) {
		refused(o, nfs4.ErrNotSupp, o)
		c.alone(op{num: o}).is(nfs4.ErrOpNotInSession)
	}
	illegal := []nfs4.Op{0, 1, 2, 76, 1000, nfs4.OpIllegal, 1 << 31}
	for _, o := range illegal {
		refused(o, nfs4.ErrOpIllegal, nfs4.OpIllegal)
		c.alone(op{num: o}).is(nfs4.ErrOpIllegal)
	}
	one := b.newClient("one")
	one.minor = 1
	one.begin()
	c = one
	for _, o := range unsupported {
		refused(o, nfs4.ErrNotSupp, o)
	}
	for _, o := range append(newer, nfs4.OpAllocate, nfs4.OpCopy, nfs4.OpSeek, nfs4.OpClone, nfs4.OpGetXattr, nfs4.OpRemoveXattr) {
		refused(o, nfs4.ErrOpIllegal, nfs4.OpIllegal)
	}
}

// TestPosition: which operations may stand where without a session (RFC 8881 section 2.10.2).
func TestPosition(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	for _, o := range []op{
		exchangeID("b", c.verifier, 0), createSession(c.id, 9, channel), destroySession(nfs4.SessionID{}), destroyClientID(9), bindConn(c.session, nfs4.ChannelFore),
	} {
		c.alone(o, putRootFH()).is(nfs4.ErrNotOnlyOp)
	}
	for _, o := range []op{putRootFH(), getFH(), reclaimComplete(), commit(), testStateid(), mkdir("x"), {nfs4.OpSeek, &nfs4.SeekArgs{}}} {
		c.alone(o).is(nfs4.ErrOpNotInSession)
	}
	c.send(bindConn(c.session, nfs4.ChannelFore)).is(nfs4.ErrNotOnlyOp)
	if r := c.alone(); r.status != nfs4.OK || len(r.results) != 0 {
		t.Errorf("a request without operations: %v", r)
	}
}

// TestMalformed: a request that breaks off is answered as far as it can be read, and no further.
func TestMalformed(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	try := func(ops []op, claimed int, tail ...byte) *reply {
		t.Helper()
		r, err := tryCall(t, c.conn, &c.cred, func(e *oncrpc.Encoder) {
			head := nfs4.CompoundArgs{MinorVersion: 2, Ops: claimed}
			head.Encode(e)
			for _, o := range ops {
				e.Uint32(uint32(o.num))
				if o.args != nil {
					o.args.Encode(e)
				}
			}
			e.Append(tail)
		})
		b.must("call", err)
		return r
	}
	next := func() op {
		c.seq++
		return sequence(c.session, c.seq, 0, false)
	}
	if r := try([]op{next(), putRootFH()}, 3).is(nfs4.ErrBadXDR); r.results[2].op != nfs4.OpIllegal {
		t.Errorf("an operation that is not there: %v", r)
	}
	if r := try([]op{next(), putRootFH()}, 3, 0, 0, 0, 15).is(nfs4.ErrBadXDR); r.results[2].op != nfs4.OpLookup {
		t.Errorf("a LOOKUP without a name: %v", r)
	}
	try([]op{next(), putRootFH()}, 3, 0, 0, 0, 15, 0x7f, 0xff, 0xff, 0xff, 'x').is(nfs4.ErrBadXDR)
	try([]op{next()}, 1<<31-1).is(nfs4.ErrTooManyOps)
	c.seq-- // the slot is as it was
	try(nil, 1<<31-1).is(nfs4.ErrBadXDR, nfs4.ErrResource, nfs4.ErrTooManyOps)
	try([]op{{num: nfs4.OpExchangeID}}, 1).is(nfs4.ErrBadXDR)
	// What follows the last operation is nobody's.
	try([]op{next(), putRootFH()}, 2, 1, 2, 3, 4).ok()
	c.send(putRootFH()).ok()
}
