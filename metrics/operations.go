// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/vfs"
)

var (
	opCount    = describe("hubhome_nfs_operations_total", "NFS operations that have run, by the RFCs' names; the hub is empty for those that are of no home.", "hub", "op", "status")
	opDuration = describe("hubhome_nfs_operation_duration_seconds", "How long NFS operations ran.", "hub", "op")
	opRead     = describe("hubhome_nfs_read_bytes_total", "What clients have read of files.", "hub")
	opWritten  = describe("hubhome_nfs_written_bytes_total", "What clients have written to files.", "hub")
)

// maxOps bounds the operations that are counted by themselves: the numbers of all that there are.
const maxOps = int(nfs4.OpRemoveXattr) + 1

// Operations counts what the server does.
type Operations struct {
	hubOf func(vfs.HomeID) hubhome.HubName
	// hubs are the counts of each hub, by its name.
	hubs sync.Map // hubhome.HubName → *hubOperations
	// homes has the hubs of homes: asked for once between two scrapes, since a home may go and its number come back.
	homes atomic.Pointer[sync.Map] // vfs.HomeID → *hubOperations
}

// hubOperations are what is counted for one hub.
type hubOperations struct {
	durations     [maxOps]histogram // that of what is none is at 0
	ok            [maxOps]atomic.Uint64
	failed        sync.Map // outcome → *atomic.Uint64
	read, written atomic.Uint64
}

// outcome is an operation and a status other than OK.
type outcome struct {
	op     nfs4.Op
	status nfs4.Status
}

// NewOperations returns counts of nothing. hubOf names the hub of a home.
func NewOperations(hubOf func(vfs.HomeID) hubhome.HubName) *Operations {
	o := &Operations{hubOf: hubOf}
	o.homes.Store(new(sync.Map))
	return o
}

// Observe counts an operation. It may be called concurrently.
func (o *Operations) Observe(done nfsserver.Operation) {
	op := done.Op
	if int(op) >= maxOps {
		op = 0
	}
	hub := o.of(done.Home)
	hub.durations[op].add(done.Took)
	if done.Status != nfs4.OK {
		key := outcome{op, done.Status}
		n, known := hub.failed.Load(key)
		if !known {
			n, _ = hub.failed.LoadOrStore(key, new(atomic.Uint64))
		}
		n.(*atomic.Uint64).Add(1)
		return
	}
	hub.ok[op].Add(1)
	switch {
	case done.Bytes == 0:
	case op == nfs4.OpRead:
		hub.read.Add(uint64(done.Bytes))
	default:
		hub.written.Add(uint64(done.Bytes))
	}
}

// of finds the counts of a home's hub.
func (o *Operations) of(home vfs.HomeID) *hubOperations {
	homes := o.homes.Load()
	if found, ok := homes.Load(home); ok {
		return found.(*hubOperations)
	}
	name := hubhome.HubName("")
	if home != 0 {
		name = o.hubOf(home)
	}
	hub, ok := o.hubs.Load(name)
	if !ok {
		hub, _ = o.hubs.LoadOrStore(name, new(hubOperations))
	}
	homes.Store(home, hub)
	return hub.(*hubOperations)
}

// Describe tells nothing: what is told depends on what has happened.
func (o *Operations) Describe(chan<- *prometheus.Desc) {}

// opName is what an operation is called.
func opName(op nfs4.Op) string {
	if op == 0 {
		op = nfs4.OpIllegal
	}
	return op.String()
}

// faults are the statuses that somebody has to look after. They are told of each operation that has occurred, also while there
// are none: what is not there at first and then is 1 has not increased, to Prometheus.
var faults = [...]nfs4.Status{nfs4.ErrIO, nfs4.ErrServerFault}

// Collect tells what was counted.
func (o *Operations) Collect(ch chan<- prometheus.Metric) {
	o.homes.Store(new(sync.Map))
	for name, hub := range o.hubs.Range {
		hub.(*hubOperations).collect(ch, string(name.(hubhome.HubName)))
	}
}

func (h *hubOperations) collect(ch chan<- prometheus.Metric, name string) {
	told := map[outcome]bool{}
	for key, n := range h.failed.Range {
		key := key.(outcome)
		told[key] = true
		counter(ch, opCount, n.(*atomic.Uint64).Load(), name, opName(key.op), key.status.String())
	}
	for op := range h.durations {
		if !h.durations[op].used() {
			continue
		}
		h.durations[op].collect(ch, opDuration, name, opName(nfs4.Op(op)))
		if n := h.ok[op].Load(); n > 0 {
			counter(ch, opCount, n, name, opName(nfs4.Op(op)), nfs4.OK.String())
		}
		for _, status := range faults {
			if !told[outcome{nfs4.Op(op), status}] {
				counter(ch, opCount, 0, name, opName(nfs4.Op(op)), status.String())
			}
		}
	}
	if name != "" {
		counter(ch, opRead, h.read.Load(), name)
		counter(ch, opWritten, h.written.Load(), name)
	}
}
