// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"time"

	"github.com/hubhome/hubhome/usage"
)

// longestLeft is how much time may be left for it to be foretold.
const longestLeft = 365 * 24 * time.Hour

// showScan shows how far a scan is.
func (p *progress) showScan(now usage.Progress) {
	p.show(now.Entries, now.Expected, progressText(&now), now.Elapsed)
}

// progressText says how far a scan is. It foretells its end only from what the last one found.
func progressText(p *usage.Progress) string {
	found := fmt.Sprint(p.Found)
	if !p.Listed {
		found += " or more"
	}
	read, seconds := float64(p.Entries-p.Kept), max(p.Elapsed.Seconds(), 0.001)
	s := fmt.Sprintf("%d of %s homes, %s, %d files and directories", p.Homes, found, humanBytes(p.Bytes), p.Entries)
	if p.Expected == 0 && p.AtMost >= p.Entries && p.AtMost > 0 {
		s += fmt.Sprintf(" of at most %d", p.AtMost)
	}
	s += fmt.Sprintf(", %.0f/s, %v", read/seconds, p.Elapsed.Round(time.Second))
	if p.Expected > p.Entries && read > 0 {
		left := float64(p.Elapsed) * float64(p.Expected-p.Entries) / read
		if left < float64(longestLeft) { // else it has hardly begun
			s += fmt.Sprintf(", about %v left", time.Duration(left).Round(time.Second))
		}
	}
	if p.Errors > 0 {
		s += fmt.Sprintf(", %s", count(int(p.Errors), "error"))
	}
	return s
}
