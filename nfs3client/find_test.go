// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"context"
	"fmt"

	"github.com/hubhome/hubhome/nfsconn"
)

// FindExport returns the longest part of a path that can be mounted: the path itself, or the exported directory that it
// lies below, should it be there or not. ENOENT where there is none; EACCES where this client may not.
func FindExport(ctx context.Context, cfg Config, path string) (string, error) {
	cfg.Export = path
	var found mounted
	err := cfg.withMountd(ctx, func(ctx context.Context, m *mountd) (err error) {
		found, err = m.find(ctx, cfg.Export)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("find export: %w", nfsconn.Fail("", "", cfg.Addr, err))
	}
	return found.path, nil
}
