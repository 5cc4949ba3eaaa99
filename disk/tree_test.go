// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// dirent appends one struct linux_dirent64: its name, then NULs up to its length.
func dirent(b []byte, ino uint64, offset int64, name string, length int) []byte {
	at := len(b)
	b = le.AppendUint64(b, ino)
	b = le.AppendUint64(b, uint64(offset))
	b = le.AppendUint16(b, uint16(length))
	b = append(b, unix.DT_REG)
	b = append(b, name...)
	for len(b) < at+length {
		b = append(b, 0)
	}
	return b
}

// TestParseDirents: names end with a NUL or with their record; the directory and its parent are left out; what cannot be a
// record ends the list, and is neither a panic nor a hang.
func TestParseDirents(t *testing.T) {
	long := strings.Repeat("n", 255)
	list := dirent(nil, 1, 10, ".", 24)
	list = dirent(list, 2, 20, "..", 24)
	list = dirent(list, 3, 30, "a", 24)
	list = dirent(list, 1<<63+4, 1<<62, "...", 24)
	list = dirent(list, 5, 50, long, 280)
	list = dirent(list, 6, 60, "\xff\n", 32)
	list = dirent(list, 7, 70, "whole", 24) // no NUL within the record
	want := []string{"3 30 a", fmt.Sprint(uint64(1<<63+4), " ", int64(1<<62), " ..."), "5 50 " + long, "6 60 \xff\n", "7 70 whole"}
	parse := func(buf []byte, limit int) (got []string, whole bool) {
		whole = parseDirents(buf, func(n *Name) bool {
			got = append(got, fmt.Sprint(n.Ino, " ", n.Offset, " ", string(n.Name)))
			return len(got) < limit
		})
		return got, whole
	}
	if got, whole := parse(list, 100); !whole || !slices.Equal(got, want) {
		t.Errorf("the list is %q, want %q", got, want)
	}
	if got, whole := parse(list, 2); whole || !slices.Equal(got, want[:2]) {
		t.Errorf("the list's beginning is %q (%v), want %q", got, whole, want[:2])
	}
	for cut := range len(list) {
		if got, _ := parse(list[:cut], 100); len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("of a list cut to %d bytes: %q", cut, got)
		}
	}
	for _, length := range []uint16{0, 18, 25, 65535} {
		bad := dirent(nil, 3, 30, "a", 24)
		le.PutUint16(bad[16:], length)
		if got, _ := parse(bad, 100); len(got) > 0 {
			t.Errorf("a record that says it has %d bytes of 24: %q", length, got)
		}
	}
}

// TestReadDir: a list can go on after any entry, and every entry comes exactly once, however little room there is.
func TestReadDir(t *testing.T) {
	path, dir := directory(t)
	d := new(Disk)
	want := []string{strings.Repeat("n", 255), "\xff", "a b"}
	for i := range 100 {
		want = append(want, fmt.Sprintf("file-%03d", i))
	}
	for _, name := range want {
		write(t, filepath.Join(path, name), "")
	}
	slices.Sort(want)
	buf := make([]byte, 1024)
	var all []string
	var offsets []int64
	end, err := d.ReadDir(dir, 0, buf, func(n *Name) bool {
		all, offsets = append(all, string(n.Name)), append(offsets, n.Offset)
		return true
	})
	if err != nil || !end {
		t.Fatalf("the list does not end: %v", err)
	}
	if sorted := slices.Sorted(slices.Values(all)); !slices.Equal(sorted, want) {
		t.Fatalf("the list is %q", sorted)
	}
	for i, offset := range offsets {
		var rest []string
		end, err := d.ReadDir(dir, offset, buf, func(n *Name) bool {
			rest = append(rest, string(n.Name))
			return len(rest) < 3
		})
		if after := all[i+1:]; err != nil || end != (len(after) < 3) || !slices.Equal(rest, after[:min(3, len(after))]) {
			t.Errorf("after entry %d the list goes on with %q (end %v, %v)", i, rest, end, err)
		}
	}
	if _, err := d.ReadDir(dir, -1, buf, func(*Name) bool { return true }); err != syscall.EINVAL {
		t.Errorf("from a negative offset: %v, want EINVAL", err)
	}
	if _, err := d.ReadDir(dir, 0, make([]byte, 24), func(*Name) bool { return true }); err != syscall.EINVAL {
		t.Errorf("into 24 bytes: %v, want EINVAL", err)
	}
}
