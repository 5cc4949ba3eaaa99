// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package metrics tells Prometheus of a server that runs.
//
// It owns the names and labels of /metrics, the counting of operations, which costs a request some atomic additions, and
// the page itself. docs/metrics.md lists every name; a test compares. It asks whom it tells of when it is scraped.
//
// One file of the package for each noun: homes, directories (what other exporters call them), operations, histogram, server
// (what clients hold), syncs, volume (the store's space), recount, scans, warnings, page, crowd (the page's connections).
package metrics

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
)

// describe makes a description of a metric.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// gauge makes a sample of a metric that goes up and down.
func gauge[N int | int64 | uint64 | float64](ch chan<- prometheus.Metric, d *prometheus.Desc, value N, labels ...string) {
	sample(ch, d, prometheus.GaugeValue, float64(value), labels)
}

// counter makes a sample of one that only goes up.
func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, value uint64, labels ...string) {
	sample(ch, d, prometheus.CounterValue, float64(value), labels)
}

func sample(ch chan<- prometheus.Metric, d *prometheus.Desc, of prometheus.ValueType, value float64, labels []string) {
	send(ch, d, func() (prometheus.Metric, error) { return prometheus.NewConstMetric(d, of, value, labels...) })
}

// send tells of a metric, or that it cannot be told: Prometheus' own way to say so is a panic, which in the goroutine of a
// collector is the end of the process, and of what it serves.
func send(ch chan<- prometheus.Metric, d *prometheus.Desc, made func() (prometheus.Metric, error)) {
	m, err := made()
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	ch <- m
}

// Guard returns a collector whose panic is an error of the scrape, and not the end of the process.
func Guard(c prometheus.Collector) prometheus.Collector { return guarded{c} }

type guarded struct{ prometheus.Collector }

func (g guarded) Collect(ch chan<- prometheus.Metric) {
	defer func() {
		if p := recover(); p != nil {
			err := panicked(g.Collector, p)
			ch <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
		}
	}()
	g.Collector.Collect(ch)
}

// panicked is the error of a collector that has panicked. The one who recovers calls it.
func panicked(c prometheus.Collector, p any) error {
	return fmt.Errorf("tell of %T: panic: %v\n%s", c, p, debug.Stack())
}

// label is the name of a directory as a label's value, which must be UTF-8: what is not is quoted as Go does, and what looks
// like that too, so that no two are the same.
func label(name string) string {
	if utf8.ValidString(name) && !strings.HasPrefix(name, `"`) {
		return name
	}
	return strconv.Quote(name)
}
