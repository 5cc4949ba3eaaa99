// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// limited is a bed whose homes may take so much, without a reserve.
func limited(t testing.TB, q hubhome.Quotas) *bed {
	b := newBed(t)
	b.quotas = q
	b.setHubs()
	b.ledger.SetReserve(hubhome.Reserve{})
	return b
}

func bytes(n hubhome.Bytes) hubhome.Quota { return hubhome.Quota{Bytes: n} }

// write writes length bytes at an offset, as clients do: again from where a write ended short.
func write(f vfs.File, off, length int) error {
	for length > 0 {
		n, _, _, err := f.WriteAt(ctx, make([]byte, min(length, 1<<20)), uint64(off), vfs.Unstable)
		if err != nil {
			return err
		}
		off, length = off+n, length-n
	}
	return nil
}

// refused fails the test unless a step answers EDQUOT.
func refused(t testing.TB, step string, err error) {
	t.Helper()
	if !errors.Is(err, syscall.EDQUOT) {
		t.Errorf("%s: %v, want EDQUOT", step, err)
	}
}

func works(t testing.TB, step string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", step, err)
	}
}

// TestSpent: what would take more than the quota is refused before it is done, and what takes nothing or gives back is not.
func TestSpent(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.MiB)})
	home := b.home("ada")
	gone, _ := b.create(home, "gone")
	works(t, "Close", gone.Close())
	f, e := b.create(home, "f")
	defer f.Close()
	refused(t, "a write of more than the quota", write(f, 0, 2<<20))
	a, err := b.fs.GetAttr(ctx, e.Handle)
	b.must(err)
	used := b.report("ada").Used
	if want := uint64(1<<20 - 4096); a.Size < want-16<<10 || a.Size > want || used.Bytes > 1<<20 {
		t.Errorf("as much was written as fits: the file has %d bytes, the home takes %d", a.Size, used.Bytes)
	}
	refused(t, "a write behind the end", write(f, int(a.Size), 4096))
	works(t, "a write over what is there", write(f, 0, int(a.Size)))
	refused(t, "Allocate", f.Allocate(ctx, a.Size, 100_000))
	works(t, "Allocate of what is there", f.Allocate(ctx, 0, a.Size))
	_, _, err = f.CopyFrom(ctx, f, 0, a.Size, 100_000)
	refused(t, "CopyFrom", err)
	_, _, _, _, err = b.fs.Create(ctx, user, home, "g", vfs.Create{}, vfs.Write)
	refused(t, "Create", err)
	_, _, err = b.fs.Mkdir(ctx, user, home, "d", vfs.SetAttr{})
	refused(t, "Mkdir", err)
	_, _, err = b.fs.Symlink(ctx, user, home, "l", "f", vfs.SetAttr{})
	refused(t, "Symlink", err)
	_, err = b.fs.SetXattr(ctx, user, e.Handle, "x", make([]byte, 3000), vfs.XattrEither)
	refused(t, "SetXattr", err)
	works(t, "Truncate to a larger size", f.Truncate(ctx, 1<<30))
	refused(t, "a write in the hole", write(f, 1<<29, 100_000))
	if now := b.report("ada").Used; now != used {
		t.Errorf("what was refused has taken something: %+v, before %+v", now, used)
	}
	_, _, _, err = b.fs.Rename(ctx, user, home, "f", home, "g")
	works(t, "Rename", err)
	_, _, err = b.fs.Remove(ctx, user, home, "gone")
	works(t, "Remove", err)
	g, _, created, _, err := b.fs.Create(ctx, user, home, "g", vfs.Create{Attr: vfs.SetAttr{Size: new(uint64)}}, vfs.Write)
	works(t, "Create that cuts a file", err)
	if err == nil {
		works(t, "Close", g.Close())
	}
	if created {
		t.Error("the file was not there")
	}
	works(t, "a write where there is room again", write(f, 0, 500_000))
	works(t, "Deallocate", f.Deallocate(ctx, 0, 400_000))
	_, _, err = b.fs.Remove(ctx, user, home, "g")
	works(t, "Remove", err)
	if d := b.report("ada").Denials; d.Bytes < 8 || d.Inodes+d.HubBytes+d.HubInodes > 0 {
		t.Errorf("the denials are %+v", d)
	}
}

