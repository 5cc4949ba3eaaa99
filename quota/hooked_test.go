// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// hooked is an FS that tells before it makes a directory, after it has made a file and when it has looked at what it removes, and
// whose Files tell before and after they write.
type hooked struct {
	vfs.FS
	making         func(name string)
	made           func(e vfs.Entry)
	removing       func()
	writing, wrote func()
}

func (h *hooked) Mkdir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	h.making(name)
	return h.FS.Mkdir(ctx, c, dir, name, set)
}

func (h *hooked) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	f, e, created, ch, err := h.FS.Create(ctx, c, dir, name, how, access)
	if created && err == nil {
		h.made(e)
	}
	return f, e, created, ch, err
}

func (h *hooked) Remove(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, vfs.DirChange, error) {
	before, looked := h.FS.Lookup(ctx, nil, dir, name)
	h.removing()
	gone, ch, err := h.FS.Remove(ctx, c, dir, name)
	if err == nil && looked == nil {
		gone.Attr = before.Attr
	}
	return gone, ch, err
}

func (h *hooked) Open(ctx context.Context, c *vfs.Caller, at vfs.Handle, access vfs.Access) (vfs.File, error) {
	f, err := h.FS.Open(ctx, c, at, access)
	return &hookedFile{f, h}, err
}

type hookedFile struct {
	vfs.File
	h *hooked
}

func (f *hookedFile) WriteAt(ctx context.Context, p []byte, off uint64, want vfs.Stability) (int, vfs.Stability, vfs.Verifier, error) {
	f.h.writing()
	n, did, v, err := f.File.WriteAt(ctx, p, off, want)
	f.h.wrote()
	return n, did, v, err
}

// hook begins anew with a hooked FS.
func (b *bed) hook() *hooked {
	h := &hooked{FS: b.inner, making: func(string) {}, made: func(vfs.Entry) {}, removing: func() {}, writing: func() {}, wrote: func() {}}
	b.ledger = quota.New(h, b.keeper)
	b.fs = b.ledger.FS()
	b.setHubs()
	return h
}

// TestForgotten: in a home where something is being made at every moment the inodes that nobody uses any more are forgotten all
// the same.
func TestForgotten(t *testing.T) {
	b := newBed(t)
	h := b.hook()
	home := b.home("ada")
	running := make(chan chan bool)
	h.making = func(string) {
		end := make(chan bool)
		running <- end
		<-end
	}
	begin := func(name string) (end func()) {
		var maker sync.WaitGroup
		maker.Go(func() {
			if _, _, err := b.fs.Mkdir(ctx, user, home, name, vfs.SetAttr{}); err != nil {
				t.Error(err)
			}
		})
		made := <-running
		return func() {
			close(made)
			maker.Wait()
		}
	}
	end := begin("d")
	const rounds, each = 10, 10
	for i := range rounds {
		for j := range each {
			f, _ := b.create(home, fmt.Sprintf("f%d-%d", i, j))
			works(t, "Close", f.Close())
		}
		next := begin(fmt.Sprint("d", i))
		end()
		end = next
		b.ledger.Sweep(ctx)
	}
	end()
	if n := b.ledger.Remembered(); n > rounds*each/2 {
		t.Errorf("%d inodes are remembered", n)
	}
	b.exact("ada")
}

// TestRestingWhileRemoved: a file that is written and comes to rest while it is being removed is given back as what it takes then,
// and not as what it took when the removal began.
func TestRestingWhileRemoved(t *testing.T) {
	b := newBed(t)
	h := b.hook()
	home := b.home("ada")
	f, e := b.create(home, "f")
	works(t, "Close", f.Close())
	b.rest()
	h.removing = func() {
		f, err := b.fs.Open(ctx, user, e.Handle, vfs.Write)
		b.must(err)
		b.must(errors.Join(write(f, 0, 20_000), f.Close()))
		b.rest()
	}
	_, _, err := b.fs.Remove(ctx, user, home, "f")
	works(t, "Remove", err)
	h.removing = func() {}
	b.exact("ada")
}

// TestCommitBeforeWrite: a COMMIT syncs nothing that is written after it, however long ago the write began.
func TestCommitBeforeWrite(t *testing.T) {
	b := newBed(t)
	h := b.hook()
	f, e := b.create(b.home("ada"), "f")
	works(t, "Close", f.Close())
	f, err := b.fs.Open(ctx, user, e.Handle, vfs.Write)
	b.must(err)
	b.rest()
	h.writing = func() {
		_, err := f.Commit(ctx)
		works(t, "Commit", err)
	}
	if _, _, _, err := f.WriteAt(ctx, make([]byte, 4096), 0, vfs.Unstable); err != nil {
		t.Fatal(err)
	}
	works(t, "Close", f.Close())
	if b.ledger.Remembered() == 0 {
		t.Error("nobody will look at the file again when it is synced")
	}
	b.exact("ada")
}
