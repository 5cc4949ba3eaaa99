// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package survey

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/usage"
)

// figures are what is known of hubs, by their names.
type figures map[string]*hub

// hub is what is known of a hub. Where asOf is zero no scan has found all of its homes yet.
type hub struct {
	homes  map[string]usage.Home
	own    usage.Tally
	asOf   time.Time
	unread uint64
}

// put takes a home over that was read.
func (f figures) put(home *usage.Home) {
	h := f[home.Hub]
	if h == nil {
		h = &hub{homes: map[string]usage.Home{}}
		f[home.Hub] = h
	}
	h.homes[home.Name] = *home
}

// replace takes over what is known of a hub. Homes that it does not have are no more, where it has them all.
func (f figures) replace(u *usage.Hub) {
	h := f[u.Name]
	if h == nil || u.Listed {
		h = &hub{homes: make(map[string]usage.Home, len(u.Homes))}
	}
	f[u.Name] = h
	for i := range u.Homes {
		h.homes[u.Homes[i].Name] = u.Homes[i]
	}
	if u.Listed {
		h.own, h.asOf = u.Loose, u.AsOf
	}
	h.unread = u.Errors
}

// take takes over what a scan has found that came to its end. A hub that it was to look through, and did not find, stays as
// it was known; where it was to find them all, what it has not found is no more, unless it could not be looked at.
func (f figures) take(r *usage.Result, wanted []hubhome.HubName) {
	found := map[string]bool{}
	for i := range r.Hubs {
		f.replace(&r.Hubs[i])
		found[r.Hubs[i].Name] = true
	}
	for _, name := range r.Unlooked {
		found[string(name)] = true
	}
	maps.DeleteFunc(f, func(name string, _ *hub) bool { return len(wanted) == 0 && !found[name] })
}

// report tells of some hubs; of all where none is named.
func (f figures) report(names []hubhome.HubName) quota.Report {
	if len(names) == 0 {
		for name := range f {
			names = append(names, hubhome.HubName(name))
		}
	}
	r := quota.Report{Scanned: true, Hubs: make([]quota.HubReport, 0, len(names))}
	for _, name := range slices.Sorted(slices.Values(names)) {
		r.Hubs = append(r.Hubs, f.hub(name))
	}
	return r
}

// unlimited is the quota of what has none.
var unlimited = hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: hubhome.UnlimitedInodes}

func (f figures) hub(name hubhome.HubName) quota.HubReport {
	r := quota.HubReport{Name: name, Quota: unlimited, OwnState: quota.Partial}
	h := f[string(name)]
	if h == nil {
		return r
	}
	r.AsOf, r.Own = h.asOf, amount(&h.own)
	if !h.asOf.IsZero() && h.unread == 0 {
		r.OwnState = quota.Scanned
	}
	total := h.own
	r.Homes = make([]quota.HomeReport, 0, len(h.homes))
	for _, row := range h.homes {
		home := homeReport(&row)
		total.Add(&row.Tally)
		if !home.AsOf.IsZero() && home.AsOf.Before(r.AsOf) {
			r.AsOf = home.AsOf
		}
		r.Homes = append(r.Homes, home)
	}
	r.Used = amount(&total)
	slices.SortFunc(r.Homes, func(a, b quota.HomeReport) int { return cmp.Compare(a.Name, b.Name) })
	return r
}

func homeReport(h *usage.Home) quota.HomeReport {
	r := quota.HomeReport{
		Name: h.Name, Used: amount(&h.Tally), Quota: unlimited, Declared: unlimited, LastWrite: h.Newest, Oldest: h.Oldest,
		State: quota.Scanned, AsOf: h.AsOf, Unread: h.Errors,
	}
	if !h.Complete || h.Errors > 0 {
		r.State = quota.Partial
	}
	return r
}

// amount is what a tree takes, as quotas count it.
func amount(t *usage.Tally) quota.Usage {
	return quota.Usage{Bytes: int64(min(t.Used, math.MaxInt64)), Inodes: int64(min(t.Entries(), math.MaxInt64))}
}
