// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// level is where in the tree a file is.
type level uint8

const (
	levelRoot  level = iota + 1
	levelHub         // a hub's directory
	levelLoose       // a file in a hub's directory that is no directory
	levelHome        // a home's directory
	levelFile        // in a home
)

// inode is what a handle says.
type inode struct {
	level  level
	hub    uint64 // the inode number of the hub's directory
	home   uint64 // the inode number of the home's directory
	kernel string // the kernel's own handle
}

// homeID is the home that an inode's file belongs to. What is in a hub's directory and in no home belongs to the hub.
func (n *inode) homeID() vfs.HomeID {
	if n.home != 0 {
		return vfs.HomeID(n.home)
	}
	return vfs.HomeID(n.hub)
}

// child returns the level, hub and home of a file in a directory, from its type and inode number.
func (n *inode) child(directory bool, ino uint64) inode {
	switch {
	case n.level == levelRoot:
		return inode{level: levelHub, hub: ino}
	case n.level == levelHub && directory:
		return inode{level: levelHome, hub: n.hub, home: ino}
	case n.level == levelHub:
		return inode{level: levelLoose, hub: n.hub}
	}
	return inode{level: levelFile, hub: n.hub, home: n.home}
}

// The layout of a handle: version, level, MAC, hub and home in big-endian order, the kernel's handle.
const (
	handleVersion = 1
	macAt         = 2
	macSize       = 16
	hubAt         = macAt + macSize
	homeAt        = hubAt + 8
	kernelAt      = homeAt + 8
)

// signer makes handles that nobody else can make. It may be used concurrently.
type signer struct {
	macs *sync.Pool
}