// TestAllocated: what was allocated can be written when nothing is left.
func TestAllocated(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.MiB)})
	f, _ := b.create(b.home("ada"), "f")
	defer f.Close()
	works(t, "Allocate", f.Allocate(ctx, 0, 1<<20-64<<10))
	refused(t, "Allocate of more", f.Allocate(ctx, 1<<20, 100_000))
	works(t, "a write of all that was allocated", write(f, 0, 1<<20-64<<10))
}

// TestInodes: a quota of inodes is for all that has a name, and hard links are one.
func TestInodes(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: hubhome.Quota{Inodes: 4}})
	home := b.home("ada")
	f, e := b.create(home, "f")
	defer f.Close()
	_, err := b.fs.Link(ctx, user, e.Handle, home, "link")
	works(t, "Link", err)
	_, _, err = b.fs.Mkdir(ctx, user, home, "d", vfs.SetAttr{})
	works(t, "Mkdir", err)
	_, _, err = b.fs.Symlink(ctx, user, home, "l", "f", vfs.SetAttr{})
	works(t, "Symlink", err)
	_, _, _, _, err = b.fs.Create(ctx, user, home, "g", vfs.Create{}, vfs.Write)
	refused(t, "Create", err)
	works(t, "a write", write(f, 0, 100_000))
	if r := b.report("ada"); r.Used.Inodes != 4 || r.Denials.Inodes != 1 {
		t.Errorf("%+v", r)
	}
}

// TestHubTotal: a hub's total is for all of its homes together, and who is refused is told apart.
func TestHubTotal(t *testing.T) {
	b := limited(t, hubhome.Quotas{Total: bytes(2 * hubhome.MiB), Home: bytes(hubhome.GiB)})
	f, _ := b.create(b.home("ada"), "f")
	defer f.Close()
	works(t, "a write", write(f, 0, 1_900_000))
	other, _ := b.create(b.home("bob"), "f")
	defer other.Close()
	refused(t, "another home's write", write(other, 0, 500_000))
	if d := b.report("bob").Denials; d.HubBytes == 0 || d.Bytes > 0 {
		t.Errorf("the denials are %+v", d)
	}
	works(t, "Truncate", f.Truncate(ctx, 0))
	works(t, "the same again", write(other, 0, 500_000))

	inodes := b.ledger.Report().Hubs[0].Used.Inodes
	b.quotas = hubhome.Quotas{Total: hubhome.Quota{Inodes: inodes + 1}, Home: hubhome.Quota{Inodes: 1000}}
	b.setHubs()
	_, _, err := b.fs.Mkdir(ctx, user, b.lookup(b.hub(), "ada"), "d", vfs.SetAttr{})
	works(t, "the hub's last inode", err)
	_, _, err = b.fs.Mkdir(ctx, user, b.lookup(b.hub(), "bob"), "d", vfs.SetAttr{})
	refused(t, "another", err)
	_, _, err = b.fs.Mkdir(ctx, &vfs.Caller{}, b.hub(), "eve", vfs.SetAttr{})
	refused(t, "another home", err)
	if d := b.report("bob").Denials; d.HubInodes != 1 || d.Inodes > 0 {
		t.Errorf("the denials are %+v", d)
	}
}

