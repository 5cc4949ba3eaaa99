// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package volume tests `hubhome-kube volume prepare`, which is kube.Prepare, between what Helm does with the chart homes
// and what Kubernetes' binder does with volumes. Both are the real ones. The chart's Jobs are off: the test runs what the
// guard runs, with the guard's own roles.
package volume

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/hubhome/hubhome/kube"
	"github.com/hubhome/hubhome/test/cluster/controlplane"
	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

const (
	chartDir = "../../../charts/homes"
	claim    = "home-nfs"
	guard    = "nfs-volume-guard"
	// patience is how long the tests wait for what must come.
	patience = time.Minute
)

// stop stops the control plane, where there is one.
var stop = func() error { return nil }

// plane is the control plane of all tests, which the first of them starts.
var plane = sync.OnceValues(func() (*controlplane.ControlPlane, error) {
	c, err := controlplane.Start(context.Background())
	if err == nil {
		stop = c.Stop
	}
	return c, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// hub is a release of the chart in a namespace of its own.
type hub struct {
	t      *testing.T
	client kubernetes.Interface
	helm   helmtest.Cluster
	guard  *kube.Client
	// release is its name, of which the volume's is made.
	release, volume string
}

// newHub makes a namespace, and the guard's account with what the chart gives it.
func newHub(t *testing.T) *hub {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	t.Parallel()
	c, err := plane()
	check(t, err)
	config := c.Config()
	config.WarningHandler = rest.NoWarnings{} // that Recycle is deprecated
	client, err := kubernetes.NewForConfig(config)
	check(t, err)
	namespace, err := c.Namespace(t.Context(), "hub")
	check(t, err)
	h := &hub{t: t, client: client, helm: helmtest.Cluster{Config: c.Config(), Namespace: namespace},
		release: namespace, volume: namespace + "-home-nfs"}
	h.guard = h.account(c, guard)
	h.permit()
	return h
}

// account is a client for a service account.
func (h *hub) account(c *controlplane.ControlPlane, name string) *kube.Client {
	h.t.Helper()
	config, err := c.ServiceAccount(h.t.Context(), h.helm.Namespace, name)
	check(h.t, err)
	client, err := kube.Connect(kubeconfig(h.t, config))
	check(h.t, err)
	return client
}

// kubeconfig writes a client's configuration to a file.
func kubeconfig(t *testing.T, c *rest.Config) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: c.Host, CertificateAuthorityData: c.CAData}
	config.AuthInfos["c"] = &clientcmdapi.AuthInfo{Token: c.BearerToken}
	config.Contexts["c"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "c"}
	config.CurrentContext = "c"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	check(t, clientcmd.WriteToFile(*config, file))
	return file
}

// permit makes the roles and the bindings of the chart's guard, without which nothing below is permitted.
func (h *hub) permit() {
	h.t.Helper()
	r, err := helmtest.Render(h.chart("10.0.0.4", false, true), helmtest.Options{Name: h.release, Namespace: h.helm.Namespace})
	check(h.t, err)
	rbac, made := h.client.RbacV1(), metav1.CreateOptions{}
	ctx, cluster := h.t.Context(), h.release+"-"+guard
	_, err = rbac.ClusterRoles().Create(ctx, helmtest.MustFind[rbacv1.ClusterRole](h.t, r, "ClusterRole", cluster), made)
	check(h.t, err)
	_, err = rbac.ClusterRoleBindings().Create(ctx, helmtest.MustFind[rbacv1.ClusterRoleBinding](h.t, r, "ClusterRoleBinding", cluster), made)
	check(h.t, err)
	_, err = rbac.Roles(h.helm.Namespace).Create(ctx, helmtest.MustFind[rbacv1.Role](h.t, r, "Role", guard), made)
	check(h.t, err)
	_, err = rbac.RoleBindings(h.helm.Namespace).Create(ctx, helmtest.MustFind[rbacv1.RoleBinding](h.t, r, "RoleBinding", guard), made)
	check(h.t, err)
}

// chart is the chart for a server.
func (h *hub) chart(server string, replace, guarded bool) helmtest.Chart {
	return helmtest.Chart{Dir: chartDir, Values: []string{fmt.Sprintf(
		"nfs: {pv: {serverIP: %s, replace: %t}, shareCreator: {enabled: false}, volumeGuard: {enabled: %t}}", server, replace, guarded)}}
}

// wanted is what the guard is asked for.
func (h *hub) wanted(server string, replace bool) kube.Volume {
	return kube.Volume{Name: h.volume, Namespace: h.helm.Namespace, Claim: claim, Server: server, Path: "/homes/" + h.release, Replace: replace}
}

// prepare runs the guard, and returns what it said.
func (h *hub) prepare(server string, replace bool) (string, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	var out strings.Builder
	err := kube.Prepare(ctx, h.guard, h.wanted(server, replace), &out)
	h.t.Logf("%s%v", &out, err)
	return out.String(), err
}

// prepared runs the guard, which must succeed and say something.
func (h *hub) prepared(server string, replace bool, says string) string {
	h.t.Helper()
	out, err := h.prepare(server, replace)
	check(h.t, err)
	if !strings.Contains(out, says) {
		h.t.Errorf("it does not say %q:\n%s", says, out)
	}
	return out
}

