// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs4

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
)

func TestStatusOf(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Status
	}{
		{nil, OK},
		{syscall.ENOENT, ErrNoEnt},
		{fmt.Errorf("open notebook: %w", syscall.EDQUOT), ErrDQuot},
		{fmt.Errorf("write notebook: %w", syscall.ENOSPC), ErrNoSpc},
		{syscall.ESTALE, ErrStale},
		{syscall.EBADF, ErrBadHandle},
		{syscall.ELOOP, ErrSymlink},
		{syscall.ENODATA, ErrNoXattr},
		{syscall.E2BIG, ErrXattr2Big},
		{syscall.EOPNOTSUPP, ErrNotSupp},
		{syscall.ENFILE, ErrDelay},
		{syscall.EPIPE, ErrIO},
		{fmt.Errorf("lock: %w", ErrDenied), ErrDenied},
		{fmt.Errorf("decode: %w", oncrpc.ErrXDR), ErrBadXDR},
		{fmt.Errorf("wait: %w", context.DeadlineExceeded), ErrDelay},
		{errors.New("a mystery"), ErrServerFault},
	} {
		if got := StatusOf(test.err); got != test.want {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}

// TestErrnoSurvives sends the errors that the vfs contract gives a meaning over the wire and back.
func TestErrnoSurvives(t *testing.T) {
	for _, errno := range []syscall.Errno{
		0, syscall.EPERM, syscall.ENOENT, syscall.EIO, syscall.ENXIO, syscall.EACCES, syscall.EEXIST, syscall.EXDEV,
		syscall.ENOTDIR, syscall.EISDIR, syscall.EINVAL, syscall.EFBIG, syscall.ENOSPC, syscall.EROFS, syscall.EMLINK,
		syscall.ENAMETOOLONG, syscall.ENOTEMPTY, syscall.EDQUOT, syscall.ESTALE, syscall.EBADF, syscall.EOPNOTSUPP,
		syscall.ELOOP, syscall.ENODATA, syscall.E2BIG, syscall.EAGAIN, syscall.EBUSY, syscall.EDEADLK,
	} {
		status := StatusOf(errno)
		if errno == 0 {
			status = OK
		}
		if got := status.Errno(); got != errno {
			t.Errorf("%v is %v and then %v", errno, status, got)
		}
	}
}

func TestStatusIsAnError(t *testing.T) {
	err := fmt.Errorf("rename: %w", ErrXDev)
	if !errors.Is(err, syscall.EXDEV) || !errors.Is(err, ErrXDev) || errors.Is(err, syscall.ENOENT) {
		t.Errorf("%v does not unwrap as it should", err)
	}
	if OK.Err() != nil || ErrIO.Err() != error(ErrIO) {
		t.Error("Err")
	}
}

// TestNames looks for numbers that were missed, by their names.
func TestNames(t *testing.T) {
	for value, want := range map[fmt.Stringer]string{
		OK: "NFS4_OK", ErrDelay: "NFS4ERR_DELAY", ErrXattr2Big: "NFS4ERR_XATTR2BIG", Status(77): "NFS4ERR_77",
		OpGetAttr: "GETATTR", OpExchangeID: "EXCHANGE_ID", OpRemoveXattr: "REMOVEXATTR", OpIllegal: "ILLEGAL",
		Op(2): "OP_2", Op(76): "OP_76", Op(1 << 31): "OP_2147483648",
	} {
		if value.String() != want {
			t.Errorf("%q, want %q", value, want)
		}
	}
	for o := OpAccess; o <= maxOp; o++ {
		if opNames[o] == "" {
			t.Errorf("operation %d has no name", o)
		}
	}
}
