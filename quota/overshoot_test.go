// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// TestOvershoot: however many write at one time, they take no more than the quota.
func TestOvershoot(t *testing.T) {
	const request = 64 << 10
	b := limited(t, hubhome.Quotas{Home: bytes(16 * hubhome.MiB)})
	home := b.home("ada")
	var files []vfs.File
	for i := range 16 {
		f, _ := b.create(home, fmt.Sprint(i))
		defer f.Close()
		files = append(files, f)
	}
	var most atomic.Int64
	var writers, watchers sync.WaitGroup
	done := make(chan struct{})
	watchers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if used := b.report("ada").Used.Bytes; used > most.Load() {
				most.Store(used)
			}
		}
	})
	for i, f := range files {
		writers.Go(func() {
			for off := 0; ; off += request {
				_, _, _, err := f.WriteAt(ctx, make([]byte, request), uint64(off), vfs.Unstable)
				if errors.Is(err, syscall.EDQUOT) {
					return
				}
				if err != nil {
					t.Errorf("writer %d: %v", i, err)
					return
				}
			}
		})
	}
	writers.Wait()
	close(done)
	watchers.Wait()
	for _, f := range files {
		_, err := f.Commit(ctx)
		b.must(err)
	}
	used := b.report("ada").Used.Bytes
	if limit := int64(16 << 20); max(used, most.Load()) > limit+request || used < limit-request {
		t.Errorf("the home takes %d bytes and took up to %d; its quota is %d", used, most.Load(), limit)
	}
	b.exact("ada")
}

// TestOvershootAtOnce: of requests that all run at the same moment only as many are let in as fit, although none of them has
// taken anything yet.
func TestOvershootAtOnce(t *testing.T) {
	const writers, request, fit = 16, 1 << 20, 5
	b := newBed(t)
	h := b.hook()
	b.ledger.SetReserve(hubhome.Reserve{})
	home := b.home("ada")
	var handles []vfs.Handle
	for i := range writers {
		f, e := b.create(home, fmt.Sprint(i))
		works(t, "Close", f.Close())
		handles = append(handles, e.Handle)
	}
	b.ledger.SetOverride(hubName, "ada", bytes(hubhome.Bytes(b.report("ada").Used.Bytes+fit*request)))
	// Who is let in waits until everybody is, or was refused.
	var let, refusals atomic.Int64
	everybody := make(chan struct{})
	arrived := func(n *atomic.Int64) {
		n.Add(1)
		if let.Load()+refusals.Load() == writers {
			close(everybody)
		}
	}
	var arriving sync.Mutex
	h.writing = func() {
		arriving.Lock()
		arrived(&let)
		arriving.Unlock()
		<-everybody
	}
	var writing sync.WaitGroup
	for _, handle := range handles {
		f, err := b.fs.Open(ctx, user, handle, vfs.Write)
		b.must(err)
		writing.Go(func() {
			_, _, _, err := f.WriteAt(ctx, make([]byte, request), 0, vfs.Unstable)
			if err != nil {
				refused(t, "a write", err)
				arriving.Lock()
				arrived(&refusals)
				arriving.Unlock()
			}
			works(t, "Close", f.Close())
		})
	}
	writing.Wait()
	if n := let.Load(); n != fit {
		t.Errorf("%d requests were let in at once where %d fit", n, fit)
	}
	b.exact("ada")
}

// TestCloneAtQuota: a clone takes nothing of the disk, and is refused where there is no room for a copy.
func TestCloneAtQuota(t *testing.T) {
	switch onFileSystems(t) {
	case "xfs", "btrfs":
		t.Run("clones", cloneAtQuota) // which has a directory of its own, on that file system
	}
}

func cloneAtQuota(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(8 * hubhome.MiB)})
	home := b.home("ada")
	put := func(name string, size int) vfs.File {
		f, _ := b.create(home, name)
		works(t, "a write", write(f, 0, size))
		_, err := f.Commit(ctx)
		b.must(err)
		return f
	}
	src := put("src", 3<<20)
	one, two := put("one", 0), put("two", 0)
	works(t, "a clone", one.CloneFrom(ctx, src, 0, 0, 0))
	before := b.report("ada").Used
	if before.Bytes < 6<<20 {
		t.Errorf("with a clone of 3 MiB the home takes %d bytes", before.Bytes)
	}
	refused(t, "a clone beyond the quota", two.CloneFrom(ctx, src, 0, 0, 0))
	refused(t, "a clone of a part beyond the quota", two.CloneFrom(ctx, src, 0, 0, 5<<19))
	if now := b.report("ada").Used; now != before {
		t.Errorf("what was refused has taken something: %+v, before %+v", now, before)
	}
	works(t, "a clone over what is there", one.CloneFrom(ctx, src, 0, 0, 0))
	for _, f := range []vfs.File{src, one, two} {
		works(t, "Close", f.Close())
	}
	b.exact("ada")
}

// TestFullDisk: a full disk is ENOSPC and not EDQUOT, charges nobody anything, and leaves nothing to be counted.
func TestFullDisk(t *testing.T) {
	m := newMemory(t)
	home := m.home("ada")
	f, _, _, _, err := m.fs.Create(ctx, nil, home, "f", vfs.Create{}, vfs.Write)
	m.must(err)
	defer f.Close()
	e, err := m.fs.Lookup(ctx, nil, home, "f")
	m.must(err)
	before := m.ledger.Report()
	for label, do := range map[string]func() error{
		"WriteAt":  func() error { _, _, _, err := f.WriteAt(ctx, make([]byte, 10), 0, vfs.FileSync); return err },
		"Allocate": func() error { return f.Allocate(ctx, 0, 10) },
		"Mkdir":    func() error { _, _, err := m.fs.Mkdir(ctx, nil, home, "d", vfs.SetAttr{}); return err },
		"Create": func() error {
			_, _, _, _, err := m.fs.Create(ctx, nil, home, "g", vfs.Create{}, vfs.Write)
			return err
		},
		"Link":   func() error { _, err := m.fs.Link(ctx, nil, e.Handle, home, "g"); return err },
		"Rename": func() error { _, _, _, err := m.fs.Rename(ctx, nil, home, "f", home, "g"); return err },
		"Remove": func() error { _, _, err := m.fs.Remove(ctx, nil, home, "f"); return err },
	} {
		m.inner.Fail(label, syscall.ENOSPC)
		if err := do(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v, want ENOSPC", label, err)
		}
		m.inner.Fail(label, nil)
		if state := m.ledger.Report().Hubs[0].Homes[0].State; state != quota.Clean {
			t.Errorf("after %s the home is %s", label, state)
		}
	}
	after := m.ledger.Report()
	if before.Hubs[0].Used != after.Hubs[0].Used || before.Hubs[0].Homes[0].Used != after.Hubs[0].Homes[0].Used {
		t.Errorf("it was %+v and is %+v", before, after)
	}
	if d := after.Hubs[0].Homes[0].Denials; d != (quota.Denials{}) {
		t.Errorf("the denials are %+v", d)
	}
}
