// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package controlplane

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// TestStart starts one, has a claim bound and a service account refused, and stops it.
func TestStart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	begin := time.Now()
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop() })
	t.Logf("ready after %v", time.Since(begin))
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if version.GitVersion != Version {
		t.Errorf("the server is %s, not %s", version.GitVersion, Version)
	}
	namespace, err := c.Namespace(t.Context(), "claim")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("bind", func(t *testing.T) { bind(t, c, client, namespace) })
	t.Run("refuse", func(t *testing.T) {
		config, err := c.ServiceAccount(t.Context(), namespace, "nobody")
		if err != nil {
			t.Fatal(err)
		}
		nobody, err := kubernetes.NewForConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nobody.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
			t.Errorf("a service account without a role lists pods: %v, want it to be forbidden", err)
		}
	})

	var pids []int
	for _, p := range c.processes {
		pids = append(pids, p.cmd.Process.Pid)
	}
	if err := c.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d after Stop: %v, and it should be gone", pid, err)
		}
	}
	if _, err := os.Stat(c.temp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s after Stop: %v, and it should be gone", c.temp, err)
	}
	if err := c.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

// bind makes a claim, and then the volume that it waits for.
func bind(t *testing.T, c *ControlPlane, client kubernetes.Interface, namespace string) {
	class, size := "", corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Mi")}
	access := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	claims := client.CoreV1().PersistentVolumeClaims(namespace)
	if _, err := claims.Create(t.Context(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "claim"},
		Spec: corev1.PersistentVolumeClaimSpec{AccessModes: access, StorageClassName: &class, VolumeName: "volume",
			Resources: corev1.VolumeResourceRequirements{Requests: size}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().PersistentVolumes().Create(t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "volume"},
		Spec: corev1.PersistentVolumeSpec{AccessModes: access, Capacity: size,
			PersistentVolumeSource: corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "127.0.0.1", Path: "/"}}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), readyTime)
	defer cancel()
	if err := c.wait(ctx, "the claim to be bound", func() error {
		claim, err := claims.Get(ctx, "claim", metav1.GetOptions{})
		if err == nil && claim.Status.Phase != corev1.ClaimBound {
			err = errors.New("the claim is " + string(claim.Status.Phase))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
