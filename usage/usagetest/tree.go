// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package usagetest makes trees of what people have in their homes and what scans get wrong, and compares what a scan says
// of them with what du(1) and the disk say; and disks that are full.
package usagetest

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/usage"
)

// depth is how deep the deepest tree is.
const depth = 1000

// MakeTree makes homes in a hub's directory, which belong to 1000:1000 where root makes them: with sparse files, hard
// links, names that are not UTF-8, symbolic links, a FIFO, a deep tree and a directory of so many entries.
func MakeTree(t testing.TB, hub string, entries int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(path string, size int) {
		t.Helper()
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		must(os.WriteFile(path, make([]byte, size), 0o644))
	}
	odd := filepath.Join(hub, "odd")
	write(odd+"/sparse", 1)
	must(os.Truncate(odd+"/sparse", 1<<30))
	write(odd+"/pkgs/lib.so", 100_000)
	for _, dir := range []string{"envs/a", "envs/b/lib"} {
		must(os.MkdirAll(filepath.Join(odd, dir), 0o755))
		must(os.Link(odd+"/pkgs/lib.so", filepath.Join(odd, dir, "lib.so")))
	}
	write(odd+"/caf\xe9/\xff\xfe", 10)
	must(os.Symlink("nowhere/at/all", odd+"/link"))
	must(os.Symlink("..", odd+"/up"))
	must(os.Symlink(strings.Repeat("long/", 500), odd+"/long"))
	must(syscall.Mkfifo(odd+"/fifo", 0o600))
	must(os.MkdirAll(odd+"/empty", 0o755))
	must(os.MkdirAll(filepath.Join(hub, "deep", strings.Repeat("d/", depth)), 0o755))
	write(filepath.Join(hub, "deep", strings.Repeat("d/", depth-1), "file"), 5)
	many := filepath.Join(hub, "many", "files")
	must(os.MkdirAll(many, 0o755))
	for i := range entries {
		f, err := os.Create(filepath.Join(many, fmt.Sprintf("file-%06d", i)))
		must(err)
		must(f.Close())
	}
	write(filepath.Join(hub, "caf\xe9", "notebook.ipynb"), 12345)
	write(filepath.Join(hub, "_shared", "data.csv"), 70_000)
	write(filepath.Join(hub, "loose"), 3)
	if os.Geteuid() == 0 {
		must(filepath.WalkDir(hub, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, 1000, 1000)
		}))
	}
}

// Measured is what du(1) and the disk say of directories, by their paths below the base share.
type Measured map[string]usage.Tally

// Measure looks at hubs in a base share's directory, and at the homes in them.
func Measure(t testing.TB, base string, hubs ...string) Measured {
	t.Helper()
	m := Measured{}
	for _, hub := range hubs {
		dir := filepath.Join(base, hub)
		m[hub] = measure(t, dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				m[hub+"/"+e.Name()] = measure(t, filepath.Join(dir, e.Name()))
			}
		}
	}
	return m
}

// Compare holds a result to what was measured.
func (m Measured) Compare(t testing.TB, r *usage.Result) {
	t.Helper()
	found := 0
	one := func(path string, got usage.Tally) {
		t.Helper()
		found++
		want, ok := m[path]
		if got.Newest.Equal(want.Newest) && got.Oldest.Equal(want.Oldest) {
			got.Newest, got.Oldest = want.Newest, want.Oldest
		}
		if !ok || got != want {
			t.Errorf("%q: %+v, and it is %+v", path, got, want)
		}
	}
	for i := range r.Hubs {
		hub := &r.Hubs[i]
		one(hub.Name, hub.Total())
		for j := range hub.Homes {
			h := &hub.Homes[j]
			one(hub.Name+"/"+h.Name, h.Tally)
			if !h.Complete || h.Errors != 0 {
				t.Errorf("home %q is complete: %v, with %d errors", h.Name, h.Complete, h.Errors)
			}
		}
	}
	if found != len(m) {
		t.Errorf("%d hubs and homes were found, of %d", found, len(m))
	}
}

// measure is what du says of a directory, and what du does not know.
func measure(t testing.TB, dir string) (m usage.Tally) {
	t.Helper()
	seen := map[uint64]bool{}
	newest, oldest := int64(math.MinInt64), int64(math.MaxInt64)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var s syscall.Stat_t
		if err := syscall.Lstat(path, &s); err != nil {
			return err
		}
		newest, oldest = max(newest, s.Mtim.Nano()), min(oldest, s.Mtim.Nano())
		if e.IsDir() {
			m.Directories++
		} else if (e.Type().IsRegular() || e.Type() == fs.ModeSymlink) && !seen[s.Ino] {
			m.Size += uint64(s.Size)
			seen[s.Ino] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Used = du(t, dir, "-B1")
	m.Files = du(t, dir, "--inodes") - m.Directories
	m.Newest, m.Oldest = time.Unix(0, newest), time.Unix(0, oldest)
	return m
}

// du is what du(1) says of a directory.
func du(t testing.TB, dir string, flag string) uint64 {
	t.Helper()
	out, err := exec.Command("du", "-s", flag, dir).Output()
	if err != nil {
		t.Fatalf("du: %v", err)
	}
	number, _, _ := strings.Cut(string(out), "\t")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		t.Fatalf("du says %q", out)
	}
	return n
}
