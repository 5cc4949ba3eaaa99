// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
	"github.com/hubhome/hubhome/test/debian"
	"github.com/hubhome/hubhome/vfs"
)

// fileSystems is what a store may lie on, and how to make one in a file.
var fileSystems = map[string][]string{
	"ext4":  {"mkfs.ext4", "-q", "-F"},
	"xfs":   {"mkfs.xfs", "-q", "-f"},
	"btrfs": {"mkfs.btrfs", "-q", "-f"},
	"tmpfs": nil,
}

// fileSystemPackages are Debian's packages of the programs that make them.
var fileSystemPackages = map[string]string{"ext4": "e2fsprogs", "xfs": "xfsprogs", "btrfs": "btrfs-progs"}

// TestConformanceOnFileSystems runs the suite, and what differs between file systems, on each of them. Every one is mounted
// where only a child process sees it: the mount and the loop device go with that process, however it ends.
func TestConformanceOnFileSystems(t *testing.T) {
	if os.Getenv(childOf) == "" {
		if testing.Short() || os.Geteuid() != 0 {
			t.Skip("takes root, to mount file systems, and half a minute")
		}
		for name, mkfs := range fileSystems {
			t.Run(name, func(t *testing.T) {
				if mkfs != nil {
					debian.Program(t, mkfs[0], fileSystemPackages[name])
				}
				child(t, name, &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS})
			})
		}
		return
	}
	name := child(t, "", nil)
	dir := mount(t, name, fileSystems[name])
	if !xattrs(dir) {
		t.Skip("no extended attributes, as on tmpfs before Linux 6.6: its cookies are not stable either")
	}
	t.Setenv("TMPDIR", dir)
	t.Run("suite", TestConformance)
	t.Run("cookies", cookies)
	t.Run("project", func(t *testing.T) { project(t, name) })
	t.Run("moved out of its home", TestParentOutside)
	t.Run("offsets", TestOffsets)
}

// mount makes a file system in memory, with a loop device where it wants a block device, and mounts it. Only for a process
// with mounts of its own.
func mount(t *testing.T, name string, mkfs []string) string {
	t.Helper()
	base := t.TempDir()
	if err := unix.Mount("tmpfs", base, "tmpfs", 0, "size=900m"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(base, unix.MNT_DETACH) })
	if mkfs == nil {
		return base
	}
	image, at := filepath.Join(base, "image"), filepath.Join(base, name)
	write := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write(os.WriteFile(image, nil, 0o600))
	write(os.Truncate(image, 600<<20))
	write(os.Mkdir(at, 0o755))
	if out, err := exec.Command(mkfs[0], append(mkfs[1:], image)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", mkfs, err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, at).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mount: %v\n%s", err, out)
		}
		t.Skipf("mount: %v\n%s", err, out)
	}
	t.Cleanup(func() { unix.Unmount(at, unix.MNT_DETACH) })
	return at
}

// xattrs tells whether files in a directory can have extended attributes.
func xattrs(dir string) bool {
	err := unix.Setxattr(dir, "user.x", nil, 0)
	unix.Removexattr(dir, "user.x")
	return err == nil
}

