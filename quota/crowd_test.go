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
	c, err := b.ledger.Begin(id, time.Now())
	b.must(err)
	for _, h := range handles {
		b.must(c.Visit(0, func(f *quota.Found) error {
			a, err := b.inner.GetAttr(ctx, h)
			*f = quota.Found{Number: a.FileID, Type: a.Type, Used: a.Used, Size: a.Size, Birth: a.Birth.UnixNano(), Handle: h}
			return err
		}))
	}
	c.Done()
	if r := b.report("ada"); r.State != quota.Clean {
		t.Errorf("after the count it is told: %+v", r)
	}
	b.exact("ada")
}
