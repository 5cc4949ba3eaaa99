// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import (
	"testing"
	"time"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/xdrtest"
)

func ptr[T any](v T) *T { return &v }

// Attributes that several messages have, and their bytes.
var dirAttr = Attr{
	Type: TypeDir, Mode: 0o755, NLink: 2, UID: 1000, GID: 100, Size: 4096, Used: 8192, Rdev: SpecData{1, 3},
	FSID: 5, FileID: 6, Atime: Time{7, 8}, Mtime: Time{9, 10}, Ctime: Time{11, 12},
}

const dirAttrWire = `
	00000002                    NF3DIR
	000001ed 00000002           mode, nlink
	000003e8 00000064           uid, gid
	00000000 00001000           size
	00000000 00002000           used
	00000001 00000003           rdev
	00000000 00000005           fsid
	00000000 00000006           fileid
	00000007 00000008           atime
	00000009 0000000a           mtime
	0000000b 0000000c           ctime`

var (
	home = Handle("home")
	wcc  = WccData{BeforeFollows: true, Before: WccAttr{Size: 1, Mtime: Time{2, 3}, Ctime: Time{4, 5}}}
)

// TestGolden compares with messages that were put together by hand from RFC 1813 and RFC 1833.
func TestGolden(t *testing.T) {
	for _, test := range []struct {
		message xdrtest.Message
		wire    string
	}{
		{&GetAttrRes{Attr: dirAttr}, `00000000` + dirAttrWire},
		{&GetAttrRes{Status: ErrStale}, `00000046`},
		{&SetAttrArgs{Object: home, Attr: SetAttr{Mode: ptr(uint32(0o700)), Size: ptr(uint64(1 << 32)),
			Atime: SetTime{How: SetToServerTime}, Mtime: SetTime{SetToClientTime, Time{1, 2}}}, Guard: &Time{3, 4}}, `
			00000004 686f6d65           object
			00000001 000001c0           mode
			00000000 00000000           no uid, no gid
			00000001 00000001 00000000  size
			00000001                    SET_TO_SERVER_TIME
			00000002 00000001 00000002  SET_TO_CLIENT_TIME
			00000001 00000003 00000004  guard`},
		{&WccRes{Status: ErrNoEnt, Wcc: wcc}, `
			00000002                    NFS3ERR_NOENT
			00000001 00000000 00000001  before: size
			00000002 00000003           mtime
			00000004 00000005           ctime
			00000000                    no after`},
		{&DirOpArgs{Dir: home, Name: []byte("ada")}, `00000004 686f6d65 00000003 61646100`},
		{&LookupRes{Object: home, Dir: PostOpAttr{true, dirAttr}}, `
			00000000 00000004 686f6d65  NFS3_OK, object
			00000000                    no attributes
			00000001                    the directory's` + dirAttrWire},
		{&LookupRes{Status: ErrAcces}, `0000000d 00000000`},
		{&AccessArgs{Object: home, Access: AccessRead | AccessExecute}, `00000004 686f6d65 00000021`},
		{&AccessRes{Access: AccessModify | AccessExtend}, `00000000 00000000 0000000c`},
		{&ReadLinkRes{Data: []byte("to")}, `00000000 00000000 00000002 746f0000`},
		{&RangeArgs{File: home, Offset: 1 << 33, Count: 5}, `00000004 686f6d65 00000002 00000000 00000005`},
		{&ReadRes{Count: 3, EOF: true, Data: []byte("abc")}, `00000000 00000000 00000003 00000001 00000003 61626300`},
		{&WriteArgs{File: home, Offset: 9, Count: 2, Stable: FileSync, Data: []byte("hi")}, `
			00000004 686f6d65 00000000 00000009  file, offset
			00000002 00000002 00000002 68690000  count, FILE_SYNC, data`},
		{&WriteRes{Count: 2, Committed: DataSync, Verf: Verifier{7: 9}}, `
			00000000 00000000 00000000           NFS3_OK, no wcc
			00000002 00000001 00000000 00000009  count, DATA_SYNC, verf`},
		{&CommitRes{Wcc: wcc, Verf: Verifier{1}}, `
			00000000 00000001 00000000 00000001 00000002 00000003 00000004 00000005 00000000
			01000000 00000000`},
		{&CreateArgs{Where: DirOpArgs{home, []byte("f")}, Mode: CreateExclusive, Verf: Verifier{7: 1}}, `
			00000004 686f6d65 00000001 66000000  where
			00000002 00000000 00000001           EXCLUSIVE, verf`},
		{&CreateArgs{Where: DirOpArgs{home, []byte("f")}, Mode: CreateGuarded, Attr: SetAttr{UID: ptr(uint32(7)), GID: ptr(uint32(8))}}, `
			00000004 686f6d65 00000001 66000000  where
			00000001                             GUARDED
			00000000 00000001 00000007 00000001 00000008 00000000 00000000 00000000`},
		{&MkdirArgs{Where: DirOpArgs{home, []byte("d")}}, `
			00000004 686f6d65 00000001 64000000
			00000000 00000000 00000000 00000000 00000000 00000000`},
		{&SymlinkArgs{Where: DirOpArgs{home, []byte("l")}, Data: []byte("x")}, `
			00000004 686f6d65 00000001 6c000000
			00000000 00000000 00000000 00000000 00000000 00000000
			00000001 78000000`},
		{&MknodArgs{Where: DirOpArgs{home, []byte("n")}, Type: TypeChr, Spec: SpecData{1, 3}}, `
			00000004 686f6d65 00000001 6e000000 00000004                    NF3CHR
			00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000003`},
		{&MknodArgs{Where: DirOpArgs{home, []byte("n")}, Type: TypeFIFO}, `
			00000004 686f6d65 00000001 6e000000 00000007                    NF3FIFO
			00000000 00000000 00000000 00000000 00000000 00000000`},
		{&MakeRes{Object: home, Attr: PostOpAttr{true, dirAttr}}, `
			00000000 00000001 00000004 686f6d65 00000001` + dirAttrWire + `
			00000000 00000000                    no wcc`},
		{&MakeRes{Status: ErrExist}, `00000011 00000000 00000000`},
		{&RenameArgs{DirOpArgs{home, []byte("a")}, DirOpArgs{home, []byte("b")}}, `
			00000004 686f6d65 00000001 61000000 00000004 686f6d65 00000001 62000000`},
		{&RenameRes{Status: ErrXDev}, `00000012 00000000 00000000 00000000 00000000`},
		{&LinkArgs{home, DirOpArgs{home, []byte("b")}}, `00000004 686f6d65 00000004 686f6d65 00000001 62000000`},
		{&LinkRes{Status: ErrMLink}, `0000001f 00000000 00000000 00000000`},
		{&ReadDirArgs{Dir: home, Cookie: 1 << 63, Verf: Verifier{1}, Count: 8192}, `
			00000004 686f6d65 80000000 00000000 01000000 00000000 00002000`},
		{&ReadDirPlusArgs{Dir: home, Cookie: 3, DirCount: 512, MaxCount: 8192}, `
			00000004 686f6d65 00000000 00000003 00000000 00000000 00000200 00002000`},
		{&ReadDirHead{Verf: Verifier{7: 7}}, `00000000 00000000 00000000 00000007`},
		{&dirEntry{DirEntry{FileID: 6, Name: []byte("ada"), Cookie: 3}}, `
			00000000 00000006 00000003 61646100 00000000 00000003`},
		{&dirEntryPlus{DirEntry{FileID: 6, Name: []byte("ada"), Cookie: 3, Handle: home}}, `
			00000000 00000006 00000003 61646100 00000000 00000003
			00000000                             no attributes
			00000001 00000004 686f6d65           handle`},
		{&FSStatRes{TotalBytes: 1, FreeBytes: 2, AvailBytes: 3, TotalFiles: 4, FreeFiles: 5, AvailFiles: 6, Invarsec: 7}, `
			00000000 00000000
			00000000 00000001 00000000 00000002 00000000 00000003
			00000000 00000004 00000000 00000005 00000000 00000006 00000007`},
		{&FSInfoRes{RTMax: 1, RTPref: 2, RTMult: 3, WTMax: 4, WTPref: 5, WTMult: 6, DTPref: 7, MaxFileSize: 8,
			TimeDelta: Time{0, 1}, Properties: FSFLink | FSFSymlink | FSFHomogeneous | FSFCanSetTime}, `
			00000000 00000000
			00000001 00000002 00000003 00000004 00000005 00000006 00000007
			00000000 00000008 00000000 00000001 0000001b`},
		{&PathArgs{Path: []byte("/homes")}, `00000006 2f686f6d 65730000`},
		{&MountRes{Handle: home, Flavors: []oncrpc.Flavor{390003, oncrpc.AuthSys}}, `
			00000000 00000004 686f6d65           MNT3_OK, fhandle
			00000002 0005f373 00000001           RPCSEC_GSS_KRB5, AUTH_SYS`},
		{&MountRes{Status: MountErrAcces}, `0000000d`},
		{&ExportRes{[]Export{{Dir: []byte("/a"), Groups: [][]byte{[]byte("*"), []byte("h")}}, {Dir: []byte("/b")}}}, `
			00000001 00000002 2f610000           /a
			00000001 00000001 2a000000           *
			00000001 00000001 68000000 00000000  h
			00000001 00000002 2f620000 00000000  /b
			00000000`},
		{&Mapping{MountProgram, MountVersion, ProtoTCP, 0}, `000186a5 00000003 00000006 00000000`},
	} {
		xdrtest.Golden(t, test.message, test.wire)
	}
}

// TestTime converts times, and refuses those that the wire does not have.
func TestTime(t *testing.T) {
	for _, when := range []time.Time{time.Unix(0, 0), time.Unix(1<<31, 999999999), time.Unix(1<<32-1, 0)} {
		if wire, ok := TimeOf(when); !ok || !wire.Time().Equal(when) {
			t.Errorf("%v became %v, %v", when, wire.Time(), ok)
		}
	}
	for _, when := range []time.Time{{}, time.Unix(-1, 0), time.Unix(1<<32, 0)} {
		if wire, ok := TimeOf(when); ok {
			t.Errorf("%v became %v", when, wire.Time())
		}
	}
}
