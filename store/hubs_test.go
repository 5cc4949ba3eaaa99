// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestNotice: homes that were made, moved and removed on the disk are known, also while nobody uses them; and a hub in which
// nothing was changed is not listed again.
func TestNotice(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	hub := filepath.Join(path, "prod")
	unchanged := func() {
		long := time.Now().Add(-time.Hour)
		if err := os.Chtimes(hub, long, long); err != nil {
			t.Fatal(err)
		}
		if listed, err := s.Notice(); !listed || err != nil {
			t.Fatalf("when its directory has another time the hub is listed: %v: %v", listed, err)
		}
		if listed, err := s.Notice(); listed || err != nil {
			t.Fatalf("when nothing has changed the hub is listed: %v: %v", listed, err)
		}
	}
	known := func(name string) bool {
		for _, hub := range s.Report().Hubs {
			for _, home := range hub.Homes {
				if home.Name == name {
					return true
				}
			}
		}
		return false
	}
	ada, bob := filepath.Join(hub, "ada"), filepath.Join(hub, "bob")
	for _, step := range []struct {
		what      string
		do        func() error
		has, lost string
	}{
		{"made", func() error { return os.Mkdir(ada, 0o755) }, "ada", ""},
		{"moved", func() error { return os.Rename(ada, bob) }, "bob", "ada"},
		{"removed", func() error { return os.Remove(bob) }, "", "bob"},
	} {
		unchanged()
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Notice(); err != nil {
			t.Fatal(err)
		}
		if step.has != "" && !known(step.has) || step.lost != "" && known(step.lost) {
			t.Errorf("after a home was %s on the disk: %+v", step.what, s.Report().Hubs)
		}
	}
	if err := os.Rename(hub, hub+"-away"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Notice(); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("without the hub's directory: %v", err)
	}
}
