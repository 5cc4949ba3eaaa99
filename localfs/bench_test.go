// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hubhome/hubhome/vfs"
)

// BenchmarkReadDir lists a directory of 10,000 files with their attributes.
func BenchmarkReadDir(b *testing.B) {
	s := newStore(b)
	fs := s.open()
	dir := home(b, fs, "ada")
	for i := range 10000 {
		if err := os.WriteFile(filepath.Join(s.path, hubName, "ada", fmt.Sprintf("f%06d", i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if _, err := fs.ReadDir(ctx, user, dir, 0, true, func(*vfs.DirEntry) bool { n++; return true }); err != nil || n != 10000 {
			b.Fatalf("%d entries: %v", n, err)
		}
	}
}

// BenchmarkGetAttr resolves a handle and describes the file.
func BenchmarkGetAttr(b *testing.B) {
	fs := newStore(b).open()
	dir := home(b, fs, "ada")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fs.GetAttr(ctx, dir); err != nil {
			b.Fatal(err)
		}
	}
}
