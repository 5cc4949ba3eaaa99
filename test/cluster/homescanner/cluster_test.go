// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homescanner

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/hubhome/hubhome/test/cluster/controlplane"
	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestCluster has a control plane take every object to the letter, and the pod where only what is restricted may run; and
// leave nothing of a release that is gone.
func TestCluster(t *testing.T) {
	c := controlplane.ForTest(t)
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	namespace, err := c.Namespace(t.Context(), "scanner")
	if err != nil {
		t.Fatal(err)
	}
	patch := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	if _, err := client.CoreV1().Namespaces().Patch(t.Context(), namespace, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	helm := helmtest.Cluster{Config: c.Config(), Namespace: namespace}
	for _, values := range []string{"{}", "persistence: {enabled: false}", `
hubs: {prod: {}}
nfs: {serverIP: filer.example.org, version: '4.2'}
metrics: {from: [{podSelector: {}}]}
persistence: {existingClaim: mine}
priorityClassName: high
nodeSelector: {disk: ssd}
tolerations: [{key: hub, operator: Exists}]
affinity: {nodeAffinity: {}}
podAnnotations: {a: b}
podLabels: {component: shared-dirsize-metrics}
serviceAccount: {annotations: {a: b}}
imagePullSecrets: [{name: secret}]`} {
		rendered, err := helmtest.Render(chart(values), helmtest.Options{Name: "home-scanner", Namespace: namespace})
		if err != nil {
			t.Fatal(err)
		}
		if err := helm.Accept(t.Context(), rendered); err != nil {
			t.Errorf("%s:\n%v", values, err)
		}
	}

	if _, err := helm.Install(t.Context(), "home-scanner", chart()); err != nil {
		t.Fatal(err)
	}
	await(t, "the pod, which is restricted", func() bool {
		_, err := client.CoreV1().Pods(namespace).Get(t.Context(), "home-scanner-0", metav1.GetOptions{})
		return err == nil
	})
	claims := func() []corev1.PersistentVolumeClaim {
		list, err := client.CoreV1().PersistentVolumeClaims(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return list.Items
	}
	if len(claims()) != 1 {
		t.Errorf("there are %d claims", len(claims()))
	}
	if err := helm.Uninstall("home-scanner"); err != nil {
		t.Fatal(err)
	}
	await(t, "the claim to go with the release", func() bool {
		for _, claim := range claims() {
			if claim.DeletionTimestamp == nil {
				return false
			}
		}
		return true
	})
}

// await waits for something that must come to be.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s", what)
		}
	}
}
