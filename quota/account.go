// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

// account is what one home takes and may take; or a shared directory; or what lies in a hub's directory and in no home.
type account struct {
	id    vfs.HomeID
	hub   *hub
	name  string // guarded by Ledger.mu; empty: the hub's own
	birth int64
	// listing is the last that began before the account was made.
	listing uint64

	mu    sync.Mutex
	limit hubhome.Quota
	// used is what the home takes, held what running operations may add to it.
	used, held Usage
	// past is how much of used was let in from the reserve, pastHeld how much of held.
	past, pastHeld Usage
	// partOf is the minute in which a part of the reserve was given out, plus one, and partFrom what the home had of it then.
	partOf   uint64
	partFrom Usage
	// ops is how many operations run.
	ops int
	// marked is the generation of the ledger up to which it is durable that the home is being changed.
	marked uint64
	// unsure: used is not known to be true, and the home is to be counted.
	unsure bool
	// crowded: an inode was forgotten that may change by itself, and was last changed in the sweep crowdedAt.
	crowded   bool
	crowdedAt uint64
	// fresh: it was never counted.
	fresh bool
	// fault is why it could not be counted when that was tried last.
	fault     fault
	count     *Count
	lastWrite time.Time
	denials   Denials
	// left: the home is in its hub no more, and what becomes of Files of it that are still open is not the hub's.
	left bool

	// recorded is how many of the home's inodes are in use, or have a charge that may change by itself.
	recorded atomic.Int64
	naming   namings
}

// fault is why a home could not be counted, and how many files and directories of it could not be read.
type fault struct {
	unread uint64
	why    string
}

// Denials counts what was refused to a home since the server started, by what was spent: the home's bytes or inodes, or
// those of its hub.
type Denials struct{ Bytes, Inodes, HubBytes, HubInodes uint64 }

// longGrowth is by how many bytes a file may grow from the reserve, while it is open, that is too long to be one that the
// reserve is for: by so many, or by a quarter of what one of those may have. It is enough for a database, such as IPython's
// history, to go on, and too little for what is copied, which clients write in pieces of a megabyte.
const longGrowth = 256 << 10

// The reserve is given out in parts, one a minute, or somebody who installs packages at the quota spends it at once and cannot
// start Jupyter again. A part is so much of what is left of it, so that it lasts the longer the less is left: of the bytes
// enough to save a notebook, of the inodes at least enough to start.
const (
	minuteSweeps = RestSweeps / 10
	bytesPart    = 4  // a quarter
	inodesPart   = 16 // a sixteenth
	leastInodes  = 64
)

// part is the part of a reserve of which so much is left.
func part(left Usage) Usage {
	return Usage{left.Bytes / bytesPart, max(left.Inodes/inodesPart, min(left.Inodes, leastInodes))}
}

// op is one operation that may change what a home takes, while it runs.
type op struct {
	a    *account
	held Usage
	// past: what is held is from the reserve.
	past bool
	// long is the file that takes it, where that is too long to be one that the reserve is for.
	long *inode
	// wrote: it has changed something.
	wrote bool
}

// begin begins an operation that may add need to a home, if it is one: EDQUOT, and nothing is changed, where that is more than
// the home may take. long is the file whose data need is for, where it is too long to be one that the reserve is for; nil for
// what is small. end must follow where there is no error.
func (l *Ledger) begin(a *account, need Usage, long *inode) (op, error) {
	if a == nil {
		return op{}, nil
	}
	o, err := l.admit(a, need, nil, nil)
	if err == syscall.EDQUOT {
		defer l.strict(a, need)()
		return l.admit(a, need, long, l.reserve.Load())
	}
	return o, err
}

// admit is begin by what is known without a look. reserve is nil where nothing is to be taken from it.
func (l *Ledger) admit(a *account, need Usage, long *inode, reserve *hubhome.Reserve) (op, error) {
	a.mu.Lock()
	past, ok := a.take(need, long, reserve, l.sweeps.Load()/minuteSweeps)
	if !ok {
		a.mu.Unlock()
		return op{}, syscall.EDQUOT
	}
	o := op{a: a, held: need, past: past, long: long}
	a.ops++
	for a.marked < l.generation.Load() {
		a.mu.Unlock()
		generation, err := l.keeper.Mark(a.id)
		if err != nil {
			l.end(&o)
			return op{}, err
		}
		a.mu.Lock()
		a.marked = max(a.marked, generation)
	}
	a.mu.Unlock()
	return o, nil
}

// end gives back what an operation held. What it really took was charged to its inodes.
func (l *Ledger) end(o *op) {
	a := o.a
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ops--
	if o.wrote {
		a.lastWrite = l.keeper.Now()
	}
	if o.held == (Usage{}) {
		return
	}
	a.held = a.held.minus(o.held)
	if o.past {
		a.pastHeld = a.pastHeld.minus(o.held)
		if o.long != nil {
			o.long.pastHeld -= o.held.Bytes
		}
	}
	a.hub.mu.Lock()
	a.hub.held = a.hub.held.minus(o.held)
	a.hub.mu.Unlock()
}

