// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

var (
	ctx    = context.Background()
	quiet  = slog.New(slog.NewTextHandler(io.Discard, nil))
	jovyan = hubhome.Owner{UID: 1000, GID: 1000}
)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	needsRoot(t)
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
}

func stat(t *testing.T, path string) *syscall.Stat_t {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t)
}

func TestHubs(t *testing.T) {
	path := t.TempDir()
	s := open(t, path)
	hubs := []store.Hub{
		{Name: "staging", Owner: jovyan, Mode: 0o755, Shared: true},
		{Name: "prod", Owner: hubhome.Owner{UID: 7, GID: 8}, Mode: 0o2775, Shared: true, SharedPublic: true},
	}
	for range 2 {
		if err := s.SetHubs(ctx, hubs); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"staging": "1000:1000 40755", "staging/_shared": "1000:1000 40755",
		"prod": "7:8 42775", "prod/_shared": "7:8 40755", "prod/_shared-public": "7:8 40777",
	} {
		st := stat(t, filepath.Join(path, name))
		if got := fmt.Sprintf("%d:%d %o", st.Uid, st.Gid, st.Mode); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(path, "staging/_shared-public")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that nobody asked for: %v", err)
	}
}

// TestHubsTouchNothingInside: what is in a hub's directory is its users', also the shared directories once they are there.
func TestHubsTouchNothingInside(t *testing.T) {
	path := t.TempDir()
	home, shared := filepath.Join(path, "prod", "ada"), filepath.Join(path, "prod", "_shared")
	for _, dir := range []string{home, shared} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path)
	before, sharedBefore := *stat(t, home), *stat(t, shared)
	if err := s.SetHubs(ctx, []store.Hub{{Name: "prod", Owner: jovyan, Mode: 0o750, Shared: true}}); err != nil {
		t.Fatal(err)
	}
	if st := stat(t, filepath.Join(path, "prod")); st.Uid != 1000 || st.Mode&0o7777 != 0o750 {
		t.Errorf("the hub's directory has owner %d and mode %o", st.Uid, st.Mode)
	}
	if after := *stat(t, home); after != before {
		t.Errorf("the home was %+v and is %+v", before, after)
	}
	if after := *stat(t, shared); after != sharedBefore {
		t.Errorf("the shared directory was %+v and is %+v", sharedBefore, after)
	}
}

func TestHubIsNoDirectory(t *testing.T) {
	for name, make := range map[string]func(string) error{
		"file": func(p string) error { return os.WriteFile(p, nil, 0o644) },
		"link": func(p string) error { return os.Symlink("/etc", p) },
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			if err := make(filepath.Join(path, "prod")); err != nil {
				t.Fatal(err)
			}
			s := open(t, path)
			err := s.SetHubs(ctx, []store.Hub{{Name: "prod", Owner: jovyan, Mode: 0o755}})
			if !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), `"prod"`) {
				t.Errorf("SetHubs answers %v, want ENOTDIR that names the hub", err)
			}
		})
	}
}

