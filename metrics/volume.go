// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

var (
	storeSize       = describe("hubhome_store_size_bytes", "The size of the file system that the homes are on.")
	storeAvail      = describe("hubhome_store_available_bytes", "What is free on the file system that the homes are on.")
	storeInodes     = describe("hubhome_store_inodes", "How many inodes the file system has that the homes are on.")
	storeInodesFree = describe("hubhome_store_available_inodes", "How many inodes are free there.")

	storeAsOf = describe("hubhome_store_as_of_timestamp_seconds", "When the server said so that has the homes; only where that is somebody else's.")

	hubSize       = describe("hubhome_hub_size_bytes", "What a hub can have, as df shows it in the hub's directory: its quota, or the whole file system.", "hub")
	hubAvail      = describe("hubhome_hub_available_bytes", "What is left of it: of the quota or of the file system, whichever has less.", "hub")
	hubInodes     = describe("hubhome_hub_size_inodes", "How many inodes a hub can have, as df -i shows it; 0 where the file system does not count them.", "hub")
	hubInodesFree = describe("hubhome_hub_available_inodes", "How many inodes are left of them.", "hub")

	// What basehub's volume exporter, a node exporter with the hub's share mounted, calls the same.
	nodeSize  = describe("node_filesystem_size_bytes", "As hubhome_hub_size_bytes, as the node exporter calls it where it has the share mounted.", "mountpoint", "device", "fstype", "hub")
	nodeAvail = describe("node_filesystem_avail_bytes", "As hubhome_hub_available_bytes, as the node exporter calls it where it has the share mounted.", "mountpoint", "device", "fstype", "hub")
)

// diskTime is how long a scrape waits for a disk.
const diskTime = 5 * time.Second

// Volume tells what space the store has, and the hubs.
type Volume struct {
	// FS are the store's files, asked for the space of their root and of the hubs at each scrape.
	FS vfs.FS
	// Hubs are the hubs that are served.
	Hubs func() []hubhome.HubName

	patience time.Duration // zero: diskTime

	mu     sync.Mutex
	asking *asking // nil: nobody asks
}

// asking is a question to a disk, which may take for ever.
type asking struct {
	answered chan struct{}
	spaces   spaces
}

// spaces are the answer.
type spaces struct {
	store vfs.StatFS
	hubs  map[hubhome.HubName]vfs.StatFS
	// err is why nothing is known, and faults why nothing of single hubs.
	err    error
	faults []error
}

// Describe tells what Collect does.
func (v *Volume) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		storeSize, storeAvail, storeInodes, storeInodesFree, hubSize, hubAvail, hubInodes, hubInodesFree, nodeSize, nodeAvail,
	} {
		ch <- d
	}
}

// Collect asks the file system. It waits for no disk that does not answer: what else there is to tell must be told then.
func (v *Volume) Collect(ch chan<- prometheus.Metric) {
	s := v.ask()
	if s.err != nil {
		ch <- prometheus.NewInvalidMetric(storeSize, s.err)
		return
	}
	collectStore(ch, &s.store)
	for hub, st := range s.hubs {
		name := string(hub)
		gauge(ch, hubSize, st.TotalBytes, name)
		gauge(ch, hubAvail, st.AvailBytes, name)
		gauge(ch, hubInodes, st.TotalFiles, name)
		gauge(ch, hubInodesFree, st.AvailFiles, name)
		collectNode(ch, &st, name)
	}
	for _, err := range s.faults {
		ch <- prometheus.NewInvalidMetric(hubSize, err)
	}
}

// collectStore tells of a whole file system.
func collectStore(ch chan<- prometheus.Metric, st *vfs.StatFS) {
	gauge(ch, storeSize, st.TotalBytes)
	gauge(ch, storeAvail, st.AvailBytes)
	gauge(ch, storeInodes, st.TotalFiles)
	gauge(ch, storeInodesFree, st.AvailFiles)
}

// collectNode tells of a share by the labels that dashboards and alerts know it by.
func collectNode(ch chan<- prometheus.Metric, st *vfs.StatFS, hub string) {
	gauge(ch, nodeSize, st.TotalBytes, "/shared-volume", "hubhome", "nfs4", hub)
	gauge(ch, nodeAvail, st.AvailBytes, "/shared-volume", "hubhome", "nfs4", hub)
}

// ask asks the disk. A question that is not answered in time is left to itself, as a system call cannot be ended; there is never
// more than one.
func (v *Volume) ask() spaces {
	v.mu.Lock()
	a := v.asking
	if a == nil {
		a = &asking{answered: make(chan struct{})}
		v.asking = a
		go func() {
			a.spaces = v.look()
			v.mu.Lock()
			v.asking = nil
			v.mu.Unlock()
			close(a.answered)
		}()
	}
	v.mu.Unlock()
	patience := cmp.Or(v.patience, diskTime)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-a.answered:
		return a.spaces
	case <-timer.C:
		return spaces{err: fmt.Errorf("ask for the store's space: the disk has not answered in %v", patience)}
	}
}

// look asks, and waits. A panic is an error, as Guard has it, which does not reach the goroutine that this runs in.
func (v *Volume) look() (s spaces) {
	defer func() {
		if p := recover(); p != nil {
			s = spaces{err: panicked(v, p)}
		}
	}()
	ctx := context.Background()
	root, err := v.FS.Root(ctx)
	if err == nil {
		s.store, err = v.FS.StatFS(ctx, root)
	}
	if err != nil {
		s.err = fmt.Errorf("ask for the store's space: %w", err)
		return s
	}
	s.hubs = map[hubhome.HubName]vfs.StatFS{}
	for _, hub := range v.Hubs() {
		var st vfs.StatFS
		e, err := v.FS.Lookup(ctx, nil, root, string(hub))
		if err == nil {
			st, err = v.FS.StatFS(ctx, e.Handle)
		}
		if err != nil {
			s.faults = append(s.faults, fmt.Errorf("ask for the space of hub %q: %w", hub, err))
			continue
		}
		s.hubs[hub] = st
	}
	return s
}
