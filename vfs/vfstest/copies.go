// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"math"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var copyPromises = []promise{
	{"CopyFrom copies a range", (*tree).copies},
	{"CopyFrom ends where the source does", (*tree).copiesToEnd},
	{"CopyFrom copies within a file, but not onto the source", (*tree).copiesWithin},
	{"CopyFrom copies from one home to another", (*tree).copiesAcross},
	{"CopyFrom refuses offsets that no file can have", (*tree).copiesTooFar},
	{"CloneFrom shares a whole file, or cannot", (*tree).clones},
	{"CloneFrom copies later changes of neither file", (*tree).clonesApart},
}

func (t *tree) copies() {
	t.needsSeek()
	src, _ := t.create(user, t.home, "src")
	dst, e := t.create(user, t.home, "dst")
	data := pattern(100_000)
	t.write(src, 0, string(data))
	t.write(dst, 0, "start")
	before := t.get(e.Handle).Change
	n, v, err := dst.CopyFrom(t.ctx, src, 1234, 5, 50_000)
	t.must("CopyFrom", err)
	if n == 0 || n > 50_000 {
		t.Fatalf("%d bytes were copied", n)
	}
	if got := t.read(dst, 0, 200_000); got != "start"+string(data[1234:1234+n]) {
		t.Error("the copy is not what was there")
	}
	if after := t.get(e.Handle).Change; after <= before {
		t.Errorf("the change attribute went from %d to %d", before, after)
	}
	c, err := dst.Commit(t.ctx)
	t.must("Commit", err)
	if c != v {
		t.Errorf("CopyFrom answered the verifier %x, Commit %x", v, c)
	}
}

func (t *tree) copiesToEnd() {
	t.needsSeek()
	src, _ := t.create(user, t.home, "src")
	dst, e := t.create(user, t.home, "dst")
	t.write(src, 0, "0123456789")
	n, _, err := dst.CopyFrom(t.ctx, src, 6, 0, 100)
	t.must("CopyFrom across the end", err)
	if got := t.read(dst, 0, 100); n != 4 || got != "6789" {
		t.Errorf("%d bytes were copied, the copy reads %q", n, got)
	}
	n, _, err = dst.CopyFrom(t.ctx, src, 10, 0, 5)
	if err == nil && n != 0 {
		t.Errorf("%d bytes were copied from the end", n)
	} else if err != nil {
		t.refused("CopyFrom from the end", err, syscall.EINVAL)
	}
	if a := t.get(e.Handle); a.Size != 4 {
		t.Errorf("the size is %d", a.Size)
	}
}

func (t *tree) copiesWithin() {
	t.needsSeek()
	f, e := t.create(user, t.home, "f")
	t.write(f, 0, "0123456789")
	n, _, err := f.CopyFrom(t.ctx, f, 0, 10, 10)
	t.must("CopyFrom", err)
	if got := t.contents(e.Handle); n != 10 || got != "01234567890123456789" {
		t.Errorf("%d bytes were copied, the file reads %q", n, got)
	}
	for _, off := range []uint64{0, 1, 9} {
		_, _, err := f.CopyFrom(t.ctx, f, 0, off, 10)
		t.refused("CopyFrom onto itself", err, syscall.EINVAL)
		_, _, err = f.CopyFrom(t.ctx, f, off, 0, 10)
		t.refused("CopyFrom onto itself", err, syscall.EINVAL)
	}
	if got := t.contents(e.Handle); got != "01234567890123456789" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) copiesAcross() {
	t.needsSeek()
	src, _ := t.create(user, t.home, "src")
	dst, e := t.create(user, t.otherHome(), "dst")
	t.write(src, 0, "contents")
	n, _, err := dst.CopyFrom(t.ctx, src, 0, 0, 8)
	t.must("CopyFrom", err)
	if got := t.contents(e.Handle); n != 8 || got != "contents" {
		t.Errorf("%d bytes were copied, the copy reads %q", n, got)
	}
}

func (t *tree) copiesTooFar() {
	t.needsSeek()
	src, _ := t.create(user, t.home, "src")
	dst, e := t.create(user, t.home, "dst")
	t.write(src, 0, "contents")
	for _, off := range []uint64{1 << 63, math.MaxInt64 - 3, math.MaxUint64 - 3} {
		_, _, err := dst.CopyFrom(t.ctx, src, 0, off, 8)
		t.refused("CopyFrom", err, syscall.EINVAL, syscall.EFBIG)
	}
	if a := t.get(e.Handle); a.Size != 0 {
		t.Errorf("the size is %d", a.Size)
	}
}

func (t *tree) clones() {
	t.needsSeek()
	src, _ := t.create(user, t.home, "src")
	dst, e := t.create(user, t.home, "dst")
	far, _ := t.create(user, t.otherHome(), "far")
	data := pattern(100_000)
	t.write(src, 0, string(data))
	t.unless("CloneFrom", dst.CloneFrom(t.ctx, src, 0, 0, 0))
	if got := t.contents(e.Handle); got != string(data) {
		t.Error("the clone is not what was there")
	}
	t.refused("CloneFrom another home", far.CloneFrom(t.ctx, src, 0, 0, 0), syscall.EXDEV, syscall.EOPNOTSUPP)
	t.refused("CloneFrom an odd offset", dst.CloneFrom(t.ctx, src, 1, 0, 5), syscall.EINVAL, syscall.EOPNOTSUPP)
	t.refused("CloneFrom beyond the end", dst.CloneFrom(t.ctx, src, 1<<20, 0, 1<<20), syscall.EINVAL, syscall.EOPNOTSUPP)
}

func (t *tree) clonesApart() {
	t.needsSeek()
	src, s := t.create(user, t.home, "src")
	dst, d := t.create(user, t.home, "dst")
	t.write(src, 0, "0123456789")
	t.unless("CloneFrom", dst.CloneFrom(t.ctx, src, 0, 0, 0))
	t.write(src, 0, "src")
	t.write(dst, 4, "dst")
	if got := t.contents(s.Handle); got != "src3456789" {
		t.Errorf("the source reads %q", got)
	}
	if got := t.contents(d.Handle); got != "0123dst789" {
		t.Errorf("the clone reads %q", got)
	}
	if got := t.get(d.Handle); got.Type != vfs.Regular || got.Size != 10 {
		t.Errorf("the clone's attributes are %+v", got)
	}
}
