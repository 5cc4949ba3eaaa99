// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

const (
	fileShards = 64
	// maxLingering bounds the files that are kept open, closed by their clients with unsynced data in them.
	maxLingering = 512
	// lingerTime is how long such a file waits for a COMMIT before the server syncs it by itself.
	lingerTime = 5 * time.Second
)

// file is what the server knows of a file while it is open, locked, used or lingering.
type file struct {
	handle vfs.Handle
	home   vfs.HomeID

	// refs keeps the file in the table: one for each open state, running operation and place in the linger list.
	refs atomic.Int32

	mu    sync.Mutex
	opens []*openState
	locks lockList // lockNow changes it
	// users counts operations that use descriptors.
	users       int
	descriptors [4]*descriptor // by vfs.Access
	lingers     bool

	// locked is how many locks there are, for who must not wait for mu: it is held while a file is opened.
	locked atomic.Int64
}

// lockNow changes the locks. f.mu is held.
func (f *file) lockNow(locks lockList) {
	f.locks = locks
	f.locked.Store(int64(len(locks)))
}

// descriptor is an open vfs.File that all states and operations on a file share: fsync then reports an error to
// whoever wrote, as no descriptor is closed between the first WRITE and the COMMIT.
type descriptor struct {
	vfs.File
	// written counts unstable writes; synced is what written was before the last Commit began.
	written, synced atomic.Uint64
}

func (d *descriptor) dirty() bool { return d.written.Load() != d.synced.Load() }

// commit syncs what was written. After an error there is nothing left to sync: the kernel has dropped the data, and the
// verifier has changed.
func (d *descriptor) commit(ctx context.Context) (vfs.Verifier, error) {
	before := d.written.Load()
	v, err := d.Commit(ctx)
	for synced := d.synced.Load(); synced < before; synced = d.synced.Load() {
		if d.synced.CompareAndSwap(synced, before) {
			break
		}
	}
	return v, err
}

// fileTable finds files by handle.
type fileTable struct {
	fs     vfs.FS
	seed   maphash.Seed
	shards [fileShards]struct {
		mu    sync.Mutex
		files map[vfs.Handle]*file
	}

	lingerMu  sync.Mutex
	lingering []lingerer // oldest first
}

type lingerer struct {
	file  *file
	since time.Time
}

func newFileTable(fs vfs.FS) *fileTable {
	t := &fileTable{fs: fs, seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].files = map[vfs.Handle]*file{}
	}
	return t
}

func (t *fileTable) shard(h vfs.Handle) int {
	return int(maphash.String(t.seed, string(h)) % fileShards)
}

// get returns the file of a handle, with a reference that put gives back.
func (t *fileTable) get(h vfs.Handle, home vfs.HomeID) *file {
	s := &t.shards[t.shard(h)]
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[h]
	if f == nil {
		f = &file{handle: h, home: home}
		s.files[h] = f
	}
	f.refs.Add(1)
	return f
}

// find is get for a file that is in the table; nil where it is not.
func (t *fileTable) find(h vfs.Handle) *file {
	s := &t.shards[t.shard(h)]
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[h]
	if f != nil {
		f.refs.Add(1)
	}
	return f
}

// locked counts the locks by home.
func (t *fileTable) locked() map[vfs.HomeID]int {
	n := map[vfs.HomeID]int{}
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, f := range s.files {
			if locks := f.locked.Load(); locks > 0 {
				n[f.home] += int(locks)
			}
		}
		s.mu.Unlock()
	}
	return n
}

