// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package survey knows what homes hold on an NFS server that somebody else runs: it has them looked through now and then.
//
// It owns when scans run, what becomes of one that fails, and the figures in between. It serves no files, and changes nothing
// on the server. How a scan reads is package usage's. A figure is never given up for a worse one: a scan that fails leaves
// what was known, which says itself how old it is.
//
// Lock: Survey.mu alone, never over a request to the server.
package survey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/vfs"
)

// After a scan that failed, the next one comes after shortest, and then after twice as long each time, up to longest; never
// later than a scan that did not fail would.
const (
	shortest = time.Minute
	longest  = time.Hour
)

// Tree is a server's files while they are looked through.
type Tree struct {
	FS vfs.FS
	// Path are the names from the root to the base share.
	Path  []string
	Close func() error
}

// Options are what a survey is made of.
type Options struct {
	// Dial reaches the server. pace is to be called before every request.
	Dial func(ctx context.Context, pace func(context.Context) error) (*Tree, error)
	// Space asks the server what space it has. nil: nobody asks.
	Space func(ctx context.Context, pace func(context.Context) error) (vfs.StatFS, error)
	// As is who looks: usage.Spec.
	As *vfs.Caller
	// State is the path of the file that outlives a restart, and Source what is looked through (usage.OpenState).
	State, Source string
	Logger        *slog.Logger
}

// Settings are what may change while a survey runs.
type Settings struct {
	// Hubs are those that are looked through; none: all that are found.
	Hubs []hubhome.HubName
	// Interval is from the end of a scan to the beginning of the next.
	Interval time.Duration
	// IOPS is how many requests may be sent in a second; 0: no bound. It holds for the scan that runs too, as nothing else
	// of the settings does.
	IOPS int
	// MaxAge is that of usage.Spec.
	MaxAge time.Duration
}

// Survey is made by New, opened by Open and run by Run. Its other methods may be called concurrently.
type Survey struct {
	opt     Options
	pace    *rate.Limiter
	changed chan struct{} // there is something new for Run to know

	mu      sync.Mutex
	set     Settings
	figures figures
	// absent are the hubs that the last scan was to look through, and that are not on the server.
	absent []hubhome.HubName
	// due is when the next scan begins; now where it is zero.
	due    time.Time
	status Status

	// failing is what the last scan failed of, as it was logged; told what else of it was. They are Run's alone.
	failing, told string
}

// Status is what is known of scans, beside what they find.
type Status struct {
	// Began is when the scan began that runs; zero: none does. Progress is how far it has come.
	Began    time.Time
	Progress usage.Progress
	// Succeeded is when the last scan came to its end, and Took how long that was (0: before a restart).
	Succeeded time.Time
	Took      time.Duration
	// Unread is how many files and directories it could not read.
	Unread uint64
	// Failures is how many scans failed since the start, Failed how many since the last that did not.
	Failures, Failed uint64
	// Space is what the server said that it has at SpaceAsOf; zero: nothing yet.
	Space     vfs.StatFS
	SpaceAsOf time.Time
}

// New returns a survey that knows nothing.
func New(opt Options, set Settings) *Survey {
	s := &Survey{opt: opt, pace: rate.NewLimiter(rate.Inf, 1), changed: make(chan struct{}, 1), figures: figures{}}
	s.Set(set)
	return s
}

// Open reads what an earlier survey has found. What cannot be used is put aside: a survey without it finds all of it again, and one
// that does not begin finds nothing. The error is of what is no state at all, or cannot be read.
func (s *Survey) Open() error {
	st, err := s.state()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hub := range st.Last() {
		s.figures.replace(&hub)
	}
	switch ended, now := st.Ended(), time.Now(); {
	case ended.After(now): // the clock was ahead then: it is time for another one
		s.status.Succeeded = now
	default:
		// What was interrupted goes on at once.
		if s.status.Succeeded = ended; !st.Resumed() && !ended.IsZero() && s.knowsAll(s.set.Hubs) {
			s.due = ended.Add(s.set.Interval)
		}
	}
	return st.Close()
}

