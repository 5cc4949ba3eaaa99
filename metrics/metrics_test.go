// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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
	"github.com/hubhome/hubhome/vfs/vfstest"
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
hubhome_nfs_operations_total{hub="",op="ILLEGAL",status="NFS4ERR_IO"} 0
hubhome_nfs_operations_total{hub="",op="ILLEGAL",status="NFS4ERR_OP_ILLEGAL"} 800
hubhome_nfs_operations_total{hub="",op="ILLEGAL",status="NFS4ERR_SERVERFAULT"} 0
hubhome_nfs_operations_total{hub="",op="SEQUENCE",status="NFS4ERR_IO"} 0
hubhome_nfs_operations_total{hub="",op="SEQUENCE",status="NFS4ERR_SERVERFAULT"} 0
hubhome_nfs_operations_total{hub="",op="SEQUENCE",status="NFS4_OK"} 800
hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4ERR_IO"} 0
hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4ERR_SERVERFAULT"} 0
hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4_OK"} 800
hubhome_nfs_operations_total{hub="a",op="WRITE",status="NFS4ERR_IO"} 0
hubhome_nfs_operations_total{hub="a",op="WRITE",status="NFS4ERR_SERVERFAULT"} 0
hubhome_nfs_operations_total{hub="a",op="WRITE",status="NFS4_OK"} 800
hubhome_nfs_operations_total{hub="b",op="WRITE",status="NFS4ERR_DQUOT"} 800
hubhome_nfs_operations_total{hub="b",op="WRITE",status="NFS4ERR_IO"} 0
hubhome_nfs_operations_total{hub="b",op="WRITE",status="NFS4ERR_SERVERFAULT"} 0
# HELP hubhome_nfs_read_bytes_total What clients have read of files.
# TYPE hubhome_nfs_read_bytes_total counter
hubhome_nfs_read_bytes_total{hub="a"} 8000
hubhome_nfs_read_bytes_total{hub="b"} 0
# HELP hubhome_nfs_written_bytes_total What clients have written to files.
# TYPE hubhome_nfs_written_bytes_total counter
hubhome_nfs_written_bytes_total{hub="a"} 4000
hubhome_nfs_written_bytes_total{hub="b"} 0
`, "hubhome_nfs_operations_total", "hubhome_nfs_read_bytes_total", "hubhome_nfs_written_bytes_total")

	for hub, of := range histograms(t, o, "hubhome_nfs_operation_duration_seconds") {
		switch hub {
		case "a/WRITE":
			if of.n != 800 || of.sum != 800 || of.upTo[15] != 800 {
				t.Errorf("the histogram of WRITE in a is %v", of)
			}
		case "b/WRITE":
			if of.n != 800 || of.sum != 800*60 || of.upTo[17] != 0 {
				t.Errorf("the histogram of WRITE in b is %v", of)
			}
		case "a/READ", "/SEQUENCE", "/ILLEGAL":
		default:
			t.Errorf("there is a histogram of %s", hub)
		}
	}
}

// TestFaultsAlert: an operation that has occurred has its faults at zero before there is one, so that the first increases what
// the alert looks at; and one is told of once.
func TestFaultsAlert(t *testing.T) {
	o := metrics.NewOperations(func(vfs.HomeID) hubhome.HubName { return "a" })
	o.Observe(nfsserver.Operation{Op: nfs4.OpRead, Home: 1})
	const zero = `hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4ERR_SERVERFAULT"} 0
hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4_OK"} 1
`
	const head = `
# HELP hubhome_nfs_operations_total NFS operations that have run, by the RFCs' names; the hub is empty for those that are of no home.
# TYPE hubhome_nfs_operations_total counter
`
	const name = "hubhome_nfs_operations_total"
	told(t, o, head+`hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4ERR_IO"} 0`+"\n"+zero, name)
	o.Observe(nfsserver.Operation{Op: nfs4.OpRead, Home: 1, Status: nfs4.ErrIO})
	told(t, o, head+`hubhome_nfs_operations_total{hub="a",op="READ",status="NFS4ERR_IO"} 1`+"\n"+zero, name)
}

