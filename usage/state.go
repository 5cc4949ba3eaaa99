// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// resumeTime is for how long after its last progress an interrupted scan can go on.
const resumeTime = 24 * time.Hour

// State is what scans of one base share, or one hub, leave for the next: what each home held, and what was found in each
// directory that has no others in it. It is a file, and beside it FILE.part while a scan runs, which takes the file's place
// when the scan has come to its end; until then, also with the process killed, the next scan goes on from it.
//
// # What is not read again
//
// A directory's change attribute tells whether a name came, went or was replaced in it. It does not tell whether a file in
// it grew, and nothing but a look at each file does. To look at files one by one costs more than to list their directory
// with attributes. So the one thing that can be left out without being wrong is a directory that was empty and whose change
// attribute is the same. Beyond that, a directory without others in it whose change attribute is the same is taken as it
// was for up to Spec.MaxAge, and Home.AsOf says how old that makes the home's figures; directories with others in them are
// always read, for one request then brings the change attributes of all of those.
//
// Methods may be called concurrently.
type State struct {
	path, source string
	// named is what the user has named, of which another may be given: "file", or the "directory" that it is in.
	named     string
	old, part *os.File
	began     time.Time
	// locked: nobody else has part. resumed: there was something in it. kept: there is.
	locked, resumed, kept bool

	mu    sync.Mutex
	homes map[homeKey]*stored
	// size is where the next segment of part goes.
	size     int64
	finished bool
	err      error
}

// homeKey names a home; without a name, what lies in a hub's directory and in no home.
type homeKey struct{ hub, name string }

// stored is what the files say of a home.
type stored struct {
	// row is of the scan before, done of the one that was interrupted.
	row, done *Home
	// spans are where its records are.
	spans []span
	// kept: this scan has written a row of it.
	kept bool
}

// span is a part of a file that holds records.
type span struct {
	file *os.File
	at   int64
	n    int
}

// StateError is why a state cannot be used, and what to do.
type StateError struct {
	Path string
	Err  error
	Do   string
}

// Error says all of it.
func (e *StateError) Error() string { return fmt.Sprintf("state %s: %v: %s", e.Path, e.Err, e.Do) }

// Unwrap returns why.
func (e *StateError) Unwrap() error { return e.Err }

// OpenState opens the state at a path, or begins one. source is what is scanned, such as nfs://host:2049/homes: a state of
// another source is an error, as is one that another process uses, one that is damaged, and one that a later hubhome wrote.
// Every error is a *StateError.
func OpenState(path, source string) (*State, error) { return openState(path, source, "file") }

func openState(path, source, named string) (*State, error) {
	st := &State{path: path, source: source, named: named, homes: map[homeKey]*stored{}}
	err := st.lock()
	if err == nil {
		err = st.load()
	}
	if err != nil {
		st.closeFiles()
		return nil, err
	}
	return st, nil
}

// BeginState is OpenState for a file in a directory that the user has named, and that nobody else has a use for: where it is
// damaged, of another source, or of a later hubhome, it is put aside, as FILE.aside, and another one begun. aside is why, or nil.
func BeginState(path, source string) (st *State, aside, err error) {
	const directory = "directory"
	st, err = openState(path, source, directory)
	_, newer := errors.AsType[newerError](err)
	if !newer && !errors.Is(err, errDamaged) && !errors.Is(err, errOther) {
		return st, nil, err
	}
	for _, file := range []string{path, path + ".part"} {
		if e := os.Rename(file, file+".aside"); e != nil && !errors.Is(e, fs.ErrNotExist) {
			return nil, nil, errors.Join(err, e)
		}
	}
	st, e := openState(path, source, directory)
	return st, err, e
}

// Resumed tells whether an interrupted scan goes on.
func (st *State) Resumed() bool { return st.resumed }

// Began is when the scan began that runs, or goes on.
func (st *State) Began() time.Time { return st.began }