// take reserves need, if it fits: into the quota or, where reserve is not nil, into that. a.mu is held.
func (a *account) take(need Usage, long *inode, reserve *hubhome.Reserve, minute uint64) (past, ok bool) {
	if need == (Usage{}) {
		return false, true
	}
	h := a.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	bytes, inodes := spent(need, a.used, a.held, a.limit)
	hubBytes, hubInodes := spent(need, h.used, h.held, h.limit)
	if bytes || inodes || hubBytes || hubInodes {
		if reserve == nil {
			return false, false
		}
		taken := a.past.plus(a.pastHeld)
		if a.partOf != minute+1 {
			a.partOf, a.partFrom = minute+1, taken
		}
		all := Usage{int64(reserve.Bytes), reserve.Inodes}
		most := a.partFrom.plus(part(all.minus(a.partFrom).positive()))
		if need.Bytes > most.Bytes-taken.Bytes || need.Inodes > most.Inodes-taken.Inodes {
			return false, false
		}
		if long != nil {
			if need.Bytes > min(longGrowth, int64(reserve.File)/4)-long.past-long.pastHeld {
				return false, false
			}
			long.pastHeld += need.Bytes
		}
		a.pastHeld, past = a.pastHeld.plus(need), true
	}
	a.held = a.held.plus(need)
	h.held = h.held.plus(need)
	return past, true
}

// deny counts a refusal of what take does not let in.
func (a *account) deny(need Usage) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	bytes, inodes := spent(need, a.used, a.held, a.limit)
	hubBytes, hubInodes := spent(need, a.hub.used, a.hub.held, a.hub.limit)
	for _, c := range []struct {
		spent bool
		count *uint64
	}{{bytes, &a.denials.Bytes}, {inodes, &a.denials.Inodes}, {hubBytes, &a.denials.HubBytes}, {hubInodes, &a.denials.HubInodes}} {
		if c.spent {
			*c.count++
		}
	}
}

// spent tells which of a quota's limits need would go over.
func spent(need, used, held Usage, limit hubhome.Quota) (bytes, inodes bool) {
	return need.Bytes > 0 && need.Bytes > left(int64(limit.Bytes), used.Bytes, held.Bytes),
		need.Inodes > 0 && need.Inodes > left(limit.Inodes, used.Inodes, held.Inodes)
}

// left is what is left of a limit. What was removed before it was counted makes used negative: then it is not known yet, and
// without a limit the difference would overflow.
func left(limit, used, held int64) int64 { return limit - max(0, used) - held }

// room is how many bytes the home may still take.
func (a *account) room() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	h := a.hub
	return max(0, min(left(int64(a.limit.Bytes), a.used.Bytes, a.held.Bytes), left(int64(h.limit.Bytes), h.used.Bytes, h.held.Bytes)))
}

// over is how much the home takes that its quota, or its hub's, does not allow. a.mu and a.hub.mu are held.
func (a *account) over() Usage {
	used, h := a.used.positive(), a.hub.used.positive()
	return Usage{
		max(0, used.Bytes-int64(a.limit.Bytes), h.Bytes-int64(a.hub.limit.Bytes)),
		max(0, used.Inodes-a.limit.Inodes, h.Inodes-a.hub.limit.Inodes),
	}
}

// trim gives the reserve back where what was let in from it fits into the quota now. a.mu is held.
func (a *account) trim() {
	if a.past == (Usage{}) {
		return
	}
	a.hub.mu.Lock()
	over := a.over()
	a.hub.mu.Unlock()
	a.past = Usage{max(0, min(a.past.Bytes, over.Bytes)), max(0, min(a.past.Inodes, over.Inodes))}
}

// relieve is trim for who has changed a quota.
func (a *account) relieve() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trim()
}

// add charges a change of what an inode takes, and gives back what it owed before the look. The inode's lock is held, so that
// no count sees a part of it. let: operations made the change, so that it came from the reserve as far as the quota does not
// allow it: whichever of them is the first to look at the inode.
func (a *account) add(n *inode, by Usage, owed int64, let bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer n.repaid(owed)
	if a.count != nil && a.count.seen(n.number, n.birth, n.handle) {
		a.count.add(by)
	}
	n.past = max(0, n.past+min(0, by.Bytes))
	a.exchange(by, owed)
	if let {
		a.lend(by)
		if n.pastHeld > 0 { // a long one, that grows from the reserve
			n.past += max(0, by.Bytes)
		}
	}
	a.trim()
}

// lend counts what was let in, of which trim leaves what came from the reserve. a.mu is held.
func (a *account) lend(by Usage) {
	a.past = a.past.plus(by.positive())
}

// charge changes what is known of the home and its hub. What is given back is the reserve's before it is the quota's: else the
// reserve would not last in a home that is over its quota for another reason, as a quota that was lowered. a.mu is held.
func (a *account) charge(by Usage) { a.exchange(by, 0) }

// exchange is charge for what was held in the hub, in bytes, which it is not any more from the same moment on. a.mu is held.
func (a *account) exchange(by Usage, held int64) {
	a.used = a.used.plus(by)
	a.past = Usage{max(0, a.past.Bytes+min(0, by.Bytes)), max(0, a.past.Inodes+min(0, by.Inodes))}
	h := a.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held.Bytes -= held
	if !a.left {
		h.used = h.used.plus(by)
	}
}

// doubt says that what an operation did is not known: the home is to be counted.
func (a *account) doubt() {
	a.mu.Lock()
	a.unsure = true
	a.mu.Unlock()
}

// crowd says that an inode is forgotten that may change by itself and was last changed in a sweep: the home is to be counted
// when it does not any more.
func (a *account) crowd(changed uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unsure, a.crowded, a.crowdedAt = true, true, max(a.crowdedAt, changed)
}

// busy tells whether operations run.
func (a *account) busy() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ops > 0
}
