// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// TestLedgerStays: what homes take is known after a clean stop without a look at any file in them.
func TestLedgerStays(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	for i := range 3 {
		home := mkdir(t, s, at(t, s, "prod"), fmt.Sprintf("user-%d", i))
		put(t, s, mkdir(t, s, home, "d"), "f", 10_000*i)
	}
	put(t, s, at(t, s, "prod"), "loose", 5000)
	exact(t, s, path)
	s.Close()

	var reads atomic.Int64
	s = serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir {
			reads.Add(1)
		}
		return nil
	}})
	before := reads.Load()
	s.Recount(ctx)
	if reads.Load() != before {
		t.Error("a clean home was walked")
	}
	exact(t, s, path)
	if report(t, s, "user-2").LastWrite.IsZero() {
		t.Error("the last write is forgotten")
	}
}

// TestAdopted: homes that come with a disk are served at once, and counted: with names of any bytes, hard links, holes, deep
// directories, and what no walk may follow.
func TestAdopted(t *testing.T) {
	path := t.TempDir()
	deep := filepath.Join(path, "prod", "ada", strings.Repeat("d/", 60))
	home := filepath.Join(path, "prod", "ada")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(deep, 0o700))
	must(os.WriteFile(filepath.Join(deep, "caf\xe9 \x01"), make([]byte, 9000), 0o600))
	must(os.Mkdir(filepath.Join(path, "prod", "gr\xfc\xdfe"), 0o755))
	must(os.WriteFile(filepath.Join(home, "a"), make([]byte, 100_000), 0o600))
	for i := range 50 {
		must(os.Link(filepath.Join(home, "a"), filepath.Join(home, "d", fmt.Sprint("link", i))))
	}
	must(os.Symlink("/", filepath.Join(home, "root")))
	must(os.Symlink("..", filepath.Join(home, "loop")))
	must(syscall.Mkfifo(filepath.Join(home, "pipe"), 0o600))
	must(os.Chown(home, 1000, 1000))
	must(os.WriteFile(filepath.Join(home, "sparse"), nil, 0o600))
	must(os.Truncate(filepath.Join(home, "sparse"), 1<<40))
	s := serving(t, path, nil)
	if r := report(t, s, "ada"); r.State != quota.Dirty {
		t.Errorf("before it is counted, the home is %s", r.State)
	}
	put(t, s, at(t, s, "prod", "ada"), "new", 5000)
	s.Recount(ctx)
	exact(t, s, path)
}

