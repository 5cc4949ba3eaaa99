// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome/warning"
)

var (
	warningsGiven   = describe("hubhome_warnings_given_total", "Warnings of homes that fill up that were given.", "way")
	warningsFailed  = describe("hubhome_warnings_failed_total", "How often a warning could not be given; it is tried again.", "way")
	warningsWaiting = describe("hubhome_warnings_waiting", "Warnings that are yet to be given.", "way")
)

// Warnings tells what became of warnings.
type Warnings struct {
	Counts func(way string) *warning.Counts
}

// Describe tells what Collect does.
func (w *Warnings) Describe(ch chan<- *prometheus.Desc) {
	ch <- warningsGiven
	ch <- warningsFailed
	ch <- warningsWaiting
}

// Collect tells what was counted.
func (w *Warnings) Collect(ch chan<- prometheus.Metric) {
	for _, way := range []string{warning.WayFile, warning.WayWebhook} {
		c := w.Counts(way)
		counter(ch, warningsGiven, c.Given.Load(), way)
		counter(ch, warningsFailed, c.Failed.Load(), way)
		gauge(ch, warningsWaiting, c.Waiting.Load(), way)
	}
}
