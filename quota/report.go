// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

// Report is what is known of all hubs at one moment: the one source of lists, metrics and pages.
type Report struct {
	// Hubs are those that are served, by name.
	Hubs []HubReport
	// Reserve is what every home has.
	Reserve hubhome.Reserve
	// Scanned: what is known was found by looking, and is as old as AsOf of each hub and home says. There are no quotas then.
	Scanned bool
}

// HubReport is a hub. Used is all that is in its directory.
type HubReport struct {
	Name hubhome.HubName
	ID   vfs.HomeID
	Used Usage
	// Quota has no zeros: what is not limited is Unlimited.
	Quota hubhome.Quota
	// Own is what lies in its directory and in no home.
	Own      Usage
	OwnState State
	// AsOf is since when all of it is known, where Report.Scanned; zero: something is not known yet, and Used is too low.
	AsOf time.Time
	// Absent: the last look has found no such hub, where Report.Scanned; what else is known of it is from before.
	Absent bool
	// Homes are its homes and shared directories, by name.
	Homes []HomeReport
}

// State is how far what is known of a home is to be believed.
type State string

// The states.
const (
	// Clean: what is known is exact.
	Clean State = "clean"
	// Dirty: what is known is from before a crash, or of less than all; the home is waiting to be counted.
	Dirty State = "dirty"
	// Counting: as Dirty; the home is being counted.
	Counting State = "counting"
	// Unreadable: as Dirty; HomeReport.Fault says why it could not be counted. That is tried again now and then.
	Unreadable State = "unreadable"
	// Scanned: what is known was so at HomeReport.AsOf.
	Scanned State = "scanned"
	// Partial: as Scanned, and something is missing, which could not be read.
	Partial State = "partial"
)

// HomeReport is a home or a shared directory.
type HomeReport struct {
	Name  string // bytes of any kind
	ID    vfs.HomeID
	Used  Usage
	Quota hubhome.Quota // without zeros
	// Override is what was set at run time, with zeros where nothing was; Declared is what holds without it, without zeros.
	Override, Declared hubhome.Quota
	// Past is what it has of the reserve.
	Past Usage
	// LastWrite is zero where nothing is known of one.
	LastWrite time.Time
	// Oldest is when what has not been written for the longest was; zero where nobody has looked.
	Oldest  time.Time
	State   State
	Denials Denials
	// Fault is why it could not be counted, where it is Unreadable; or why it is not yet, where there is a reason.
	Fault string
	// Unread is how many files and directories could not be read when it was looked through, and may be missing in it.
	Unread uint64
	// AsOf is since when all of it is known, where Report.Scanned.
	AsOf time.Time
}

// Full is how full a home is, as part of its quota: the fuller of bytes and inodes; 0 where there is no quota.
func (r *HomeReport) Full() float64 { return full(r.Used, r.Quota) }

// Full is how full a hub is.
func (r *HubReport) Full() float64 { return full(r.Used, r.Quota) }

func full(used Usage, q hubhome.Quota) float64 {
	part := 0.0
	if q.Bytes != hubhome.Unlimited {
		part = float64(used.Bytes) / float64(q.Bytes)
	}
	if q.Inodes != hubhome.UnlimitedInodes {
		part = max(part, float64(used.Inodes)/float64(q.Inodes))
	}
	return part
}

// Report tells of all hubs and homes. It looks at files that are being written, and waits for no disk.
func (l *Ledger) Report() Report {
	l.collectAll()
	r := l.report()
	for _, h := range r.Hubs { // nobody waits for that
		slices.SortFunc(h.Homes, func(a, b HomeReport) int { return cmp.Compare(a.Name, b.Name) })
	}
	return r
}