func newSigner(key []byte) signer {
	return signer{&sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// mac is a handle's signature: of all of it but the signature.
func (s signer) mac(h []byte) (sum [macSize]byte) {
	m := s.macs.Get().(hash.Hash)
	defer s.macs.Put(m)
	m.Reset()
	m.Write(h[:macAt])
	m.Write(h[hubAt:])
	var full [sha256.Size]byte
	m.Sum(full[:0])
	copy(sum[:], full[:])
	return sum
}

// seal makes an inode's handle.
func (s signer) seal(n *inode) vfs.Handle {
	var room [vfs.MaxHandle]byte
	h := append(room[:0], handleVersion, byte(n.level))
	h = append(h, make([]byte, macSize)...)
	h = binary.BigEndian.AppendUint64(h, n.hub)
	h = binary.BigEndian.AppendUint64(h, n.home)
	h = append(h, n.kernel...)
	sum := s.mac(h)
	copy(h[macAt:], sum[:])
	return vfs.Handle(h)
}

// open reads a handle: EBADF where this store has not made it.
func (s signer) open(h vfs.Handle) (inode, error) {
	var room [vfs.MaxHandle]byte
	if len(h) < kernelAt || len(h) > len(room) || h[0] != handleVersion {
		return inode{}, syscall.EBADF
	}
	b := append(room[:0], h...)
	sum := s.mac(b)
	if !hmac.Equal(sum[:], b[macAt:hubAt]) {
		return inode{}, syscall.EBADF
	}
	return inode{
		level:  level(b[1]),
		hub:    binary.BigEndian.Uint64(b[hubAt:]),
		home:   binary.BigEndian.Uint64(b[homeAt:]),
		kernel: string(h[kernelAt:]),
	}, nil
}

// HandleOf returns the handle of a file by the inode numbers of its hub's directory, its home's (0: it is in none) and its own,
// and the kernel's own handle: what somebody found who went through the directories by itself.
func (f *FS) HandleOf(hub, home, number uint64, kernel string) vfs.Handle {
	n := inode{level: levelFile, hub: hub, home: home, kernel: kernel}
	switch number {
	case home:
		n.level = levelHome
	case hub:
		n.level = levelHub
	default:
		if home == 0 {
			n.level = levelLoose
		}
	}
	return f.signer.seal(&n)
}

// Kernel returns the kernel's own handle of what a handle names. EBADF for a malformed or foreign handle.
func (f *FS) Kernel(h vfs.Handle) (string, error) {
	n, err := f.signer.open(h)
	return n.kernel, err
}

// resolve reads a handle of a file that clients may see: ESTALE where its hub is not declared any more.
func (f *FS) resolve(h vfs.Handle) (inode, error) {
	n, err := f.signer.open(h)
	if err != nil {
		return inode{}, err
	}
	if n.level != levelRoot && f.hubs.Load().byID[n.hub] == nil {
		return inode{}, syscall.ESTALE
	}
	return n, nil
}

// node is an inode that is open for a few system calls.
type node struct {
	inode
	handle vfs.Handle
	fd     int
	st     disk.Stat
	change uint64
}

func (n *node) close() { disk.Close(n.fd) }

// attr returns the node's attributes.
func (n *node) attr() vfs.Attr { return attrOf(&n.inode, &n.st, n.change) }

// isDir tells whether the node is a directory.
func (n *node) isDir() bool { return isDir(&n.st) }

func isDir(st *disk.Stat) bool { return st.Mode&unix.S_IFMT == unix.S_IFDIR }

// open opens a handle's file with O_PATH and looks at it. The node is the caller's to close.
func (f *FS) open(h vfs.Handle) (*node, error) { return f.openAs(h, unix.O_PATH|unix.O_NOFOLLOW) }

// openDir opens a handle's directory for reading and looks at it: ENOTDIR for anything else.
func (f *FS) openDir(h vfs.Handle) (*node, error) {
	return f.openAs(h, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
}

func (f *FS) openAs(h vfs.Handle, flags int) (*node, error) {
	in, err := f.resolve(h)
	if err != nil {
		return nil, err
	}
	n := &node{inode: in, handle: h}
	if n.fd, err = f.disk.OpenHandle(f.root, n.kernel, flags); err != nil {
		return nil, err
	}
	if err = f.refresh(n); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// refresh looks at a node: ESTALE for a directory that was removed, and is in memory for as long as a file that was in it
// is open.
func (f *FS) refresh(n *node) (err error) {
	n.change, err = f.look(n.fd, &n.st)
	if err == nil && n.isDir() && n.st.Nlink == 0 {
		return syscall.ESTALE
	}
	return err
}

// entry returns the handle and attributes of a name in a directory.
func (f *FS) entry(dir *node, name string) (vfs.Entry, error) {
	if dir.level == levelRoot && f.hubs.Load().byName[name] == nil {
		return vfs.Entry{}, syscall.ENOENT
	}
	var room [64]byte
	kernel, _, err := f.disk.AppendHandle(room[:0], dir.fd, name)
	if err != nil {
		return vfs.Entry{}, err
	}
	var st disk.Stat
	if err := f.disk.Stat(dir.fd, name, &st); err != nil {
		return vfs.Entry{}, err
	}
	if !handleHas(kernel, st.Ino) || f.changes.hot(st.Ino) {
		return f.entrySlowly(dir, name)
	}
	if !f.ours(&st) {
		return vfs.Entry{}, syscall.EACCES
	}
	return f.entryOf(&dir.inode, kernel, &st, atRest(&st)), nil
}

// entrySlowly is entry where it is not sure that handle and attributes are of one file, at one moment: the name may have
// changed hands between the two calls. Here it cannot.
func (f *FS) entrySlowly(dir *node, name string) (vfs.Entry, error) {
	fd, err := f.disk.Open(dir.fd, name, unix.O_PATH, 0)
	if err != nil {
		return vfs.Entry{}, err
	}
	defer disk.Close(fd)
	return f.entryAt(&dir.inode, fd)
}

// entryAt returns the handle and attributes of an open file in a directory.
func (f *FS) entryAt(dir *inode, fd int) (vfs.Entry, error) {
	var st disk.Stat
	change, err := f.look(fd, &st)
	if err != nil {
		return vfs.Entry{}, err
	}
	if !f.ours(&st) {
		return vfs.Entry{}, syscall.EACCES
	}
	var room [64]byte
	kernel, _, err := f.disk.AppendHandle(room[:0], fd, disk.Here)
	if err != nil {
		return vfs.Entry{}, err
	}
	return f.entryOf(dir, kernel, &st, change), nil
}

func (f *FS) entryOf(dir *inode, kernel []byte, st *disk.Stat, change uint64) vfs.Entry {
	n := dir.child(isDir(st), st.Ino)
	n.kernel = string(kernel)
	return vfs.Entry{Handle: f.signer.seal(&n), Attr: attrOf(&n, st, change)}
}

// Ours tells whether a file is on the store's own file system and not on one that is mounted over it.
func (f *FS) Ours(st *disk.Stat) bool { return f.ours(st) }

// ours tells whether a file is on the store's own file system and not on one that is mounted over it.
func (f *FS) ours(st *disk.Stat) bool {
	return device(st) == f.dev && st.Attributes&st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT == 0
}

// handleHas tells whether a kernel's handle is surely of an inode: the usual types have its number in their first or
// second word. Should another inode's handle pass, it is one whose number was given away between two system calls, and
// so is stale: the handle is asked for before the attributes.
func handleHas(kernel []byte, ino uint64) bool {
	const words = 4 // after the type
	low := uint32(ino)
	return len(kernel) >= words+4 && binary.LittleEndian.Uint32(kernel[words:]) == low ||
		len(kernel) >= words+8 && binary.LittleEndian.Uint32(kernel[words+4:]) == low
}
