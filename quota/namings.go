// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import "sync"

// namings are the operations of a home that make or remove names, while they run. In a home where files are made without a
// pause there is always one; but none that has run since long ago. So they are told apart by the turn in which they began,
// and no more than two turns have any.
type namings struct {
	mu      sync.Mutex
	turn    uint64
	running [2]int // by the parity of their turn
}

// begin begins an operation, and returns its turn, for end.
func (n *namings) begin() (turn uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running[n.turn%2]++
	return n.turn
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
	if n.running[(n.turn+1)%2] == 0 {
		n.turn++
	}
}

// since tells whether an operation may run that began in a turn or before.
func (n *namings) since(turn uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.turn < turn+2 && n.running[0]+n.running[1] > 0
}
