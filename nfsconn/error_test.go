// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsconn

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
)

// status is a status of a protocol that is none.
type status syscall.Errno

func (s status) Error() string        { return "STATUS" }
func (s status) Errno() syscall.Errno { return syscall.Errno(s) }

// TestErrno finds an errno in every error, and says a plain status in the words of the system.
func TestErrno(t *testing.T) {
	for _, test := range []struct {
		err  error
		want syscall.Errno
		says string
	}{
		{status(syscall.ENOENT), syscall.ENOENT, `open "x": server: no such file or directory`},
		{status(syscall.EIO), syscall.EIO, `open "x": server: STATUS`},
		{fmt.Errorf("look: %w", status(syscall.ENOENT)), syscall.ENOENT, `open "x": server: look: STATUS`},
		{context.Canceled, syscall.EINTR, ""},
		{ErrNoAnswer, syscall.ETIMEDOUT, ""},
		{oncrpc.ErrClosed, syscall.ESHUTDOWN, ""},
		{fmt.Errorf("decode: %w", oncrpc.ErrXDR), syscall.EPROTO, ""},
		{&oncrpc.ReplyError{Stat: oncrpc.AuthTooWeak}, syscall.EACCES, ""},
		{&oncrpc.ReplyError{Stat: oncrpc.SystemErr}, syscall.EIO, ""},
		{syscall.ECONNREFUSED, syscall.ECONNREFUSED, ""},
		{StillAnswers(context.DeadlineExceeded, status(syscall.EAGAIN)), syscall.EAGAIN, ""},
		{errors.New("a mystery"), syscall.EIO, ""},
	} {
		err := Fail("open", "x", "server", test.err)
		if !errors.Is(err, test.want) || !errors.Is(err, test.err) || Errno(test.err) != test.want {
			t.Errorf("%v: %v, want %v", test.err, Errno(test.err), test.want)
		}
		if test.says != "" && err.Error() != test.says {
			t.Errorf("%q, want %q", err, test.says)
		}
	}
	if Fail("open", "x", "server", nil) != nil {
		t.Error("no error became one")
	}
}
