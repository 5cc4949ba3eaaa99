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
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

var prod = []store.Hub{{Name: "prod", Owner: jovyan, Mode: 0o755, Shared: true}}

// serving opens a store with the hub prod.
func serving(t testing.TB, path string, d *disk.Disk) *store.Store {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Disk: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	return s
}

// at finds a path of names.
func at(t testing.TB, s *store.Store, names ...string) vfs.Handle {
	t.Helper()
	h, err := s.FS().Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		e, err := s.FS().Lookup(ctx, nil, h, name)
		if err != nil {
			t.Fatalf("find %q: %v", name, err)
		}
		h = e.Handle
	}
	return h
}

func mkdir(t testing.TB, s *store.Store, dir vfs.Handle, name string) vfs.Handle {
	t.Helper()
	e, _, err := s.FS().Mkdir(ctx, user, dir, name, vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Handle
}

// put writes a file, synced.
func put(t testing.TB, s *store.Store, dir vfs.Handle, name string, size int) {
	t.Helper()
	f, _, _, _, err := s.FS().Create(ctx, user, dir, name, vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if size == 0 {
		return
	}
	if n, _, _, err := f.WriteAt(ctx, make([]byte, size), 0, vfs.FileSync); n != size || err != nil {
		t.Fatalf("write %s: %d bytes, %v", name, n, err)
	}
}

// report is what the ledger says of a home.
func report(t testing.TB, s *store.Store, name string) quota.HomeReport {
	t.Helper()
	for _, h := range s.Report().Hubs[0].Homes {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("the ledger has no home %q", name)
	return quota.HomeReport{}
}

// du is what a directory takes, every inode once.
func du(t testing.TB, path string) (u quota.Usage) {
	t.Helper()
	seen := map[uint64]bool{}
	err := filepath.WalkDir(path, func(p string, _ os.DirEntry, err error) error {
		var st unix.Stat_t
		if err != nil || unix.Lstat(p, &st) != nil {
			return errors.Join(err, unix.Lstat(p, &st))
		}
		if !seen[st.Ino] {
			seen[st.Ino] = true
			u.Bytes, u.Inodes = u.Bytes+st.Blocks*512, u.Inodes+1
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// exact fails the test where the ledger does not say what the disk does, of any home.
func exact(t testing.TB, s *store.Store, path string) {
	t.Helper()
	hub := s.Report().Hubs[0]
	sum := hub.Own
	for _, h := range hub.Homes {
		want := du(t, filepath.Join(path, "prod", h.Name))
		if h.Used != want || h.State != quota.Clean {
			t.Errorf("the ledger says %+v of %q, which is %s; the disk says %+v", h.Used, h.Name, h.State, want)
		}
		sum.Bytes, sum.Inodes = sum.Bytes+h.Used.Bytes, sum.Inodes+h.Used.Inodes
	}
	if want := du(t, filepath.Join(path, "prod")); hub.Used != want || sum != want {
		t.Errorf("the ledger says %+v of the hub, the sum of its homes is %+v; the disk says %+v", hub.Used, sum, want)
	}
}

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

// TestOutside: a home that somebody makes on the disk while the server runs is found when it is used, and one that goes is
// not listed for ever.
func TestOutside(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	home := filepath.Join(path, "prod", "late")
	for _, err := range []error{os.Mkdir(home, 0o755), os.Chown(home, 1000, 1000), os.WriteFile(filepath.Join(home, "f"), make([]byte, 5000), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, at(t, s, "prod", "late"), "g", 5000)
	report(t, s, "late") // from its first use on
	s.Recount(ctx)
	exact(t, s, path)
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	exact(t, s, path)
}

// TestMovedWhileOpen: a home that somebody moves on the disk, to another hub or out of its own and back, while a file in it is open
// is not said to be known before that is closed.
func TestMovedWhileOpen(t *testing.T) {
	for _, hub := range []string{"prod", "test"} {
		t.Run(hub, func(t *testing.T) {
			path := t.TempDir()
			s := serving(t, path, nil)
			hubs := append([]store.Hub{{Name: "test", Owner: jovyan, Mode: 0o755}}, prod...)
			list := func() {
				t.Helper()
				if err := s.SetHubs(ctx, hubs); err != nil {
					t.Fatal(err)
				}
			}
			list()
			s.Recount(ctx)
			home := mkdir(t, s, at(t, s, "prod"), "ada")
			f, _, _, _, err := s.FS().Create(ctx, user, home, "f", vfs.Create{}, vfs.Read|vfs.Write)
			if err != nil {
				t.Fatal(err)
			}
			write := func(off uint64) {
				t.Helper()
				if _, _, _, err := f.WriteAt(ctx, make([]byte, 100_000), off, vfs.FileSync); err != nil {
					t.Fatal(err)
				}
			}
			write(0)
			from, away, to := filepath.Join(path, "prod", "ada"), filepath.Join(path, "ada"), filepath.Join(path, hub, "ada")
			for _, move := range [][2]string{{from, away}, {away, to}} {
				if err := os.Rename(move[0], move[1]); err != nil {
					t.Fatal(err)
				}
				list()
			}
			write(100_000)
			s.Recount(ctx)
			write(200_000)
			ada := func() quota.HomeReport {
				t.Helper()
				r, there, err := s.Home(hubhome.HubName(hub), "ada")
				if err != nil || !there {
					t.Fatalf("the home is there: %v, %v", there, err)
				}
				return r
			}
			if r := ada(); r.State != quota.Dirty || r.Used.Inodes != 2 || r.Used.Bytes < 200_000 {
				t.Errorf("while the file is open it is told: %+v", r)
			}
			f.Close()
			s.Sweep()
			s.Recount(ctx)
			if r := ada(); r.State != quota.Clean || r.Used != du(t, to) {
				t.Errorf("when it is closed it is told: %+v, of %+v", r, du(t, to))
			}
		})
	}
}

// TestCountWhileChanged counts a home again and again, from nothing, while it is changed in every way that there is.
func TestCountWhileChanged(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	var dirs []vfs.Handle
	for i := range 20 {
		dir := mkdir(t, s, home, fmt.Sprintf("d%d", i))
		dirs = append(dirs, dir)
		for j := range 20 {
			put(t, s, dir, fmt.Sprintf("f%d", j), 0)
		}
	}
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	for round := range rounds {
		stop, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() { disturb(stop, s.FS(), dirs, rand.New(rand.NewPCG(uint64(round), uint64(i)))) })
		}
		for range 3 {
			s.Distrust("ada")
			s.Recount(ctx)
		}
		cancel()
		wg.Wait()
		s.Sweep()
		exact(t, s, path)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
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

// TestRunTimeQuotas: a quota that was set at run time is in force at once, comes before the configuration, and stays.
func TestRunTimeQuotas(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	hubs := []store.Hub{prod[0]}
	hubs[0].Quotas = hubhome.Quotas{
		Home:  hubhome.Quota{Bytes: hubhome.GiB},
		Homes: map[string]hubhome.Quota{"ada": {Bytes: 2 * hubhome.GiB, Inodes: 50}},
	}
	if err := s.SetHubs(ctx, hubs); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob", "_x\xff"} {
		mkdir(t, s, at(t, s, "prod"), name)
	}
	is := func(name string, want hubhome.Quota, override bool) {
		t.Helper()
		if r := report(t, s, name); r.Quota != want || (r.Override != hubhome.Quota{}) != override {
			t.Errorf("%q may take %+v, of which something was set at run time: %v; want %+v, %v", name, r.Quota, r.Override, want, override)
		}
	}
	is("ada", hubhome.Quota{Bytes: 2 * hubhome.GiB, Inodes: 50}, false)
	is("bob", hubhome.Quota{Bytes: hubhome.GiB, Inodes: hubhome.UnlimitedInodes}, false)
	is("_shared", hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: hubhome.UnlimitedInodes}, false)
	set := func(set ...store.Override) {
		t.Helper()
		if err := s.SetQuotas(set); err != nil {
			t.Fatal(err)
		}
	}
	set(store.Override{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: hubhome.MiB}})
	set(store.Override{Hub: "prod", Home: "_x\xff", Quota: hubhome.Quota{Inodes: 3}},
		store.Override{Hub: "prod", Home: "nobody yet", Quota: hubhome.Quota{Bytes: 5}},
		store.Override{Hub: "prod", Home: "bob", Quota: hubhome.Quota{Bytes: hubhome.Unlimited}})
	set(store.Override{Hub: "prod", Home: "bob", Quota: hubhome.Quota{}})
	for range 2 {
		is("ada", hubhome.Quota{Bytes: hubhome.MiB, Inodes: 50}, true)
		is("bob", hubhome.Quota{Bytes: hubhome.GiB, Inodes: hubhome.UnlimitedInodes}, false)
		is("_x\xff", hubhome.Quota{Bytes: hubhome.GiB, Inodes: 3}, true)
		if all := s.Overrides(); len(all) != 3 {
			t.Errorf("set at run time were %+v", all)
		}
		s.Close()
		s = serving(t, path, nil)
		if err := s.SetHubs(ctx, hubs); err != nil {
			t.Fatal(err)
		}
	}
	mkdir(t, s, at(t, s, "prod"), "nobody yet")
	is("nobody yet", hubhome.Quota{Bytes: 5, Inodes: hubhome.UnlimitedInodes}, true)
	for _, bad := range []store.Override{
		{Hub: "pr/od", Home: "ada"}, {Hub: "prod", Home: "a/b"}, {Hub: "prod", Home: ".."}, {Hub: "prod"},
		{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: -1}},
	} {
		if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "bob", Quota: hubhome.Quota{Bytes: 7}}, bad}); err == nil {
			t.Errorf("%+v can be set", bad)
		}
	}
	is("bob", hubhome.Quota{Bytes: hubhome.GiB, Inodes: hubhome.UnlimitedInodes}, false)
}

// TestManyQuotas sets quotas as a script may that runs every minute: what is kept does not grow without end, and is right after
// each, also where it could not be written anew, and where it is not known whether it was.
func TestManyQuotas(t *testing.T) {
	path := t.TempDir()
	var renames atomic.Bool // fail
	var syncs atomic.Int64  // until one fails
	d := &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpRename && renames.Load() || op == disk.OpSync && syncs.Add(-1) == 0 {
			return syscall.EIO
		}
		return nil
	}}
	s := serving(t, path, d)
	file := filepath.Join(path, ".hubhome", "quotas")
	var set [3]hubhome.Bytes
	again := func(when string) {
		t.Helper()
		s.Close()
		s = serving(t, path, d)
		for i, want := range set {
			if q := report(t, s, fmt.Sprint("u", i)).Override.Bytes; q != want {
				t.Fatalf("%s the quota of u%d is %d, and was set to %d", when, i, q, want)
			}
		}
	}
	for i := range set {
		mkdir(t, s, at(t, s, "prod"), fmt.Sprint("u", i))
	}
	one := func(i int) error {
		err := s.SetQuotas([]store.Override{{Hub: "prod", Home: fmt.Sprint("u", i%3), Quota: hubhome.Quota{Bytes: hubhome.Bytes(i + 1)}}})
		if err == nil {
			set[i%3] = hubhome.Bytes(i + 1)
		}
		return err
	}
	longest := int64(0)
	for i := range 400 {
		if err := one(i); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(file); err != nil {
			t.Fatal(err)
		} else {
			longest = max(longest, st.Size())
		}
	}
	if longest > 8<<10 {
		t.Errorf("the file grew to %d bytes for three homes", longest)
	}
	again("after 400")
	renames.Store(true)
	for i := range 150 {
		if err := one(i); err != nil {
			t.Fatal(err)
		}
	}
	renames.Store(false)
	again("where it could not be written anew")
	all := []store.Override{{Hub: "prod", Home: "u0", Quota: hubhome.Quota{Bytes: 7}}, {Hub: "prod", Home: "u1", Quota: hubhome.Quota{Bytes: 7}}}
	for _, n := range []int64{1, 2} { // the file, and when that is in its place, its directory
		syncs.Store(n)
		if err := s.SetQuotas(all); err == nil {
			t.Fatal("it is said to be durable, and was not synced")
		}
		if err := one(5); err != nil {
			t.Fatal(err)
		}
		again("where it was not known whether it was written anew")
	}
}

