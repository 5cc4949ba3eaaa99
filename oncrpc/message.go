// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"errors"
	"fmt"
	"strconv"
)

// rpcVersion is the version of the RPC protocol (RFC 5531 section 9).
const rpcVersion = 2

// Numbers of RFC 5531 section 9: msg_type, reply_stat, reject_stat, auth_stat.
const (
	msgCall  = 0
	msgReply = 1

	msgAccepted = 0
	msgDenied   = 1

	rejectRPCMismatch = 0
	rejectAuthError   = 1

	authBadCred = 1
	authTooWeak = 5
)

// AcceptStat is how a call was answered: an accept_stat (RFC 5531 section 9), or a value beyond those for a call that
// was denied or not answered at all.
type AcceptStat uint64

// The answers. What a handler wrote counts with Success alone.
const (
	Success      AcceptStat = 0
	ProgUnavail  AcceptStat = 1
	progMismatch AcceptStat = 2 // ProgMismatch adds the versions
	ProcUnavail  AcceptStat = 3
	GarbageArgs  AcceptStat = 4
	SystemErr    AcceptStat = 5

	// AuthTooWeak, AuthBadCred and AuthError deny the call for its credential; AuthError is a client's, for all reasons
	// but the first two. RPCMismatch denies it for its version of RPC.
	AuthTooWeak AcceptStat = 1 << 16
	AuthBadCred AcceptStat = 2 << 16
	AuthError   AcceptStat = 3 << 16
	RPCMismatch AcceptStat = 4 << 16
	// Drop sends no reply.
	Drop AcceptStat = 5 << 16
)

// ProgMismatch says that the program has the versions low to high alone.
func ProgMismatch(low, high uint16) AcceptStat {
	return progMismatch | AcceptStat(low)<<32 | AcceptStat(high)<<48
}

// wire returns the accept_stat, and the versions that go with PROG_MISMATCH.
func (s AcceptStat) wire() (stat, low, high uint32) {
	return uint32(s), uint32(s>>32) & 0xffff, uint32(s >> 48)
}

var statNames = map[AcceptStat]string{
	Success: "SUCCESS", ProgUnavail: "PROG_UNAVAIL", ProcUnavail: "PROC_UNAVAIL", GarbageArgs: "GARBAGE_ARGS",
	SystemErr: "SYSTEM_ERR", AuthTooWeak: "AUTH_TOOWEAK", AuthBadCred: "AUTH_BADCRED", AuthError: "AUTH_ERROR",
	RPCMismatch: "RPC_MISMATCH", Drop: "no reply",
}

// String returns the name as RFC 5531 spells it.
func (s AcceptStat) String() string {
	if name, ok := statNames[s]; ok {
		return name
	}
	stat, low, high := s.wire()
	if stat == uint32(progMismatch) {
		return fmt.Sprintf("PROG_MISMATCH (versions %d to %d)", low, high)
	}
	return "accept_stat " + strconv.FormatUint(uint64(stat), 10)
}

// Call is one call that a server has to answer. It, and all that it holds, is valid until ServeRPC returns.
type Call struct {
	XID                         uint32
	Program, Version, Procedure uint32
	Cred                        Cred
	// Args is at the first byte of the arguments. What it returns aliases the message.
	Args *Decoder
	// Conn is the connection that the call came by.
	Conn *Conn

	size int
}

// Size is the length of the whole call message in bytes, without record marks.
func (c *Call) Size() int { return c.size }

// errNotCall is the error of a message that has no call's header: there is nothing to answer to.
var errNotCall = errors.New("the message is not an RPC call")

// decode reads the header of a call (RFC 5531 section 9, call_body): Success where a handler may see it, else what to
// answer. The error is errNotCall.
func (c *Call) decode(message []byte) (AcceptStat, error) {
	d := c.Args
	d.Reset(message)
	c.size = len(message)
	c.XID = d.Uint32()
	if msgType := d.Uint32(); d.Err() != nil || msgType != msgCall {
		return Drop, errNotCall
	}
	if version := d.Uint32(); d.Err() == nil && version != rpcVersion {
		return RPCMismatch, nil
	}
	c.Program, c.Version, c.Procedure = d.Uint32(), d.Uint32(), d.Uint32()
	known := c.Cred.decode(d)
	d.Uint32() // The verifier of AUTH_NONE and AUTH_SYS says nothing.
	d.Opaque(maxAuthBody)
	switch {
	case d.Err() != nil:
		return Drop, errNotCall
	case !known:
		return AuthBadCred, nil
	}
	return Success, nil
}

