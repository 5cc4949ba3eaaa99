// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examples are those of all modules.
func examples(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, module := range modules {
		found, err := filepath.Glob(filepath.Join(source, module, "examples", "*"))
		if err != nil || len(found) == 0 {
			t.Fatalf("module %s has no examples (%v)", module, err)
		}
		for _, dir := range found {
			all = append(all, filepath.Join(module, "examples", filepath.Base(dir)))
		}
	}
	return all
}

// TestExamples makes what each example says, compares what it hands on with the files in testdata, finds that there is
// nothing left to do, and does not get it destroyed.
func TestExamples(t *testing.T) {
	for _, p := range programs(t) {
		for _, example := range examples(t) {
			t.Run(p.name+"/"+example, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(tree(t), example)
				p.must(t, dir, "init", "-no-color")
				p.must(t, dir, "apply", "-auto-approve", "-no-color")
				compareOutputs(t, example, p.must(t, dir, "output", "-json", "-no-color"))
				if out, err := p.run(t, dir, "plan", "-detailed-exitcode", "-no-color"); err != nil {
					t.Errorf("not done after one apply: %v\n%s", err, out)
				}

				before := p.must(t, dir, "state", "list")
				out, err := p.run(t, dir, "destroy", "-auto-approve", "-no-color")
				if err == nil || !strings.Contains(words(out), "nstance cannot be destroyed") {
					t.Errorf("destroyed, or refused for another reason: %v\n%s", err, out)
				}
				if after := p.must(t, dir, "state", "list"); after != before {
					t.Errorf("before destroy there was\n%s\nand after it\n%s", before, after)
				}
			})
		}
	}
}

// compareOutputs compares the outputs of an example with the files in testdata: a values file for each store or
// disk, in a directory for the chart that takes it.
func compareOutputs(t *testing.T, example, text string) {
	t.Helper()
	var outputs struct {
		HelmValues struct{ Value map[string]string } `json:"helm_values"`
	}
	if err := json.Unmarshal([]byte(text), &outputs); err != nil {
		t.Fatalf("read the outputs: %v\n%s", err, text)
	}
	if len(outputs.HelmValues.Value) == 0 {
		t.Fatalf("nothing is handed on: %s", text)
	}
	chart := "homes"
	if strings.Contains(example, "/disk/") {
		chart = "home-server"
	}
	// gcp-two-stores, gcp-disk-one-disk
	name := strings.ReplaceAll(strings.ReplaceAll(example, "/examples/", "/"), "/", "-")
	for store, values := range outputs.HelmValues.Value {
		compare(t, filepath.Join("testdata", chart, name+"-"+store+".yaml"), values)
	}
}

// compare compares what there is with the file that says what there should be.
func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if got != string(want) {
		t.Errorf("%s (go test -update writes it) has\n%s\nand there is\n%s", path, want, got)
	}
}

// words takes the line breaks out of a message.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }
