// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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

// TestReserve: past the quota small files can still be written, until the reserve is spent; when there is room again, so is the
// reserve.
func TestReserve(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.MiB)})
	b.ledger.SetReserve(hubhome.Reserve{Bytes: 4 * hubhome.MiB, File: 256 * hubhome.KiB, Inodes: 20})
	home := b.home("ada")
	big, _ := b.create(home, "big")
	refused(t, "a large file", write(big, 0, 4<<20))
	save := func(name string) error {
		f, _, _, _, err := b.fs.Create(ctx, user, home, name, vfs.Create{}, vfs.Write)
		if err != nil {
			return err
		}
		return errors.Join(write(f, 0, 200_000), f.Close())
	}
	works(t, "a small file", save("a"))
	works(t, "another", save("b"))
	if past := b.report("ada").Past; past.Bytes < 400_000 || past.Bytes > 450_000 {
		t.Errorf("%+v is from the reserve", past)
	}
	refused(t, "making a small file large", func() error {
		f, _ := b.create(home, "a")
		defer f.Close()
		return write(f, 200_000, 100_000)
	}())
	refused(t, "more than a part of the reserve", func() (err error) {
		for i := 0; err == nil && i < 10; i++ {
			err = save(fmt.Sprint("c", i))
		}
		return err
	}())
	if used := b.report("ada").Used; used.Bytes > 2<<20 {
		t.Errorf("with the reserve the home takes %d bytes", used.Bytes)
	}
	// The user makes room, and is back.
	_, _, err := b.fs.Remove(ctx, user, home, "big")
	works(t, "Remove", err)
	works(t, "Close", big.Close())
	if past := b.report("ada").Past; past.Bytes > 0 {
		t.Errorf("with room again, %+v is from the reserve", past)
	}
	works(t, "a small file", save("d"))
}

// TestReserveBelowUse: who is far over a quota that was made smaller has the whole reserve.
func TestReserveBelowUse(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.GiB)})
	b.ledger.SetReserve(hubhome.DefaultReserve)
	home := b.home("ada")
	f, _ := b.create(home, "f")
	defer f.Close()
	works(t, "a write", write(f, 0, 40<<20))
	b.ledger.SetOverride(hubName, "ada", bytes(hubhome.MiB))
	refused(t, "a write to a large file", write(f, 40<<20, 1<<20))
	g, _ := b.create(home, "g")
	defer g.Close()
	works(t, "a small file", write(g, 0, 500_000))
	if past := b.report("ada").Past; past.Bytes < 500_000 || past.Bytes > 600_000 {
		t.Errorf("%+v is from the reserve", past)
	}
}

// TestReserveLasts: of who is over a quota that was made smaller, too, the reserve has what is removed again: Jupyter makes a
// file and removes it whenever a notebook is saved.
func TestReserveLasts(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.GiB)})
	b.ledger.SetReserve(hubhome.Reserve{Bytes: 2 * hubhome.MiB, File: hubhome.MiB, Inodes: 5})
	home := b.home("ada")
	f, _ := b.create(home, "f")
	defer f.Close()
	works(t, "a write", write(f, 0, 8<<20))
	b.ledger.SetOverride(hubName, "ada", hubhome.Quota{Bytes: hubhome.MiB, Inodes: 1})
	for i := range 20 {
		g, _ := b.create(home, "notebook")
		works(t, fmt.Sprintf("save %d", i), write(g, 0, 500_000))
		works(t, "Close", g.Close())
		_, _, err := b.fs.Remove(ctx, user, home, "notebook")
		works(t, "Remove", err)
	}
	if past := b.report("ada").Past; past != (quota.Usage{}) {
		t.Errorf("%+v is from the reserve when all that was made is removed", past)
	}
}

// minute lets a minute go by.
func (b *bed) minute() {
	for range quota.RestSweeps / 10 {
		b.ledger.Sweep(ctx)
	}
}

