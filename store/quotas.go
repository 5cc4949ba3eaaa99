// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// quotasFile has the quotas that were set at run time, one line for each time that one was, the last of a home's in force.
const quotasFile = "quotas"

// maxQuotas is the longest such file that is read, in bytes.
const maxQuotas = 1 << 30

// Override is a quota that was set at run time for one home. It comes before what the configuration says; what is zero in it
// is left to the configuration.
type Override struct {
	Hub   hubhome.HubName
	Home  string // the name of the directory: bytes of any kind
	Quota hubhome.Quota
}

// quotaLine is an override on the disk. Nothing but a home: it was taken back.
type quotaLine struct {
	Hub    hubhome.HubName `json:"hub"`
	Home   string          `json:"home"` // quoted as Go does, without the quotes: a name need not be UTF-8
	Bytes  hubhome.Bytes   `json:"bytes,omitempty"`
	Inodes int64           `json:"inodes,omitempty"`
}

// overrides keeps the quotas that were set at run time.
type overrides struct {
	store *Store

	mu    sync.Mutex
	all   map[overridden]hubhome.Quota
	size  int64 // of the file, in bytes: as far as it is whole
	lines int   // in it
	// replaced: the file was, but that is not known to be durable.
	replaced bool
	// longer: there may be something behind size that is not in force.
	longer bool
}

type overridden struct {
	hub  hubhome.HubName
	home string
}

// openOverrides reads the quotas and gives them to the ledger.
func openOverrides(s *Store) (*overrides, error) {
	o := &overrides{store: s, all: map[overridden]hubhome.Quota{}}
	data, err := s.disk.ReadFile(s.own, quotasFile, maxQuotas)
	if err != nil && err != syscall.ENOENT {
		return nil, fmt.Errorf("read %s/%s: %w", ownDir, quotasFile, err)
	}
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // it was not acknowledged
		}
		o.lines++
		if err := o.take(line); err != nil {
			return nil, fmt.Errorf("%s/%s is damaged: line %d: %w: restore it from a backup of the disk, or take the line out, "+
				"and set the quota of the home that it was for again", ownDir, quotasFile, o.lines, err)
		}
		o.size += int64(len(line))
	}
	if err := o.shorten(); err != nil && !noRoom(err) {
		return nil, fmt.Errorf("write %s/%s: %w", ownDir, quotasFile, err)
	}
	for key, q := range o.all {
		s.quota.SetOverride(key.hub, key.home, q)
	}
	return o, nil
}

// take reads a line.
func (o *overrides) take(line []byte) error {
	var l quotaLine
	if err := json.Unmarshal(line, &l); err != nil {
		return err
	}
	home, err := strconv.Unquote(`"` + l.Home + `"`)
	if err != nil || l.Hub == "" || home == "" || l.Bytes < 0 || l.Inodes < 0 {
		return errors.New("it does not say which home's quota it is, or how much")
	}
	o.put(overridden{l.Hub, home}, hubhome.Quota{Bytes: l.Bytes, Inodes: l.Inodes})
	return nil
}

func (o *overrides) put(key overridden, q hubhome.Quota) {
	o.all[key] = q
	if q == (hubhome.Quota{}) {
		delete(o.all, key)
	}
}

func (q Override) line() ([]byte, error) {
	quoted := strconv.QuoteToASCII(q.Home)
	line, err := json.Marshal(quotaLine{q.Hub, quoted[1 : len(quoted)-1], q.Quota.Bytes, q.Quota.Inodes})
	return append(line, '\n'), err
}

// shorten writes the file anew, with what is in force alone, where most of it is not: a script may set quotas every minute. What
// cannot be made shorter now is some other time.
func (o *overrides) shorten() error {
	if o.lines <= 100+2*len(o.all) {
		return nil
	}
	return o.replace(nil)
}

// replace writes the file anew: what is in force, and more lines.
func (o *overrides) replace(more []byte) error {
	var data []byte
	list := o.list()
	for _, q := range list {
		line, err := q.line()
		if err != nil {
			return err
		}
		data = append(data, line...)
	}
	data = append(data, more...)
	before, known := o.number()
	if err := o.store.disk.WriteFile(o.store.own, quotasFile, data, 0o600); err != nil {
		after, looked := o.number()
		o.replaced = o.replaced || !known || !looked || before != after
		return err
	}
	o.size, o.lines, o.replaced = int64(len(data)), len(list)+bytes.Count(more, []byte("\n")), false
	o.longer = false
	return nil
}

