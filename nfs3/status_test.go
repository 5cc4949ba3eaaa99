// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
)

// TestStatusIsAnError unwraps to what a local file system would have answered.
func TestStatusIsAnError(t *testing.T) {
	for err, want := range map[error]syscall.Errno{
		ErrNoEnt: syscall.ENOENT, ErrAcces: syscall.EACCES, ErrDQuot: syscall.EDQUOT, ErrNoSpc: syscall.ENOSPC,
		ErrStale: syscall.ESTALE, ErrBadHandle: syscall.EBADF, ErrNotSupp: syscall.EOPNOTSUPP, ErrJukebox: syscall.EAGAIN,
		ErrXDev: syscall.EXDEV, Status(77): syscall.EIO, MountErrAcces: syscall.EACCES, MountErrNoEnt: syscall.ENOENT,
		MountErrNotSupp: syscall.EOPNOTSUPP, MountStatus(77): syscall.EIO,
	} {
		wrapped := fmt.Errorf("do something: %w", err)
		if !errors.Is(wrapped, want) || !errors.Is(wrapped, err) || errors.Is(wrapped, syscall.ENOTDIR) {
			t.Errorf("%v does not unwrap to %v", err, want)
		}
	}
	if OK.Err() != nil || ErrIO.Err() != error(ErrIO) {
		t.Error("Err")
	}
}

// TestNames looks for numbers that were missed, by their names.
func TestNames(t *testing.T) {
	for value, want := range map[fmt.Stringer]string{
		OK: "NFS3_OK", ErrJukebox: "NFS3ERR_JUKEBOX", Status(77): "NFS3ERR_77",
		MountOK: "MNT3_OK", MountErrServerFault: "MNT3ERR_SERVERFAULT", MountStatus(77): "MNT3ERR_77",
	} {
		if value.String() != want {
			t.Errorf("%q, want %q", value, want)
		}
	}
	if ProcCommit != 21 || MountProcExport != 5 {
		t.Errorf("COMMIT is procedure %d, EXPORT %d; want 21 and 5", ProcCommit, MountProcExport)
	}
}
