// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var concurrencyPromises = []promise{
	{"a directory is whole after all of it was changed at once", (*tree).manyChanges},
	{"one of many makes a name", (*tree).manyCreates},
	{"one of many removes a name", (*tree).manyRemoves},
	{"writes to separate ranges do not disturb each other", (*tree).manyWrites},
	{"a directory can be read while it is changed", (*tree).readsWhileChanging},
	{"renames in both directions end", (*tree).crossingRenames},
}

// workers is how many goroutines try something at once.
const workers = 16

// atOnce runs a function in many goroutines. It may not end the test.
func atOnce(f func(worker int)) {
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { f(w) })
	}
	wg.Wait()
}

// tolerated fails the test for an error that is none of those that a race may bring.
func (t *tree) tolerated(step string, err error, want ...syscall.Errno) {
	if err == nil {
		return
	}
	for _, errno := range want {
		if errors.Is(err, errno) {
			return
		}
	}
	t.Errorf("%s: %v", step, err)
}

func (t *tree) manyChanges() {
	sub := t.mkdir(user, t.home, "sub").Handle
	dirs := []vfs.Handle{t.home, sub}
	atOnce(func(w int) {
		random := rand.New(rand.NewPCG(uint64(w), 1))
		name := func() string { return fmt.Sprintf("n%d", random.IntN(12)) }
		for range 60 {
			dir := dirs[random.IntN(2)]
			switch random.IntN(5) {
			case 0:
				f, _, _, _, err := t.fs.Create(t.ctx, user, dir, name(), vfs.Create{}, vfs.Write)
				t.tolerated("Create", err, syscall.EISDIR)
				if err == nil {
					t.tolerated("Close", f.Close())
				}
			case 1:
				_, _, err := t.fs.Mkdir(t.ctx, user, dir, name(), vfs.SetAttr{})
				t.tolerated("Mkdir", err, syscall.EEXIST)
			case 2:
				_, _, err := t.fs.Remove(t.ctx, user, dir, name())
				t.tolerated("Remove", err, syscall.ENOENT)
			case 3:
				_, _, _, err := t.fs.Rename(t.ctx, user, dir, name(), dirs[random.IntN(2)], name())
				t.tolerated("Rename", err, syscall.ENOENT, syscall.EEXIST, syscall.EISDIR, syscall.ENOTDIR, syscall.ENOTEMPTY)
			case 4:
				if e, err := t.fs.Lookup(t.ctx, user, dir, name()); err == nil {
					_, err = t.fs.Link(t.ctx, user, e.Handle, dirs[random.IntN(2)], name())
					t.tolerated("Link", err, syscall.EEXIST, syscall.EPERM, syscall.EISDIR, syscall.ESTALE, syscall.ENOENT)
				}
			}
		}
	})
	t.whole(dirs...)
}

// whole fails the test unless what ReadDir and Lookup tell of directories agrees, and every file there has as many
// links as names.
func (t *tree) whole(dirs ...vfs.Handle) {
	t.Helper()
	names, links := map[vfs.Handle]uint32{}, map[vfs.Handle]uint32{}
	for _, dir := range dirs {
		listed := t.names(dir)
		for _, e := range t.list(dir, 0, true) {
			if e.Err != nil || t.lookup(dir, e.Name).Handle != e.Handle || !listed[e.Name] {
				t.Errorf("%s is not what Lookup says, or has the error %v", e.Name, e.Err)
			}
			if e.Attr.Type != vfs.Directory {
				names[e.Handle]++
				links[e.Handle] = e.Attr.Nlink
			}
		}
	}
	for h, n := range names {
		if links[h] != n {
			t.Errorf("a file has %d names and %d links", n, links[h])
		}
	}
}

func (t *tree) manyCreates() {
	for round := range 20 {
		var mu sync.Mutex
		made := 0
		handles := map[vfs.Handle]bool{}
		name := fmt.Sprint("f", round)
		atOnce(func(w int) {
			how := vfs.Create{Mode: vfs.Guarded}
			if round%2 == 0 {
				how.Mode = vfs.Unchecked
			}
			f, e, created, _, err := t.fs.Create(t.ctx, user, t.home, name, how, vfs.Write)
			if err != nil {
				t.tolerated("Create", err, syscall.EEXIST)
				if how.Mode == vfs.Unchecked {
					t.Errorf("Create with Unchecked: %v", err)
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if handles[e.Handle] = true; created {
				made++
			}
			t.tolerated("Close", f.Close())
		})
		if made != 1 || len(handles) != 1 {
			t.Errorf("%d callers made one name, and got %d handles", made, len(handles))
		}
	}
}

func (t *tree) manyRemoves() {
	for round := range 20 {
		t.file(t.home, "f", "x")
		var mu sync.Mutex
		removed := 0
		atOnce(func(w int) {
			_, _, err := t.fs.Remove(t.ctx, user, t.home, "f")
			t.tolerated("Remove", err, syscall.ENOENT)
			if err == nil {
				mu.Lock()
				removed++
				mu.Unlock()
			}
		})
		if removed != 1 {
			t.Errorf("round %d: %d callers removed one name", round, removed)
		}
	}
}

func (t *tree) manyWrites() {
	f, e := t.create(user, t.home, "f")
	const piece = 10_000
	data := pattern(workers * piece)
	atOnce(func(w int) {
		for off := w * piece; off < (w+1)*piece; off += 1000 {
			n, _, _, err := f.WriteAt(t.ctx, data[off:off+1000], uint64(off), vfs.Unstable)
			if err != nil || n != 1000 {
				t.Errorf("WriteAt: %d bytes, %v", n, err)
			}
		}
		_, err := f.Commit(t.ctx)
		t.tolerated("Commit", err)
	})
	if got := t.contents(e.Handle); got != string(data) {
		t.Error("the whole is not what was written")
	}
}

func (t *tree) readsWhileChanging() {
	dir := t.fill(200) // never changed
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("new-%d-%d", w, i%5)
				_, _, err := t.fs.Mkdir(t.ctx, user, dir, name, vfs.SetAttr{})
				t.tolerated("Mkdir", err)
				_, _, err = t.fs.Remove(t.ctx, user, dir, name)
				t.tolerated("Remove", err)
			}
		})
	}
	defer wg.Wait()
	defer close(stop)
	for round := range 10 {
		seen := map[string]int{}
		for _, e := range t.list(dir, 0, round%2 == 0) {
			if seen[e.Name]++; e.Err != nil {
				t.Errorf("%s: %v", e.Name, e.Err)
			}
		}
		for i := range 200 {
			if name := fmt.Sprintf("file-%04d", i); seen[name] != 1 {
				t.Errorf("%s was told of %d times", name, seen[name])
			}
		}
	}
}

func (t *tree) crossingRenames() {
	a, b := t.mkdir(user, t.home, "a").Handle, t.mkdir(user, t.home, "b").Handle
	for w := range workers {
		t.mkdir(user, a, fmt.Sprint(w))
	}
	atOnce(func(w int) {
		from, to := a, b
		for range 40 {
			_, _, _, err := t.fs.Rename(t.ctx, user, from, fmt.Sprint(w), to, fmt.Sprint(w))
			t.tolerated("Rename", err)
			from, to = to, from
		}
	})
	if n := len(t.names(a)); n != workers {
		t.Errorf("%d of %d directories are back", n, workers)
	}
	t.whole(a, b)
}
