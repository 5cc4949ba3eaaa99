// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"math"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// Open opens a regular file.
func (f *FS) Open(_ context.Context, c *vfs.Caller, h vfs.Handle, access vfs.Access) (vfs.File, error) {
	n, err := f.open(h)
	if err != nil {
		return nil, err
	}
	defer n.close()
	a := n.attr()
	if a.Type != vfs.Regular {
		return nil, notRegular(a.Type)
	}
	if err := vfs.PermitOpen(c, &a, access); err != nil {
		return nil, err
	}
	fd, err := f.openData(n, access)
	if err != nil {
		return nil, err
	}
	return f.file(&n.inode, n.st.Ino, fd, access, a.Mode), nil
}

var openFlags = map[vfs.Access]int{
	vfs.Read: unix.O_RDONLY, vfs.Write: unix.O_WRONLY, vfs.Read | vfs.Write: unix.O_RDWR,
}

// openData opens a regular file's data. The node has told that it is one: nothing else is ever opened, since opening a
// device can do anything and opening a pipe can wait.
func (f *FS) openData(n *node, access vfs.Access) (int, error) {
	flags, ok := openFlags[access]
	if !ok {
		return -1, syscall.EINVAL
	}
	return f.disk.OpenHandle(f.root, n.kernel, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK)
}

// file is an open regular file.
type file struct {
	fs     *FS
	inode  inode
	ino    uint64
	fd     int
	access vfs.Access
	// plain is what FS.setIDs was when the file was known to have no set-id bits; 0: not known.
	plain atomic.Uint64
}

// file makes a File of a descriptor, which is the File's from here on.
func (f *FS) file(n *inode, ino uint64, fd int, access vfs.Access, mode uint32) vfs.File {
	o := &file{fs: f, inode: *n, ino: ino, fd: fd, access: access}
	if mode&setIDBits == 0 {
		o.plain.Store(f.setIDs.Load() + 1)
	}
	return o
}

// Close gives back the descriptor.
func (o *file) Close() error {
	disk.Close(o.fd)
	return nil
}

// Space returns what the file takes: of its attributes the type, size, Used, Nlink, FileID, Birth and Home alone. It asks for no
// time: a write to a file whose times somebody has seen costs three times as much (multigrain time stamps, Linux 6.13).
func (o *file) Space(context.Context) (vfs.Attr, error) {
	var st disk.Stat
	if err := o.fs.disk.Space(o.fd, &st); err != nil {
		return vfs.Attr{}, err
	}
	return vfs.Attr{
		Type: types[st.Mode&unix.S_IFMT], Nlink: st.Nlink, Size: st.Size, Used: st.Blocks * 512, FileID: st.Ino,
		Home: o.inode.homeID(), Birth: birthOf(&st),
	}, nil
}

func (o *file) may(access vfs.Access) error {
	if o.access&access == 0 {
		return syscall.EBADF
	}
	return nil
}

// ReadAt reads until p is full or the file ends.
func (o *file) ReadAt(_ context.Context, p []byte, off uint64) (n int, eof bool, err error) {
	if err := o.may(vfs.Read); err != nil {
		return 0, false, err
	}
	if off > math.MaxInt64 {
		return 0, true, nil
	}
	p = p[:min(uint64(len(p)), math.MaxInt64-off)] // the kernel refuses to read past what can be an offset
	for n < len(p) {
		m, err := o.fs.disk.Read(o.fd, p[n:], int64(off)+int64(n))
		if err != nil {
			return n, false, err
		}
		if m == 0 {
			return n, true, nil
		}
		n += m
	}
	var st disk.Stat
	if err := o.fs.disk.Stat(o.fd, disk.Here, &st); err != nil {
		return n, false, err
	}
	return n, off+uint64(n) >= st.Size, nil
}

// syncedTries is how often a synced write is made before it is refused.
const syncedTries = 3

// WriteAt writes, and syncs the file where that is asked for. Where another's fsync fails between the write and its own,
// the data may have been dropped and the own fsync finds nothing to complain of: it is written again.
func (o *file) WriteAt(_ context.Context, p []byte, off uint64, want vfs.Stability) (n int, did vfs.Stability, v vfs.Verifier, err error) {
	for range syncedTries {
		// The verifier from before: if unsynced data is lost meanwhile, this data may be too.
		v = *o.fs.verifier.Load()
		if err := o.changing(off, uint64(len(p))); err != nil {
			return 0, vfs.Unstable, v, err
		}
		n, err = o.write(p, int64(off))
		o.fs.changed(o.ino)
		if err != nil || want == vfs.Unstable {
			return n, vfs.Unstable, v, err
		}
		synced, err := o.fs.sync(&o.inode, o.fd)
		if err != nil {
			return 0, vfs.Unstable, synced, err
		}
		if synced == v {
			return n, vfs.FileSync, v, nil
		}
	}
	return 0, vfs.Unstable, v, syscall.EIO
}

// write writes as much as it can: an error comes only where that is nothing.
func (o *file) write(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := o.fs.disk.Write(o.fd, p[n:], off+int64(n))
		if err != nil && n == 0 {
			return 0, err
		}
		if err != nil || m == 0 {
			break
		}
		n += m
	}
	return n, nil
}

// changing says that the file is about to be changed, if it may be: changed must follow where there is no error.
func (o *file) changing(off, length uint64) error {
	if err := o.may(vfs.Write); err != nil {
		return err
	}
	if off > math.MaxInt64 || length > math.MaxInt64-off {
		return syscall.EFBIG
	}
	if err := o.killSetID(); err != nil {
		return err
	}
	return o.fs.changing(o.fd, o.ino)
}

