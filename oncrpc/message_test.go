// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

// unhex reads bytes as hex digits with spaces.
func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A call as RFC 5531 has it: xid, CALL, RPC version 2, program, version, procedure; then the credential and verifier.
const (
	callHead = "00000007 00000000 00000002 000186a3 00000004 00000001"
	credSys  = "00000001 00000020" + // AUTH_SYS, 32 bytes
		"00000005 00000003 706f6400" + // stamp, "pod"
		"000003e8 00000064 00000002 0000000a 0000000b" // uid 1000, gid 100, gids 10 and 11
	authNone = "00000000 00000000"
)

func TestDecodeCall(t *testing.T) {
	message := unhex(t, callHead+credSys+authNone+"cafe0000")
	c := Call{Args: new(Decoder)}
	stat, err := c.decode(message)
	if stat != Success || err != nil {
		t.Fatalf("%v, %v", stat, err)
	}
	if c.XID != 7 || c.Program != 100003 || c.Version != 4 || c.Procedure != 1 || c.Size() != len(message) {
		t.Errorf("header: %+v", c)
	}
	if c.Cred.Flavor != AuthSys || c.Cred.UID != 1000 || c.Cred.GID != 100 || string(c.Cred.Machine) != "pod" || !slices.Equal(c.Cred.GIDs(), []uint32{10, 11}) {
		t.Errorf("credential: %+v", c.Cred)
	}
	if got := c.Args.Rest(); !bytes.Equal(got, []byte{0xca, 0xfe, 0, 0}) {
		t.Errorf("arguments: %x", got)
	}

	e := NewEncoder(nil)
	encodeCall(e, 7, 100003, 4, 1, &c.Cred)
	if want := message[:len(message)-4]; !bytes.Equal(e.Bytes(), want) {
		t.Errorf("encoded\n%x, want\n%x", e.Bytes(), want)
	}
	for n := range len(message) - 4 {
		if stat, err := c.decode(message[:n:n]); err == nil {
			t.Errorf("%d bytes decode: %v", n, stat)
		}
	}
}

func TestCallsThatAreDenied(t *testing.T) {
	for _, test := range []struct {
		name, message string
		want          AcceptStat
		err           error
	}{
		{"a reply", "00000007 00000001 00000000", Drop, errNotCall},
		{"RPC version 3", "00000007 00000000 00000003", RPCMismatch, nil},
		{"RPCSEC_GSS", callHead + "00000006 00000004 00000000" + authNone, AuthBadCred, nil},
		{"17 groups", callHead + "00000001 00000058 00000000 00000000 00000000 00000000 00000011" + strings.Repeat("00000000", 17) + authNone, AuthBadCred, nil},
		{"bytes behind the credential", callHead + "00000001 00000018 00000000 00000000 00000000 00000000 00000000 00000000" + authNone, AuthBadCred, nil},
		{"a giant machine name", callHead + "00000001 00000008 00000000 ffffffff" + authNone, AuthBadCred, nil},
		{"a giant credential", callHead + "00000001 7fffffff", Drop, errNotCall},
		{"a giant verifier", callHead + authNone + "00000000 00000194" + strings.Repeat("00000000", 101), Drop, errNotCall},
	} {
		c := Call{Args: new(Decoder)}
		if stat, err := c.decode(unhex(t, test.message)); stat != test.want || err != test.err {
			t.Errorf("%s: %v, %v", test.name, stat, err)
		}
	}
}

// TestReplies compares with replies that were put together by hand from RFC 5531 section 9, and reads them again.
func TestReplies(t *testing.T) {
	for _, test := range []struct {
		stat AcceptStat
		wire string
	}{
		{Success, "8000001c 00000007 00000001 00000000 00000000 00000000 00000000 cafecafe"},
		{ProgUnavail, "80000018 00000007 00000001 00000000 00000000 00000000 00000001"},
		{ProgMismatch(4, 5), "80000020 00000007 00000001 00000000 00000000 00000000 00000002 00000004 00000005"},
		{ProcUnavail, "80000018 00000007 00000001 00000000 00000000 00000000 00000003"},
		{GarbageArgs, "80000018 00000007 00000001 00000000 00000000 00000000 00000004"},
		{SystemErr, "80000018 00000007 00000001 00000000 00000000 00000000 00000005"},
		{RPCMismatch, "80000018 00000007 00000001 00000001 00000000 00000002 00000002"},
		{AuthBadCred, "80000014 00000007 00000001 00000001 00000001 00000001"},
		{AuthTooWeak, "80000014 00000007 00000001 00000001 00000001 00000005"},
	} {
		var e Encoder
		beginReply(&e, 7)
		e.Uint32(0xcafecafe)
		endReply(&e, test.stat)
		want := unhex(t, test.wire)
		if !bytes.Equal(e.Bytes(), want) {
			t.Errorf("%v:\n got %x\nwant %x", test.stat, e.Bytes(), want)
		}
		d := NewDecoder(want[markSize+8:])
		err := decodeReply(d)
		var reply *ReplyError
		if test.stat == Success {
			if err != nil || d.Remaining() != 4 {
				t.Errorf("success: %v, %d bytes", err, d.Remaining())
			}
		} else if !errors.As(err, &reply) || reply.Stat != test.stat {
			t.Errorf("%v decodes as %v", test.stat, err)
		}
		for n := markSize + 8; n < markSize+12; n++ {
			if err := decodeReply(NewDecoder(want[markSize+8 : n : n])); !errors.Is(err, ErrXDR) {
				t.Errorf("%v: %d bytes: %v", test.stat, n, err)
			}
		}
	}
}

// TestRepliesNotUnderstood: what RFC 5531 has no name for is malformed, and is not taken for what only this side says.
func TestRepliesNotUnderstood(t *testing.T) {
	for _, wire := range []string{
		"00000002",                            // reply_stat
		"00000000 00000000 00000000 00000006", // accept_stat
		"00000000 00000000 00000000 00010000", // AuthTooWeak
		"00000000 00000000 00000000 00050000", // Drop
		"00000000 00000000 00000191",          // a verifier too long
	} {
		if err := decodeReply(NewDecoder(unhex(t, wire))); !errors.Is(err, ErrXDR) {
			t.Errorf("%s: %v", wire, err)
		}
	}
	var refused *ReplyError
	if err := decodeReply(NewDecoder(unhex(t, "00000001 00000001 0000000e"))); !errors.As(err, &refused) || refused.Stat != AuthError {
		t.Errorf("RPCSEC_GSS_CTXPROBLEM: %v", err)
	}
}
