// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"sync"

	"github.com/hubhome/hubhome/vfs"
)

// graveCount is how many removed inodes are remembered: more than there can be operations at one time, so that every
// operation that had to do with the inode finds it. A handle is never given to another inode.
const graveCount = 16 << 10

// graves remembers the inodes that went last, and what they had been charged when they were recorded. Of two operations
// that each removed a name of one inode, or of one that made it and one that removed it, the first to get here decides.
type graves struct {
	mu   sync.Mutex
	m    map[vfs.Handle]int64
	ring []vfs.Handle
	next int
}

func (g *graves) init() {
	g.m = map[vfs.Handle]int64{}
}

// add remembers an inode.
func (g *graves) add(h vfs.Handle, base int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.ring) < graveCount {
		g.ring = append(g.ring, h)
	} else {
		delete(g.m, g.ring[g.next])
		g.ring[g.next] = h
		g.next = (g.next + 1) % graveCount
	}
	g.m[h] = base
}

// find tells whether an inode has gone.
func (g *graves) find(h vfs.Handle) (base int64, gone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	base, gone = g.m[h]
	return base, gone
}
