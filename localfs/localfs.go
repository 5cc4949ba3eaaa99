// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package localfs is a vfs.FS on a directory of a Linux file system: hubs in the root, homes in the hubs.
//
// It owns handles that outlive restarts, the change attribute, who may do what, and what is durable when. It makes no
// system call itself (disk does), knows no protocol, and holds nothing between two calls but open Files and what is
// known of inodes that were changed lately.
//
// A client cannot climb out: every name is one component, looked up in a directory's descriptor without following
// links; directories are found by handles that this store has signed; only declared hubs can be seen in the root.
//
// Directories and files of others than the process itself are born outside the tree, and get their name when their owner
// and mode are right: a crash leaves no file that its owner cannot open.
//
// Locks, in the order in which they are taken: stripes (one or two directories, held from the first look at a name to
// the change of it, or one file of any type, from the look at its owner and mode to the change of them; never over a
// sync), changes.shards. groups.mu stands alone.
package localfs

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// Options are what an FS is made of.
type Options struct {
	Disk *disk.Disk
	// Root is the store's directory, open for reading. The FS does not close it.
	Root int
	// Nursery is a directory of the same file system that no client sees, open for reading: what is in it when New is
	// called is garbage. The FS does not close it.
	Nursery int
	// Key signs handles: 16 bytes or more that nobody else knows, the same for as long as the store exists.
	Key []byte
}

// Owner is to whom new homes of a hub belong.
type Owner struct{ UID, GID uint32 }

// Hub is a hub that clients may see: its directory's name in the root, which is there, and the owner of its homes.
type Hub struct {
	Name  string
	Homes Owner
}

// FS implements vfs.FS.
type FS struct {
	disk     *disk.Disk
	root     int
	nursery  int
	dev      uint64
	rootFile inode
	signer   signer
	changes  *changes
	groups   groups
	stripes  stripes
	uid, gid uint32 // of the process
	hubs     atomic.Pointer[hubTable]
	verifier atomic.Pointer[vfs.Verifier]
	setIDs   atomic.Uint64 // set-id bits that were set: see file.killSetID
	born     atomic.Uint64 // names in the nursery
}

var _ vfs.FS = (*FS)(nil)

// HandleError says why a directory cannot be a store: its file system or the process cannot open files by handle.
type HandleError struct{ Err error }

// Error says what is missing and what to do.
func (e *HandleError) Error() string {
	switch e.Err {
	case syscall.EPERM:
		return "opening files by handle is not permitted: run as root or with the capability CAP_DAC_READ_SEARCH"
	case syscall.EOPNOTSUPP, syscall.EOVERFLOW:
		return "its file system gives files no handles, or none that fit: use ext4, XFS or Btrfs"
	}
	return fmt.Sprintf("opening files by handle: %v", e.Err)
}

// Unwrap returns the error of the system call.
func (e *HandleError) Unwrap() error { return e.Err }

// New returns an FS without hubs. It sets the process's umask to 0. A *HandleError says that the directory cannot be a
// store.
func New(o Options) (*FS, error) {
	disk.Umask()
	f := &FS{disk: o.Disk, root: o.Root, nursery: o.Nursery, signer: newSigner(o.Key)}
	f.uid, f.gid = disk.Self()
	f.hubs.Store(&hubTable{})
	f.loseUnsynced()
	var st disk.Stat
	if err := f.disk.Stat(o.Root, disk.Here, &st); err != nil {
		return nil, fmt.Errorf("look at the store's directory: %w", err)
	}
	f.dev = device(&st)
	kernel, _, err := f.disk.AppendHandle(nil, o.Root, disk.Here)
	if err != nil {
		return nil, &HandleError{err}
	}
	f.rootFile = inode{level: levelRoot, kernel: string(kernel)}
	if len(f.signer.seal(&f.rootFile)) >= vfs.MaxHandle { // a server may want a byte of its own
		return nil, &HandleError{syscall.EOVERFLOW}
	}
	fd, err := f.disk.OpenHandle(o.Root, f.rootFile.kernel, unix.O_PATH)
	if err != nil {
		return nil, &HandleError{err}
	}
	disk.Close(fd)
	if err := f.sweep(); err != nil {
		return nil, fmt.Errorf("clear the nursery: %w", err)
	}
	f.changes, err = newChanges(f)
	if err != nil {
		return nil, fmt.Errorf("probe time stamps: %w", err)
	}
	return f, nil
}