// Offsets in a reply that goes out as one record: the record mark, and the parts of an accepted reply's header.
const (
	replyStatAt  = markSize + 8  // reply_stat
	acceptStatAt = markSize + 20 // accept_stat
	resultsAt    = markSize + 24
)

// beginReply writes room for the record mark and the header of a reply that is a success. Results follow.
func beginReply(e *Encoder, xid uint32) {
	e.Uint32(0) // record mark
	e.Uint32(xid)
	e.Uint32(msgReply)
	e.Uint32(msgAccepted)
	e.Uint32(uint32(AuthNone)) // verifier
	e.Uint32(0)
	e.Uint32(uint32(Success))
}

// endReply makes the reply what stat says and sets the record mark.
func endReply(e *Encoder, stat AcceptStat) {
	switch stat {
	case Success:
	case AuthTooWeak:
		deny(e, rejectAuthError, authTooWeak)
	case AuthBadCred:
		deny(e, rejectAuthError, authBadCred)
	case RPCMismatch:
		deny(e, rejectRPCMismatch, rpcVersion, rpcVersion)
	default:
		number, low, high := stat.wire()
		e.Truncate(resultsAt)
		e.SetUint32(acceptStatAt, number)
		if number == uint32(progMismatch) {
			e.Uint32(low)
			e.Uint32(high)
		}
	}
	e.SetUint32(0, lastFragment|uint32(e.Len()-markSize))
}

// deny makes the reply a rejected_reply.
func deny(e *Encoder, why ...uint32) {
	e.Truncate(replyStatAt)
	e.Uint32(msgDenied)
	for _, v := range why {
		e.Uint32(v)
	}
}

// encodeCall writes the header of a call.
func encodeCall(e *Encoder, xid, program, version, procedure uint32, cred *Cred) {
	e.Uint32(xid)
	e.Uint32(msgCall)
	e.Uint32(rpcVersion)
	e.Uint32(program)
	e.Uint32(version)
	e.Uint32(procedure)
	if cred == nil {
		cred = &Cred{}
	}
	cred.encode(e)
	e.Uint32(uint32(AuthNone)) // verifier
	e.Uint32(0)
}

// ReplyError is a reply other than a success.
type ReplyError struct{ Stat AcceptStat }

// Error says what the server said.
func (e *ReplyError) Error() string { return "the server answered " + e.Stat.String() }

// Versions returns which versions the server has of the program, where that is what it said.
func (e *ReplyError) Versions() (low, high uint32, ok bool) {
	stat, low, high := e.Stat.wire()
	return low, high, stat == uint32(progMismatch)
}

// Denied tells whether the server does not take the caller's credential, or not from where it comes.
func (e *ReplyError) Denied() bool {
	return e.Stat == AuthTooWeak || e.Stat == AuthBadCred || e.Stat == AuthError
}

// decodeReply reads the header of a reply behind its XID and message type: nil where results follow, else ErrXDR or a
// *ReplyError.
func decodeReply(d *Decoder) error {
	stat := Success
	switch d.Uint32() {
	case msgAccepted:
		d.Uint32() // The verifier says nothing.
		d.Opaque(maxAuthBody)
		switch stat = AcceptStat(d.Uint32()); {
		case stat == progMismatch:
			stat = ProgMismatch(uint16(d.Uint32()), uint16(d.Uint32()))
		case stat > SystemErr: // the values beyond are this side's own
			d.Fail()
		}
	case msgDenied:
		stat = decodeDenied(d)
	default:
		d.Fail()
	}
	if d.Err() != nil {
		return d.Err()
	}
	if stat != Success {
		return &ReplyError{stat}
	}
	return nil
}

// decodeDenied reads a rejected_reply.
func decodeDenied(d *Decoder) AcceptStat {
	if d.Uint32() == rejectRPCMismatch {
		return RPCMismatch
	}
	switch d.Uint32() {
	case authTooWeak:
		return AuthTooWeak
	case authBadCred:
		return AuthBadCred
	}
	return AuthError
}