// state opens what was found before, or begins anew.
func (s *Survey) state() (*usage.State, error) {
	st, aside, err := usage.BeginState(s.opt.State, s.opt.Source)
	if aside != nil && err == nil {
		if e, ok := errors.AsType[*usage.StateError](aside); ok {
			aside = fmt.Errorf("state %s: %w", e.Path, e.Err) // without what to do: it is done
		}
		s.opt.Logger.Warn("what was found before cannot be used, and is put aside; all of it is read again", "error", aside)
	}
	return st, err
}

// knowsAll tells whether something is known of each of some hubs.
func (s *Survey) knowsAll(hubs []hubhome.HubName) bool {
	return !slices.ContainsFunc(hubs, func(name hubhome.HubName) bool { return s.figures[string(name)] == nil })
}

// Set changes the settings. A hub that is new is looked through at once.
func (s *Survey) Set(set Settings) {
	limit, burst := rate.Inf, 1
	if set.IOPS > 0 {
		// What was not used for a tenth of a second is gone: a burst is what users notice.
		limit, burst = rate.Limit(set.IOPS), max(set.IOPS/10, 1)
	}
	s.pace.SetBurst(burst)
	s.pace.SetLimit(limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.set
	s.set = set
	added := func(name hubhome.HubName) bool {
		return !slices.Contains(before.Hubs, name) && s.figures[string(name)] == nil
	}
	switch {
	case len(set.Hubs) == 0 && len(before.Hubs) > 0, slices.ContainsFunc(set.Hubs, added):
		s.due = time.Time{}
	case s.status.Began.IsZero() && s.status.Failed == 0 && set.Interval != before.Interval:
		s.due = s.status.Succeeded.Add(set.Interval)
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Run scans when it is time to, one scan at a time, and asks beside that what space there is, until ctx ends.
func (s *Survey) Run(ctx context.Context) error {
	var measuring sync.WaitGroup
	defer measuring.Wait()
	if s.opt.Space != nil {
		measuring.Go(func() { s.measure(ctx) })
	}
	for {
		s.mu.Lock()
		wait := time.Until(s.due)
		s.mu.Unlock()
		timer := time.NewTimer(max(wait, 0))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.changed:
			timer.Stop()
			continue
		case <-timer.C:
		}
		s.scan(ctx)
		if ctx.Err() != nil {
			return nil
		}
	}
}

// scan scans once, and says when to do so again.
func (s *Survey) scan(ctx context.Context) {
	s.mu.Lock()
	set, began := s.set, time.Now()
	s.status.Began, s.status.Progress = began, usage.Progress{}
	// Who sets something while the scan runs may want another one at once; that is not undone below.
	s.due = began.Add(set.Interval)
	planned := s.due
	s.mu.Unlock()

	result, err := s.look(ctx, set)

	if ctx.Err() != nil {
		return
	}
	wait := s.ended(result, err, set, planned)
	if err != nil {
		s.logFailure(err, wait)
	} else {
		s.logResult(result)
	}
}

// ended takes over what a scan has found or why it failed, and says how long after it the next one comes, unless somebody
// wants it at another time than planned.
func (s *Survey) ended(result *usage.Result, err error, set Settings, planned time.Time) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Began = time.Time{}
	wait = s.set.Interval
	if err != nil {
		wait = min(wait, longest, shortest<<min(s.status.Failed, 10))
		s.status.Failures++
		s.status.Failed++
	} else {
		s.figures.take(result, set.Hubs)
		s.absent = result.Absent
		s.status.Succeeded, s.status.Took, s.status.Unread, s.status.Failed = result.Ended, result.Ended.Sub(result.Began), result.Errors, 0
	}
	if s.due.Equal(planned) {
		s.due = time.Now().Add(wait)
	}
	return wait
}

// look scans. What it has found when it fails is in the figures all the same.
func (s *Survey) look(ctx context.Context, set Settings) (*usage.Result, error) {
	st, err := s.state()
	if err != nil {
		return nil, err
	}
	defer st.Close()
	tree, err := s.opt.Dial(ctx, s.pace.Wait)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	if len(set.Hubs) == 0 {
		switch hub, err := usage.IsHub(ctx, tree.FS, tree.Path, s.opt.As); {
		case err != nil:
			return nil, err
		case hub:
			return nil, errors.New("store.nfs.baseShare is one hub's directory, with shared directories in it: " +
				"write the directory above it, and which hub under hubs")
		}
	}
	parallel := usage.DefaultParallel
	if set.IOPS > 0 {
		// Nobody waits longer for a turn than the server may take for an answer.
		const longestWait = 10
		parallel = min(parallel, longestWait*set.IOPS)
	}
	result, err := usage.Scan(ctx, tree.FS, usage.Spec{
		Path: tree.Path, Hubs: set.Hubs, Lenient: true, As: s.opt.As, Parallel: parallel, State: st, MaxAge: set.MaxAge,
		Progress: s.progress, Done: s.done,
	})
	if e := st.Close(); e != nil && err == nil {
		// What was found is right, and will not be known after a restart.
		s.opt.Logger.Error("keep what a scan has found", "error", e)
	}
	return result, err
}

func (s *Survey) progress(p usage.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Progress = p
}

// done takes a home over as soon as it is read.
func (s *Survey) done(home usage.Home) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.figures.put(&home)
	s.absent = slices.DeleteFunc(s.absent, func(name hubhome.HubName) bool { return string(name) == home.Hub })
}

