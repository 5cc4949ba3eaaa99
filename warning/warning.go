// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package warning tells people that homes are filling up, before they are full.
//
// It owns when somebody is told, which is once for each mark that a home passes, and the ways to tell: a line in a file, and
// a webhook. It looks at the ledger's report now and then, and not at requests: what fills up and is emptied within seconds
// is no news.
//
// There is no queue. What somebody has to be told follows from what homes take and from what was told, and the latter is
// kept on the disk when it was taken, at most a second later. So nothing is lost by a restart, nor while a webhook does not
// answer, however long; it is told when that answers again, if it is still so. What a crash may bring is what was told in the
// second before it, twice.
//
// One file of the package for each noun: warning, mark, watch, told (what is kept), file, webhook.
package warning

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
)

// What a warning is about.
const (
	Bytes  = "bytes"
	Inodes = "inodes"
)

// Warning says that a home, a shared directory or a hub has passed a mark.
type Warning struct {
	Time time.Time `json:"time"`
	// Text says it to people.
	Text string          `json:"text"`
	Hub  hubhome.HubName `json:"hub"`
	// Home is empty where it is the hub's total. Of a name that is not UTF-8, HomeBase64 has the bytes.
	Home       string `json:"home"`
	HomeBase64 []byte `json:"homeBase64,omitempty"`
	// Mark is the mark that was passed, in percent; Resource what of the quota is fuller.
	Mark     int    `json:"mark"`
	Resource string `json:"resource"`
	// Usage and Quota are of that resource.
	Usage int64 `json:"usage"`
	Quota int64 `json:"quota"`
}

// warn makes the warning of a subject that has passed a mark.
func (s *subject) warn(mark int, now time.Time) Warning {
	w := Warning{
		Time: now.UTC().Truncate(time.Millisecond), Hub: s.hub, Home: s.home, Mark: mark,
		Resource: Bytes, Usage: s.used.Bytes, Quota: int64(s.quota.Bytes),
	}
	if !utf8.ValidString(s.home) {
		w.Home, w.HomeBase64 = strings.ToValidUTF8(s.home, "\ufffd"), []byte(s.home)
	}
	takes := size(w.Usage) + " of " + size(w.Quota)
	if part(s.used.Inodes, s.quota.Inodes) > part(s.used.Bytes, int64(s.quota.Bytes)) {
		w.Resource, w.Usage, w.Quota = Inodes, s.used.Inodes, s.quota.Inodes
		takes = fmt.Sprintf("%d of %d inodes", w.Usage, w.Quota)
	}
	what := "Home " + string(s.hub) + "/" + w.Home
	if s.home == "" {
		what = "Hub " + string(s.hub)
	}
	state := fmt.Sprintf("is over %d %% of its quota", mark)
	if mark == 100 {
		state = "has spent its quota"
	}
	w.Text = fmt.Sprintf("%s %s: it takes %s", what, state, takes)
	return w
}

// size is an amount of space for people.
func size(n int64) string {
	f, unit := float64(n), 0
	for f >= 1023.95 && unit < 5 {
		f, unit = f/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %ciB", f, " KMGTP"[unit])
}

// subject is what can have a quota.
type subject struct {
	hub   hubhome.HubName
	home  string // empty: the hub's total
	used  quota.Usage
	quota hubhome.Quota
}

func (s *subject) key() key { return key{s.hub, s.home} }

// spent is how little is left of a quota that is as good as spent, in bytes: what a client writes at once does not fit into it.
// What takes whole blocks seldom fits a quota to the byte.
const spent = 1 << 20

// full is how full it is, in percent.
func (s *subject) full() float64 {
	bytes := part(s.used.Bytes, int64(s.quota.Bytes))
	if bytes >= 0.99 && int64(s.quota.Bytes)-s.used.Bytes < spent {
		bytes = max(bytes, 1)
	}
	return 100 * max(bytes, part(s.used.Inodes, s.quota.Inodes))
}

func part(used, limit int64) float64 { return float64(used) / float64(limit) }

// subjects are those of a report whose figures are exact, or the best that can be had: what is yet to be counted may have
// anything, and what cannot be read has at least what was counted of it.
func subjects(r *quota.Report) []subject {
	var all []subject
	for i := range r.Hubs {
		hub := &r.Hubs[i]
		exact := true
		for j := range hub.Homes {
			home := &hub.Homes[j]
			if home.State != quota.Clean && home.State != quota.Unreadable {
				exact = false
				continue
			}
			all = append(all, subject{hub.Name, home.Name, home.Used, home.Quota})
		}
		if exact {
			all = append(all, subject{hub.Name, "", hub.Used, hub.Quota})
		}
	}
	return all
}
