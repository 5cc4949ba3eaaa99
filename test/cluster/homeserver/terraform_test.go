// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homeserver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestTerraform takes the values that the Terraform modules for disks hand on, as their own tests have them, and makes a
// volume of the disk that they say.
func TestTerraform(t *testing.T) {
	files, err := filepath.Glob("../../terraform/testdata/home-server/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values of Terraform modules (%v)", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var values struct {
				Persistence struct {
					Volume struct{ Driver, VolumeHandle, Zone, Capacity string }
				}
			}
			if err := yaml.UnmarshalStrict(text, &values); err != nil {
				t.Fatal(err)
			}
			want := values.Persistence.Volume
			r := render(t, "persistence: {existingClaim: ''}", string(text))
			v := helmtest.MustFind[corev1.PersistentVolume](t, r, "PersistentVolume", "hubhome-home-server-homes")
			if csi := v.Spec.CSI; csi.Driver != want.Driver || csi.VolumeHandle != want.VolumeHandle {
				t.Errorf("the disk is %v, want %+v", csi, want)
			}
			if capacity := v.Spec.Capacity.Storage().String(); capacity != want.Capacity {
				t.Errorf("it has %s, want %s", capacity, want.Capacity)
			}
			terms := fmt.Sprint(v.Spec.NodeAffinity.Required.NodeSelectorTerms)
			if terms != fmt.Sprintf("[{[{topology.kubernetes.io/zone In [%s]}] []}]", want.Zone) {
				t.Errorf("it is for nodes with %s, want zone %s", terms, want.Zone)
			}
		})
	}
}
