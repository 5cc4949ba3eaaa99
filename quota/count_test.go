// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// TestCountEndsQuiet: a count does not end while something is being made that others have written to or removed already. Of
// that the ledger has a part then: what was written before it is known that the file is there, or that it has gone before it
// is known to have come.
func TestCountEndsQuiet(t *testing.T) {
	b := newBed(t)
	h := b.hook()
	home := b.home("ada")
	f, _ := b.create(home, "before")
	b.must(errors.Join(write(f, 0, 5000), f.Close()))
	b.rest()

	for _, name := range []string{"written", "removed"} {
		var maker sync.WaitGroup
		b.count("ada", time.Now(), func(c *quota.Count) {
			made, goOn := make(chan vfs.Entry), make(chan struct{})
			h.made = func(e vfs.Entry) {
				made <- e
				<-goOn
			}
			maker.Go(func() {
				f, _, _, _, err := b.fs.Create(ctx, user, home, name, vfs.Create{}, vfs.Write)
				if err != nil {
					t.Errorf("create: %v", err)
					return
				}
				f.Close()
			})
			e := <-made
			h.made = func(vfs.Entry) {}
			if name == "written" {
				f, err := b.fs.Open(ctx, user, e.Handle, vfs.Write)
				b.must(err)
				b.must(errors.Join(write(f, 0, 20_000), f.Close()))
			} else {
				_, _, err := b.fs.Remove(ctx, user, home, name)
				b.must(err)
			}
			if c.Quiet() {
				t.Errorf("%s: the count may end while the file is being made", name)
			}
			// What comes now has to wait, and can give up.
			patience, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			if _, _, err := b.fs.Remove(patience, user, home, "before"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: remove: %v", name, err)
			}
			close(goOn)
		})
		maker.Wait()
		b.exact("ada")
	}
	if _, _, err := b.fs.Remove(ctx, user, home, "before"); err != nil {
		t.Errorf("remove when the counts have ended: %v", err)
	}
	b.exact("ada")
}

// TestCountOnce: nobody can count a home that is being counted, and each way to end a count lets names be changed again.
func TestCountOnce(t *testing.T) {
	b := newBed(t)
	home := b.home("ada")
	id := b.report("ada").ID
	for what, end := range map[string]func(*quota.Count){
		"Done": func(c *quota.Count) { c.Done() }, "Compare": func(c *quota.Count) { c.Compare() },
		"Leave": (*quota.Count).Leave, "Cancel": (*quota.Count).Cancel, "Resume": (*quota.Count).Resume,
	} {
		c, err := b.ledger.Begin(id, time.Now())
		b.must(err)
		if _, err := b.ledger.Begin(id, time.Now()); !errors.Is(err, syscall.EBUSY) {
			t.Errorf("a second count begins with %v", err)
		}
		for !c.Drained() || !c.Quiet() {
		}
		end(c)
		patience, cancel := context.WithTimeout(ctx, 10*time.Second)
		f, _, _, _, err := b.fs.Create(patience, user, home, what, vfs.Create{}, vfs.Write)
		cancel()
		if err != nil {
			t.Fatalf("after %s: create: %v", what, err)
		}
		f.Close()
		c.Leave()
	}
	if _, err := b.ledger.Begin(id+1000, time.Now()); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a count of what is not there begins with %v", err)
	}
}

// TestCountAfterCount: a count that begins when another one ends is as Quiet as the first: the end of that does not let names be
// changed in this one.
func TestCountAfterCount(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	b := newBed(t)
	home := b.home("ada")
	id := b.report("ada").ID
	var changes atomic.Int64
	var changing, counting sync.WaitGroup
	done := make(chan struct{})
	changing.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				b.fs.Remove(ctx, user, home, "nothing") //nolint:errcheck // it is not there
				changes.Add(1)
			}
		}
	})
	old, err := b.ledger.Begin(id, time.Now())
	b.must(err)
	old.Leave()
	for range 2 {
		changing.Go(func() { // so that the end of a count takes its time
			for {
				select {
				case <-done:
					return
				default:
					old.Drained()
				}
			}
		})
	}
	for range 4 {
		counting.Go(func() {
			for range rounds {
				c, err := b.ledger.Begin(id, time.Now())
				for err != nil {
					c, err = b.ledger.Begin(id, time.Now())
				}
				for !c.Quiet() {
				}
				// What has ended may not have been added yet; what begins now does not end.
				before := changes.Load()
				for range 50 {
					runtime.Gosched()
				}
				if now := changes.Load(); now > before+1 {
					t.Errorf("%d names were changed while a count was quiet", now-before)
				}
				c.Leave()
			}
		})
	}
	counting.Wait()
	close(done)
	changing.Wait()
}