// TestQuotasNotKept fails each system call of a set that changes something, and then each of what undoes it as well: what was not
// acknowledged is in force neither now nor after a restart, or the error says that it may be then, and the next set puts it right.
func TestQuotasNotKept(t *testing.T) {
	path := t.TempDir()
	var calls, first atomic.Int64 // from 1; those fail
	var from atomic.Int64         // and all from this one on
	d := &disk.Disk{Before: func(op disk.Op) error {
		if !op.Changes() {
			return nil
		}
		n := calls.Add(1)
		if n == first.Load() || from.Load() > 0 && n >= from.Load() {
			return syscall.EIO
		}
		return nil
	}}
	s := serving(t, path, d)
	mkdir(t, s, at(t, s, "prod"), "ada")
	mkdir(t, s, at(t, s, "prod"), "bob")
	s.Recount(ctx)
	set := func(names ...string) error {
		all := make([]store.Override, len(names))
		for i, name := range names {
			all[i] = store.Override{Hub: "prod", Home: name, Quota: hubhome.Quota{Bytes: 7 * hubhome.GiB}}
		}
		calls.Store(0)
		return s.SetQuotas(all)
	}
	before := store.Override{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: hubhome.GiB}}
	if err := s.SetQuotas([]store.Override{before}); err != nil {
		t.Fatal(err)
	}
	never := func() { first.Store(0); from.Store(0) }
	// kept is what a restart would put in force.
	kept := func() []store.Override {
		t.Helper()
		never()
		other := t.TempDir()
		if err := os.CopyFS(other, os.DirFS(path)); err != nil {
			t.Fatal(err)
		}
		opened, err := store.Open(ctx, store.Options{Path: other, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		return opened.Overrides()
	}
	same := func(all []store.Override) bool { return len(all) == 1 && all[0] == before }
	doubts := 0
	for _, names := range [][]string{{"ada"}, {"ada", "bob"}} {
		for n := int64(1); n < 50; n++ {
			never()
			first.Store(n)
			err := set(names...)
			if err == nil { // there is no such call
				never()
				if err := s.SetQuotas([]store.Override{before, {Hub: "prod", Home: "bob"}}); err != nil {
					t.Fatal(err)
				}
				break
			}
			if all := s.Overrides(); !errors.Is(err, syscall.EIO) || strings.Contains(err.Error(), "put back") || !same(all) || !same(kept()) {
				t.Errorf("%v, call %d fails: %v; in force are %v, and after a restart %v", names, n, err, all, kept())
			}
			never()
			from.Store(n)
			err = set(names...)
			said := strings.Contains(err.Error(), "nor can the file be put back")
			if all := s.Overrides(); !same(all) || !said && !same(kept()) {
				t.Errorf("%v, all calls from %d on fail: %v; in force are %v, and after a restart %v", names, n, err, all, kept())
			}
			if said {
				doubts++
			}
			never()
			if err := s.SetQuotas([]store.Override{before}); err != nil || !same(kept()) {
				t.Errorf("%v, after all calls from %d on failed: %v; after a restart in force are %v", names, n, err, kept())
			}
		}
	}
	if doubts < 2 {
		t.Errorf("it was said %d times that the file could not be put back", doubts)
	}
}

// TestDamagedQuotas: a line that was not acknowledged is nothing; one that is damaged is not passed over.
func TestDamagedQuotas(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: 7}}}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	file := filepath.Join(path, ".hubhome", "quotas")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		string(whole) + `{"hub":"prod","ho`:                           "",
		string(whole) + "{\"hub\":\"prod\",\"ho\n" + string(whole):    "line 2",
		string(whole) + "{\"hub\":\"prod\"}\n":                        "line 2",
		"{\"hub\":\"prod\",\"home\":\"ada\",\"bytes\":-5}\n":          "line 1",
		"{\"hub\":\"prod\",\"home\":\"a\\\"da\",\"bytes\":5}\n":       "line 1",
		string(whole) + "{\"hub\":\"prod\",\"home\":\"ada\"}\n{\"a\"": "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
		if err == nil {
			if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "bob", Quota: hubhome.Quota{Bytes: 8}}}); err != nil {
				t.Error(err)
			}
			s.Close()
			if s, err = store.Open(ctx, store.Options{Path: path, Logger: quiet}); err == nil {
				s.Close()
			}
		}
		switch {
		case says == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), ".hubhome/quotas")):
			t.Errorf("%q: the error is %v", text, err)
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

