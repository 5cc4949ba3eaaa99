// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/metrics"
	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

var unlimited = hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: hubhome.UnlimitedInodes}

// home is one with a quota of bytes; 0: unlimited.
func home(name string, used, limit int64) quota.HomeReport {
	h := quota.HomeReport{Name: name, Used: quota.Usage{Bytes: used, Inodes: 1}, Quota: unlimited, State: quota.Clean}
	if limit > 0 {
		h.Quota.Bytes = hubhome.Bytes(limit)
	}
	return h
}

// told compares what a collector tells by some names with a text.
func told(t *testing.T, c prometheus.Collector, want string, names ...string) {
	t.Helper()
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

// TestMost bounds the homes with series of their own: the fullest, then the largest.
func TestMost(t *testing.T) {
	report := quota.Report{Hubs: []quota.HubReport{
		{Name: "a", Quota: unlimited, Homes: []quota.HomeReport{home("empty", 0, 100), home("full", 99, 100), home("large", 1000, 0)}},
		{Name: "b", Quota: unlimited, Homes: []quota.HomeReport{home("half", 50, 100), home("small", 10, 0)}},
	}}
	most := 3
	c := &metrics.Homes{Report: func() quota.Report { return report }, Most: func() int { return most }}
	told(t, c, `
# HELP hubhome_home_used_bytes What a home takes on the disk.
# TYPE hubhome_home_used_bytes gauge
hubhome_home_used_bytes{home="full",hub="a"} 99
hubhome_home_used_bytes{home="half",hub="b"} 50
hubhome_home_used_bytes{home="large",hub="a"} 1000
# HELP hubhome_homes_left_out How many homes of a hub have no series of their own, for metrics.homes.
# TYPE hubhome_homes_left_out gauge
hubhome_homes_left_out{hub="a"} 1
hubhome_homes_left_out{hub="b"} 1
`, "hubhome_home_used_bytes", "hubhome_homes_left_out")
	most = 0
	if n := testutil.CollectAndCount(c, "hubhome_home_used_bytes", "dirsize_total_size_bytes"); n != 0 {
		t.Errorf("%d series of homes are told, and none were to be", n)
	}
	if n := testutil.CollectAndCount(c, "hubhome_hub_used_bytes"); n != 2 {
		t.Errorf("%d hubs are told of", n)
	}
}

// TestLabels has names that no label can hold, or that look like what is made of one.
func TestLabels(t *testing.T) {
	report := quota.Report{Hubs: []quota.HubReport{{Name: "a", Quota: unlimited, Homes: []quota.HomeReport{
		home("caf\xe9", 1, 0), home(`"caf\xe9"`, 2, 0), home("ünï\ncode", 3, 0),
	}}}}
	c := &metrics.Homes{Report: func() quota.Report { return report }, Most: func() int { return 10 }}
	told(t, c, `
# HELP hubhome_home_used_bytes What a home takes on the disk.
# TYPE hubhome_home_used_bytes gauge
hubhome_home_used_bytes{home="\"\\\"caf\\\\xe9\\\"\"",hub="a"} 2
hubhome_home_used_bytes{home="\"caf\\xe9\"",hub="a"} 1
hubhome_home_used_bytes{home="ünï\ncode",hub="a"} 3
`, "hubhome_home_used_bytes")
}

// TestOperations counts by hub, operation and status, from many goroutines, across scrapes.
func TestOperations(t *testing.T) {
	hubs := map[vfs.HomeID]hubhome.HubName{1: "a", 2: "a", 3: "b"}
	o := metrics.NewOperations(func(id vfs.HomeID) hubhome.HubName { return hubs[id] })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				o.Observe(nfsserver.Operation{Op: nfs4.OpRead, Home: 1, Bytes: 10, Took: time.Millisecond})
				o.Observe(nfsserver.Operation{Op: nfs4.OpWrite, Home: 2, Bytes: 5, Took: time.Second})
				o.Observe(nfsserver.Operation{Op: nfs4.OpWrite, Home: 3, Status: nfs4.ErrDQuot, Took: time.Minute})
				o.Observe(nfsserver.Operation{Op: nfs4.OpSequence, Took: 1})
				o.Observe(nfsserver.Operation{Op: nfs4.OpIllegal, Status: nfs4.ErrOpIllegal, Took: 1})
			}
			testutil.CollectAndCount(o)
		})
	}
	all.Wait()
	told(t, o, `
# HELP hubhome_nfs_operations_total NFS operations that have run, by the RFCs' names; the hub is empty for those that are of no home.
# TYPE hubhome_nfs_operations_total counter
hubhome_nfs_operations_total{hub="",op="ILLEGAL",status="NFS4ERR_OP_ILLEGAL"} 800
hubhome_nfs_operations_total{hub="",op="SEQUENCE",status="NFS4_OK"} 800
hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4_OK"} 800
hubhome_nfs_operations_total{hub="a",op="WRITE",status="NFS4_OK"} 800
hubhome_nfs_operations_total{hub="b",op="WRITE",status="NFS4ERR_DQUOT"} 800
# HELP hubhome_nfs_read_bytes_total What clients have read of files.
# TYPE hubhome_nfs_read_bytes_total counter
hubhome_nfs_read_bytes_total{hub="a"} 8000
hubhome_nfs_read_bytes_total{hub="b"} 0
# HELP hubhome_nfs_written_bytes_total What clients have written to files.
# TYPE hubhome_nfs_written_bytes_total counter
hubhome_nfs_written_bytes_total{hub="a"} 4000
hubhome_nfs_written_bytes_total{hub="b"} 0
`, "hubhome_nfs_operations_total", "hubhome_nfs_read_bytes_total", "hubhome_nfs_written_bytes_total")

	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(o)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "hubhome_nfs_operation_duration_seconds" {
			continue
		}
		for _, m := range f.Metric {
			h := m.GetHistogram()
			if m.Label[0].GetValue() == "WRITE" && (h.GetSampleCount() != 1600 || h.GetSampleSum() != 800*61 || h.Bucket[15].GetCumulativeCount() != 800) {
				t.Errorf("the histogram of WRITE is %v", h)
			}
		}
	}
}