// TestSyncs counts by hub, also of hubs that are named later and of one that is made again; what is the server's own has none.
func TestSyncs(t *testing.T) {
	var s metrics.Syncs
	names := map[vfs.HomeID]hubhome.HubName{}
	c := s.Collector(func(id vfs.HomeID) hubhome.HubName { return names[id] })
	s.Observe(0, time.Second, nil)
	s.Observe(7, time.Second, errors.New("the disk is broken"))
	const head = `
# HELP hubhome_disk_sync_errors_total How often the disk could not: what was written may be lost, and clients are told.
# TYPE hubhome_disk_sync_errors_total counter
hubhome_disk_sync_errors_total{hub=""} 0
`
	told(t, c, head, "hubhome_disk_sync_errors_total")
	names[7] = "a"
	told(t, c, head+`hubhome_disk_sync_errors_total{hub="a"} 1`+"\n", "hubhome_disk_sync_errors_total")
	names[7], names[8] = "", "a" // it is gone, and there is another one
	s.Observe(8, 2*time.Second, errors.New("still"))
	told(t, c, head+`hubhome_disk_sync_errors_total{hub="a"} 2`+"\n", "hubhome_disk_sync_errors_total")
	all := histograms(t, c, "hubhome_disk_sync_duration_seconds")
	if of := all["a/"]; len(all) != 2 || of.n != 2 || of.sum != 3 || of.upTo[15] != 1 {
		t.Errorf("the histograms are %v", all)
	}
}

// counted is a histogram.
type counted struct {
	n    uint64
	sum  float64
	upTo []uint64 // by bucket
}

// histograms are those of a name, by hub and operation.
func histograms(t *testing.T, c prometheus.Collector, name string) map[string]counted {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]counted{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			hub, op := "", ""
			for _, l := range m.Label {
				switch l.GetName() {
				case "hub":
					hub = l.GetValue()
				case "op":
					op = l.GetValue()
				}
			}
			h := counted{n: m.Histogram.GetSampleCount(), sum: m.Histogram.GetSampleSum()}
			for _, b := range m.Histogram.Bucket {
				h.upTo = append(h.upTo, b.GetCumulativeCount())
			}
			all[hub+"/"+op] = h
		}
	}
	return all
}

// TestClients has two nodes with users of two hubs, one of them without a lease, and locks.
func TestClients(t *testing.T) {
	hubs := map[vfs.HomeID]hubhome.HubName{1: "a", 2: "a", 3: "b"}
	type by = map[vfs.HomeID]int
	c := &metrics.Clients{
		Stats: func() nfsserver.Stats {
			return nfsserver.Stats{Clients: 3, Courtesy: 1, Held: []nfsserver.Held{
				{Opens: by{1: 2, 2: 3, 3: 1}, LockOwners: by{1: 1, 3: 1}}, {Courtesy: true, Opens: by{3: 1, 99: 1}},
			}, Locks: by{1: 5, 3: 1}, Grace: []vfs.HomeID{2, 99}}
		},
		Connections: func() int { return 2 },
		Hubs:        func() []hubhome.HubName { return []hubhome.HubName{"a", "b", "empty"} },
		HubOf:       func(id vfs.HomeID) hubhome.HubName { return hubs[id] },
	}
	told(t, c, `
# HELP hubhome_nfs_clients NFS clients that the server knows, and keeps leases of.
# TYPE hubhome_nfs_clients gauge
hubhome_nfs_clients 3
# HELP hubhome_nfs_grace_homes Homes that refuse new opens since clients have yet to reclaim there.
# TYPE hubhome_nfs_grace_homes gauge
hubhome_nfs_grace_homes{hub="a"} 1
hubhome_nfs_grace_homes{hub="b"} 0
hubhome_nfs_grace_homes{hub="empty"} 0
# HELP hubhome_nfs_hub_clients NFS clients that hold something in a hub, by whether their lease is valid or expired; one that does in several is counted in each.
# TYPE hubhome_nfs_hub_clients gauge
hubhome_nfs_hub_clients{hub="a",lease="expired"} 0
hubhome_nfs_hub_clients{hub="a",lease="valid"} 1
hubhome_nfs_hub_clients{hub="b",lease="expired"} 1
hubhome_nfs_hub_clients{hub="b",lease="valid"} 1
hubhome_nfs_hub_clients{hub="empty",lease="expired"} 0
hubhome_nfs_hub_clients{hub="empty",lease="valid"} 0
# HELP hubhome_nfs_lock_owners Owners of byte-range locks in files that are open.
# TYPE hubhome_nfs_lock_owners gauge
hubhome_nfs_lock_owners{hub="a"} 1
hubhome_nfs_lock_owners{hub="b"} 1
hubhome_nfs_lock_owners{hub="empty"} 0
# HELP hubhome_nfs_locks Ranges of bytes that are locked.
# TYPE hubhome_nfs_locks gauge
hubhome_nfs_locks{hub="a"} 5
hubhome_nfs_locks{hub="b"} 1
hubhome_nfs_locks{hub="empty"} 0
# HELP hubhome_nfs_opens Files that NFS clients have open, once for each that has.
# TYPE hubhome_nfs_opens gauge
hubhome_nfs_opens{hub="a"} 5
hubhome_nfs_opens{hub="b"} 2
hubhome_nfs_opens{hub="empty"} 0
`, "hubhome_nfs_clients", "hubhome_nfs_grace_homes", "hubhome_nfs_hub_clients", "hubhome_nfs_lock_owners", "hubhome_nfs_locks", "hubhome_nfs_opens")
}

