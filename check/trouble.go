// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package check

import (
	"context"
	"errors"
	"syscall"

	"github.com/hubhome/hubhome/advice"
)

// trouble is the line of a call that went wrong.
func (r *run) trouble(ctx context.Context, err error, format string, args ...any) Line {
	line := bad(Fail, nil, format, args...)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		line.Seen = "interrupted"
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		line.Advice = &advice.Silent
	case errors.Is(err, syscall.EROFS):
		line.Advice = &advice.ReadOnly
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		line.Advice = &advice.NotAllowed
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		line.Advice = &advice.Full
	case errors.Is(err, syscall.EIO):
		line.Advice = &advice.Corrupt
	case errors.Is(err, syscall.EOPNOTSUPP):
		line.Advice = &advice.Unsupported
	}
	return line
}

// meant are the errnos that say it all.
var meant = []syscall.Errno{
	syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.ENOENT, syscall.ENOTDIR,
	syscall.ELOOP, syscall.EEXIST, syscall.EOPNOTSUPP,
}

// plain is an error without what the line says already.
func plain(err error) error {
	for _, errno := range meant {
		if errors.Is(err, errno) {
			return errno
		}
	}
	return err
}
