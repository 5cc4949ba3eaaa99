// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hubhome/hubhome/vfs"
)

// block is the unit in which file systems give space, in bytes.
const block = 4096

// inode is what is known of a file while it is open, is being changed, or has a charge that may change by itself: data that
// the file system has yet to find a place for, space that it took in advance and may give back.
//
// What an inode without one of these is charged is what it takes on the disk, which does not change.
type inode struct {
	handle vfs.Handle
	a      *account

	// guarded by the shard of the handle
	refs  int    // operations and open Files
	opens int    // open Files
	turn  uint64 // of the home's namings, when it was used last

	// written and synced count unsynced changes and those of them that were synced.
	written, synced atomic.Uint64
	recorded        atomic.Bool
	// exact: at the last look it took what its size needs, and there is nothing to give back.
	exact atomic.Bool
	// changed is when it was last changed, in sweeps.
	changed atomic.Uint64

	incarnation // set when it is recorded, as directory
	directory   bool

	mu sync.Mutex // held over one look at the file
	// base is what it was charged when it was recorded; charged what it is charged now.
	base, charged int64
	size          uint64
	full          bool // it has no holes
	// dead: its last name is gone.
	dead bool
	// debt is what it owes since its last look. It is guarded by account.mu.
	debt debt
	// past is how much the file has grown by from the reserve, as a long one, since it is known here; pastHeld how much running
	// operations may add. Both are guarded by account.mu.
	past, pastHeld int64
	// buried: it is dead, and not charged any more.
	buried atomic.Bool
}

// settled tells whether the charge cannot change by itself.
func (n *inode) settled() bool {
	return n.written.Load() == n.synced.Load() && n.exact.Load()
}

// sync says that changes are synced, and that the file was looked at since.
func (n *inode) sync(changes uint64) {
	for synced := n.synced.Load(); synced < changes; synced = n.synced.Load() {
		if n.synced.CompareAndSwap(synced, changes) {
			return
		}
	}
}

// inodes finds inodes by handle and, those that are recorded, by number.
type inodes struct {
	seed     maphash.Seed
	byHandle [64]handled
	byNumber [256]numbered
	// recorded are in byNumber or were, of so many homes. Beyond most, homes have to be content with their share.
	recorded, homes atomic.Int64
	most            int64
}

// mostInodes is how many inodes are recorded before homes have to be content with their share, some 350 bytes each: as many as
// several busy hubs have files that were written in 10 minutes and may change by themselves. All homes together have at most
// twice as many, and those that are in use or were just now.
const mostInodes = 512 << 10

type handled struct {
	mu sync.Mutex
	m  map[vfs.Handle]*inode
}

type numbered struct {
	mu sync.Mutex
	m  map[incarnation]*inode
	// left counts the inodes that went.
	left uint64
}

// incarnation tells an inode from others with its number, which is given to a new one as soon as the last name of the old one
// is gone, and that may be before that is known here.
type incarnation struct {
	number uint64
	birth  int64
}

func (t *inodes) init() {
	t.seed, t.most = maphash.MakeSeed(), mostInodes
	for i := range t.byHandle {
		t.byHandle[i].m = map[vfs.Handle]*inode{}
	}
	for i := range t.byNumber {
		t.byNumber[i].m = map[incarnation]*inode{}
	}
}

func (t *inodes) numbered(number uint64) *numbered {
	return &t.byNumber[(number*0x9e3779b97f4a7c15)>>56]
}

// hold finds or makes the inode of a handle, and keeps it until release. opens is 1 for an open File, which keeps the file
// itself, else 0.
func (t *inodes) hold(h vfs.Handle, a *account, opens int) *inode {
	s := &t.byHandle[maphash.String(t.seed, string(h))%uint64(len(t.byHandle))]
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.m[h]
	if n == nil {
		n = &inode{handle: h, a: a}
		s.m[h] = n
	}
	n.refs++
	n.opens += opens
	return n
}

// closed says that a File of an inode is closed.
func (t *inodes) closed(n *inode) {
	s := &t.byHandle[maphash.String(t.seed, string(n.handle))%uint64(len(t.byHandle))]
	s.mu.Lock()
	defer s.mu.Unlock()
	n.opens--
}

// open tells whether there is a File of an inode.
func (t *inodes) open(n *inode) bool {
	s := &t.byHandle[maphash.String(t.seed, string(n.handle))%uint64(len(t.byHandle))]
	s.mu.Lock()
	defer s.mu.Unlock()
	return n.opens > 0
}

// unlinked calls do with every inode that is open, has no name and is charged, its lock held.
func (t *inodes) unlinked(do func(*inode)) {
	for i := range t.byHandle {
		s := &t.byHandle[i]
		s.mu.Lock()
		all := slices.Collect(maps.Values(s.m))
		s.mu.Unlock()
		for _, n := range all {
			n.mu.Lock()
			if n.dead && !n.buried.Load() {
				do(n)
			}
			n.mu.Unlock()
		}
	}
}

