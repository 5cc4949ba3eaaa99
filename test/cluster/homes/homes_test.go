// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package homes tests the chart homes as it is rendered, without a cluster: what it makes of its values, which values it
// refuses, and how Zero to JupyterHub takes the values that come with it.
package homes

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

const (
	chartDir    = "../../../charts/homes"
	umbrellaDir = "../../../examples/umbrella"
	// server is the one value that there is no default for.
	server = "nfs: {pv: {serverIP: 10.0.0.2}}"
)

// hub is the release of most tests.
var hub = helmtest.Options{Name: "my-hub", Namespace: "hubs"}

func chart(values ...string) helmtest.Chart {
	return helmtest.Chart{Dir: chartDir, Values: append([]string{server}, values...)}
}

// render renders the chart with values, of which the later ones hold.
func render(t *testing.T, values ...string) *helmtest.Rendered {
	t.Helper()
	return renderAs(t, hub, values...)
}

func renderAs(t *testing.T, o helmtest.Options, values ...string) *helmtest.Rendered {
	t.Helper()
	return helmtest.Must(t, chart(values...), o)
}

// volume returns the volume and its claim.
func volume(t *testing.T, r *helmtest.Rendered) (*corev1.PersistentVolume, *corev1.PersistentVolumeClaim) {
	t.Helper()
	return helmtest.MustFind[corev1.PersistentVolume](t, r, "PersistentVolume", "my-hub-home-nfs"),
		helmtest.MustFind[corev1.PersistentVolumeClaim](t, r, "PersistentVolumeClaim", "home-nfs")
}

// job returns a Job and its one container.
func job(t *testing.T, r *helmtest.Rendered, name string) (*batchv1.Job, corev1.Container) {
	t.Helper()
	j := helmtest.MustFind[batchv1.Job](t, r, "Job", name)
	if n := len(j.Spec.Template.Spec.Containers); n != 1 {
		t.Fatalf("Job %s has %d containers, want one", name, n)
	}
	return j, j.Spec.Template.Spec.Containers[0]
}

// flag returns what follows a flag in a command.
func flag(t *testing.T, command []string, name string) string {
	t.Helper()
	i := slices.Index(command, name)
	if i < 0 || i+1 >= len(command) {
		t.Fatalf("no %s in %q", name, command)
	}
	return command[i+1]
}

// kinds lists what was rendered, in no order that matters.
func kinds(r *helmtest.Rendered) string {
	var kinds []string
	for _, object := range r.All() {
		kinds = append(kinds, object.GetKind()+"/"+object.GetName())
	}
	slices.Sort(kinds)
	return strings.Join(kinds, " ")
}
