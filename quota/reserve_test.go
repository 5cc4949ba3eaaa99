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