// TestFailedHubsStay: a hub that cannot be made leaves those that are served as they are.
func TestFailedHubsStay(t *testing.T) {
	path := t.TempDir()
	s := open(t, path)
	if err := s.SetHubs(ctx, []store.Hub{{Name: "prod", Owner: jovyan, Mode: 0o755}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "bad"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.SetHubs(ctx, []store.Hub{{Name: "bad", Owner: jovyan, Mode: 0o755}}); err == nil {
		t.Fatal("a file passes for a hub")
	}
	root, err := s.FS().Root(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.FS().Lookup(ctx, nil, root, "prod"); err != nil {
		t.Errorf("the hub from before: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	needsRoot(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	proc := "/proc/self/fdinfo" // a file system that nothing can be made in
	for name, test := range map[string]struct {
		path string
		want error
		says string
	}{
		"missing":         {filepath.Join(dir, "nothing"), syscall.ENOENT, "make the directory"},
		"not a directory": {file, syscall.ENOTDIR, "must be a directory"},
		"not writable":    {proc, nil, proc},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(ctx, store.Options{Path: test.path, Logger: quiet})
			if err == nil {
				s.Close()
				t.Fatal("it can be opened")
			}
			if test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), test.path) {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	needsRoot(t)
	path := t.TempDir()
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_RDONLY, "size=1m"); err != nil {
		t.Skipf("mount a file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(path, unix.MNT_DETACH) })
	_, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("the error is %v", err)
	}
}

// TestNoHandles: what the file system or the process cannot do is named, with what to do about it.
func TestNoHandles(t *testing.T) {
	needsRoot(t)
	for errno, says := range map[syscall.Errno]string{
		syscall.EPERM: "CAP_DAC_READ_SEARCH", syscall.EOPNOTSUPP: "use ext4, XFS or Btrfs",
	} {
		_, err := store.Open(ctx, store.Options{Path: t.TempDir(), Logger: quiet, Disk: &disk.Disk{Before: func(op disk.Op) error {
			if op == disk.OpOpenHandle {
				return errno
			}
			return nil
		}}})
		var handles *localfs.HandleError
		if !errors.As(err, &handles) || !errors.Is(err, errno) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v: the error is %v", errno, err)
		}
	}
}

// TestSecondServer: a store has one server, and who wants to be the second is told which.
func TestSecondServer(t *testing.T) {
	path := t.TempDir()
	first := open(t, path)
	_, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
	if !errors.Is(err, syscall.EBUSY) || !strings.Contains(err.Error(), fmt.Sprintf("process %d on", os.Getpid())) {
		t.Errorf("the error is %v", err)
	}
	first.Close()
	open(t, path)
}

// TestIdentityStays: a store is the same one after a restart, and what is damaged or newer is not written over.
func TestIdentityStays(t *testing.T) {
	path := t.TempDir()
	s := open(t, path)
	id := string(s.ID())
	s.Close()
	s = open(t, path)
	if string(s.ID()) != id || id == "" {
		t.Errorf("the store was %q and is %q", id, s.ID())
	}
	s.Close()
	file := filepath.Join(path, ".hubhome", "store.json")
	for says, text := range map[string]string{
		"use a newer hubhome": `{"format": 2, "id": "x", "key": ""}`,
		"is damaged":          `{"format": 1, "id"`,
		"no format":           `{}`,
		"its key has 3 bytes": `{"format": 1, "id": "x", "key": "AAAA"}`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "store.json") {
			t.Errorf("%s: the error is %v", text, err)
		}
		if now, _ := os.ReadFile(file); string(now) != text {
			t.Errorf("%s was written over with %s", text, now)
		}
	}
}

func TestClientRecords(t *testing.T) {
	path := t.TempDir()
	s := open(t, path)
	a, b := []byte("a\x00\xff/.."), []byte("b")
	v1, v2 := [8]byte{1}, [8]byte{2}
	c := s.Clients()
	for _, err := range []error{
		c.Add(a, v1, 10), c.Add(a, v1, 11), c.Add(a, v1, 10), c.Add(b, v1, 10), c.Add(b, v2, 12),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	reopen := func() map[string]store.ClientRecord {
		t.Helper()
		s.Close()
		s = open(t, path)
		c = s.Clients()
		all, err := c.Load()
		if err != nil {
			t.Fatal(err)
		}
		records := map[string]store.ClientRecord{}
		for _, r := range all {
			records[string(r.Owner)] = r
		}
		return records
	}
	records := reopen()
	if r := records[string(a)]; r.Verifier != v1 || !slices.Equal(r.Homes, []vfs.HomeID{10, 11}) {
		t.Errorf("the first client's record is %+v", r)
	}
	if r := records[string(b)]; r.Verifier != v2 || !slices.Equal(r.Homes, []vfs.HomeID{12}) {
		t.Errorf("the record of a client that restarted is %+v", r)
	}
	if err := c.Replace(a, v1, []vfs.HomeID{11}); err != nil {
		t.Fatal(err)
	}
	if err := c.Replace(b, v2, nil); err != nil {
		t.Fatal(err)
	}
	records = reopen()
	if len(records) != 1 || !slices.Equal(records[string(a)].Homes, []vfs.HomeID{11}) {
		t.Errorf("the records are %+v", records)
	}
}

// TestDamagedClientRecord: one bad record costs its client the reclaim, and nobody else anything.
func TestDamagedClientRecord(t *testing.T) {
	path := t.TempDir()
	s := open(t, path)
	for _, owner := range []string{"a", "b"} {
		if err := s.Clients().Add([]byte(owner), [8]byte{1}, 10); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	dir := filepath.Join(path, ".hubhome", "clients")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("the records are in %v: %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, path)
	records, err := s.Clients().Load()
	if err != nil || len(records) != 1 {
		t.Errorf("the records are %+v: %v", records, err)
	}
	if _, err := os.Stat(files[0] + ".damaged"); err != nil {
		t.Errorf("the damaged record is not put aside: %v", err)
	}
}

// TestFailedClientRecord: what could not be made durable is an error and leaves the record from before.
func TestFailedClientRecord(t *testing.T) {
	needsRoot(t)
	path := t.TempDir()
	for _, op := range []disk.Op{disk.OpOpen, disk.OpWrite, disk.OpSync, disk.OpRename} {
		failed := false
		d := &disk.Disk{Before: func(now disk.Op) error {
			if failed && now == op {
				return syscall.EIO
			}
			return nil
		}}
		s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Disk: d})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Clients().Replace([]byte("a"), [8]byte{1}, []vfs.HomeID{10}); err != nil {
			t.Fatal(err)
		}
		failed = true
		if err := s.Clients().Add([]byte("a"), [8]byte{1}, 11); !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: Add answers %v, want EIO", op, err)
		}
		failed = false
		if err := s.Clients().Add([]byte("a"), [8]byte{1}, 11); err != nil {
			t.Errorf("%s: Add answers %v when nothing fails any more", op, err)
		}
		s.Close()
	}
}

// TestBirthless: whoever has a file system that does not keep when files were made hears what follows. No such file system that a
// store can lie on is one that every kernel can mount, so that what the kernel says of it is made up.
func TestBirthless(t *testing.T) {
	needsRoot(t)
	var log bytes.Buffer
	s, err := store.Open(ctx, store.Options{Path: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	log.Reset()
	s.WarnBirthless(&disk.Stat{Mask: unix.STATX_BASIC_STATS | unix.STATX_BTIME, Btime: unix.StatxTimestamp{Sec: 1}})
	if log.Len() > 0 {
		t.Errorf("of one that does the log says %s", log.String())
	}
	s.WarnBirthless(&disk.Stat{Mask: unix.STATX_BASIC_STATS})
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "store check --repair") {
		t.Errorf("of one that does not, the log says %q", log.String())
	}
}
