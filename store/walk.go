// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// restTime is how long ago a file must have been changed for what it takes to be its own: XFS gives back within that time
// what it took in advance.
const restTime = 10 * time.Minute

// walkers is how many directories of a home are read at one time.
func walkers() int { return max(2, min(8, runtime.GOMAXPROCS(0))) }

// walk goes through one home for a count. What there is to do it keeps as kernel handles of directories: they stay right
// while the directories are moved, and take no descriptors.
type walk struct {
	s     *Store
	count *quota.Count
	now   int64 // in nanoseconds
	// hub and home are the inode numbers of their directories; home is 0 for what lies in the hub's directory.
	hub, home uint64

	mu   sync.Mutex
	wake *sync.Cond
	dirs []string // yet to be read
	busy int      // walkers that read one
	err  error    // why nobody is to read on
	over atomic.Bool
	// missing is how much could not be read and was passed over, and why the first of it.
	missing unreadError
}

// unreadError says that something in a home could not be read. All else was.
type unreadError struct {
	n     uint64 // files and directories
	first error
}

func (e *unreadError) Error() string {
	if e.n == 1 {
		return e.first.Error()
	}
	return fmt.Sprintf("%v; and %d more cannot be read", e.first, e.n-1)
}

func (e *unreadError) Unwrap() error { return e.first }

// errMoved says that a home is not where it was any more.
var errMoved = errors.New("the home's directory is gone or has moved")

// errOverrun says that so much happens in a home that it cannot be counted meanwhile.
var errOverrun = errors.New("more files were made or moved in it while it was counted than are remembered")

// moved tells of a home's directory that cannot be opened whether it is there at all.
func moved(err error) error {
	if gone(err) || err == syscall.ENOTDIR || err == syscall.ELOOP {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	return fmt.Errorf("open its directory: %w", err)
}

// tally counts a home from its directory down. The count is neither done nor cancelled when it returns. What cannot be read is
// passed over: an *unreadError.
func (s *Store) tally(ctx context.Context, c *quota.Count) error {
	hubName, name, hub, id := c.Where()
	w := &walk{s: s, count: c, now: time.Now().UnixNano(), hub: uint64(hub)}
	w.wake = sync.NewCond(&w.mu)
	fd, err := s.disk.Open(s.root, string(hubName), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return moved(err)
	}
	defer disk.Close(fd)
	if name != "" {
		w.home = uint64(id)
		dir, err := s.disk.Open(fd, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			return moved(err)
		}
		defer disk.Close(dir)
		fd = dir
	}
	var st disk.Stat
	if err := s.disk.Stat(fd, disk.Here, &st); err != nil {
		return err
	}
	if st.Ino != uint64(id) {
		return errMoved
	}
	kernel, _, err := s.disk.AppendHandle(nil, fd, disk.Here)
	if err != nil {
		return err
	}
	if err := w.visit(string(kernel)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { w.fail(ctx.Err()) })
	defer stop()
	return w.run(ctx)
}

// run walks until there is nothing left to visit, and no operation runs that could have hidden something.
func (w *walk) run(ctx context.Context) error {
	for !w.count.Drained() {
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	for {
		if w.count.Overrun() {
			return errOverrun
		}
		var wg sync.WaitGroup
		for range walkers() {
			wg.Go(w.work)
		}
		wg.Wait()
		w.mu.Lock()
		err := w.err
		w.mu.Unlock()
		if err != nil {
			return err
		}
		moved := w.count.Moved()
		if len(moved) == 0 {
			if err := w.quiet(ctx); err != nil {
				return err
			}
			if moved = w.count.Moved(); len(moved) == 0 && !w.count.Overrun() {
				return w.unread()
			}
			w.count.Resume()
		}
		for _, h := range moved {
			kernel, err := w.s.fs.Kernel(h)
			if err != nil {
				return err
			}
			if err := w.visit(kernel); err != nil {
				w.miss(kernel, "", err)
			}
		}
	}
}

// quiet waits until no operation runs that makes or removes a name, and none begins: they wait meanwhile. One that takes long
// (a large file is removed) must not have all others wait: after a second they go on, for a while, and it is tried again.
func (w *walk) quiet(ctx context.Context) error {
	const patience, most = time.Second, 30
	for range most {
		for until := time.Now().Add(patience); time.Now().Before(until); {
			if w.count.Quiet() {
				return nil
			}
			if err := sleep(ctx, 100*time.Microsecond); err != nil {
				return err
			}
		}
		w.count.Resume()
		if err := sleep(ctx, patience); err != nil {
			return err
		}
	}
	return errors.New("something in it is being made or removed all the time")
}

// sleep waits for a time, or until ctx ends, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// fail ends the walk.
func (w *walk) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.over.Store(true)
	w.wake.Broadcast()
}

// miss passes over what cannot be read: a directory, by its kernel handle, or what has a name in it.
func (w *walk) miss(kernel, name string, err error) {
	w.mu.Lock()
	w.missing.n++
	first := w.missing.n == 1
	w.mu.Unlock()
	if !first {
		return
	}
	err = fmt.Errorf("read %s: %w", w.s.place(kernel, name), err)
	w.mu.Lock()
	w.missing.first = err
	w.mu.Unlock()
}

// unread is what was passed over. Nobody walks any more.
func (w *walk) unread() error {
	if w.missing.n == 0 {
		return nil
	}
	return &w.missing
}

// place names what has a kernel handle, or a name in the directory that has: its path in the store, quoted, where the kernel
// knows it.
func (s *Store) place(kernel, name string) string {
	fd, err := s.disk.OpenHandle(s.root, kernel, unix.O_PATH|unix.O_NOFOLLOW)
	if err == nil {
		defer disk.Close(fd)
		root, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(s.root))
		at, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if path, err := filepath.Rel(root, filepath.Join(at, name)); err == nil {
			return strconv.Quote(path)
		}
	}
	if name != "" {
		return strconv.Quote(name)
	}
	return "a directory"
}

