// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package homescanner tests the chart home-scanner: what it makes of its values, which values it refuses, that hubhome takes the
// configuration that it writes and finds what homes hold by it, and that a control plane takes its objects.
package homescanner

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

const chartDir = "../../../charts/home-scanner"

// needed are the values that there are no defaults for, of which the later ones of a test hold.
const needed = "nfs: {serverIP: 10.0.0.5}"

// release is that of the tests.
var release = helmtest.Options{Name: "home-scanner", Namespace: "hubhome"}

func chart(values ...string) helmtest.Chart {
	return helmtest.Chart{Dir: chartDir, Values: append([]string{needed}, values...)}
}

// render renders the chart with values.
func render(t *testing.T, values ...string) *helmtest.Rendered {
	t.Helper()
	return helmtest.Must(t, chart(values...), release)
}

// scanner returns the scanner and its one container.
func scanner(t *testing.T, r *helmtest.Rendered) (*appsv1.StatefulSet, corev1.Container) {
	t.Helper()
	s := helmtest.MustFind[appsv1.StatefulSet](t, r, "StatefulSet", "home-scanner")
	if n := len(s.Spec.Template.Spec.Containers); n != 1 || len(s.Spec.Template.Spec.InitContainers) > 0 {
		t.Fatalf("it has %d containers, want one", n)
	}
	return s, s.Spec.Template.Spec.Containers[0]
}

// has tells whether an object of a kind was rendered.
func has(r *helmtest.Rendered, kind string) bool {
	for _, o := range r.All() {
		if o.GetKind() == kind {
			return true
		}
	}
	return false
}
