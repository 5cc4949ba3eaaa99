// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/xdrtest"
)

// TestGolden compares with messages that were put together by hand from RFC 5662, 7863 and 8276.
func TestGolden(t *testing.T) {
	stateid := Stateid{Seqid: 1, Other: [12]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}
	for _, test := range []struct {
		message xdrtest.Message
		wire    string
	}{
		{&CompoundArgs{Tag: []byte("tag"), MinorVersion: 2, Ops: 1}, `
			00000003 74616700  tag
			00000002           minorversion
			00000001           argarray`},
		{&SequenceArgs{SessionID: SessionID{15: 9}, SequenceID: 1, SlotID: 2, HighestSlotID: 3, CacheThis: true}, `
			00000000 00000000 00000000 00000009  sa_sessionid
			00000001 00000002 00000003 00000001  sa_sequenceid, slotid, highest_slotid, cachethis`},
		{&SequenceRes{SequenceID: 1, SlotID: 2, HighestSlotID: 3, TargetHighestSlotID: 4, StatusFlags: SeqRestartReclaimNeeded}, `
			00000000 00000000 00000000 00000000
			00000001 00000002 00000003 00000004 00000100`},
		{&ExchangeIDArgs{
			ClientOwner:  ClientOwner{Verifier{7: 1}, []byte("pod")},
			Flags:        ExchangeSuppMovedRefer | ExchangeUseNonPNFS,
			ClientImplID: []ImplID{{Domain: []byte("k"), Name: []byte("Linux"), Date: Time{1, 2}}},
		}, `
			00000000 00000001           co_verifier
			00000003 706f6400           co_ownerid
			00010001                    eia_flags
			00000000                    SP4_NONE
			00000001                    eia_client_impl_id<1>
			00000001 6b000000           nii_domain
			00000005 4c696e75 78000000  nii_name
			00000000 00000001 00000002  nii_date`},
		{&CreateSessionArgs{
			ClientID: 7, Sequence: 1, Flags: SessionConnBackChan,
			ForeChanAttrs: ChannelAttrs{0, 1 << 20, 1 << 20, 4096, 8, 64, nil},
			BackChanAttrs: ChannelAttrs{0, 4096, 4096, 0, 2, 16, nil},
			CBProgram:     0x40000000,
			SecParms:      []CallbackSec{{Flavor: oncrpc.AuthSys, Sys: oncrpc.SysCred{Stamp: 5, Machine: []byte("n1")}}},
		}, `
			00000000 00000007 00000001 00000002
			00000000 00100000 00100000 00001000 00000008 00000040 00000000
			00000000 00001000 00001000 00000000 00000002 00000010 00000000
			40000000                             csa_cb_program
			00000001 00000001                    csa_sec_parms<>: AUTH_SYS
			00000005 00000002 6e310000           stamp, machinename
			00000000 00000000 00000000           uid, gid, gids<>`},
		{&OpenArgs{
			Seqid: 0, ShareAccess: ShareAccessBoth | ShareWantNoDeleg, ShareDeny: ShareDenyNone,
			Owner: StateOwner{ClientID: 7, Owner: []byte("open")},
			How: OpenHow{Type: OpenWithCreate, Mode: CreateExclusive4_1, Verifier: Verifier{7: 2},
				Attrs: Fattr{AttrsOf(AttrMode), []byte{0, 0, 1, 0xa4}}},
			Claim: OpenClaim{Type: ClaimNull, File: []byte("a.ipynb")},
		}, `
			00000000 00000403 00000000                    seqid, share_access, share_deny
			00000000 00000007 00000004 6f70656e           owner
			00000001 00000003 00000000 00000002           OPEN4_CREATE, EXCLUSIVE4_1, cva_verf
			00000002 00000000 00000002 00000004 000001a4  cva_attrs: mode 0644
			00000000 00000007 612e6970 796e6200           CLAIM_NULL, file`},
		{&OpenRes{
			Stateid: stateid, CInfo: ChangeInfo{true, 4, 5}, RFlags: OpenResultLockTypePosix, AttrSet: AttrsOf(AttrMode),
			Delegation: Delegation{Type: DelegateWrite, Stateid: stateid, Recall: true,
				SpaceLimit: SpaceLimit{By: LimitSize, FileSize: 9}, Permissions: ACE{Who: []byte("a")}},
		}, `
			00000001 01020304 05060708 090a0b0c           stateid
			00000001 00000000 00000004 00000000 00000005  cinfo
			00000004 00000002 00000000 00000002           rflags, attrset
			00000002                                      OPEN_DELEGATE_WRITE
			00000001 01020304 05060708 090a0b0c 00000001  stateid, recall
			00000001 00000000 00000009                    NFS_LIMIT_SIZE
			00000000 00000000 00000000 00000001 61000000  permissions`},
		{&LockArgs{LockType: WriteLock, Offset: 1, Length: 2, Locker: Locker{NewLockOwner: true, OpenSeqid: 3,
			OpenStateid: stateid, LockSeqid: 4, LockOwner: StateOwner{5, []byte("lock")}}}, `
			00000002 00000000 00000000 00000001 00000000 00000002
			00000001 00000003 00000001 01020304 05060708 090a0b0c  TRUE, open_seqid, open_stateid
			00000004 00000000 00000005 00000004 6c6f636b           lock_seqid, lock_owner`},
		{&LockDenied{Offset: 1, Length: 2, LockType: ReadLock, Owner: StateOwner{5, []byte("lock")}}, `
			00000000 00000001 00000000 00000002 00000001 00000000 00000005 00000004 6c6f636b`},
		{&WriteArgs{Stateid: stateid, Offset: 4096, Stable: FileSync, Data: []byte("hello")}, `
			00000001 01020304 05060708 090a0b0c 00000000 00001000 00000002 00000005 68656c6c 6f000000`},
		{&WriteRes{Count: 5, Committed: FileSync, WriteVerf: Verifier{1}}, `
			00000005 00000002 01000000 00000000`},
		{&SetAttrArgs{Stateid: AnonymousStateid, ObjAttributes: Fattr{AttrsOf(AttrTimeModifySet), []byte{0, 0, 0, 0}}}, `
			00000000 00000000 00000000 00000000
			00000002 00000000 00400000 00000004 00000000  time_modify_set: SET_TO_SERVER_TIME4`},
		{&CreateArgs{Type: TypeLnk, LinkData: []byte("to"), ObjName: []byte("l")}, `
			00000005 00000002 746f0000 00000001 6c000000 00000000 00000000`},
		{&ReadDirRes{CookieVerf: Verifier{7: 1}, EOF: true, Entries: []DirEntry{
			{Cookie: 3, Name: []byte("a"), Attrs: Fattr{AttrsOf(AttrType), []byte{0, 0, 0, 1}}}}}, `
			00000000 00000001                                      cookieverf
			00000001 00000000 00000003 00000001 61000000           an entry: cookie, name
			00000001 00000002 00000004 00000001                    its type
			00000000 00000001                                      no more, eof`},
		{&CopyRes{Count: 10, Committed: Unstable, WriteVerf: Verifier{7: 3}, Requirements: CopyRequirements{true, true}}, `
			00000000 00000000 0000000a 00000000 00000000 00000003 00000001 00000001`},
		{&SetXattrArgs{Option: SetXattrCreate, Key: []byte("k"), Value: []byte("v")}, `
			00000001 00000001 6b000000 00000001 76000000`},
		{&ListXattrsRes{Cookie: 4, Names: [][]byte{[]byte("k")}, EOF: true}, `
			00000000 00000004 00000001 00000001 6b000000 00000001`},
		{&SeekRes{EOF: true, Offset: 6}, `00000001 00000000 00000006`},
	} {
		xdrtest.Golden(t, test.message, test.wire)
	}
}