// Last is what is known before a scan has found anything: of each home what was found when it was last read to its end, by
// hub and name. A hub is Listed where a scan that came to its end has found all its homes.
func (st *State) Last() []Hub {
	st.mu.Lock()
	defer st.mu.Unlock()
	at := map[string]*Hub{}
	for key, s := range st.homes {
		row := cmp.Or(s.done, s.row)
		if row == nil {
			continue
		}
		h := at[key.hub]
		if h == nil {
			h = &Hub{Name: key.hub}
			at[key.hub] = h
		}
		if key.name == "" {
			h.Loose, h.AsOf, h.Listed, h.Errors = row.Tally, row.AsOf, row.Complete, row.Errors
		} else {
			h.Homes = append(h.Homes, *row)
		}
	}
	hubs := make([]Hub, 0, len(at))
	for _, h := range at {
		slices.SortFunc(h.Homes, func(a, b Home) int { return cmp.Compare(a.Name, b.Name) })
		hubs = append(hubs, *h)
	}
	slices.SortFunc(hubs, func(a, b Hub) int { return cmp.Compare(a.Name, b.Name) })
	return hubs
}

// Ended is when the last scan came to its end; zero where none did.
func (st *State) Ended() time.Time {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.old == nil {
		return time.Time{}
	}
	info, err := st.old.Stat()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Close ends the use of the state. The error is why what was found could not be kept. It may be called again.
func (st *State) Close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.closeFiles()
	if st.err != nil {
		return &StateError{Path: st.path, Err: st.err, Do: "what was found is not kept for the next scan"}
	}
	return nil
}

// closeFiles closes the files. A part in which nothing was kept goes, unless it is somebody else's.
func (st *State) closeFiles() {
	if st.locked && !st.kept && !st.resumed && !st.finished {
		os.Remove(st.partPath())
	}
	for _, f := range []*os.File{st.old, st.part} {
		if f != nil {
			f.Close() // the lock goes with it; what was to be kept was synced
		}
	}
	st.old, st.part, st.locked = nil, nil, false
}

func (st *State) partPath() string { return st.path + ".part" }

// lock opens the part, which nobody else can then.
func (st *State) lock() error {
	for {
		f, err := os.OpenFile(st.partPath(), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return &StateError{Path: st.path, Err: err, Do: "give a path in a directory that can be written to"}
		}
		st.part = f
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == syscall.EWOULDBLOCK {
			return &StateError{Path: st.path, Err: errors.New("another scan uses it"), Do: "wait for its end, or " + st.another()}
		} else if err != nil {
			return &StateError{Path: st.path, Err: fmt.Errorf("lock it: %w", err), Do: "give a " + st.named + " on a file system that has locks"}
		}
		mine, err := f.Stat()
		if err != nil {
			return &StateError{Path: st.path, Err: err, Do: st.another()}
		}
		if there, err := os.Stat(st.partPath()); err == nil && os.SameFile(mine, there) {
			st.locked, st.kept = true, mine.Size() > 0
			return nil
		}
		f.Close() // whoever had it has renamed or removed it meanwhile
	}
}

