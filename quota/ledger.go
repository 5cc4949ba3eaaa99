// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package quota knows what every home takes on the disk, and refuses what would take more than it may.
//
// It owns the ledger, which is exact at every moment a request can see, and a vfs.FS around another one that charges it:
// the worst case is reserved before an operation, and what the file system took is settled after it. A charge is the
// inode's: st_blocks, whatever made them. design/quota.md has the reasons.
//
// It does no I/O but through the FS that it wraps, and has no clock and no goroutine that outlives a call: the store persists
// the ledger, walks homes for a Count, and calls Sweep now and then.
//
// One file of the package for each noun: ledger, account, namings, inode (what is known of files that are in use), grave, fs,
// file, debt (writes that were not looked at yet), count, record (what is persisted), report (what is told).
//
// Locks, in the order in which they are taken:
//
//	Ledger.mu            the maps; read by operations that begin with a handle
//	inode.mu             held over one look at the inode, so that it is charged what its last look showed
//	inodes.byHandle[].mu
//	inodes.byNumber[].mu, account.mu
//	hub.mu, namings.mu, Count.shards[].mu, graves.mu
//
// Of these inode.mu is held over a look at the disk, and byNumber[].mu over one at an inode that is being counted and was
// used meanwhile.
package quota

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

// Usage is what something takes: bytes as the file system counts them (st_blocks, stat(2)), and inodes.
type Usage struct{ Bytes, Inodes int64 }

func (u Usage) plus(o Usage) Usage  { return Usage{u.Bytes + o.Bytes, u.Inodes + o.Inodes} }
func (u Usage) minus(o Usage) Usage { return Usage{u.Bytes - o.Bytes, u.Inodes - o.Inodes} }

// Keeper is what the ledger needs of who persists it. Its methods may be called concurrently.
type Keeper interface {
	// Mark makes durable that a home is being changed, so that what was persisted of it is not believed after a crash. It
	// returns the latest generation of the ledger for which that is so. After an error nothing is changed.
	Mark(home vfs.HomeID) (generation uint64, err error)
	// Find places the homes that the ledger does not know, by listing the hubs' directories.
	Find(ctx context.Context) error
	// Now is the time.
	Now() time.Time
}

// Ledger knows the homes of all hubs. Its methods may be called concurrently.
type Ledger struct {
	fs     vfs.FS
	keeper Keeper
	inodes inodes
	graves graves
	// generation is that of the last checkpoint: a home that is changed must be marked in it. Zero: none was made, and
	// nothing has to be marked.
	generation atomic.Uint64
	// sweeps counts the calls of Sweep: it is the ledger's clock.
	sweeps atomic.Uint64
	// swept is the part of the inodes that was looked at last.
	swept   atomic.Uint64
	reserve atomic.Pointer[hubhome.Reserve]

	mu        sync.RWMutex
	listings  uint64 // calls of Listing
	hubs      map[vfs.HomeID]*hub
	accounts  map[vfs.HomeID]*account
	names     map[home]*account
	overrides map[home]hubhome.Quota
	// kept are records of homes that were not found yet: their hubs are not served.
	kept map[vfs.HomeID]Record
}

// home is a home by name: what is said of it outlives its directory.
type home struct {
	hub  hubhome.HubName
	name string
}

// noQuota is the quota that nobody has set.
var noQuota = hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: hubhome.UnlimitedInodes}

// New returns a ledger without hubs for the files of an FS.
func New(fs vfs.FS, keeper Keeper) *Ledger {
	l := &Ledger{
		fs: fs, keeper: keeper,
		hubs: map[vfs.HomeID]*hub{}, accounts: map[vfs.HomeID]*account{}, names: map[home]*account{},
		overrides: map[home]hubhome.Quota{}, kept: map[vfs.HomeID]Record{},
	}
	l.inodes.init()
	l.graves.init()
	l.SetReserve(hubhome.DefaultReserve)
	return l
}

// SetReserve changes the reserve of every home, from the next request on.
func (l *Ledger) SetReserve(r hubhome.Reserve) { l.reserve.Store(&r) }

// Reserve is what every home may still take when its quota is spent.
func (l *Ledger) Reserve() hubhome.Reserve { return *l.reserve.Load() }

// Home is the directory of a home, or of what users share, as it is found in a hub's.
type Home struct {
	ID   vfs.HomeID
	Name string
	// Birth is when the directory was made, in nanoseconds, or 0 where the file system does not keep that: another
	// directory that gets the number of one that has gone has another.
	Birth int64
}

// Hub is a hub that is served, with all that is in its directory.
type Hub struct {
	// Home is the hub's directory; of its own is what lies in it and in no home.
	Home
	Quotas hubhome.Quotas
	Homes  []Home
}

// hub is what all of a hub takes.
type hub struct {
	id     vfs.HomeID
	name   hubhome.HubName // guarded by Ledger.mu, as quotas
	quotas hubhome.Quotas
	served bool

	// asked counts those who want to know exactly what its homes take: nobody goes into debt meanwhile.
	asked atomic.Int32

	mu         sync.Mutex
	limit      hubhome.Quota
	used, held Usage
	// owing are the inodes that owe a look, by their homes.
	owing map[*account]map[*inode]struct{}
}

// Listing says that the hubs' directories are going to be listed for SetHubs. A home that is made after that may be missing in
// the list, and has not gone.
func (l *Ledger) Listing() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listings++
}

