// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import (
	"context"
	"errors"
	"slices"
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

// homeSigns are what programs make at the top of a user's home, and nobody in a hub's directory: no user's directory begins
// with a dot (hubhome.EscapeUsername).
var homeSigns = []string{".jupyter", ".ipython", ".local", ".cache", ".config"}

// HubForHome tells whether what was taken for hubs looks like the homes of one hub: more than half of them have in them what
// homes have. hub is one that has a sign, the first by name.
func (r *Result) HubForHome() (hub, sign string, looks bool) {
	n := 0
	for i := range r.Hubs {
		h := &r.Hubs[i]
		at := slices.IndexFunc(h.Homes, func(home Home) bool { return slices.Contains(homeSigns, home.Name) })
		if at < 0 {
			continue
		}
		n++
		if hub == "" || h.Name < hub {
			hub, sign = h.Name, h.Homes[at].Name
		}
	}
	return hub, sign, 2*n > len(r.Hubs)
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
