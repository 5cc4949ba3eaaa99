// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/vfs"
)

const (
	// maxEntries and maxFound are how many entries and directories are taken from a directory at once, and maxQueued how
	// many directories may wait to be read; from then on directories are taken one by one, and the deepest of them read.
	maxEntries = 16 << 10
	maxFound   = 1 << 10
	maxQueued  = 100_000
	// maxAgain is how often a directory may be replaced while it is about to be read.
	maxAgain = 16
	// maxDepth is how deep a tree may be, and maxDirectory how many entries a directory may have. They are for servers that make
	// up what they show.
	maxDepth     = 1 << 16
	maxDirectory = 1 << 28
	// silence is for how long a server must have left a directory unanswered, and have answered others meanwhile, for the
	// directory to be at fault.
	silence = 10 * time.Second
	// freshTime is for how long what was listed of a home is good enough to begin with it.
	freshTime = 10 * time.Second
)

// directory is a directory while it is to be read, and while those in it are. One goroutine at a time reads it; what others
// may look at then does not change any more, but for caller.
type directory struct {
	parent *directory
	// hub and home are what it belongs to: neither is the base share or above it, hub alone is a hub's.
	hub  *hub
	home *home
	name string
	// handle and what follows are as it was listed, at listedAt.
	handle       vfs.Handle
	uid, gid     uint32
	change, used uint64
	mtime, ctime time.Time
	listedAt     time.Time
	depth        int
	// caller is who could look at it last, or at the directory that it is in. Who looks for one that is gone asks its
	// parents too, while others read them.
	caller atomic.Pointer[vfs.Caller]
	// again is how often it was replaced by another one of the same name.
	again int
	// above are the directories from the home's own to this one.
	above circle[vfs.Handle]

	// began is when its reading began, cookie how far it has come, entries how many that was, round the way there; seen and
	// links are what was found until there.
	began   time.Time
	cookie  uint64
	entries uint64
	round   circle[uint64]
	seen    Tally
	links   []link
	// parents: there are directories in it. faulty: something could not be read.
	parents, faulty bool
}

// know takes note of a directory's attributes.
func (d *directory) know(a *vfs.Attr) {
	d.uid, d.gid, d.change, d.used = a.UID, a.GID, a.Change, a.Used
	d.mtime, d.ctime = a.Mtime, a.Ctime
}

// path is where it is below the base share, with a name in it where that is not empty.
func (d *directory) path(name string) string {
	var names []string
	for ; d != nil && d.hub != nil; d = d.parent {
		names = append(names, d.name)
	}
	return join(names, name)
}

// absolute is where it is below the root of the tree.
func (d *directory) absolute() string {
	var names []string
	for ; d.parent != nil; d = d.parent {
		names = append(names, d.name)
	}
	return "/" + join(names, "")
}

// join joins names of which the last comes first.
func join(names []string, last string) string {
	var b strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteString(names[i])
		if i > 0 || last != "" {
			b.WriteByte('/')
		}
	}
	return b.String() + last
}

var (
	// root is who may see everything, where there is no root squash.
	root = &vfs.Caller{}
	// jovyan is whose homes are where nobody says otherwise: some servers name owners by names, which say nothing here.
	jovyan = &vfs.Caller{UID: hubhome.DefaultOwner.UID, GID: hubhome.DefaultOwner.GID}
)

// callers are who may be able to look at a directory, the likeliest first.
func (s *scanner) callers(d *directory) (callers []*vfs.Caller) {
	if s.spec.As != nil {
		return []*vfs.Caller{s.spec.As}
	}
	likeliest := root
	if c := d.caller.Load(); c != nil {
		likeliest = c
	}
	for _, c := range []*vfs.Caller{likeliest, {UID: d.uid, GID: d.gid}, jovyan, root} {
		same := func(other *vfs.Caller) bool { return other.UID == c.UID && (c.Root() || other.GID == c.GID) }
		if !slices.ContainsFunc(callers, same) {
			callers = append(callers, c)
		}
	}
	return callers
}