// refused runs the guard, which must refuse for a reason and change nothing.
func (h *hub) refused(server string, replace bool, why ...string) {
	h.t.Helper()
	before := h.versions()
	_, err := h.prepare(server, replace)
	if _, ok := errors.AsType[*kube.Refused](err); !ok {
		h.t.Fatalf("it is not refused: %v", err)
	}
	for _, why := range why {
		if !strings.Contains(err.Error(), why) {
			h.t.Errorf("it does not say %q: %v", why, err)
		}
	}
	if after := h.versions(); before != after {
		h.t.Errorf("it changed something: %s became %s", before, after)
	}
}

// versions tells whether something changed.
func (h *hub) versions() string {
	h.t.Helper()
	v, err := h.client.CoreV1().PersistentVolumes().Get(h.t.Context(), h.volume, metav1.GetOptions{})
	check(h.t, apiMissing(err))
	c, err := h.client.CoreV1().PersistentVolumeClaims(h.helm.Namespace).Get(h.t.Context(), claim, metav1.GetOptions{})
	check(h.t, apiMissing(err))
	return fmt.Sprint(v.UID, v.ResourceVersion, c.UID, c.ResourceVersion)
}

// apiMissing is an error other than that something is not there.
func apiMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// install and upgrade are Helm's, without the guard's Job.
func (h *hub) install(server string) {
	h.t.Helper()
	_, err := h.helm.Install(h.t.Context(), h.release, h.chart(server, false, false))
	check(h.t, err)
	h.bound(server)
}

func (h *hub) upgrade(server string) {
	h.t.Helper()
	_, err := h.helm.Upgrade(h.t.Context(), h.release, h.chart(server, false, false))
	check(h.t, err)
	h.bound(server)
}

// bound waits until the claim has the volume, which must be for a server and Retain.
func (h *hub) bound(server string) (*corev1.PersistentVolume, *corev1.PersistentVolumeClaim) {
	h.t.Helper()
	var v *corev1.PersistentVolume
	var c *corev1.PersistentVolumeClaim
	h.await("the claim to be bound", func() bool {
		v, c = h.getVolume(), h.getClaim()
		return v != nil && c != nil && v.Status.Phase == corev1.VolumeBound && c.Status.Phase == corev1.ClaimBound && v.Spec.ClaimRef.UID == c.UID
	})
	if v.Spec.NFS.Server != server || v.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRetain {
		h.t.Errorf("the volume is for %s and %s", v.Spec.NFS.Server, v.Spec.PersistentVolumeReclaimPolicy)
	}
	return v, c
}

// getVolume and getClaim are nil where there is none.
func (h *hub) getVolume() *corev1.PersistentVolume {
	h.t.Helper()
	v, err := h.client.CoreV1().PersistentVolumes().Get(h.t.Context(), h.volume, metav1.GetOptions{})
	check(h.t, apiMissing(err))
	if err != nil {
		return nil
	}
	return v
}

func (h *hub) getClaim() *corev1.PersistentVolumeClaim {
	h.t.Helper()
	c, err := h.client.CoreV1().PersistentVolumeClaims(h.helm.Namespace).Get(h.t.Context(), claim, metav1.GetOptions{})
	check(h.t, apiMissing(err))
	if err != nil {
		return nil
	}
	return c
}

// phase waits until the volume is in one.
func (h *hub) phase(want corev1.PersistentVolumePhase) {
	h.t.Helper()
	h.await("the volume to be "+string(want), func() bool {
		v := h.getVolume()
		return v != nil && v.Status.Phase == want
	})
}

// await waits for something that must come to be.
func (h *hub) await(what string, is func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited for %s: volume %+v, claim %+v", what, h.getVolume(), h.getClaim())
		}
	}
}

// pod makes one that uses the claim and is in a phase, on a node that does not exist: nobody else changes it.
func (h *hub) pod(name string, phase corev1.PodPhase) {
	h.t.Helper()
	pods := h.client.CoreV1().Pods(h.helm.Namespace)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
		NodeName:   "nowhere",
		Containers: []corev1.Container{{Name: "notebook", Image: "notebook"}},
		Volumes: []corev1.Volume{{Name: "home", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}},
	}}
	made, err := pods.Create(h.t.Context(), pod, metav1.CreateOptions{})
	check(h.t, err)
	made.Status.Phase = phase
	_, err = pods.UpdateStatus(h.t.Context(), made, metav1.UpdateOptions{})
	check(h.t, err)
}

// stop ends a pod, as its node would.
func (h *hub) stop(name string) {
	h.t.Helper()
	at := int64(0)
	check(h.t, h.client.CoreV1().Pods(h.helm.Namespace).Delete(h.t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &at}))
}

// deleteClaim is `kubectl delete pvc`.
func (h *hub) deleteClaim() {
	h.t.Helper()
	check(h.t, h.client.CoreV1().PersistentVolumeClaims(h.helm.Namespace).Delete(h.t.Context(), claim, metav1.DeleteOptions{}))
}

// patchVolume changes the volume.
func (h *hub) patchVolume(patch string) {
	h.t.Helper()
	_, err := h.client.CoreV1().PersistentVolumes().Patch(h.t.Context(), h.volume, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	check(h.t, err)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