// report is Report, but for the order of homes.
func (l *Ledger) report() Report {
	l.mu.RLock()
	defer l.mu.RUnlock()
	r := Report{Reserve: *l.reserve.Load()}
	at := map[*hub]int{}
	for _, h := range l.hubs {
		if h.served {
			r.Hubs = append(r.Hubs, HubReport{Name: h.name, ID: h.id})
		}
	}
	slices.SortFunc(r.Hubs, func(a, b HubReport) int { return cmp.Compare(a.Name, b.Name) })
	for i := range r.Hubs {
		at[l.hubs[r.Hubs[i].ID]] = i
	}
	homes := make([][]*account, len(r.Hubs))
	for _, a := range l.accounts {
		i, served := at[a.hub]
		switch {
		case !served:
		case a.id == a.hub.id:
			own := a.report()
			r.Hubs[i].Own, r.Hubs[i].OwnState = own.Used, own.State
		default:
			homes[i] = append(homes[i], a)
		}
	}
	for h, i := range at {
		h.mu.Lock()
		r.Hubs[i].Used, r.Hubs[i].Quota = h.used.positive(), h.limit
		h.mu.Unlock()
		r.Hubs[i].Homes = make([]HomeReport, len(homes[i]))
		for j, a := range homes[i] {
			home := &r.Hubs[i].Homes[j]
			*home = a.report()
			home.Override, home.Declared = l.overrides[homeKey(a)], h.quotas.Of(a.name)
		}
	}
	return r
}

// Home tells of one home or shared directory. Of one that is not there it tells its quota; err is ErrNoHub where the hub is
// not served. It looks at files of the hub that are being written, and waits for no disk.
func (l *Ledger) Home(hub hubhome.HubName, name string) (home HomeReport, there bool, err error) {
	h := l.hub(hub)
	if h == nil {
		return HomeReport{}, false, ErrNoHub
	}
	l.collectHub(h, nil)
	l.mu.RLock()
	defer l.mu.RUnlock()
	a := l.names[homeOf(hub, name)]
	if there = a != nil && a.hub == h && name != ""; there {
		home = a.report()
	}
	home.Name, home.Override, home.Declared = name, l.overrides[homeOf(hub, name)], h.quotas.Of(name)
	home.Quota = home.Override.Or(home.Declared)
	return home, there, nil
}

// hub returns a hub that is served, or nil.
func (l *Ledger) hub(name hubhome.HubName) *hub {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, h := range l.hubs {
		if h.name == name && h.served {
			return h
		}
	}
	return nil
}

// HubOf names the hub of a home, or of a hub's own directory; empty where it is not known.
func (l *Ledger) HubOf(home vfs.HomeID) hubhome.HubName {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if a := l.accounts[home]; a != nil {
		return a.hub.name
	}
	return ""
}

// ErrNoHub is for a hub that is not served.
var ErrNoHub = errors.New("no such hub is served")

func homeOf(hub hubhome.HubName, name string) home { return home{hub, name} }

func homeKey(a *account) home { return home{a.hub.name, a.name} }

// positive is what can be told of a usage that is not known yet, and was reduced meanwhile.
func (u Usage) positive() Usage { return Usage{max(0, u.Bytes), max(0, u.Inodes)} }

func (a *account) report() HomeReport {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := HomeReport{
		Name: a.name, ID: a.id, Used: a.used.positive(), Quota: a.limit, LastWrite: a.lastWrite, State: Clean, Denials: a.denials,
	}
	a.hub.mu.Lock()
	over := a.over()
	a.hub.mu.Unlock()
	r.Past = Usage{min(a.past.Bytes, over.Bytes), min(a.past.Inodes, over.Inodes)}
	switch {
	case a.fault != (fault{}):
		r.State, r.Fault, r.Unread = Unreadable, a.fault.why, a.fault.unread
	case a.count != nil:
		r.State = Counting
	case a.unsure || a.fresh:
		r.State = Dirty
		if a.crowded {
			r.Fault = "so many of its files may still change by themselves that it is counted when they do not any more"
		}
	}
	return r
}