// stuck is a tree of files on a disk that does not answer.
type stuck struct {
	vfs.FS
	asked   atomic.Int32
	release chan struct{}
}

func (s *stuck) Root(ctx context.Context) (vfs.Handle, error) {
	s.asked.Add(1)
	<-s.release
	return s.FS.Root(ctx)
}

// TestDiskHangs scrapes a server whose disk does not answer, again and again: what does not depend on the disk is told, the disk
// is asked once, and told of when it answers.
func TestDiskHangs(t *testing.T) {
	fs := &stuck{FS: vfstest.NewMemory("prod"), release: make(chan struct{})}
	v := &metrics.Volume{FS: fs, Hubs: func() []hubhome.HubName { return []hubhome.HubName{"prod"} }}
	v.SetPatience(time.Millisecond)
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(v, &metrics.Recount{Progress: func() metrics.Progress { return metrics.Progress{} }})
	for range 5 {
		families, err := reg.Gather()
		if err == nil || !strings.Contains(err.Error(), "the disk has not answered in 1ms") || len(families) != 5 {
			t.Errorf("%d are told of, %v", len(families), err)
		}
	}
	if n := fs.asked.Load(); n != 1 {
		t.Errorf("the disk was asked %d times", n)
	}
	close(fs.release)
	v.SetPatience(20 * time.Second)
	families, err := reg.Gather()
	if err != nil || len(families) != 5+10 {
		t.Errorf("%d are told of, %v", len(families), err)
	}
}

// TestHubMissing: a hub whose directory is gone is an error, and the disk and the other hubs are told of all the same.
func TestHubMissing(t *testing.T) {
	v := &metrics.Volume{FS: vfstest.NewMemory("prod", "test"), Hubs: func() []hubhome.HubName { return []hubhome.HubName{"gone", "prod", "test"} }}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(v)
	families, err := reg.Gather()
	if err == nil || !strings.Contains(err.Error(), `hub "gone"`) {
		t.Errorf("the error is %v", err)
	}
	series := 0
	for _, f := range families {
		series += len(f.GetMetric())
	}
	if len(families) != 10 || series != 4+2*6 {
		t.Errorf("%d series of %d names are told", series, len(families))
	}
}

// buggy is a tree of files with a bug.
type buggy struct{ vfs.FS }

func (buggy) Root(context.Context) (vfs.Handle, error) { panic("a bug") }

// TestDiskPanics: a bug below what asks the disk does not end the process either.
func TestDiskPanics(t *testing.T) {
	v := &metrics.Volume{FS: buggy{}, Hubs: func() []hubhome.HubName { return nil }}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(v)
	for range 2 {
		if _, err := reg.Gather(); err == nil || !strings.Contains(err.Error(), "panic: a bug") {
			t.Errorf("the error is %v", err)
		}
	}
}

// broken is a collector with a bug.
type broken struct{ *metrics.Recount }

func (broken) Collect(chan<- prometheus.Metric) { panic("a bug") }

