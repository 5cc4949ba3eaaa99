// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"fmt"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
)

// The change attribute (design/change-attribute.md). An inode at rest has its ctime plus settle. Where the kernel's time
// stamps are too coarse to tell two changes apart, inodes that were changed lately have a value of their own in memory,
// which stays below that.
const (
	settle = 1 << 25 // nanoseconds: longer than a clock tick
	tick   = 10 * time.Millisecond
	// rest is how long an inode must not have been changed to be at rest.
	rest = time.Second
)

// atRest is the change attribute of an inode at rest.
func atRest(st *disk.Stat) uint64 {
	return uint64(st.Ctime.Sec*int64(time.Second)+int64(st.Ctime.Nsec)) + settle
}

func ctime(st *disk.Stat) uint64 { return atRest(st) - settle }

// changes knows the inodes that were changed lately.
type changes struct {
	// fine: the kernel gives no two changes that somebody could tell apart the same ctime (multigrain time stamps, Linux
	// 6.13). There is nothing to remember then, and every inode is at rest.
	fine   bool
	shards [256]changeShard
}

type changeShard struct {
	mu    sync.Mutex
	hot   map[uint64]*hotInode
	swept time.Time
}

// hotInode is an inode that was changed lately, or is being changed.
type hotInode struct {
	value   uint64
	pending int
	last    time.Time // of the last change; wall clock, as ctime is
}

func (c *changes) shard(ino uint64) *changeShard {
	return &c.shards[(ino*0x9e3779b97f4a7c15)>>56]
}

