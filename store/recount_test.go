// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
)

// pause stops what reads directories, from when it is armed until it is let go on.
type pause struct {
	mu      sync.Mutex
	cond    *sync.Cond
	armed   bool
	steps   int
	stopped int
}

func newPause() *pause {
	p := &pause{}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *pause) before(op disk.Op) error {
	if op != disk.OpReadDir {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.armed {
		p.stopped++
		for at := p.steps; p.armed && p.steps == at; {
			p.cond.Wait()
		}
		p.stopped--
	}
	return nil
}

func (p *pause) arm(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = on
	p.cond.Broadcast()
}

// step lets those go on that are stopped now, until they read again.
func (p *pause) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.steps++
	p.cond.Broadcast()
}

// reading is how many directories are being read.
func (p *pause) reading() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// grow fills a home on the disk with directories of files, which belong to its user.
func grow(t testing.TB, home string, dirs, files int) {
	t.Helper()
	for i := range dirs {
		dir := filepath.Join(home, fmt.Sprint("d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for j := range files {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("f", j)), make([]byte, 5000), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chown(home, 1000, 1000); err != nil {
		t.Fatal(err)
	}
}

// TestRecountTogether: a count reads several directories of one home at a time, and not more than its bound, says how far it
// is, and holds up nobody who uses the home.
func TestRecountTogether(t *testing.T) {
	path, p := t.TempDir(), newPause()
	grow(t, filepath.Join(path, "prod", "ada"), 50, 20)
	s := serving(t, path, &disk.Disk{Before: p.before})
	if now := s.Progress(); now != (store.Progress{}) {
		t.Errorf("before it begins, it says %+v", now)
	}
	home := at(t, s, "prod", "ada")
	p.arm(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Recount(ctx)
	}()
	release := func() { p.arm(false); <-done }
	defer release()
	// One after the other they come to the home's own directory, and then to those in it.
	eventually(t, "a directory is read", func() bool { return p.reading() > 0 })
	most := 0
	eventually(t, "several are read together", func() bool {
		if n := p.reading(); n > most {
			most = n
		}
		if most < 2 {
			p.step()
		}
		return most >= 2
	})
	put(t, s, home, "meanwhile", 10_000)
	eventually(t, "it says how far it is", func() bool {
		now := s.Progress()
		return now.Homes > 0 && now.Counted < now.Homes && now.Inodes > 20 && !now.Since.IsZero()
	})
	if n := p.reading(); n > 8 {
		t.Errorf("%d directories are read together", n)
	}
	release()
	if now := s.Progress(); now != (store.Progress{}) {
		t.Errorf("when it is over, it says %+v", now)
	}
	s.Sweep()
	exact(t, s, path)
}

// TestMovedInCount: a home that is renamed, removed or replaced on the disk in the middle of its count costs nobody anything:
// what is known in the end is what is there.
func TestMovedInCount(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for name, do := range map[string]func(home string) error{
		"renamed": func(home string) error { return os.Rename(home, home+"2") },
		"removed": os.RemoveAll,
		"replaced": func(home string) error {
			return errors.Join(os.Rename(home, home+"2"), os.Mkdir(home, 0o755), os.WriteFile(filepath.Join(home, "other"), make([]byte, 9000), 0o644))
		},
		"made anew": func(home string) error {
			return errors.Join(os.RemoveAll(home), os.Mkdir(home, 0o755), os.WriteFile(filepath.Join(home, "other"), make([]byte, 9000), 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, p := t.TempDir(), newPause()
			home := filepath.Join(path, "prod", "ada")
			grow(t, home, 20, 5)
			s := serving(t, path, &disk.Disk{Before: p.before})
			for _, h := range []string{"_shared", ""} { // so that the home is what is counted
				s.Distrust(h)
			}
			p.arm(true)
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.Recount(ctx)
			}()
			reads := 0
			for reads < 10 { // somewhere in the middle
				eventually(t, "a directory is read", func() bool { return p.reading() > 0 })
				reads += p.reading()
				p.step()
			}
			if err := do(home); err != nil {
				t.Fatal(err)
			}
			p.arm(false)
			<-done
			eventually(t, "all homes are known", func() bool {
				if err := s.SetHubs(ctx, prod); err != nil {
					t.Fatal(err)
				}
				s.Recount(ctx)
				for _, h := range s.Report().Hubs[0].Homes {
					if h.State != quota.Clean {
						return false
					}
				}
				return true
			})
			exact(t, s, path) // which looks at what the ledger has
			entries, err := os.ReadDir(filepath.Join(path, "prod"))
			if err != nil {
				t.Fatal(err)
			}
			if homes := s.Report().Hubs[0].Homes; len(homes) != len(entries) {
				t.Errorf("%d homes are known of %d", len(homes), len(entries))
			}
		})
	}
}

// TestQuotaWithoutWalk: setting a quota looks at nothing in the home, however much that is.
func TestQuotaWithoutWalk(t *testing.T) {
	path := t.TempDir()
	grow(t, filepath.Join(path, "prod", "ada"), 20, 20)
	var calls sync.Map
	count := func(op disk.Op) int64 {
		n, _ := calls.LoadOrStore(op, new(atomic.Int64))
		return n.(*atomic.Int64).Load()
	}
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		n, _ := calls.LoadOrStore(op, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		return nil
	}})
	s.Recount(ctx)
	looks := []disk.Op{disk.OpReadDir, disk.OpStat, disk.OpOpenHandle, disk.OpOpen}
	before := map[disk.Op]int64{}
	for _, op := range looks {
		before[op] = count(op)
	}
	if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: hubhome.GiB}}}); err != nil {
		t.Fatal(err)
	}
	for _, op := range looks {
		if n := count(op) - before[op]; n > 4 {
			t.Errorf("%s was called %d times", op, n)
		}
	}
}
