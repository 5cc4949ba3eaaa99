// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

const (
	// DefaultParallel is how many directories are read at once.
	DefaultParallel = 32
	// progressTime is between two calls of Spec.Progress.
	progressTime = 250 * time.Millisecond
)

// Spec says what to scan, and how.
type Spec struct {
	// Path are the names from the root of the tree to the base share; to a hub's directory where SingleHub is set.
	Path      []string
	SingleHub bool
	// Hubs are the hubs in the base share to scan; none: all.
	Hubs []hubhome.HubName
	// Lenient: one of Hubs that is not there, or cannot be looked at, keeps nobody from the others. What State has of it stays. And
	// where all hubs are to be found, none is an error if there were some.
	Lenient bool
	// As is who looks. nil: root, and where root may not look (root squash) the directory's owner, or hubhome.DefaultOwner.
	As *vfs.Caller
	// Parallel is how many directories are read at once; 0: DefaultParallel.
	Parallel int
	// State, where not nil, is what earlier scans left, and where this one leaves what it finds.
	State *State
	// MaxAge is how old a figure from State may be that is taken for one of now, where a look at the directory says that
	// nothing came or went in it: see State.
	MaxAge time.Duration
	// Progress is called now and then while the scan runs, and once at its end, from one goroutine at a time.
	Progress func(Progress)
	// Done is called with every home that was read to its end, from one goroutine at a time.
	Done func(Home)

	// now is another clock than the machine's, and maxDirectory another bound, for tests.
	now          func() time.Time
	maxDirectory uint64
}

// Missing is the error of a Scan of a directory that is not there, or is none.
type Missing struct {
	Path string
	Err  error
	// In is the directory that it should be in, and There some directories that are in it, of names of any bytes.
	In    string
	There []string
}

// Error says which directory.
func (e *Missing) Error() string { return fmt.Sprintf("find %s: %v", e.Path, e.Err) }

// Unwrap returns why it is none.
func (e *Missing) Unwrap() error { return e.Err }

// Scan reads what the homes hold. There is a Result also with an error, which says why the scan did not come to its end:
// *Missing, that of ctx, that of a server that answers no more, or that the base share cannot be listed. A file or a
// directory that cannot be read is no error but a Problem in the Result.
//
// A State that cannot be written to ends no scan: State.Close has the error.
func Scan(ctx context.Context, fs vfs.FS, spec Spec) (*Result, error) {
	s := newScanner(fs, spec)
	err := s.begin(ctx)
	if err == nil {
		err = s.run(ctx)
	}
	if err == nil {
		err = s.emptied()
	}
	return s.result(err), err
}

// emptied is the error of a base share in which hubs were known and none is any more, where a scan that is Lenient was to find
// them all: mostly the disk is not mounted at the server, and that is no reason to forget.
func (s *scanner) emptied() error {
	if !s.spec.Lenient || len(s.spec.Hubs) > 0 || len(s.hubs) > 0 || s.expected == 0 {
		return nil
	}
	return errors.New("there is no hub any more where the last scan found some: is the disk mounted at the server? If it is right so, " +
		"remove what is known of them: the state's file")
}

// newScanner starts nothing.
func newScanner(fs vfs.FS, spec Spec) *scanner {
	if spec.Parallel <= 0 {
		spec.Parallel = DefaultParallel
	}
	if spec.now == nil {
		spec.now = time.Now
	}
	if spec.maxDirectory == 0 {
		spec.maxDirectory = maxDirectory
	}
	s := &scanner{fs: fs, spec: spec, names: map[homeKey]struct{}{}}
	s.began, s.started, s.wake.L = spec.now(), time.Now(), &s.mu
	return s
}

// scanner is a Scan while it runs.
type scanner struct {
	fs   vfs.FS
	spec Spec
	meter

	mu   sync.Mutex
	wake sync.Cond
	// queue is what is to be read, busy how many directories are being read, listing how many of those that hubs and
	// homes are found in are in either.
	queue   queue
	busy    int
	listing int
	// err is why the scan ends early, and cancel ends what is being read.
	err    error
	cancel context.CancelFunc
	hubs   []*hub
	// names are those of hubs and homes that were found: a list that changes while it is read may have one twice.
	names    map[homeKey]struct{}
	problems []Problem
	passed   []string
	// absent are hubs that are not there, unlooked those of which nothing can be known. What a State has of them stays.
	absent, unlooked []hubhome.HubName

	// answered is when the server last answered, in nanoseconds since began, whatever becomes of the machine's clock.
	answered atomic.Int64

	telling sync.Mutex // held over calls of Spec.Done
}

