// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// MaxRecord is the longest message in bytes that a Server or a Client takes: a payload of 1 MiB and what is around it.
const MaxRecord = 1<<20 + 64<<10

// The sizes of pooled buffers. Each is sixteen times the one before, and holds a payload of a power of two with a header.
const (
	smallBuffer  = 4 << 10
	mediumBuffer = 68 << 10
	largeBuffer  = MaxRecord + 4<<10
)

var (
	smallPool  = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	mediumPool = sync.Pool{New: func() any { return new([mediumBuffer]byte) }}
	largePool  = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// bufferFor returns the size of the smallest pooled buffer that holds n bytes; n where none does.
func bufferFor(n int) int {
	switch {
	case n <= smallBuffer:
		return smallBuffer
	case n <= mediumBuffer:
		return mediumBuffer
	}
	return max(n, largeBuffer)
}

// getBuffer returns an empty buffer with room for n bytes. It is not cleared.
func getBuffer(n int) []byte {
	switch size := bufferFor(n); size {
	case smallBuffer:
		return smallPool.Get().(*[smallBuffer]byte)[:0]
	case mediumBuffer:
		return mediumPool.Get().(*[mediumBuffer]byte)[:0]
	case largeBuffer:
		return largePool.Get().(*[largeBuffer]byte)[:0]
	default:
		return make([]byte, 0, size)
	}
}

// putBuffer gives back a buffer of getBuffer. Nothing may refer to it any more.
func putBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		smallPool.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case mediumBuffer:
		mediumPool.Put((*[mediumBuffer]byte)(b[:mediumBuffer]))
	case largeBuffer:
		largePool.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	}
}

// errNoMemory is the error of a wait for memory that was in vain.
var errNoMemory = errors.New("no memory left for messages")

// budget bounds the memory of many buffers. Nobody waits for it while holding a part of it, so that a wait ends when
// those who hold it do.
type budget struct {
	bytes *semaphore.Weighted
	total int64
	// patience is how long to wait for others to give back; zero: as long as it takes.
	patience time.Duration
	// whole, where set, is the budget that this one is a share of. What is taken here is taken there too.
	whole *budget
}

func newBudget(total int64, patience time.Duration) *budget {
	return &budget{bytes: semaphore.NewWeighted(total), total: total, patience: patience}
}

// share returns a budget of an eighth of b, and at least one buffer, so that no connection can take all. It is waited
// for without end: what is taken there is held up by one client's own requests alone.
func (b *budget) share() *budget {
	s := newBudget(max(b.total/8, largeBuffer), 0)
	s.whole = b
	return s
}

// charge is what a buffer counts for: what it has, and no more than there is.
func (b *budget) charge(size int) int64 { return min(int64(size), b.total) }

// take returns an empty buffer with room for n bytes, or errNoMemory.
func (b *budget) take(ctx context.Context, n int) ([]byte, error) {
	if !b.acquire(ctx, bufferFor(n)) {
		return nil, errNoMemory
	}
	return getBuffer(n), nil
}

// give gives back a buffer of take. Nothing may refer to it any more.
func (b *budget) give(buf []byte) {
	b.release(cap(buf))
	putBuffer(buf)
}

// grow exchanges a buffer for one with its contents and room for n bytes more. After errNoMemory the buffer is still
// the caller's, and counts for nothing any more.
func (b *budget) grow(ctx context.Context, buf []byte, n int) ([]byte, error) {
	b.release(cap(buf)) // before the wait
	bigger, err := b.take(ctx, len(buf)+n)
	if err != nil {
		return nil, err
	}
	bigger = append(bigger, buf...)
	putBuffer(buf)
	return bigger, nil
}

// acquire waits for size bytes, of the share first.
func (b *budget) acquire(ctx context.Context, size int) bool {
	if !b.bytes.TryAcquire(b.charge(size)) && !b.await(ctx, size) {
		return false
	}
	if b.whole != nil && !b.whole.acquire(ctx, size) {
		b.bytes.Release(b.charge(size))
		return false
	}
	return true
}

func (b *budget) await(ctx context.Context, size int) bool {
	if b.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.patience)
		defer cancel()
	}
	return b.bytes.Acquire(ctx, b.charge(size)) == nil
}

func (b *budget) release(size int) {
	b.bytes.Release(b.charge(size))
	if b.whole != nil {
		b.whole.release(size)
	}
}
