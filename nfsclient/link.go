// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hubhome/hubhome/oncrpc"
)

// link is the connection to the server, which is made again when it was lost. Methods may be called concurrently.
type link struct {
	addr string
	// dialing: who sends to it may make a connection.
	dialing chan struct{}

	mu     sync.Mutex
	client *oncrpc.Client
	closed bool
}

// get returns the connection. Where it is dead (nil before the first), another one is made: one attempt.
func (l *link) get(ctx context.Context, dead *oncrpc.Client) (*oncrpc.Client, error) {
	if c, err := l.current(dead); c != nil || err != nil {
		return c, err
	}
	select {
	case l.dialing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-l.dialing }()
	if c, err := l.current(dead); c != nil || err != nil {
		return c, err
	}
	c, err := oncrpc.Dial(ctx, l.addr)
	if err != nil {
		return nil, err
	}
	if dead != nil {
		dead.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		c.Close()
		return nil, oncrpc.ErrClosed
	}
	l.client = c
	return c, nil
}

// current returns the connection where there is one that is not known to be dead.
func (l *link) current(dead *oncrpc.Client) (*oncrpc.Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, oncrpc.ErrClosed
	}
	if l.client == dead {
		return nil, nil
	}
	return l.client, nil
}

// lost is closed when the connection of now has ended.
func (l *link) lost() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client.Done()
}

// close ends the connection, and waits.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	c := l.client
	l.mu.Unlock()
	if c != nil {
		c.Close()
	}
}

// The times between attempts.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
)

// backoff paces attempts: each pause is about twice the one before.
type backoff struct{ pause time.Duration }

// wait pauses. The error is ctx's, or oncrpc.ErrClosed where the FS was closed.
func (fs *FS) wait(ctx context.Context, b *backoff) error {
	b.pause = min(max(2*b.pause, firstPause), maxPause)
	timer := time.NewTimer(b.pause/2 + rand.N(b.pause/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-fs.ctx.Done():
		return oncrpc.ErrClosed
	}
}