// fill makes files of a size, which are written in pieces, until one is refused.
func (b *bed) fill(home vfs.Handle, name string, size, piece int) (made int) {
	b.Helper()
	for ; ; made++ {
		f, _, _, _, err := b.fs.Create(ctx, user, home, fmt.Sprint(name, made), vfs.Create{}, vfs.Write)
		for off := 0; err == nil && off < size; off += piece {
			_, _, _, err = f.WriteAt(ctx, make([]byte, min(piece, size-off)), uint64(off), vfs.Unstable)
		}
		if f != nil {
			works(b, "Close", f.Close())
		}
		if err != nil {
			refused(b, "a file more", err)
			return made
		}
	}
}

// TestReserveInParts: who goes on making small files at the quota has not all of the reserve at once, and never more than it.
func TestReserveInParts(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: hubhome.Quota{Bytes: hubhome.MiB, Inodes: 1}})
	const all = 1280
	b.ledger.SetReserve(hubhome.Reserve{Bytes: 32 * hubhome.MiB, File: hubhome.MiB, Inodes: all})
	home := b.home("ada")
	if made := b.fill(home, "install", 0, 1); made != all/16 {
		t.Errorf("%d files are made at once", made)
	}
	b.minute()
	_, _, err := b.fs.Mkdir(ctx, user, home, "runtime", vfs.SetAttr{})
	works(t, "a directory a minute later", err)
	if made := b.fill(home, "again", 0, 1); made != (all-all/16)/16-1 {
		t.Errorf("%d files are made a minute later", made)
	}
	for i := range 30 {
		b.minute()
		b.fill(home, fmt.Sprint("more", i, "-"), 0, 1)
	}
	if used := b.report("ada").Used; used.Inodes != 1+all {
		t.Errorf("in the end there are %d inodes", used.Inodes)
	}
	// Of the bytes a part is a quarter.
	home = b.home("bob")
	b.ledger.SetOverride(hubName, "bob", hubhome.Quota{Bytes: 4096, Inodes: hubhome.UnlimitedInodes})
	const size = 1000 << 10
	if made := b.fill(home, "large", size, size); made != 8 {
		t.Errorf("%d files of almost 1 MiB are made at once", made)
	}
	b.minute()
	if made := b.fill(home, "larger", size, size); made != 6 {
		t.Errorf("%d files of almost 1 MiB are made a minute later", made)
	}
}

// TestReserveOutlasts: who fills the reserve with data for hours can still start Jupyter, which writes little.
func TestReserveOutlasts(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(64 * hubhome.KiB)})
	b.ledger.SetReserve(hubhome.DefaultReserve)
	home := b.home("ada")
	for i := range 120 {
		b.fill(home, fmt.Sprint("data", i, "-"), 5<<20, 1<<20) // as clients write
		b.minute()
	}
	past := b.report("ada").Past
	if past.Bytes < int64(hubhome.DefaultReserve.Bytes)/2 {
		t.Errorf("only %+v of the reserve were taken", past)
	}
	for i := range 30 {
		f, _ := b.create(home, fmt.Sprint("kernel", i, ".json"))
		works(t, "a small file", write(f, 0, 8<<10))
		works(t, "Close", f.Close())
	}
	f, _ := b.create(home, "nbsignatures.db")
	works(t, "a database", write(f, 0, 200<<10))
	works(t, "Close", f.Close())
}

