// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
)

var (
	hubUsedBytes   = describe("hubhome_hub_used_bytes", "What all that is in a hub's directory takes on the disk.", "hub")
	hubUsedInodes  = describe("hubhome_hub_used_inodes", "How many inodes all that is in a hub's directory takes.", "hub")
	hubQuotaBytes  = describe("hubhome_hub_quota_bytes", "What all of a hub may take; not there where that is unlimited.", "hub")
	hubQuotaInodes = describe("hubhome_hub_quota_inodes", "How many inodes all of a hub may take; not there where that is unlimited.", "hub")
	hubHomes       = describe("hubhome_homes", "How many homes and shared directories a hub has, by what is known of what they take: clean, dirty, counting or unreadable; scanned or partial where an NFS server of somebody else's has them.", "hub", "state")
	hubLeftOut     = describe("hubhome_homes_left_out", "How many homes of a hub have no series of their own, for metrics.homes.", "hub")

	homeUsedBytes     = describe("hubhome_home_used_bytes", "What a home takes on the disk.", "hub", "home")
	homeUsedInodes    = describe("hubhome_home_used_inodes", "How many inodes a home takes.", "hub", "home")
	homeQuotaBytes    = describe("hubhome_home_quota_bytes", "What a home may take; not there where that is unlimited.", "hub", "home")
	homeQuotaInodes   = describe("hubhome_home_quota_inodes", "How many inodes a home may take; not there where that is unlimited.", "hub", "home")
	homeReserveBytes  = describe("hubhome_home_reserve_used_bytes", "What a home has of the reserve that lets small files be written past the quota.", "hub", "home")
	homeReserveInodes = describe("hubhome_home_reserve_used_inodes", "How many inodes a home has of the reserve.", "hub", "home")
	homeWritten       = describe("hubhome_home_last_write_timestamp_seconds", "When something in a home was last written; not there where that is not known.", "hub", "home")
	homeDenials       = describe("hubhome_home_denials_total", "What was refused to a home since the server started, by what was spent; not there while nothing was.", "hub", "home", "resource")
	homeAsOf          = describe("hubhome_home_as_of_timestamp_seconds", "Since when the figures of a home are known; only where an NFS server of somebody else's has it.", "hub", "home")
	homeUnread        = describe("hubhome_home_unread", "How many files and directories of a home could not be read, and are missing in its figures; only where an NFS server of somebody else's has it.", "hub", "home")
	hubAsOf           = describe("hubhome_hub_as_of_timestamp_seconds", "Since when all figures of a hub are known; only where an NFS server of somebody else's has it.", "hub")
	hubPartial        = describe("hubhome_hub_partial", "Whether something in a hub could not be read, and is missing in its figures; only where an NFS server of somebody else's has it.", "hub")
	reserveBytes      = describe("hubhome_reserve_bytes", "What every home may still take when its quota is spent.")
)

// Homes tells what homes and hubs take and may take.
type Homes struct {
	// Report tells of them all.
	Report func() quota.Report
	// Most is how many homes may have series of their own. It is asked at each scrape.
	Most func() int
}

// Describe tells nothing: what is told depends on the homes that are there.
func (h *Homes) Describe(chan<- *prometheus.Desc) {}

// row is a home with its hub.
type row struct {
	hub  hubhome.HubName
	home *quota.HomeReport
}

// Collect tells what is so at this moment.
func (h *Homes) Collect(ch chan<- prometheus.Metric) {
	report := h.Report()
	if !report.Scanned {
		gauge(ch, reserveBytes, int64(report.Reserve.Bytes))
	}
	var rows []row
	left := map[hubhome.HubName]int{}
	for i := range report.Hubs {
		hub := &report.Hubs[i]
		if !report.Scanned || !hub.AsOf.IsZero() { // else the sum would be too low
			collectHub(ch, hub, report.Scanned)
		}
		left[hub.Name] = 0
		for j := range hub.Homes {
			rows = append(rows, row{hub.Name, &hub.Homes[j]})
		}
	}
	if most := h.Most(); len(rows) > most {
		slices.SortFunc(rows, row.compare)
		for _, r := range rows[most:] {
			left[r.hub]++
		}
		rows = rows[:most]
	}
	for hub, n := range left {
		gauge(ch, hubLeftOut, n, string(hub))
	}
	now := time.Now()
	for _, r := range rows {
		at := now
		if report.Scanned {
			if at = r.home.AsOf; at.IsZero() {
				continue
			}
			gauge(ch, homeAsOf, seconds(at), string(r.hub), label(r.home.Name))
			gauge(ch, homeUnread, r.home.Unread, string(r.hub), label(r.home.Name))
		} else {
			r.collectReserve(ch)
		}
		r.collect(ch)
		r.collectDirectory(ch, at)
	}
}

