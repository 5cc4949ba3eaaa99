// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"context"
	"errors"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// Space is what space a server says that it has, where a directory is. path and as are those of a Spec, and the errors those of
// Scan.
func Space(ctx context.Context, fs vfs.FS, path []string, as *vfs.Caller) (vfs.StatFS, error) {
	at, err := newScanner(fs, Spec{Path: path, As: as}).find(ctx)
	if err != nil {
		return vfs.StatFS{}, err
	}
	return fs.StatFS(ctx, at.handle)
}

// IsHub tells whether a directory is a hub's, and not a base share: there are shared directories in it. path and as are
// those of a Spec, and the errors those of Scan.
func IsHub(ctx context.Context, fs vfs.FS, path []string, as *vfs.Caller) (bool, error) {
	s := newScanner(fs, Spec{Path: path, As: as})
	at, err := s.find(ctx)
	if err != nil {
		return false, err
	}
	for _, name := range []string{"_shared", "_shared-public"} {
		_, err := s.below(ctx, at, name)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENOTDIR) {
			return false, err
		}
	}
	return false, nil
}
