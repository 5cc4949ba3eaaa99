// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// compound is one COMPOUND request while it runs (RFC 8881 section 16.2). One goroutine uses it.
type compound struct {
	ctx     context.Context
	s       *Server
	now     *settings
	call    *oncrpc.Call
	request []byte
	args    *oncrpc.Decoder
	res     *oncrpc.Encoder

	caller vfs.Caller
	groups [maxGroups]uint32

	// Where the reply begins in res, and the running operation's result behind its status.
	replyStart, resultStart int
	opIndex, opCount        int
	minor                   uint32
	// keep: the running operation's result stands although its status is not OK.
	keep bool
	// moved is how many bytes of a file the running operation has read or written; began is when it began.
	moved int
	began time.Time

	// From SEQUENCE.
	session   *session
	slot      *slot
	client    *client
	cacheThis bool
	maxReply  int
	replay    []byte

	cur, saved           filehandle
	curState, savedState nfs4.Stateid

	attrs nfs4.Attrs // memory for one answer
}

// handleKind says what a filehandle is of.
type handleKind uint8

const (
	noHandle handleKind = iota
	pseudoHandle
	fileHandle
)

// filehandle is a current or saved filehandle.
type filehandle struct {
	kind   handleKind
	pseudo *pseudoDir
	file   vfs.Handle
	home   vfs.HomeID
}

// malformed tells whether decoding the operation's arguments went wrong.
func (c *compound) malformed() bool { return c.args.Err() != nil }

// last tells whether the running operation is the request's last.
func (c *compound) last() bool { return c.opIndex == c.opCount-1 }

// resultSince returns what was written to the reply since an offset.
func (c *compound) resultSince(at int) []byte { return c.res.Bytes()[at:] }

// status is what the client is told of an error.
func (c *compound) status(err error) nfs4.Status {
	if err == nil {
		return nfs4.OK
	}
	status := nfs4.StatusOf(err)
	if status == nfs4.ErrIO || status == nfs4.ErrServerFault {
		return c.fault(err)
	}
	return status
}

// fault is the status of an error that an operator must hear of.
func (c *compound) fault(err error) nfs4.Status {
	status := nfs4.StatusOf(err)
	c.s.options.Logger.Error("request", "client", c.call.Conn.RemoteAddr().String(), "status", status.String(), "error", err)
	return status
}

// dir returns the current filehandle where it can be one of the FS that is asked to change something.
func (c *compound) writable(h *filehandle) nfs4.Status {
	switch h.kind {
	case noHandle:
		return nfs4.ErrNoFileHandle
	case pseudoHandle:
		return nfs4.ErrROFS
	}
	return nfs4.OK
}

// serve answers the COMPOUND. The reply's header is already in the encoder.
func (c *compound) serve() oncrpc.AcceptStat {
	var head nfs4.CompoundArgs
	if head.Decode(c.args); c.malformed() {
		return oncrpc.GarbageArgs
	}
	c.replyStart = c.res.Len()
	c.minor, c.opCount = head.MinorVersion, head.Ops
	res := nfs4.CompoundRes{Tag: head.Tag}
	statusAt, opsAt := res.Encode(c.res)
	if c.minor != 1 && c.minor != 2 {
		c.res.SetUint32(statusAt, uint32(nfs4.ErrMinorVersMismatch))
		return oncrpc.Success
	}
	defer c.finish()
	if c.s.options.Observe != nil {
		c.began = time.Now()
	}
	for c.opIndex = 0; c.opIndex < c.opCount; c.opIndex++ {
		status := c.operation()
		if c.replay != nil {
			c.res.Truncate(c.replyStart)
			c.res.Append(c.replay)
			return oncrpc.Success
		}
		c.res.SetUint32(opsAt, uint32(c.opIndex+1))
		if status != nfs4.OK {
			c.res.SetUint32(statusAt, uint32(status))
			break
		}
	}
	return oncrpc.Success
}

