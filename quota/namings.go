// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"
	"sync"
)

// namings are the operations of a home that make or remove names, while they run. In a home where files are made without a
// pause there is always one; but none that has run since long ago. So they are told apart by the turn in which they began,
// and no more than two turns have any.
type namings struct {
	mu      sync.Mutex
	turn    uint64
	running [2]int // by the parity of their turn
	// paused is closed when who waits in begin may go on; nil where nobody has to wait.
	paused chan struct{}
}

// begin begins an operation, and returns its turn, for end. It waits where operations are paused; its error is ctx's.
func (n *namings) begin(ctx context.Context) (turn uint64, err error) {
	for {
		n.mu.Lock()
		paused := n.paused
		if paused == nil {
			defer n.mu.Unlock()
			n.running[n.turn%2]++
			return n.turn, nil
		}
		n.mu.Unlock()
		select {
		case <-paused:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// beginWithin is begin for an operation that runs already, in another home: it waits for nobody.
func (n *namings) beginWithin() (turn uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running[n.turn%2]++
	return n.turn
}

// pause lets none begin until resume, and tells whether none runs any more.
func (n *namings) pause() (none bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paused == nil {
		n.paused = make(chan struct{})
	}
	return n.running[0]+n.running[1] == 0
}

// resume ends pause.
func (n *namings) resume() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paused != nil {
		close(n.paused)
		n.paused = nil
	}
}

func (n *namings) end(turn uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running[turn%2]--
}

// now returns the turn.
func (n *namings) now() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.turn
}

// next begins a turn, unless operations run that began before this one.
func (n *namings) next() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.advance()
}

// advance is next, and tells whether a turn has begun. n.mu is held.
func (n *namings) advance() bool {
	if n.running[(n.turn+1)%2] > 0 {
		return false
	}
	n.turn++
	return true
}

// passed tells whether all operations have ended that began in a turn or before.
func (n *namings) passed(turn uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.turn < turn+2 && n.advance() {
	}
	return n.turn >= turn+2
}

// since tells whether an operation may run that began in a turn or before.
func (n *namings) since(turn uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.turn < turn+2 && n.running[0]+n.running[1] > 0
}