// TestMoved has a home's number go to a home of another hub: from the next scrape on that is counted there.
func TestMoved(t *testing.T) {
	hub := hubhome.HubName("a")
	o := metrics.NewOperations(func(vfs.HomeID) hubhome.HubName { return hub })
	o.Observe(nfsserver.Operation{Op: nfs4.OpRead, Home: 1})
	hub = "b"
	testutil.CollectAndCount(o)
	o.Observe(nfsserver.Operation{Op: nfs4.OpRead, Home: 1})
	if n := testutil.CollectAndCount(o, "hubhome_nfs_operations_total"); n != 2 {
		t.Errorf("%d hubs were counted", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	o := metrics.NewOperations(func(id vfs.HomeID) hubhome.HubName { return hubhome.HubName(fmt.Sprint("hub", id%10)) })
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			o.Observe(nfsserver.Operation{Op: nfs4.OpGetAttr, Home: vfs.HomeID(i % 1000), Took: 20 * time.Microsecond})
		}
	})
}

// BenchmarkScrape tells of 10,000 homes.
func BenchmarkScrape(b *testing.B) {
	var homes []quota.HomeReport
	for i := range 10000 {
		homes = append(homes, home(fmt.Sprintf("student-%05d", i), int64(i), 1<<30))
	}
	report := quota.Report{Hubs: []quota.HubReport{{Name: "a", Quota: unlimited, Homes: homes}}}
	reg := prometheus.NewRegistry()
	reg.MustRegister(&metrics.Homes{Report: func() quota.Report { return report }, Most: func() int { return 10000 }})
	for b.Loop() {
		if _, err := reg.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
