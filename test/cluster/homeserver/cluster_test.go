// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homeserver

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/hubhome/hubhome/test/cluster/controlplane"
	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestCluster is what a control plane makes of the server. There is no node, so that no pod of it gets ready.
func TestCluster(t *testing.T) {
	c := controlplane.ForTest(t)
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	namespace := func(t *testing.T) string {
		t.Helper()
		name, err := c.Namespace(t.Context(), "server")
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	t.Run("admission", func(t *testing.T) { admission(t, client, namespace(t)) })
	t.Run("rollback", func(t *testing.T) {
		rollback(t, client, helmtest.Cluster{Config: c.Config(), Namespace: namespace(t)})
	})
}

// admission has a namespace take the server's pod, or not, as its level says.
func admission(t *testing.T, client kubernetes.Interface, namespace string) {
	s, _ := server(t, render(t))
	pod := &corev1.Pod{ObjectMeta: s.Spec.Template.ObjectMeta, Spec: s.Spec.Template.Spec}
	pod.Name, pod.Spec.ServiceAccountName = "home-server-0", "default"
	try := func(level string) error {
		patch := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"` + level + `"}}}`)
		if _, err := client.CoreV1().Namespaces().Patch(t.Context(), namespace, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		_, err := client.CoreV1().Pods(namespace).Create(t.Context(), pod,
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
		return err
	}
	await(t, "the pod to be taken where it may have the capability", func() bool { return try("privileged") == nil })
	const why = `violates PodSecurity "baseline:latest": non-default capabilities (container "hubhome" must not include "DAC_READ_SEARCH" in securityContext.capabilities.add)`
	var err error
	await(t, "the pod to be refused at baseline", func() bool { err = try("baseline"); return err != nil })
	if !apierrors.IsForbidden(err) || !strings.HasSuffix(err.Error(), why) {
		t.Errorf("it is refused because\n%v\nwant\n%s", err, why)
	}
}

// rollback is an image that is not there, and the way back: nobody has to delete the pod that waits for it.
func rollback(t *testing.T, client kubernetes.Interface, helm helmtest.Cluster) {
	chart := func(tag string) helmtest.Chart {
		return helmtest.Chart{Dir: chartDir, Values: []string{needed, "{configCheck: {enabled: false}, image: {tag: " + tag + "}}"}}
	}
	runs := func(tag string) func() bool {
		return func() bool {
			pod, err := client.CoreV1().Pods(helm.Namespace).Get(t.Context(), "home-server-0", metav1.GetOptions{})
			return err == nil && strings.HasSuffix(pod.Spec.Containers[0].Image, ":"+tag)
		}
	}
	if _, err := helm.Install(t.Context(), "home-server", chart("good")); err != nil {
		t.Fatal(err)
	}
	await(t, "the first pod", runs("good"))
	if _, err := helm.Upgrade(t.Context(), "home-server", chart("typo")); err != nil {
		t.Fatal(err)
	}
	await(t, "the pod of the upgrade", runs("typo"))
	if err := helm.Rollback("home-server", 1); err != nil {
		t.Fatal(err)
	}
	await(t, "the pod of before", runs("good"))
	pods, err := client.CoreV1().Pods(helm.Namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 1 {
		t.Errorf("there are %d pods, want one: %v", len(pods.Items), err)
	}
}

// await waits for something that must come to be.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited for %s", what)
		}
	}
}
