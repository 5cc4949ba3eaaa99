// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"encoding/binary"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

var le = binary.LittleEndian

func itoa(fd int) string { return strconv.Itoa(fd) }

// maxHandle is MAX_HANDLE_SZ (open_by_handle_at(2)).
const maxHandle = 128

// handle is struct file_handle: the length of its bytes, their type, the bytes.
type handle struct {
	size  uint32
	kind  int32
	bytes [maxHandle]byte
}

// AppendHandle appends the kernel's own handle of a name in a directory, or Here, to b: its type in four bytes, then its
// bytes. mount is the id of the mount that the file is on (name_to_handle_at(2)).
func (d *Disk) AppendHandle(b []byte, dir int, name string) (out []byte, mount int32, err error) {
	h := handle{size: maxHandle}
	flags := 0
	if name == Here {
		flags = unix.AT_EMPTY_PATH
	}
	path, err := unix.BytePtrFromString(name)
	if err != nil {
		return nil, 0, err
	}
	err = d.do(OpHandle, func() error {
		_, _, errno := unix.Syscall6(unix.SYS_NAME_TO_HANDLE_AT, uintptr(dir), uintptr(unsafe.Pointer(path)),
			uintptr(unsafe.Pointer(&h)), uintptr(unsafe.Pointer(&mount)), uintptr(flags), 0)
		return errnoErr(errno)
	})
	if err != nil {
		return nil, 0, err
	}
	b = le.AppendUint32(b, uint32(h.kind))
	return append(b, h.bytes[:h.size]...), mount, nil
}

// OpenHandle opens the file of a handle that AppendHandle appended, on the mount that the descriptor mount is on: ESTALE
// where it is gone. It takes CAP_DAC_READ_SEARCH (open_by_handle_at(2)).
func (d *Disk) OpenHandle(mount int, kernel string, flags int) (fd int, err error) {
	if len(kernel) < 4 || len(kernel) > 4+maxHandle {
		return -1, syscall.ESTALE
	}
	h := handle{size: uint32(len(kernel) - 4)}
	copy(h.bytes[:], kernel[4:])
	h.kind = int32(uint32(kernel[0]) | uint32(kernel[1])<<8 | uint32(kernel[2])<<16 | uint32(kernel[3])<<24)
	open := func() error {
		r, _, errno := unix.Syscall(unix.SYS_OPEN_BY_HANDLE_AT, uintptr(mount), uintptr(unsafe.Pointer(&h)),
			uintptr(flags|unix.O_CLOEXEC|unix.O_NOCTTY))
		fd = int(r)
		return errnoErr(errno)
	}
	err = d.do(OpOpenHandle, open)
	// The kernel says that it is out of memory where the inode has gone and its number is just being given to another one
	// (iget_locked and I_CREATING, fs/inode.c): a moment later it says that the handle is stale.
	for wait := 20 * time.Microsecond; err == syscall.ENOMEM && wait < 100*time.Millisecond; wait *= 2 {
		time.Sleep(wait)
		err = d.do(OpOpenHandle, open)
	}
	if err != nil {
		return -1, err
	}
	return fd, nil
}

func errnoErr(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}