// TestReadDirReply fills a reply to its limit: it must be the longest that fits, and what ReadDirRes reads.
func TestReadDirReply(t *testing.T) {
	attrs := Attrs{Mask: AttrsOf(AttrFileID), FileID: 9}
	const entry = 4 + 8 + 4 + 4 + 4 + 4 + 4 + 8
	for maxCount := range 3 * entry {
		e := oncrpc.NewEncoder([]byte("head"))
		reply := BeginReadDir(e, Verifier{1}, maxCount)
		for reply.Add(3, "file", &attrs, attrs.Mask) {
		}
		reply.End(true)
		if want := max(0, (maxCount-8-readDirEnd)/entry); reply.Count() != want {
			t.Fatalf("%d entries in %d bytes, want %d", reply.Count(), maxCount, want)
		}
		if reply.Count() > 0 && e.Len() > len("head")+maxCount {
			t.Fatalf("%d bytes, limit %d", e.Len(), maxCount)
		}
		var res ReadDirRes
		d := oncrpc.NewDecoder(e.Bytes()[len("head"):])
		res.Decode(d)
		if d.Err() != nil || d.Remaining() != 0 || len(res.Entries) != reply.Count() || !res.EOF || res.CookieVerf != (Verifier{1}) {
			t.Fatalf("%+v: %v", res, d.Err())
		}
	}
}

func TestReadReply(t *testing.T) {
	for n := range 6 {
		e := oncrpc.NewEncoder([]byte("head"))
		reply, room := BeginRead(e, 5)
		copy(room, "hello")
		reply.End(n, n < 5)
		want := xdrtest.Encode(&ReadRes{EOF: n < 5, Data: []byte("hello")[:n]})
		if got := e.Bytes()[len("head"):]; string(got) != string(want) {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}
