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
	// saveTime is how long what was told may be known in memory alone, while more is told.
	saveTime = time.Second
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
		return func(_ context.Context, n *Warning) error { return appendTo(s.File, n, time.Now().Add(sendTime)) }
	case way == WayWebhook && (s.Webhook != "" || s.WebhookFile != ""):
		return s.post
	}
	return nil
}

// teller tells in one way. One goroutine uses it.
type teller struct {
	*Watch
	way      string
	settings *Settings     // of the last look
	pause    time.Duration // after the last failure

	failing, unsaved bool
	saved            time.Time
	// refused are those of whom the receiver did not take the warning: the others come first, and do not wait for them, so that
	// one that takes all but some has those at once. These are tried again when rest is over, at due.
	refused map[key]bool
	rest    time.Duration
	due     time.Time
}

// run tells in one way until ctx ends.
func (w *Watch) run(ctx context.Context, way string) {
	t := &teller{Watch: w, way: way}
	wait := time.Duration(0) // the first look is at once
	for w.sleep(ctx, way, wait) {
		wait = t.turn(ctx)
	}
}

// turn looks once, and returns how long to wait for the next time.
func (t *teller) turn(ctx context.Context) (wait time.Duration) {
	err := t.look(ctx)
	t.save()
	failing := err != nil || len(t.refused) > 0
	switch {
	case !failing && t.failing:
		t.options.Logger.Info("warnings are given again", "way", t.way)
	case err != nil && !t.failing:
		t.options.Logger.Error("a warning could not be given; it is tried again", "way", t.way, "error", err)
	}
	t.failing = failing
	every := cmp.Or(t.options.Every, lookTime)
	if !failing {
		t.rest = 0
	}
	if err == nil {
		t.pause = 0
		return every
	}
	if _, one := errors.AsType[refusedError](err); one {
		t.pause, t.rest = 0, t.longer(t.rest)
		t.due = time.Now().Add(t.rest)
		return min(every, t.rest)
	}
	t.pause = t.longer(t.pause)
	if later, ok := errors.AsType[laterError](err); ok {
		return max(t.pause, later.after)
	}
	return t.pause
}

// longer is the pause that follows one after which it has failed again.
func (w *Watch) longer(pause time.Duration) time.Duration {
	return min(lastPause, max(2*pause, cmp.Or(w.options.Pause, firstPause)))
}

// save keeps what was told.
func (t *teller) save() {
	err := t.told.save()
	if err != nil && !t.unsaved {
		t.options.Logger.Error("which warnings were given is not kept: after a restart they may be given again", "error", err)
	}
	t.unsaved, t.saved = err != nil, time.Now()
}

// news is a warning that is to be given.
type news struct {
	subject *subject
	mark    int
}

// look looks at what homes take, and tells what is new. What it could not tell is the error.
func (t *teller) look(ctx context.Context) error {
	settings, counts := t.now.Load(), t.counts[t.way]
	if settings != t.settings { // perhaps to another receiver
		t.settings, t.refused = settings, nil
	}
	send := settings.send(t.way)
	if send == nil {
		counts.Waiting.Store(0)
		return nil
	}
	report := t.options.Report()
	all := t.sift(settings.At, &report)
	counts.Waiting.Store(int64(len(all)))
	for _, n := range all[:min(len(all), perLook)] {
		if t.refused[n.subject.key()] && time.Now().Before(t.due) {
			break // nor is it time for those that follow
		}
		warning := n.subject.warn(n.mark, time.Now())
		if err := t.give(ctx, send, &warning); err != nil {
			counts.Failed.Add(1)
			if _, one := errors.AsType[refusedError](err); one {
				t.refused[n.subject.key()] = true
			}
			return err
		}
		counts.Given.Add(1)
		counts.Waiting.Add(-1)
		t.remember(n.subject.key(), n.mark)
		if time.Since(t.saved) >= saveTime {
			t.save()
		}
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

// sift returns what is to be told, the fullest first, and forgets what is below its mark again, or gone.
func (t *teller) sift(marks []int, r *quota.Report) []news {
	all := subjects(r)
	t.told.mu.Lock()
	defer t.told.mu.Unlock()
	t.told.sweep(t.way, r)
	told := t.told.of(t.way)
	var fresh []news
	refused := map[key]bool{}
	for i := range all {
		s := &all[i]
		before := told[s.key()]
		mark, isNews := pass(marks, s.full(), before)
		switch {
		case isNews:
			fresh = append(fresh, news{s, mark})
			if t.refused[s.key()] {
				refused[s.key()] = true
			}
		case mark != before:
			t.told.put(t.way, s.key(), mark)
		}
	}
	t.refused = refused
	last := func(n *news) int {
		if t.refused[n.subject.key()] {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(fresh, func(a, b news) int {
		return cmp.Or(cmp.Compare(last(&a), last(&b)), cmp.Compare(b.subject.full(), a.subject.full()))
	})
	return fresh
}

func (t *teller) remember(k key, mark int) {
	t.told.mu.Lock()
	defer t.told.mu.Unlock()
	t.told.put(t.way, k, mark)
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