// TestCollectorPanics: a bug in what tells of one thing does not end the process, and the others are told.
func TestCollectorPanics(t *testing.T) {
	odd := &metrics.Homes{Report: func() quota.Report {
		return quota.Report{Hubs: []quota.HubReport{{Name: "caf\xe9", Quota: unlimited}}} // no hub is called so
	}, Most: func() int { return 1 }}
	reg := prometheus.NewRegistry()
	reg.MustRegister(metrics.Guard(broken{new(metrics.Recount)}), metrics.Guard(odd), new(metrics.Syncs).Collector(nil))
	families, err := reg.Gather()
	if err == nil || !strings.Contains(err.Error(), "panic: a bug") || !strings.Contains(err.Error(), "not valid UTF-8") {
		t.Errorf("the error is %v", err)
	}
	if len(families) < 2 {
		t.Errorf("the others are not told: %v", families)
	}
}

// TestOneScrape has many scrape at once: one after the other is answered, and who is too many is told so.
func TestOneScrape(t *testing.T) {
	entered, release := make(chan struct{}, 10), make(chan struct{})
	reg := prometheus.NewRegistry()
	reg.MustRegister(&metrics.Recount{Progress: func() metrics.Progress {
		entered <- struct{}{}
		<-release
		return metrics.Progress{}
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- metrics.Serve(ctx, l, reg, slog.New(slog.DiscardHandler)) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	const many = 8
	statuses := make(chan int, many)
	for range many {
		go func() {
			res, err := http.Get("http://" + l.Addr().String() + "/metrics")
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			res.Body.Close()
			statuses <- res.StatusCode
		}()
	}
	<-entered
	for range many - 4 { // who is too many hears of it while the first is answered
		if status := <-statuses; status != http.StatusServiceUnavailable {
			t.Errorf("one too many is answered %d", status)
		}
	}
	if len(entered) > 0 {
		t.Error("two are answered at once")
	}
	close(release)
	for range 4 {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("one that waited is answered %d", status)
		}
	}
}

// TestCrowd has more connections made than there may be: those that are too many are closed, and when others go there is room.
func TestCrowd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- metrics.Serve(ctx, l, prometheus.NewRegistry(), slog.New(slog.DiscardHandler)) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	// ask makes a connection that is kept, and tells whether it is answered.
	ask := func() (net.Conn, bool) {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		n, _ := conn.Read(make([]byte, 1))
		return conn, n > 0
	}
	const most = 64
	var kept []net.Conn
	defer func() {
		for _, conn := range kept {
			conn.Close()
		}
	}()
	for i := range most {
		conn, answered := ask()
		if kept = append(kept, conn); !answered {
			t.Fatalf("connection %d is not answered", i)
		}
	}
	for range 10 {
		conn, answered := ask()
		conn.Close()
		if answered {
			t.Fatal("one too many is answered")
		}
	}
	kept[0].Close()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		conn, answered := ask()
		conn.Close()
		if answered {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("there is never room again")
		}
	}
}

// slow is a collector that takes until it is released.
type slow struct {
	*metrics.Recount
	entered, release chan struct{}
}

func (s slow) Collect(ch chan<- prometheus.Metric) {
	close(s.entered)
	<-s.release
}

// TestServeWaits stops the page in the middle of a scrape: it waits for that, since what a scrape asks is closed then.
func TestServeWaits(t *testing.T) {
	c := slow{new(metrics.Recount), make(chan struct{}), make(chan struct{})}
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended, scraped := make(chan error, 1), make(chan struct{})
	go func() { ended <- metrics.Serve(ctx, l, reg, slog.New(slog.DiscardHandler)) }()
	go func() {
		defer close(scraped)
		if res, err := http.Get("http://" + l.Addr().String() + "/metrics"); err == nil {
			res.Body.Close()
		}
	}()
	<-c.entered
	cancel()
	<-scraped // the connection is closed
	select {
	case err := <-ended:
		t.Fatalf("it ended while a scrape ran: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(c.release)
	if err := <-ended; err != nil {
		t.Error(err)
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
	if n := testutil.CollectAndCount(o, "hubhome_nfs_read_bytes_total"); n != 2 {
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