// SetHubs makes exactly these hubs known, with their homes, from the next request on. Nothing is forgotten of a hub that goes
// away: it may come back. Of a home that has gone from its hub its record is.
func (l *Ledger) SetHubs(hubs []Hub) {
	defer l.clear()()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range l.hubs {
		h.served = false
	}
	found := map[vfs.HomeID]bool{}
	for _, declared := range hubs {
		h := l.hubs[declared.ID]
		if h == nil {
			h = &hub{id: declared.ID, owing: map[*account]map[*inode]struct{}{}}
			l.hubs[h.id] = h
		}
		h.name, h.quotas, h.served = hubhome.HubName(declared.Name), declared.Quotas, true
		h.mu.Lock()
		h.limit = declared.Quotas.Total.Or(noQuota)
		h.mu.Unlock()
		own := declared.Home
		own.Name = ""
		for _, home := range append([]Home{own}, declared.Homes...) {
			found[home.ID] = true
			l.place(h, home)
		}
	}
	for id, a := range l.accounts {
		if a.hub.served && !found[id] && a.listing < l.listings && !a.busy() {
			l.forget(a)
		}
	}
	for id, r := range l.kept {
		if h := l.hubs[r.Hub]; h != nil && h.served {
			delete(l.kept, id)
		}
	}
	for _, a := range l.accounts { // not before: of a hub that was not known all of its homes must be
		a.relieve()
	}
}

// place makes a home's account, or gives the one that is there its name and its quota. l.mu is held.
func (l *Ledger) place(h *hub, at Home) *account {
	a := l.accounts[at.ID]
	if a != nil && (a.hub != h || a.birth != at.Birth) {
		l.forget(a) // the number has gone to another directory
		a = nil
	}
	if a == nil {
		a = &account{id: at.ID, hub: h, birth: at.Birth, listing: l.listings, unsure: true, fresh: true}
		if r, ok := l.kept[at.ID]; ok && r.Birth == at.Birth && r.Hub == h.id {
			a.restore(&r)
		}
		delete(l.kept, at.ID)
		l.accounts[at.ID] = a
	}
	if l.names[home{h.name, a.name}] == a {
		delete(l.names, home{h.name, a.name})
	}
	a.name = at.Name
	l.names[home{h.name, a.name}] = a
	l.limit(a)
	return a
}

// forget takes an account out, with all that its home takes. Files of it may still be open. l.mu is held.
func (l *Ledger) forget(a *account) {
	a.mu.Lock()
	a.hub.mu.Lock()
	a.hub.used = a.hub.used.minus(a.used)
	a.hub.mu.Unlock()
	a.left = true
	a.mu.Unlock()
	l.drop(a)
}

// drop takes an account out of the maps. l.mu is held.
func (l *Ledger) drop(a *account) {
	delete(l.accounts, a.id)
	if key := (homeKey(a)); l.names[key] == a {
		delete(l.names, key)
	}
}

// adopt makes the account of a home that was made just now, and is empty, and begins an operation in it. A ledger that is
// persisted before the operation ends does not believe the home's record, and one from before does not have it.
func (l *Ledger) adopt(h *hub, at Home) (_ op, turn uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accounts[at.ID]
	if a == nil || a.hub != h || a.birth != at.Birth { // else somebody was quicker
		delete(l.kept, at.ID)
		a = l.place(h, at)
		a.unsure, a.fresh = false, false
	} else {
		a.doubt() // a count may be ending that has not seen it
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ops++
	return op{a: a}, a.naming.beginWithin()
}

// abandon takes out the account of a home whose directory was removed, and so was empty. Files that had their names in it and are
// open are its hub's until they are closed; but where it is not known for certain what the home took, it takes nothing any more.
func (l *Ledger) abandon(a *account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.accounts[a.id] != a {
		return
	}
	a.mu.Lock()
	known := !a.unsure && !a.fresh && a.count == nil
	a.mu.Unlock()
	if known {
		l.drop(a)
	} else {
		l.forget(a)
	}
}

// limit gives an account its quota. l.mu is held.
func (l *Ledger) limit(a *account) {
	limit := noQuota
	if a.name != "" {
		limit = l.overrides[homeKey(a)].Or(a.hub.quotas.Of(a.name))
	}
	a.mu.Lock()
	a.limit = limit
	a.mu.Unlock()
}

// SetOverride changes the quota of one home, from the next request on and whatever the home holds: it comes before what
// the configuration says. What is zero in it is left to the configuration; Quota{} takes it back. The home need not be
// there yet.
func (l *Ledger) SetOverride(hub hubhome.HubName, name string, q hubhome.Quota) {
	defer l.clear()()
	l.mu.Lock()
	defer l.mu.Unlock()
	key := home{hub, name}
	l.overrides[key] = q
	if q == (hubhome.Quota{}) {
		delete(l.overrides, key)
	}
	if a := l.names[key]; a != nil {
		l.limit(a)
		a.relieve()
	}
}

// account finds the account of a file's home; nil where the home is in no hub that is served.
func (l *Ledger) account(ctx context.Context, h vfs.Handle) (*account, error) {
	id, err := l.fs.Home(h)
	if err != nil || id == 0 {
		return nil, err
	}
	if a := l.known(id); a != nil {
		return a, nil
	}
	// Somebody has made it on the disk, behind the server's back; or it is gone, and the file too.
	if _, err := l.fs.GetAttr(ctx, h); err != nil {
		return nil, err
	}
	if err := l.keeper.Find(ctx); err != nil {
		return nil, err
	}
	return l.known(id), nil
}

// known returns a home's account, if it has one.
func (l *Ledger) known(id vfs.HomeID) *account {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.accounts[id]
}