// gone tells whether a file that was listed has been removed meanwhile.
func gone(err error) bool { return err == syscall.ENOENT || err == syscall.ESTALE }

// visit visits what a kernel handle is of.
func (w *walk) visit(kernel string) error {
	fd, err := w.s.disk.OpenHandle(w.s.root, kernel, unix.O_PATH|unix.O_NOFOLLOW)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer disk.Close(fd)
	var st disk.Stat
	if err := w.s.disk.Stat(fd, disk.Here, &st); err != nil {
		return err
	}
	err = w.count.Visit(st.Ino, func() (quota.Found, error) {
		if err := w.s.disk.Stat(fd, disk.Here, &st); err != nil {
			return quota.Found{}, err
		}
		if st.Nlink == 0 {
			return quota.Found{}, syscall.ESTALE
		}
		return w.see(&st, func() (string, error) { return kernel, nil })
	})
	switch {
	case gone(err):
		return nil
	case err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && w.count.Enter(st.Ino):
		w.push([]string{kernel})
	}
	return err
}

// typeOf is a type that matters to a count. What else there is takes what it takes.
func typeOf(st *disk.Stat) vfs.Type {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return vfs.Regular
	case unix.S_IFDIR:
		return vfs.Directory
	}
	return 0
}

// nanoseconds is a time of a file.
func nanoseconds(t unix.StatxTimestamp) int64 { return t.Sec*int64(time.Second) + int64(t.Nsec) }

// see describes a file to the count. It asks for its handle where the count, or the walk, needs it.
func (w *walk) see(st *disk.Stat, kernel func() (string, error)) (f quota.Found, err error) {
	changed := nanoseconds(st.Ctime)
	f = quota.Found{
		Number: st.Ino, Type: typeOf(st), Used: st.Blocks * 512, Size: st.Size, Birth: birthOf(st), Written: changed,
	}
	if st.Mtime.Sec <= st.Ctime.Sec { // else somebody has set another time
		f.Written = min(changed, nanoseconds(st.Mtime))
	}
	if f.Type == vfs.Regular {
		f.Recent = !f.Exact() && w.now-changed < int64(restTime)
	}
	if f.Type != vfs.Directory && !f.Recent && !w.count.Young(f.Birth) {
		return f, nil
	}
	k, err := kernel()
	f.Handle = w.s.fs.HandleOf(w.hub, w.home, st.Ino, k)
	return f, err
}

// push puts directories on the list.
func (w *walk) push(dirs []string) {
	if len(dirs) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dirs = append(w.dirs, dirs...)
	w.wake.Broadcast()
}

// work reads directories until there are none left and nobody reads one.
func (w *walk) work() {
	buf := make([]byte, 64<<10)
	for {
		w.mu.Lock()
		for len(w.dirs) == 0 && w.busy > 0 && w.err == nil {
			w.wake.Wait()
		}
		if len(w.dirs) == 0 || w.err != nil {
			w.mu.Unlock()
			return
		}
		last := len(w.dirs) - 1 // depth first: the list stays short
		dir := w.dirs[last]
		w.dirs = w.dirs[:last]
		w.busy++
		w.mu.Unlock()
		w.read(dir, buf)
		if w.count.Overrun() {
			w.fail(errOverrun)
		}
		w.mu.Lock()
		w.busy--
		if w.busy == 0 {
			w.wake.Broadcast()
		}
		w.mu.Unlock()
	}
}

// read visits all that is in a directory.
func (w *walk) read(kernel string, buf []byte) {
	d := w.s.disk
	fd, err := d.OpenHandle(w.s.root, kernel, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if gone(err) {
		return
	}
	if err != nil {
		w.miss(kernel, "", err)
		return
	}
	defer disk.Close(fd)
	var (
		dirs  []string
		st    disk.Stat
		entry *disk.Name
		last  string // the kernel's handle of what was looked at
	)
	handle := func() (string, error) {
		k, _, err := d.AppendHandle(nil, fd, string(entry.Name))
		last = string(k)
		return last, err
	}
	look := func() (quota.Found, error) {
		for {
			if err := d.StatEntry(fd, entry, &st); err != nil {
				return quota.Found{}, err
			}
			if !w.s.fs.Ours(&st) {
				return quota.Found{}, syscall.ENOENT // another file system is mounted there
			}
			if w.home == 0 && st.Mode&unix.S_IFMT == unix.S_IFDIR {
				return quota.Found{}, syscall.ENOENT // a home
			}
			f, err := w.see(&st, handle)
			if err != nil || f.Handle == "" {
				return f, err
			}
			// The handle must be of the file that was described, and not of one that got its name between the two.
			var now disk.Stat
			if err := d.StatEntry(fd, entry, &now); err != nil {
				return f, err
			}
			if now.Ino == st.Ino && now.Btime == st.Btime {
				return f, nil
			}
		}
	}
	_, err = d.ReadDir(fd, 0, buf, func(n *disk.Name) bool {
		entry = n
		switch err := w.count.Visit(n.Ino, look); {
		case gone(err):
		case err != nil:
			w.miss(kernel, string(n.Name), err)
		case st.Mode&unix.S_IFMT == unix.S_IFDIR && w.count.Enter(st.Ino):
			dirs = append(dirs, last)
		}
		if len(dirs) >= 64 {
			w.push(dirs)
			dirs = nil
		}
		return !w.over.Load()
	})
	w.push(dirs)
	if err != nil && !gone(err) {
		w.miss(kernel, "", err)
	}
}
