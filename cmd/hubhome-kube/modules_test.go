// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main_test

import (
	_ "embed"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

//go:generate sh -c "CGO_ENABLED=0 GOOS=linux go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}' . | sort -u > modules.txt"

//go:embed modules.txt
var modules string

// TestModules holds the list of modules that the binary is linked from: a new dependency is a decision.
func TestModules(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".")
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux") // as the Makefile builds it
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the modules of the binary: %v", err)
	}
	linked, listed := strings.Fields(string(out)), strings.Fields(modules)
	for _, module := range listed {
		if !slices.Contains(linked, module) {
			t.Errorf("%s is in modules.txt and no longer in the binary: run `go generate ./cmd/hubhome-kube`", module)
		}
	}
	slices.Sort(linked)
	for _, module := range slices.Compact(linked) {
		if !slices.Contains(listed, module) {
			t.Errorf("%s is new in the binary: say in design/dependencies.md why, then run `go generate ./cmd/hubhome-kube`", module)
		}
	}
}