// operation runs the next operation and writes its result.
func (c *compound) operation() nfs4.Status {
	op := nfs4.Op(c.args.Uint32())
	start := c.res.Len()
	run, status := c.handler(op)
	if c.args.Err() != nil {
		op, run, status = nfs4.OpIllegal, nil, nfs4.ErrBadXDR
	} else if status == nfs4.ErrOpIllegal {
		op = nfs4.OpIllegal
	}
	if run != nil && changeSizes[op] > 0 {
		// What changes something runs only where the answer has room: the client could not know that it did.
		if tooBig := c.fits(changeSizes[op]); tooBig != nfs4.OK {
			run, status = nil, tooBig
		}
	}
	nfs4.ResOp{Op: op}.Encode(c.res)
	c.resultStart = c.res.Len()
	c.keep, c.moved = false, 0
	if run != nil {
		status = c.guarded(op, run)
	}
	keep := status == nfs4.OK || c.keep
	if keep {
		if tooBig := c.fits(0); tooBig != nfs4.OK {
			keep, status = false, tooBig
		}
	}
	if !keep {
		c.res.Truncate(c.resultStart)
		if op == nfs4.OpSetAttr {
			(&nfs4.SetAttrRes{}).Encode(c.res) // follows every status
		}
	}
	c.res.SetUint32(start+4, uint32(status))
	c.observe(op, status)
	return status
}

const (
	// replyHeader is the size of an RPC reply's header in bytes, with an empty verifier (RFC 5531 section 9).
	replyHeader = 24
	// errorResult is the most that the result of an operation takes that was refused: it must fit behind what stands
	// in the reply already.
	errorResult = 12
)

// changeSizes are the operations that change something, with the most bytes that their results take.
var changeSizes = [nfs4.OpRemoveXattr + 1]int{
	nfs4.OpClose: 24, nfs4.OpCreate: 44, nfs4.OpLink: 28, nfs4.OpLock: 24, nfs4.OpLockU: 24, nfs4.OpOpen: 76,
	nfs4.OpOpenDowngrade: 24, nfs4.OpRemove: 28, nfs4.OpRename: 48, nfs4.OpSetAttr: 24, nfs4.OpWrite: 24,
	nfs4.OpCreateSession: 92, nfs4.OpDestroySession: 8, nfs4.OpDestroyClientID: 8, nfs4.OpFreeStateid: 8,
	nfs4.OpReclaimComplete: 8, nfs4.OpAllocate: 8, nfs4.OpDeallocate: 8, nfs4.OpCopy: 40, nfs4.OpClone: 8,
	nfs4.OpSetXattr: 28, nfs4.OpRemoveXattr: 28,
}

// fits answers REP_TOO_BIG where the reply with so many bytes more is longer than the session carries, and
// REP_TOO_BIG_TO_CACHE where it is longer than the session keeps.
func (c *compound) fits(more int) nfs4.Status {
	if c.session == nil {
		return nfs4.OK
	}
	switch room := c.room() - more; {
	case room < 0:
		return nfs4.ErrRepTooBig
	case c.cacheThis && room < c.maxReply-int(c.session.fore.MaxResponseSizeCached) && c.opIndex > 0:
		return nfs4.ErrRepTooBigToCache
	}
	return nfs4.OK
}

// room is how many bytes of result the reply can still take.
func (c *compound) room() int {
	room := c.maxReply - (c.res.Len() - c.replyStart) - replyHeader
	if !c.last() {
		room -= errorResult
	}
	return room
}

// handler finds what runs an operation, or says why nothing does: the rules on where in a request it may stand
// (RFC 8881 sections 2.10.2, 18.46.3) and in which minor version (RFC 8178 section 8).
func (c *compound) handler(op nfs4.Op) (func(*compound) nfs4.Status, nfs4.Status) {
	switch {
	case int(op) < len(handlers) && handlers[op] != nil:
	case op >= nfs4.OpAccess && op <= nfs4.OpReclaimComplete, c.minor == 2 && op <= nfs4.OpRemoveXattr && op > nfs4.OpReclaimComplete:
		if c.opIndex == 0 {
			return nil, nfs4.ErrOpNotInSession
		}
		return nil, nfs4.ErrNotSupp
	default:
		return nil, nfs4.ErrOpIllegal
	}
	if op > nfs4.OpReclaimComplete && c.minor < 2 {
		return nil, nfs4.ErrOpIllegal
	}
	switch op {
	case nfs4.OpSequence:
	case nfs4.OpBindConnToSession:
		if c.opCount > 1 {
			return nil, nfs4.ErrNotOnlyOp
		}
	case nfs4.OpExchangeID, nfs4.OpCreateSession, nfs4.OpDestroySession, nfs4.OpDestroyClientID:
		if c.opIndex == 0 && c.opCount > 1 {
			return nil, nfs4.ErrNotOnlyOp
		}
	default:
		if c.opIndex == 0 {
			return nil, nfs4.ErrOpNotInSession
		}
	}
	return handlers[op], nfs4.OK
}

