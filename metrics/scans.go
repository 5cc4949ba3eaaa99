// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome/survey"
)

var (
	scanRunning   = describe("hubhome_scan_running", "Whether the homes are being looked through.")
	scanSeconds   = describe("hubhome_scan_duration_seconds", "How long the scan that runs has run.")
	scanEntries   = describe("hubhome_scan_entries_counted", "How many files and directories the scan that runs has counted.")
	scanSucceeded = describe("hubhome_scan_last_success_timestamp_seconds", "When a scan last came to its end; not there while none has.")
	scanTook      = describe("hubhome_scan_last_duration_seconds", "How long the last scan took that came to its end; not there where that was before the start.")
	scanUnread    = describe("hubhome_scan_last_unread", "How many files and directories the last scan could not read; not there where that was before the start.")
	scanFailing   = describe("hubhome_scan_consecutive_failures", "How many scans have not come to their end since one last did.")
	scanFailures  = describe("hubhome_scan_failures_total", "How many scans have not come to their end.")
)

// Scans tells of an NFS server that somebody else runs: of the scans, and what space it says it has.
type Scans struct {
	// Status is asked at each scrape.
	Status func() survey.Status
}

// Describe tells what Collect does.
func (s *Scans) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{scanRunning, scanSeconds, scanEntries, scanSucceeded, scanTook, scanUnread, scanFailing, scanFailures, storeAsOf} {
		ch <- d
	}
	(&Volume{}).Describe(ch)
}

// Collect tells what is so at this moment.
func (s *Scans) Collect(ch chan<- prometheus.Metric) {
	st := s.Status()
	running, lasted, entries := 0, 0.0, uint64(0)
	if !st.Began.IsZero() {
		running, lasted, entries = 1, time.Since(st.Began).Seconds(), st.Progress.Entries
	}
	gauge(ch, scanRunning, running)
	gauge(ch, scanSeconds, lasted)
	gauge(ch, scanEntries, entries)
	if !st.Succeeded.IsZero() {
		gauge(ch, scanSucceeded, seconds(st.Succeeded))
	}
	if st.Took > 0 {
		gauge(ch, scanTook, st.Took.Seconds())
		gauge(ch, scanUnread, st.Unread)
	}
	gauge(ch, scanFailing, st.Failed)
	counter(ch, scanFailures, st.Failures)
	if !st.SpaceAsOf.IsZero() {
		collectStore(ch, &st.Space)
		collectNode(ch, &st.Space, "") // it says nothing of hubs
		gauge(ch, storeAsOf, seconds(st.SpaceAsOf))
	}
}
