// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"bytes"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Here stands for a descriptor itself where a name in it is asked for (AT_EMPTY_PATH, openat(2)).
const Here = ""

// Stat is what statx(2) says.
type Stat = unix.Statx_t

// statMask is what is asked for.
const statMask = unix.STATX_BASIC_STATS | unix.STATX_BTIME | unix.STATX_MNT_ID

func here(name string) int {
	if name == Here {
		return unix.AT_EMPTY_PATH | unix.AT_SYMLINK_NOFOLLOW
	}
	return unix.AT_SYMLINK_NOFOLLOW
}

// Open opens a name in a directory, never following a link that the name is. With an error, fd is -1.
func (d *Disk) Open(dir int, name string, flags int, mode uint32) (fd int, err error) {
	fd = -1
	err = d.do(OpOpen, func() error {
		fd, err = unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NOCTTY, mode)
		return err
	})
	return fd, err
}

// OpenTemporary opens a new file for reading and writing that has no name yet (O_TMPFILE, open(2)); LinkFile gives it one.
func (d *Disk) OpenTemporary(dir int, mode uint32) (fd int, err error) {
	fd = -1
	err = d.do(OpOpen, func() error {
		fd, err = unix.Openat(dir, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, mode)
		return err
	})
	return fd, err
}

// Stat describes a name in a directory, or Here.
func (d *Disk) Stat(dir int, name string, st *Stat) error {
	return d.do(OpStat, func() error {
		return unix.Statx(dir, name, here(name)|unix.AT_STATX_SYNC_AS_STAT, statMask, st)
	})
}

// Space describes an open file but for its times, its owner and its mode, which is its type alone.
func (d *Disk) Space(fd int, st *Stat) error {
	return d.do(OpStat, func() error {
		const mask = unix.STATX_TYPE | unix.STATX_NLINK | unix.STATX_INO | unix.STATX_SIZE | unix.STATX_BLOCKS | unix.STATX_BTIME
		return unix.Statx(fd, Here, unix.AT_EMPTY_PATH|unix.AT_STATX_SYNC_AS_STAT, mask, st)
	})
}

// StatEntry describes an entry of a directory that ReadDir is telling of.
func (d *Disk) StatEntry(dir int, n *Name, st *Stat) error {
	if len(n.Name) == 0 {
		return syscall.ENOENT
	}
	return d.do(OpStat, func() error {
		// The kernel has put a NUL after the name.
		_, _, errno := unix.Syscall6(unix.SYS_STATX, uintptr(dir), uintptr(unsafe.Pointer(&n.Name[0])),
			unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_SYNC_AS_STAT, statMask, uintptr(unsafe.Pointer(st)), 0)
		return errnoErr(errno)
	})
}

// StatFS describes the file system of a descriptor.
func (d *Disk) StatFS(fd int) (st unix.Statfs_t, err error) {
	err = d.do(OpStatFS, func() error { return unix.Fstatfs(fd, &st) })
	return st, err
}

