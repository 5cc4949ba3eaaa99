// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
)

// TestManyHomes starts with a ledger of 100,000 clean homes, all of which are told of at once, and changes, persists and
// starts again with them.
func TestManyHomes(t *testing.T) {
	homes := 100_000
	if testing.Short() {
		homes = 1000
	}
	name := func(i int) string { return fmt.Sprintf("user-%d", i) }
	path := t.TempDir()
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, "size=512m"); err == nil { // else it takes longer
		t.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
	}
	s := serving(t, path, nil)
	for i := range homes {
		if err := os.Mkdir(filepath.Join(path, "prod", name(i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetHubs(ctx, prod); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// They were never counted. What they are said to take now is not so: whoever counts them finds out.
	file, each := filepath.Join(path, ".hubhome", "ledger", "ledger"), quota.Usage{Bytes: 1 << 20, Inodes: 5}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if data, err = store.CleanLedger(data, each); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}

	var opened atomic.Int64
	s = serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpOpen {
			opened.Add(1)
		}
		return nil
	}})
	s.Recount(ctx)
	if n := opened.Load(); n > 100 {
		t.Errorf("a start with %d clean homes opened %d files and directories", homes, n)
	}
	told := func(when string, changed quota.Usage) {
		t.Helper()
		r := s.Report()
		users, clean := 0, 0
		for _, h := range r.Hubs[0].Homes {
			if h.Name[0] == '_' { // what users share
				continue
			}
			users++
			want := each
			if h.Name == name(7) {
				want = changed
			}
			if h.State == quota.Clean && h.Used == want {
				clean++
			}
		}
		if users != homes || clean != homes {
			t.Errorf("%s: of %d homes %d are told of, %d of them rightly", when, homes, users, clean)
		}
	}
	told("after the start", each)

	limit := hubhome.Quota{Bytes: hubhome.GiB}
	if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: name(homes - 1), Quota: limit}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(path, "prod", name(7)), 1000, 1000); err != nil {
		t.Fatal(err)
	}
	put(t, s, at(t, s, "prod", name(7)), "f", 9000)
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	s.Sweep()
	changed := quota.Usage{Bytes: each.Bytes + 12288, Inodes: each.Inodes + 1}
	told("after a write", changed)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = serving(t, path, nil)
	told("after another start", changed)
	if q := report(t, s, name(homes-1)).Quota; q.Bytes != hubhome.GiB {
		t.Errorf("the quota of the last home is %s", hubhome.FormatQuotaBytes(q.Bytes))
	}
	if info, err := os.Stat(file); err != nil || info.Size() > int64(homes)*200 {
		t.Errorf("the ledger of %d homes has %d bytes: %v", homes, info.Size(), err)
	}
}
