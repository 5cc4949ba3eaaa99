// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// physics is the second store of the examples with two.
var physics = regexp.MustCompile(`(?m)^    physics = \{\n(.*\n)*?    \}\n`)

// TestDestroyOnPurpose goes the way that the README shows: a store that is no longer in the configuration is not
// destroyed, Terraform is told to forget it, and then the rest of it goes and the other store stays as it is.
func TestDestroyOnPurpose(t *testing.T) {
	tofu := programs(t)[0]
	for module, forget := range map[string][]string{
		"gcp":   {"google_filestore_instance.store"},
		"aws":   {"aws_efs_file_system.store"},
		"azure": {"azurerm_storage_share.store", "azurerm_storage_account.store"},
	} {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(tree(t), module, "examples", "two-stores")
			tofu.must(t, dir, "init", "-no-color")
			tofu.must(t, dir, "apply", "-auto-approve", "-no-color")
			before := tofu.must(t, dir, "state", "list")

			path := filepath.Join(dir, "main.tf")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			without := physics.ReplaceAllString(string(text), "")
			if without == string(text) {
				t.Fatalf("%s has no store physics", path)
			}
			if err := os.WriteFile(path, []byte(without), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := tofu.run(t, dir, "apply", "-auto-approve", "-no-color")
			if err == nil || !strings.Contains(words(out), "instance cannot be destroyed") {
				t.Fatalf("destroyed, or refused for another reason: %v\n%s", err, out)
			}
			if after := tofu.must(t, dir, "state", "list"); after != before {
				t.Errorf("before the refusal there was\n%s\nand after it\n%s", before, after)
			}
			for _, resource := range forget {
				tofu.must(t, dir, "state", "rm", `module.homes.`+resource+`["physics"]`)
			}
			tofu.must(t, dir, "apply", "-auto-approve", "-no-color")
			for address := range strings.Lines(before) {
				address = strings.TrimSpace(address)
				there := strings.Contains(tofu.must(t, dir, "state", "list"), address)
				if belonged := strings.Contains(address, `["physics`); there == belonged {
					t.Errorf("%s is there: %v", address, there)
				}
			}
		})
	}
}
