// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"cmp"
	"context"

	"github.com/hubhome/hubhome/vfs"
)

// noXattr is the error of all that concerns extended attributes.
func (fs *FS) noXattr(op string, h vfs.Handle, name string) error {
	return fs.fail(op, name, cmp.Or(checkHandle(h), errNotInVersion))
}

// GetXattr answers EOPNOTSUPP.
func (fs *FS) GetXattr(_ context.Context, _ *vfs.Caller, h vfs.Handle, name string) ([]byte, error) {
	return nil, fs.noXattr("getxattr", h, name)
}

// SetXattr answers EOPNOTSUPP.
func (fs *FS) SetXattr(_ context.Context, _ *vfs.Caller, h vfs.Handle, name string, _ []byte, _ vfs.XattrMode) (vfs.DirChange, error) {
	return vfs.DirChange{}, fs.noXattr("setxattr", h, name)
}

// ListXattr answers EOPNOTSUPP.
func (fs *FS) ListXattr(_ context.Context, _ *vfs.Caller, h vfs.Handle) ([]string, error) {
	return nil, fs.noXattr("listxattr", h, "")
}

// RemoveXattr answers EOPNOTSUPP.
func (fs *FS) RemoveXattr(_ context.Context, _ *vfs.Caller, h vfs.Handle, name string) (vfs.DirChange, error) {
	return vfs.DirChange{}, fs.noXattr("removexattr", h, name)
}
