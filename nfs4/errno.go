// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"context"
	"errors"
	"syscall"

	"github.com/hubhome/hubhome/oncrpc"
)

// StatusOf returns the status that tells a client of an error: of a Status itself, of the syscall.Errno that the error
// unwraps to, NFS4ERR_BADXDR for oncrpc.ErrXDR, NFS4ERR_DELAY where a context ended the operation, and
// NFS4ERR_SERVERFAULT for what has none of them. A nil error is OK.
//
// EBADF is NFS4ERR_BADHANDLE, which is right for a handle that cannot be one; a caller that means an open file without
// the access it takes says NFS4ERR_OPENMODE itself.
func StatusOf(err error) Status {
	if err == nil {
		return OK
	}
	if status, ok := errors.AsType[Status](err); ok {
		return status
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return statusOfErrno(errno)
	}
	switch {
	case errors.Is(err, oncrpc.ErrXDR):
		return ErrBadXDR
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return ErrDelay
	}
	return ErrServerFault
}

// statusOfErrno follows the descriptions of RFC 8881 section 15.1. What may pass by itself is NFS4ERR_DELAY: the client
// tries again.
func statusOfErrno(errno syscall.Errno) Status {
	switch errno {
	case 0:
		return OK
	case syscall.EPERM:
		return ErrPerm
	case syscall.ENOENT:
		return ErrNoEnt
	case syscall.ENXIO, syscall.ENODEV:
		return ErrNXIO
	case syscall.EACCES:
		return ErrAccess
	case syscall.EEXIST:
		return ErrExist
	case syscall.EXDEV:
		return ErrXDev
	case syscall.ENOTDIR:
		return ErrNotDir
	case syscall.EISDIR:
		return ErrIsDir
	case syscall.EINVAL:
		return ErrInval
	case syscall.EFBIG, syscall.EOVERFLOW:
		return ErrFBig
	case syscall.ENOSPC:
		return ErrNoSpc
	case syscall.EROFS:
		return ErrROFS
	case syscall.EMLINK:
		return ErrMLink
	case syscall.ENAMETOOLONG:
		return ErrNameTooLong
	case syscall.ENOTEMPTY:
		return ErrNotEmpty
	case syscall.EDQUOT:
		return ErrDQuot
	case syscall.ESTALE:
		return ErrStale
	case syscall.EBADF:
		return ErrBadHandle
	case syscall.EOPNOTSUPP, syscall.ENOSYS:
		return ErrNotSupp
	case syscall.EAGAIN, syscall.EINTR, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ETIMEDOUT:
		return ErrDelay
	case syscall.ELOOP:
		return ErrSymlink
	case syscall.EDEADLK:
		return ErrDeadlock
	case syscall.EBUSY, syscall.ETXTBSY:
		return ErrFileOpen
	case syscall.ENODATA:
		return ErrNoXattr
	case syscall.E2BIG:
		return ErrXattr2Big
	}
	return ErrIO
}

// Errno returns what a local file system would have answered: zero for OK, EIO for what has no like there.
func (s Status) Errno() syscall.Errno {
	switch s {
	case OK:
		return 0
	case ErrPerm, ErrWrongSec, ErrWrongCred:
		return syscall.EPERM
	case ErrNoEnt:
		return syscall.ENOENT
	case ErrNXIO:
		return syscall.ENXIO
	case ErrAccess, ErrShareDenied:
		return syscall.EACCES
	case ErrExist:
		return syscall.EEXIST
	case ErrXDev:
		return syscall.EXDEV
	case ErrNotDir:
		return syscall.ENOTDIR
	case ErrIsDir:
		return syscall.EISDIR
	case ErrInval, ErrBadCookie, ErrBadType, ErrBadOwner, ErrBadChar, ErrBadName, ErrBadRange, ErrTooSmall, ErrWrongType:
		return syscall.EINVAL
	case ErrFBig:
		return syscall.EFBIG
	case ErrNoSpc:
		return syscall.ENOSPC
	case ErrROFS:
		return syscall.EROFS
	case ErrMLink:
		return syscall.EMLINK
	case ErrNameTooLong:
		return syscall.ENAMETOOLONG
	case ErrNotEmpty:
		return syscall.ENOTEMPTY
	case ErrDQuot:
		return syscall.EDQUOT
	case ErrStale, ErrFHExpired, ErrMoved:
		return syscall.ESTALE
	case ErrBadHandle, ErrOpenMode:
		return syscall.EBADF
	case ErrNotSupp, ErrAttrNotSupp, ErrLockNotSupp, ErrOpIllegal, ErrUnionNotSupp:
		return syscall.EOPNOTSUPP
	case ErrDelay, ErrGrace, ErrDenied, ErrLocked:
		return syscall.EAGAIN
	case ErrSymlink:
		return syscall.ELOOP
	case ErrDeadlock:
		return syscall.EDEADLK
	case ErrFileOpen:
		return syscall.EBUSY
	case ErrNoXattr:
		return syscall.ENODATA
	case ErrXattr2Big:
		return syscall.E2BIG
	case ErrMinorVersMismatch:
		return syscall.EPROTONOSUPPORT
	}
	return syscall.EIO
}