// logFailure says once what is wrong.
func (s *Survey) logFailure(err error, wait time.Duration) {
	level := slog.LevelError
	if text := err.Error(); text == s.failing {
		level = slog.LevelDebug
	} else {
		s.failing = text
	}
	s.opt.Logger.Log(context.Background(), level, "look through the homes; the figures from before stay", "error", err, "again", wait)
}

// logResult says what was found, and once what was not.
func (s *Survey) logResult(r *usage.Result) {
	if s.failing != "" {
		s.opt.Logger.Info("the homes can be looked through again")
		s.failing = ""
	}
	homes := 0
	for i := range r.Hubs {
		homes += len(r.Hubs[i].Homes)
	}
	s.opt.Logger.Info("looked through the homes", "hubs", len(r.Hubs), "homes", homes, "took", r.Ended.Sub(r.Began).Round(time.Millisecond))
	var troubles []any
	if len(r.Absent) > 0 {
		troubles = append(troubles, "hubsNotThere", fmt.Sprint(r.Absent))
	}
	if r.Errors > 0 {
		troubles = append(troubles, "unread", r.Errors)
	}
	if len(r.Problems) > 0 {
		first := slices.MinFunc(r.Problems, func(a, b usage.Problem) int { return cmp.Compare(a.Path, b.Path) })
		troubles = append(troubles, "first", first.Path, "error", first.Err)
	}
	if text := fmt.Sprint(troubles...); text != s.told {
		s.told = text
		if len(troubles) > 0 {
			s.opt.Logger.Warn("not all could be looked through", troubles...)
		}
	}
}

// Status tells of the scans.
func (s *Survey) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Report tells of all hubs that are looked through, and of their homes. It waits for nobody.
func (s *Survey) Report() quota.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.figures.report(s.set.Hubs)
	for i := range r.Hubs {
		r.Hubs[i].Absent = slices.Contains(s.absent, r.Hubs[i].Name)
	}
	return r
}

// Home tells of one home; quota.ErrNoHub where the hub is none of those that are looked through.
func (s *Survey) Home(hub hubhome.HubName, name string) (home quota.HomeReport, there bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.figures[string(hub)]
	switch {
	case len(s.set.Hubs) > 0 && !slices.Contains(s.set.Hubs, hub), len(s.set.Hubs) == 0 && h == nil:
		return home, false, quota.ErrNoHub
	case h == nil:
		return home, false, nil
	}
	row, there := h.homes[name]
	return homeReport(&row), there, nil
}
