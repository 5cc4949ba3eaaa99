// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome"
)

// The names of prometheus-dirsize-exporter and of jupyterhub-home-nfs, which dashboards and alerts ask for. Whom they have
// by the pod's labels alone (namespace), is here told apart by the hub.
var (
	dirSize    = describe("dirsize_total_size_bytes", "What a home takes on the disk, as prometheus-dirsize-exporter calls it.", "directory", "hub")
	dirEntries = describe("dirsize_entries_count", "How many files, directories and links a home has, as prometheus-dirsize-exporter calls it.", "directory", "hub")
	dirMtime   = describe("dirsize_latest_mtime", "When a home was last written, as prometheus-dirsize-exporter calls it: seconds since 1970.", "directory", "hub")
	dirOldest  = describe("dirsize_oldest_mtime", "When what has not been written for the longest was, as prometheus-dirsize-exporter calls it: seconds since 1970; only where an NFS server of somebody else's has it.", "directory", "hub")
	dirUpdated = describe("dirsize_last_updated_ns", "When this was found out, as prometheus-dirsize-exporter calls it: seconds since 1970; now, where the server serves the homes itself.", "directory", "hub")
	dirLimit   = describe("dirsize_hard_limit_bytes", "What a home may take, as jupyterhub-home-nfs calls it; not there where that is unlimited.", "directory", "hub")
)

func (r row) collectDirectory(ch chan<- prometheus.Metric, at time.Time) {
	labels := []string{label(r.home.Name), string(r.hub)}
	gauge(ch, dirSize, r.home.Used.Bytes, labels...)
	gauge(ch, dirEntries, r.home.Used.Inodes, labels...)
	gauge(ch, dirUpdated, seconds(at), labels...)
	if !r.home.LastWrite.IsZero() {
		gauge(ch, dirMtime, seconds(r.home.LastWrite), labels...)
	}
	if !r.home.Oldest.IsZero() {
		gauge(ch, dirOldest, seconds(r.home.Oldest), labels...)
	}
	if r.home.Quota.Bytes != hubhome.Unlimited {
		gauge(ch, dirLimit, int64(r.home.Quota.Bytes), labels...)
	}
}
