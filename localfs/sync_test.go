// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// TestGroups: whoever wants a file synced gets the answer of a sync that began after it asked, one at a time runs, and
// nothing is kept afterwards.
func TestGroups(t *testing.T) {
	var g groups
	var running, begun atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 500 {
				asked := begun.Load()
				v, err := g.do("file", func() (v vfs.Verifier, err error) {
					if running.Add(1) != 1 {
						t.Error("two syncs of one file run at once")
					}
					n := begun.Add(1)
					if rand.IntN(4) == 0 {
						time.Sleep(10 * time.Microsecond)
					}
					v[0], v[1], v[2] = byte(n), byte(n>>8), byte(n>>16)
					if n%7 == 0 {
						err = syscall.EIO
					}
					running.Add(-1)
					return v, err
				})
				n := int64(v[0]) | int64(v[1])<<8 | int64(v[2])<<16
				if n <= asked {
					t.Errorf("asked after sync %d had begun, answered by sync %d", asked, n)
				}
				if (n%7 == 0) != (err == syscall.EIO) {
					t.Errorf("sync %d answers %v", n, err)
				}
			}
		})
	}
	wg.Wait()
	if len(g.groups) > 0 {
		t.Errorf("%d groups are kept", len(g.groups))
	}
	if begun.Load() == 16*500 {
		t.Log("no two callers have shared a sync")
	}
}

// TestStripes: two directories are locked together, whichever is named first, also where they share a lock or are one.
func TestStripes(t *testing.T) {
	var s stripes
	same := uint64(2)
	for stripe(same) != stripe(1) {
		same++
	}
	other := uint64(2)
	for stripe(other) == stripe(1) {
		other++
	}
	done := make(chan struct{})
	var inside [2]int // guarded by the stripes of 1 and of other
	go func() {
		defer close(done)
		var wg sync.WaitGroup
		for _, inos := range [][]uint64{{1, other}, {other, 1}, {1, same}, {same, 1}, {1, 1}, {other}, {1}} {
			wg.Go(func() {
				for range 1000 {
					unlock := s.lock(inos...)
					for _, ino := range inos {
						if ino == other {
							inside[1]++
						} else {
							inside[0]++
						}
					}
					unlock()
				}
			})
		}
		wg.Wait()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the locks wait for each other")
	}
	if inside != [2]int{9000, 3000} {
		t.Errorf("%v were inside, want 9000 and 3000: a lock does not exclude", inside)
	}
}
