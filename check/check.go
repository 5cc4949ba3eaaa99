// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package check looks whether homes on an NFS server that somebody else runs work: from the server's name to a lock in a
// file, one thing after the other, each with a verdict and with what to do about it.
//
// It owns what is looked at, in which order, and what is taken for good. It changes nothing at the server but two probe
// files with names of their own, which it removes whatever happens; with Config.ReadOnly not even those.
package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/vfs"
)

// Verdict is how something is, worst last.
type Verdict uint8

// The verdicts.
const (
	// Skip: it was not looked at.
	Skip Verdict = iota
	OK
	// Warn: it works, and somebody should know of it.
	Warn
	Fail
)

var verdictNames = [...]string{Skip: "skip", OK: "ok", Warn: "warn", Fail: "fail"}

// String returns the verdict as a word.
func (v Verdict) String() string { return verdictNames[v] }

// MarshalText is String.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Line is one thing that was looked at.
type Line struct {
	// Name is what, one word that stays the same. There is a line "connect" for each address of the server.
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	// Seen is what was seen, or why it was not looked at.
	Seen string `json:"seen"`
	// Values are the figures in Seen. Their names have their units.
	Values map[string]any `json:"values,omitempty"`
	Advice *advice.Advice `json:"advice,omitempty"`
}

// Config says what to check.
type Config struct {
	// Remote says where; Remote.Path is the directory.
	Remote remote.Config
	// Owner is who reads and writes there.
	Owner hubhome.Owner
	// ReadOnly writes nothing.
	ReadOnly bool
}

// Run looks at everything and hands each line to fn as soon as it is known. The worst verdict is the answer; Fail, where
// ctx has ended before all was looked at. ctx bounds it, but for a second and a half after its end in which the probe
// files are removed.
func Run(ctx context.Context, cfg Config, fn func(Line)) Verdict {
	r := &run{cfg: cfg, owner: &vfs.Caller{UID: cfg.Owner.UID, GID: cfg.Owner.GID}, passed: map[string]bool{}}
	defer r.close()
	worst := OK
	for _, s := range steps {
		lines := r.step(ctx, &s)
		for _, line := range lines {
			line.Name = s.name
			worst = max(worst, line.Verdict)
			fn(line)
		}
	}
	return worst
}

// step is one thing to look at.
type step struct {
	name string
	// needs is the step without which this one is pointless; "" for none.
	needs string
	// writes: it takes a probe file.
	writes bool
	look   func(*run, context.Context) []Line
}

var steps = []step{
	{name: "resolve", look: (*run).resolve},
	{name: "connect", needs: "resolve", look: (*run).connect},
	{name: "versions", needs: "connect", look: (*run).versions},
	{name: "session", needs: "versions", look: (*run).session},
	{name: "export", needs: "versions", look: (*run).export},
	{name: "path", needs: "session", look: (*run).path},
	{name: "owner", needs: "path", look: (*run).ownership},
	{name: "list", needs: "path", look: (*run).list},
	{name: "space", needs: "path", look: (*run).space},
	{name: "getattr-latency", needs: "path", look: (*run).getAttrLatency},
	{name: "write", needs: "path", writes: true, look: (*run).write},
	{name: "read", needs: "write", writes: true, look: (*run).read},
	{name: "root", needs: "write", writes: true, look: (*run).root},
	{name: "fsync", needs: "write", writes: true, look: (*run).fsync},
	{name: "lock", needs: "write", writes: true, look: (*run).lock},
	{name: "rename", needs: "write", writes: true, look: (*run).rename},
	{name: "write-latency", needs: "fsync", writes: true, look: (*run).writeLatency},
	{name: "clock", needs: "write", writes: true, look: (*run).clock},
	{name: "remove", writes: true, look: (*run).remove},
}

// run is a Run while it runs.
type run struct {
	cfg   Config
	owner *vfs.Caller
	// passed are the steps that went well enough for others to build on them.
	passed map[string]bool

	addrs  []string // of the server
	addr   string   // that speaks NFS
	spoken remote.Spoken
	fs     *remote.FS
	dir    vfs.Entry
	probe  probe
}

// step takes one step, or says why not.
func (r *run) step(ctx context.Context, s *step) []Line {
	switch {
	case r.cfg.ReadOnly && s.writes:
		return []Line{{Verdict: Skip, Seen: "nothing is written (--read-only)"}}
	case s.needs != "" && !r.passed[s.needs]:
		return []Line{{Verdict: Skip, Seen: fmt.Sprintf("pointless without %s", s.needs)}}
	case ctx.Err() != nil && s.name != "remove":
		return []Line{r.late(ctx)}
	}
	lines := s.look(r, ctx)
	for _, line := range lines {
		r.passed[s.name] = r.passed[s.name] || line.Verdict == OK || line.Verdict == Warn
	}
	return lines
}

// late is the line of what there was no time for.
func (r *run) late(ctx context.Context) Line {
	if errors.Is(ctx.Err(), context.Canceled) {
		return Line{Verdict: Fail, Seen: "interrupted"}
	}
	return Line{Verdict: Fail, Seen: "no time was left for it (--timeout)"}
}

// close removes what is left, and takes leave of the server.
func (r *run) close() {
	if r.fs == nil {
		return
	}
	r.cleanUp()
	r.fs.Close()
}

// cleanUpTime is what is left for removing the probe files.
const cleanUpTime = time.Second

// ok is a line of something that is as it should be.
func ok(format string, args ...any) Line {
	return Line{Verdict: OK, Seen: fmt.Sprintf(format, args...)}
}

// one is the lines of a step that has one.
func one(line Line) []Line { return []Line{line} }

// bad makes a line a warning or a failure, with what to do about it.
func bad(v Verdict, a *advice.Advice, format string, args ...any) Line {
	return Line{Verdict: v, Seen: fmt.Sprintf(format, args...), Advice: a}
}

// with adds figures.
func (l Line) with(values map[string]any) Line {
	l.Values = values
	return l
}

// millis is a time for people; milliseconds for programs.
func millis(d time.Duration) string        { return fmt.Sprintf("%.1f ms", milliseconds(d)) }
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
