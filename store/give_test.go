// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/store"
)

// TestGive gives what is root's of a store and hubhome's own, and nothing else: not what is somebody's, not what a link leads
// to, and no home.
func TestGive(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("gives files away, which takes root")
	}
	base := t.TempDir()
	path := filepath.Join(base, "data")
	for _, dir := range []string{"data/.hubhome/new", "data/.hubhome/clients", "data/prod", "other"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"data/.hubhome/lock", "data/.hubhome/new/half", "data/prod/root's", "other/file"} {
		if err := os.WriteFile(filepath.Join(base, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"data/.hubhome/file": "other/file", "data/.hubhome/dir": "other"} {
		if err := os.Symlink(filepath.Join(base, target), filepath.Join(base, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(base, "data/.hubhome/new/half"), 7, 8); err != nil {
		t.Fatal(err)
	}
	owner := hubhome.Owner{UID: 1000, GID: 100}
	for range 2 {
		if err := store.Give(path, owner); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]hubhome.Owner{
			"data": owner, "data/.hubhome": owner, "data/.hubhome/new": owner, "data/.hubhome/clients": owner, "data/.hubhome/lock": owner,
			"data/.hubhome/new/half": {UID: 7, GID: 8}, "data/prod": {}, "data/prod/root's": {}, "other": {}, "other/file": {},
		} {
			info, err := os.Lstat(filepath.Join(base, name))
			if err != nil {
				t.Fatal(err)
			}
			st := info.Sys().(*syscall.Stat_t)
			if is := (hubhome.Owner{UID: st.Uid, GID: st.Gid}); is != want {
				t.Errorf("%s belongs to %s, want %s", name, is, want)
			}
		}
	}
	err := store.Give(path, hubhome.Owner{UID: 2000, GID: 2000})
	if err == nil || !strings.Contains(err.Error(), "belongs to 1000:100, and not to root or to 2000:2000") {
		t.Errorf("given to a third: %v", err)
	}
	// What is not root's is not hubhome's own, whatever its name.
	if err := os.WriteFile(filepath.Join(path, ".hubhome", "planted"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Give(path, owner); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(filepath.Join(path, ".hubhome", "planted")); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("a file that somebody has put where hubhome's own are was given away: %v", err)
	}
}
