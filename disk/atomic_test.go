// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestWriteFile: what was there is replaced, whatever an earlier attempt that was cut off has left.
func TestWriteFile(t *testing.T) {
	path, dir := directory(t)
	d := new(Disk)
	big := strings.Repeat("0123456789", 100<<10)
	for i, text := range []string{"first", "", big, "last"} {
		write(t, filepath.Join(path, "f.new"), "left over, and longer than what comes")
		if err := d.WriteFile(dir, "f", []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if got := content(t, filepath.Join(path, "f")); got != text {
			t.Errorf("file %d has %d bytes, want %d", i, len(got), len(text))
		}
		if names, err := os.ReadDir(path); err != nil || len(names) != 1 {
			t.Errorf("left over: %v (%v)", names, err)
		}
	}
	if info, err := os.Stat(filepath.Join(path, "f")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode is %o: %v", info.Mode(), err)
	}
}

// TestWriteFileFails fails each system call of a WriteFile in turn: the error comes to the caller, the file holds the old
// text or the new and nothing else, and nothing is left over.
func TestWriteFileFails(t *testing.T) {
	ops := methods["WriteFile"].ops
	for nth, op := range ops {
		path, dir := directory(t)
		file := filepath.Join(path, "f")
		write(t, file, "old")
		calls := 0
		d := &Disk{Before: func(Op) error {
			if calls++; calls == nth+1 {
				return syscall.EIO
			}
			return nil
		}}
		before := descriptors(t)
		if err := d.WriteFile(dir, "f", []byte("new"), 0o600); err != syscall.EIO {
			t.Errorf("call %d, %s: %v, want EIO", nth, op, err)
		}
		want := "old"
		if nth == len(ops)-1 {
			want = "new" // its name is not surely on the disk
		}
		if got := content(t, file); got != want {
			t.Errorf("call %d, %s: the file says %q, want %q", nth, op, got, want)
		}
		if names, err := os.ReadDir(path); err != nil || len(names) != 1 {
			t.Errorf("call %d, %s: left over: %v (%v)", nth, op, names, err)
		}
		if after := descriptors(t); after != before {
			t.Errorf("call %d, %s: %d descriptors before, %d after", nth, op, before, after)
		}
		if err := new(Disk).WriteFile(dir, "f", []byte("again"), 0o600); err != nil || content(t, file) != "again" {
			t.Errorf("call %d, %s: WriteFile when nothing fails any more: %v", nth, op, err)
		}
	}
}

// TestWriteFileOrder: the data is on the disk before the name is, and the name before WriteFile returns.
func TestWriteFileOrder(t *testing.T) {
	path, dir := directory(t)
	file := filepath.Join(path, "f")
	write(t, file, "old")
	syncs := 0
	d := &Disk{Before: func(op Op) error {
		if op == OpSync {
			syncs++
		}
		if op == OpRename && (syncs != 1 || content(t, file) != "old" || content(t, file+".new") != "new") {
			t.Errorf("at the rename there were %d syncs", syncs)
		}
		return nil
	}}
	if err := d.WriteFile(dir, "f", []byte("new"), 0o600); err != nil || syncs != 2 {
		t.Errorf("%d syncs in all: %v", syncs, err)
	}
}

// TestReadFile: a file of just the limit is read, one byte more is refused, and what is no file answers at once.
func TestReadFile(t *testing.T) {
	path, dir := directory(t)
	d := new(Disk)
	for _, size := range []int{0, 1, 511, 512, 513, 100_000} {
		text := bytes.Repeat([]byte{'x'}, size)
		write(t, filepath.Join(path, "f"), string(text))
		if got, err := d.ReadFile(dir, "f", size); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes within the limit: %d, %v", size, len(got), err)
		}
		if size == 0 {
			continue
		}
		if got, err := d.ReadFile(dir, "f", size-1); err != syscall.EFBIG {
			t.Errorf("%d bytes over the limit: %d, %v, want EFBIG", size, len(got), err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(path, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(path, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := descriptors(t)
	for name, want := range map[string]error{"pipe": syscall.ESPIPE, "dir": syscall.EISDIR, "nothing": syscall.ENOENT} {
		if _, err := d.ReadFile(dir, name, 100); err != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
