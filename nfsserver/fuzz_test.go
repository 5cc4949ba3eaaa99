// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"bytes"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
)

// maxFuzzReply is how long a reply may be.
const maxFuzzReply = 4096

// FuzzCompound hands any bytes to a server as a COMPOUND; with a session, SEQUENCE stands in front of them. The server does
// not panic, its reply decodes to the last byte and is no longer than the session carries, the retry is answered alike,
// and the next request as well.
func FuzzCompound(f *testing.F) {
	for _, seed := range fuzzSeeds() {
		e := oncrpc.NewEncoder(nil)
		encodeCompound(e, 2, "", seed)
		head := 12 // an empty tag, the minor version and the count
		f.Add(uint32(2), uint32(len(seed)), e.Bytes()[head:], true)
		f.Add(uint32(1), uint32(len(seed)), e.Bytes()[head:], true)
		f.Add(uint32(2), uint32(len(seed)), e.Bytes()[head:], false)
	}
	conn := someConn(f)
	f.Fuzz(func(t *testing.T, minor, ops uint32, body []byte, inSession bool) {
		d := newDesk(t, conn)
		fore := channel
		fore.MaxResponseSize, fore.MaxResponseSizeCached = maxFuzzReply, maxFuzzReply
		session := d.begin("a", fore)
		e := oncrpc.NewEncoder(nil)
		head := nfs4.CompoundArgs{Tag: []byte("tag"), MinorVersion: minor, Ops: int(ops)}
		if inSession {
			head.Ops = int(ops%64) + 1
		}
		head.Encode(e)
		if inSession {
			e.Uint32(uint32(nfs4.OpSequence))
			sequence(session, 1, 1, true).args.Encode(e)
		}
		e.Append(body)
		first := d.hand(e.Bytes())
		switch {
		case first == nil:
			t.Fatalf("%x: refused as no COMPOUND", e.Bytes())
		case inSession && len(first.raw)+24 > maxFuzzReply:
			t.Fatalf("%x: the reply has %d bytes", e.Bytes(), len(first.raw))
		case first.tag != "tag":
			t.Fatalf("%x: the tag is %q", e.Bytes(), first.tag)
		}
		if inSession && (minor == 1 || minor == 2) {
			again := d.hand(e.Bytes())
			if !bytes.Equal(again.raw, first.raw) && !gone(again) {
				t.Fatalf("%x: the retry was answered %v, the request %v", e.Bytes(), again, first)
			}
		}
		e = oncrpc.NewEncoder(nil)
		encodeCompound(e, 2, "", []op{sequence(session, 2, 0, false), putRootFH(), lookup("homes"), lookup(hub), readDir(0, 1000)})
		if r := d.hand(e.Bytes()); r.status != nfs4.OK && !gone(r) {
			t.Fatalf("the next request: %v", r)
		}
	})
}

// gone tells whether a reply is that the session was destroyed.
func gone(r *reply) bool { return r.status == nfs4.ErrBadSession }

// fuzzSeeds are requests that get somewhere.
func fuzzSeeds() [][]op {
	now := nfs4.CurrentStateid
	mode := set(nfs4.Attrs{Mode: 0o644, Size: 0}, nfs4.AttrMode, nfs4.AttrSize)
	return [][]op{
		{putRootFH(), getAttr(nfs4.AttrType, nfs4.AttrFSID, nfs4.AttrSpaceFree), readDir(0, 4096, nfs4.AttrType), access(0x1ff)},
		at("ada", openNew("o", "f", nfs4.CreateUnchecked, mode), write(now, 0, nfs4.Unstable, "data"), commit(), read(now, 0, 8000), closeFile(now)),
		at("ada", openNew("o", "g", nfs4.CreateExclusive4_1, nfs4.Fattr{}), allocate(now, 0, 8192), seek(now, nfs4.ContentHole, 0), deallocate(now, 0, 100), getFH()),
		at("ada", open("o", "f", rw, denyWrite), lockNew(now, "l", nfs4.WriteLock, 0, 10), lockU(now, 5, 1), lockT("m", nfs4.ReadLock, 0, toEOF), downgrade(now, rw, denyWrite)),
		at("ada", open("o", "f", rw, denyNone), saveFH(), copyRange(now, now, 0, 100, 0), clone(now, now, 0, 4096, 0), setSize(now, 5)),
		at("ada", mkdir("x"), lookupP(), symlink("y", "target"), readLink(), lookupP(), saveFH(), rename("x", "z"), remove("y")),
		at("ada/f", saveFH(), lookupP(), putRootFH(), lookup("homes"), lookup(hub), lookup("ada"), link("g"), readDir(0, 8192, nfs4.AttrFilehandle, nfs4.AttrRdattrError)),
		at("ada/f", setXattr("name", "value", nfs4.SetXattrEither), getXattr("name"), listXattrs(0, 100), removeXattr("name"), setMode(0o7777)),
		at("ada/f", op{nfs4.OpVerify, &nfs4.VerifyArgs{ObjAttributes: mode}}, op{nfs4.OpSecInfoNoName, &nfs4.SecInfoNoNameArgs{}}),
		at("ada/f", reopen("o", rw), freeStateid(now), testStateid(now, nfs4.AnonymousStateid), op{nfs4.OpDelegReturn, &nfs4.DelegReturnArgs{}}),
		{exchangeID("b", nfs4.Verifier{1}, 0), createSession(1, 1, channel), destroyClientID(1), destroySession(nfs4.SessionID{})},
		{exchangeID("b", nfs4.Verifier{1}, 0)},
		{createSession(1, 1, channel)},
		{bindConn(nfs4.SessionID{}, nfs4.ChannelBoth)},
		{op{nfs4.OpBackchannelCtl, &nfs4.BackchannelCtlArgs{SecParms: []nfs4.CallbackSec{{}}}}, {num: nfs4.OpIllegal}},
		at("ada/l", readLink(), readLink(), getAttr(nfs4.AttrFilehandle), op{num: nfs4.OpReadPlus}),
	}
}
