// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// looks counts the looks at files, and has them fail where broken is set.
type looks struct {
	n      atomic.Int64
	broken atomic.Bool
}

// watched is a bed whose looks are counted.
func watched(t testing.TB) (*bed, *looks) {
	b, l := newBed(t), &looks{}
	b.disk.Before = func(op disk.Op) error {
		if op != disk.OpStat {
			return nil
		}
		l.n.Add(1)
		if l.broken.Load() {
			return syscall.EIO
		}
		return nil
	}
	b.restart()
	return b, l
}

// of is how many looks something takes.
func (l *looks) of(do func()) int64 {
	before := l.n.Load()
	do()
	return l.n.Load() - before
}

// small makes n small writes, one after the other.
func small(t testing.TB, f vfs.File, n int) {
	t.Helper()
	for i := range n {
		if err := write(f, i*4096, 4096); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLooks: there is no look for each of many small writes.
func TestLooks(t *testing.T) {
	b, looks := watched(t)
	f, e := b.create(b.home("ada"), "f")
	defer f.Close()
	uncharged, err := b.inner.Open(ctx, user, e.Handle, vfs.Write)
	b.must(err)
	defer uncharged.Close()
	const writes = 1000
	own := looks.of(func() { small(t, uncharged, writes) }) // where the kernel's time stamps are coarse
	if extra := looks.of(func() { small(t, f, writes) }) - own; extra > writes/50 {
		t.Errorf("%d writes take %d looks", writes, extra)
	}
	b.exact("ada")
}

// TestAsked: whoever can see what a home takes sees all that was written before.
func TestAsked(t *testing.T) {
	b := limited(t, hubhome.Quotas{Total: bytes(hubhome.GiB), Home: bytes(100 * hubhome.MiB)})
	home := b.home("ada")
	f, _ := b.create(home, "f")
	defer f.Close()
	df := func(h vfs.Handle) quota.Usage {
		st, err := b.fs.StatFS(ctx, h)
		b.must(err)
		return quota.Usage{Bytes: int64(st.TotalBytes - st.FreeBytes)}
	}
	size := 0
	for _, ask := range []struct {
		who string
		of  func() quota.Usage
	}{
		{"Report", func() quota.Usage { return b.report("ada").Used }},
		{"Report of the hub", func() quota.Usage {
			hub := b.ledger.Report().Hubs[0]
			return quota.Usage{Bytes: hub.Used.Bytes - hub.Own.Bytes}
		}},
		{"Home", func() quota.Usage {
			home, _, err := b.ledger.Home(hubName, "ada")
			b.must(err)
			return home.Used
		}},
		{"df of the home", func() quota.Usage { return df(home) }},
		{"df of the hub", func() quota.Usage {
			used := df(b.hub())
			return quota.Usage{Bytes: used.Bytes - b.ledger.Report().Hubs[0].Own.Bytes}
		}},
		{"Snapshot", func() quota.Usage {
			records, _ := b.ledger.Snapshot(0, false)
			for _, r := range records {
				if r.Home != r.Hub {
					return r.Used
				}
			}
			return quota.Usage{}
		}},
	} {
		for range 10 {
			b.must(write(f, size, 5000))
			size += 5000
		}
		got, want := ask.of().Bytes, onDisk(t, filepath.Join(b.path, hubName, "ada"), busy).Bytes
		if got != want {
			t.Errorf("%s: %d bytes, on the disk they are %d", ask.who, got, want)
		}
	}
}

// TestDebtAtQuota: what is held for writes that were not looked at keeps nobody from what the quota has room for, in their
// home or in another one of the hub.
func TestDebtAtQuota(t *testing.T) {
	const limit = 4 << 20
	for _, quotas := range []hubhome.Quotas{{Home: bytes(limit)}, {Total: bytes(limit), Home: bytes(hubhome.GiB)}} {
		b := limited(t, quotas)
		var files []vfs.File
		for _, name := range []string{"ada", "bob"} {
			home := b.home(name)
			for i := range 4 {
				f, _ := b.create(home, fmt.Sprint(i))
				defer f.Close()
				files = append(files, f)
			}
		}
		used := func() int64 {
			if report := b.ledger.Report().Hubs[0]; quotas.Total.Bytes == 0 {
				return report.Homes[0].Used.Bytes
			} else {
				return report.Used.Bytes
			}
		}
		// Each of them has 60 blocks held, and takes one.
		borrow := func() {
			for range 60 {
				for _, f := range files {
					works(t, "a write of one block", write(f, 0, 4096))
				}
			}
		}
		borrow()
		room := limit - used()
		borrow()
		n, _, _, err := files[0].WriteAt(ctx, make([]byte, room), 4096, vfs.Unstable)
		if b.must(err); int64(n) < room-64<<10 { // less is what the file system takes for maps, or in advance
			t.Errorf("of %d bytes that there is room for %d were written", room, n)
		}
		if now := used(); now > limit+64<<10 {
			t.Errorf("%d bytes are used, of %d", now, limit)
		}
	}
}

// TestDebtMeanwhile: who asks for all that there is room for gets it, while another writes what is there again and again.
func TestDebtMeanwhile(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.MiB)})
	home := b.home("ada")
	f, _ := b.create(home, "f")
	defer f.Close()
	g, _ := b.create(home, "g")
	defer g.Close()
	b.must(write(f, 0, 4096))
	room := 1<<20 - uint64(b.report("ada").Used.Bytes) - 2*4096 // what the other one's write is let in with while it runs
	var writing sync.WaitGroup
	done := make(chan struct{})
	writing.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				works(t, "a write over what is there", write(f, 0, 4096))
			}
		}
	})
	for range 300 {
		works(t, "Allocate", g.Allocate(ctx, 0, room))
		works(t, "Truncate", g.Truncate(ctx, 0))
	}
	close(done)
	writing.Wait()
}

