// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"sync/atomic"
	"time"
)

// Progress is how far a scan has come.
type Progress struct {
	// Homes are read, of Found that were found so far. Listed: there are no others.
	Homes, Found uint64
	Listed       bool
	// Entries are the files and directories that were counted, Bytes what they take on the disk.
	Entries, Bytes uint64
	// Kept are those of Entries that a scan has read which was interrupted, and which goes on in this one.
	Kept uint64
	// Errors is how many could not be read.
	Errors  uint64
	Elapsed time.Duration
	// Expected is how many entries there are in all; 0: nobody knows. It is what the last scan found, as its State says.
	Expected uint64
	// AtMost is how many files the server holds in all, also where nobody scans; 0: it does not say.
	AtMost uint64
}

// meter counts while a scan runs.
type meter struct {
	homes, found, entries, bytes, kept, errors, vanished atomic.Uint64
	listed                                               atomic.Bool
	expected, atMost                                     uint64
	// began is by the scan's clock, started by the machine's.
	began, started time.Time
}

func (m *meter) progress() Progress {
	kept := m.kept.Load() // before entries, of which it is a part
	return Progress{
		Homes: m.homes.Load(), Found: m.found.Load(), Listed: m.listed.Load(),
		Entries: m.entries.Load(), Bytes: m.bytes.Load(), Kept: kept, Errors: m.errors.Load(),
		Elapsed: time.Since(m.started), Expected: m.expected, AtMost: m.atMost,
	}
}

// counted takes note of what was counted.
func (m *meter) counted(entries, bytes uint64) {
	m.entries.Add(entries)
	m.bytes.Add(bytes)
}
