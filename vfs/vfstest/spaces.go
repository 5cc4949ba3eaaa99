// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"bytes"
	"errors"
	"math"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var spacePromises = []promise{
	{"Allocate grows a file with zeros and leaves what is there", (*tree).allocates},
	{"Deallocate makes zeros and leaves the size", (*tree).deallocates},
	{"ranges that no file can have are refused", (*tree).impossibleRanges},
	{"Seek finds data and holes", (*tree).seeks},
	{"Seek beyond the end finds nothing", (*tree).seeksBeyond},
}

// unless skips the test where a step cannot be done below.
func (t *tree) unless(step string, err error) {
	t.Helper()
	if errors.Is(err, syscall.EOPNOTSUPP) {
		t.Skipf("%s: the file system cannot", step)
	}
	t.must(step, err)
}

func (t *tree) needsSeek() {
	t.Helper()
	if t.config.NoSeek {
		t.Skip("there is no such operation")
	}
}

func (t *tree) allocates() {
	t.needsSeek()
	f, e := t.create(user, t.home, "f")
	t.write(f, 0, "contents")
	before := t.get(e.Handle).Change
	t.unless("Allocate", f.Allocate(t.ctx, 4, 100_000))
	if a := t.get(e.Handle); a.Size != 100_004 || a.Used < 100_000 || a.Change <= before {
		t.Errorf("the size is %d, it takes %d bytes, the change attribute went from %d to %d", a.Size, a.Used, before, a.Change)
	}
	if got := t.read(f, 0, 200_000); got != "contents"+string(make([]byte, 100_004-8)) {
		t.Error("the file does not read as it did, with zeros behind")
	}
	t.must("Allocate within the file", f.Allocate(t.ctx, 0, 10))
	if a := t.get(e.Handle); a.Size != 100_004 {
		t.Errorf("the size is %d", a.Size)
	}
}

func (t *tree) deallocates() {
	t.needsSeek()
	f, e := t.create(user, t.home, "f")
	data := pattern(100_000)
	t.write(f, 0, string(data))
	for _, r := range [][2]int{{5_000, 20_000}, {30_000, 10}, {40_960, 4096}, {99_000, 1000}, {60_000, 1}} {
		before := t.get(e.Handle).Change
		t.unless("Deallocate", f.Deallocate(t.ctx, uint64(r[0]), uint64(r[1])))
		clear(data[r[0] : r[0]+r[1]])
		if got := t.read(f, 0, 200_000); got != string(data) {
			t.Errorf("with %d bytes at %d taken away, the file reads something else", r[1], r[0])
		}
		if a := t.get(e.Handle); a.Size != 100_000 || a.Change <= before {
			t.Errorf("the size is %d, the change attribute went from %d to %d", a.Size, before, a.Change)
		}
	}
	t.must("Deallocate across the end", f.Deallocate(t.ctx, 90_000, 1<<30))
	clear(data[90_000:])
	if got := t.read(f, 0, 200_000); got != string(data) {
		t.Error("with the end taken away, the file reads something else")
	}
	if a := t.get(e.Handle); a.Size != 100_000 {
		t.Errorf("the size is %d", a.Size)
	}
}

func (t *tree) impossibleRanges() {
	t.needsSeek()
	f, e := t.create(user, t.home, "f")
	t.write(f, 0, "contents")
	for _, r := range [][2]uint64{{1 << 63, 1}, {math.MaxInt64 - 1, 4}, {math.MaxUint64, 4}, {4, math.MaxUint64}, {1 << 62, 1 << 62}} {
		err := f.Allocate(t.ctx, r[0], r[1])
		t.refused("Allocate", err, syscall.EFBIG, syscall.EINVAL, syscall.ENOSPC, syscall.EOPNOTSUPP)
	}
	if a := t.get(e.Handle); a.Size != 8 || t.contents(e.Handle) != "contents" {
		t.Errorf("the size is %d", a.Size)
	}
}

func (t *tree) seeks() {
	t.needsSeek()
	f, _ := t.create(user, t.home, "f")
	const mib = 1 << 20
	data := string(bytes.Repeat([]byte{'x'}, mib))
	t.write(f, mib, data) // a hole, data, a hole
	t.must("Truncate", f.Truncate(t.ctx, 3*mib))
	at, _, err := f.Seek(t.ctx, vfs.SeekData, 0)
	t.unless("Seek", err)
	if at == 0 {
		t.Skip("the file system does not tell holes from data")
	}
	for _, try := range []struct {
		what    vfs.SeekWhat
		off     uint64
		want    uint64
		wantEOF bool
	}{
		{vfs.SeekData, 0, mib, false},
		{vfs.SeekData, mib + 5, mib + 5, false},
		{vfs.SeekData, 2 * mib, 3 * mib, true},
		{vfs.SeekHole, 0, 0, false},
		{vfs.SeekHole, 7, 7, false},
		{vfs.SeekHole, mib, 2 * mib, false},
		{vfs.SeekHole, 3*mib - 1, 3*mib - 1, false},
	} {
		at, eof, err := f.Seek(t.ctx, try.what, try.off)
		t.must("Seek", err)
		if at != try.want || eof != try.wantEOF {
			t.Errorf("Seek of %d from %d: %d, eof %v; want %d, %v", try.what, try.off, at, eof, try.want, try.wantEOF)
		}
	}
	t.write(f, 2*mib, data)
	at, _, err = f.Seek(t.ctx, vfs.SeekHole, mib)
	t.must("Seek", err)
	if at != 3*mib {
		t.Errorf("without a hole before the end, Seek finds one at %d", at)
	}
}

func (t *tree) seeksBeyond() {
	t.needsSeek()
	f, _ := t.create(user, t.home, "f")
	for _, what := range []vfs.SeekWhat{vfs.SeekData, vfs.SeekHole} {
		for _, off := range []uint64{8, 9, 1 << 40, math.MaxUint64} {
			t.must("Truncate", f.Truncate(t.ctx, 8))
			_, _, err := f.Seek(t.ctx, what, off)
			t.refused("Seek", err, syscall.ENXIO, syscall.EOPNOTSUPP)
		}
		t.must("Truncate", f.Truncate(t.ctx, 0))
		_, _, err := f.Seek(t.ctx, what, 0)
		t.refused("Seek in an empty file", err, syscall.ENXIO, syscall.EOPNOTSUPP)
	}
}
