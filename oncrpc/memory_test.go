// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bytes"
	"context"
	"testing"
	"time"
)

// TestBuffers: a buffer has room for what was asked, and counts for what it has.
func TestBuffers(t *testing.T) {
	b := newBudget(16*largeBuffer, 0)
	for _, test := range []struct{ n, want int }{
		{0, smallBuffer}, {smallBuffer, smallBuffer}, {smallBuffer + 1, mediumBuffer}, {mediumBuffer, mediumBuffer},
		{mediumBuffer + 1, largeBuffer}, {largeBuffer, largeBuffer}, {largeBuffer + 1, largeBuffer + 1},
	} {
		buf, err := b.take(t.Context(), test.n)
		if err != nil {
			t.Fatal(err)
		}
		if len(buf) != 0 || cap(buf) != test.want || held(b) != int64(test.want) {
			t.Errorf("for %d bytes there is a buffer of %d, %d in use; %d are held", test.n, cap(buf), len(buf), held(b))
		}
		b.give(buf)
		expectAllGiven(t, b)
	}
}

// TestGrow keeps the contents, through all sizes.
func TestGrow(t *testing.T) {
	b := newBudget(4*largeBuffer, 0)
	buf, err := b.take(t.Context(), 1)
	for _, size := range []int{0, 1, smallBuffer - 1, smallBuffer, mediumBuffer - 1, mediumBuffer, largeBuffer - 1, largeBuffer} {
		if err != nil {
			t.Fatal(err)
		}
		want := randomBytes(size)
		buf = append(buf[:0], want...)
		buf, err = b.grow(t.Context(), buf, 1)
		if !bytes.Equal(buf, want) || cap(buf) <= size {
			t.Errorf("%d bytes became %d with room for %d", size, len(buf), cap(buf))
		}
		if held(b) != int64(cap(buf)) {
			t.Errorf("for a buffer of %d bytes %d are held", cap(buf), held(b))
		}
	}
	b.give(buf)
	expectAllGiven(t, b)
}

// TestGrowInVain: a buffer that could not grow counts for nothing any more, and may still be read.
func TestGrowInVain(t *testing.T) {
	b := newBudget(smallBuffer+mediumBuffer, time.Millisecond)
	buf, err := b.take(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	buf = append(buf, "what is in it"...)
	if !b.acquire(t.Context(), mediumBuffer) {
		t.Fatal("the budget is not free")
	}
	if bigger, err := b.grow(t.Context(), buf, smallBuffer); err != errNoMemory || bigger != nil {
		t.Errorf("%d bytes, %v", len(bigger), err)
	}
	if held(b) != mediumBuffer || string(buf) != "what is in it" {
		t.Errorf("%d bytes are held, and the buffer has %q", held(b), buf)
	}
	b.release(mediumBuffer)
	expectAllGiven(t, b)
}

// TestShares: no share takes more than an eighth, whoever waits for its own share ends by its context, and one that gets
// nothing of the whole gives back what it got of the share.
func TestShares(t *testing.T) {
	whole := newBudget(16*largeBuffer, time.Millisecond)
	one, other := whole.share(), whole.share()
	for range 2 {
		if !one.acquire(t.Context(), largeBuffer) {
			t.Fatal("the share is not an eighth")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if one.acquire(ctx, smallBuffer) {
		t.Error("the share is more than an eighth")
	}
	if !other.acquire(t.Context(), largeBuffer) || held(whole) != 3*largeBuffer {
		t.Errorf("another share gets nothing, or %d bytes of the whole are held", held(whole))
	}
	rest := int(whole.total - held(whole))
	if !whole.acquire(t.Context(), rest) {
		t.Fatal("the whole is not free")
	}
	if buf, err := other.take(t.Context(), 1); err != errNoMemory {
		t.Errorf("beyond the whole: %d bytes, %v", cap(buf), err)
	}
	if held(other) != largeBuffer {
		t.Errorf("%d bytes of the share are held", held(other))
	}
	whole.release(rest)
	other.release(largeBuffer)
	one.release(2 * largeBuffer)
	expectAllGiven(t, one)
	expectAllGiven(t, other)
	expectAllGiven(t, whole)
}

// TestSmallWhole: a share is never less than a buffer, and where the whole is, one buffer may have all of it.
func TestSmallWhole(t *testing.T) {
	whole := newBudget(smallBuffer, time.Millisecond)
	share := whole.share()
	buf, err := share.take(t.Context(), largeBuffer)
	if err != nil {
		t.Fatal(err)
	}
	if held(whole) != smallBuffer || held(share) != largeBuffer {
		t.Errorf("%d bytes of the whole are held, %d of the share", held(whole), held(share))
	}
	if _, err := whole.share().take(t.Context(), 1); err != errNoMemory {
		t.Errorf("there is still more: %v", err)
	}
	share.give(buf)
	expectAllGiven(t, share)
	expectAllGiven(t, whole)
}