// SetHubs makes exactly these hubs visible. Their directories must be there. Files that are open stay open.
func (f *FS) SetHubs(hubs []Hub) error {
	t := &hubTable{byName: map[string]*hub{}, byID: map[uint64]*hub{}}
	for _, h := range hubs {
		var st disk.Stat
		if err := f.disk.Stat(f.root, h.Name, &st); err != nil {
			return fmt.Errorf("look at hub directory %q: %w", h.Name, err)
		}
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			return fmt.Errorf("hub directory %q: %w", h.Name, syscall.ENOTDIR)
		}
		if device(&st) != f.dev {
			return fmt.Errorf("hub directory %q is another file system: %w", h.Name, syscall.EXDEV)
		}
		entry := &hub{name: h.Name, id: st.Ino, homes: h.Homes}
		t.byName[h.Name], t.byID[st.Ino] = entry, entry
	}
	f.hubs.Store(t)
	return nil
}

type hub struct {
	name  string
	id    uint64 // the inode number of its directory
	homes Owner
}

// hubTable is the hubs that clients see. It does not change.
type hubTable struct {
	byName map[string]*hub
	byID   map[uint64]*hub
}

// loseUnsynced says that unsynced data may be lost: who has written some must write it again.
func (f *FS) loseUnsynced() {
	v := new(vfs.Verifier)
	rand.Read(v[:])
	f.verifier.Store(v)
}

// sync syncs a file or directory for its hub, together with whoever else wants it synced. It returns the verifier of what was synced.
// Syncs of one file run one after the other, each with the verifier of its beginning: where one has failed, the next
// cannot succeed with the verifier from before, although the kernel then has nothing more to complain of.
func (f *FS) sync(n *inode, fd int) (vfs.Verifier, error) {
	return f.groups.do(n.kernel, func() (vfs.Verifier, error) {
		v := *f.verifier.Load()
		err := f.disk.SyncFor(fd, n.hub)
		if err != nil {
			f.loseUnsynced()
			v = *f.verifier.Load()
		}
		return v, err
	})
}

// Root returns the root directory's handle.
func (f *FS) Root(context.Context) (vfs.Handle, error) { return f.signer.seal(&f.rootFile), nil }

// Home tells which home a handle's file belongs to: the inode number of the home's directory, or of the hub's for what is
// in no home.
func (f *FS) Home(h vfs.Handle) (vfs.HomeID, error) {
	n, err := f.signer.open(h)
	if err != nil {
		return 0, err
	}
	return n.homeID(), nil
}

// StatFS returns the space of the whole file system.
func (f *FS) StatFS(_ context.Context, h vfs.Handle) (vfs.StatFS, error) {
	n, err := f.open(h)
	if err != nil {
		return vfs.StatFS{}, err
	}
	defer n.close()
	st, err := f.disk.StatFS(f.root)
	if err != nil {
		return vfs.StatFS{}, err
	}
	unit := uint64(st.Frsize)
	if unit == 0 {
		unit = uint64(st.Bsize)
	}
	return vfs.StatFS{
		TotalBytes: st.Blocks * unit, FreeBytes: st.Bfree * unit, AvailBytes: st.Bavail * unit,
		TotalFiles: st.Files, FreeFiles: st.Ffree, AvailFiles: st.Ffree,
	}, nil
}

func device(st *disk.Stat) uint64 { return unix.Mkdev(st.Dev_major, st.Dev_minor) }

func timeOf(t unix.StatxTimestamp) time.Time { return time.Unix(t.Sec, int64(t.Nsec)) }

// birthOf is when a file was made, where the file system keeps that.
func birthOf(st *disk.Stat) time.Time {
	if st.Mask&unix.STATX_BTIME == 0 {
		return time.Time{}
	}
	return timeOf(st.Btime)
}
