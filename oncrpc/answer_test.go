// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
)

// TestStrayRecords: what is no reply to a call that waits is dropped, and the reply behind it arrives.
func TestStrayRecords(t *testing.T) {
	for _, test := range []struct {
		name  string
		stray func(xid uint32) []byte
	}{
		{"another xid", func(xid uint32) []byte { return accepted(xid+1, 0, 0, 0, 9) }},
		{"a call", func(xid uint32) []byte { return callRecord(xid, procNull) }},
		{"nothing", func(uint32) []byte { return fragments(nil) }},
		{"an xid alone", func(xid uint32) []byte { return fragments(accepted(xid)[4:8]) }},
		{"a long record", func(xid uint32) []byte { return accepted(xid-1, randomBytes(MaxRecord-24)...) }},
	} {
		c := scripted(t, func(conn net.Conn) {
			for call := take(conn); call != nil; call = take(conn) {
				reply := accepted(call.XID, call.Args.Rest()...)
				conn.Write(append(test.stray(call.XID), append(reply, reply...)...)) // and the reply twice
			}
		})
		for n := range uint32(3) {
			if got, err := ask(within(t), c, n); err != nil || got != n {
				t.Errorf("behind %s: %d, %v", test.name, got, err)
			}
		}
	}
}

// TestRefusedCalls: what the server answers but a success is a *ReplyError, what cannot be understood is ErrXDR, and the
// connection goes on.
func TestRefusedCalls(t *testing.T) {
	c := scripted(t, func(conn net.Conn) {
		for call := take(conn); call != nil; call = take(conn) {
			if call.Procedure == procEcho {
				conn.Write(accepted(call.XID, call.Args.Rest()...))
				continue
			}
			e := NewEncoder(nil)
			beginReply(e, call.XID)
			endReply(e, AcceptStat(call.Args.Uint64()))
			conn.Write(e.Bytes())
		}
	})
	for _, stat := range []AcceptStat{ProgUnavail, ProgMismatch(3, 4), ProgMismatch(0, math.MaxUint16), ProcUnavail, GarbageArgs,
		SystemErr, AuthBadCred, AuthTooWeak, RPCMismatch, 6, Drop} {
		_, err := c.Call(within(t), program, 1, procNull, nil, func(e *Encoder) { e.Uint64(uint64(stat)) }, nil)
		refused, ok := errors.AsType[*ReplyError](err)
		switch {
		case stat == 6 || stat == Drop:
			if !errors.Is(err, ErrXDR) {
				t.Errorf("accept_stat %d: %v", stat, err)
			}
		case !ok || refused.Stat != stat || !strings.Contains(err.Error(), stat.String()):
			t.Errorf("%v: %v", stat, err)
		default:
			low, high, ok := refused.Versions()
			if _, wantLow, wantHigh := stat.wire(); ok != (uint32(stat) == uint32(progMismatch)) || ok && (low != wantLow || high != wantHigh) {
				t.Errorf("%v: versions %d to %d, %v", stat, low, high, ok)
			}
		}
		if got, err := ask(within(t), c, 5); err != nil || got != 5 {
			t.Errorf("behind %v: %d, %v", stat, got, err)
		}
	}
}

// TestServerIsNotRPC: whatever speaks there, the call ends at once with an error that says which connection it was.
func TestServerIsNotRPC(t *testing.T) {
	for _, test := range []struct {
		name, says string
		want       error
	}{
		{"HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", errRecordTooLong},
		{"SSH", "SSH-2.0-OpenSSH_9.9\r\n", errRecordTooLong},
		{"SMTP", "220 mail ESMTP\r\n", errRecordTooLong},
		{"TLS", "\x15\x03\x01\x00\x02\x02\x46", errRecordTooLong},
		{"zeros", string(make([]byte, 4*maxFragments+4)), errTooManyFragments},
		{"two bytes", "\r\n", io.ErrUnexpectedEOF},
		{"nothing", "", nil},
	} {
		c := scripted(t, func(conn net.Conn) {
			take(conn)
			io.WriteString(conn, test.says)
		})
		_, err := ask(within(t), c, 1)
		if lost, ok := errors.AsType[*ConnError](err); !ok || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v (%v)", test.name, err, lost)
		}
	}
}