// TestOverride: a quota that is set at run time is in force for the next request, also one below what is used.
func TestOverride(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.MiB)})
	f, _ := b.create(b.home("ada"), "f")
	defer f.Close()
	refused(t, "a write", write(f, 0, 2<<20))
	b.ledger.SetOverride(hubName, "ada", bytes(4*hubhome.MiB))
	works(t, "the same with a larger quota", write(f, 0, 2<<20))
	b.ledger.SetOverride(hubName, "ada", bytes(hubhome.MiB))
	refused(t, "a write when the quota is below what is used", write(f, 2<<20, 4096))
	works(t, "a write over what is there", write(f, 0, 1<<20))
	b.ledger.SetOverride(hubName, "ada", hubhome.Quota{Bytes: hubhome.Unlimited})
	works(t, "a write without a quota", write(f, 2<<20, 1<<20))
	b.ledger.SetOverride(hubName, "ada", hubhome.Quota{})
	refused(t, "a write with the quota from before", write(f, 3<<20, 4096))
}

// TestNotMarked: what cannot be noted as being changed is not changed.
func TestNotMarked(t *testing.T) {
	b := newBed(t)
	home := b.home("ada")
	f, _ := b.create(home, "f")
	b.ledger.Snapshot(1, false)
	b.keeper.mu.Lock()
	b.keeper.err = syscall.EIO
	b.keeper.mu.Unlock()
	b.must(f.Close())
	b.rest()
	b.ledger.Snapshot(2, false)
	if _, _, err := b.fs.Remove(ctx, user, home, "f"); !errors.Is(err, syscall.EIO) {
		t.Errorf("Remove: %v, want EIO", err)
	}
	if _, err := b.fs.Lookup(ctx, user, home, "f"); err != nil {
		t.Errorf("the file: %v", err)
	}
	b.keeper.mu.Lock()
	b.keeper.err, b.keeper.generation = nil, 2
	b.keeper.mu.Unlock()
	for range 3 {
		g, _ := b.create(home, "g")
		b.must(write(g, 0, 5000))
		b.must(g.Close())
	}
	if marks := len(b.keeper.marked); marks != 1 {
		t.Errorf("%d homes were marked, want 1", marks)
	}
	for home, n := range b.keeper.marked {
		if n != 1 {
			t.Errorf("home %d was marked %d times in one generation", home, n)
		}
	}
}

// TestStatFS: df tells of a home its quota, of a hub its total, and of what has no limit the disk.
func TestStatFS(t *testing.T) {
	b := limited(t, hubhome.Quotas{Total: hubhome.Quota{Bytes: 50 * hubhome.MiB}, Home: hubhome.Quota{Bytes: 10 * hubhome.MiB, Inodes: 100}})
	home := b.home("ada")
	f, e := b.create(home, "f")
	defer f.Close()
	b.must(write(f, 0, 3<<20))
	_, err := f.Commit(ctx)
	b.must(err)
	used := uint64(b.report("ada").Used.Bytes)
	disk, err := b.inner.StatFS(ctx, home)
	b.must(err)
	for what, h := range map[string]vfs.Handle{"home": home, "file": e.Handle} {
		st, err := b.fs.StatFS(ctx, h)
		b.must(err)
		if st.TotalBytes != 10<<20 || st.TotalBytes-st.FreeBytes != used || st.AvailBytes != st.FreeBytes ||
			st.TotalFiles != 100 || st.FreeFiles != 98 || st.AvailFiles != 98 {
			t.Errorf("of a %s: %+v, with %d bytes used", what, st, used)
		}
	}
	st, err := b.fs.StatFS(ctx, b.hub())
	b.must(err)
	if st.TotalBytes != 50<<20 || st.TotalBytes-st.FreeBytes != uint64(b.ledger.Report().Hubs[0].Used.Bytes) || st.TotalFiles != disk.TotalFiles {
		t.Errorf("of the hub: %+v", st)
	}
	b.ledger.SetOverride(hubName, "ada", hubhome.Quota{Bytes: 1 << 60, Inodes: hubhome.UnlimitedInodes})
	if st, err = b.fs.StatFS(ctx, home); err != nil || st.TotalBytes != 1<<60 || st.AvailBytes > 50<<20 || st.TotalFiles != disk.TotalFiles {
		t.Errorf("of a home with a quota that is more than the hub's: %+v, %v", st, err)
	}
	b.ledger.SetOverride(hubName, "ada", bytes(hubhome.MiB))
	if st, err = b.fs.StatFS(ctx, home); err != nil || st.FreeBytes != 0 || st.AvailBytes != 0 {
		t.Errorf("of a home over its quota: %+v, %v", st, err)
	}
	root, err := b.fs.Root(ctx)
	b.must(err)
	if st, err = b.fs.StatFS(ctx, root); err != nil || st.TotalBytes != disk.TotalBytes {
		t.Errorf("of all hubs: %+v, %v", st, err)
	}
}