// release gives an inode back that was used. It is forgotten when nobody holds it, its charge cannot change by itself, and no
// operation runs that makes or removes a name in its home and began before: such a one has to know what others have charged
// to its inode meanwhile.
func (t *inodes) release(n *inode) {
	s := &t.byHandle[maphash.String(t.seed, string(n.handle))%uint64(len(t.byHandle))]
	s.mu.Lock()
	defer s.mu.Unlock()
	n.turn = n.a.naming.now()
	t.drop(s.m, n, false)
}

// retire is release by who has only looked whether the inode is in use. rested: its charge cannot change by itself any more, if it
// was last changed at that sweep.
func (t *inodes) retire(n *inode, rested bool, changed uint64) {
	s := &t.byHandle[maphash.String(t.seed, string(n.handle))%uint64(len(t.byHandle))]
	s.mu.Lock()
	defer s.mu.Unlock()
	t.drop(s.m, n, rested && n.changed.Load() == changed)
}

// drop ends a hold, and forgets the inode where nothing keeps it. The lock of its shard of byHandle, which has m, is held.
func (t *inodes) drop(m map[vfs.Handle]*inode, n *inode, rested bool) {
	n.refs--
	if n.refs > 0 {
		return
	}
	if n.recorded.Load() && !n.buried.Load() {
		settled := rested || n.settled()
		if settled && n.a.naming.since(n.turn) || !settled && !t.crowded(n.a) {
			return
		}
		if !settled {
			n.a.crowd(n.changed.Load())
		}
	}
	delete(m, n.handle)
	if !n.recorded.Load() {
		return
	}
	b := t.numbered(n.number)
	b.mu.Lock()
	if b.m[n.incarnation] == n {
		delete(b.m, n.incarnation)
		b.left++
	}
	b.mu.Unlock()
	t.recorded.Add(-1)
	if n.a.recorded.Add(-1) == 0 {
		t.homes.Add(-1)
	}
}

// crowded tells whether no more inodes of a home are to be recorded than have to be: there are too many, and it has more of them
// than the others.
func (t *inodes) crowded(a *account) bool {
	return t.recorded.Load() >= t.most && a.recorded.Load()*t.homes.Load() > t.most
}

// look is how to look at an inode: through an open File, or by its handle.
type look func(context.Context) (vfs.Attr, error)

func (l *Ledger) byHandle(n *inode) look {
	return func(ctx context.Context) (vfs.Attr, error) { return l.fs.GetAttr(ctx, n.handle) }
}

