// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

const (
	// A home that has to be counted again and again is, after a pause that begins so and doubles: a directory that cannot be
	// read is not read for ever, and a home is not walked at every moment because something in it fails at every moment.
	firstPause = sweepTime
	lastPause  = time.Hour
	// retellTime is between two lines in the log about a home that cannot be counted for the same reason as before.
	retellTime = 24 * time.Hour
)

// retries are the homes that were counted lately. Methods may be called concurrently.
type retries struct {
	mu sync.Mutex
	m  map[vfs.HomeID]*retry
}

// retry is a home that was counted.
type retry struct {
	pause time.Duration
	due   time.Time // not before then again
	// why it could not be counted, and when that was told; nil: it was.
	why  error
	told time.Time
}

// due returns those of the homes to be counted that may be at a moment, and forgets others that have not been for long. news:
// of one of them nothing was told yet.
func (t *retries) due(homes []vfs.HomeID, now time.Time) (due []vfs.HomeID, news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	again := map[vfs.HomeID]bool{}
	for _, id := range homes {
		again[id] = true
		switch r := t.m[id]; {
		case r == nil:
			due, news = append(due, id), true
		case !now.Before(r.due):
			due = append(due, id)
		}
	}
	for id, r := range t.m {
		if !again[id] && now.After(r.due.Add(r.pause)) {
			delete(t.m, id)
		}
	}
	return due, news
}

// counted says that a home was counted, or why it could not be. It returns when that may be tried again, whether the log is to
// hear of it, and whether the home could not be counted before.
func (t *retries) counted(id vfs.HomeID, now time.Time, why error) (pause time.Duration, tell, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.m[id]
	if r == nil {
		r = &retry{pause: firstPause / 2}
		if t.m == nil {
			t.m = map[vfs.HomeID]*retry{}
		}
		t.m[id] = r
	}
	failed = r.why != nil
	tell = why != nil && (!failed || reason(why) != reason(r.why) || now.Sub(r.told) >= retellTime)
	if tell {
		r.told = now
	}
	r.pause, r.why = min(2*r.pause, lastPause), why
	r.due = now.Add(r.pause)
	return r.pause, tell, failed
}

// reason is what is wrong, whichever of the files it was found at first.
func reason(err error) any {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err.Error()
}