// as does something as one who may. last: there is nobody else to try.
func (s *scanner) as(d *directory, do func(c *vfs.Caller, last bool) error) (err error) {
	callers := s.callers(d)
	for i, c := range callers {
		if err = do(c, i == len(callers)-1); !denied(err) {
			d.caller.Store(c)
			return err
		}
	}
	return err
}

// look is one look at a directory, or at the next part of one.
type look struct {
	s  *scanner
	d  *directory
	at time.Time
	// limit is how many directories it takes.
	limit int
	// tally and links are the files, found the directories that are to be read, stale what the server lists and does not know.
	tally    Tally
	links    []link
	found    []*directory
	stale    []string
	parents  bool
	entries  int
	vanished uint64
	// last: nobody else can be tried. refused is why not even the first entry could be had by one who is not the last.
	last    bool
	refused error
	// endless is why the list would have no end.
	endless error
}

// The reasons why it would not.
var (
	errRound    = fmt.Errorf("the server lists the same entries again, and no end: %w", syscall.EPROTO)
	errUnending = fmt.Errorf("the server lists more entries than a directory can have: %w", syscall.EPROTO)
)

// read looks at a directory, and has what it finds there read.
func (s *scanner) read(ctx context.Context, d *directory) {
	if d.home != nil && !d.home.started && !s.start(ctx, d) {
		return
	}
	l := &look{s: s, d: d, at: s.spec.now(), limit: maxFound}
	s.mu.Lock()
	if s.queue.n > maxQueued {
		l.limit = 1
	}
	s.mu.Unlock()
	if d.began.IsZero() {
		d.began = l.at
	}
	from, end := d.cookie, false
	err := s.as(d, func(c *vfs.Caller, last bool) (err error) {
		l.last, l.refused = last, nil
		end, err = s.fs.ReadDir(ctx, c, d.handle, d.cookie, true, l.entry)
		return cmp.Or(err, l.refused)
	})
	if err == nil {
		s.answered.Store(int64(s.spec.now().Sub(s.began)))
		if !end && d.cookie == from {
			l.endless = errRound
		}
		err = cmp.Or(l.endless, l.again(ctx))
	}
	l.take()
	switch {
	case err == nil && end:
		s.finish(d)
	case err == nil:
		s.push(d)
	case ctx.Err() != nil || lost(err) && !s.answersOthers(l.at):
		s.stop(fmt.Errorf("read %s: %w", d.absolute(), err))
	case d.hub == nil:
		s.stop(fmt.Errorf("list %s: %w", d.absolute(), err))
	default:
		s.unread(ctx, d, err)
	}
}

// answersOthers tells whether the server goes on answering, though it has not answered a look that began at a time: then
// it is the directory that has no answer.
func (s *scanner) answersOthers(began time.Time) bool {
	now := s.spec.now()
	waited := now.Sub(began)
	return waited > silence && now.Sub(s.began)-time.Duration(s.answered.Load()) < waited/2
}

// entry takes an entry of the directory; false where it is enough for one look.
func (l *look) entry(e *vfs.DirEntry) bool {
	if denied(e.Err) && l.entries == 0 && !l.last {
		l.refused = e.Err // as somebody else there may be more to see
		return false
	}
	// Two entries, one after the other, may share a cookie: on ext4, two names with the same hash.
	if e.Cookie != l.d.cookie && l.d.round.step(e.Cookie) {
		l.endless = errRound
		return false
	}
	if l.d.entries++; l.d.entries > l.s.spec.maxDirectory {
		l.endless = errUnending
		return false
	}
	l.entries++
	l.d.cookie = e.Cookie
	l.add(e)
	return l.entries < maxEntries && len(l.found) < l.limit
}