// TestReserveForNotebooks: a notebook with pictures is saved at the quota, again and again, as Jupyter does it: the old one is
// copied, the new one written in its place, the copy removed; then a checkpoint is made, a second copy.
func TestReserveForNotebooks(t *testing.T) {
	const size = 20 << 20
	b := limited(t, hubhome.Quotas{Home: bytes(size + 40*hubhome.MiB)})
	b.ledger.SetReserve(hubhome.DefaultReserve)
	home := b.home("ada")
	put := func(name string, size int) {
		t.Helper()
		f, _, _, _, err := b.fs.Create(ctx, user, home, name, vfs.Create{Attr: vfs.SetAttr{Size: new(uint64)}}, vfs.Write)
		b.must(err)
		works(t, "write "+name, write(f, 0, size))
		_, err = f.Commit(ctx)
		works(t, "sync "+name, err)
		works(t, "Close", f.Close())
	}
	put("thesis.ipynb", size)
	data, _ := b.create(home, "data")
	defer data.Close()
	refused(t, "more data than there is room for", write(data, 0, 400<<20))
	if past := b.report("ada").Past; past != (quota.Usage{}) {
		t.Errorf("%+v of the reserve went to data", past)
	}
	for i := range 10 {
		b.minute()
		put(".~thesis.ipynb", size+i<<16)
		put("thesis.ipynb", size+(i+1)<<16)
		_, _, err := b.fs.Remove(ctx, user, home, ".~thesis.ipynb")
		works(t, "Remove", err)
		put("thesis-checkpoint.ipynb", size+(i+1)<<16)
	}
	if past := b.report("ada").Past.Bytes; past < size || past > size+2<<20 {
		t.Errorf("after ten saves %d bytes of the reserve are in use, for one checkpoint of %d", past, size)
	}
	b.exact("ada")
}

// TestReserveOfLongFile: a file that is longer than those the reserve is for grows a little all the same, as a database has to;
// once, however much of it is written at one time.
func TestReserveOfLongFile(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(4 * hubhome.MiB)})
	b.ledger.SetReserve(hubhome.Reserve{Bytes: 64 * hubhome.MiB, File: hubhome.MiB, Inodes: 20})
	home := b.home("ada")
	f, _ := b.create(home, "history.sqlite")
	defer f.Close()
	works(t, "a write", write(f, 0, 2<<20))
	big, _ := b.create(home, "big")
	defer big.Close()
	refused(t, "what is copied", write(big, 0, 8<<20))
	if past := b.report("ada").Past; past.Bytes > 0 {
		t.Errorf("what is copied took %+v from the reserve", past)
	}
	works(t, "a page more", write(f, 2<<20, 4096))
	var grown atomic.Int64
	var writing sync.WaitGroup
	for i := range 16 {
		writing.Go(func() {
			n, _, _, err := f.WriteAt(ctx, make([]byte, 64<<10), uint64(2<<20+4096+i*64<<10), vfs.Unstable)
			if err != nil && !errors.Is(err, syscall.EDQUOT) {
				t.Error(err)
			}
			grown.Add(int64(n))
		})
	}
	writing.Wait()
	if n := grown.Load(); n == 0 || n > 256<<10-4096 {
		t.Errorf("it grew by %d bytes more", n)
	}
	works(t, "Truncate", f.Truncate(ctx, 2<<20))
	works(t, "a page more when it is as long as before", write(f, 2<<20, 4096))
	b.exact("ada")
}

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

// TestReserveShared: what is written from the reserve is counted, whichever operation is the first to see that the file has
// grown.
func TestReserveShared(t *testing.T) {
	b := newBed(t)
	h := b.hook()
	b.ledger.SetReserve(hubhome.Reserve{Bytes: 4 * hubhome.MiB, File: hubhome.MiB, Inodes: 100})
	home := b.home("ada")
	b.ledger.SetOverride(hubName, "ada", bytes(64*hubhome.KiB))
	f, e := b.create(home, "f")
	works(t, "Close", f.Close())
	open := func() vfs.File {
		f, err := b.fs.Open(ctx, user, e.Handle, vfs.Write)
		b.must(err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	one, two := open(), open()
	h.wrote = func() {
		_, err := two.Commit(ctx)
		works(t, "Commit", err)
	}
	works(t, "a write from the reserve", write(one, 0, 500_000))
	if past := b.report("ada").Past; past.Bytes < 400_000 {
		t.Errorf("%+v is from the reserve", past)
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
