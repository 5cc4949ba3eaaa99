// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsconn

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"

	"github.com/hubhome/hubhome/oncrpc"
)

// ErrNoAnswer is the error of a call that was sent, and not answered before its deadline.
var ErrNoAnswer = fmt.Errorf("the server did not answer in time (%w)", context.DeadlineExceeded)

// Status is the answer of a server that says what went wrong: nfs4.Status, and its like in other versions.
type Status interface {
	error
	// Errno is what a local file system would have answered; EIO where there is nothing like it.
	Errno() syscall.Errno
}

// Error is the error of every method of a client. It unwraps to a syscall.Errno, and further to the Status, the
// context's error, or that of the connection, where there is one.
type Error struct {
	// Op is what was to be done, Name the name in a directory that it was done to, Addr the server.
	Op, Name, Addr string
	// Errno is EIO for what has no like on a local disk.
	Errno syscall.Errno
	Err   error
}

// Fail makes the error of a method; nil for nil.
func Fail(op, name, addr string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Name: name, Addr: addr, Errno: Errno(err), Err: err}
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
	if status, ok := e.Err.(Status); ok && e.Errno != syscall.EIO && e.Errno == status.Errno() {
		return text + e.Errno.Error()
	}
	return text + e.Err.Error()
}

// Unwrap returns the errno, and what is behind it.
func (e *Error) Unwrap() []error { return []error{e.Errno, e.Err} }

// Errno finds what a local file system would have answered.
func Errno(err error) syscall.Errno {
	if status, ok := errors.AsType[Status](err); ok {
		return status.Errno()
	}
	if reply, ok := errors.AsType[*oncrpc.ReplyError](err); ok && reply.Denied() {
		return syscall.EACCES
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

// StillAnswers is the error of a request that the server did not get to until the end of its time: end is why no more
// time is left, status what the server answered to the last attempt.
func StillAnswers(end, status error) error {
	return fmt.Errorf("%w: the server still answers %w", end, status)
}

// Unsuitable says of the first error with a server what is wrong with it: it does not speak the version of NFS that was
// asked for, or no NFS at all. Other errors stay as they are.
func Unsuitable(err error, version int) error {
	if reply, ok := errors.AsType[*oncrpc.ReplyError](err); ok {
		if low, high, ok := reply.Versions(); ok {
			return fmt.Errorf("the server speaks NFS versions %d to %d, and not %d: %w", low, high, version, err)
		}
		return fmt.Errorf("the server does not serve NFSv%d: %w", version, err)
	}
	_, lost := errors.AsType[*oncrpc.ConnError](err)
	if lost || errors.Is(err, oncrpc.ErrXDR) {
		return fmt.Errorf("this seems not to be an NFS server: %w", err)
	}
	return err
}