// add adds what an entry is.
func (l *look) add(e *vfs.DirEntry) {
	switch {
	case gone(e.Err):
		l.stale = append(l.stale, e.Name)
	case e.Err != nil:
		l.unlooked(e.Name, e.Err)
	case l.d.hub == nil:
		l.hub(e)
	case e.Attr.Type == vfs.Directory:
		l.directory(e)
	case e.Attr.Nlink > 1:
		k := link{id: e.Attr.FileID, used: e.Attr.Used, names: e.Attr.Nlink}
		if k.id == 0 { // a server that has no numbers of files
			k.id = hash(e.Handle)
		}
		if e.Attr.Type == vfs.Regular || e.Attr.Type == vfs.Symlink {
			k.size = e.Attr.Size
		}
		l.links = append(l.links, k)
		l.tally.modified(e.Attr.Mtime)
	default:
		l.tally.count(&e.Attr)
	}
}

// again looks by its name for what the server listed and did not know: it was removed meanwhile, or it is there and something
// is missing. The error is that of a server which answers no more.
func (l *look) again(ctx context.Context) error {
	for _, name := range l.stale {
		entry := vfs.DirEntry{Name: name}
		err := l.s.as(l.d, func(c *vfs.Caller, _ bool) (err error) {
			entry.Entry, err = l.s.fs.Lookup(ctx, c, l.d.handle, name)
			return err
		})
		switch {
		case lost(err):
			return err
		case errors.Is(err, syscall.ENOENT):
			l.vanished++
		case err != nil:
			l.unlooked(name, err)
		default:
			l.add(&entry)
		}
	}
	return nil
}

// unlooked deals with something in the directory of which nothing is known but its name. What was known of it, where it is a hub
// or a home, stays.
func (l *look) unlooked(name string, err error) {
	s, hub := l.s, l.d.hub
	switch {
	case hub == nil:
		s.mu.Lock()
		s.unlooked = append(s.unlooked, hubhome.HubName(name))
		s.mu.Unlock()
	case l.d.home == nil && s.spec.State != nil:
		if _, known := s.spec.State.last(hub.name, name); known && s.first(homeKey{hub.name, name}) {
			d := &directory{parent: l.d, hub: hub, name: name, home: &home{
				hub: hub, name: name, row: Home{Hub: hub.name, Name: name}, pending: 1,
			}}
			s.stays(d.home)
			s.problem(d, "", err)
			s.meter.found.Add(1)
			s.close(d)
			return
		}
	}
	s.problem(l.d, name, err)
}

// hub takes an entry of the base share.
func (l *look) hub(e *vfs.DirEntry) {
	_, err := hubhome.ParseHubName(e.Name)
	if e.Attr.Type != vfs.Directory || err != nil {
		l.s.pass(e.Name)
		return
	}
	l.found = append(l.found, l.below(e))
}

// directory takes a directory in a hub or in a home.
func (l *look) directory(e *vfs.DirEntry) {
	l.parents = true
	sub := l.below(e)
	if sub.handle != "" && sub.above.step(sub.handle) {
		l.s.problem(l.d, e.Name, fmt.Errorf("it is a directory that it is in: %w", syscall.ELOOP))
		return
	}
	if sub.depth > maxDepth {
		l.s.problem(l.d, e.Name, fmt.Errorf("it is %d directories deep: %w", sub.depth, syscall.ELOOP))
		return
	}
	if sub.home == nil {
		if l.s.first(homeKey{l.d.hub.name, e.Name}) {
			sub.home = &home{hub: l.d.hub, name: e.Name, row: Home{Hub: l.d.hub.name, Name: e.Name}, pending: 1}
			l.found = append(l.found, sub)
		}
		return
	}
	l.tally.count(&e.Attr)
	if !l.s.skip(sub, l.at) {
		l.found = append(l.found, sub)
	}
}

