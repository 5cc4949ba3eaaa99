// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// bounds are the upper ends of a histogram's buckets: from what memory answers in to what makes clients ask again.
var bounds = [...]time.Duration{
	10 * time.Microsecond, 25 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond,
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 10 * time.Second,
}

// histogram counts durations by how long they are. Its zero value is ready; its methods may be called concurrently.
type histogram struct {
	buckets [len(bounds) + 1]atomic.Uint64
	sum     atomic.Int64 // nanoseconds
}

func (h *histogram) add(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

// merge adds what another one has counted.
func (h *histogram) merge(o *histogram) {
	for i := range o.buckets {
		h.buckets[i].Add(o.buckets[i].Load())
	}
	h.sum.Add(o.sum.Load())
}

// collect tells what was counted. What is added meanwhile is told by half at most: the next time it is told whole.
func (h *histogram) collect(ch chan<- prometheus.Metric, d *prometheus.Desc, labels ...string) {
	upTo, n := make(map[float64]uint64, len(bounds)), uint64(0)
	for i, bound := range bounds {
		n += h.buckets[i].Load()
		upTo[bound.Seconds()] = n
	}
	n += h.buckets[len(bounds)].Load()
	send(ch, d, func() (prometheus.Metric, error) {
		return prometheus.NewConstHistogram(d, n, time.Duration(h.sum.Load()).Seconds(), upTo, labels...)
	})
}

// used tells whether anything was counted.
func (h *histogram) used() bool {
	for i := range h.buckets {
		if h.buckets[i].Load() > 0 {
			return true
		}
	}
	return false
}