// cookies lists a directory of thousands from every hundredth entry on, also after others were removed and by another FS,
// as after a restart: each list is the rest of the first.
func cookies(t *testing.T) {
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	const count = 3000
	at := filepath.Join(s.path, hubName, "ada")
	for i := range count {
		if err := os.WriteFile(filepath.Join(at, fmt.Sprintf("%s-%04d", strings.Repeat("n", i%250), i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	type entry struct {
		name   string
		cookie uint64
	}
	list := func(fs vfs.FS, cookie uint64, limit int) (got []entry) {
		t.Helper()
		end, err := fs.ReadDir(ctx, user, dir, cookie, false, func(e *vfs.DirEntry) bool {
			got = append(got, entry{e.Name, e.Cookie})
			return len(got) < limit
		})
		if err != nil || end != (len(got) < limit) {
			t.Fatalf("after cookie %#x: %d entries, end %v: %v", cookie, len(got), end, err)
		}
		return got
	}
	all := list(fs, 0, count+1)
	if len(all) != count {
		t.Fatalf("%d entries, want %d", len(all), count)
	}
	seen := map[string]bool{}
	for _, e := range all {
		if seen[e.name] || e.cookie < 3 {
			t.Fatalf("%q comes with cookie %d, and twice: %v", e.name, e.cookie, seen[e.name])
		}
		seen[e.name] = true
	}
	for i := 0; i < count; i += 100 {
		rest := list(fs, all[i].cookie, 10)
		if want := all[i+1 : min(i+11, count)]; fmt.Sprint(names(rest, func(e entry) string { return e.name })) != fmt.Sprint(names(want, func(e entry) string { return e.name })) {
			t.Fatalf("after entry %d comes %v, want %v", i, rest, want)
		}
	}
	// What was listed goes, what was not stays: the list goes on as if nothing had happened.
	for _, e := range all[:count/2] {
		if _, _, err := fs.Remove(ctx, user, dir, e.name); err != nil {
			t.Fatal(err)
		}
	}
	rest := list(s.open(), all[count/2-1].cookie, count)
	if len(rest) != count/2 {
		t.Errorf("%d entries are left, want %d", len(rest), count/2)
	}
	for i, e := range rest {
		if e.name != all[count/2+i].name {
			t.Fatalf("entry %d is %q, want %q", i, e.name, all[count/2+i].name)
		}
	}
	if rest := list(fs, all[count-1].cookie, 10); len(rest) > 0 {
		t.Errorf("after the last entry comes %v", rest)
	}
}

func names[T any](all []T, name func(T) string) (names []string) {
	for _, e := range all {
		names = append(names, name(e))
	}
	return names
}

// fsxattr is struct fsxattr (ioctl_xfs_fsgetxattr(2)).
type fsxattr struct {
	flags, extentSize, extents, project, cowExtentSize uint32
	_                                                  [8]byte
}

// project gives a home a project id that its directories inherit, as servers with project quotas do: the kernel then refuses to
// move anything into it that was made elsewhere. Everything can be made there all the same.
func project(t *testing.T, name string) {
	if name != "xfs" {
		t.Skip("it knows no projects, or only where the kernel knows quotas")
	}
	const (
		set     = 0x401c5820 // FS_IOC_FSSETXATTR
		get     = 0x801c581f // FS_IOC_FSGETXATTR
		inherit = 0x200      // FS_XFLAG_PROJINHERIT
	)
	s := newStore(t)
	var modes atomic.Int64 // how many are set until one fails
	s.disk.Before = func(op disk.Op) error {
		if op == disk.OpChmod && modes.Add(-1) == 0 {
			return syscall.EIO
		}
		return nil
	}
	fs := s.open()
	dir := home(t, fs, "ada")
	ioctl := func(name string, call uintptr, attr *fsxattr) {
		t.Helper()
		fd := s.dir(filepath.Join(hubName, "ada", name))
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), call, uintptr(unsafe.Pointer(attr))); errno != 0 {
			t.Fatal(errno)
		}
	}
	ioctl("", set, &fsxattr{flags: inherit, project: 42})
	e, ch, err := fs.Mkdir(ctx, user, dir, "d", mode(0o2750))
	if err != nil || e.Attr.UID != 1000 || e.Attr.Mode != 0o2750 || ch.After <= ch.Before || !ch.Atomic {
		t.Fatalf("Mkdir: %+v %+v: %v", e.Attr, ch, err)
	}
	var got fsxattr
	if ioctl("d", get, &got); got.project != 42 || got.flags&inherit == 0 {
		t.Errorf("the directory is of project %d with flags %#x", got.project, got.flags)
	}
	for _, in := range []vfs.Handle{dir, e.Handle} {
		for what, err := range map[string]error{
			"Symlink": fourth(fs.Symlink(ctx, user, in, "l", "f", vfs.SetAttr{})),
			"Mknod":   fourth(fs.Mknod(ctx, user, in, "p", vfs.FIFO, vfs.Device{}, mode(0o600))),
		} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		create(t, fs, in, "f")
		for name, want := range map[string]vfs.Type{"l": vfs.Symlink, "p": vfs.FIFO, "f": vfs.Regular} {
			if e, err := fs.Lookup(ctx, user, in, name); err != nil || e.Attr.UID != 1000 || e.Attr.Type != want {
				t.Errorf("%s: %+v: %v", name, e.Attr, err)
			}
		}
	}
	if _, _, _, err := fs.Rename(ctx, user, dir, "f", e.Handle, "moved"); err != nil {
		t.Errorf("Rename within the project: %v", err)
	}
	modes.Store(2)
	before := descriptors(t)
	if _, _, err := fs.Mkdir(ctx, user, dir, "half", mode(0o700)); err != syscall.EIO {
		t.Errorf("Mkdir of what cannot be given its mode: %v, want EIO", err)
	}
	if _, err := fs.Lookup(ctx, user, dir, "half"); err != syscall.ENOENT {
		t.Errorf("what was half made: %v, want ENOENT", err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// TestCoarseInodes: a file system that keeps whole seconds cannot tell changes apart, and is no place for a store.
func TestCoarseInodes(t *testing.T) {
	if os.Getenv(childOf) == "" && (testing.Short() || os.Geteuid() != 0) {
		t.Skip("takes root, to mount a file system")
	}
	debian.Program(t, "mkfs.ext4", "e2fsprogs")
	if child(t, "seconds", &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}) == "" {
		return
	}
	t.Setenv("TMPDIR", mount(t, "seconds", []string{"mkfs.ext4", "-q", "-F", "-I", "128"}))
	t.Run("refused", func(t *testing.T) { // which has a directory of its own, on that file system
		s := newStore(t)
		_, err := localfs.New(localfs.Options{
			Disk: &s.disk, Root: s.dir(""), Nursery: s.dir(".hubhome/new"), Key: []byte("0123456789abcdef"),
		})
		if err == nil || !strings.Contains(err.Error(), "whole seconds") || !strings.Contains(err.Error(), "tune2fs") {
			t.Errorf("New answers %v", err)
		}
	})
}
