// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome_test

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hubhome/hubhome"

// house says which packages of ours each package may import, tests apart. A package or an arrow that is not here fails
// TestHouse: draw it here, and in ARCHITECTURE.md, when it has a reason.
var house = map[string][]string{
	".":               {},
	"config":          {"."},
	"vfs":             {},
	"vfs/vfstest":     {"vfs"},
	"disk":            {},
	"localfs":         {"vfs", "disk"},
	"quota":           {".", "vfs"},
	"store":           {".", "vfs", "disk", "localfs", "quota"},
	"oncrpc":          {},
	"nfs4":            {"oncrpc"},
	"nfs3":            {"oncrpc"},
	"nfsserver":       {"vfs", "oncrpc", "nfs4"},
	"nfsconn":         {"vfs", "oncrpc"},
	"nfsclient":       {"vfs", "oncrpc", "nfs4", "nfsconn"},
	"nfs3client":      {"vfs", "oncrpc", "nfs3", "nfsconn"},
	"remote":          {"vfs", "oncrpc", "nfs3", "nfs4", "nfsconn", "nfsclient", "nfs3client", "advice"},
	"share":           {".", "vfs"},
	"usage":           {".", "vfs"},
	"usage/usagetest": {"usage"},
	"survey":          {".", "vfs", "quota", "usage"},
	"console":         {".", "vfs", "quota"},
	"metrics":         {".", "vfs", "quota", "nfs4", "nfsserver", "survey", "warning"},
	"warning":         {".", "quota"},
	"check":           {".", "vfs", "nfs3client", "remote", "share", "advice"},
	"advice":          {},
	"kube":            {},
	// The commands.
	"cmd/hubhome":      {".", "config", "console", "metrics", "warning", "vfs", "disk", "quota", "store", "oncrpc", "nfsserver", "nfsclient", "remote", "share", "check", "usage", "survey", "advice"},
	"cmd/hubhome-kube": {"kube"},
	// What only tests and benchmarks are made of.
	"oncrpc/rpctest":  {"oncrpc"},
	"oncrpc/xdrtest":  {"oncrpc"},
	"test/debian":     {},
	"test/guest":      {},
	"test/ganesha":    {"test/loopback"},
	"test/jupyterhub": {},
	"test/leak":       {},
	"test/loopback":   {},
	"test/prometheus": {"test/loopback"},
	"test/server":     {"nfsserver", "oncrpc", "vfs"},
	"test/bench":      {"nfsclient", "test/ganesha", "test/loopback", "usage", "vfs"},
}

// TestHouse holds the layers: small packages, each with one purpose, and no arrow that nobody decided on.
func TestHouse(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		name, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		pkg := ours(name)
		may, known := house[pkg]
		if !known {
			t.Errorf("package %s is not in the house: give it a line, with what it may import", pkg)
			continue
		}
		for imported := range strings.FieldsSeq(imports) {
			if strings.HasPrefix(imported, module) && !slices.Contains(may, ours(imported)) {
				t.Errorf("%s imports %s, which the house does not allow", pkg, ours(imported))
			}
		}
	}
}

// ours is a package's path in the module.
func ours(importPath string) string {
	return path.Clean("./" + strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/"))
}