// record remembers what an inode is charged, which must come before it is changed: afterwards, nobody can tell.
func (l *Ledger) record(ctx context.Context, n *inode, at look) error {
	if n.recorded.Load() {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.recorded.Load() {
		return nil
	}
	attr, err := at(ctx)
	if err != nil {
		return err
	}
	l.remember(n, &attr, int64(attr.Used))
	return nil
}

// remember makes an inode one whose charge is known. n.mu is held.
func (l *Ledger) remember(n *inode, attr *vfs.Attr, charged int64) {
	n.incarnation, n.directory = incarnation{attr.FileID, birthOf(attr)}, attr.Type == vfs.Directory
	n.base, n.charged = charged, charged
	n.see(attr)
	l.inodes.recorded.Add(1)
	if n.a.recorded.Add(1) == 1 {
		l.inodes.homes.Add(1)
	}
	b := l.inodes.numbered(n.number)
	b.mu.Lock()
	// A birth is no finer than a clock tick: what lives comes first.
	if o := b.m[n.incarnation]; o == nil || o.buried.Load() || !n.dead && attr.Nlink > 0 {
		b.m[n.incarnation] = n
	}
	b.mu.Unlock()
	n.changed.Store(l.sweeps.Load())
	n.recorded.Store(true)
}

// see keeps what a look showed. n.mu is held.
func (n *inode) see(attr *vfs.Attr) {
	n.size = attr.Size
	n.full = attr.Used >= blocks(attr.Size)
	n.exact.Store(exact(attr.Type, attr.Used, attr.Size))
}

// blocks rounds up to whole blocks.
func blocks(size uint64) uint64 { return (size + block - 1) &^ (block - 1) }

// exact tells whether a file takes what its size needs, or nothing, so that there is nothing that the file system could
// give back by itself. What is no regular file is never given anything in advance.
func exact(t vfs.Type, used, size uint64) bool {
	return t != vfs.Regular || used == 0 || used == blocks(size)
}

// slack is what a file may take beyond its size before that counts as taken in advance: its attributes, and the maps of where its
// data is, of which a block has some 250 (XFS) or 340 extents (ext4).
func slack(size uint64) uint64 { return 4*block + blocks(size/256) }

// chargeOf is what a file that is being changed is charged. XFS takes up to as much again as the file is long, in advance
// of what may be written next (xfs(5), allocsize), and gives it back at the last close or within minutes. Nobody asked for
// it: it is charged only if it is still there when the file has come to rest.
func chargeOf(attr *vfs.Attr) int64 {
	if attr.Type != vfs.Regular {
		return int64(attr.Used)
	}
	return int64(min(attr.Used, blocks(attr.Size)+slack(attr.Size)))
}

// settle charges what an inode takes now, and returns by how much that is more than before. rested: the file has not been
// changed for so long that what it takes is its own.
func (l *Ledger) settle(ctx context.Context, n *inode, at look, rested bool) (int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	owed, _ := n.owes()
	attr, err := at(ctx)
	if err != nil {
		return 0, err
	}
	return l.settleAt(n, &attr, rested, owed), nil
}

// settleAt is settle after a look, before which the inode owed something. n.mu is held.
func (l *Ledger) settleAt(n *inode, attr *vfs.Attr, rested bool, owed int64) int64 {
	n.see(attr)
	now := int64(attr.Used)
	if !rested {
		now = chargeOf(attr)
		n.changed.Store(l.sweeps.Load())
	}
	by := now - n.charged
	n.charged = now
	if n.buried.Load() {
		n.repay(owed)
	} else {
		n.a.add(n, Usage{Bytes: by}, owed, !rested)
	}
	return by
}

// born charges an inode that an operation has made. It may have been looked up and changed by others already, and removed.
func (l *Ledger) born(n *inode, attr *vfs.Attr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if base, gone := l.graves.find(n.handle); gone {
		// It was given back before it was charged.
		n.a.mu.Lock()
		n.a.charge(Usage{base, 1})
		n.a.mu.Unlock()
		return
	}
	if !n.recorded.Load() {
		l.remember(n, attr, int64(attr.Used))
	}
	n.a.mu.Lock()
	defer n.a.mu.Unlock()
	n.a.charge(Usage{n.base, 1})
	n.a.lend(Usage{n.base, 1})
	n.a.trim()
	c := n.a.count
	if c == nil {
		return
	}
	if n.birth != 0 && !c.Young(n.birth) {
		// It is made now and older than the count: the clock has gone back. Its number may be one that was visited, of another.
		n.a.unsure = true
	}
	if c.see(n.number, n.birth, n.handle) {
		c.add(Usage{n.charged, 1})
	}
}

// died gives back what an inode was charged whose last name is gone: now, or where it is open, when its last File is closed.
// gone is what it was before its name went.
func (l *Ledger) died(n *inode, gone *vfs.Attr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return
	}
	if _, found := l.graves.find(n.handle); found {
		return // who removed another name of it was here first
	}
	n.dead = true
	if !n.recorded.Load() {
		l.remember(n, gone, int64(gone.Used))
	}
	if !l.inodes.open(n) {
		l.bury(n)
	}
}

// bury gives back what a dead inode was charged. n.mu is held.
func (l *Ledger) bury(n *inode) {
	if n.buried.Swap(true) {
		return
	}
	l.graves.add(n.handle, n.base)
	a := n.a
	a.mu.Lock()
	defer a.mu.Unlock()
	a.charge(Usage{-n.charged, -1})
	if a.count != nil && !a.count.see(n.number, n.birth, n.handle) {
		a.count.add(Usage{-n.charged, -1})
	}
	a.trim()
}

// reopened charges again an inode that was given back as removed while it was being opened.
func (l *Ledger) reopened(ctx context.Context, n *inode, at look) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, gone := l.graves.find(n.handle); !gone || n.dead && !n.buried.Load() {
		return nil
	}
	attr, err := at(ctx)
	if err != nil {
		return err
	}
	if n.buried.Swap(false) { // somebody else had to do with it when it was
		n.charged = 0
	}
	n.dead = true
	if !n.recorded.Load() {
		l.remember(n, &attr, 0)
	}
	n.a.exhume(n)
	l.settleAt(n, &attr, false, 0)
	return nil
}

// exhume charges the inode of a file that is open and was given back as removed. n.mu is held.
func (a *account) exhume(n *inode) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.charge(Usage{Inodes: 1})
	a.lend(Usage{Inodes: 1})
	a.trim()
	if c := a.count; c != nil {
		c.see(n.number, n.birth, n.handle)
		c.add(Usage{Inodes: 1})
	}
}

// closed gives back a File's hold on an inode, and the inode's charge, where that was its last.
func (l *Ledger) closed(ctx context.Context, n *inode) {
	l.inodes.closed(n)
	n.mu.Lock()
	switch {
	case n.dead && !l.inodes.open(n): // somebody may just have found that it is charged, who has it open now
		l.bury(n)
	case n.recorded.Load() && !n.dead && !n.exact.Load():
		// Some file systems give back now what they had taken in advance.
		owed, _ := n.owes()
		if attr, err := l.fs.GetAttr(ctx, n.handle); err == nil {
			l.settleAt(n, &attr, false, owed)
		}
	}
	n.mu.Unlock()
	l.inodes.release(n)
}
