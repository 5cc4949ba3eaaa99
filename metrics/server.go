// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/vfs"
)

var (
	nfsConnections = describe("hubhome_nfs_connections", "Connections of NFS clients.")
	nfsClients     = describe("hubhome_nfs_clients", "NFS clients that the server knows, and keeps leases of.")
	nfsCourtesy    = describe("hubhome_nfs_courtesy_clients", "NFS clients whose lease is over, and that keep what they hold while nobody wants it.")
	nfsHubClients  = describe("hubhome_nfs_hub_clients", "NFS clients that hold something in a hub, by whether their lease is valid or expired; one that does in several is counted in each.", "hub", "lease")
	nfsSessions    = describe("hubhome_nfs_sessions", "Sessions of NFS clients.")
	nfsOpens       = describe("hubhome_nfs_opens", "Files that NFS clients have open, once for each that has.", "hub")
	nfsLockOwners  = describe("hubhome_nfs_lock_owners", "Owners of byte-range locks in files that are open.", "hub")
	nfsLocks       = describe("hubhome_nfs_locks", "Ranges of bytes that are locked.", "hub")
	nfsReclaiming  = describe("hubhome_nfs_reclaiming_clients", "NFS clients that have yet to reclaim what they held before the restart.")
	nfsGrace       = describe("hubhome_nfs_grace_homes", "Homes that refuse new opens since clients have yet to reclaim there.", "hub")
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
	for _, d := range []*prometheus.Desc{
		nfsConnections, nfsClients, nfsCourtesy, nfsHubClients, nfsSessions, nfsOpens, nfsLockOwners, nfsLocks, nfsReclaiming, nfsGrace,
	} {
		ch <- d
	}
}

// held is what clients hold in one hub.
type held struct{ valid, expired, opens, lockOwners, locks, grace int }

// Collect tells what is so at this moment.
func (c *Clients) Collect(ch chan<- prometheus.Metric) {
	st := c.Stats()
	gauge(ch, nfsConnections, c.Connections())
	gauge(ch, nfsClients, st.Clients)
	gauge(ch, nfsCourtesy, st.Courtesy)
	gauge(ch, nfsSessions, st.Sessions)
	gauge(ch, nfsReclaiming, st.Reclaiming)
	for hub, h := range c.byHub(&st) {
		name := string(hub)
		gauge(ch, nfsHubClients, h.valid, name, "valid")
		gauge(ch, nfsHubClients, h.expired, name, "expired")
		gauge(ch, nfsOpens, h.opens, name)
		gauge(ch, nfsLockOwners, h.lockOwners, name)
		gauge(ch, nfsLocks, h.locks, name)
		gauge(ch, nfsGrace, h.grace, name)
	}
}

// byHub sums up what is held, by hub: of those that are served, and of others that homes are still open of. What is of no hub
// that anybody knows any more is left out.
func (c *Clients) byHub(st *nfsserver.Stats) map[hubhome.HubName]*held {
	hubs := map[hubhome.HubName]*held{}
	for _, hub := range c.Hubs() {
		hubs[hub] = new(held)
	}
	of := func(home vfs.HomeID) *held {
		hub := c.HubOf(home)
		if hubs[hub] == nil {
			hubs[hub] = new(held)
		}
		return hubs[hub]
	}
	for i := range st.Held {
		client, in := &st.Held[i], map[*held]struct{}{}
		for home, n := range client.Opens {
			h := of(home)
			h.opens += n
			in[h] = struct{}{}
		}
		for home, n := range client.LockOwners {
			of(home).lockOwners += n
		}
		for h := range in { // who has locks has the file open
			if client.Courtesy {
				h.expired++
			} else {
				h.valid++
			}
		}
	}
	for home, n := range st.Locks {
		of(home).locks += n
	}
	for _, home := range st.Grace {
		of(home).grace++
	}
	delete(hubs, "")
	return hubs
}