// TestUnlinked: a file without a name is charged until it is closed for the last time, and a silly rename is a name.
func TestUnlinked(t *testing.T) {
	b := newBed(t)
	home := b.home("ada")
	empty := b.report("ada").Used
	f, e := b.create(home, "f")
	g, err := b.fs.Open(ctx, user, e.Handle, vfs.Read)
	b.must(err)
	b.must(write(f, 0, 1<<20))
	full := b.report("ada").Used
	_, _, _, err = b.fs.Rename(ctx, user, home, "f", home, ".nfs0001")
	b.must(err)
	_, _, err = b.fs.Remove(ctx, user, home, ".nfs0001")
	b.must(err)
	if used := b.report("ada").Used; used != full {
		t.Errorf("unlinked, the file is charged %+v, with a name it was %+v", used, full)
	}
	b.must(write(f, 1<<20, 1<<20))
	if used := b.report("ada").Used; used.Bytes < full.Bytes+1<<20 {
		t.Errorf("what an unlinked file grows by is not charged: %+v", used)
	}
	b.must(f.Close())
	if used := b.report("ada").Used; used.Inodes != full.Inodes {
		t.Errorf("it is still open, and charged %+v", used)
	}
	b.must(g.Close())
	if used := b.report("ada").Used; used != empty {
		t.Errorf("after the last close the home takes %+v, empty it took %+v", used, empty)
	}
}

// TestHomesGo: a home whose directory is removed is gone from the ledger, and its hub takes no more for it.
func TestHomesGo(t *testing.T) {
	b := newBed(t)
	hub := b.hub()
	before := b.ledger.Report().Hubs[0]
	home := b.home("ada")
	f, _ := b.create(home, "f")
	b.must(write(f, 0, 100_000))
	_, _, err := b.fs.Remove(ctx, user, home, "f")
	b.must(err)
	_, _, err = b.fs.Remove(ctx, nil, hub, "ada")
	b.must(err)
	b.must(write(f, 100_000, 100_000)) // of a home that is not there
	b.must(f.Close())
	if after := b.ledger.Report().Hubs[0]; after.Used != before.Used || len(after.Homes) != 0 {
		t.Errorf("the hub took %+v and takes %+v with %d homes", before.Used, after.Used, len(after.Homes))
	}
}

// TestUnlimitedUncounted: where there is no limit, nobody is refused for what was removed before it was counted.
func TestUnlimitedUncounted(t *testing.T) {
	b := newBed(t)
	home := b.home("ada")
	f, _ := b.create(home, "f")
	works(t, "a write", write(f, 0, 8<<20))
	works(t, "Close", f.Close())
	b.rest()
	b.restart() // with a ledger that knows nothing
	b.ledger.SetReserve(hubhome.Reserve{})
	_, _, err := b.fs.Remove(ctx, user, home, "f")
	works(t, "Remove", err)
	g, _ := b.create(home, "g")
	defer g.Close()
	works(t, "a write to a home without a quota", write(g, 0, 2<<20))
}

// TestMarkedBeforeSnapshot: a home that is being marked in one generation when the next begins is changed by nobody until it
// is marked in one: the next is not persisted yet.
func TestMarkedBeforeSnapshot(t *testing.T) {
	b := newBed(t)
	home := b.home("ada")
	b.rest()
	b.keeper.generation = 1
	b.ledger.Snapshot(1, false)
	before := 0
	b.keeper.during = func() {
		b.keeper.during = nil
		b.ledger.Snapshot(2, false)
		f, e := b.create(home, "g") // it must have been marked
		b.must(f.Close())
		before = b.keeper.marked[e.Attr.Home]
		b.keeper.generation = 2
	}
	b.keeper.generation = 2
	f, _ := b.create(home, "f")
	b.must(f.Close())
	if before == 0 {
		t.Error("the home was changed, and no mark of it was durable")
	}
}

