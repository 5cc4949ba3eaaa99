// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

var types = map[uint16]vfs.Type{
	unix.S_IFREG: vfs.Regular, unix.S_IFDIR: vfs.Directory, unix.S_IFLNK: vfs.Symlink, unix.S_IFBLK: vfs.BlockDevice,
	unix.S_IFCHR: vfs.CharDevice, unix.S_IFSOCK: vfs.Socket, unix.S_IFIFO: vfs.FIFO,
}

// set-id bits, which writing and giving away clear.
const setIDBits = unix.S_ISUID | unix.S_ISGID

func attrOf(n *inode, st *disk.Stat, change uint64) vfs.Attr {
	return vfs.Attr{
		Type: types[st.Mode&unix.S_IFMT], Mode: uint32(st.Mode & 0o7777), Nlink: st.Nlink,
		UID: st.Uid, GID: st.Gid, Size: st.Size, Used: st.Blocks * 512,
		Rdev: vfs.Device{Major: st.Rdev_major, Minor: st.Rdev_minor}, FileID: st.Ino, Change: change, Home: n.homeID(),
		Atime: timeOf(st.Atime), Mtime: timeOf(st.Mtime), Ctime: timeOf(st.Ctime), Birth: birthOf(st),
	}
}

// GetAttr returns a file's attributes.
func (f *FS) GetAttr(_ context.Context, h vfs.Handle) (vfs.Attr, error) {
	n, err := f.open(h)
	if err != nil {
		return vfs.Attr{}, err
	}
	defer n.close()
	return n.attr(), nil
}

// SetAttr changes a file's attributes and syncs it.
func (f *FS) SetAttr(_ context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	n, err := f.open(h)
	if err != nil {
		return vfs.Attr{}, err
	}
	defer n.close()
	data, err := f.alter(n, c, &set)
	if data >= 0 {
		defer disk.Close(data)
	}
	if err == nil {
		err = f.settleAttr(n, data)
	}
	if err != nil {
		return vfs.Attr{}, err
	}
	if n.change, err = f.look(n.fd, &n.st); err != nil {
		return vfs.Attr{}, err
	}
	return n.attr(), nil
}

// alter makes the changes, where the caller may. The file is locked from the look at who owns it to the last change: a
// mode that its owner may set must not be set after the file was given away. data is what there is to sync, or -1; it
// is the caller's to close, also with an error.
func (f *FS) alter(n *node, c *vfs.Caller, set *vfs.SetAttr) (data int, err error) {
	defer f.stripes.lock(n.st.Ino)()
	if n.change, err = f.look(n.fd, &n.st); err != nil {
		return -1, err
	}
	a := n.attr()
	if n.level < levelLoose && !c.Root() && (set.Mode != nil || set.UID != nil || set.GID != nil) {
		return -1, syscall.EPERM // owner and mode of a hub's directory are the configuration's
	}
	if err := vfs.PermitSetAttr(c, &a, set); err != nil {
		return -1, err
	}
	data = -1 // links, pipes, sockets and devices are changed without being opened
	switch {
	case set.Size != nil && a.Type != vfs.Regular:
		return -1, notRegular(a.Type)
	case a.Type == vfs.Regular, a.Type == vfs.Directory:
		flags := unix.O_RDONLY
		if set.Size != nil {
			flags = unix.O_RDWR
		}
		if data, err = f.disk.OpenHandle(f.root, n.kernel, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK); err != nil {
			return -1, err
		}
	}
	if err := f.changing(n.fd, n.st.Ino); err != nil {
		return data, err
	}
	defer f.changed(n.st.Ino)
	return data, f.apply(n.fd, data, c, &a, set)
}

// notRegular is the error for what only a regular file has.
func notRegular(t vfs.Type) error {
	switch t {
	case vfs.Directory:
		return syscall.EISDIR
	case vfs.Symlink:
		return syscall.ELOOP
	}
	return syscall.EINVAL
}

// settleAttr makes changed attributes durable. What cannot be opened is not synced by itself: its attributes go to the
// disk with the file system's next commit.
func (f *FS) settleAttr(n *node, data int) error {
	if data < 0 {
		return nil
	}
	_, err := f.sync(&n.inode, data)
	return err
}

// apply makes the changes to a file that is open as fd with O_PATH and, where it is a regular file or directory, as data.
// The owner comes first: changing it clears set-id bits.
func (f *FS) apply(fd, data int, c *vfs.Caller, a *vfs.Attr, set *vfs.SetAttr) error {
	if set.Size != nil {
		if *set.Size > math.MaxInt64 {
			return syscall.EFBIG
		}
		if err := f.clearSetID(data); err != nil {
			return err
		}
		if err := f.disk.Truncate(data, int64(*set.Size)); err != nil {
			return err
		}
	}
	if set.UID != nil || set.GID != nil {
		uid, gid := -1, -1
		if set.UID != nil {
			uid = int(*set.UID)
		}
		if set.GID != nil {
			gid = int(*set.GID)
		}
		if err := f.disk.Chown(fd, disk.Here, uid, gid); err != nil {
			return err
		}
	}
	// A link's own mode means nothing, and Linux does not change it.
	if set.Mode != nil && a.Type != vfs.Symlink {
		mode := *set.Mode & 0o7777
		gid := a.GID
		if set.GID != nil {
			gid = *set.GID
		}
		if !c.Root() && !c.In(gid) {
			mode &^= unix.S_ISGID
		}
		if mode&setIDBits != 0 {
			// Who writes after this looks again, and who looked meanwhile too.
			defer f.setIDs.Add(1)
		}
		if err := f.disk.Chmod(fd, disk.Here, mode); err != nil {
			return err
		}
	}
	if set.Atime.Set || set.Mtime.Set {
		return f.disk.Times(fd, disk.Here, timespec(set.Atime), timespec(set.Mtime))
	}
	return nil
}

func timespec(t vfs.SetTime) unix.Timespec {
	switch {
	case !t.Set:
		return utimeOmit
	case t.Now:
		return utimeNow
	}
	return unix.Timespec{Sec: t.Time.Unix(), Nsec: int64(t.Time.Nanosecond())}
}
