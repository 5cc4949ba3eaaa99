// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestModules has each module formatted, valid, and its own tests pass: what it refuses, and what it plans.
func TestModules(t *testing.T) {
	for _, p := range programs(t) {
		t.Run(p.name, func(t *testing.T) {
			dir := tree(t)
			if out, err := p.run(t, dir, "fmt", "-check", "-diff", "-recursive", "-no-color"); err != nil {
				t.Errorf("not formatted:\n%s", out)
			}
			for _, module := range modules {
				t.Run(module, func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(dir, module)
					p.must(t, dir, "init", "-no-color")
					p.must(t, dir, "validate", "-no-color")
					if out := p.must(t, dir, "test", "-no-color"); strings.Contains(out, " 0 passed") {
						t.Errorf("no test ran:\n%s", out)
					}
				})
			}
		})
	}
}
