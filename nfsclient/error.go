// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
)

// errNoAnswer is the error of a call that was sent, and not answered before its deadline.
var errNoAnswer = fmt.Errorf("the server did not answer in time (%w)", context.DeadlineExceeded)

// Error is the error of every method. It unwraps to a syscall.Errno, and further to the nfs4.Status, the context's
// error, or that of the connection, where there is one.
type Error struct {
	// Op is what was to be done, Name the name in a directory that it was done to, Addr the server.
	Op, Name, Addr string
	// Errno is EIO for what has no like on a local disk.
	Errno syscall.Errno
	Err   error
}

// Error says what, to which name, where and why.
func (e *Error) Error() string {
	text := e.Op
	if e.Name != "" {
		text += " " + strconv.Quote(e.Name)
	}
	if text != "" {
		text += ": "
	}
	text += e.Addr + ": "
	if status, ok := e.Err.(nfs4.Status); ok && e.Errno != syscall.EIO && e.Errno == status.Errno() {
		return text + e.Errno.Error()
	}
	return text + e.Err.Error()
}

// Unwrap returns the errno, and what is behind it.
func (e *Error) Unwrap() []error { return []error{e.Errno, e.Err} }

// fail makes the error of a method; nil for nil.
func (fs *FS) fail(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Name: name, Addr: fs.addr, Errno: errnoOf(err), Err: err}
}

// errnoOf finds what a local file system would have answered.
func errnoOf(err error) syscall.Errno {
	if status, ok := errors.AsType[nfs4.Status](err); ok {
		return status.Errno()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return syscall.EINTR
	case errors.Is(err, context.DeadlineExceeded):
		return syscall.ETIMEDOUT
	case errors.Is(err, oncrpc.ErrClosed):
		return syscall.ESHUTDOWN
	case errors.Is(err, oncrpc.ErrXDR):
		return syscall.EPROTO
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok && errno != 0 {
		return errno
	}
	return syscall.EIO
}
