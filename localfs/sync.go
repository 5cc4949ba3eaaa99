// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"sync"

	"github.com/hubhome/hubhome/vfs"
)

// groups lets callers that want the same thing synced share an fsync: one that began after a caller's change covers it.
type groups struct {
	mu     sync.Mutex
	groups map[string]*group
}

// group is the fsyncs of one file or directory: the one that runs, and the one that runs after it.
type group struct {
	current, next *round
}

// round is one fsync.
type round struct {
	done     chan struct{}
	verifier vfs.Verifier
	err      error
}

// do runs sync, or waits for one that begins after do was called. key is the file's.
func (g *groups) do(key string, sync func() (vfs.Verifier, error)) (vfs.Verifier, error) {
	g.mu.Lock()
	mine := g.groups[key]
	if mine != nil && mine.next != nil {
		r := mine.next
		g.mu.Unlock()
		<-r.done
		return r.verifier, r.err
	}
	r := &round{done: make(chan struct{})}
	if mine == nil {
		mine = &group{current: r}
		if g.groups == nil {
			g.groups = map[string]*group{}
		}
		g.groups[key] = mine
	} else {
		// The one that runs may have begun before the change. The next one is for all who come until it begins.
		before := mine.current
		mine.next = r
		g.mu.Unlock()
		<-before.done
		g.mu.Lock()
		mine.current, mine.next = r, nil
	}
	g.mu.Unlock()
	r.verifier, r.err = sync()
	g.mu.Lock()
	if mine.next == nil {
		delete(g.groups, key)
	}
	g.mu.Unlock()
	close(r.done)
	return r.verifier, r.err
}

// stripes are locks of files, by inode number. Names in one directory change one after the other, so that what an operation
// saw of a name is what it changed; and so do owner and mode of one file. Two files may share a lock.
type stripes [1024]sync.Mutex

func stripe(ino uint64) int { return int((ino * 0x9e3779b97f4a7c15) >> 54) }

// lock locks one file or two directories, and returns what unlocks them.
func (s *stripes) lock(inos ...uint64) func() {
	first := &s[stripe(inos[0])]
	var second *sync.Mutex
	if len(inos) == 2 {
		if a, b := stripe(inos[0]), stripe(inos[1]); a != b {
			first, second = &s[min(a, b)], &s[max(a, b)]
		}
	}
	first.Lock()
	if second == nil {
		return first.Unlock
	}
	second.Lock()
	return func() { second.Unlock(); first.Unlock() }
}
