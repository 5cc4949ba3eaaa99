// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome/vfs"
)

var (
	storeSize       = describe("hubhome_store_size_bytes", "The size of the file system that the homes are on.")
	storeAvail      = describe("hubhome_store_available_bytes", "What is free on the file system that the homes are on.")
	storeInodes     = describe("hubhome_store_inodes", "How many inodes the file system has that the homes are on.")
	storeInodesFree = describe("hubhome_store_available_inodes", "How many inodes are free there.")

	storeAsOf = describe("hubhome_store_as_of_timestamp_seconds", "When the server said so that has the homes; only where that is somebody else's.")

	// What basehub's volume exporter, a node exporter with the share mounted, calls the same.
	nodeSize  = describe("node_filesystem_size_bytes", "As hubhome_store_size_bytes, as the node exporter calls it where it has the share mounted.", "mountpoint", "device", "fstype")
	nodeAvail = describe("node_filesystem_avail_bytes", "As hubhome_store_available_bytes, as the node exporter calls it where it has the share mounted.", "mountpoint", "device", "fstype")
)

// nodeLabels are what dashboards and alerts know the share by.
var nodeLabels = []string{"/shared-volume", "hubhome", "nfs4"}

// Volume tells what space the store has.
type Volume struct {
	// FS are the store's files, asked for their root's space at each scrape.
	FS vfs.FS
}

// Describe tells what Collect does.
func (v *Volume) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{storeSize, storeAvail, storeInodes, storeInodesFree, nodeSize, nodeAvail} {
		ch <- d
	}
}

// Collect asks the file system.
func (v *Volume) Collect(ch chan<- prometheus.Metric) {
	ctx := context.Background()
	root, err := v.FS.Root(ctx)
	var st vfs.StatFS
	if err == nil {
		st, err = v.FS.StatFS(ctx, root)
	}
	if err != nil {
		ch <- prometheus.NewInvalidMetric(storeSize, err)
		return
	}
	collectSpace(ch, &st)
}

func collectSpace(ch chan<- prometheus.Metric, st *vfs.StatFS) {
	gauge(ch, storeSize, st.TotalBytes)
	gauge(ch, storeAvail, st.AvailBytes)
	gauge(ch, storeInodes, st.TotalFiles)
	gauge(ch, storeInodesFree, st.AvailFiles)
	gauge(ch, nodeSize, st.TotalBytes, nodeLabels...)
	gauge(ch, nodeAvail, st.AvailBytes, nodeLabels...)
}
