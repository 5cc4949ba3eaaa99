// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"math"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// birth is what a new file has to be.
type birth struct {
	mode     uint32
	uid, gid uint32
	set      vfs.SetAttr // size and times
}

// birth works out the owner and mode of a new file in a directory, as mkdir(2) and open(2) say, and a caller's right to
// them. A directory that is made in a hub's is a home: it belongs to whom the hub says, whoever makes it.
func (f *FS) birth(c *vfs.Caller, d *node, directory bool, mode uint32, set vfs.SetAttr) (b birth, err error) {
	if d.level == levelHub && directory {
		owner := Owner{f.uid, f.gid}
		if h := f.hubs.Load().byID[d.hub]; h != nil {
			owner = h.homes
		}
		return birth{mode: 0o755, uid: owner.UID, gid: owner.GID}, nil
	}
	b = birth{mode: mode, uid: f.uid, gid: f.gid, set: set}
	if c != nil {
		b.uid, b.gid = c.UID, c.GID
	}
	if set.Mode != nil {
		b.mode = *set.Mode & 0o7777
	}
	if d.st.Mode&unix.S_ISGID != 0 {
		b.gid = d.st.Gid
		if directory {
			b.mode |= unix.S_ISGID
		}
	}
	own := vfs.Attr{UID: b.uid, GID: b.gid}
	if err := vfs.PermitSetAttr(c, &own, &vfs.SetAttr{UID: set.UID, GID: set.GID}); err != nil {
		return b, err
	}
	if set.UID != nil {
		b.uid = *set.UID
	}
	if set.GID != nil {
		b.gid = *set.GID
	}
	if !directory && !c.Root() && !c.In(b.gid) {
		b.mode &^= unix.S_ISGID
	}
	if set.Size != nil && *set.Size > math.MaxInt64 {
		return b, syscall.EFBIG
	}
	return b, nil
}

// plain tells whether the kernel gives a new file of this process the right owner and mode by itself, and nobody has to
// know of it before it has a name.
func (f *FS) plain(d *node, b *birth) bool {
	return f.changes.fine && b.uid == f.uid && b.gid == f.gid && b.mode&^0o777 == 0 && d.st.Mode&unix.S_ISGID == 0 &&
		!b.set.Atime.Set && !b.set.Mtime.Set && b.set.Size == nil
}

// dress gives a new file that is open as fd and has no name yet all that the kernel did not.
func (f *FS) dress(fd int, b *birth, link bool) error {
	if err := f.bearing(fd); err != nil {
		return err
	}
	// Also where they are the process's own: the directory may have given the file its group.
	if err := f.disk.Chown(fd, disk.Here, int(b.uid), int(b.gid)); err != nil {
		return err
	}
	if !link {
		if err := f.disk.Chmod(fd, disk.Here, b.mode); err != nil {
			return err
		}
	}
	if b.set.Size != nil && *b.set.Size > 0 {
		if err := f.disk.Truncate(fd, int64(*b.set.Size)); err != nil {
			return err
		}
	}
	if b.set.Atime.Set || b.set.Mtime.Set {
		return f.disk.Times(fd, disk.Here, timespec(b.set.Atime), timespec(b.set.Mtime))
	}
	return nil
}

// bear makes a file that is not a regular one: by maker, in the directory itself where that makes it whole, or else in
// the nursery, where it is dressed and from where it is moved.
func (f *FS) bear(op *dirOp, name string, b *birth, link bool, maker func(dir int, name string) error) (e vfs.Entry, ch vfs.DirChange, err error) {
	if f.plain(op.dir, b) {
		ch, err = op.change(func() error { return maker(op.dir.fd, name) })
		if err == nil {
			e, err = f.entrySlowly(op.dir, name)
		}
		return e, ch, err
	}
	temp := strconv.FormatUint(f.born.Add(1), 36)
	if err := maker(f.nursery, temp); err != nil {
		return e, ch, err
	}
	fd, err := f.disk.Open(f.nursery, temp, unix.O_PATH, 0)
	if err == nil {
		defer disk.Close(fd)
		err = f.dress(fd, b, link)
	}
	if err == nil {
		ch, err = op.change(func() error {
			return f.disk.Rename(f.nursery, temp, op.dir.fd, name, unix.RENAME_NOREPLACE)
		})
	}
	if err != nil {
		f.discard(f.nursery, temp)
	}
	switch err {
	case nil:
		e, err = f.entryAt(&op.dir.inode, fd)
	case syscall.EXDEV:
		return f.bearInPlace(op, name, b, link, maker)
	}
	return e, ch, err
}

