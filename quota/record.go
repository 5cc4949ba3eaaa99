// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// Record is what is persisted of a home.
type Record struct {
	Hub, Home vfs.HomeID
	// Birth tells the home's directory from a later one with the same number.
	Birth int64
	Used  Usage
	// Past is what was let in from the reserve.
	Past Usage
	// Written is the last write, in nanoseconds; 0: none is known.
	Written int64
	// Dirty: Used is not to be believed. The home is to be counted.
	Dirty bool
}

// Resting is what is persisted of a file whose charge may change by itself.
type Resting struct {
	Home    vfs.HomeID
	Handle  vfs.Handle
	Number  uint64
	Birth   int64
	Charged int64
}

// Load gives the ledger what was persisted, before the hubs are known. generation is that of the records; 0 where there are
// none. Homes that are marked as changed since then are dirty in them.
func (l *Ledger) Load(generation uint64, records []Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.generation.Store(generation)
	for _, r := range records {
		l.kept[r.Home] = r
	}
}

// Resume gives the ledger the files whose charges may change by themselves, after the hubs are known.
func (l *Ledger) Resume(files []Resting) {
	for _, f := range files {
		l.mu.Lock()
		a := l.accounts[f.Home]
		if r, ok := l.kept[f.Home]; ok {
			r.Dirty = true // nobody can look at the file while its hub is not served
			l.kept[f.Home] = r
		}
		l.mu.Unlock()
		if a == nil || a.unsure {
			continue // it is counted, or is not there
		}
		n := l.inodes.hold(f.Handle, a, 0)
		n.mu.Lock()
		l.remember(n, &vfs.Attr{Type: vfs.Regular, FileID: f.Number, Used: 1, Birth: born(f.Birth)}, f.Charged)
		n.mu.Unlock()
		l.inodes.release(n)
	}
}

// born is birthOf's inverse.
func born(birth int64) time.Time {
	if birth == 0 {
		return time.Time{}
	}
	return time.Unix(0, birth)
}

// restore makes an account what its record says.
func (a *account) restore(r *Record) {
	a.used, a.past, a.unsure, a.fresh = r.Used, r.Past, r.Dirty, false
	if r.Written != 0 {
		a.lastWrite = time.Unix(0, r.Written)
	}
	a.hub.mu.Lock()
	a.hub.used = a.hub.used.plus(r.Used)
	a.hub.mu.Unlock()
}

// Snapshot begins a generation of the ledger and returns what is to be persisted of it. From here on, whoever changes a home
// has it marked in that generation first, but for homes whose record is dirty. Where persisting fails, the generation is
// begun again.
//
// last says that no operation runs or will run any more: then files whose charges may change by themselves are returned
// too, and do not make their homes dirty; and what is open and has no name is given back, since it goes with the process.
func (l *Ledger) Snapshot(generation uint64, last bool) ([]Record, []Resting) {
	l.collectAll()
	l.mu.RLock()
	defer l.mu.RUnlock()
	if last {
		l.inodes.unlinked(l.bury)
	}
	before := l.generation.Swap(generation)
	records := make([]Record, 0, len(l.accounts)+len(l.kept))
	for _, r := range l.kept {
		records = append(records, r)
	}
	for _, a := range l.accounts {
		records = append(records, a.record(before, generation, last))
	}
	if !last {
		return records, nil
	}
	return records, l.resting()
}

// record is an account's record in a generation. Where it is dirty, the account is as good as marked in it; but not in the one
// before, which is what a crash leaves until this one is persisted: an operation may be about to have it marked there.
func (a *account) record(before, generation uint64, last bool) Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := Record{Hub: a.hub.id, Home: a.id, Birth: a.birth, Used: a.used, Past: a.past}
	if !a.lastWrite.IsZero() {
		r.Written = a.lastWrite.UnixNano()
	}
	r.Dirty = a.unsure || a.fresh || a.count != nil || a.ops > 0 || a.marked >= generation && !last ||
		!last && a.recorded.Load() > 0
	if r.Dirty && a.marked >= before {
		a.marked = max(a.marked, generation)
	}
	return r
}

