// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package usage finds out what the homes on an NFS server hold that somebody else runs, and keeps no account of.
//
// It owns the walk (Scan), what is counted (Tally), and the file that lets the next walk read less and an interrupted one
// go on (State). It needs nothing of a tree but vfs: no mount, and one READDIR with attributes for some hundred files. It
// changes nothing at the server.
//
// A walk has many requests under way at once, over all homes that it has room for, and never waits for one directory
// before it asks for the next. What it remembers is bounded, whatever the tree: a queue of directories (maxQueued), for
// each home that is being read the files with more than one name, and one result for each home. Of a directory with more
// entries than it takes at once, the rest is read later.
//
// # What a figure is worth
//
// A tree that changes while it is read has no one moment. Each result says since when all of it is known (Home.AsOf), and
// whether something is missing in it (Home.Errors, Home.Complete): a figure that is too low never looks like one that is
// right. See State for what is not read again, and why.
//
// Locks, in the order in which they are taken: scanner.mu, home.mu, State.mu. None is held over a request to the server.
package usage

import (
	"math"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

// Tally is what a tree holds.
type Tally struct {
	// Used is what it takes on the disk, in bytes, as du(1) counts it; Size how long its files are, and what its symbolic
	// links say, whatever is a hole in them. What the size of a directory means differs from server to server, so it is in
	// Used alone.
	Used uint64 `json:"usedBytes"`
	Size uint64 `json:"apparentBytes"`
	// Files are all that is no directory: a file with several names in one home is one file. Directories include the tree's
	// own.
	Files       uint64 `json:"files"`
	Directories uint64 `json:"directories"`
	// Newest and Oldest are the latest and the earliest time that anything in it was modified; zero where nothing is.
	Newest time.Time `json:"newestMtime,omitzero"`
	Oldest time.Time `json:"oldestMtime,omitzero"`
}

// Entries is how many files and directories it holds.
func (t *Tally) Entries() uint64 { return t.Files + t.Directories }

// Add adds what another tree holds. What is more than a number can be stays the greatest: a file may claim to be of 8 EiB.
func (t *Tally) Add(o *Tally) {
	t.Used = plus(t.Used, o.Used)
	t.Size = plus(t.Size, o.Size)
	t.Files += o.Files
	t.Directories += o.Directories
	t.modified(o.Newest)
	t.modified(o.Oldest)
}

// plus adds, up to the greatest number.
func plus(a, b uint64) uint64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxUint64
}

// earliest and latest are what times are good for, in JSON and in nanoseconds: the years 1678 to 2262. Anybody can give a file
// a time beyond that, where the server's file system has 64 bits for seconds. It is no time of a change.
var earliest, latest = time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)

// modified takes note of a time that something was modified.
func (t *Tally) modified(at time.Time) {
	if at.IsZero() || at.Before(earliest) || at.After(latest) {
		return
	}
	if t.Newest.IsZero() || at.After(t.Newest) {
		t.Newest = at
	}
	if t.Oldest.IsZero() || at.Before(t.Oldest) {
		t.Oldest = at
	}
}

// count adds one file or directory.
func (t *Tally) count(a *vfs.Attr) {
	t.Used = plus(t.Used, a.Used)
	switch a.Type {
	case vfs.Directory:
		t.Directories++
	case vfs.Regular, vfs.Symlink:
		t.Size = plus(t.Size, a.Size)
		t.Files++
	default:
		t.Files++
	}
	t.modified(a.Mtime)
}

// Home is what one directory in a hub holds: a user's home, or a shared directory.
type Home struct {
	Hub string `json:"hub"`
	// Name is that of the directory. It is bytes, not always UTF-8.
	Name string `json:"name"`
	Tally
	// AsOf is since when all of it is known: the time of the oldest look at a part of it. Zero: nothing was read.
	AsOf time.Time `json:"asOf,omitzero"`
	// Complete: nothing is missing because the scan ended before its end.
	Complete bool `json:"complete"`
	// Errors is how many files and directories could not be read, and are missing with what is in them.
	Errors uint64 `json:"errors"`
}

// Age is how old the figures are; false where there are none.
func (h *Home) Age(now time.Time) (age time.Duration, ok bool) {
	return max(now.Sub(h.AsOf), 0), !h.AsOf.IsZero()
}

// Hub is what a hub's directory holds.
type Hub struct {
	Name string
	// Homes are the directories in it, in no order.
	Homes []Home
	// Loose is the directory itself and the files in it that are in no home.
	Loose Tally
	// AsOf is since when Loose is known; zero: it is not.
	AsOf time.Time
	// Listed: all of its homes are in Homes, though not all may be complete. Errors is how much of the directory itself
	// could not be read.
	Listed bool
	Errors uint64
}

// Total is the sum of all homes and of what is loose. A file with names in two homes counts in both.
func (h *Hub) Total() Tally {
	t := h.Loose
	for i := range h.Homes {
		t.Add(&h.Homes[i].Tally)
	}
	return t
}

// Problem is a file or directory that could not be read.
type Problem struct {
	// Path is below the base share, with the hub's name first. It is bytes, not always UTF-8.
	Path string
	Err  error
}

// maxProblems is how many problems a Result names. All are counted.
const maxProblems = 100

// Result is what a scan found.
type Result struct {
	Began, Ended time.Time
	Hubs         []Hub
	// Complete: the scan came to its end. Something may be missing all the same, which Errors counts.
	Complete bool
	// Resumed: an earlier scan that was interrupted has read a part of it.
	Resumed bool
	// Errors is how many files and directories could not be read; Problems are the first of them.
	Errors   uint64
	Problems []Problem
	// Vanished is how many were removed between being listed and being read. Nothing is missing because of them.
	Vanished uint64
	// Absent are the hubs of Spec.Hubs that are not there, where Spec.Lenient has it that they need not be.
	Absent []hubhome.HubName
	// Unlooked are the names in the base share of which nothing else can be known; what a State has of a hub of such a name stays.
	Unlooked []hubhome.HubName
	// Passed are up to 100 names in the base share that no hub can have, or that are of no directory.
	Passed []string
}
