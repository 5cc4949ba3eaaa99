// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homes

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// read returns a file of the tree.
func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parse reads YAML.
func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	var values map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return values
}

// at returns what is under keys.
func at(t *testing.T, values map[string]any, keys ...string) any {
	t.Helper()
	var value any = values
	for _, key := range keys {
		table, ok := value.(map[string]any)
		if !ok || table[key] == nil {
			t.Fatalf("there is no %s", strings.Join(keys, "."))
		}
		value = table[key]
	}
	return value
}

// open are the values that Kubernetes checks, and not the chart.
var open = []string{
	"global", "nfs.shareCreator.resources", "nfs.shareCreator.nodeSelector", "nfs.shareCreator.affinity",
	"nfs.volumeGuard.resources", "nfs.volumeGuard.nodeSelector", "nfs.volumeGuard.affinity",
}

// TestChart is what holds of every chart of ours.
func TestChart(t *testing.T) { helmtest.Whole(t, chart(), open...) }

// TestCode has the values for z2jh hold the code that is tested, and the umbrella hold those values.
func TestCode(t *testing.T) {
	z2jh := parse(t, read(t, chartDir, "z2jh-values.yaml"))
	const key = "zz-hubhome-admin-mounts"
	if at(t, z2jh, "hub", "extraConfig", key) != read(t, chartDir, "files/hub/admin_mounts.py") {
		t.Errorf("hub.extraConfig.%s in z2jh-values.yaml is not files/hub/admin_mounts.py: put its text there, each line six spaces to the right", key)
	}
	umbrella := at(t, parse(t, read(t, umbrellaDir, "values.yaml")), "jupyterhub")
	if !reflect.DeepEqual(umbrella, any(z2jh)) {
		t.Error("jupyterhub in examples/umbrella/values.yaml is not what charts/homes/z2jh-values.yaml says")
	}
}

// TestCommentedOut has what is offered in comments be right: each shared-public and allusers is a volume mount, and
// allusers is read only unless somebody decides otherwise.
func TestCommentedOut(t *testing.T) {
	var text strings.Builder
	offered := false // in a mount of which each line is a comment
	for line := range strings.Lines(read(t, chartDir, "z2jh-values.yaml")) {
		indent, comment, _ := strings.Cut(line, "# ")
		if offered = strings.HasPrefix(comment, "00") || offered && strings.HasPrefix(comment, "  "); offered {
			line = indent + comment
		}
		text.WriteString(line)
	}
	values := parse(t, text.String())
	mounts := at(t, values, "singleuser", "storage", "extraVolumeMounts").(map[string]any)
	for _, key := range []string{"004-shared-public", "005-shared-public-rstudio"} {
		if mount := fmt.Sprint(mounts[key]); !strings.Contains(mount, "name:home subPath:_shared-public") {
			t.Errorf("%s is %s", key, mount)
		}
	}
	mounts = at(t, values, "custom", "singleuserAdmin", "extraVolumeMounts").(map[string]any)
	for key, path := range map[string]string{"003-allusers": "/home/jovyan/allusers", "004-allusers-rstudio": "/home/rstudio/allusers"} {
		if mount := fmt.Sprint(mounts[key]); mount != "map[mountPath:"+path+" name:home readOnly:true]" {
			t.Errorf("%s is %s, want the hub's directory read only at %s", key, mount, path)
		}
	}
}
