// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/usage"
)

// usageProgress shows how far a scan is: a bar on a terminal, elsewhere a line now and then.
type usageProgress struct {
	log  io.Writer
	last time.Duration
	now  atomic.Pointer[usage.Progress]
	bars *mpb.Progress
	bar  *mpb.Bar
}

// longestLeft is how much time may be left for it to be foretold.
const longestLeft = 365 * 24 * time.Hour

// lineTime is between two lines where there is no terminal.
const lineTime = 10 * time.Second

func newUsageProgress(log io.Writer) *usageProgress {
	p := &usageProgress{log: log}
	p.now.Store(&usage.Progress{})
	f, ok := log.(*os.File)
	if !ok {
		return p
	}
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(log), mpb.WithAutoRefresh())
	text := func(decor.Statistics) string { return " " + progressText(p.now.Load()) }
	p.bar = p.bars.New(0, mpb.BarStyle(), mpb.BarWidth(24), mpb.BarRemoveOnComplete(), mpb.AppendDecorators(decor.Any(text)))
	return p
}

// show shows it. One goroutine at a time calls it.
func (p *usageProgress) show(now usage.Progress) {
	p.now.Store(&now)
	switch {
	case p.bar != nil:
		// Without a total the bar stays empty, which is what is known. More may be there than at the last time.
		p.bar.SetTotal(int64(max(now.Expected, now.Entries+1)), false)
		if now.Expected > 0 {
			p.bar.SetCurrent(int64(now.Entries))
		}
	case now.Elapsed-p.last >= lineTime:
		p.last = now.Elapsed
		fmt.Fprintln(p.log, "hubhome: "+progressText(&now))
	}
}

// end takes the bar away.
func (p *usageProgress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
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