// find finds the directory of Spec.Path.
func (s *scanner) find(ctx context.Context) (*directory, error) {
	root, err := s.fs.Root(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.fs.GetAttr(ctx, root)
	if err != nil {
		return nil, err
	}
	at := &directory{handle: root}
	at.know(&a)
	for _, name := range s.spec.Path {
		if at, err = s.enter(ctx, at, name); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// begin finds what is to be scanned.
func (s *scanner) begin(ctx context.Context) error {
	at, err := s.find(ctx)
	if err != nil {
		return err
	}
	if space, err := s.fs.StatFS(ctx, at.handle); err == nil && space.TotalFiles > space.FreeFiles {
		s.atMost = space.TotalFiles - space.FreeFiles
	}
	switch {
	case s.spec.SingleHub:
		s.addHub(at)
	case len(s.spec.Hubs) == 0:
		s.list(at)
	}
	for _, name := range s.spec.Hubs {
		d, err := s.enter(ctx, at, string(name))
		if err == nil {
			s.addHub(d)
			continue
		}
		if !s.spec.Lenient || lost(err) {
			return err
		}
		if _, absent := errors.AsType[*Missing](err); absent {
			s.absent = append(s.absent, name)
		} else {
			s.unlooked = append(s.unlooked, name)
			s.problem(at, string(name), err)
		}
	}
	if s.spec.State != nil {
		s.expected = s.spec.State.expected(s.scanned)
	}
	return nil
}

// enter is below for who has to know what is there instead.
func (s *scanner) enter(ctx context.Context, parent *directory, name string) (*directory, error) {
	d, err := s.below(ctx, parent, name)
	if missing, ok := errors.AsType[*Missing](err); ok {
		missing.In, missing.There = parent.absolute(), s.some(ctx, parent)
	}
	return d, err
}

// below finds a directory on the way to what is to be scanned.
func (s *scanner) below(ctx context.Context, parent *directory, name string) (*directory, error) {
	var e vfs.Entry
	err := s.as(parent, func(c *vfs.Caller, _ bool) (err error) {
		e, err = s.fs.Lookup(ctx, c, parent.handle, name)
		return err
	})
	if err == nil && e.Attr.Type != vfs.Directory {
		err = syscall.ENOTDIR
	}
	d := &directory{parent: parent, name: name, handle: e.Handle, listedAt: s.spec.now()}
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) {
		return nil, &Missing{Path: d.absolute(), Err: err}
	}
	d.know(&e.Attr)
	return d, err
}

// some names directories in one, of what it lists first, for who has misspelt one of them.
func (s *scanner) some(ctx context.Context, d *directory) (names []string) {
	const most = 10
	s.as(d, func(c *vfs.Caller, _ bool) error {
		names = nil
		entries := 0
		_, err := s.fs.ReadDir(ctx, c, d.handle, 0, true, func(e *vfs.DirEntry) bool {
			entries++
			if e.Err == nil && e.Attr.Type == vfs.Directory {
				names = append(names, e.Name)
			}
			return len(names) < most && entries < maxEntries
		})
		return err
	})
	slices.Sort(names)
	return names
}

// scanned tells whether a hub is one of those that are scanned.
func (s *scanner) scanned(name string) bool {
	if s.spec.SingleHub {
		return name == s.hubs[0].name
	}
	return len(s.spec.Hubs) == 0 || slices.Contains(s.spec.Hubs, hubhome.HubName(name))
}

// list has a directory read that hubs or homes are in.
func (s *scanner) list(d *directory) {
	s.mu.Lock()
	s.listing++
	s.mu.Unlock()
	s.push(d)
}

// first tells whether a name of a hub or a home was not found before.
func (s *scanner) first(key homeKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found := s.names[key]
	s.names[key] = struct{}{}
	return !found
}

// addHub has a hub's directory read.
func (s *scanner) addHub(d *directory) {
	h := &hub{name: d.name, active: map[*home]struct{}{}}
	if s.spec.SingleHub && h.name == "" {
		h.name = "/"
	}
	if !s.first(homeKey{hub: h.name}) {
		return
	}
	h.loose.count(&vfs.Attr{Type: vfs.Directory, Used: d.used, Mtime: d.mtime})
	s.counted(1, d.used)
	s.mu.Lock()
	s.hubs = append(s.hubs, h)
	s.mu.Unlock()
	d.hub, d.depth = h, 1
	s.list(d)
}

// run reads all there is to read.
func (s *scanner) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	reading, stop := context.WithCancel(ctx)
	s.cancel = stop
	unwatch := context.AfterFunc(ctx, func() { s.stop(ctx.Err()) })
	told := make(chan struct{})
	go func() {
		defer close(told)
		s.tell(ctx)
	}()
	var all sync.WaitGroup
	for range s.spec.Parallel {
		all.Go(func() { s.work(reading) })
	}
	all.Wait()
	unwatch()
	stop()
	cancel()
	<-told
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// tell calls Spec.Progress until ctx ends, and then once more.
func (s *scanner) tell(ctx context.Context) {
	if s.spec.Progress == nil {
		return
	}
	tick := time.NewTicker(progressTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.spec.Progress(s.progress())
		case <-ctx.Done():
			s.spec.Progress(s.progress())
			return
		}
	}
}

// work reads one directory after the other, until there is none and none is being read in which more could be found.
func (s *scanner) work(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		d := s.queue.pop()
		if s.err == nil && d != nil {
			s.err = ctx.Err()
		}
		switch {
		case s.err != nil:
			return
		case d != nil:
			s.busy++
			s.mu.Unlock()
			s.read(ctx, d)
			s.mu.Lock()
			s.busy--
		case s.busy > 0:
			s.wake.Wait()
			continue
		}
		if s.queue.n == 0 && s.busy == 0 {
			s.wake.Broadcast()
			return
		}
	}
}

