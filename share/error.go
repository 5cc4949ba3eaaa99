// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package share

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome"
)

// Trouble is what kept a directory from being made.
type Trouble uint8

// The troubles.
const (
	// Failed: anything else than those below.
	Failed Trouble = iota
	// Silent: the server did not answer before the context's deadline.
	Silent
	// Missing: the base share is not there, and cannot be made.
	Missing
	// Denied: the server does not let the owner, or root, do it.
	Denied
	// ReadOnly: nobody can write to the export.
	ReadOnly
	// Full: no space is left, or no quota.
	Full
	// InTheWay: something else is where the directory should be.
	InTheWay
)

var troubleNames = [...]string{
	Failed: "failed", Silent: "silent", Missing: "missing", Denied: "denied", ReadOnly: "read-only", Full: "full",
	InTheWay: "in-the-way",
}

// String returns a word for the trouble that programs can count on.
func (t Trouble) String() string { return troubleNames[t] }

// Error is why Create could not go on.
type Error struct {
	Trouble Trouble
	// Doing is what was to be done, to the Path on the server; Seen is what was seen that explains it.
	Doing, Path, Seen string
	// AsOwner tells that it was to be done as the owner, where the owner may do it by all that is seen.
	AsOwner bool
	// Occupant is to whom the directory belongs that is InTheWay; nil where it is none.
	Occupant *hubhome.Owner
	Err      error
}

// Error says what was to be done, to what, why it was not, and what was seen.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %v", e.Doing, e.Path, plain(e.Err))
	if e.Seen != "" {
		text += ": " + e.Seen
	}
	return text
}

// Unwrap returns why.
func (e *Error) Unwrap() error { return e.Err }

// plain is an error without what Error says already: of one with a meaning of its own, the errno.
func plain(err error) error {
	if troubleOf(err) == Failed {
		return err
	}
	errno, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return err
	}
	return errno
}

// troubleOf tells what an error of the FS means.
func troubleOf(err error) Trouble {
	switch {
	case errors.Is(err, syscall.EROFS):
		return ReadOnly
	case denied(err):
		return Denied
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return Full
	case errors.Is(err, syscall.EEXIST), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP):
		return InTheWay
	}
	return Failed
}

// fail makes the error of something that was to be done.
func fail(ctx context.Context, doing, path string, err error) *Error {
	e := &Error{Trouble: troubleOf(err), Doing: doing, Path: path, Err: err}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		e.Trouble = Silent
	}
	return e
}

// seen adds what was seen.
func (e *Error) seen(format string, args ...any) *Error {
	e.Seen = fmt.Sprintf(format, args...)
	return e
}

// denied tells whether a caller was refused, so that another may have more luck.
func denied(err error) bool { return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) }
