// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"sync"
	"time"
)

// At makes a scan that takes the clock to be so much ahead. Change attributes are trusted when they are a minute old.
func At(spec Spec, ahead time.Duration) Spec {
	spec.now = func() time.Time { return time.Now().Add(ahead) }
	return spec
}

// By makes a scan that takes the time from a clock.
func By(spec Spec, clock func() time.Time) Spec {
	spec.now = clock
	return spec
}

// Keep keeps records of so many directories of a home, with so many links each, from as many goroutines.
func Keep(st *State, of, name string, directories, links int) {
	s := newScanner(nil, Spec{State: st})
	h := &home{hub: &hub{name: of}, name: name}
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range directories {
		r := &record{dir: uint64(i), links: make([]link, links)}
		for j := range r.links {
			r.links[j] = link{id: uint64(i)<<32 | uint64(j), used: 1 << 40, size: 1 << 40, names: 2}
		}
		all.Go(func() {
			<-begin
			s.keep(h, r)
		})
	}
	close(begin)
	all.Wait()
	s.flush(h)
}

// Most makes a scan that takes a directory to have no more entries than n.
func Most(spec Spec, n uint64) Spec {
	spec.maxDirectory = n
	return spec
}

// The bounds that tests have to exceed.
const (
	MaxFound   = maxFound
	MaxEntries = maxEntries
	MaxLinks   = maxLinks
)

// Counting counts so many entries that were kept, and has the progress looked at all the while.
func Counting(n int, look func(Progress)) {
	var m meter
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range n {
			m.counted(1, 1)
			m.kept.Add(1)
		}
	}()
	for {
		select {
		case <-done:
			return
		default:
			look(m.progress())
		}
	}
}