// push has directories read, or go on being read.
func (s *scanner) push(ds ...*directory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range ds {
		s.queue.push(d)
		s.wake.Signal()
	}
}

// stop ends the scan early. What is being read is not waited for: a server that answers no more may let all of it wait.
func (s *scanner) stop(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.cancel()
	s.wake.Broadcast()
}

// lost tells whether an error is that of a server which answers nothing any more, or of a scan that is to end.
func lost(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EINTR, syscall.ETIMEDOUT, syscall.ESHUTDOWN, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
		syscall.ENETUNREACH, syscall.EHOSTUNREACH,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func denied(err error) bool { return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) }

func gone(err error) bool { return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ESTALE) }

// problem takes note of something in a directory that cannot be read; of the directory itself where name is empty.
func (s *scanner) problem(d *directory, name string, err error) {
	s.errors.Add(1)
	d.faulty = true
	if d.home != nil {
		d.home.mu.Lock()
		d.home.row.Errors++
		d.home.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.home == nil && d.hub != nil {
		d.hub.errors++
	}
	if len(s.problems) < maxProblems {
		s.problems = append(s.problems, Problem{Path: d.path(name), Err: err})
	}
}

// pass takes note of a name in the base share that is not a hub's.
func (s *scanner) pass(name string) {
	const maxPassed = 100
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.passed) < maxPassed {
		s.passed = append(s.passed, name)
	}
}

// result is what was found until now. Nothing is being read any more.
func (s *scanner) result(err error) *Result {
	r := &Result{
		Began: s.began, Ended: s.spec.now(), Complete: err == nil,
		Errors: s.errors.Load(), Problems: s.problems, Vanished: s.vanished.Load(), Passed: s.passed, Absent: s.absent,
		Unlooked: s.unlooked,
	}
	for _, h := range s.hubs {
		for active := range h.active {
			h.rows = append(h.rows, s.interrupted(active))
		}
		r.Hubs = append(r.Hubs, Hub{Name: h.name, Homes: h.rows, Loose: h.loose, AsOf: s.began, Listed: h.listed, Errors: h.errors})
	}
	if s.spec.State != nil {
		r.Resumed = s.spec.State.Resumed()
		if err == nil {
			for i := range r.Hubs {
				if r.Hubs[i].Listed {
					s.spec.State.keepHub(&r.Hubs[i])
				}
			}
			s.spec.State.finish(r.homes(), func(hub string) bool {
				name := hubhome.HubName(hub)
				return !s.scanned(hub) || !r.listed(hub) || slices.Contains(s.absent, name) || slices.Contains(s.unlooked, name)
			})
		}
	}
	return r
}

// listed tells whether all homes of a hub are known; a hub that is not there has none.
func (r *Result) listed(hub string) bool {
	i := slices.IndexFunc(r.Hubs, func(h Hub) bool { return h.Name == hub })
	return i < 0 || r.Hubs[i].Listed
}

// homes are the names of all hubs and homes that were found.
func (r *Result) homes() map[homeKey]struct{} {
	names := map[homeKey]struct{}{}
	for i := range r.Hubs {
		hub := &r.Hubs[i]
		names[homeKey{hub: hub.Name}] = struct{}{}
		for j := range hub.Homes {
			names[homeKey{hub.Name, hub.Homes[j].Name}] = struct{}{}
		}
	}
	return names
}

// interrupted is the result of a home that was not read to its end: of the scan before, where one did, else as far as it
// was read.
func (s *scanner) interrupted(h *home) Home {
	if st := s.spec.State; st != nil {
		s.flush(h)
		if row, ok := st.last(h.hub.name, h.name); ok {
			return row
		}
	}
	return h.row
}
