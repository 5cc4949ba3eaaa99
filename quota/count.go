// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

// Count counts what a home takes, while it is used. Somebody walks the home and calls Visit for everything in it, in any
// order, concurrently, also twice; files that were moved while it ran are shown to the walker by Moved. What an operation
// changes of an inode that was visited is added to the count, and of one that was not is found by the visit: none is lost
// and none counted twice.
//
// Which inodes were visited is one bit for each number in the runs of 64 that the home has any of. The numbers of removed
// inodes are given to new ones at once: those that were made since the count began are told apart by their handles.
type Count struct {
	l *Ledger
	a *account
	// unsure is what the account's was.
	unsure bool
	// since is shortly before the count began, in nanoseconds.
	since int64

	bytes, inodes atomic.Int64
	last          atomic.Int64 // the last write, in nanoseconds
	published     Usage        // guarded by a.mu
	turn          uint64       // of the home's namings, when the count began
	shards        [64]struct {
		mu      sync.Mutex
		bits    map[uint64]uint64
		entered map[uint64]struct{} // directories
		young   map[vfs.Handle]struct{}
	}

	movedMu sync.Mutex
	moved   map[vfs.Handle]struct{}
	// handles is how many are in young and moved; overrun: one is not.
	handles atomic.Int64
	overrun atomic.Bool
}

// Found is what a walker sees of a file.
type Found struct {
	Number uint64
	Type   vfs.Type
	// Used and Size are in bytes.
	Used, Size uint64
	// Written is when it was last changed, in nanoseconds.
	Written int64
	// Birth is when it was made, as Home has it.
	Birth int64
	// Recent: it was changed so lately that what it takes may change by itself, and it is not Exact.
	Recent bool
	// Handle is set where it is Recent or Young.
	Handle vfs.Handle
}

// Exact tells whether a file takes what its size needs, so that there is nothing that the file system could give back.
func (f *Found) Exact() bool { return exact(f.Type, f.Used, f.Size) }

// Uncounted returns the homes that are to be counted: those that were never, that were being changed when a server ended
// without having said so, and that something went wrong with. One of which not all is known that may change by itself is when
// that has come to rest.
func (l *Ledger) Uncounted() []vfs.HomeID {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var all []vfs.HomeID
	now := l.sweeps.Load()
	for id, a := range l.accounts {
		a.mu.Lock()
		rests := !a.crowded || now >= a.crowdedAt+RestSweeps
		if a.unsure && a.count == nil && a.hub.served && rests {
			all = append(all, id)
		}
		a.mu.Unlock()
	}
	return all
}

