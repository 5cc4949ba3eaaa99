// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// atSync runs something at the beginning of the next fsync, whose error is its answer.
type atSync struct {
	next  atomic.Pointer[func() error]
	syncs atomic.Int64
}

func (a *atSync) before(op disk.Op) error {
	if op != disk.OpSync {
		return nil
	}
	a.syncs.Add(1)
	if f := a.next.Swap(nil); f != nil {
		return (*f)()
	}
	return nil
}

func (a *atSync) do(f func() error) { a.next.Store(&f) }

// TestSyncedWriteBesideFailedSync: an fsync that fails has dropped what any write put there before it. A write that wants
// to be synced and comes while another's fsync is failing must not be told that it is, because the next fsync finds
// nothing to complain of: it is written again, or refused.
func TestSyncedWriteBesideFailedSync(t *testing.T) {
	s := newStore(t)
	var sync atSync
	var writes atomic.Int64
	s.disk.Before = func(op disk.Op) error {
		if op == disk.OpWrite {
			writes.Add(1)
		}
		return sync.before(op)
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	file, _ := create(t, fs, dir, "f")
	other, _ := create(t, fs, dir, "other")
	type answer struct {
		n   int
		did vfs.Stability
		err error
	}
	second := make(chan answer, 1)
	var atFailure int64
	sync.do(func() error {
		go func() {
			n, did, _, err := file.WriteAt(ctx, []byte("second"), 4096, vfs.FileSync)
			second <- answer{n, did, err}
		}()
		// The second one's data is there before this fsync fails, which loses it.
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			got := make([]byte, 6)
			if n, _, err := file.ReadAt(ctx, got, 4096); err == nil && string(got[:n]) == "second" {
				break
			}
			if time.Now().After(deadline) {
				t.Error("the second write does not come")
				break
			}
		}
		atFailure = writes.Load()
		return syscall.EIO
	})
	if _, did, _, err := file.WriteAt(ctx, []byte("first"), 0, vfs.FileSync); !errors.Is(err, syscall.EIO) || did != vfs.Unstable {
		t.Errorf("the write whose fsync fails answers %v and %v", did, err)
	}
	got := <-second
	if got.err == nil && (got.did != vfs.FileSync || got.n != 6 || writes.Load() == atFailure) {
		t.Errorf("the write beside it answers %+v, and its data was not written again", got)
	}
	// Another file's data is not lost; its write must not fail for it.
	sync.do(func() error { fs.SetHubs(hubs); return nil })
	if _, did, _, err := other.WriteAt(ctx, []byte("x"), 0, vfs.FileSync); err != nil || did != vfs.FileSync {
		t.Errorf("a write to another file answers %v and %v", did, err)
	}
}

// TestSyncedWriteWhileSyncsFail: a write in which an fsync fails each time that it is made is refused, and not tried for ever.
func TestSyncedWriteWhileSyncsFail(t *testing.T) {
	s := newStore(t)
	var failing vfs.File
	fails := false
	writes := 0
	s.disk.Before = func(op disk.Op) error {
		switch {
		case failing == nil:
		case op == disk.OpWrite:
			writes++
			fails = true
			failing.Commit(ctx)
			fails = false
		case op == disk.OpSync && fails:
			return syscall.EIO
		}
		return nil
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	file, _ := create(t, fs, dir, "f")
	failing, _ = create(t, fs, dir, "failing")
	if _, did, _, err := file.WriteAt(ctx, []byte("x"), 0, vfs.FileSync); !errors.Is(err, syscall.EIO) || did != vfs.Unstable {
		t.Errorf("the write answers %v and %v, want EIO and Unstable", err, did)
	}
	if writes < 2 || writes > 10 {
		t.Errorf("it was made %d times", writes)
	}
}

// TestExclusiveAgainIsDurable: an exclusive create whose fsync failed, or that a killed server did not get to, is sent
// again. Who finds the file then must not call it made before its name is on the disk.
func TestExclusiveAgainIsDurable(t *testing.T) {
	s := newStore(t)
	var sync atSync
	s.disk.Before = sync.before
	fs := s.open()
	dir := home(t, fs, "ada")
	how := vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{1, 2, 3}}
	sync.do(func() error { return syscall.EIO })
	if _, _, _, _, err := fs.Create(ctx, user, dir, "f", how, vfs.Write); !errors.Is(err, syscall.EIO) {
		t.Fatalf("the first one answers %v, want EIO", err)
	}
	before := sync.syncs.Load()
	file, _, _, _, err := fs.Create(ctx, user, dir, "f", how, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if sync.syncs.Load() == before {
		t.Error("the file's name was not synced")
	}
}

// TestNoLockOverSync: names in a directory can change while its attributes go to the disk.
func TestNoLockOverSync(t *testing.T) {
	s := newStore(t)
	var sync atSync
	s.disk.Before = sync.before
	fs := s.open()
	dir := home(t, fs, "ada")
	for i, call := range []func() error{
		func() error { _, err := fs.SetAttr(ctx, user, dir, mode(0o700)); return err },
		func() error { _, err := fs.SetXattr(ctx, user, dir, "x", nil, vfs.XattrEither); return err },
		func() error { _, _, err := fs.Symlink(ctx, user, dir, "l", "x", vfs.SetAttr{}); return err },
		func() error { _, _, _, err := fs.Rename(ctx, user, dir, "l", dir, "l2"); return err },
		func() error { _, _, err := fs.Remove(ctx, user, dir, "l2"); return err },
	} {
		made := make(chan error, 1)
		waited := false
		sync.do(func() error {
			go func() {
				_, _, err := fs.Symlink(ctx, user, dir, fmt.Sprint("made-", i), "x", vfs.SetAttr{})
				made <- err
			}()
			for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
				if _, err := fs.Lookup(ctx, user, dir, fmt.Sprint("made-", i)); err == nil {
					return nil
				}
				if time.Now().After(deadline) {
					waited = true
					return nil
				}
			}
		})
		if err := call(); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
		if err := <-made; err != nil || waited {
			t.Errorf("call %d: a change of the directory waits for its fsync: %v", i, err)
		}
	}
}