// hot tells whether an inode's value is in memory.
func (c *changes) hot(ino uint64) bool {
	if c.fine {
		return false
	}
	s := c.shard(ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hot[ino] != nil
}

// look describes an open file and returns its change attribute, both of one moment.
func (f *FS) look(fd int, st *disk.Stat) (uint64, error) {
	if err := f.disk.Stat(fd, disk.Here, st); err != nil {
		return 0, err
	}
	if f.changes == nil || f.changes.fine {
		return atRest(st), nil
	}
	s := f.changes.shard(st.Ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hot[st.Ino]
	if h == nil {
		// Nothing was changed for a second, or since the look: what is being changed is hot from before the change.
		return atRest(st), nil
	}
	// Once more, with no change getting its value meanwhile: an old size must not come with a new value.
	if err := f.disk.Stat(fd, disk.Here, st); err != nil {
		return 0, err
	}
	if c := ctime(st); c > h.value {
		h.value, h.last = c, time.Now()
	}
	return h.value, nil
}

// changing says that the inode of an open file is about to be changed. changed must follow, whatever comes of it.
func (f *FS) changing(fd int, ino uint64) error {
	if f.changes.fine {
		return nil
	}
	var st disk.Stat
	if err := f.disk.Stat(fd, disk.Here, &st); err != nil {
		return err
	}
	s := f.changes.shard(ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hot[ino]
	if h == nil {
		h = &hotInode{value: atRest(&st)}
		s.put(ino, h)
	}
	h.pending++
	return nil
}

// bearing says that an open inode is new, and has no name yet: nobody has seen it at rest. What comes next may get the
// same ctime as its birth.
func (f *FS) bearing(fd int) error {
	if f.changes.fine {
		return nil
	}
	var st disk.Stat
	if err := f.disk.Stat(fd, disk.Here, &st); err != nil {
		return err
	}
	s := f.changes.shard(st.Ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(st.Ino, &hotInode{value: ctime(&st), last: time.Now()})
	return nil
}

func (s *changeShard) put(ino uint64, h *hotInode) {
	s.sweep()
	if s.hot == nil {
		s.hot = map[uint64]*hotInode{}
	}
	s.hot[ino] = h
}

// changed gives an inode that was changed a value of its own: greater than any that was seen, and no smaller than its
// ctime, so that who looked before the change and who looks after it see two values.
func (f *FS) changed(ino uint64) {
	if f.changes.fine {
		return
	}
	s := f.changes.shard(ino)
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hot[ino]
	if h == nil {
		return // changing has failed
	}
	h.pending--
	h.last = time.Now()
	h.value = max(h.value, uint64(h.last.UnixNano())) + 1
}

// sweep forgets inodes at rest. A value that is ahead of what the inode has at rest, as after the clock was set back,
// is kept.
func (s *changeShard) sweep() {
	now := time.Now()
	if now.Sub(s.swept) < rest {
		return
	}
	s.swept = now
	for ino, h := range s.hot {
		if h.pending == 0 && now.Sub(h.last) > rest && h.value < uint64(h.last.Add(settle-2*tick).UnixNano()) {
			delete(s.hot, ino)
		}
	}
}

// newChanges finds out how fine the kernel's time stamps are. Where they are coarse, or the disk is too full to find out, it
// waits until every inode is at rest.
func newChanges(f *FS) (*changes, error) {
	fine, err := f.fineTimes()
	if err == syscall.ENOSPC || err == syscall.EDQUOT {
		fine, err = false, nil
	}
	if err != nil {
		return nil, err
	}
	if !fine {
		time.Sleep(settle)
	}
	return &changes{fine: fine}, nil
}

// fineTimes tells whether no two changes that somebody could tell apart get the same time. What no store can lie on is an
// error.
func (f *FS) fineTimes() (bool, error) {
	fd, err := f.disk.OpenTemporary(f.nursery, 0o600)
	if err == syscall.EOPNOTSUPP || err == syscall.EISDIR {
		return false, fmt.Errorf("%w: its file system makes no files without a name: use ext4, XFS or Btrfs", syscall.EOPNOTSUPP)
	}
	if err != nil {
		return false, err
	}
	defer disk.Close(fd)
	if err := f.probeFractions(fd); err != nil {
		return false, err
	}
	fine, err := f.probe(fd, func(i int) error {
		_, err := f.disk.Write(fd, []byte{byte(i)}, 0)
		return err
	})
	if err != nil || !fine {
		return false, err
	}
	return f.probeNames(fd)
}

// probeNames is probe for a directory: tmpfs, for one, has finer times for data than for names.
func (f *FS) probeNames(fd int) (fine bool, err error) {
	const stays, goes = "time-probe", "time-probe-2" // no numbers, as other names here are
	if err := f.disk.LinkFile(fd, f.nursery, stays); err != nil {
		return false, err
	}
	fine, err = f.probe(f.nursery, func(i int) error {
		if i%2 == 0 {
			return f.disk.LinkFile(fd, f.nursery, goes)
		}
		return f.disk.Unlink(f.nursery, goes, 0)
	})
	f.discard(f.nursery, goes)
	f.discard(f.nursery, stays)
	return fine, err
}

// probeFractions answers an error where a file system does not keep fractions of a second: changes that are seconds apart
// could not be told apart after a restart.
func (f *FS) probeFractions(fd int) error {
	late := unix.Timespec{Sec: 1, Nsec: int64(time.Second - 1)}
	if err := f.disk.Times(fd, disk.Here, late, late); err != nil {
		return err
	}
	var st disk.Stat
	if err := f.disk.Stat(fd, disk.Here, &st); err != nil {
		return err
	}
	if time.Duration(st.Mtime.Nsec) < time.Second-time.Millisecond {
		return fmt.Errorf("%w: its file system keeps times as whole seconds: on ext4, make its inodes larger with tune2fs -I 256", syscall.EOPNOTSUPP)
	}
	return nil
}

// probe changes an open file again and again, looking after each change, and tells whether no two changes got the same
// time. That the machine was slow must not pass for that: two of them must be closer than clock ticks ever are.
func (f *FS) probe(fd int, change func(i int) error) (fine bool, err error) {
	const (
		changes = 32
		close   = uint64(500 * time.Microsecond)
	)
	last := uint64(0)
	for i := range changes {
		if err := change(i); err != nil {
			return false, err
		}
		var st disk.Stat
		if err := f.disk.Stat(fd, disk.Here, &st); err != nil {
			return false, err
		}
		now := ctime(&st)
		if now <= last {
			return false, nil
		}
		fine = fine || now-last < close
		last = now
	}
	return fine, nil
}

// utimeNow and utimeOmit are the special times of utimensat(2).
var (
	utimeNow  = unix.Timespec{Nsec: unix.UTIME_NOW}
	utimeOmit = unix.Timespec{Nsec: unix.UTIME_OMIT}
)
