// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsconn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hubhome/hubhome/oncrpc"
)

// Link is the connection to a server, which is made again when it was lost. Methods may be called concurrently.
type Link struct {
	addr   string
	dialer oncrpc.Dialer
	pace   Pace
	// dialing: who sends to it may make a connection.
	dialing chan struct{}

	mu     sync.Mutex
	client *oncrpc.Client
	closed bool
}

// Pace is called before every request that is sent, and may wait, to bound their rate; an error is the request's. It may
// be called concurrently.
type Pace func(context.Context) error

// NewLink returns a link to "host:port". It connects with the first Get. pace may be nil.
func NewLink(addr string, dialer oncrpc.Dialer, pace Pace) *Link {
	return &Link{addr: addr, dialer: dialer, pace: pace, dialing: make(chan struct{}, 1)}
}

// Get returns the connection. Where it is dead (nil before the first), another one is made: one attempt.
func (l *Link) Get(ctx context.Context, dead *oncrpc.Client) (*oncrpc.Client, error) {
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
	c, err := l.dialer.Dial(ctx, l.addr)
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
func (l *Link) current(dead *oncrpc.Client) (*oncrpc.Client, error) {
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

// Lost is closed when the connection of now has ended. There must have been one.
func (l *Link) Lost() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client.Done()
}

// Close ends the connection, and waits.
func (l *Link) Close() {
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

// Backoff paces attempts: each pause is about twice the one before, from 5 ms to 1 s. One goroutine uses it.
type Backoff struct{ pause time.Duration }

// Wait pauses. The error is ctx's, or oncrpc.ErrClosed where closed has ended.
func (b *Backoff) Wait(ctx, closed context.Context) error {
	b.pause = min(max(2*b.pause, firstPause), maxPause)
	timer := time.NewTimer(b.pause/2 + rand.N(b.pause/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-closed.Done():
		return oncrpc.ErrClosed
	}
}

// Do has send use the connection. A connection that was lost is made again, and send runs once more, as long as again
// says so of the loss: what was under way may or may not have been done. The first repetition comes at once, the others
// after pauses. sent is how often send ran. The error is that of send, of ctx, or oncrpc.ErrClosed.
func (l *Link) Do(ctx, closed context.Context, pace *Backoff, send func(*oncrpc.Client) error, again func(lost error) bool) (sent int, err error) {
	var dead *oncrpc.Client
	for attempt := 0; ; attempt++ {
		if attempt > 1 {
			if e := pace.Wait(ctx, closed); e != nil {
				return sent, fmt.Errorf("%w: %w", e, err)
			}
		}
		var conn *oncrpc.Client
		if conn, err = l.Get(ctx, dead); err != nil {
			if ctx.Err() != nil || errors.Is(err, oncrpc.ErrClosed) {
				return sent, err
			}
			attempt = max(attempt, 1)
			continue
		}
		if l.pace != nil {
			if err := l.pace(ctx); err != nil {
				return sent, err
			}
		}
		sent++
		err = send(conn)
		_, lost := errors.AsType[*oncrpc.ConnError](err)
		if !lost && !errors.Is(err, oncrpc.ErrClosed) || !again(err) {
			return sent, err
		}
		dead = conn
	}
}