// resting returns the files whose charges may change by themselves. l.mu is held.
func (l *Ledger) resting() []Resting {
	var files []Resting
	for i := range l.inodes.byNumber {
		b := &l.inodes.byNumber[i]
		b.mu.Lock()
		for _, n := range b.m {
			if !n.buried.Load() && !n.settled() {
				files = append(files, Resting{Home: n.a.id, Handle: n.handle, Number: n.number, Birth: n.birth, Charged: n.charged})
			}
		}
		b.mu.Unlock()
	}
	return files
}

// RestSweeps is after how many calls of Sweep a file that is not changed takes what it will take.
const RestSweeps = 60

// sweepers is how many files Sweep looks at, and syncs, at one time: a disk makes several durable in little more time than one.
const sweepers = 8

// Sweep looks again at files whose charges may have changed by themselves, and forgets those that have come to rest: when
// they are synced and have what their size needs, or when nobody has changed them for RestSweeps calls. The calls are to be
// 10 s apart: XFS gives back within 10 minutes what it took in advance.
//
// It ends when ctx does, and the next one goes on from there. One call at a time.
func (l *Ledger) Sweep(ctx context.Context) {
	l.collectAll()
	now := l.sweeps.Add(1)
	l.mu.RLock()
	for _, a := range l.accounts {
		a.naming.next()
	}
	l.mu.RUnlock()
	var left atomic.Int64
	left.Store(int64(len(l.inodes.byNumber)))
	var wg sync.WaitGroup
	for range sweepers {
		wg.Go(func() {
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				l.sweep(ctx, &l.inodes.byNumber[l.swept.Add(1)%uint64(len(l.inodes.byNumber))], now)
			}
		})
	}
	wg.Wait()
}

// sweep is Sweep for some of the inodes.
func (l *Ledger) sweep(ctx context.Context, b *numbered, now uint64) {
	b.mu.Lock()
	var idle []vfs.Handle
	var accounts []*account
	for _, n := range b.m {
		rests := now-min(now, n.changed.Load()) >= RestSweeps
		if n.settled() || n.unsynced() || rests {
			idle, accounts = append(idle, n.handle), append(accounts, n.a)
		}
	}
	b.mu.Unlock()
	for i, h := range idle {
		if ctx.Err() != nil {
			return
		}
		n := l.inodes.hold(h, accounts[i], 0)
		changed := n.changed.Load()
		l.inodes.retire(n, l.rest(ctx, n, now), changed)
	}
}

// unsynced tells whether there are changes that the file system may not have found a place for.
func (n *inode) unsynced() bool { return n.written.Load() != n.synced.Load() }

// rest looks at a file that nobody may be using, and tells whether it is at rest for good.
func (l *Ledger) rest(ctx context.Context, n *inode, now uint64) bool {
	rests := now-min(now, n.changed.Load()) >= RestSweeps
	if !n.recorded.Load() || n.buried.Load() || l.inodes.open(n) {
		return false
	}
	if n.settled() && !rests {
		return false // it is forgotten, unless somebody needs it
	}
	written := n.written.Load()
	if n.unsynced() && !n.directory {
		// Where the disk cannot sync it, it is not known to have come to rest until nobody has changed it for long.
		switch err := l.sync(ctx, n); {
		case errors.Is(err, syscall.ESTALE):
			return l.lost(ctx, n, err)
		case err != nil && !rests:
			return false
		}
	}
	if _, err := l.settle(ctx, n, l.byHandle(n), rests); err != nil {
		return l.lost(ctx, n, err)
	}
	n.sync(written)
	return rests
}

// sync syncs a file, so that the file system has found a place for all of it.
func (l *Ledger) sync(ctx context.Context, n *inode) error {
	f, err := l.fs.Open(ctx, nil, n.handle, vfs.Read)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Commit(ctx)
	return err
}

// lost is for a file that cannot be looked at any more. One that has gone, and not through the server, leaves its home to be
// counted.
func (l *Ledger) lost(ctx context.Context, n *inode, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return false
	}
	n.a.doubt()
	return errors.Is(err, syscall.ESTALE)
}