// bearInPlace is bear in a directory that takes nothing that was made elsewhere: one whose project id is inherited, as
// servers with project quotas leave behind (ioctl_xfs_fssetxattr(2)). A crash in between leaves the process's own file.
func (f *FS) bearInPlace(op *dirOp, name string, b *birth, link bool, maker func(dir int, name string) error) (e vfs.Entry, ch vfs.DirChange, err error) {
	fd := -1
	ch, err = op.change(func() error {
		if err := maker(op.dir.fd, name); err != nil {
			return err
		}
		if fd, err = f.disk.Open(op.dir.fd, name, unix.O_PATH, 0); err == nil {
			err = f.dress(fd, b, link)
		}
		if err != nil {
			f.discard(op.dir.fd, name)
		}
		return err
	})
	if fd >= 0 {
		defer disk.Close(fd)
	}
	if err == nil {
		e, err = f.entryAt(&op.dir.inode, fd)
	}
	return e, ch, err
}

// discard removes what was not finished. What stays in the nursery is removed by the next start.
func (f *FS) discard(dir int, name string) {
	if f.disk.Unlink(dir, name, 0) == syscall.EISDIR {
		f.disk.Unlink(dir, name, unix.AT_REMOVEDIR)
	}
}

// sweep empties the nursery: what is in it was never finished.
func (f *FS) sweep() error {
	buf := make([]byte, 8<<10)
	var names []string
	_, err := f.disk.ReadDir(f.nursery, 0, buf, func(n *disk.Name) bool {
		names = append(names, string(n.Name))
		return true
	})
	for _, name := range names {
		f.discard(f.nursery, name)
	}
	return err
}

// make makes a file that is not a regular one.
func (f *FS) make(c *vfs.Caller, dir vfs.Handle, name string, directory, link bool, mode uint32, set vfs.SetAttr, maker func(mode uint32, dir int, name string) error) (e vfs.Entry, ch vfs.DirChange, err error) {
	op, err := f.begin(c, dir, name)
	if err != nil {
		return e, ch, err
	}
	if err = f.absent(op, name); err == nil {
		a := op.dir.attr()
		err = vfs.Permit(c, &a, vfs.MayWrite)
	}
	var b birth
	if err == nil {
		b, err = f.birth(c, op.dir, directory, mode, set)
	}
	if err == nil {
		e, ch, err = f.bear(op, name, &b, link, func(dir int, name string) error { return maker(b.mode, dir, name) })
	}
	if err != nil {
		op.abandon()
		return vfs.Entry{}, ch, err
	}
	return e, ch, op.end()
}

// Mkdir makes a directory; in a hub's directory, a home.
func (f *FS) Mkdir(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	set.Size = nil
	return f.make(c, dir, name, true, false, 0o755, set, func(mode uint32, dir int, name string) error {
		return f.disk.Mkdir(dir, name, mode)
	})
}

// Symlink makes a symbolic link. EINVAL for an empty target or one with a NUL, ENAMETOOLONG over 4,095 bytes.
func (f *FS) Symlink(_ context.Context, c *vfs.Caller, dir vfs.Handle, name, target string, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	if len(target) >= unix.PathMax {
		return vfs.Entry{}, vfs.DirChange{}, syscall.ENAMETOOLONG
	}
	if target == "" {
		return vfs.Entry{}, vfs.DirChange{}, syscall.EINVAL
	}
	set.Mode, set.Size = nil, nil
	return f.make(c, dir, name, false, true, 0o777, set, func(_ uint32, dir int, name string) error {
		return f.disk.Symlink(target, dir, name)
	})
}

var nodeTypes = map[vfs.Type]uint32{
	vfs.FIFO: unix.S_IFIFO, vfs.Socket: unix.S_IFSOCK, vfs.BlockDevice: unix.S_IFBLK, vfs.CharDevice: unix.S_IFCHR,
}

// Mknod makes a FIFO, socket or device node.
func (f *FS) Mknod(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string, t vfs.Type, dev vfs.Device, set vfs.SetAttr) (vfs.Entry, vfs.DirChange, error) {
	kind, ok := nodeTypes[t]
	if !ok {
		return vfs.Entry{}, vfs.DirChange{}, syscall.EINVAL
	}
	if (t == vfs.BlockDevice || t == vfs.CharDevice) && !c.Root() {
		return vfs.Entry{}, vfs.DirChange{}, syscall.EPERM
	}
	set.Size = nil
	return f.make(c, dir, name, false, false, 0o644, set, func(mode uint32, dir int, name string) error {
		return f.disk.Mknod(dir, name, kind|mode&0o777, dev.Major, dev.Minor)
	})
}
