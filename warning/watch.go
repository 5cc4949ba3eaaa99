// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/quota"
)

const (
	// lookTime is between two looks at what homes take.
	lookTime = 10 * time.Second
	// perLook is how many warnings are given after one look: a receiver gets no thousands at once. The fullest come first.
	perLook = 100
	// sendTime is how long one may take, and stopTime when the server is being stopped.
	sendTime = 10 * time.Second
	stopTime = 2 * time.Second
	// After a failure it is tried again after firstPause, and after ever longer ones up to lastPause.
	firstPause = time.Second
	lastPause  = 5 * time.Minute
)

// The ways to tell.
const (
	WayFile    = "file"
	WayWebhook = "webhook"
)

// Settings are when somebody is told, and how.
type Settings struct {
	// At are the marks in percent, in ascending order. None: nobody is told.
	At []int
	// File is appended to; Out is written to; at most one is set, where warnings are to be written.
	File string
	Out  io.Writer
	// Webhook is the URL that they are posted to, or WebhookFile the file that has it.
	Webhook, WebhookFile string
	// Agent is what the webhook is told of who posts.
	Agent string
}

// Options are what a Watch is made of.
type Options struct {
	// Report tells what homes take.
	Report func() quota.Report
	Keeper Keeper
	Logger *slog.Logger
	// Every is between two looks; zero: 10 s. Pause is the first pause after a failure; zero: 1 s.
	Every, Pause time.Duration
}

// Watch watches homes fill up. Its methods may be called concurrently.
type Watch struct {
	options Options
	now     atomic.Pointer[Settings]
	told    told
	counts  map[string]*Counts
	wake    map[string]chan struct{}
}

// Counts is what became of warnings in one way to tell.
type Counts struct {
	Given, Failed atomic.Uint64
	// Waiting is how many are to be given.
	Waiting atomic.Int64
}

// New returns a watch. Open comes next.
func New(o Options, now Settings) *Watch {
	w := &Watch{options: o, told: told{keeper: o.Keeper}, counts: map[string]*Counts{}, wake: map[string]chan struct{}{}}
	for _, way := range []string{WayFile, WayWebhook} {
		w.counts[way], w.wake[way] = new(Counts), make(chan struct{}, 1)
	}
	w.now.Store(&now)
	return w
}

// Set changes the settings, and looks at once: what could not be given may be now.
func (w *Watch) Set(now Settings) {
	w.now.Store(&now)
	for _, wake := range w.wake {
		select {
		case wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// Counts are those of a way to tell.
func (w *Watch) Counts(way string) *Counts { return w.counts[way] }

// Open reads what was told. Where that cannot be read, the error says so, and all is told again.
func (w *Watch) Open() error { return w.told.open() }

// Run tells who is to be told, until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	var ways sync.WaitGroup
	ways.Go(func() { w.run(ctx, WayFile) })
	ways.Go(func() { w.run(ctx, WayWebhook) })
	ways.Wait()
	return nil
}

// send returns how warnings are given in a way; nil where they are not.
func (s *Settings) send(way string) func(context.Context, *Warning) error {
	switch {
	case len(s.At) == 0:
	case way == WayFile && s.Out != nil:
		return func(_ context.Context, n *Warning) error { return write(s.Out, n) }
	case way == WayFile && s.File != "":
		return func(_ context.Context, n *Warning) error { return appendTo(s.File, n) }
	case way == WayWebhook && (s.Webhook != "" || s.WebhookFile != ""):
		return s.post
	}
	return nil
}

// run tells in one way until ctx ends.
func (w *Watch) run(ctx context.Context, way string) {
	wait, pause := time.Duration(0), time.Duration(0) // the first look is at once
	failing, unsaved := false, false
	for w.sleep(ctx, way, wait) {
		wait = cmp.Or(w.options.Every, lookTime)
		err := w.look(ctx, way)
		switch {
		case err == nil && failing:
			w.options.Logger.Info("warnings are given again", "way", way)
		case err != nil && !failing:
			w.options.Logger.Error("a warning could not be given; it is tried again", "way", way, "error", err)
		}
		failing = err != nil
		if failing {
			pause = min(lastPause, max(2*pause, cmp.Or(w.options.Pause, firstPause)))
			wait = pause
			if later, ok := errors.AsType[laterError](err); ok {
				wait = max(wait, later.after)
			}
		} else {
			pause = 0
		}
		if err := w.told.save(); err != nil && !unsaved {
			w.options.Logger.Error("which warnings were given is not kept: after a restart they may be given again", "error", err)
			unsaved = true
		} else if err == nil {
			unsaved = false
		}
	}
}

// news is a warning that is to be given.
type news struct {
	subject *subject
	mark    int
}

// look looks at what homes take, and tells in one way what is new. What it could not tell is the error.
func (w *Watch) look(ctx context.Context, way string) error {
	settings, counts := w.now.Load(), w.counts[way]
	send := settings.send(way)
	counts.Waiting.Store(0)
	if send == nil {
		return nil
	}
	report := w.options.Report()
	all := w.sift(way, settings.At, subjects(&report))
	counts.Waiting.Store(int64(len(all)))
	for _, n := range all[:min(len(all), perLook)] {
		warning := n.subject.warn(n.mark, time.Now())
		if err := w.give(ctx, send, &warning); err != nil {
			counts.Failed.Add(1)
			return err
		}
		counts.Given.Add(1)
		counts.Waiting.Add(-1)
		w.remember(way, n.subject.key(), n.mark)
		if ctx.Err() != nil {
			break
		}
	}
	return nil
}

// give gives one warning. One that is on its way when ctx ends has a moment to arrive: else it would be given twice.
func (w *Watch) give(ctx context.Context, send func(context.Context, *Warning) error, n *Warning) error {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
	defer cancel()
	unwatch := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(stopTime):
			cancel()
		case <-patience.Done():
		}
	})
	defer unwatch()
	return send(patience, n)
}

// sift returns what is to be told, the fullest first, and forgets what is below its mark again.
func (w *Watch) sift(way string, marks []int, all []subject) []news {
	w.told.mu.Lock()
	defer w.told.mu.Unlock()
	told := w.told.of(way)
	var fresh []news
	for i := range all {
		s := &all[i]
		before := told[s.key()]
		mark, isNews := pass(marks, s.full(), before)
		switch {
		case isNews:
			fresh = append(fresh, news{s, mark})
		case mark != before:
			w.told.put(way, s.key(), mark)
		}
	}
	slices.SortStableFunc(fresh, func(a, b news) int { return cmp.Compare(b.subject.full(), a.subject.full()) })
	return fresh
}

func (w *Watch) remember(way string, k key, mark int) {
	w.told.mu.Lock()
	defer w.told.mu.Unlock()
	w.told.put(way, k, mark)
}

// sleep waits, or until the settings change; it answers false when ctx ends.
func (w *Watch) sleep(ctx context.Context, way string, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-w.wake[way]:
	}
	return ctx.Err() == nil
}