// number is that of the file's inode; 0: there is none.
func (o *overrides) number() (ino uint64, known bool) {
	var st disk.Stat
	err := o.store.disk.Stat(o.store.own, quotasFile, &st)
	if err == syscall.ENOENT {
		return 0, true
	}
	return st.Ino, err == nil
}

// list returns what is in force, by hub and home.
func (o *overrides) list() []Override {
	all := make([]Override, 0, len(o.all))
	for key, q := range o.all {
		all = append(all, Override{key.hub, key.home, q})
	}
	slices.SortFunc(all, func(a, b Override) int { return cmp.Or(cmp.Compare(a.Hub, b.Hub), cmp.Compare(a.Home, b.Home)) })
	return all
}

// Overrides returns the quotas that were set at run time, by hub and home.
func (s *Store) Overrides() []Override {
	s.overrides.mu.Lock()
	defer s.overrides.mu.Unlock()
	return s.overrides.list()
}

// SetQuotas sets the quotas of homes at run time, all or none: durable when it returns, and in force from the next request
// on, whatever the homes hold. One without a Quota takes back what was set. A home need not be there yet. An error says which
// is wrong. Where it could not be made durable, nothing of it is in force, after a restart either; where that is not sure, the error
// says so.
func (s *Store) SetQuotas(set []Override) error {
	var data []byte
	for _, q := range set {
		if err := q.check(); err != nil {
			return err
		}
		line, err := q.line()
		if err != nil {
			return err
		}
		data = append(data, line...)
	}
	o := s.overrides
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.append(data); err != nil {
		err = fmt.Errorf("keep quotas in %s/%s: %w", ownDir, quotasFile, err)
		if undone := o.restore(); undone != nil {
			return fmt.Errorf("%w: nothing was changed; but nor can the file be put back (%w), so that a restart may put in force "+
				"what was asked for: set a quota again before, which puts it right", err, undone)
		}
		return err
	}
	for _, q := range set {
		o.put(overridden{q.Hub, q.Home}, q.Quota)
		s.quota.SetOverride(q.Hub, q.Home, q.Quota)
	}
	if err := o.shorten(); err != nil {
		s.log.Warn("what is kept of quotas is longer than it need be", "file", ownDir+"/"+quotasFile, "error", err)
	}
	return nil
}

func (q *Override) check() error {
	if _, err := hubhome.ParseHubName(string(q.Hub)); err != nil {
		return err
	}
	if err := vfs.CheckName(q.Home); err != nil {
		return fmt.Errorf("%.70q cannot be the name of a home in hub %q: %w", q.Home, q.Hub, err)
	}
	if q.Quota.Bytes < 0 || q.Quota.Inodes < 0 {
		return fmt.Errorf("the quota of %s/%s is negative: %w", q.Hub, q.Home, syscall.EINVAL)
	}
	return nil
}

// append adds lines to the file, durably: all, or after a crash possibly a first part of them, unless it is one. Many are
// written with the file as a whole.
func (o *overrides) append(data []byte) error {
	s := o.store
	if o.replaced || bytes.Count(data, []byte("\n")) > 1 {
		return o.replace(data)
	}
	fd, err := s.disk.Open(s.own, quotasFile, unix.O_WRONLY|unix.O_CREAT, 0o600)
	if err != nil {
		return err
	}
	defer disk.Close(fd)
	if err := s.disk.Truncate(fd, o.size); err != nil { // what was not acknowledged
		return err
	}
	o.longer = true
	if err := writeAll(s.disk, fd, data, o.size); err != nil {
		return err
	}
	if err := s.disk.Sync(fd); err != nil {
		return err
	}
	if o.size == 0 {
		if err := s.disk.Sync(s.own); err != nil {
			return err
		}
	}
	o.size, o.lines, o.longer = o.size+int64(len(data)), o.lines+1, false
	return nil
}

// restore puts the file back to what is in force, durably, after something could not be added.
func (o *overrides) restore() error {
	switch {
	case o.replaced:
		return o.replace(nil)
	case !o.longer:
		return nil
	}
	s := o.store
	fd, err := s.disk.Open(s.own, quotasFile, unix.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer disk.Close(fd)
	if err := s.disk.Truncate(fd, o.size); err != nil {
		return err
	}
	if err := s.disk.Sync(fd); err != nil {
		return err
	}
	o.longer = false
	return nil
}
