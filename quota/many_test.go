// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// TestCountOfMany counts a home of 10 million files, in any order and many of them twice, and remembers which they were in
// bounded memory. The files are not there: what is tested is what a count keeps of each.
func TestCountOfMany(t *testing.T) {
	runs := 10_000
	if testing.Short() {
		runs = 200
	}
	const run, most = 1000, 64 << 20 // numbers in a row, as file systems give them; bytes
	m := newMemory(t)
	m.home("ada")
	var id vfs.HomeID
	for _, h := range m.ledger.Report().Hubs[0].Homes {
		id = h.ID
	}
	heap := func() int64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return int64(s.HeapAlloc)
	}
	before := heap()
	c, err := m.ledger.Begin(id, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	visit := func(r, i int) {
		number := uint64(1<<40 + r*3*run + i) // with gaps between
		err := c.Visit(number, func() (quota.Found, error) {
			return quota.Found{Number: number, Type: vfs.Regular, Used: 4096, Size: 4096, Birth: 1}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n, r := range random.Perm(runs) {
		c.Enter(uint64(1<<40 + r*3*run)) // a directory for each
		for i := range run {
			visit(r, (i*7)%run)
		}
		if n%10 == 0 { // by their other names
			for i := range run {
				visit(r, i)
			}
		}
	}
	files := int64(runs) * run
	if got, want := c.Sum(), (quota.Usage{Bytes: files * 4096, Inodes: files}); got != want {
		t.Errorf("it counted %+v, not %+v", got, want)
	}
	grown := heap() - before
	t.Logf("%d files took %d KiB to remember", files, grown>>10)
	if grown > most {
		t.Errorf("%d files took %d bytes to remember", files, grown)
	}
	c.Cancel()
}