// compare puts first who is nearest to a quota, and of those without one who takes most.
func (r row) compare(o row) int {
	return cmp.Or(
		cmp.Compare(o.home.Full(), r.home.Full()), cmp.Compare(o.home.Used.Bytes, r.home.Used.Bytes),
		cmp.Compare(r.hub, o.hub), cmp.Compare(r.home.Name, o.home.Name))
}

func collectHub(ch chan<- prometheus.Metric, hub *quota.HubReport, scanned bool) {
	name := string(hub.Name)
	gauge(ch, hubUsedBytes, hub.Used.Bytes, name)
	gauge(ch, hubUsedInodes, hub.Used.Inodes, name)
	limits(ch, hub.Quota, hubQuotaBytes, hubQuotaInodes, name)
	if !hub.AsOf.IsZero() {
		gauge(ch, hubAsOf, seconds(hub.AsOf), name)
	}
	states := map[quota.State]int{quota.Clean: 0, quota.Dirty: 0, quota.Counting: 0, quota.Unreadable: 0}
	if scanned {
		states = map[quota.State]int{quota.Scanned: 0, quota.Partial: 0}
	}
	for i := range hub.Homes {
		states[hub.Homes[i].State]++
	}
	for state, n := range states {
		gauge(ch, hubHomes, n, name, string(state))
	}
	if scanned {
		partial := 0
		if hub.OwnState == quota.Partial || states[quota.Partial] > 0 {
			partial = 1
		}
		gauge(ch, hubPartial, partial, name)
	}
}

// limits tells of a quota what is limited.
func limits(ch chan<- prometheus.Metric, q hubhome.Quota, bytes, inodes *prometheus.Desc, labels ...string) {
	if q.Bytes != hubhome.Unlimited {
		gauge(ch, bytes, int64(q.Bytes), labels...)
	}
	if q.Inodes != hubhome.UnlimitedInodes {
		gauge(ch, inodes, q.Inodes, labels...)
	}
}

// collectReserve tells of the reserve.
func (r row) collectReserve(ch chan<- prometheus.Metric) {
	hub, home := string(r.hub), label(r.home.Name)
	gauge(ch, homeReserveBytes, r.home.Past.Bytes, hub, home)
	gauge(ch, homeReserveInodes, r.home.Past.Inodes, hub, home)
}

func (r row) collect(ch chan<- prometheus.Metric) {
	hub, home := string(r.hub), label(r.home.Name)
	gauge(ch, homeUsedBytes, r.home.Used.Bytes, hub, home)
	gauge(ch, homeUsedInodes, r.home.Used.Inodes, hub, home)
	limits(ch, r.home.Quota, homeQuotaBytes, homeQuotaInodes, hub, home)
	if !r.home.LastWrite.IsZero() {
		gauge(ch, homeWritten, seconds(r.home.LastWrite), hub, home)
	}
	if d := r.home.Denials; d != (quota.Denials{}) {
		counter(ch, homeDenials, d.Bytes, hub, home, "bytes")
		counter(ch, homeDenials, d.Inodes, hub, home, "inodes")
		counter(ch, homeDenials, d.HubBytes, hub, home, "hub_bytes")
		counter(ch, homeDenials, d.HubInodes, hub, home, "hub_inodes")
	}
}

// seconds is a moment as Prometheus counts time.
func seconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }
