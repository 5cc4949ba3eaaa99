// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// TestCrowded: somebody who makes files without end that may change by themselves does not have the server remember them all,
// takes nothing from other homes, and is counted when they have come to rest.
func TestCrowded(t *testing.T) {
	const most = 40
	b := newBed(t)
	b.ledger.SetMost(most)
	ada, bob := b.home("ada"), b.home("bob")
	handles := []vfs.Handle{ada}
	unsynced := func(home vfs.Handle, name string) vfs.Handle {
		t.Helper()
		f, e := b.create(home, name)
		b.must(write(f, 0, 10_000))
		b.must(f.Close())
		return e.Handle
	}
	for i := range most / 4 {
		unsynced(bob, fmt.Sprint(i))
	}
	for i := range 10 * most {
		handles = append(handles, unsynced(ada, fmt.Sprint(i)))
		if n := b.ledger.Remembered(); n > 2*most {
			t.Fatalf("%d files are remembered after %d were made", n, i+1)
		}
	}
	for i := range most / 4 { // there is room for others yet
		unsynced(bob, fmt.Sprint("more", i))
	}
	id := b.report("ada").ID
	if r := b.report("ada"); r.State != quota.Dirty || r.Fault == "" {
		t.Errorf("of the home that has many it is told: %+v", r)
	}
	if r := b.report("bob"); r.State != quota.Clean {
		t.Errorf("of the home that has few it is told: %+v", r)
	}
	if slices.Contains(b.ledger.Uncounted(), id) {
		t.Error("the home is counted before its files have come to rest")
	}
	records, _ := b.ledger.Snapshot(1, true)
	for _, r := range records {
		if r.Home == id && !r.Dirty {
			t.Error("the home is persisted as one that is known")
		}
	}
	b.exact("bob")
	if !slices.Contains(b.ledger.Uncounted(), id) {
		t.Fatal("the home is not counted when its files have come to rest")
	}
	b.ledger.SetMost(100 * most) // all are as if they were made meanwhile
	c, err := b.ledger.Begin(id, time.Now())
	b.must(err)
	for _, h := range handles {
		b.must(c.Visit(0, func() (quota.Found, error) {
			a, err := b.inner.GetAttr(ctx, h)
			return quota.Found{Number: a.FileID, Type: a.Type, Used: a.Used, Size: a.Size, Birth: a.Birth.UnixNano(), Handle: h}, err
		}))
	}
	c.Done()
	if r := b.report("ada"); r.State != quota.Clean {
		t.Errorf("after the count it is told: %+v", r)
	}
	b.exact("ada")
}

// TestOverrun: nor has anybody the server remember without end what is made and moved in a home while it is counted.
func TestOverrun(t *testing.T) {
	const most = 40
	b := newBed(t)
	b.ledger.SetMost(most)
	home := b.home("ada")
	f, _ := b.create(home, "moved")
	b.must(f.Close())
	c, err := b.ledger.Begin(b.report("ada").ID, time.Now())
	b.must(err)
	name := "moved"
	for i := range 3 * most { // a file that is there again and again is one
		to := fmt.Sprint("moved", i)
		_, _, _, err := b.fs.Rename(ctx, user, home, name, home, to)
		b.must(err)
		name = to
	}
	if moved := c.Moved(); len(moved) != 1 || c.Overrun() {
		t.Errorf("of one file that was moved %d are shown; too much is said to have been moved: %v", len(moved), c.Overrun())
	}
	for i := range most - 1 {
		f, _ := b.create(home, fmt.Sprint(i))
		b.must(f.Close())
	}
	_, _, _, err = b.fs.Rename(ctx, user, home, name, home, "last")
	b.must(err)
	if c.Overrun() {
		t.Errorf("too much is said to have been made and moved when it was %d files", most)
	}
	f, _ = b.create(home, "more")
	b.must(f.Close())
	if !c.Overrun() {
		t.Errorf("more is remembered than %d files", most)
	}
	if moved := c.Moved(); len(moved) != 1 || !c.Overrun() {
		t.Errorf("%d files are shown, and then it is forgotten that one was not counted", len(moved))
	}
	for !c.Quiet() {
	}
	if _, _, sure := c.Done(); sure {
		t.Error("the count is believed all the same")
	}
	if r := b.report("ada"); r.State != quota.Dirty {
		t.Errorf("after it the home is %s", r.State)
	}
}
