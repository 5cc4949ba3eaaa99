// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"math"

	"github.com/hubhome/hubhome/nfs4"
)

// The operations, as the tests write them.

// channel is what a client asks for.
var channel = nfs4.ChannelAttrs{
	MaxRequestSize: 2 << 20, MaxResponseSize: 2 << 20, MaxResponseSizeCached: 4 << 10, MaxOperations: 64, MaxRequests: 16,
}

func exchangeID(owner string, verifier nfs4.Verifier, flags nfs4.ExchangeIDFlags) op {
	return op{nfs4.OpExchangeID, &nfs4.ExchangeIDArgs{
		ClientOwner: nfs4.ClientOwner{Verifier: verifier, OwnerID: []byte(owner)}, Flags: flags,
	}}
}

func createSession(id nfs4.ClientID, seq uint32, fore nfs4.ChannelAttrs) op {
	return op{nfs4.OpCreateSession, &nfs4.CreateSessionArgs{ClientID: id, Sequence: seq, ForeChanAttrs: fore, BackChanAttrs: fore}}
}

func destroySession(id nfs4.SessionID) op {
	return op{nfs4.OpDestroySession, &nfs4.DestroySessionArgs{SessionID: id}}
}

func destroyClientID(id nfs4.ClientID) op {
	return op{nfs4.OpDestroyClientID, &nfs4.DestroyClientIDArgs{ClientID: id}}
}

func bindConn(id nfs4.SessionID, dir nfs4.ChannelDir) op {
	return op{nfs4.OpBindConnToSession, &nfs4.BindConnToSessionArgs{SessionID: id, Dir: dir}}
}

func sequence(id nfs4.SessionID, seq, slot uint32, cache bool) op {
	return op{nfs4.OpSequence, &nfs4.SequenceArgs{
		SessionID: id, SequenceID: seq, SlotID: slot, HighestSlotID: slot, CacheThis: cache,
	}}
}

func reclaimComplete() op { return op{nfs4.OpReclaimComplete, &nfs4.ReclaimCompleteArgs{}} }

func putRootFH() op { return op{num: nfs4.OpPutRootFH} }

func putFH(h nfs4.Handle) op { return op{nfs4.OpPutFH, &nfs4.PutFHArgs{Object: h}} }

func getFH() op { return op{num: nfs4.OpGetFH} }

func saveFH() op { return op{num: nfs4.OpSaveFH} }

func restoreFH() op { return op{num: nfs4.OpRestoreFH} }

func lookup(name string) op { return op{nfs4.OpLookup, &nfs4.LookupArgs{ObjName: []byte(name)}} }

func lookupP() op { return op{num: nfs4.OpLookupP} }

func getAttr(attrs ...nfs4.Attr) op {
	return op{nfs4.OpGetAttr, &nfs4.GetAttrArgs{AttrRequest: nfs4.AttrsOf(attrs...)}}
}

// set is attributes to set; mask says which.
func set(a nfs4.Attrs, mask ...nfs4.Attr) nfs4.Fattr {
	a.Mask = nfs4.AttrsOf(mask...)
	return a.Fattr()
}

func setAttr(id nfs4.Stateid, attrs nfs4.Fattr) op {
	return op{nfs4.OpSetAttr, &nfs4.SetAttrArgs{Stateid: id, ObjAttributes: attrs}}
}

func setSize(id nfs4.Stateid, size uint64) op {
	return setAttr(id, set(nfs4.Attrs{Size: size}, nfs4.AttrSize))
}

func setMode(mode uint32) op {
	return setAttr(nfs4.AnonymousStateid, set(nfs4.Attrs{Mode: mode}, nfs4.AttrMode))
}

func access(want nfs4.Access) op { return op{nfs4.OpAccess, &nfs4.AccessArgs{Access: want}} }

func create(t nfs4.FileType, name string) op {
	return op{nfs4.OpCreate, &nfs4.CreateArgs{Type: t, ObjName: []byte(name)}}
}

func mkdir(name string) op { return create(nfs4.TypeDir, name) }

func symlink(name, target string) op {
	return op{nfs4.OpCreate, &nfs4.CreateArgs{Type: nfs4.TypeLnk, LinkData: []byte(target), ObjName: []byte(name)}}
}

func readLink() op { return op{num: nfs4.OpReadLink} }

func link(name string) op { return op{nfs4.OpLink, &nfs4.LinkArgs{NewName: []byte(name)}} }

func remove(name string) op { return op{nfs4.OpRemove, &nfs4.RemoveArgs{Target: []byte(name)}} }

func rename(from, to string) op {
	return op{nfs4.OpRename, &nfs4.RenameArgs{OldName: []byte(from), NewName: []byte(to)}}
}

func readDir(cookie uint64, maxCount uint32, attrs ...nfs4.Attr) op {
	return op{nfs4.OpReadDir, &nfs4.ReadDirArgs{Cookie: cookie, DirCount: maxCount, MaxCount: maxCount, AttrRequest: nfs4.AttrsOf(attrs...)}}
}

// openArgs is an OPEN of a name that must be there.
func openArgs(owner, name string, access nfs4.ShareAccess, deny nfs4.ShareDeny) *nfs4.OpenArgs {
	return &nfs4.OpenArgs{
		ShareAccess: access, ShareDeny: deny, Owner: nfs4.StateOwner{Owner: []byte(owner)},
		Claim: nfs4.OpenClaim{Type: nfs4.ClaimNull, File: []byte(name)},
	}
}

func open(owner, name string, access nfs4.ShareAccess, deny nfs4.ShareDeny) op {
	return op{nfs4.OpOpen, openArgs(owner, name, access, deny)}
}

// openNew is an OPEN for reading and writing that may make the file.
func openNew(owner, name string, mode nfs4.CreateMode, attrs nfs4.Fattr) op {
	a := openArgs(owner, name, nfs4.ShareAccessBoth, nfs4.ShareDenyNone)
	a.How = nfs4.OpenHow{Type: nfs4.OpenWithCreate, Mode: mode, Attrs: attrs}
	return op{nfs4.OpOpen, a}
}

// openClaim is an OPEN with a claim that has no name.
func openClaim(owner string, claim nfs4.ClaimType, access nfs4.ShareAccess, deny nfs4.ShareDeny) op {
	a := openArgs(owner, "", access, deny)
	a.Claim = nfs4.OpenClaim{Type: claim}
	return op{nfs4.OpOpen, a}
}

func reopen(owner string, access nfs4.ShareAccess) op {
	return openClaim(owner, nfs4.ClaimPrevious, access, nfs4.ShareDenyNone)
}

func downgrade(id nfs4.Stateid, access nfs4.ShareAccess, deny nfs4.ShareDeny) op {
	return op{nfs4.OpOpenDowngrade, &nfs4.OpenDowngradeArgs{OpenStateid: id, ShareAccess: access, ShareDeny: deny}}
}

func closeFile(id nfs4.Stateid) op { return op{nfs4.OpClose, &nfs4.CloseArgs{OpenStateid: id}} }

func freeStateid(id nfs4.Stateid) op {
	return op{nfs4.OpFreeStateid, &nfs4.FreeStateidArgs{Stateid: id}}
}

func testStateid(ids ...nfs4.Stateid) op {
	return op{nfs4.OpTestStateid, &nfs4.TestStateidArgs{Stateids: ids}}
}

// toEOF is the length of a lock to the end of the file, however far that is.
const toEOF = math.MaxUint64

// lockNew is LOCK by a lock owner that is new to the file.
func lockNew(open nfs4.Stateid, owner string, t nfs4.LockType, offset, length uint64) op {
	return op{nfs4.OpLock, &nfs4.LockArgs{
		LockType: t, Offset: offset, Length: length,
		Locker: nfs4.Locker{NewLockOwner: true, OpenStateid: open, LockOwner: nfs4.StateOwner{Owner: []byte(owner)}},
	}}
}

// lock is LOCK by a lock owner that has locks on the file.
func lock(id nfs4.Stateid, t nfs4.LockType, offset, length uint64) op {
	return op{nfs4.OpLock, &nfs4.LockArgs{LockType: t, Offset: offset, Length: length, Locker: nfs4.Locker{LockStateid: id}}}
}

func lockT(owner string, t nfs4.LockType, offset, length uint64) op {
	return op{nfs4.OpLockT, &nfs4.LockTArgs{LockType: t, Offset: offset, Length: length, Owner: nfs4.StateOwner{Owner: []byte(owner)}}}
}

func lockU(id nfs4.Stateid, offset, length uint64) op {
	return op{nfs4.OpLockU, &nfs4.LockUArgs{LockType: nfs4.WriteLock, LockStateid: id, Offset: offset, Length: length}}
}

func read(id nfs4.Stateid, offset uint64, count uint32) op {
	return op{nfs4.OpRead, &nfs4.ReadArgs{Stateid: id, Offset: offset, Count: count}}
}

func write(id nfs4.Stateid, offset uint64, stable nfs4.StableHow, data string) op {
	return op{nfs4.OpWrite, &nfs4.WriteArgs{Stateid: id, Offset: offset, Stable: stable, Data: []byte(data)}}
}

func commit() op { return op{nfs4.OpCommit, &nfs4.CommitArgs{}} }
