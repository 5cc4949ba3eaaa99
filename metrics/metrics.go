// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package metrics tells Prometheus of a server that runs.
//
// It owns the names and labels of /metrics, the counting of operations, which costs a request some atomic additions, and
// the page itself. docs/metrics.md lists every name; a test compares. It asks whom it tells of when it is scraped, and has no
// clock and no goroutine of its own.
//
// One file of the package for each noun: homes, directories (what other exporters call them), operations, histogram, server
// (what clients hold), volume (the store's space), recount, warnings, page.
package metrics

import (
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
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
}

// counter makes a sample of one that only goes up.
func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, value uint64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

// label is the name of a directory as a label's value, which must be UTF-8: what is not is quoted as Go does, and what looks
// like that too, so that no two are the same.
func label(name string) string {
	if utf8.ValidString(name) && !strings.HasPrefix(name, `"`) {
		return name
	}
	return strconv.Quote(name)
}