// below is a directory in the one that is looked at.
func (l *look) below(e *vfs.DirEntry) *directory {
	d := l.d
	sub := &directory{
		parent: d, hub: d.hub, home: d.home, name: e.Name, handle: e.Handle,
		listedAt: l.at, depth: d.depth + 1, above: d.above,
	}
	sub.caller.Store(d.caller.Load())
	sub.know(&e.Attr)
	return sub
}

// take takes over what the look has found, and has the directories read.
func (l *look) take() {
	s, d := l.s, l.d
	s.meter.vanished.Add(l.vanished)
	d.faulty = d.faulty || l.vanished > 0
	d.parents = d.parents || l.parents
	bytes := l.tally.Used
	for i := range l.links {
		bytes += l.links[i].used
	}
	s.counted(l.tally.Entries()+uint64(len(l.links)), bytes)
	switch {
	case d.hub == nil:
		for _, sub := range l.found {
			s.addHub(sub)
		}
		return
	case d.home == nil:
		l.takeLoose()
	default:
		if s.spec.State != nil && len(d.links) <= maxLinks {
			d.links = append(d.links, l.links...)
		}
		d.seen.Add(&l.tally)
		d.home.add(&l.tally, l.links, l.at)
		d.home.waits(len(l.found))
	}
	s.push(l.found...)
}

// takeLoose takes over what was found in a hub's directory.
func (l *look) takeLoose() {
	s, h := l.s, l.d.hub
	s.meter.found.Add(uint64(len(l.found)))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range l.found {
		h.active[sub.home] = struct{}{}
	}
	h.loose.Add(&l.tally)
	for i := range l.links {
		if k := &l.links[i]; h.links.first(k) {
			h.loose.Add(&Tally{Used: k.used, Size: k.size, Files: 1})
		}
	}
}

// start begins with a home; false where it need not be read, or cannot.
func (s *scanner) start(ctx context.Context, d *directory) bool {
	h, st := d.home, s.spec.State
	if st != nil {
		if row, ok := st.done(h.hub.name, h.name, s.spec.now(), max(resumeTime, s.spec.MaxAge)); ok {
			h.row = row
			s.counted(row.Entries(), row.Used)
			s.kept.Add(row.Entries())
			s.close(d)
			return false
		}
		h.old = st.known(h.hub.name, h.name)
	}
	now := s.spec.now()
	if now.Sub(d.listedAt) > freshTime {
		a, err := s.fs.GetAttr(ctx, d.handle)
		switch {
		case err == nil:
			d.know(&a)
			d.listedAt = now
		case lost(err):
			s.stop(fmt.Errorf("read %s: %w", d.absolute(), err))
			return false
		} // any other error comes again
	}
	h.started = true
	var own Tally
	own.count(&vfs.Attr{Type: vfs.Directory, Used: d.used, Mtime: d.mtime})
	h.add(&own, nil, d.listedAt)
	s.counted(1, d.used)
	if s.skip(d, d.listedAt) {
		s.close(d)
		return false
	}
	return true
}

// finish ends the reading of a directory.
func (s *scanner) finish(d *directory) {
	if d.home == nil {
		s.mu.Lock()
		if d.hub != nil {
			d.hub.listed = true
		}
		s.mu.Unlock()
		s.unlist()
		return
	}
	if !d.parents && !d.faulty {
		s.record(d)
	}
	d.links = nil
	s.close(d)
}

// unlist takes note that there is one directory less in which hubs and homes are found.
func (s *scanner) unlist() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listing--
	if s.listing == 0 {
		s.listed.Store(true)
	}
}

// close takes a directory off its home, which ends with the last one.
func (s *scanner) close(d *directory) {
	h := d.home
	if !h.waits(-1) {
		return
	}
	h.row.Complete = true
	h.links, h.old = nil, nil
	if s.spec.State != nil {
		s.flush(h)
		s.spec.State.keepRow(&h.row)
	}
	s.homes.Add(1)
	s.mu.Lock()
	delete(h.hub.active, h)
	h.hub.rows = append(h.hub.rows, h.row)
	s.mu.Unlock()
	if s.spec.Done != nil {
		s.telling.Lock()
		defer s.telling.Unlock()
		s.spec.Done(h.row)
	}
}

