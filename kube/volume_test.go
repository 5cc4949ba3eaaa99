// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestCheck(t *testing.T) {
	if err := wanted.Check(); err != nil {
		t.Errorf("as it should be: %v", err)
	}
	for _, test := range []struct {
		change func(*Volume)
		says   string
	}{
		{func(v *Volume) { v.Name = "" }, "the name of the persistent volume is missing"},
		{func(v *Volume) { v.Name = "a/b" }, `"a/b" cannot be the name of a persistent volume`},
		{func(v *Volume) { v.Claim = "Home" }, `"Home" cannot be the name of a claim`},
		{func(v *Volume) { v.Namespace = "a.b" }, `"a.b" cannot be the name of a namespace`},
		{func(v *Volume) { v.Server = "" }, "the server is missing"},
		{func(v *Volume) { v.Server = "10.0.0.5:/homes" }, "is not the address or the name of a server alone"},
		{func(v *Volume) { v.Server = "10.0.0.5:2049" }, "is not the address or the name of a server alone"},
		{func(v *Volume) { v.Path = "homes/prod" }, "does not begin with '/'"},
	} {
		v := wanted
		test.change(&v)
		if err := v.Check(); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v", v, err)
		}
	}
	for _, server := range []string{"fd00::5", "nfs.example.org", "fs-1.efs.eu-west-1.amazonaws.com"} {
		v := wanted
		v.Server = server
		if err := v.Check(); err != nil {
			t.Errorf("%s: %v", server, err)
		}
	}
}

func TestUses(t *testing.T) {
	pod := func(phase corev1.PodPhase, claims ...string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Status: corev1.PodStatus{Phase: phase}}
		p.Spec.Volumes = []corev1.Volume{{Name: "config"}}
		for _, claim := range claims {
			source := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{
				VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: source},
			})
		}
		return p
	}
	for _, test := range []struct {
		pod  *corev1.Pod
		want bool
		name string
	}{
		{pod(corev1.PodRunning, "home-nfs"), true, "p"},
		{pod(corev1.PodPending, "scratch", "home-nfs"), true, "p"},
		{pod("", "home-nfs"), true, "p"},
		{pod(corev1.PodSucceeded, "home-nfs"), true, "p (ended)"},
		{pod(corev1.PodFailed, "home-nfs"), true, "p (ended)"},
		{pod(corev1.PodRunning, "home-nfs-2"), false, "p"},
		{pod(corev1.PodRunning), false, "p"},
	} {
		if got := uses(test.pod, "home-nfs"); got != test.want || described(test.pod) != test.name {
			t.Errorf("a pod that is %q with %v: %v, called %s", test.pod.Status.Phase, test.pod.Spec.Volumes, got, described(test.pod))
		}
	}
}