// TestClockBack: a count that a clock went back under does not make anybody believe what it has missed.
func TestClockBack(t *testing.T) {
	b := newBed(t)
	home := b.home("ada")
	f, _ := b.create(home, "f")
	works(t, "Close", f.Close())
	b.rest()
	path := filepath.Join(b.path, hubName, "ada")
	count := func(began time.Time) *quota.Count {
		c, err := b.ledger.Begin(b.report("ada").ID, began)
		b.must(err)
		for !c.Drained() {
		}
		entries, err := os.ReadDir(path)
		b.must(err)
		for _, name := range append(entries, nil) {
			at := path
			if name != nil {
				at = filepath.Join(path, name.Name())
			}
			var st unix.Stat_t
			b.must(unix.Stat(at, &st))
			b.must(c.Visit(st.Ino, func() (quota.Found, error) {
				return quota.Found{Number: st.Ino, Used: uint64(du(&st)), Size: uint64(st.Size), Birth: found(t, at, "").Birth}, nil
			}))
		}
		return c
	}
	c := count(time.Now().Add(time.Hour)) // by a clock that then goes back
	_, _, err := b.fs.Remove(ctx, user, home, "f")
	works(t, "Remove", err)
	_, _, err = b.fs.Mkdir(ctx, user, home, "d", vfs.SetAttr{}) // on ext4 it gets the number
	works(t, "Mkdir", err)
	if counted, _, sure := c.Done(); sure {
		t.Errorf("%+v is believed", counted)
	}
	if state := b.report("ada").State; state != quota.Dirty {
		t.Errorf("the home is %s", state)
	}
	count(time.Now().Add(time.Minute)).Done()
	b.exact("ada")
}

// TestNoInodesOfItsOwn: of a file system that has no number of inodes (Btrfs) a home has what its quota leaves.
func TestNoInodesOfItsOwn(t *testing.T) {
	var total, free, avail uint64
	quota.Narrow(&total, &free, &avail, 100, 10, 1000, 950)
	if total != 100 || free != 90 || avail != 50 {
		t.Errorf("of %d inodes %d are free and %d available", total, free, avail)
	}
}

// TestSyncFails: a file that could not be synced is looked at again, since what is not on the disk yet may still take something
// else; and it is not a reason to count its home.
func TestSyncFails(t *testing.T) {
	b := newBed(t)
	var failing atomic.Bool
	b.disk.Before = func(op disk.Op) error {
		if op == disk.OpSync && failing.Load() {
			return syscall.EIO
		}
		return nil
	}
	b.restart()
	home := b.home("ada")
	for i, want := range []vfs.Stability{vfs.Unstable, vfs.FileSync} {
		name := fmt.Sprint(i)
		f, _ := b.create(home, name)
		failing.Store(true)
		_, _, _, err := f.WriteAt(ctx, make([]byte, 10_000), 0, want)
		if err == nil {
			_, err = f.Commit(ctx)
		}
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("a sync that fails: %v", err)
		}
		b.must(f.Close())
		b.ledger.Sweep(ctx)
		b.ledger.Sweep(ctx)
		// The file system finds another place for it.
		behind, err := os.OpenFile(filepath.Join(b.path, hubName, "ada", name), os.O_RDWR, 0)
		b.must(err)
		b.must(unix.Fallocate(int(behind.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, 100_000))
		b.must(behind.Close())
		b.exact("ada")
		failing.Store(false)
	}
	if r := b.report("ada"); r.State != quota.Clean {
		t.Errorf("the home is %s", r.State)
	}
	if n := b.ledger.Remembered(); n > 0 {
		t.Errorf("%d files are remembered for ever", n)
	}
}
