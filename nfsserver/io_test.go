// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// TestWriteStable: the reply says how safe the data is, and that is true.
func TestWriteStable(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	for _, stable := range []nfs4.StableHow{nfs4.Unstable, nfs4.DataSync, nfs4.FileSync} {
		r := res[nfs4.WriteRes](c.on(h, write(id, 0, stable, "data")).ok())
		if r.Count != 4 || r.Committed < stable || r.Committed > nfs4.FileSync {
			t.Errorf("WRITE with %d was committed %d and wrote %d bytes", stable, r.Committed, r.Count)
		}
	}
	c.on(h, write(id, 0, 3, "data")).is(nfs4.ErrInval)
	c.on(h, write(id, 0, nfs4.DataSync, "data, "), write(id, 6, nfs4.FileSync, "synced")).ok()
	c.on(h, write(id, 0, nfs4.Unstable, "LOST"), write(id, 12, nfs4.Unstable, "LOST")).ok()
	b.stop()
	b.fs.Crash()
	b.start()
	if got := b.contents(hub, "ada", "f"); got != "data, synced" {
		t.Errorf("after a crash the file reads %q", got)
	}
}

// TestCommit: what was committed survives, and the verifier tells of what may not have.
func TestCommit(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	first := res[nfs4.WriteRes](c.on(h, write(id, 0, nfs4.Unstable, "committed")).ok()).WriteVerf
	if v := res[nfs4.CommitRes](c.on(h, commit()).ok()).WriteVerf; v != first {
		t.Errorf("WRITE answered the verifier %x, COMMIT %x", first, v)
	}
	c.on(h, write(id, 0, nfs4.Unstable, "LOST")).ok()
	b.stop()
	b.fs.Crash()
	b.start()
	c.again()
	id = res[nfs4.OpenRes](c.on(h, reopen("o", rw)).ok()).Stateid
	if v := res[nfs4.CommitRes](c.on(h, commit()).ok()).WriteVerf; v == first {
		t.Error("data was lost, and the verifier is the same")
	}
	if got := string(res[nfs4.ReadRes](c.on(h, read(id, 0, 100)).ok()).Data); got != "committed" {
		t.Errorf("the file reads %q", got)
	}
	c.in("ada", commit()).is(nfs4.ErrIsDir)
	c.send(putRootFH(), commit()).is(nfs4.ErrIsDir)
	c.send(commit()).is(nfs4.ErrNoFileHandle)
	c.on(h, op{nfs4.OpCommit, &nfs4.CommitArgs{Offset: math.MaxUint64, Count: 1}}).is(nfs4.ErrInval)
}

// TestCommitFails: a failed sync is an error, once, and another verifier from then on: the client writes again.
func TestCommitFails(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	before := res[nfs4.WriteRes](c.on(h, write(id, 0, nfs4.Unstable, "lost")).ok()).WriteVerf
	b.fs.Fail("Sync", syscall.EIO)
	c.on(h, commit()).is(nfs4.ErrIO)
	c.on(h, write(id, 0, nfs4.FileSync, "lost")).is(nfs4.ErrIO)
	b.fs.Fail("Sync", nil)
	after := res[nfs4.CommitRes](c.on(h, commit()).ok()).WriteVerf
	if after == before {
		t.Error("data was lost, and the verifier is the same")
	}
	if v := res[nfs4.WriteRes](c.on(h, write(id, 0, nfs4.Unstable, "again")).ok()).WriteVerf; v != after {
		t.Errorf("WRITE answered the verifier %x, COMMIT before it %x", v, after)
	}
	c.on(h, commit()).ok()
	b.stop()
	b.fs.Crash()
	b.start()
	if got := b.contents(hub, "ada", "f"); got != "again" {
		t.Errorf("the file reads %q", got)
	}
}

// TestCommitAfterClose: data that was not synced when its file was closed waits for its COMMIT, and an error that comes
// before is told by the verifier.
func TestCommitAfterClose(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", w, denyNone)
	before := res[nfs4.WriteRes](c.on(h, write(id, 0, nfs4.Unstable, "data"), closeFile(id)).ok()).WriteVerf
	if after := res[nfs4.CommitRes](c.on(h, commit()).ok()).WriteVerf; after != before {
		t.Errorf("nothing was lost, and the verifier went from %x to %x", before, after)
	}
	id, _ = c.open("o", "ada", "f", w, denyNone)
	c.on(h, write(id, 0, nfs4.Unstable, "DATA"), closeFile(id)).ok()
	b.fs.Fail("Sync", syscall.EIO)
	b.restart() // a server that ends syncs what lingers
	b.fs.Fail("Sync", nil)
	c.again()
	if after := res[nfs4.CommitRes](c.on(h, commit()).ok()).WriteVerf; after == before {
		t.Error("data was lost, and the verifier is the same")
	}
	if got := b.contents(hub, "ada", "f"); got != "data" {
		t.Errorf("the file reads %q", got)
	}
}

// TestStopSyncs: a server that is told to end loses nothing that clients have written.
func TestStopSyncs(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", w, denyNone)
	c.on(h, write(id, 0, nfs4.Unstable, "data"), closeFile(id)).ok()
	b.stop()
	b.fs.Crash()
	if got := b.contents(hub, "ada", "f"); got != "data" {
		t.Errorf("the file reads %q", got)
	}
}

// TestWriteErrors: an error of the file system is told as what it is.
func TestWriteErrors(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	for errno, want := range map[syscall.Errno]nfs4.Status{
		syscall.ENOSPC: nfs4.ErrNoSpc, syscall.EDQUOT: nfs4.ErrDQuot, syscall.EIO: nfs4.ErrIO, syscall.EFBIG: nfs4.ErrFBig,
	} {
		b.fs.Fail("WriteAt", errno)
		c.on(h, write(id, 0, nfs4.Unstable, "x")).is(want)
	}
	b.fs.Fail("WriteAt", nil)
	b.fs.Fail("ReadAt", syscall.EIO)
	c.on(h, read(id, 0, 10)).is(nfs4.ErrIO)
	b.fs.Fail("ReadAt", nil)
	if got := string(res[nfs4.ReadRes](c.on(h, read(id, 0, 100)).ok()).Data); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
}

// TestReadLimits: a read gives at most what the server says, and tells the end of the file.
func TestReadLimits(t *testing.T) {
	b := newBed(t)
	big := strings.Repeat("0123456789abcdef", 96<<10) // 1.5 MiB
	b.file("ada", "f", big)
	c := b.client("a")
	id, h := c.open("o", "ada", "f", r, denyNone)
	limit := c.attrs("ada", nfs4.AttrMaxRead).MaxRead
	if limit != 1<<20 {
		t.Errorf("the most that is read at once is said to be %d", limit)
	}
	got := res[nfs4.ReadRes](c.on(h, read(id, 0, math.MaxUint32)).ok())
	if uint64(len(got.Data)) != limit || got.EOF || string(got.Data) != big[:limit] {
		t.Errorf("READ of 4 GiB: %d bytes, EOF %v", len(got.Data), got.EOF)
	}
	for _, try := range []struct {
		offset uint64
		count  uint32
		want   int
		eof    bool
	}{
		{1 << 20, 1 << 20, 512 << 10, true}, {0, 0, 0, false}, {3, 5, 5, false}, {uint64(len(big)), 1, 0, true}, {1 << 40, 1, 0, true},
		{math.MaxInt64, 1, 0, true}, {1 << 63, 1, 0, true}, {math.MaxUint64, math.MaxUint32, 0, true},
	} {
		got := res[nfs4.ReadRes](c.on(h, read(id, try.offset, try.count)).ok())
		if len(got.Data) != try.want || got.EOF != try.eof {
			t.Errorf("READ of %d at %d: %d bytes, EOF %v; want %d, %v", try.count, try.offset, len(got.Data), got.EOF, try.want, try.eof)
		}
	}
}

// TestWriteLimits: a write of all that the server says goes in one request, offsets that no file can have are refused.
func TestWriteLimits(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "")
	c := b.client("a")
	id, h := c.open("o", "ada", "f", rw, denyNone)
	limit := c.attrs("ada", nfs4.AttrMaxWrite).MaxWrite
	big := strings.Repeat("x", int(limit))
	r := res[nfs4.WriteRes](c.on(h, write(id, 5, nfs4.Unstable, big)).ok())
	if uint64(r.Count) != limit {
		t.Errorf("WRITE of %d wrote %d", limit, r.Count)
	}
	for _, offset := range []uint64{math.MaxInt64, 1 << 63, math.MaxUint64, math.MaxInt64 - 3} {
		c.on(h, write(id, offset, nfs4.Unstable, "data")).is(nfs4.ErrFBig, nfs4.ErrInval)
	}
	if r := res[nfs4.WriteRes](c.on(h, write(id, 1<<40, nfs4.FileSync, "")).ok()); r.Count != 0 {
		t.Errorf("WRITE of nothing wrote %d", r.Count)
	}
	if size := c.attrs("ada/f", nfs4.AttrSize).Size; size != limit+5 {
		t.Errorf("the size is %d, want %d", size, limit+5)
	}
}