// TestLedgerOnFullDisk: while the ledger cannot be persisted, everything goes on; and what was persisted before is not
// believed of homes that were changed since.
func TestLedgerOnFullDisk(t *testing.T) {
	path := t.TempDir()
	var full atomic.Bool
	d := &disk.Disk{Before: func(op disk.Op) error {
		if full.Load() && op == disk.OpOpen { // which a new file needs
			return syscall.ENOSPC
		}
		return nil
	}}
	s := serving(t, path, d)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	other := mkdir(t, s, at(t, s, "prod"), "bob")
	put(t, s, other, "f", 10_000)
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	put(t, s, home, "f", 100_000)
	full.Store(true)
	for range 2 {
		if err := s.Checkpoint(); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Checkpoint answers %v", err)
		}
		if _, _, err := s.FS().Remove(ctx, user, other, "f"); err != nil && err != syscall.ENOENT {
			t.Fatalf("Remove: %v", err)
		}
	}
	if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Close answers %v", err)
	}
	s = serving(t, path, nil)
	for _, name := range []string{"ada", "bob"} {
		if r := report(t, s, name); r.State != quota.Dirty {
			t.Errorf("%s is %s, although it was changed", name, r.State)
		}
	}
	s.Recount(ctx)
	exact(t, s, path)
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after 30 s", what)
		}
	}
}

