// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/sys/unix"
)

// progress shows how far something is that takes long: a bar on a terminal, elsewhere a line now and then.
type progress struct {
	log   io.Writer
	began time.Time
	last  time.Duration // since it began, when there was a line
	text  atomic.Pointer[string]
	bars  *mpb.Progress
	bar   *mpb.Bar
}

// lineTime is between two lines where there is no terminal.
const lineTime = 10 * time.Second

// newProgress begins it. end must follow.
func newProgress(log io.Writer) *progress {
	p := &progress{log: log, began: time.Now()}
	p.text.Store(new(string))
	if !isTerminal(log) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(log), mpb.WithAutoRefresh())
	text := func(decor.Statistics) string { return " " + *p.text.Load() }
	p.bar = p.bars.New(0, mpb.BarStyle(), mpb.BarWidth(24), mpb.BarRemoveOnComplete(), mpb.AppendDecorators(decor.Any(text)))
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// show shows that so much is done of what is there, with a text, after a time. What there is may be not known, 0, or more than was
// foreseen. One goroutine at a time calls it.
func (p *progress) show(done, of uint64, text string, elapsed time.Duration) {
	p.text.Store(&text)
	switch {
	case p.bar != nil:
		// Without a total the bar stays empty, which is what is known. More may be there than at the last time.
		p.bar.SetTotal(int64(max(of, done+1)), false)
		if of > 0 {
			p.bar.SetCurrent(int64(done))
		}
	case elapsed-p.last >= lineTime:
		p.last = elapsed
		fmt.Fprintln(p.log, "hubhome: "+text)
	}
}

// elapsed is how long ago it began.
func (p *progress) elapsed() time.Duration { return time.Since(p.began) }

// above returns what writes to w: above the bar while there is one, where w is a terminal as well.
func (p *progress) above(w io.Writer) io.Writer {
	if p.bars == nil || !isTerminal(w) {
		return w
	}
	return aboveBar{p.bars, w}
}

// aboveBar writes above a bar, and to w when it is gone.
type aboveBar struct {
	bars *mpb.Progress
	w    io.Writer
}

func (a aboveBar) Write(b []byte) (int, error) {
	n, err := a.bars.Write(b)
	if _, gone := errors.AsType[mpb.ErrDone[*mpb.Progress]](err); gone {
		return a.w.Write(b)
	}
	return n, err
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}
