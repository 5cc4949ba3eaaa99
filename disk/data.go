// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import "golang.org/x/sys/unix"

// Read reads at an offset (pread(2)): n is 0 at the end of the file, and may be less than len(p).
func (d *Disk) Read(fd int, p []byte, off int64) (n int, err error) {
	err = d.do(OpRead, func() error {
		n, err = unix.Pread(fd, p, off)
		return err
	})
	return max(n, 0), err
}

// Write writes at an offset (pwrite(2)). n may be less than len(p).
func (d *Disk) Write(fd int, p []byte, off int64) (n int, err error) {
	err = d.do(OpWrite, func() error {
		n, err = unix.Pwrite(fd, p, off)
		return err
	})
	return max(n, 0), err
}

// Truncate sets a file's size.
func (d *Disk) Truncate(fd int, size int64) error {
	return d.do(OpTruncate, func() error { return unix.Ftruncate(fd, size) })
}

// Allocate is fallocate(2).
func (d *Disk) Allocate(fd int, mode uint32, off, length int64) error {
	return d.do(OpAllocate, func() error { return unix.Fallocate(fd, mode, off, length) })
}

// Seek is lseek(2). It moves the descriptor's own offset, which no other call here uses.
func (d *Disk) Seek(fd int, off int64, whence int) (at int64, err error) {
	err = d.do(OpSeek, func() error {
		at, err = unix.Seek(fd, off, whence)
		return err
	})
	return at, err
}

// Copy copies between two files without the data's coming here (copy_file_range(2)). n is 0 at the end of the source.
func (d *Disk) Copy(src int, srcOff int64, dst int, off int64, length int) (n int, err error) {
	err = d.do(OpCopy, func() error {
		n, err = unix.CopyFileRange(src, &srcOff, dst, &off, length, 0)
		return err
	})
	return max(n, 0), err
}

// Clone makes two files share blocks (ioctl_ficlonerange(2)); length 0: to the end of the source.
func (d *Disk) Clone(src int, srcOff uint64, dst int, off, length uint64) error {
	return d.do(OpClone, func() error {
		return unix.IoctlFileCloneRange(dst, &unix.FileCloneRange{Src_fd: int64(src), Src_offset: srcOff, Src_length: length, Dest_offset: off})
	})
}

// GetXattr returns the size of an extended attribute, and its value in buf where that is not empty: ERANGE where it is
// too short.
func (d *Disk) GetXattr(fd int, name string, buf []byte) (n int, err error) {
	err = d.do(OpGetXattr, func() error {
		n, err = unix.Fgetxattr(fd, name, buf)
		return err
	})
	return n, err
}

// SetXattr sets an extended attribute (setxattr(2): XATTR_CREATE, XATTR_REPLACE).
func (d *Disk) SetXattr(fd int, name string, value []byte, flags int) error {
	return d.do(OpSetXattr, func() error { return unix.Fsetxattr(fd, name, value, flags) })
}

// ListXattr returns the size of the list of names, and the list in buf where that is not empty: ERANGE where it is too
// short. Each name ends with a NUL.
func (d *Disk) ListXattr(fd int, buf []byte) (n int, err error) {
	err = d.do(OpListXattr, func() error {
		n, err = unix.Flistxattr(fd, buf)
		return err
	})
	return n, err
}

// RemoveXattr removes an extended attribute.
func (d *Disk) RemoveXattr(fd int, name string) error {
	return d.do(OpDelXattr, func() error { return unix.Fremovexattr(fd, name) })
}