// TestMovedWhileCounted: a home that is renamed or removed on the disk when it is to be counted costs nobody anything, and has
// what it takes under its new name.
func TestMovedWhileCounted(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	for _, name := range []string{"ada", "bob", "eve"} {
		put(t, s, mkdir(t, s, at(t, s, "prod"), name), "f", 10_000)
		s.Distrust(name)
	}
	for _, err := range []error{
		os.Rename(filepath.Join(path, "prod", "ada"), filepath.Join(path, "prod", "ada2")),
		os.RemoveAll(filepath.Join(path, "prod", "bob")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all homes are known", func() bool {
		s.Recount(ctx)
		for _, h := range s.Report().Hubs[0].Homes {
			if h.State != quota.Clean {
				return false
			}
		}
		return true
	})
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	if used := report(t, s, "ada2").Used; used.Inodes != 2 {
		t.Errorf("the home under its new name takes %+v", used)
	}
	for _, h := range s.Report().Hubs[0].Homes {
		if h.Name == "bob" || h.Name == "ada" {
			t.Errorf("%s is still there", h.Name)
		}
	}
}

// TestHomeMadeWhileListed: a home that is made while the hubs' directories are being listed is not taken for one that has
// gone.
func TestHomeMadeWhileListed(t *testing.T) {
	path := t.TempDir()
	var during atomic.Pointer[func()]
	d := &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir {
			if f := during.Load(); f != nil {
				if entries, _ := os.ReadDir(filepath.Join(path, "prod")); len(entries) > 0 && during.CompareAndSwap(f, nil) {
					(*f)()
				}
			}
		}
		return nil
	}}
	s := serving(t, path, d)
	s.Recount(ctx)
	hub := at(t, s, "prod")
	var home vfs.Handle
	// The last getdents64 of the hub's directory, which says that there is no more.
	calls := 0
	var last func()
	last = func() {
		if calls++; calls < 2 {
			during.Store(&last)
			return
		}
		home = mkdir(t, s, hub, "ada")
	}
	during.Store(&last)
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	if home == "" {
		t.Fatal("the directory was not listed")
	}
	put(t, s, home, "f", 10_000)
	s.Sweep()
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

