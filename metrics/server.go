// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/vfs"
)

var (
	nfsConnections = describe("hubhome_nfs_connections", "Connections of NFS clients.")
	nfsClients     = describe("hubhome_nfs_clients", "NFS clients that the server knows, and keeps leases of.")
	nfsCourtesy    = describe("hubhome_nfs_courtesy_clients", "NFS clients whose lease is over, and that keep what they hold while nobody wants it.")
	nfsSessions    = describe("hubhome_nfs_sessions", "Sessions of NFS clients.")
	nfsOpens       = describe("hubhome_nfs_opens", "Files that NFS clients have open, once for each that has.")
	nfsLockOwners  = describe("hubhome_nfs_lock_owners", "Owners of byte-range locks in files that are open.")
	nfsReclaiming  = describe("hubhome_nfs_reclaiming_clients", "NFS clients that have yet to reclaim what they held before the restart.")
	nfsGrace       = describe("hubhome_nfs_grace_homes", "Homes that refuse new opens since clients have yet to reclaim there.", "hub")

	syncDuration = describe("hubhome_disk_sync_duration_seconds", "How long the disk took to make a file or a directory durable (fsync).")
	syncErrors   = describe("hubhome_disk_sync_errors_total", "How often the disk could not: what was written may be lost, and clients are told.")
)

// Clients tells what clients hold.
type Clients struct {
	// Stats is asked at each scrape, as Connections is.
	Stats       func() nfsserver.Stats
	Connections func() int
	// Hubs are the hubs that are served, and HubOf that of a home.
	Hubs  func() []hubhome.HubName
	HubOf func(vfs.HomeID) hubhome.HubName
}

// Describe tells what Collect does.
func (c *Clients) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{nfsConnections, nfsClients, nfsCourtesy, nfsSessions, nfsOpens, nfsLockOwners, nfsReclaiming, nfsGrace} {
		ch <- d
	}
}

// Collect tells what is so at this moment.
func (c *Clients) Collect(ch chan<- prometheus.Metric) {
	st := c.Stats()
	gauge(ch, nfsConnections, c.Connections())
	gauge(ch, nfsClients, st.Clients)
	gauge(ch, nfsCourtesy, st.Courtesy)
	gauge(ch, nfsSessions, st.Sessions)
	gauge(ch, nfsOpens, st.Opens)
	gauge(ch, nfsLockOwners, st.LockOwners)
	gauge(ch, nfsReclaiming, st.Reclaiming)
	waiting := map[hubhome.HubName]int{}
	for _, hub := range c.Hubs() {
		waiting[hub] = 0
	}
	for _, home := range st.Grace {
		if hub := c.HubOf(home); hub != "" {
			waiting[hub]++
		}
	}
	for hub, n := range waiting {
		gauge(ch, nfsGrace, n, string(hub))
	}
}

// Syncs counts how long the disk takes to make things durable. Its zero value is ready.
type Syncs struct {
	durations histogram
	errors    atomic.Uint64
}

// Observe counts one. It may be called concurrently.
func (s *Syncs) Observe(took time.Duration, err error) {
	s.durations.add(took)
	if err != nil {
		s.errors.Add(1)
	}
}

// Describe tells what Collect does.
func (s *Syncs) Describe(ch chan<- *prometheus.Desc) { ch <- syncDuration; ch <- syncErrors }

// Collect tells what was counted.
func (s *Syncs) Collect(ch chan<- prometheus.Metric) {
	s.durations.collect(ch, syncDuration)
	counter(ch, syncErrors, s.errors.Load())
}
