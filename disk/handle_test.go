// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHandles: a handle of any file, by its name or by its descriptor, opens just that file for as long as it is there.
func TestHandles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle")
	}
	path, dir := directory(t)
	d := new(Disk)
	write(t, filepath.Join(path, "file"), "text")
	for _, err := range []error{
		os.Mkdir(filepath.Join(path, "dir"), 0o700), os.Symlink("file", filepath.Join(path, "link")),
		unix.Mkfifo(filepath.Join(path, "pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"file", "dir", "link", "pipe"} {
		var want Stat
		if err := d.Stat(dir, name, &want); err != nil {
			t.Fatal(err)
		}
		named, mount, err := d.AppendHandle([]byte("before"), dir, name)
		if err != nil || !strings.HasPrefix(string(named), "before") {
			t.Fatalf("%s: the handle is %q: %v", name, named, err)
		}
		kernel := string(named[len("before"):])
		fd, err := d.OpenHandle(dir, kernel, unix.O_PATH|unix.O_NOFOLLOW)
		if err != nil {
			t.Fatalf("%s: open its handle: %v", name, err)
		}
		var got Stat
		if err := d.Stat(fd, Here, &got); err != nil || got.Ino != want.Ino || got.Mode != want.Mode {
			t.Errorf("%s: its handle opens inode %d with mode %o: %v", name, got.Ino, got.Mode, err)
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: a child process would have the descriptor (%v)", name, err)
		}
		again, sameMount, err := d.AppendHandle(nil, fd, Here)
		if err != nil || string(again) != kernel || sameMount != mount {
			t.Errorf("%s: the descriptor's handle is %q on mount %d, want %q on %d: %v", name, again, sameMount, kernel, mount, err)
		}
		Close(fd)
		flags := 0
		if name == "dir" {
			flags = unix.AT_REMOVEDIR
		}
		if err := d.Unlink(dir, name, flags); err != nil {
			t.Fatal(err)
		}
		if fd, err := d.OpenHandle(dir, kernel, unix.O_PATH); err != syscall.ESTALE {
			Close(fd)
			t.Errorf("%s: the handle of a removed file answers %v, want ESTALE", name, err)
		}
		if _, _, err := d.AppendHandle(nil, dir, name); err != syscall.ENOENT {
			t.Errorf("%s: the handle of a removed name answers %v, want ENOENT", name, err)
		}
	}
	before := descriptors(t)
	for _, bad := range []string{"", "abc", strings.Repeat("h", 4+maxHandle+1)} {
		if fd, err := d.OpenHandle(dir, bad, unix.O_PATH); err != syscall.ESTALE || fd != -1 {
			t.Errorf("%q opens as %d: %v, want ESTALE", bad, fd, err)
		}
	}
	if _, _, err := d.AppendHandle(nil, dir, "a\x00b"); err != syscall.EINVAL {
		t.Errorf("a name with a NUL answers %v, want EINVAL", err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