// put gives a reference back; the last one takes the file out of the table.
func (t *fileTable) put(f *file) {
	if f.refs.Add(-1) > 0 {
		return
	}
	s := &t.shards[t.shard(f.handle)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.refs.Load() == 0 && s.files[f.handle] == f {
		delete(s.files, f.handle)
	}
}

// use returns a descriptor of a file that is good for access, opening one if there is none, and holds all of the
// file's descriptors open until done. The caller holds a reference and has checked permissions.
func (t *fileTable) use(ctx context.Context, f *file, access vfs.Access) (*descriptor, error) {
	f.mu.Lock()
	f.users++
	d := f.descriptor(access)
	f.mu.Unlock()
	if d != nil {
		return d, nil
	}
	opened, err := t.fs.Open(ctx, nil, f.handle, access)
	if err != nil {
		t.done(f)
		return nil, err
	}
	return t.install(f, opened, access), nil
}

// done ends a use.
func (t *fileTable) done(f *file) {
	f.mu.Lock()
	f.users--
	t.idle(f)
}

// install makes an open File one of a file's descriptors. Where there is one already, that is returned instead and
// the File is closed.
func (t *fileTable) install(f *file, opened vfs.File, access vfs.Access) *descriptor {
	f.mu.Lock()
	if d := f.descriptors[access]; d != nil {
		f.mu.Unlock()
		opened.Close()
		return d
	}
	d := &descriptor{File: opened}
	f.descriptors[access] = d
	f.mu.Unlock()
	return d
}

// descriptor returns one that is good for access. f.mu is held.
func (f *file) descriptor(access vfs.Access) *descriptor {
	for has := access; int(has) < len(f.descriptors); has++ {
		if has&access == access && f.descriptors[has] != nil {
			return f.descriptors[has]
		}
	}
	return nil
}

func (f *file) dirty() bool {
	for _, d := range f.descriptors {
		if d != nil && d.dirty() {
			return true
		}
	}
	return false
}

// idle closes what nobody needs any more, or lets it linger while it has unsynced data. f.mu is held; idle unlocks it.
func (t *fileTable) idle(f *file) {
	if len(f.opens) > 0 || f.users > 0 || f.lingers {
		f.mu.Unlock()
		return
	}
	if f.dirty() {
		f.lingers = true
		f.refs.Add(1)
		f.mu.Unlock()
		t.linger(f)
		t.dropUnnamed(context.Background(), f)
		return
	}
	f.closeAll() // they hold nothing unsynced: there is no error to lose
}

// closeAll closes the descriptors. f.mu is held; closeAll unlocks it.
func (f *file) closeAll() {
	closing := f.descriptors
	f.descriptors = [4]*descriptor{}
	f.mu.Unlock()
	for _, d := range closing {
		if d != nil {
			d.Close()
		}
	}
}

// removed is told of a file that a name was taken from.
func (t *fileTable) removed(ctx context.Context, h vfs.Handle) {
	if f := t.find(h); f != nil {
		t.dropUnnamed(ctx, f)
		t.put(f)
	}
}

// dropUnnamed closes a file that lingers where no name of it is left: nobody can read any more what would be synced, and
// until it is closed it takes space that its user has removed. Its place in the list it keeps. The caller holds a reference.
func (t *fileTable) dropUnnamed(ctx context.Context, f *file) {
	f.mu.Lock()
	lingers := f.lingers
	f.mu.Unlock()
	if !lingers {
		return
	}
	attr, err := t.fs.GetAttr(ctx, f.handle)
	if named := err == nil && attr.Nlink > 0; named || err != nil && !errors.Is(err, syscall.ESTALE) {
		return
	}
	f.mu.Lock()
	if len(f.opens) > 0 || f.users > 0 {
		f.mu.Unlock()
		return
	}
	f.closeAll()
}

// linger puts a file on the list. Where the list is full, the oldest is synced first: that is the back pressure on a
// client that writes without ever committing.
func (t *fileTable) linger(f *file) {
	t.lingerMu.Lock()
	t.lingering = append(t.lingering, lingerer{f, time.Now()})
	var oldest *file
	if len(t.lingering) > maxLingering {
		oldest = t.lingering[0].file
		t.lingering = t.lingering[1:]
	}
	t.lingerMu.Unlock()
	if oldest != nil {
		t.settle(oldest)
	}
}

// settleBefore syncs and closes what has lingered since before a time. Returns when none is left.
func (t *fileTable) settleBefore(limit time.Time) {
	for {
		t.lingerMu.Lock()
		if len(t.lingering) == 0 || t.lingering[0].since.After(limit) {
			t.lingerMu.Unlock()
			return
		}
		f := t.lingering[0].file
		t.lingering = t.lingering[1:]
		t.lingerMu.Unlock()
		t.settle(f)
	}
}

// settle syncs a file that has left the linger list. An error has changed the verifier, which tells the client at its
// COMMIT.
func (t *fileTable) settle(f *file) {
	f.mu.Lock()
	f.users++
	f.mu.Unlock()
	t.commit(context.Background(), f) //nolint:errcheck // told by the verifier
	f.mu.Lock()
	f.lingers = false
	f.users--
	t.idle(f)
	t.put(f)
}

// commit syncs all descriptors of a file that were opened for writing. The caller is one of the file's users.
// ok tells whether there was one.
func (t *fileTable) commit(ctx context.Context, f *file) (v vfs.Verifier, ok bool, err error) {
	f.mu.Lock()
	descriptors := f.descriptors
	f.mu.Unlock()
	for access, d := range descriptors {
		if d == nil || vfs.Access(access)&vfs.Write == 0 {
			continue
		}
		verifier, e := d.commit(ctx)
		err = errors.Join(err, e)
		// Where two descriptors answer two verifiers, a loss lies between: answer the later one.
		v, ok = verifier, true
	}
	return v, ok, err
}
