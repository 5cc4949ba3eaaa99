// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"

	"github.com/hubhome/hubhome/vfs"
)

// Attr looks at an open file.
func (o *file) Attr() (vfs.Attr, error) { return o.look(context.Background()) }

// Remembered is how many inodes are.
func (l *Ledger) Remembered() (n int) {
	for i := range l.inodes.byNumber {
		b := &l.inodes.byNumber[i]
		b.mu.Lock()
		n += len(b.m)
		b.mu.Unlock()
	}
	return n
}

// SetMost changes how many inodes are recorded before homes have to be content with their share.
func (l *Ledger) SetMost(n int64) { l.inodes.most = n }

// Held is what is reserved in all hubs.
func (l *Ledger) Held() (held Usage) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, h := range l.hubs {
		h.mu.Lock()
		held = held.plus(h.held)
		h.mu.Unlock()
	}
	return held
}

// Narrow makes a total that of the nearest limit.
var Narrow = narrow
