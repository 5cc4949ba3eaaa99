// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"
	"maps"
	"slices"
)

// debt is what an inode owes since its last look. To look at a file after each write to it costs more than all else that the
// ledger does. So what was reserved for the write stays held, and the look is owed: until somebody wants to know what the home
// takes, or something does not fit into what is left, or quotas are changed, or the file is synced, changed in another way or
// closed, or Sweep comes by. Whoever could see the difference has the look made first.
type debt struct {
	// held is what the writes may have added, in bytes, and what the file system may have taken beyond that; 0: nothing is
	// owed.
	held   int64
	writes int
	// look is through the File that was written last, which stays open until the debt is paid.
	look look
}

// maxDebt is after how many writes there is a look all the same. Who writes one block again and again has each of them held.
const maxDebt = 64

// owe ends an operation that has written up to an offset, as end does but without a look at the file. Where it may not, it does
// nothing: what came from the reserve is looked at at once, and so is what leaves no room for what the file system takes by
// itself.
func (l *Ledger) owe(o *op, n *inode, through look, end uint64) bool {
	a := o.a
	if o.past || o.held.Bytes == 0 {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	d := &n.debt
	if a.hub.asked.Load() > 0 || d.writes >= maxDebt || d.held == 0 && !a.borrow(n, int64(slack(end))) {
		return false
	}
	d.held += o.held.Bytes
	d.writes++
	d.look = through
	a.ops--
	a.lastWrite = l.keeper.Now()
	return true
}

// borrow begins a debt with what the file system may take by itself, if there is room for that. a.mu is held.
func (a *account) borrow(n *inode, extra int64) bool {
	h := a.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked.Load() > 0 {
		return false // it was not yet, before: who asks now sees what is owing with h.mu held
	}
	if bytes, _ := spent(Usage{Bytes: extra}, a.used, a.held, a.limit); bytes {
		return false
	}
	if bytes, _ := spent(Usage{Bytes: extra}, h.used, h.held, h.limit); bytes {
		return false
	}
	a.held.Bytes += extra
	h.held.Bytes += extra
	n.debt.held = extra
	h.owes(a, n)
	return true
}

// owes puts an inode on the list of those that owe a look. h.mu is held.
func (h *hub) owes(a *account, n *inode) {
	if h.owing[a] == nil {
		h.owing[a] = map[*inode]struct{}{}
	}
	h.owing[a][n] = struct{}{}
}

// due makes what an operation holds a debt that is paid at once, by a look that must follow: it is given back at the moment at
// which what was taken is charged, and not after it, or somebody else would be refused what there is room for.
func (o *op) due(n *inode, through look) {
	if o.past || o.held.Bytes == 0 {
		return
	}
	a := o.a
	a.mu.Lock()
	defer a.mu.Unlock()
	n.debt.held += o.held.Bytes
	n.debt.look = through
	o.held.Bytes = 0
	a.hub.mu.Lock()
	defer a.hub.mu.Unlock()
	a.hub.owes(a, n)
}

// owes returns what an inode owes, for repay, and how to look at it. n.mu is held from here on until it is repaid: so the
// File that is looked through is not closed meanwhile.
func (n *inode) owes() (held int64, through look) {
	n.a.mu.Lock()
	defer n.a.mu.Unlock()
	return n.debt.held, n.debt.look
}

// repay gives back what an inode owed. What it has come to owe meanwhile it still owes.
func (n *inode) repay(owed int64) {
	n.a.mu.Lock()
	defer n.a.mu.Unlock()
	n.a.exchange(Usage{}, owed)
	n.repaid(owed)
}

// repaid is repay where the hub holds it no more. n.a.mu is held.
func (n *inode) repaid(owed int64) {
	if owed == 0 {
		return
	}
	a, h := n.a, n.a.hub
	a.held.Bytes -= owed
	n.debt.held -= owed
	n.debt.writes = 0
	if n.debt.held > 0 {
		return
	}
	n.debt = debt{}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.owing[a], n)
	if len(h.owing[a]) == 0 {
		delete(h.owing, a)
	}
}

// collect has an inode looked at, if it owes that.
func (l *Ledger) collect(n *inode) {
	if owed, _ := n.owes(); owed == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	owed, through := n.owes()
	if owed == 0 {
		return
	}
	attr, err := through(context.Background())
	if err != nil {
		n.a.doubt()
		n.repay(owed)
		return
	}
	l.settleAt(n, &attr, false, owed)
}

// collectHub has all inodes of a hub looked at that owe it; of one home alone where a is not nil.
func (l *Ledger) collectHub(h *hub, a *account) {
	var all []*inode
	h.mu.Lock()
	for of, owing := range h.owing {
		if a != nil && of != a {
			continue
		}
		for n := range owing {
			all = append(all, n)
		}
	}
	h.mu.Unlock()
	for _, n := range all {
		l.collect(n)
	}
}

// collectAll has all inodes looked at that owe it.
func (l *Ledger) collectAll() {
	for _, h := range l.allHubs() {
		l.collectHub(h, nil)
	}
}

func (l *Ledger) allHubs() []*hub {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Collect(maps.Values(l.hubs))
}

// clear has what all homes take known exactly until done is called, for who changes quotas: what has come into a quota is no part
// of the reserve when that is made smaller.
func (l *Ledger) clear() (done func()) {
	hubs := l.allHubs()
	for _, h := range hubs {
		h.asked.Add(1)
		l.collectHub(h, nil)
	}
	return func() {
		for _, h := range hubs {
			h.asked.Add(-1)
		}
	}
}

// strict has what a home takes known exactly, and what its hub takes where need does not fit into that, until done is called:
// whether something fits must not depend on what is owed.
func (l *Ledger) strict(a *account, need Usage) (done func()) {
	h := a.hub
	h.asked.Add(1)
	l.collectHub(h, a)
	h.mu.Lock()
	bytes, _ := spent(need, h.used, h.held, h.limit)
	h.mu.Unlock()
	if bytes {
		l.collectHub(h, nil)
	}
	return func() { h.asked.Add(-1) }
}