// TestCountWhileChanged counts a home again and again, from nothing, while it is changed in every way that there is.
func TestCountWhileChanged(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	dirs := populate(t, s, 20)
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	for round := range rounds {
		disturbed(s, dirs, 4, round, func() {
			for range 3 {
				s.Distrust("ada")
				s.Recount(ctx)
			}
		})
		s.Sweep()
		exact(t, s, path)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// populate makes the home ada with so many directories of files, and returns these.
func populate(t *testing.T, s *store.Store, n int) (dirs []vfs.Handle) {
	t.Helper()
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	for i := range n {
		dir := mkdir(t, s, home, fmt.Sprintf("d%d", i))
		dirs = append(dirs, dir)
		for j := range 20 {
			put(t, s, dir, fmt.Sprintf("f%d", j), 0)
		}
	}
	return dirs
}

// disturbed has a number of users disturb a home while something is done.
func disturbed(s *store.Store, dirs []vfs.Handle, users, round int, do func()) {
	stop, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i := range users {
		wg.Go(func() { disturb(stop, s.FS(), dirs, rand.New(rand.NewPCG(uint64(round), uint64(i)))) })
	}
	do()
	cancel()
	wg.Wait()
}

// disturb changes a home in every way that there is until ctx ends.
func disturb(ctx context.Context, fs vfs.FS, dirs []vfs.Handle, r *rand.Rand) {
	var open []vfs.File
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	made := 0
	background := context.Background()
	for ctx.Err() == nil {
		dir, to := dirs[r.IntN(len(dirs))], dirs[r.IntN(len(dirs))]
		name, other := fmt.Sprintf("f%d", r.IntN(30)), fmt.Sprintf("f%d", r.IntN(30))
		switch r.IntN(9) {
		case 0, 1:
			f, e, _, _, err := fs.Create(background, user, dir, name, vfs.Create{}, vfs.Write)
			if err != nil {
				continue
			}
			f.WriteAt(background, make([]byte, r.IntN(20_000)), uint64(r.IntN(20_000)), vfs.Unstable) //nolint:errcheck // it is checked what became of it
			if r.IntN(3) == 0 {
				fs.Link(background, user, e.Handle, to, other)
			}
			open = append(open, f)
		case 2, 3:
			fs.Remove(background, user, dir, name)
		case 4:
			fs.Rename(background, user, dir, name, to, other)
		case 5: // a tree, which is moved
			made++
			sub, _, err := fs.Mkdir(background, user, dir, fmt.Sprintf("s%d", r.IntN(10)), vfs.SetAttr{})
			if err != nil {
				continue
			}
			if f, _, _, _, err := fs.Create(background, user, sub.Handle, "in", vfs.Create{}, vfs.Write); err == nil {
				f.WriteAt(background, make([]byte, 5000), 0, vfs.Unstable) //nolint:errcheck // as above
				f.Close()
			}
		case 6:
			fs.Rename(background, user, dir, fmt.Sprintf("s%d", r.IntN(10)), to, fmt.Sprintf("s%d", r.IntN(10)))
		case 7:
			if sub, err := fs.Lookup(background, user, dir, fmt.Sprintf("s%d", r.IntN(10))); err == nil {
				fs.Remove(background, user, sub.Handle, "in")
				fs.Remove(background, user, dir, "s0")
			}
		default:
			if len(open) > 3 {
				open[0].Commit(background) //nolint:errcheck // as above
				open[0].Close()
				open = open[1:]
			}
		}
	}
}

// TestDamagedLedger: a ledger that is damaged or from a newer hubhome is refused, with what to do; rebuilding it counts all.
func TestDamagedLedger(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	put(t, s, mkdir(t, s, at(t, s, "prod"), "ada"), "f", 50_000)
	s.Close()
	file := filepath.Join(path, ".hubhome", "ledger", "ledger")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(strings.Replace(string(whole), `"inodes":2`, `"inodes":3`, 1))
	for name, text := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)-5], "cut in half": whole[:len(whole)/2], "without an end": whole[:len(whole)-1],
		"changed": flipped, "newer": []byte("{\"format\":2,\"generation\":1}\nanything"), "nonsense": []byte("\x00\x01"),
		"of one line": []byte("{\"format\":1,\"generation\":1}\n"),
	} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
		var damaged *store.LedgerError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "store check --rebuild") || !strings.Contains(err.Error(), ".hubhome/ledger/ledger") {
			t.Errorf("%s: the error is %v", name, err)
		}
		if now, _ := os.ReadFile(file); string(now) != string(text) {
			t.Errorf("%s: it was written over", name)
		}
	}
	s, err = store.Open(ctx, store.Options{Path: path, Logger: quiet, Rebuild: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	s.Recount(ctx)
	exact(t, s, path)
}

// TestClosedWithUnlinked: what is open and has no name when the server stops is gone then.
func TestClosedWithUnlinked(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	f, _, _, _, err := s.FS().Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := f.WriteAt(ctx, make([]byte, 1<<20), 0, vfs.FileSync); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.FS().Remove(ctx, user, home, "f"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close() // as the end of the process does
	s = serving(t, path, nil)
	s.Recount(ctx)
	exact(t, s, path)
}

// TestRebuildInterrupted interrupts a rebuild after the first home: the next start counts the others, and the ledger is right.
func TestRebuildInterrupted(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	for _, name := range []string{"ada", "bob", "eve"} {
		put(t, s, mkdir(t, s, at(t, s, "prod"), name), "f", 1<<20)
	}
	want := s.Report().Hubs[0].Used
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Rebuild: true})
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	n := 0
	err = s.Check(stopped, prod, true, func(store.Checked) {
		if n++; n == 2 {
			stop()
		}
	}, func(store.CheckProgress) {})
	if !errors.Is(err, context.Canceled) || n != 2 {
		t.Errorf("%d are counted: %v", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = serving(t, path, nil)
	states := map[quota.State]int{}
	for _, h := range s.Report().Hubs[0].Homes {
		states[h.State]++
	}
	if states[quota.Dirty] == 0 {
		t.Errorf("none is to be counted: %v", states)
	}
	s.Recount(ctx)
	if hub := s.Report().Hubs[0]; hub.Used != want || hub.OwnState != quota.Clean {
		t.Errorf("the hub takes %+v, and not %+v", hub.Used, want)
	}
}