// unread deals with a directory that could not be read, or not to its end.
func (s *scanner) unread(ctx context.Context, d *directory, err error) {
	if gone(err) || errors.Is(err, syscall.ENOTDIR) {
		var replaced bool
		if replaced, err = s.vanish(ctx, d, err); replaced {
			d.again++
			s.push(d)
			return
		}
	}
	if errors.Is(err, errForgotten) || errors.Is(err, errReplaced) || lost(err) && !s.answersOthers(d.began) {
		s.stop(fmt.Errorf("read %s: %w", d.absolute(), err))
		return
	}
	d.faulty = true
	switch {
	case err != nil:
		if d.home != nil && d.parent.home == nil && d.cookie == 0 {
			s.stays(d.home)
		}
		s.problem(d, "", err)
	case d.home != nil && d.parent.home == nil && d.cookie == 0:
		s.forget(d.home)
		return
	default:
		s.meter.vanished.Add(1)
	}
	if d.home == nil {
		s.unlist()
		return
	}
	s.close(d)
}

// stays has a home of which nothing could be read hold what the last scan found, which says how old it is. It is not right
// that it should seem to be empty.
func (s *scanner) stays(h *home) {
	if s.spec.State == nil {
		return
	}
	if row, ok := s.spec.State.last(h.hub.name, h.name); ok {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.row.Tally, h.row.AsOf = row.Tally, row.AsOf
	}
}

// forget takes note that a home was removed before it was read. There may be another one of its name.
func (s *scanner) forget(h *home) {
	s.meter.vanished.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(h.hub.active, h)
	delete(s.names, homeKey{h.hub.name, h.name})
}

// errForgotten is the error of a server that does not even know the root of what is scanned by its handle any more. It has lost
// its handles, and no files: who connects again gets new ones.
var errForgotten = errors.New("the server knows none of its handles any more")

// errReplaced is the error of a server that has, in the place of a hub's directory or of one above it, another one or none: mostly
// what was mounted there is not any more.
var errReplaced = errors.New("the hub's directory, or one above it, was removed or replaced meanwhile")

// vanish finds out whether a directory that the server no longer knows by its handle was removed (nil), or replaced by
// another one, which is then to be read. Otherwise it is an error: a server that has forgotten a handle of what is still
// there, or all handles (errForgotten), or that shows another disk (errReplaced), leaves something out that must not be taken for
// removed.
func (s *scanner) vanish(ctx context.Context, d *directory, err error) (replaced bool, _ error) {
	at := d
	for ; at.parent != nil; at = at.parent {
		var e vfs.Entry
		look := s.as(at.parent, func(c *vfs.Caller, _ bool) (err error) {
			e, err = s.fs.Lookup(ctx, c, at.parent.handle, at.name)
			return err
		})
		switch {
		case errors.Is(look, syscall.ESTALE):
			continue
		case look != nil && !errors.Is(look, syscall.ENOENT):
			return false, look
		case look == nil && e.Handle == at.handle:
			return false, err
		case at != d && at.home == nil:
			return false, fmt.Errorf("%w: %w", errReplaced, err)
		case look != nil:
			return false, nil
		case e.Attr.Type != vfs.Directory || at != d:
			return false, nil
		case d.again == maxAgain || d.cookie != 0:
			return false, err
		}
		d.handle, d.listedAt, d.began = e.Handle, s.spec.now(), time.Time{}
		d.know(&e.Attr)
		return true, nil
	}
	if _, top := s.fs.GetAttr(ctx, at.handle); errors.Is(top, syscall.ESTALE) {
		err = fmt.Errorf("%w: %w", errForgotten, err)
	}
	return false, err
}