// killSetID clears set-id bits before a write. Whether there are any is looked up only after some were set somewhere.
func (o *file) killSetID() error {
	now := o.fs.setIDs.Load() + 1
	if o.plain.Load() == now {
		return nil
	}
	if err := o.fs.killSetID(o.fd, o.ino); err != nil {
		return err
	}
	o.plain.Store(now)
	return nil
}

// killSetID clears the set-id bits of an open file, as the kernel does where somebody without privileges writes. The mode
// is nobody else's to change meanwhile.
func (f *FS) killSetID(fd int, ino uint64) error {
	defer f.stripes.lock(ino)()
	return f.clearSetID(fd)
}

// clearSetID is killSetID for a file that is locked.
func (f *FS) clearSetID(fd int) error {
	var st disk.Stat
	if err := f.disk.Stat(fd, disk.Here, &st); err != nil {
		return err
	}
	bits := uint32(st.Mode) & unix.S_ISUID
	if st.Mode&0o010 != 0 {
		bits |= uint32(st.Mode) & unix.S_ISGID // without the group's x it means something else
	}
	if bits == 0 {
		return nil
	}
	return f.disk.Chmod(fd, disk.Here, uint32(st.Mode)&0o7777&^bits)
}

// Commit syncs the file.
func (o *file) Commit(context.Context) (vfs.Verifier, error) {
	return o.fs.sync(&o.inode, o.fd)
}

// Truncate sets the size.
func (o *file) Truncate(_ context.Context, size uint64) error {
	if err := o.changing(size, 0); err != nil {
		return err
	}
	defer o.fs.changed(o.ino)
	if err := o.fs.disk.Truncate(o.fd, int64(size)); err != nil {
		return err
	}
	_, err := o.fs.sync(&o.inode, o.fd)
	return err
}

// Allocate reserves space.
func (o *file) Allocate(_ context.Context, off, length uint64) error {
	return o.allocate(0, off, length)
}

// Deallocate makes a hole.
func (o *file) Deallocate(_ context.Context, off, length uint64) error {
	return o.allocate(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, length)
}

func (o *file) allocate(mode uint32, off, length uint64) error {
	if length == 0 {
		return syscall.EINVAL
	}
	if err := o.changing(off, length); err != nil {
		return err
	}
	defer o.fs.changed(o.ino)
	return o.fs.disk.Allocate(o.fd, mode, int64(off), int64(length))
}

// Seek finds data or a hole.
func (o *file) Seek(_ context.Context, what vfs.SeekWhat, off uint64) (at uint64, eof bool, err error) {
	if err := o.may(vfs.Read | vfs.Write); err != nil {
		return 0, false, err
	}
	var st disk.Stat
	if err := o.fs.disk.Stat(o.fd, disk.Here, &st); err != nil {
		return 0, false, err
	}
	if off >= st.Size {
		return 0, false, syscall.ENXIO
	}
	whence := unix.SEEK_DATA
	if what == vfs.SeekHole {
		whence = unix.SEEK_HOLE
	}
	found, err := o.fs.disk.Seek(o.fd, int64(off), whence)
	switch {
	case err == syscall.ENXIO:
		return st.Size, true, nil
	case err != nil:
		return 0, false, err
	case uint64(found) >= st.Size:
		return st.Size, true, nil
	}
	return uint64(found), false, nil
}

// copyStep bounds how long one system call copies; between two the context is asked.
const copyStep = 16 << 20

// CopyFrom copies without the data's coming here.
func (o *file) CopyFrom(ctx context.Context, src vfs.File, srcOff, off, length uint64) (n uint64, v vfs.Verifier, err error) {
	v = *o.fs.verifier.Load()
	from, ok := src.(*file)
	if !ok || from.fs != o.fs {
		return 0, v, syscall.EXDEV
	}
	if err := from.may(vfs.Read); err != nil {
		return 0, v, err
	}
	if srcOff > math.MaxInt64 || length > math.MaxInt64-srcOff {
		return 0, v, syscall.EINVAL
	}
	if from.inode.kernel == o.inode.kernel && srcOff < off+length && off < srcOff+length {
		return 0, v, syscall.EINVAL
	}
	if err := o.changing(off, length); err != nil {
		return 0, v, err
	}
	defer o.fs.changed(o.ino)
	for n < length {
		if err := ctx.Err(); err != nil {
			return n, v, err
		}
		m, err := o.fs.disk.Copy(from.fd, int64(srcOff+n), o.fd, int64(off+n), int(min(length-n, copyStep)))
		if err != nil {
			return n, v, err
		}
		if m == 0 {
			break
		}
		n += uint64(m)
	}
	return n, v, nil
}

// CloneFrom shares blocks, where the file system can.
func (o *file) CloneFrom(_ context.Context, src vfs.File, srcOff, off, length uint64) error {
	from, ok := src.(*file)
	if !ok || from.fs != o.fs || from.inode.homeID() != o.inode.homeID() {
		return syscall.EXDEV
	}
	if err := from.may(vfs.Read); err != nil {
		return err
	}
	if srcOff > math.MaxInt64 || length > math.MaxInt64-srcOff {
		return syscall.EINVAL
	}
	if err := o.changing(off, length); err != nil {
		return err
	}
	defer o.fs.changed(o.ino)
	err := o.fs.disk.Clone(from.fd, srcOff, o.fd, off, length)
	if err == syscall.ENOTTY {
		return syscall.EOPNOTSUPP
	}
	return err
}
