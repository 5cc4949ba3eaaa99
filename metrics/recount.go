// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	recountRunning = describe("hubhome_recount_running", "Whether homes are being counted of which it is not known what they take.")
	recountHomes   = describe("hubhome_recount_homes", "How many homes are to be counted in the count that runs.")
	recountDone    = describe("hubhome_recount_homes_counted", "How many of them are counted.")
	recountInodes  = describe("hubhome_recount_inodes_counted", "How many inodes the count that runs has counted.")
	recountSeconds = describe("hubhome_recount_duration_seconds", "How long the count that runs has run.")
)

// Progress is how far a count of homes has come. Its zero value: none runs.
type Progress struct {
	Homes, Counted int
	Inodes         int64
	Since          time.Time
}

// Recount tells of the count of homes.
type Recount struct {
	// Progress is asked at each scrape.
	Progress func() Progress
}

// Describe tells what Collect does.
func (r *Recount) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{recountRunning, recountHomes, recountDone, recountInodes, recountSeconds} {
		ch <- d
	}
}

// Collect tells what is so at this moment.
func (r *Recount) Collect(ch chan<- prometheus.Metric) {
	p, running, lasted := r.Progress(), 0, 0.0
	if !p.Since.IsZero() {
		running, lasted = 1, time.Since(p.Since).Seconds()
	}
	gauge(ch, recountRunning, running)
	gauge(ch, recountHomes, p.Homes)
	gauge(ch, recountDone, p.Counted)
	gauge(ch, recountInodes, p.Inodes)
	gauge(ch, recountSeconds, lasted)
}
