// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/vfs"
)

var dataPromises = []promise{
	{"what was written is read", (*tree).readsWritten},
	{"ReadAt tells the end of the file", (*tree).readsEnd},
	{"what no message can carry is written and read whole", (*tree).big},
	{"a hole reads as zeros", (*tree).readsHoles},
	{"a write past the end grows the file", (*tree).writesPastEnd},
	{"offsets beyond 4 GiB are whole", (*tree).writesFar},
	{"offsets that no file can have are refused", (*tree).writesTooFar},
	{"a write of nothing changes nothing", (*tree).writesNothing},
	{"the stability told is what was asked for or more", (*tree).writesStably},
	{"the verifier stays while nothing is lost", (*tree).verifierStays},
	{"Truncate cuts and grows", (*tree).truncates},
	{"what was cut off does not come back", (*tree).cutsForGood},
	{"random writes, cuts and reads agree with a slice of bytes", (*tree).agreesWithBytes},
	{"all Files of one file see one file", (*tree).sharesData},
}

// pattern is data in which every part is like no other.
func pattern(n int) []byte {
	random := rand.New(rand.NewPCG(uint64(n), 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func (t *tree) readsWritten() {
	f, e := t.create(user, t.home, "f")
	data := pattern(300_000)
	for off := 0; off < len(data); off += 70_001 {
		t.write(f, uint64(off), string(data[off:min(off+70_001, len(data))]))
	}
	if got := t.read(f, 0, len(data)+1); got != string(data) {
		t.Error("the whole is not what was written")
	}
	for _, r := range [][2]int{{0, 1}, {1, 4096}, {4095, 2}, {65_536, 65_536}, {299_999, 1}, {123, 200_000}} {
		if got := t.read(f, uint64(r[0]), r[1]); got != string(data[r[0]:r[0]+r[1]]) {
			t.Errorf("%d bytes at %d are not what was written", r[1], r[0])
		}
	}
	if a := t.get(e.Handle); a.Size != uint64(len(data)) {
		t.Errorf("the size is %d, want %d", a.Size, len(data))
	}
	t.write(f, 1000, "over")
	copy(data[1000:], "over")
	if got := t.read(f, 0, len(data)); got != string(data) {
		t.Error("after writing over a part the whole is not what was written")
	}
}

func (t *tree) readsEnd() {
	f, _ := t.create(user, t.home, "f")
	t.write(f, 0, "0123456789")
	for _, try := range []struct {
		off     uint64
		length  int
		want    int
		wantEOF bool
	}{{0, 5, 5, false}, {0, 11, 10, true}, {5, 10, 5, true}, {10, 1, 0, true}, {11, 1, 0, true}, {1 << 40, 1, 0, true}} {
		p := make([]byte, try.length)
		n, eof, err := f.ReadAt(t.ctx, p, try.off)
		t.must("ReadAt", err)
		if n != try.want || eof != try.wantEOF {
			t.Errorf("ReadAt of %d at %d: %d bytes, eof %v; want %d, %v", try.length, try.off, n, eof, try.want, try.wantEOF)
		}
		if n == len(p) {
			continue
		}
		if !bytes.Equal(p[n:], make([]byte, len(p)-n)) {
			t.Errorf("ReadAt of %d at %d wrote beyond the %d bytes that it read", try.length, try.off, n)
		}
	}
	// A read that ends where the file does may say so or leave it to the next.
	p := make([]byte, 10)
	n, _, err := f.ReadAt(t.ctx, p, 0)
	t.must("ReadAt", err)
	if n != 10 {
		t.Errorf("ReadAt of all bytes: %d", n)
	}
}

func (t *tree) big() {
	f, _ := t.create(user, t.home, "f")
	Big(t.T, f)
}

// Big writes and reads more than fits into one message of any protocol, at odd places, with a File of an empty file.
func Big(t *testing.T, f vfs.File) {
	t.Helper()
	data := pattern(5<<20 + 3)
	n, did, v, err := f.WriteAt(t.Context(), data, 1, vfs.Unstable)
	if err != nil || n != len(data) {
		t.Fatalf("WriteAt of %d bytes: %d, %v", len(data), n, err)
	}
	if c, err := f.Commit(t.Context()); err != nil || c != v && did == vfs.Unstable {
		t.Errorf("Commit answered the verifier %x, %v; the write %x", c, err, v)
	}
	for length, end := range map[int]bool{len(data) + 10: true, len(data) - 1: false} {
		got := make([]byte, length)
		n, eof, err := f.ReadAt(t.Context(), got, 1)
		if want := data[:min(length, len(data))]; err != nil || eof != end || !bytes.Equal(got[:n], want) {
			t.Errorf("ReadAt of %d bytes: %d, eof %v, %v; as written: %v", length, n, eof, err, bytes.Equal(got[:n], want))
		}
	}
}

func (t *tree) readsHoles() {
	f, e := t.create(user, t.home, "f")
	t.write(f, 1_000_000, "end")
	if a := t.get(e.Handle); a.Size != 1_000_003 {
		t.Errorf("the size is %d", a.Size)
	}
	p := bytes.Repeat([]byte{0xff}, 1_000_003)
	n, _, err := f.ReadAt(t.ctx, p, 0)
	t.must("ReadAt", err)
	if n != len(p) || !bytes.Equal(p[:1_000_000], make([]byte, 1_000_000)) || string(p[1_000_000:]) != "end" {
		t.Errorf("ReadAt of a hole and data after it: %d bytes", n)
	}
}

func (t *tree) writesPastEnd() {
	f, _ := t.create(user, t.home, "f")
	t.write(f, 0, "abc")
	t.write(f, 3, "def")
	t.write(f, 8, "ghi")
	if got := t.read(f, 0, 100); got != "abcdef\x00\x00ghi" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) writesFar() {
	f, e := t.create(user, t.home, "f")
	for _, off := range []uint64{1<<31 - 2, 1<<32 - 2, 5 << 32} {
		t.write(f, off, "data")
		if got := t.read(f, off, 4); got != "data" {
			t.Errorf("at %d the file reads %q", off, got)
		}
		if got := t.read(f, off-2, 2); got != "\x00\x00" {
			t.Errorf("before %d the file reads %q", off, got)
		}
		if a := t.get(e.Handle); a.Size != off+4 {
			t.Errorf("the size is %d, want %d", a.Size, off+4)
		}
	}
	if got := t.read(f, 0, 4); got != "\x00\x00\x00\x00" {
		t.Errorf("at 0 the file reads %q", got)
	}
}

func (t *tree) writesTooFar() {
	f, e := t.create(user, t.home, "f")
	for _, off := range []uint64{math.MaxInt64 - 1, math.MaxInt64, 1 << 63, math.MaxUint64 - 3, math.MaxUint64} {
		_, _, _, err := f.WriteAt(t.ctx, []byte("data"), off, vfs.Unstable)
		t.refused("WriteAt", err, syscall.EFBIG, syscall.EINVAL)
		n, eof, err := f.ReadAt(t.ctx, make([]byte, 4), off)
		if err != nil {
			t.refused("ReadAt", err, syscall.EINVAL)
		} else if n != 0 || !eof {
			t.Errorf("ReadAt at %d: %d bytes, eof %v", off, n, eof)
		}
	}
	t.refused("Truncate", f.Truncate(t.ctx, 1<<63), syscall.EFBIG, syscall.EINVAL)
	if a := t.get(e.Handle); a.Size != 0 {
		t.Errorf("the size is %d", a.Size)
	}
}

func (t *tree) writesNothing() {
	f, e := t.create(user, t.home, "f")
	t.write(f, 0, "abc")
	n, _, _, err := f.WriteAt(t.ctx, nil, 100, vfs.FileSync)
	t.must("WriteAt of nothing", err)
	if a := t.get(e.Handle); n != 0 || a.Size != 3 {
		t.Errorf("%d bytes written, the size is %d", n, a.Size)
	}
	n, _, err = f.ReadAt(t.ctx, nil, 0)
	t.must("ReadAt of nothing", err)
	if n != 0 {
		t.Errorf("%d bytes read", n)
	}
}

func (t *tree) writesStably() {
	f, _ := t.create(user, t.home, "f")
	for _, want := range []vfs.Stability{vfs.Unstable, vfs.DataSync, vfs.FileSync} {
		n, did, _, err := f.WriteAt(t.ctx, []byte("data"), 0, want)
		t.must("WriteAt", err)
		if n != 4 || did < want || did > vfs.FileSync {
			t.Errorf("WriteAt with stability %d did %d and wrote %d bytes", want, did, n)
		}
	}
}

func (t *tree) verifierStays() {
	f, _ := t.create(user, t.home, "f")
	g, _ := t.create(user, t.home, "g")
	_, _, v, err := f.WriteAt(t.ctx, []byte("data"), 0, vfs.Unstable)
	t.must("WriteAt", err)
	_, _, w, err := g.WriteAt(t.ctx, []byte("data"), 0, vfs.FileSync)
	t.must("WriteAt", err)
	c, err := f.Commit(t.ctx)
	t.must("Commit", err)
	if v != c || w != v {
		t.Errorf("the verifiers are %x and %x, that of Commit %x", v, w, c)
	}
}

func (t *tree) truncates() {
	f, e := t.create(user, t.home, "f")
	t.write(f, 0, "contents")
	for _, try := range []struct {
		size uint64
		want string
	}{{12, "contents\x00\x00\x00\x00"}, {3, "con"}, {0, ""}, {2, "\x00\x00"}} {
		before := t.get(e.Handle).Change
		t.must("Truncate", f.Truncate(t.ctx, try.size))
		if got := t.read(f, 0, 100); got != try.want {
			t.Errorf("with a size of %d the file reads %q", try.size, got)
		}
		if a := t.get(e.Handle); a.Size != try.size || a.Change <= before {
			t.Errorf("the size is %d, the change attribute went from %d to %d", a.Size, before, a.Change)
		}
	}
}

func (t *tree) cutsForGood() {
	f, _ := t.create(user, t.home, "f")
	for _, cut := range []uint64{1, 4095, 4096, 4097, 9000} {
		t.write(f, 0, string(bytes.Repeat([]byte{'x'}, 10_000)))
		t.must("Truncate", f.Truncate(t.ctx, cut))
		t.must("Truncate", f.Truncate(t.ctx, 10_000))
		got := t.read(f, 0, 20_000)
		want := string(bytes.Repeat([]byte{'x'}, int(cut))) + string(make([]byte, 10_000-cut))
		if got != want {
			t.Errorf("cut to %d and grown again, the file has something else than zeros there", cut)
		}
	}
}

func (t *tree) agreesWithBytes() {
	f, e := t.create(user, t.home, "f")
	random := rand.New(rand.NewPCG(1, 2))
	const limit = 40_000
	var want []byte
	grow := func(size int) {
		want = append(want, make([]byte, max(0, size-len(want)))...)
	}
	for step := range 300 {
		off, length := random.IntN(limit), 1+random.IntN(limit/4)
		switch random.IntN(4) {
		case 0:
			t.must("Truncate", f.Truncate(t.ctx, uint64(off)))
			grow(off)
			want = want[:off:off]
		case 1, 2:
			p := pattern(length)
			n, _, _, err := f.WriteAt(t.ctx, p, uint64(off), vfs.Unstable)
			t.must("WriteAt", err)
			grow(off + n)
			copy(want[off:], p[:n])
		case 3:
			if got := t.read(f, uint64(off), length); got != string(want[min(off, len(want)):min(off+length, len(want))]) {
				t.Fatalf("step %d: %d bytes at %d are not what was written", step, length, off)
			}
		}
	}
	if got := t.contents(e.Handle); got != string(want) {
		t.Error("the whole is not what was written")
	}
}

func (t *tree) sharesData() {
	f, e := t.create(user, t.home, "f")
	g := t.open(user, e.Handle, vfs.Read|vfs.Write)
	_, _, _, err := f.WriteAt(t.ctx, []byte("by the first"), 0, vfs.Unstable)
	t.must("WriteAt", err)
	if got := t.read(g, 0, 100); got != "by the first" {
		t.Errorf("the second File reads %q", got)
	}
	t.must("Truncate", g.Truncate(t.ctx, 2))
	if got := t.read(f, 0, 100); got != "by" {
		t.Errorf("the first File reads %q", got)
	}
	_, err = g.Commit(t.ctx)
	t.must("Commit", err)
}
