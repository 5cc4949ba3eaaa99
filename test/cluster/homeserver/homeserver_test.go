// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package homeserver tests the chart home-server as it is rendered, without a cluster: what it makes of its values, which
// values it refuses, and that the server takes the configuration that it writes.
package homeserver

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

const chartDir = "../../../charts/home-server"

// needed are the values that there are no defaults for, of which the later ones of a test hold.
const needed = `
hubs: {prod: {}}
nfs: {allow: [10.128.0.0/20]}
persistence: {existingClaim: homes-disk}
`

// release is that of the tests.
var release = helmtest.Options{Name: "home-server", Namespace: "hubhome"}

func chart(values ...string) helmtest.Chart {
	return helmtest.Chart{Dir: chartDir, Values: append([]string{needed}, values...)}
}

// render renders the chart with values.
func render(t *testing.T, values ...string) *helmtest.Rendered {
	t.Helper()
	return helmtest.Must(t, chart(values...), release)
}

// server returns the server and its one container.
func server(t *testing.T, r *helmtest.Rendered) (*appsv1.StatefulSet, corev1.Container) {
	t.Helper()
	s := helmtest.MustFind[appsv1.StatefulSet](t, r, "StatefulSet", "home-server")
	if n := len(s.Spec.Template.Spec.Containers); n != 1 || len(s.Spec.Template.Spec.InitContainers) > 0 {
		t.Fatalf("the server has %d containers, want one, which is the server's", n)
	}
	return s, s.Spec.Template.Spec.Containers[0]
}

// has tells whether an object was rendered.
func has(r *helmtest.Rendered, kind, name string) bool {
	for _, o := range r.All() {
		if o.GetKind() == kind && o.GetName() == name {
			return true
		}
	}
	return false
}