// ReadLink returns what the symbolic link says that is open as fd.
func (d *Disk) ReadLink(fd int) (target string, err error) {
	buf := make([]byte, unix.PathMax)
	var n int
	err = d.do(OpReadLink, func() error {
		n, err = unix.Readlinkat(fd, "", buf)
		return err
	})
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// Mkdir makes a directory.
func (d *Disk) Mkdir(dir int, name string, mode uint32) error {
	return d.do(OpMkdir, func() error { return unix.Mkdirat(dir, name, mode) })
}

// Mknod makes a file of the type in mode.
func (d *Disk) Mknod(dir int, name string, mode uint32, major, minor uint32) error {
	return d.do(OpMknod, func() error { return unix.Mknodat(dir, name, mode, int(unix.Mkdev(major, minor))) })
}

// Symlink makes a symbolic link.
func (d *Disk) Symlink(target string, dir int, name string) error {
	return d.do(OpSymlink, func() error { return unix.Symlinkat(target, dir, name) })
}

// LinkFile gives the file that is open as fd a name. It takes CAP_DAC_READ_SEARCH (linkat(2), AT_EMPTY_PATH).
func (d *Disk) LinkFile(fd int, dir int, name string) error {
	return d.do(OpLink, func() error { return unix.Linkat(fd, "", dir, name, unix.AT_EMPTY_PATH) })
}

// Unlink removes a name; of a directory where flags is AT_REMOVEDIR.
func (d *Disk) Unlink(dir int, name string, flags int) error {
	return d.do(OpUnlink, func() error { return unix.Unlinkat(dir, name, flags) })
}

// Rename moves a name. flags is renameat2's.
func (d *Disk) Rename(fromDir int, from string, toDir int, to string, flags uint) error {
	return d.do(OpRename, func() error { return unix.Renameat2(fromDir, from, toDir, to, flags) })
}

// Name is one entry of a directory. It is valid until the next call.
type Name struct {
	Name   []byte
	Ino    uint64
	Offset int64 // where the directory goes on after this entry
}

// ReadDir calls fn for entries of a directory from an offset on (an earlier Name's, 0: the start), until fn returns
// false or the directory ends; end tells which. buf is room for the kernel's answer.
func (d *Disk) ReadDir(dir int, offset int64, buf []byte, fn func(*Name) bool) (end bool, err error) {
	if err := d.do(OpSeek, func() error { _, err := unix.Seek(dir, offset, unix.SEEK_SET); return err }); err != nil {
		return false, err
	}
	for {
		var n int
		err := d.do(OpReadDir, func() error {
			n, err = unix.Getdents(dir, buf)
			return err
		})
		if err != nil || n == 0 {
			return err == nil, err
		}
		if !parseDirents(buf[:n], fn) {
			return false, nil
		}
	}
}

// parseDirents reads struct linux_dirent64 (getdents64(2)): ino and offset, 8 bytes each; length, 2; type, 1; name.
func parseDirents(buf []byte, fn func(*Name) bool) bool {
	const header = 19
	var e Name // one for all: each would be an allocation
	for len(buf) >= header {
		length := int(le.Uint16(buf[16:]))
		if length < header || length > len(buf) {
			return true
		}
		name := buf[header:length]
		if i := bytes.IndexByte(name, 0); i >= 0 {
			name = name[:i]
		}
		e = Name{Name: name, Ino: le.Uint64(buf), Offset: int64(le.Uint64(buf[8:]))}
		buf = buf[length:]
		if s := string(name); s == "." || s == ".." {
			continue
		}
		if !fn(&e) {
			return false
		}
	}
	return true
}

// Chmod changes the mode of a name in a directory, or Here, also of an O_PATH descriptor. A link is not followed.
func (d *Disk) Chmod(dir int, name string, mode uint32) error {
	return d.do(OpChmod, func() error {
		err := unix.Fchmodat(dir, name, mode, here(name))
		if name == Here && (err == syscall.EOPNOTSUPP || err == syscall.ENOSYS || err == syscall.EPERM) {
			// Kernels before 6.6 have no fchmodat2, and some sandboxes forbid what they do not know: the way there is,
			// which is none for links.
			return unix.Chmod("/proc/self/fd/"+itoa(dir), mode)
		}
		return err
	})
}

// Chown changes the owner of a name in a directory, or Here; -1 leaves one of the two.
func (d *Disk) Chown(dir int, name string, uid, gid int) error {
	return d.do(OpChown, func() error { return unix.Fchownat(dir, name, uid, gid, here(name)) })
}

// Times sets a file's times of access and modification (utimensat(2): UTIME_NOW, UTIME_OMIT).
func (d *Disk) Times(dir int, name string, atime, mtime unix.Timespec) error {
	return d.do(OpTimes, func() error {
		return unix.UtimesNanoAt(dir, name, []unix.Timespec{atime, mtime}, here(name))
	})
}

// Sync writes a file or directory to the disk (fsync(2)). After an error the kernel has dropped what it could not
// write: trying again would succeed and prove nothing.
func (d *Disk) Sync(fd int) error { return d.SyncFor(fd, 0) }

// SyncFor is Sync for somebody, whom Synced is told.
func (d *Disk) SyncFor(fd int, whom uint64) error {
	if d.Synced == nil {
		return d.do(OpSync, func() error { return unix.Fsync(fd) })
	}
	began := time.Now()
	err := d.do(OpSync, func() error { return unix.Fsync(fd) })
	d.Synced(whom, time.Since(began), err)
	return err
}

// Lock takes the lock of an open file, without waiting: EWOULDBLOCK where another process has it (flock(2)).
func (d *Disk) Lock(fd int) error {
	return d.do(OpLock, func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
}

// Umask makes the process's file mode creation mask zero: the modes of files are what was asked for.
func Umask() { unix.Umask(0) }

// Self is who the process is to the file system.
func Self() (uid, gid uint32) { return uint32(os.Geteuid()), uint32(os.Getegid()) }