// guarded runs an operation. A panic is a fault of the server in one operation, not the end of everybody's files.
func (c *compound) guarded(op nfs4.Op, run func(*compound) nfs4.Status) (status nfs4.Status) {
	defer func() {
		if p := recover(); p != nil {
			c.s.options.Logger.Error("panic in a request", "op", op.String(), "panic", p, "stack", string(debug.Stack()))
			c.keep, status = false, nfs4.ErrServerFault
		}
	}()
	return run(c)
}

// handlers has what runs each operation; what is nil there is not supported.
var handlers [nfs4.OpRemoveXattr + 1]func(*compound) nfs4.Status

func init() {
	for op, run := range map[nfs4.Op]func(*compound) nfs4.Status{
		nfs4.OpExchangeID:        opExchangeID,
		nfs4.OpCreateSession:     opCreateSession,
		nfs4.OpDestroySession:    opDestroySession,
		nfs4.OpDestroyClientID:   opDestroyClientID,
		nfs4.OpBindConnToSession: opBindConnToSession,
		nfs4.OpBackchannelCtl:    opBackchannelCtl,
		nfs4.OpSequence:          opSequence,
		nfs4.OpReclaimComplete:   opReclaimComplete,

		nfs4.OpPutFH:         opPutFH,
		nfs4.OpPutPubFH:      opPutRootFH,
		nfs4.OpPutRootFH:     opPutRootFH,
		nfs4.OpGetFH:         opGetFH,
		nfs4.OpSaveFH:        opSaveFH,
		nfs4.OpRestoreFH:     opRestoreFH,
		nfs4.OpLookup:        opLookup,
		nfs4.OpLookupP:       opLookupP,
		nfs4.OpSecInfo:       opSecInfo,
		nfs4.OpSecInfoNoName: opSecInfoNoName,

		nfs4.OpAccess:  opAccess,
		nfs4.OpGetAttr: opGetAttr,
		nfs4.OpSetAttr: opSetAttr,
		nfs4.OpVerify:  opVerify,
		nfs4.OpNVerify: opNVerify,

		nfs4.OpCreate:   opCreate,
		nfs4.OpLink:     opLink,
		nfs4.OpReadDir:  opReadDir,
		nfs4.OpReadLink: opReadLink,
		nfs4.OpRemove:   opRemove,
		nfs4.OpRename:   opRename,

		nfs4.OpOpen:          opOpen,
		nfs4.OpOpenDowngrade: opOpenDowngrade,
		nfs4.OpClose:         opClose,
		nfs4.OpLock:          opLock,
		nfs4.OpLockT:         opLockT,
		nfs4.OpLockU:         opLockU,
		nfs4.OpFreeStateid:   opFreeStateid,
		nfs4.OpTestStateid:   opTestStateid,
		nfs4.OpDelegReturn:   opDelegReturn,

		nfs4.OpRead:       opRead,
		nfs4.OpWrite:      opWrite,
		nfs4.OpCommit:     opCommit,
		nfs4.OpAllocate:   opAllocate,
		nfs4.OpDeallocate: opDeallocate,
		nfs4.OpSeek:       opSeek,
		nfs4.OpCopy:       opCopy,
		nfs4.OpClone:      opClone,
		nfs4.OpIOAdvise:   opIOAdvise,

		nfs4.OpGetXattr:    opGetXattr,
		nfs4.OpSetXattr:    opSetXattr,
		nfs4.OpListXattrs:  opListXattrs,
		nfs4.OpRemoveXattr: opRemoveXattr,
	} {
		handlers[op] = run
	}
}
