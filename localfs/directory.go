// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// Lookup finds a name in a directory.
func (f *FS) Lookup(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	d, err := f.open(dir)
	if err != nil {
		return vfs.Entry{}, err
	}
	defer d.close()
	if err := f.maySearch(c, d); err != nil {
		return vfs.Entry{}, err
	}
	if err := vfs.CheckName(name); err != nil {
		return vfs.Entry{}, err
	}
	return f.entry(d, name)
}

func (f *FS) maySearch(c *vfs.Caller, d *node) error {
	if !d.isDir() {
		return syscall.ENOTDIR
	}
	a := d.attr()
	return vfs.Permit(c, &a, vfs.MayExec)
}

// Parent returns the directory that a directory is in. The directory above a hub's is the root, and above the root is
// nothing. ESTALE where somebody has moved the directory, on the disk, out of its home: what is above it there is not for
// clients to see.
func (f *FS) Parent(_ context.Context, c *vfs.Caller, dir vfs.Handle) (vfs.Entry, error) {
	d, err := f.open(dir)
	if err != nil {
		return vfs.Entry{}, err
	}
	defer d.close()
	if err := f.maySearch(c, d); err != nil {
		return vfs.Entry{}, err
	}
	if d.level == levelRoot {
		return vfs.Entry{}, syscall.ENOENT
	}
	fd, err := f.above(d.fd)
	if err != nil {
		return vfs.Entry{}, err
	}
	defer disk.Close(fd)
	var st disk.Stat
	change, err := f.look(fd, &st)
	if err != nil {
		return vfs.Entry{}, err
	}
	kernel, _, err := f.disk.AppendHandle(nil, fd, disk.Here)
	if err != nil {
		return vfs.Entry{}, err
	}
	up := inode{level: levelFile, hub: d.hub, home: d.home, kernel: string(kernel)}
	inside := f.ours(&st)
	switch {
	case d.level == levelHub:
		up.level, up.hub = levelRoot, 0
		inside = up == f.rootFile
	case d.level == levelHome:
		up.level, up.home = levelHub, 0
		inside = inside && st.Ino == d.hub
	case st.Ino == d.home:
		up.level = levelHome
	default:
		if inside, err = f.below(fd, d.home); err != nil {
			return vfs.Entry{}, err
		}
	}
	if !inside {
		return vfs.Entry{}, syscall.ESTALE
	}
	return vfs.Entry{Handle: f.signer.seal(&up), Attr: attrOf(&up, &st, change)}, nil
}

// above opens the directory that an open directory is in.
func (f *FS) above(fd int) (int, error) {
	return f.disk.Open(fd, "..", unix.O_PATH|unix.O_DIRECTORY, 0)
}

// maxDepth is how many directories below is willing to climb: the time of some milliseconds.
const maxDepth = 4096

// below tells whether an open directory lies below a home's, by its inode number.
func (f *FS) below(fd int, home uint64) (bool, error) {
	at, last := fd, uint64(0)
	defer func() {
		if at != fd {
			disk.Close(at)
		}
	}()
	for range maxDepth {
		up, err := f.above(at)
		if err != nil {
			return false, err
		}
		if at != fd {
			disk.Close(at)
		}
		at = up
		var st disk.Stat
		if err := f.disk.Stat(at, disk.Here, &st); err != nil {
			return false, err
		}
		if st.Ino == last || !f.ours(&st) {
			return false, nil // nothing is above the file system's root
		}
		if st.Ino == home {
			return true, nil
		}
		last = st.Ino
	}
	return false, nil
}

// firstCookie is what cookies are above an entry's offset in the directory: 0 to 2 are reserved (RFC 8881 section
// 18.23.3).
const firstCookie = 3

var direntBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ReadDir lists a directory in the file system's own order. A cookie is the offset after an entry, which the file
// systems with handles keep stable.
func (f *FS) ReadDir(_ context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	d, err := f.openDir(dir)
	if err != nil {
		return false, err
	}
	defer d.close()
	a := d.attr()
	if err := vfs.Permit(c, &a, vfs.MayRead); err != nil {
		return false, err
	}
	search := vfs.Permit(c, &a, vfs.MayExec) // names are for who may read, what they name is for who may search
	offset := int64(0)
	if cookie != 0 {
		if cookie < firstCookie {
			return false, syscall.EINVAL
		}
		offset = int64(cookie - firstCookie)
	}
	var hubs *hubTable
	if d.level == levelRoot {
		hubs = f.hubs.Load()
	}
	buf := direntBuffers.Get().(*[64 << 10]byte)
	defer direntBuffers.Put(buf)
	var e vfs.DirEntry
	return f.disk.ReadDir(d.fd, offset, buf[:], func(n *disk.Name) bool {
		e = vfs.DirEntry{Name: string(n.Name), Cookie: uint64(n.Offset) + firstCookie, FileID: n.Ino}
		if hubs != nil && hubs.byName[e.Name] == nil {
			return true
		}
		if withAttr && search != nil {
			e.Err = search
		} else if withAttr {
			if e.Entry, e.Err = f.entry(d, e.Name); e.Err == syscall.ENOENT {
				return true
			}
			if e.Err == nil {
				e.FileID = e.Attr.FileID
			}
		}
		return fn(&e)
	})
}

// ReadLink returns what a symbolic link says.
func (f *FS) ReadLink(_ context.Context, _ *vfs.Caller, h vfs.Handle) (string, error) {
	n, err := f.open(h)
	if err != nil {
		return "", err
	}
	defer n.close()
	if n.st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return "", syscall.EINVAL
	}
	return f.disk.ReadLink(n.fd)
}

// dirOp is a change of the names in a directory. Between begin and end the directory is locked.
type dirOp struct {
	f      *FS
	dir    *node
	unlock func()
}

// begin opens a directory in which a caller may change names, and locks it. It answers what is wrong with the name too.
// Either there is an error, or end or abandon must follow.
func (f *FS) begin(c *vfs.Caller, dir vfs.Handle, name string) (*dirOp, error) {
	d, err := f.openDir(dir)
	if err != nil {
		return nil, err
	}
	op := &dirOp{f: f, dir: d, unlock: f.stripes.lock(d.st.Ino)}
	if err := op.check(c, name); err != nil {
		op.abandon()
		return nil, err
	}
	return op, nil
}

// check looks at the directory again, now that it is locked, and tells whether a caller may change a name in it.
func (op *dirOp) check(c *vfs.Caller, name string) error {
	if err := op.f.refresh(op.dir); err != nil {
		return err
	}
	return mayChange(c, op.dir, name)
}

// mayChange tells whether a caller may search a directory for a name in order to change it.
func mayChange(c *vfs.Caller, d *node, name string) error {
	if err := vfs.CheckName(name); err != nil {
		return err
	}
	a := d.attr()
	if err := vfs.Permit(c, &a, vfs.MayExec); err != nil {
		return err
	}
	if d.level == levelRoot {
		return syscall.EPERM // hubs are the configuration's
	}
	return nil
}

func (op *dirOp) abandon() {
	op.unlock()
	op.dir.close()
}

// change runs a change of the directory, between its change attribute's before and after.
func (op *dirOp) change(call func() error) (ch vfs.DirChange, err error) {
	ch = vfs.DirChange{Before: op.dir.change, Atomic: true}
	if err := op.f.changing(op.dir.fd, op.dir.st.Ino); err != nil {
		return ch, err
	}
	err = call()
	op.f.changed(op.dir.st.Ino)
	if err != nil {
		return ch, err
	}
	ch.After, err = op.f.look(op.dir.fd, &op.dir.st)
	return ch, err
}

// end unlocks the directory and makes the change durable.
func (op *dirOp) end() error {
	op.unlock()
	defer op.dir.close()
	_, err := op.f.sync(&op.dir.inode, op.dir.fd)
	return err
}