// TestFullDiskInPlace: also on a file system that has no room for what is written in place, files can be removed after the
// ledger could not be persisted.
func TestFullDiskInPlace(t *testing.T) {
	path := t.TempDir()
	var full atomic.Bool
	d := &disk.Disk{Before: func(op disk.Op) error {
		if full.Load() && op == disk.OpWrite {
			return syscall.ENOSPC
		}
		return nil
	}}
	s := serving(t, path, d)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	put(t, s, home, "f", 10_000)
	s.Sweep()
	for range 2 {
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
	}
	full.Store(true)
	if err := s.Checkpoint(); err == nil {
		t.Fatal("Checkpoint answers success")
	}
	if _, _, err := s.FS().Remove(ctx, user, home, "f"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	full.Store(false)
	s.Sweep()
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	exact(t, s, path)
}

// TestFullDiskWhilePersisted: nor does a ledger that is being persisted at that moment keep anybody from removing files.
func TestFullDiskWhilePersisted(t *testing.T) {
	path := t.TempDir()
	var full atomic.Bool
	var writes atomic.Int64
	persisting, marking := make(chan struct{}), make(chan struct{})
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op != disk.OpWrite || !full.Load() {
			return nil
		}
		switch writes.Add(1) {
		case 1: // the ledger
			close(persisting)
			select {
			case <-marking:
			case <-time.After(time.Minute):
				t.Error("nobody notes that the home is being changed")
			}
		case 2:
			close(marking)
		}
		return syscall.ENOSPC
	}})
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	put(t, s, home, "f", 10_000)
	s.Sweep()
	for range 2 {
		if err := s.Checkpoint(); err != nil {
			t.Fatal(err)
		}
	}
	full.Store(true)
	ended := make(chan error, 1)
	go func() { ended <- s.Checkpoint() }()
	<-persisting
	if _, _, err := s.FS().Remove(ctx, user, home, "f"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("Checkpoint answers success")
	}
	full.Store(false)
	s.Sweep()
	exact(t, s, path)
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
}