// Begin begins a count of a home: ENOENT where there is no such home, EBUSY where somebody counts it already. Done, Compare, Leave
// or Cancel must follow. now is the time by the clock of the file system.
func (l *Ledger) Begin(home vfs.HomeID, now time.Time) (*Count, error) {
	a := l.known(home)
	if a == nil {
		return nil, syscall.ENOENT
	}
	const coarse = time.Second // more than a time stamp can be behind
	c := &Count{l: l, a: a, since: now.Add(-coarse).UnixNano()}
	for i := range c.shards {
		c.shards[i].bits = map[uint64]uint64{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count != nil {
		return nil, syscall.EBUSY
	}
	c.unsure = a.unsure
	a.unsure, a.crowded = false, false // what goes wrong from here on makes another count
	a.count = c
	c.turn = a.naming.now()
	return c, nil
}

func (c *Count) add(by Usage) {
	c.bytes.Add(by.Bytes)
	c.inodes.Add(by.Inodes)
}

// Young tells whether what has a birth was made since the count began.
func (c *Count) Young(birth int64) bool { return birth >= c.since }

// seen tells whether an inode was visited.
func (c *Count) seen(number uint64, birth int64, h vfs.Handle) bool {
	word := number >> 6
	s := &c.shards[(word*0x9e3779b97f4a7c15)>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Young(birth) {
		_, seen := s.young[h]
		return seen
	}
	return s.bits[word]&(1<<(number&63)) != 0
}

// Overrun tells whether more was made or moved since the count began than is remembered. What is not was not counted, and the
// count must be given up.
func (c *Count) Overrun() bool { return c.overrun.Load() }

// isFull tells whether no more is remembered of what was made and moved, for who is about to.
func (c *Count) isFull() bool {
	if c.handles.Load() < c.l.inodes.most {
		return false
	}
	c.overrun.Store(true)
	return true
}

// see makes an inode one that was visited, and tells whether it was not before.
func (c *Count) see(number uint64, birth int64, h vfs.Handle) bool {
	word, bit := number>>6, uint64(1)<<(number&63)
	s := &c.shards[(word*0x9e3779b97f4a7c15)>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Young(birth) {
		_, seen := s.young[h]
		if seen || c.isFull() {
			return false
		}
		if s.young == nil {
			s.young = map[vfs.Handle]struct{}{}
		}
		s.young[h] = struct{}{}
		c.handles.Add(1)
		return true
	}
	was := s.bits[word]
	s.bits[word] = was | bit
	return was&bit == 0
}

// Enter tells whether a directory was not entered before. All that is in it must be visited then, also where the directory
// itself was counted already.
func (c *Count) Enter(number uint64) bool {
	s := &c.shards[(number>>6*0x9e3779b97f4a7c15)>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, was := s.entered[number]; was {
		return false
	}
	if s.entered == nil {
		s.entered = map[uint64]struct{}{}
	}
	s.entered[number] = struct{}{}
	return true
}

// entered tells whether a directory was entered.
func (c *Count) entered(number uint64) bool {
	s := &c.shards[(number>>6*0x9e3779b97f4a7c15)>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	_, was := s.entered[number]
	return was
}

// Where returns the place of the home: its hub's name and its own, which is empty for what lies in the hub's directory and
// in no home, and the inode numbers of these directories.
func (c *Count) Where() (hub hubhome.HubName, name string, hubID, id vfs.HomeID) {
	c.l.mu.RLock()
	defer c.l.mu.RUnlock()
	return c.a.hub.name, c.a.name, c.a.hub.id, c.a.id
}

// Sum is what was counted so far.
func (c *Count) Sum() Usage { return Usage{c.bytes.Load(), c.inodes.Load()} }

// Visit counts an inode that the walker found under a number, unless it was counted before. look looks at it; its error is
// Visit's.
func (c *Count) Visit(number uint64, look func() (Found, error)) error {
	b := c.l.inodes.numbered(number)
	b.mu.Lock()
	left := b.left
	b.mu.Unlock()
	found, err := look()
	if err != nil {
		return err
	}
	again := found.Number != number // its name has gone to another meanwhile
	number = found.Number
	b = c.l.inodes.numbered(number)
	if found.Recent {
		c.watch(&found)
	}
	for {
		b.mu.Lock()
		if n := b.m[incarnation{number, found.Birth}]; n != nil {
			b.mu.Unlock()
			if c.visitRecorded(b, n, &found) {
				return nil
			}
			again = true
			continue
		}
		if !again && b.left == left {
			c.visitResting(&found)
			b.mu.Unlock()
			return nil
		}
		// Somebody has used it since the look, or it is gone and its number another's. Nobody does now.
		again, left = false, b.left
		found, err = look()
		b.mu.Unlock()
		if err != nil || found.Number != number {
			return err // who moved its name has shown it
		}
	}
}

// visitRecorded counts what an inode is charged; false where it is not recorded any more. One that is charged to another home was
// moved behind the server's back while somebody uses it: then the home is to be counted again, until nobody does.
func (c *Count) visitRecorded(b *numbered, n *inode, f *Found) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.m[n.incarnation] != n {
		return false
	}
	switch {
	case n.buried.Load():
	case n.a != c.a:
		c.a.doubt()
		if c.see(f.Number, f.Birth, f.Handle) {
			c.add(Usage{int64(f.Used), 1})
		}
	case c.see(n.number, n.birth, n.handle):
		c.add(Usage{n.charged, 1})
	}
	return true
}

// visitResting counts what an inode takes that nobody uses. Nobody can record it meanwhile: the lock of its number is held.
func (c *Count) visitResting(f *Found) {
	if !c.see(f.Number, f.Birth, f.Handle) {
		return
	}
	c.add(Usage{int64(f.Used), 1})
	for {
		last := c.last.Load()
		if f.Written <= last || c.last.CompareAndSwap(last, f.Written) {
			return
		}
	}
}

// watch remembers a file whose charge may still change by itself, and charges it, as if the server had just written it: Sweep
// will look at it again.
func (c *Count) watch(f *Found) {
	n := c.l.inodes.hold(f.Handle, c.a, 0)
	defer c.l.inodes.release(n)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.recorded.Load() {
		return
	}
	attr, err := c.l.fs.GetAttr(context.Background(), f.Handle)
	if err != nil {
		return // it has gone
	}
	c.l.remember(n, &attr, int64(attr.Used))
	c.l.settleAt(n, &attr, false, 0)
	n.written.Add(1)
}

// show puts what was moved on the walker's list, if it was not visited yet.
func (l *Ledger) show(a *account, e *vfs.Entry) {
	a.mu.Lock()
	c := a.count
	a.mu.Unlock()
	if c == nil || c.seen(e.Attr.FileID, birthOf(&e.Attr), e.Handle) && (e.Attr.Type != vfs.Directory || c.entered(e.Attr.FileID)) {
		return
	}
	c.movedMu.Lock()
	defer c.movedMu.Unlock()
	if _, is := c.moved[e.Handle]; is || c.isFull() {
		return
	}
	if c.moved == nil {
		c.moved = map[vfs.Handle]struct{}{}
	}
	c.moved[e.Handle] = struct{}{}
	c.handles.Add(1)
}

// counting tells whether somebody counts the home.
func (a *account) counting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count != nil
}

// Moved returns what was moved since the last call, in the home: the walker may have been where it is before it was there.
func (c *Count) Moved() []vfs.Handle {
	c.movedMu.Lock()
	defer c.movedMu.Unlock()
	moved := slices.Collect(maps.Keys(c.moved))
	c.moved = nil
	c.handles.Add(-int64(len(moved)))
	return moved
}

// Publish makes what was counted so far what is known of a home that was never counted.
func (c *Count) Publish() {
	c.a.mu.Lock()
	defer c.a.mu.Unlock()
	if !c.a.fresh || c.a.count != c {
		return
	}
	now := c.Sum()
	c.a.charge(now.minus(c.published))
	c.published = now
}

// Drained tells whether the operations have ended that make or remove names and began before the count. The walk must wait for
// them: they move files without showing them.
func (c *Count) Drained() bool { return c.a.naming.passed(c.turn) }

// Quiet tells whether no operation runs that makes or removes a name. From its first call on none begins, until the count ends
// or Resume is called. A count must end so: an operation charges what it has made after it has made it, and others may have
// written there before that, or removed it again, so that of what such operations do at that moment the ledger has only a part.
func (c *Count) Quiet() bool { return c.a.naming.pause() }

// Resume lets operations begin again that make or remove names. The end of a count does so while a.mu is held: else it might be
// those that the next one has made wait.
func (c *Count) Resume() { c.a.naming.resume() }

// Done ends a count that is Quiet: what was counted is what is known of the home. It returns that, with what was believed
// before, and whether nothing has happened meanwhile that makes either doubtful. Otherwise the home is to be counted again.
func (c *Count) Done() (counted, before Usage, sure bool) {
	defer c.l.strict(c.a, Usage{})() // what came into the quota is no part of the reserve when more is known to be used
	c.orphans()
	c.a.mu.Lock()
	defer c.a.mu.Unlock()
	defer c.Resume()
	counted, before = c.Sum(), c.a.used
	c.a.charge(counted.minus(before))
	c.a.count, c.a.fresh, c.a.fault = nil, false, fault{}
	c.a.unsure = c.a.unsure || c.Overrun()
	c.written()
	c.a.trim()
	return counted, before, !c.a.unsure
}

// Compare ends a count that is Quiet without any consequence, as Leave does. It returns what was counted, with what is believed
// at that moment, and whether nothing has happened meanwhile that makes either doubtful.
func (c *Count) Compare() (counted, believed Usage, sure bool) {
	defer c.Leave()
	c.orphans()
	c.a.mu.Lock()
	defer c.a.mu.Unlock()
	return c.Sum(), c.a.used, !c.a.unsure && !c.Overrun()
}

// Leave ends a count without any consequence.
func (c *Count) Leave() { c.end(c.unsure) }

// Cancel gives a count up: the home is to be counted again.
func (c *Count) Cancel() { c.end(true) }

// end is for a count that does not say what the home takes. unsure: the home is to be counted again.
func (c *Count) end(unsure bool) {
	c.a.mu.Lock()
	defer c.a.mu.Unlock()
	c.withdraw(unsure)
}

// withdraw ends a count, and takes back what it has published. a.mu is held.
func (c *Count) withdraw(unsure bool) {
	defer c.Resume()
	c.a.count, c.a.unsure = nil, c.a.unsure || unsure
	c.a.charge(Usage{}.minus(c.published))
	c.published = Usage{}
}

// Fail gives a count up of which so many files and directories could not be read, or that did not come to its end at all, and
// says why. The home is to be counted again, and until then takes what was believed, or what was counted where that is more.
func (c *Count) Fail(unread uint64, why error) {
	c.orphans()
	c.a.mu.Lock()
	defer c.a.mu.Unlock()
	c.withdraw(true)
	c.a.charge(c.Sum().minus(c.a.used).positive())
	c.a.fresh, c.a.fault = false, fault{unread, why.Error()}
	c.written()
	c.a.trim()
}

// written keeps the last write that was seen. a.mu is held.
func (c *Count) written() {
	if last := c.last.Load(); last > 0 && c.a.lastWrite.Before(time.Unix(0, last)) {
		c.a.lastWrite = time.Unix(0, last)
	}
}

// orphans counts the files that have no name any more and are open: no walk comes to them.
func (c *Count) orphans() {
	c.l.inodes.unlinked(func(n *inode) {
		if n.a == c.a && c.see(n.number, n.birth, n.handle) {
			c.add(Usage{n.charged, 1})
		}
	})
}
