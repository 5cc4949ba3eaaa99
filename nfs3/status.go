// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import (
	"strconv"
	"syscall"
)

// Status is the outcome of a procedure (nfsstat3, RFC 1813 section 2.6). It is an error that unwraps to the syscall.Errno
// that a local file system would have answered.
type Status uint32

// The statuses.
const (
	OK             Status = 0
	ErrPerm        Status = 1
	ErrNoEnt       Status = 2
	ErrIO          Status = 5
	ErrNXIO        Status = 6
	ErrAcces       Status = 13
	ErrExist       Status = 17
	ErrXDev        Status = 18
	ErrNoDev       Status = 19
	ErrNotDir      Status = 20
	ErrIsDir       Status = 21
	ErrInval       Status = 22
	ErrFBig        Status = 27
	ErrNoSpc       Status = 28
	ErrROFS        Status = 30
	ErrMLink       Status = 31
	ErrNameTooLong Status = 63
	ErrNotEmpty    Status = 66
	ErrDQuot       Status = 69
	ErrStale       Status = 70
	ErrRemote      Status = 71
	ErrBadHandle   Status = 10001
	ErrNotSync     Status = 10002
	ErrBadCookie   Status = 10003
	ErrNotSupp     Status = 10004
	ErrTooSmall    Status = 10005
	ErrServerFault Status = 10006
	ErrBadType     Status = 10007
	// ErrJukebox asks for patience: the server will have it later.
	ErrJukebox Status = 10008
)

// statuses are the name of each status and what a local file system would have answered.
var statuses = map[Status]struct {
	name  string
	errno syscall.Errno
}{
	OK:             {"NFS3_OK", 0},
	ErrPerm:        {"NFS3ERR_PERM", syscall.EPERM},
	ErrNoEnt:       {"NFS3ERR_NOENT", syscall.ENOENT},
	ErrIO:          {"NFS3ERR_IO", syscall.EIO},
	ErrNXIO:        {"NFS3ERR_NXIO", syscall.ENXIO},
	ErrAcces:       {"NFS3ERR_ACCES", syscall.EACCES},
	ErrExist:       {"NFS3ERR_EXIST", syscall.EEXIST},
	ErrXDev:        {"NFS3ERR_XDEV", syscall.EXDEV},
	ErrNoDev:       {"NFS3ERR_NODEV", syscall.ENODEV},
	ErrNotDir:      {"NFS3ERR_NOTDIR", syscall.ENOTDIR},
	ErrIsDir:       {"NFS3ERR_ISDIR", syscall.EISDIR},
	ErrInval:       {"NFS3ERR_INVAL", syscall.EINVAL},
	ErrFBig:        {"NFS3ERR_FBIG", syscall.EFBIG},
	ErrNoSpc:       {"NFS3ERR_NOSPC", syscall.ENOSPC},
	ErrROFS:        {"NFS3ERR_ROFS", syscall.EROFS},
	ErrMLink:       {"NFS3ERR_MLINK", syscall.EMLINK},
	ErrNameTooLong: {"NFS3ERR_NAMETOOLONG", syscall.ENAMETOOLONG},
	ErrNotEmpty:    {"NFS3ERR_NOTEMPTY", syscall.ENOTEMPTY},
	ErrDQuot:       {"NFS3ERR_DQUOT", syscall.EDQUOT},
	ErrStale:       {"NFS3ERR_STALE", syscall.ESTALE},
	ErrRemote:      {"NFS3ERR_REMOTE", syscall.EREMOTE},
	ErrBadHandle:   {"NFS3ERR_BADHANDLE", syscall.EBADF},
	ErrNotSync:     {"NFS3ERR_NOT_SYNC", syscall.EAGAIN},
	ErrBadCookie:   {"NFS3ERR_BAD_COOKIE", syscall.EINVAL},
	ErrNotSupp:     {"NFS3ERR_NOTSUPP", syscall.EOPNOTSUPP},
	ErrTooSmall:    {"NFS3ERR_TOOSMALL", syscall.EINVAL},
	ErrServerFault: {"NFS3ERR_SERVERFAULT", syscall.EIO},
	ErrBadType:     {"NFS3ERR_BADTYPE", syscall.EINVAL},
	ErrJukebox:     {"NFS3ERR_JUKEBOX", syscall.EAGAIN},
}

// String returns the name as the RFC spells it.
func (s Status) String() string {
	if known, ok := statuses[s]; ok {
		return known.name
	}
	return "NFS3ERR_" + strconv.FormatUint(uint64(s), 10)
}

// Error is String.
func (s Status) Error() string { return s.String() }

// Errno returns what a local file system would have answered: zero for OK, EIO for what has no like there.
func (s Status) Errno() syscall.Errno {
	if known, ok := statuses[s]; ok {
		return known.errno
	}
	return syscall.EIO
}

// Unwrap returns Errno.
func (s Status) Unwrap() error { return s.Errno() }

// Err returns the status as an error: nil for OK.
func (s Status) Err() error {
	if s == OK {
		return nil
	}
	return s
}
