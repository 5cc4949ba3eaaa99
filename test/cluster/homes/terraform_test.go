// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homes

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestTerraform takes the values that the Terraform modules hand on, as their own tests have them, and mounts what they say.
func TestTerraform(t *testing.T) {
	files, err := filepath.Glob("../../terraform/testdata/homes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values of Terraform modules (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text := read(t, file)
			pv := at(t, parse(t, text), "nfs", "pv").(map[string]any)
			v, _ := volume(t, render(t, text))
			if v.Spec.NFS.Server != pv["serverIP"] {
				t.Errorf("the volume is on %s, want %s", v.Spec.NFS.Server, pv["serverIP"])
			}
			if want := strings.TrimSuffix(pv["baseShareName"].(string), "/") + "/my-hub"; v.Spec.NFS.Path != want {
				t.Errorf("the volume is on %s, want %s", v.Spec.NFS.Path, want)
			}
			var options []any
			for _, option := range v.Spec.MountOptions {
				options = append(options, option)
			}
			if !reflect.DeepEqual(options, pv["mountOptions"]) {
				t.Errorf("it is mounted with %q, want %q", options, pv["mountOptions"])
			}
		})
	}
}
