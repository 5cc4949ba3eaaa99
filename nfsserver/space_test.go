// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

func seek(id nfs4.Stateid, what nfs4.Content, offset uint64) op {
	return op{nfs4.OpSeek, &nfs4.SeekArgs{Stateid: id, Offset: offset, What: what}}
}

func allocate(id nfs4.Stateid, offset, length uint64) op {
	return op{nfs4.OpAllocate, &nfs4.AllocateArgs{Stateid: id, Offset: offset, Length: length}}
}

func deallocate(id nfs4.Stateid, offset, length uint64) op {
	return op{nfs4.OpDeallocate, &nfs4.DeallocateArgs{Stateid: id, Offset: offset, Length: length}}
}

func copyRange(src, dst nfs4.Stateid, srcOffset, dstOffset, count uint64) op {
	return op{nfs4.OpCopy, &nfs4.CopyArgs{SrcStateid: src, DstStateid: dst, SrcOffset: srcOffset, DstOffset: dstOffset, Count: count, Consecutive: true, Synchronous: true}}
}

func clone(src, dst nfs4.Stateid, srcOffset, dstOffset, count uint64) op {
	return op{nfs4.OpClone, &nfs4.CloneArgs{SrcStateid: src, DstStateid: dst, SrcOffset: srcOffset, DstOffset: dstOffset, Count: count}}
}

// TestSeek: data and holes are found (RFC 7862 section 15.11).
func TestSeek(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	c.on(h, write(id, 8192, nfs4.FileSync, strings.Repeat("x", 4096)), setSize(id, 20480)).ok()
	for _, try := range []struct {
		what   nfs4.Content
		offset uint64
		want   uint64
		eof    bool
	}{
		{nfs4.ContentData, 0, 8192, false}, {nfs4.ContentData, 9000, 9000, false}, {nfs4.ContentData, 12288, 20480, true},
		{nfs4.ContentHole, 0, 0, false}, {nfs4.ContentHole, 8192, 12288, false},
	} {
		got := res[nfs4.SeekRes](c.on(h, seek(id, try.what, try.offset)).ok())
		if got.Offset != try.want || got.EOF != try.eof {
			t.Errorf("SEEK of %d from %d: %+v, want %d, %v", try.what, try.offset, got, try.want, try.eof)
		}
	}
	c.on(h, seek(id, nfs4.ContentData, 20480)).is(nfs4.ErrNXIO)
	c.on(h, seek(id, nfs4.ContentHole, math.MaxUint64)).is(nfs4.ErrNXIO)
	c.on(h, seek(id, 2, 0)).is(nfs4.ErrUnionNotSupp)
	c.on(h, seek(nfs4.Stateid{Seqid: 1, Other: [12]byte{1}}, nfs4.ContentData, 0)).is(nfs4.ErrBadStateid)
	c.on(h, op{nfs4.OpIOAdvise, &nfs4.IOAdviseArgs{Stateid: id, Hints: nfs4.Bitmap{6}}}).ok()
}

// TestAllocate: space is reserved and given back, durably.
func TestAllocate(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	readID, _ := c.open("reader", "ada", "f", r, denyNone)
	c.on(h, allocate(id, 4, 10000)).ok()
	if a := c.attrs("ada/f", nfs4.AttrSize, nfs4.AttrSpaceUsed); a.Size != 10004 || a.SpaceUsed < 10000 {
		t.Errorf("the size is %d, it takes %d bytes", a.Size, a.SpaceUsed)
	}
	c.on(h, write(id, 4096, nfs4.FileSync, strings.Repeat("x", 4096)), deallocate(id, 2, 6000)).ok()
	for _, o := range []op{allocate(readID, 0, 1), deallocate(readID, 0, 1)} {
		c.on(h, o).is(nfs4.ErrOpenMode)
	}
	for _, o := range []op{
		allocate(id, 0, 0), deallocate(id, 0, 0), allocate(id, 1<<63, 1), deallocate(id, math.MaxInt64, 1), allocate(id, 1, math.MaxUint64), allocate(id, math.MaxUint64, 2),
	} {
		c.on(h, o).is(nfs4.ErrInval)
	}
	b.fs.Fail("Allocate", syscall.ENOSPC)
	c.on(h, allocate(id, 0, 1<<20)).is(nfs4.ErrNoSpc)
	b.fs.Fail("Allocate", nil)
	b.fs.Fail("Deallocate", syscall.EOPNOTSUPP)
	c.on(h, deallocate(id, 0, 1)).is(nfs4.ErrNotSupp)
	b.fs.Fail("Deallocate", nil)
	b.stop()
	b.fs.Crash()
	b.start()
	if got, want := b.contents(hub, "ada", "f"), "co"+strings.Repeat("\x00", 6000)+strings.Repeat("x", 8192-6002)+strings.Repeat("\x00", 10004-8192); got != want {
		t.Error("after a crash the file is not what it was")
	}
}

// TestCopy: COPY goes from the saved filehandle to the current one, at once (RFC 7862 section 15.2).
func TestCopy(t *testing.T) {
	b := newBed(t)
	b.file("ada", "src", "0123456789")
	b.file("bob", "dst", "")
	c := b.client("a")
	src, hs := c.open("o", "ada", "src", r, denyNone)
	dst, hd := c.open("o", "bob", "dst", rw, denyNone)
	run := func(o op) *reply { return c.send(putFH(hs), saveFH(), putFH(hd), o) }
	got := res[nfs4.CopyRes](run(copyRange(src, dst, 2, 1, 5)).ok())
	if got.Count != 5 || !got.Requirements.Synchronous || len(got.CallbackID) != 0 || got.Committed != nfs4.Unstable {
		t.Errorf("COPY answered %+v", got)
	}
	if v := res[nfs4.CommitRes](c.on(hd, commit()).ok()).WriteVerf; v != got.WriteVerf {
		t.Errorf("COPY answered the verifier %x, COMMIT %x", got.WriteVerf, v)
	}
	if got := b.contents(hub, "bob", "dst"); got != "\x0023456" {
		t.Errorf("the copy reads %q", got)
	}
	if got := res[nfs4.CopyRes](run(copyRange(src, dst, 4, 0, 0)).ok()); got.Count != 6 {
		t.Errorf("a count of zero is to the end: copied %d", got.Count)
	}
	if got := b.contents(hub, "bob", "dst"); got != "456789" {
		t.Errorf("the copy reads %q", got)
	}
	run(copyRange(src, dst, 11, 0, 1)).is(nfs4.ErrInval)
	run(copyRange(src, dst, 5, 0, 6)).is(nfs4.ErrInval)
	run(copyRange(src, dst, 0, math.MaxInt64-1, 10)).is(nfs4.ErrFBig, nfs4.ErrInval)
	run(copyRange(dst, dst, 0, 0, 1)).is(nfs4.ErrBadStateid)
	run(copyRange(src, src, 0, 0, 1)).is(nfs4.ErrBadStateid)
	c.send(putFH(hd), saveFH(), putFH(hd), copyRange(dst, dst, 0, 3, 4)).is(nfs4.ErrInval)
	c.send(putFH(hd), copyRange(src, dst, 0, 0, 1)).is(nfs4.ErrNoFileHandle)
	far := copyRange(src, dst, 0, 0, 1)
	far.args.(*nfs4.CopyArgs).SourceServer = []nfs4.NetLoc{{Type: nfs4.NetLocName, Name: []byte("elsewhere")}}
	run(far).is(nfs4.ErrNotSupp)
	readOnly, _ := c.open("reader", "bob", "dst", r, denyNone)
	run(copyRange(src, readOnly, 0, 0, 1)).is(nfs4.ErrOpenMode)
	b.fs.Fail("CopyFrom", syscall.EDQUOT)
	run(copyRange(src, dst, 0, 0, 1)).is(nfs4.ErrDQuot)
}

// TestClone: CLONE shares a file's blocks within a home, durably (RFC 7862 section 15.13).
func TestClone(t *testing.T) {
	b := newBed(t)
	b.file("ada", "src", strings.Repeat("0123456789", 1000))
	b.file("ada", "dst", "")
	b.file("bob", "far", "")
	c := b.client("a")
	src, hs := c.open("o", "ada", "src", r, denyNone)
	dst, hd := c.open("o", "ada", "dst", rw, denyNone)
	far, hf := c.open("o", "bob", "far", rw, denyNone)
	c.send(putFH(hs), saveFH(), putFH(hd), clone(src, dst, 0, 0, 0)).ok()
	c.send(putFH(hs), saveFH(), putFH(hd), clone(src, dst, 1, 0, 10)).is(nfs4.ErrInval)
	c.send(putFH(hs), saveFH(), putFH(hd), clone(src, dst, 0, 0, 1<<20)).is(nfs4.ErrInval)
	c.send(putFH(hs), saveFH(), putFH(hf), clone(src, far, 0, 0, 0)).is(nfs4.ErrXDev)
	b.fs.Fail("CloneFrom", syscall.EOPNOTSUPP)
	c.send(putFH(hs), saveFH(), putFH(hd), clone(src, dst, 0, 0, 0)).is(nfs4.ErrNotSupp)
	b.stop()
	b.fs.Crash()
	b.start()
	if got := b.contents(hub, "ada", "dst"); got != strings.Repeat("0123456789", 1000) {
		t.Errorf("after a crash the clone has %d bytes", len(got))
	}
}
