// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package disk makes every system call on a store's data directory, each under a label.
//
// It owns the calls, their repetition where a signal interrupted them (EINTR), and the labels: a test hands a Disk a
// Before, and makes any call fail, or the process end, at any moment. It knows nothing of homes, NFS or files' meaning,
// and imports nothing of ours. Errors are bare syscall.Errno values.
//
// File descriptors are plain ints: a descriptor's life is a few system calls, too short for an os.File and its
// finalizer. Who opens closes. A Disk may be used concurrently.
package disk

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Op is the label of a system call.
type Op string

// The labels.
const (
	OpOpen       Op = "openat"
	OpOpenHandle Op = "open_by_handle_at"
	OpHandle     Op = "name_to_handle_at"
	OpStat       Op = "statx"
	OpStatFS     Op = "fstatfs"
	OpReadDir    Op = "getdents64"
	OpReadLink   Op = "readlinkat"
	OpMkdir      Op = "mkdirat"
	OpMknod      Op = "mknodat"
	OpSymlink    Op = "symlinkat"
	OpLink       Op = "linkat"
	OpUnlink     Op = "unlinkat"
	OpRename     Op = "renameat2"
	OpChmod      Op = "fchmodat2"
	OpChown      Op = "fchownat"
	OpTimes      Op = "utimensat"
	OpTruncate   Op = "ftruncate"
	OpRead       Op = "pread64"
	OpWrite      Op = "pwrite64"
	OpSync       Op = "fsync"
	OpAllocate   Op = "fallocate"
	OpSeek       Op = "lseek"
	OpCopy       Op = "copy_file_range"
	OpClone      Op = "ioctl_ficlonerange"
	OpGetXattr   Op = "fgetxattr"
	OpSetXattr   Op = "fsetxattr"
	OpListXattr  Op = "flistxattr"
	OpDelXattr   Op = "fremovexattr"
	OpLock       Op = "flock"
)

// Changes tells whether a call changes what is on the disk: the moments at which ending the process is interesting.
func (op Op) Changes() bool {
	switch op {
	case OpMkdir, OpMknod, OpSymlink, OpLink, OpUnlink, OpRename, OpChmod, OpChown, OpTimes, OpTruncate, OpWrite, OpSync,
		OpAllocate, OpCopy, OpClone, OpSetXattr, OpDelXattr:
		return true
	}
	return false
}

// Disk makes system calls. The zero value makes them all.
type Disk struct {
	// Before, where set, is asked before each call. Its error is the call's, which is then not made. It may be called
	// concurrently, and is not changed once the Disk is in use.
	Before func(Op) error
	// Synced, where set, is told of each fsync how long it took, and for whom it was; 0: for nobody in particular. The rest is as
	// for Before.
	Synced func(whom uint64, took time.Duration, err error)
}

// do makes a call, again where a signal interrupted it.
func (d *Disk) do(op Op, call func() error) error {
	if d.Before != nil {
		if err := d.Before(op); err != nil {
			return err
		}
	}
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

// Close gives back a descriptor. There is nothing to do about an error: what was to be synced was synced.
func Close(fd int) { unix.Close(fd) }
