// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

var (
	syncDuration = describe("hubhome_disk_sync_duration_seconds", "How long the disk took to make a file or a directory durable (fsync), by whose it is; the hub is empty for the server's own.", "hub")
	syncErrors   = describe("hubhome_disk_sync_errors_total", "How often the disk could not: what was written may be lost, and clients are told.", "hub")
)

// Syncs counts how long the disk takes to make things durable. Its zero value is ready to observe.
type Syncs struct {
	hubs sync.Map // uint64, of a hub's directory or 0 → *hubSyncs
}

// hubSyncs are what is counted for one hub.
type hubSyncs struct {
	durations histogram
	errors    atomic.Uint64
	name      hubhome.HubName // under Collect's mutex; empty while it is not known
}

// Observe counts one. It may be called concurrently, and while the ledger is locked: what a hub is called is looked up later.
func (s *Syncs) Observe(hub uint64, took time.Duration, err error) {
	counts, known := s.hubs.Load(hub)
	if !known {
		counts, _ = s.hubs.LoadOrStore(hub, new(hubSyncs))
	}
	of := counts.(*hubSyncs)
	of.durations.add(took)
	if err != nil {
		of.errors.Add(1)
	}
}

// Collector tells Prometheus of them. hubOf names a hub by the number of its directory.
func (s *Syncs) Collector(hubOf func(vfs.HomeID) hubhome.HubName) prometheus.Collector {
	return &syncCollector{syncs: s, hubOf: hubOf}
}

type syncCollector struct {
	syncs *Syncs
	hubOf func(vfs.HomeID) hubhome.HubName
	mu    sync.Mutex
}

// Describe tells what Collect does.
func (c *syncCollector) Describe(ch chan<- *prometheus.Desc) { ch <- syncDuration; ch <- syncErrors }

// Collect tells what was counted. A hub that was made again under its name has the number of another directory.
func (c *syncCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	type sum struct {
		durations histogram
		errors    uint64
	}
	sums := map[hubhome.HubName]*sum{"": {}}
	for id, counts := range c.syncs.hubs.Range {
		of := counts.(*hubSyncs)
		if id := id.(uint64); of.name == "" && id != 0 {
			if of.name = c.hubOf(vfs.HomeID(id)); of.name == "" {
				continue // nobody knows yet
			}
		}
		if sums[of.name] == nil {
			sums[of.name] = new(sum)
		}
		sums[of.name].durations.merge(&of.durations)
		sums[of.name].errors += of.errors.Load()
	}
	for hub, s := range sums {
		s.durations.collect(ch, syncDuration, string(hub))
		counter(ch, syncErrors, s.errors, string(hub))
	}
}