// load reads both files.
func (st *State) load() error {
	f, err := os.OpenFile(st.path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO would wait for a writer
	switch {
	case err == nil:
		st.old = f
		if err := st.loadOld(); err != nil {
			return st.refuse(st.path, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return &StateError{Path: st.path, Err: err, Do: st.another()}
	}
	if err := st.loadPart(); err != nil {
		return st.refuse(st.partPath(), err)
	}
	return nil
}

// another says what to do about a path that is not to be had.
func (st *State) another() string { return "give another " + st.named }

// refuse says what to do about a file that cannot be used.
func (st *State) refuse(path string, err error) error {
	e := &StateError{Path: path, Err: err, Do: "remove it, and the next scan reads everything; nothing else is lost with it"}
	if _, newer := errors.AsType[newerError](err); newer {
		e.Do = "use the hubhome that wrote it, or " + st.another()
	} else if errors.Is(err, errForeign) || errors.Is(err, errOther) {
		e.Do = st.another()
	}
	return e
}

var errOther = errors.New("it is of another source")

// loadOld reads the file of the last scan, all of which must be whole.
func (st *State) loadOld() error {
	info, err := st.old.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errForeign
	}
	ended := false
	_, err = readSegments(st.old, func(kind byte, at int64, content []byte) error {
		ended = kind == endSegment
		return st.segment(st.old, kind, at, content, func(s *stored, row *Home) { s.row = row })
	})
	if err == nil && !ended {
		err = errDamaged
	}
	return err
}

// loadPart reads what an interrupted scan has left, as far as it is whole, and begins a new one where there is none.
func (st *State) loadPart() error {
	info, err := st.part.Stat()
	if err != nil {
		return err
	}
	if age := time.Since(info.ModTime()); info.Size() == 0 || age > resumeTime || age < -racyTime {
		return st.begin()
	}
	errEnd := errors.New("the end")
	good, err := readSegments(st.part, func(kind byte, at int64, content []byte) error {
		if kind == endSegment {
			return errEnd
		}
		st.resumed = st.resumed || kind == rowSegment || kind == recordSegment
		return st.segment(st.part, kind, at, content, func(s *stored, row *Home) { s.done = row })
	})
	switch {
	case err == errDamaged && st.began.IsZero():
		return st.begin()
	case err != nil && err != errDamaged && err != errEnd:
		return err
	case st.began.IsZero():
		return st.begin()
	}
	st.size = good
	return st.part.Truncate(good)
}

// begin begins the part of a new scan. Nothing is written yet: with a full disk there is a scan all the same.
func (st *State) begin() error {
	st.began, st.size, st.kept = time.Now(), 0, false
	return st.part.Truncate(0)
}

// segment takes note of a segment.
func (st *State) segment(f *os.File, kind byte, at int64, content []byte, keep func(*stored, *Home)) error {
	if kind == headSegment {
		var h header
		if err := json.Unmarshal(content, &h); err != nil {
			return errDamaged
		}
		if h.Source != st.source {
			return fmt.Errorf("%w: of %s, and not of %s", errOther, h.Source, st.source)
		}
		if f == st.part {
			st.began = time.UnixMilli(h.Began)
		}
		return nil
	}
	if kind != rowSegment && kind != recordSegment && kind != goneSegment {
		return nil
	}
	d := decoder{b: content}
	key := homeKey{string(d.bytes()), string(d.bytes())}
	if kind == goneSegment {
		delete(st.homes, key)
		return nil
	}
	s := st.homes[key]
	if s == nil {
		s = &stored{}
		st.homes[key] = s
	}
	if kind == rowSegment {
		var row Home
		if err := json.Unmarshal(d.b, &row); err != nil {
			return errDamaged
		}
		row.Hub, row.Name = key.hub, key.name
		keep(s, &row)
		return nil
	}
	s.spans = append(s.spans, span{f, at + int64(len(content)-len(d.b)), len(d.b)})
	if d.bad {
		return errDamaged
	}
	return nil
}

// expected is how many entries the last scan found in the hubs that are scanned.
func (st *State) expected(scanned func(hub string) bool) (n uint64) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for key, s := range st.homes {
		if row := cmp.Or(s.done, s.row); row != nil && scanned(key.hub) {
			n += row.Entries()
		}
	}
	return n
}

// last is what was found of a home when it was last read to its end.
func (st *State) last(hub, name string) (Home, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if s := st.homes[homeKey{hub, name}]; s != nil {
		if row := cmp.Or(s.done, s.row); row != nil {
			return *row, true
		}
	}
	return Home{}, false
}

// done is what this scan has found of a home before it was interrupted. A home of which something could not be read is
// read again; and so is one whose figures are older than a time, since the scan was interrupted again and again, or are of a
// time to come, since the clock was set back.
func (st *State) done(hub, name string, now time.Time, maxAge time.Duration) (Home, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.homes[homeKey{hub, name}]
	if s == nil || s.done == nil || s.done.Errors > 0 {
		return Home{}, false
	}
	age := now.Sub(s.done.AsOf)
	return *s.done, age >= 0 && age < maxAge
}

// known reads the records of a home; nil where there are none.
func (st *State) known(hub, name string) *known {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.homes[homeKey{hub, name}]
	if s == nil || len(s.spans) == 0 {
		return nil
	}
	k := &known{}
	for _, f := range []*os.File{st.old, st.part} {
		if f == st.part {
			k.ours = len(k.raw)
		}
		for _, p := range s.spans {
			if p.file != f {
				continue
			}
			at := len(k.raw)
			k.raw = append(k.raw, make([]byte, p.n)...)
			if _, err := f.ReadAt(k.raw[at:], p.at); err != nil {
				return nil // then it is read again
			}
		}
	}
	if !k.index() {
		return nil
	}
	return k
}

// keepRecords keeps records of a home.
func (st *State) keepRecords(hub, name string, records []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.write(appendSegment(nil, recordSegment, homeName(hub, name), records))
}

// keepRow keeps what a home holds.
func (st *State) keepRow(row *Home) {
	st.mu.Lock()
	defer st.mu.Unlock()
	b, err := json.Marshal(row)
	if err != nil {
		st.fail(err)
		return
	}
	st.write(appendSegment(nil, rowSegment, homeName(row.Hub, row.Name), b))
	if s := st.homes[homeKey{row.Hub, row.Name}]; s != nil {
		s.kept = true
	}
}

// keepHub keeps what lies in a hub's directory and in no home.
func (st *State) keepHub(h *Hub) {
	st.keepRow(&Home{Hub: h.Name, Tally: h.Loose, AsOf: h.AsOf, Complete: h.Listed, Errors: h.Errors})
}

func homeName(hub, name string) (b []byte) {
	for _, s := range []string{hub, name} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// write adds to the part, and begins it with the header. After an error there is nothing more to be kept.
func (st *State) write(b []byte) {
	if st.err != nil || st.finished {
		return
	}
	if st.size == 0 {
		head, err := json.Marshal(header{Source: st.source, Began: st.began.UnixMilli()})
		if err != nil {
			st.fail(err)
			return
		}
		b = append(appendSegment(fmt.Appendf(nil, "%s%d\n", magic, stateVersion), headSegment, head), b...)
	}
	if _, err := st.part.WriteAt(b, st.size); err != nil {
		st.fail(err)
		return
	}
	st.size += int64(len(b))
	st.kept = true
}

// fail takes note of the first error.
func (st *State) fail(err error) {
	if st.err == nil {
		st.err = err
	}
}

// finish has the part take the file's place. found are the hubs and homes that there are. What the file has of hubs of which
// nothing new is known stays; what the part has of homes that were removed since they were read does not.
func (st *State) finish(found map[homeKey]struct{}, stays func(hub string) bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for key, s := range st.homes {
		_, there := found[key]
		switch {
		case stays(key.hub):
			if s.done == nil && !s.kept {
				st.copy(key, s)
			}
		case s.done != nil && !there:
			st.write(appendSegment(nil, goneSegment, homeName(key.hub, key.name)))
		}
	}
	st.write(appendSegment(nil, endSegment))
	if st.err == nil {
		st.fail(st.part.Sync())
	}
	if st.err == nil {
		st.fail(os.Rename(st.partPath(), st.path))
	}
	if st.err == nil {
		st.fail(syncDir(filepath.Dir(st.path)))
		st.finished = true
	}
	if !st.finished { // the scan is over, and nobody is to go on with it
		st.kept, st.resumed = false, false
	}
}

// copy writes what the file has of a home to the part.
func (st *State) copy(key homeKey, s *stored) {
	name := homeName(key.hub, key.name)
	for _, p := range s.spans {
		if p.file != st.old {
			continue
		}
		b := make([]byte, p.n)
		if _, err := p.file.ReadAt(b, p.at); err != nil {
			st.fail(err)
			return
		}
		st.write(appendSegment(nil, recordSegment, name, b))
	}
	if s.row != nil {
		b, err := json.Marshal(s.row)
		if err != nil {
			st.fail(err)
			return
		}
		st.write(appendSegment(nil, rowSegment, name, b))
	}
}

// syncDir makes a rename in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