// TestHeldOrUsed: what an operation has taken is not held too while it ends, which would be twice what there is room for: in the
// same home, or in another one of the hub.
func TestHeldOrUsed(t *testing.T) {
	rounds := 50_000
	if testing.Short() {
		rounds = 5_000
	}
	const need, users = 4096, 4
	for _, homes := range [][]string{{"ada"}, {"ada", "bob"}} {
		b := limited(t, hubhome.Quotas{})
		var at []vfs.Handle
		for _, name := range homes {
			at = append(at, b.home(name))
		}
		var files []vfs.File
		for i := range users {
			f, _ := b.create(at[i%len(at)], fmt.Sprint(i))
			defer f.Close()
			files = append(files, f)
		}
		if b.quotas.Home = bytes(hubhome.Bytes(b.report("ada").Used.Bytes + users*need)); len(homes) > 1 {
			b.quotas = hubhome.Quotas{Total: bytes(hubhome.Bytes(b.ledger.Report().Hubs[0].Used.Bytes + users*need))}
		}
		b.setHubs()
		var writing sync.WaitGroup
		for _, f := range files {
			writing.Go(func() {
				for range rounds {
					works(t, "Allocate", f.Allocate(ctx, 0, need))
					works(t, "Truncate", f.Truncate(ctx, 0))
				}
			})
		}
		writing.Wait()
	}
}

// TestQuotaLoweredInDebt: what was written within the quota is not from the reserve when the quota is lowered.
func TestQuotaLoweredInDebt(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.GiB)})
	b.ledger.SetReserve(hubhome.DefaultReserve)
	f, _ := b.create(b.home("ada"), "f")
	defer f.Close()
	small(t, f, 50)
	b.ledger.SetOverride(hubName, "ada", bytes(4096))
	if past := b.report("ada").Past; past.Bytes != 0 {
		t.Errorf("%+v is from the reserve", past)
	}
	small(t, f, 100)
	b.ledger.SetOverride(hubName, "ada", hubhome.Quota{})
	small(t, f, 150)
	b.quotas.Home = bytes(4096)
	b.setHubs()
	if past := b.report("ada").Past; past.Bytes != 0 {
		t.Errorf("with another configuration %+v is from the reserve", past)
	}
}

// TestDebtNotPaid: where the look that is owed fails, the home is counted, and nothing stays held.
func TestDebtNotPaid(t *testing.T) {
	b, looks := watched(t)
	f, _ := b.create(b.home("ada"), "f")
	small(t, f, 50)
	looks.broken.Store(true)
	works(t, "Close", f.Close())
	if state := b.report("ada").State; state != quota.Dirty {
		t.Errorf("the home is %s, and nobody knows what it takes", state)
	}
	if held := b.ledger.Held(); held != (quota.Usage{}) {
		t.Errorf("%+v is held", held)
	}
}

