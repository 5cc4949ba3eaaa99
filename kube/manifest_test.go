// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestManifest(t *testing.T) {
	v := volume(func(v *corev1.PersistentVolume) {
		v.Annotations["pv.kubernetes.io/bound-by-controller"] = "yes"
		v.Finalizers = []string{"kubernetes.io/pv-protection"}
		v.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "helm"}}
		v.CreationTimestamp = metav1.Unix(1, 0)
		v.Spec.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}
		v.Status.Phase = corev1.VolumeBound
	})
	const wantVolume = `apiVersion: v1
kind: PersistentVolume
metadata:
  annotations:
    meta.helm.sh/release-name: prod
    meta.helm.sh/release-namespace: hubs
  name: prod-home-nfs
spec:
  capacity:
    storage: 1Mi
  claimRef:
    kind: PersistentVolumeClaim
    name: home-nfs
    namespace: hubs
  nfs:
    path: /homes/prod
    server: 10.0.0.5
  persistentVolumeReclaimPolicy: Retain
`
	const wantClaim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  annotations:
    meta.helm.sh/release-name: prod
    meta.helm.sh/release-namespace: hubs
  name: home-nfs
  namespace: hubs
spec:
  resources: {}
  volumeName: prod-home-nfs
`
	for _, test := range []struct {
		o    any
		want string
	}{{v, wantVolume}, {claim(), wantClaim}} {
		got, err := manifest(test.o)
		if err != nil || got != test.want {
			t.Errorf("%v, it is written as\n%s\nand not as\n%s", err, got, test.want)
		}
	}
	if v.UID != "volume-1" || v.Spec.ClaimRef.UID != "claim-1" || len(v.Annotations) != 3 {
		t.Error("writing the volume down changed it")
	}
}
