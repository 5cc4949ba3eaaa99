// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsconn

import (
	"errors"
	"strings"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
)

// TestCheckEntry refuses names that lead elsewhere, and no others.
func TestCheckEntry(t *testing.T) {
	for _, name := range []string{"", ".", "..", "/", "../etc", "a/b", "a\x00b"} {
		if err := CheckEntry(name); !errors.Is(err, oncrpc.ErrXDR) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a", "...", "..a", "\xff\n", strings.Repeat("x", 600)} {
		if err := CheckEntry(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestProgress: a circle is found soon, wherever it begins, and a directory without one is none.
func TestProgress(t *testing.T) {
	for _, way := range []int{0, 1, 7, 1000} {
		for _, circle := range []int{1, 2, 3, 64, 1000} {
			var p Progress
			parts := 0
			for ; parts < way+circle; parts++ {
				if err := p.Part(uint64(3 + parts)); err != nil {
					t.Fatalf("part %d of %d that are new: %v", parts, way+circle, err)
				}
			}
			var err error
			for ; err == nil && parts < 10*(way+circle); parts++ {
				err = p.Part(uint64(3 + way + (parts-way)%circle))
			}
			if !errors.Is(err, oncrpc.ErrXDR) || parts > 4*(way+circle) {
				t.Errorf("a circle of %d after %d: %v after %d parts", circle, way, err, parts)
			}
		}
	}
}