// TestDebtOfMany: files are written, synced, removed and closed by some while others ask what the home takes.
func TestDebtOfMany(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	b := limited(t, hubhome.Quotas{Total: bytes(12 * hubhome.MiB), Home: bytes(8 * hubhome.MiB)})
	home := b.home("ada")
	var users, askers sync.WaitGroup
	done := make(chan struct{})
	for _, ask := range []func(){
		func() { b.report("ada") },
		func() { b.fs.StatFS(ctx, home) }, //nolint:errcheck // only that it asks matters
		func() { b.ledger.Sweep(ctx) },
	} {
		askers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					ask()
				}
			}
		})
	}
	for i := range 4 {
		users.Go(func() {
			name := fmt.Sprint(i / 2) // two have each file open
			for range rounds {
				f, _, _, _, err := b.fs.Create(ctx, user, home, name, vfs.Create{}, vfs.Write)
				if errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.ESTALE) || errors.Is(err, syscall.ENOENT) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				for j := range 70 {
					if err := write(f, (j*3+i)*4096, 4096); err != nil && !errors.Is(err, syscall.EDQUOT) {
						t.Error(err)
					}
				}
				if i%2 == 0 {
					b.fs.Remove(ctx, user, home, name) //nolint:errcheck // somebody else may have
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	users.Wait()
	close(done)
	askers.Wait()
	b.exact("ada")
	if r := b.report("ada"); r.State != quota.Clean {
		t.Errorf("the home is %s", r.State)
	}
	if held := b.ledger.Held(); held != (quota.Usage{}) {
		t.Errorf("%+v is held when nobody does anything", held)
	}
}

// TestQuotaRaisedAndLowered: what is from the reserve is the quota's when that is raised, and stays so.
func TestQuotaRaisedAndLowered(t *testing.T) {
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.MiB)})
	b.ledger.SetReserve(hubhome.DefaultReserve)
	home := b.home("ada")
	f, _ := b.create(home, "f")
	b.must(write(f, 0, 1<<20-64<<10))
	g, _ := b.create(home, "g")
	small(t, g, 32)
	b.must(errors.Join(f.Close(), g.Close()))
	if past := b.report("ada").Past; past.Bytes == 0 {
		t.Fatalf("nothing is from the reserve")
	}
	b.ledger.SetOverride(hubName, "ada", bytes(hubhome.GiB))
	b.ledger.SetOverride(hubName, "ada", hubhome.Quota{})
	if past := b.report("ada").Past; past.Bytes != 0 {
		t.Errorf("%+v is from the reserve", past)
	}
}

// TestReserveStays: what a home has of the reserve since its hub's quota is spent, it has after a restart.
func TestReserveStays(t *testing.T) {
	b := limited(t, hubhome.Quotas{Total: bytes(hubhome.MiB)})
	b.ledger.SetReserve(hubhome.DefaultReserve)
	var files []vfs.File
	for _, name := range []string{"ada", "bob", "eve"} {
		home := b.home(name)
		f, _ := b.create(home, "f")
		b.must(write(f, 0, 330<<10))
		g, _ := b.create(home, "g")
		files = append(files, f, g)
	}
	for i := 1; i < len(files); i += 2 {
		small(t, files[i], 32)
	}
	for _, f := range files {
		b.must(f.Close())
	}
	b.rest()
	past := func() (all []int64) {
		for _, h := range b.ledger.Report().Hubs[0].Homes {
			all = append(all, h.Past.Bytes)
		}
		return all
	}
	before := past()
	records, resting := b.ledger.Snapshot(1, true)
	b.ledger = quota.New(b.inner, b.keeper)
	b.ledger.Load(1, records)
	b.setHubs()
	b.ledger.Resume(resting)
	b.setHubs()
	if after := past(); slices.Max(before) == 0 || !slices.Equal(before, after) {
		t.Errorf("after a restart the homes have %d from the reserve, before they had %d", after, before)
	}
}

// TestQuotaLoweredMeanwhile: nor is what is being written within the quota when that is lowered, but for the one write that was let
// in before and ends after.
func TestQuotaLoweredMeanwhile(t *testing.T) {
	rounds := 50_000
	if testing.Short() {
		rounds = 3000
	}
	const request = 4096
	b := limited(t, hubhome.Quotas{Home: bytes(hubhome.GiB)})
	b.ledger.SetReserve(hubhome.Reserve{Bytes: hubhome.GiB}) // of which nothing is for files
	f, _ := b.create(b.home("ada"), "f")
	defer f.Close()
	var writing sync.WaitGroup
	done := make(chan struct{})
	writing.Go(func() {
		for at := 0; ; at++ {
			select {
			case <-done:
				return
			default:
			}
			if at%1000 == 0 {
				works(t, "Truncate", f.Truncate(ctx, 0))
			}
			if err := write(f, at%1000*request, request); err != nil && !errors.Is(err, syscall.EDQUOT) {
				t.Errorf("write: %v", err)
			}
		}
	})
	for range rounds {
		b.ledger.SetOverride(hubName, "ada", bytes(4096))
		past := b.report("ada").Past
		b.ledger.SetOverride(hubName, "ada", hubhome.Quota{})
		if past.Bytes > 2*request { // and the map of where its data is
			t.Errorf("%d bytes are from the reserve", past.Bytes)
		}
	}
	close(done)
	writing.Wait()
}