// TestJournalLostOnFullDisk: a journal that is missing, and for which there is no room, keeps nobody out.
func TestJournalLostOnFullDisk(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	put(t, s, home, "f", 10_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(path, ".hubhome/ledger/dirty.0")); err != nil {
		t.Fatal(err)
	}
	var full atomic.Bool
	full.Store(true)
	s = serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if full.Load() && op == disk.OpWrite {
			return syscall.ENOSPC
		}
		return nil
	}})
	if _, _, err := s.FS().Remove(ctx, user, at(t, s, "prod", "ada"), "f"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	full.Store(false)
	s.Recount(ctx)
	exact(t, s, path)
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
}

// TestStaleHandle: a handle of a home that is gone has nobody list the hubs, and nobody wait for that.
func TestStaleHandle(t *testing.T) {
	path := t.TempDir()
	var lists atomic.Int64
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir {
			lists.Add(1)
		}
		return nil
	}})
	s.Recount(ctx)
	hub := at(t, s, "prod")
	home := mkdir(t, s, hub, "ada")
	if _, _, err := s.FS().Remove(ctx, user, hub, "ada"); err != nil {
		t.Fatal(err)
	}
	before := lists.Load()
	for label, err := range map[string]error{
		"Create": func() error {
			_, _, _, _, err := s.FS().Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
			return err
		}(),
		"StatFS": func() error { _, err := s.FS().StatFS(ctx, home); return err }(),
	} {
		if err != syscall.ESTALE {
			t.Errorf("%s answers %v, want ESTALE", label, err)
		}
	}
	if n := lists.Load() - before; n > 0 {
		t.Errorf("directories were read %d times", n)
	}
}

// TestDamagedHome: one home whose directory cannot be looked at keeps nobody from the others.
func TestDamagedHome(t *testing.T) {
	path := t.TempDir()
	var armed, listing atomic.Bool
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir && armed.Load() {
			listing.Store(true)
		}
		if op == disk.OpStat && listing.Load() && armed.CompareAndSwap(true, false) {
			return syscall.EUCLEAN
		}
		return nil
	}})
	s.Recount(ctx)
	for _, name := range []string{"ada", "bob", "eve"} {
		put(t, s, mkdir(t, s, at(t, s, "prod"), name), "f", 10_000)
	}
	before := len(s.Report().Hubs[0].Homes)
	armed.Store(true)
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	if armed.Load() {
		t.Fatal("no home was looked at")
	}
	if n := len(s.Report().Hubs[0].Homes); n != before-1 {
		t.Errorf("of %d homes %d are known", before, n)
	}
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	s.Recount(ctx)
	exact(t, s, path)
}

// TestNothingBeforeItsMark: a home is changed only when it is durable that it is being changed, or the next start would believe
// what was known before; and a quota is in force only when it is durable.
func TestNothingBeforeItsMark(t *testing.T) {
	path := t.TempDir()
	var failing atomic.Bool // the next sync
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpSync && failing.CompareAndSwap(true, false) {
			return syscall.EIO
		}
		return nil
	}})
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	set := func(bytes hubhome.Bytes) error {
		return s.SetQuotas([]store.Override{{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: bytes}}})
	}
	if err := set(hubhome.GiB); err != nil {
		t.Fatal(err)
	}
	s.Sweep()
	if err := s.Checkpoint(); err != nil { // after which the home is clean, and to be marked again
		t.Fatal(err)
	}
	failing.Store(true)
	_, _, _, _, err := s.FS().Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
	if !errors.Is(err, syscall.EIO) || failing.Load() {
		t.Errorf("Create answers %v, want EIO", err)
	}
	if _, err := os.Lstat(filepath.Join(path, "prod", "ada", "f")); !os.IsNotExist(err) {
		t.Errorf("the file is there although nothing says so after a crash: %v", err)
	}
	failing.Store(true)
	if err := set(hubhome.MiB); !errors.Is(err, syscall.EIO) {
		t.Errorf("SetQuotas answers %v, want EIO", err)
	}
	if q := report(t, s, "ada").Quota.Bytes; q != hubhome.GiB {
		t.Errorf("a quota of %s is in force that is gone after a crash", hubhome.FormatQuotaBytes(q))
	}
	if err := set(hubhome.MiB); err != nil {
		t.Errorf("SetQuotas: %v", err)
	}
	put(t, s, home, "g", 5000)
	exact(t, s, path)
}
