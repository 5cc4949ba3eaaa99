// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubhome/hubhome/metrics"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/survey"
	"github.com/hubhome/hubhome/vfs"
)

// TestPartial tells which hubs are not known in full, by a home or by their own directory, and what is known of homes.
func TestPartial(t *testing.T) {
	now := time.Now()
	report := quota.Report{Scanned: true, Hubs: []quota.HubReport{
		{Name: "home", Quota: unlimited, OwnState: quota.Scanned, AsOf: now, Homes: []quota.HomeReport{
			{Name: "ada", State: quota.Partial, Quota: unlimited, AsOf: now, Unread: 2}, {Name: "bob", State: quota.Scanned, Quota: unlimited, AsOf: now},
		}},
		{Name: "own", Quota: unlimited, OwnState: quota.Partial, AsOf: now},
		{Name: "unknown", Quota: unlimited, OwnState: quota.Partial},
		{Name: "whole", Quota: unlimited, OwnState: quota.Scanned, AsOf: now},
	}}
	told(t, &metrics.Homes{Report: func() quota.Report { return report }, Most: func() int { return 10 }}, `
# HELP hubhome_hub_partial Whether something in a hub could not be read, and is missing in its figures; only where an NFS server of somebody else's has it.
# TYPE hubhome_hub_partial gauge
hubhome_hub_partial{hub="home"} 1
hubhome_hub_partial{hub="own"} 1
hubhome_hub_partial{hub="whole"} 0
# HELP hubhome_homes How many homes and shared directories a hub has, by what is known of what they take: clean, dirty, counting or unreadable; scanned or partial where an NFS server of somebody else's has them.
# TYPE hubhome_homes gauge
hubhome_homes{hub="home",state="partial"} 1
hubhome_homes{hub="home",state="scanned"} 1
hubhome_homes{hub="own",state="partial"} 0
hubhome_homes{hub="own",state="scanned"} 0
hubhome_homes{hub="whole",state="partial"} 0
hubhome_homes{hub="whole",state="scanned"} 0
`, "hubhome_hub_partial", "hubhome_homes")
}

// TestSpaceOfOthers tells what space a server says that it has, and when it said so; nothing before.
func TestSpaceOfOthers(t *testing.T) {
	var status survey.Status
	c := &metrics.Scans{Status: func() survey.Status { return status }}
	space := []string{"hubhome_store_size_bytes", "hubhome_store_available_bytes", "node_filesystem_size_bytes", "node_filesystem_avail_bytes",
		"hubhome_store_inodes", "hubhome_store_available_inodes", "hubhome_store_as_of_timestamp_seconds"}
	if n := testutil.CollectAndCount(c, space...); n != 0 {
		t.Errorf("%d series of space are told, and nothing is known of it", n)
	}
	status.Space, status.SpaceAsOf = vfs.StatFS{TotalBytes: 1000, AvailBytes: 10}, time.Unix(1_700_000_000, 5e8)
	told(t, c, `
# HELP hubhome_store_as_of_timestamp_seconds When the server said so that has the homes; only where that is somebody else's.
# TYPE hubhome_store_as_of_timestamp_seconds gauge
hubhome_store_as_of_timestamp_seconds 1.7000000005e+09
# HELP node_filesystem_avail_bytes As hubhome_hub_available_bytes, as the node exporter calls it where it has the share mounted.
# TYPE node_filesystem_avail_bytes gauge
node_filesystem_avail_bytes{device="hubhome",fstype="nfs4",hub="",mountpoint="/shared-volume"} 10
`, "hubhome_store_as_of_timestamp_seconds", "node_filesystem_avail_bytes")
	if n := testutil.CollectAndCount(c, space...); n != len(space) {
		t.Errorf("%d series of space are told, and not %d", n, len(space))
	}
}
