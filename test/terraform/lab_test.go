// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the tables in the modules' READMEs and the files in testdata anew")

// source is where the modules are.
const source = "../../terraform"

// modules are all there are, and versions those of the providers that the fake stands in for.
var (
	modules  = []string{"gcp", "aws", "azure", "gcp/disk", "aws/disk", "azure/disk"}
	versions = map[string]string{"google": "6.50.0", "aws": "6.25.0", "azurerm": "4.55.0"}
)

// scratch is a directory for the whole run.
var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "hubhome-terraform-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	return m.Run()
}

// program is OpenTofu or Terraform.
type program struct {
	name, path string
	// config has it take providers from the fake's directory and from nowhere else.
	config string
}

// programs are OpenTofu and, where it is installed, Terraform. The first one is OpenTofu.
func programs(t *testing.T) []program {
	t.Helper()
	if testing.Short() {
		t.Skip("starts OpenTofu some hundred times")
	}
	all, err := prepare()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 1 {
		t.Log("Terraform is not installed: OpenTofu alone")
	}
	return all
}

// prepare builds OpenTofu and the fake provider.
var prepare = sync.OnceValues(func() ([]program, error) {
	tofu, err := openTofu()
	if err != nil {
		return nil, err
	}
	fake := filepath.Join(scratch, "fakeprovider")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if out, err := goCommand(ctx, ".", "build", "-o", fake, "./fakeprovider").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the fake provider: %w\n%s", err, out)
	}
	mirror := filepath.Join(scratch, "providers")
	for _, registry := range []string{"registry.opentofu.org", "registry.terraform.io"} {
		for name, version := range versions {
			dir := filepath.Join(mirror, registry, "hashicorp", name, version, runtime.GOOS+"_"+runtime.GOARCH)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return nil, err
			}
			if err := os.Link(fake, filepath.Join(dir, "terraform-provider-"+name+"_v"+version)); err != nil {
				return nil, err
			}
		}
	}
	config := filepath.Join(scratch, "cli.tfrc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	all := []program{{"opentofu", tofu, config}}
	if terraform, err := exec.LookPath("terraform"); err == nil {
		all = append(all, program{"terraform", terraform, config})
	}
	return all, nil
})

// tree copies the modules to a directory of the test's own: working there leaves files behind.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs the program in a directory and returns what it prints. Nothing of the user's own configuration is seen.
func (p program) run(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + scratch, "TMPDIR=" + scratch, "TF_CLI_CONFIG_FILE=" + p.config,
		"TF_IN_AUTOMATION=1", "TF_INPUT=0", "CHECKPOINT_DISABLE=1"}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends its providers
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must is run where it has to succeed.
func (p program) must(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := p.run(t, dir, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", p.name, strings.Join(args, " "), err, out)
	}
	return out
}
