// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package volume

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/hubhome/hubhome/kube"
)

// The two servers of the tests.
const (
	oldServer = "10.0.0.4"
	newServer = "10.0.0.5"
)

func TestNothingToDo(t *testing.T) {
	h := newHub(t)
	h.prepared(oldServer, false, "are not there yet: Helm makes them")
	h.install(oldServer)
	h.prepared(oldServer, false, "nothing to do")
	h.prepared(oldServer, true, "nothing to do")
}

// TestClaimDeleted has somebody delete the claim: the next upgrade makes it again, on the same volume.
func TestClaimDeleted(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	before := h.getVolume().UID
	h.deleteClaim()
	h.phase(corev1.VolumeReleased)
	h.prepared(oldServer, false, "released, so that the new one has it")
	h.phase(corev1.VolumeAvailable)
	h.upgrade(oldServer)
	if v := h.getVolume(); v.UID != before {
		t.Error("the volume is another one")
	}
}

// TestClaimDeletedAndMade has somebody delete the claim and make it again: it waits for the volume, which is still the old
// claim's.
func TestClaimDeletedAndMade(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	again := h.getClaim()
	h.deleteClaim()
	h.phase(corev1.VolumeReleased)
	again.ObjectMeta = metav1.ObjectMeta{Name: claim, Labels: again.Labels, Annotations: again.Annotations}
	for _, key := range []string{"pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"} {
		delete(again.Annotations, key)
	}
	_, err := h.client.CoreV1().PersistentVolumeClaims(h.helm.Namespace).Create(t.Context(), again, metav1.CreateOptions{})
	check(t, err)
	h.prepared(oldServer, false, "given to the one that is there now")
	h.bound(oldServer)
	h.upgrade(oldServer)
}

// TestClaimRestored is a claim from a backup, with what the binder had written into it: such a claim takes no volume that
// does not have its name already.
func TestClaimRestored(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	again := h.getClaim()
	h.deleteClaim()
	h.phase(corev1.VolumeReleased)
	again.ObjectMeta = metav1.ObjectMeta{Name: claim, Labels: again.Labels, Annotations: again.Annotations}
	claims := h.client.CoreV1().PersistentVolumeClaims(h.helm.Namespace)
	_, err := claims.Create(t.Context(), again, metav1.CreateOptions{})
	check(t, err)
	h.await("the claim to be lost", func() bool { return h.getClaim().Status.Phase == corev1.ClaimLost })
	h.prepared(oldServer, false, "given to the one that is there now")
	h.bound(oldServer)
}

// TestRecycled has data that Kubernetes would delete when its claim is gone: it is kept, before anything else is done.
func TestRecycled(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	h.patchVolume(`{"spec":{"persistentVolumeReclaimPolicy":"Recycle"}}`)
	out := h.prepared(newServer, true, "has the reclaim policy Recycle: made Retain")
	if strings.Index(out, "made Retain") > strings.Index(out, "deleting the claim") {
		t.Errorf("the claim was deleted before its data was kept:\n%s", out)
	}
	h.upgrade(newServer)
}

// TestMoved is another server: refused; then replaced, with both objects in the log as they can be made again.
func TestMoved(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	h.refused(newServer, false, "is for "+oldServer+":/homes/"+h.release, "cannot be moved to "+newServer+":/homes/"+h.release, "nfs.pv.replace=true")

	h.pod("jupyter-ada", corev1.PodRunning)
	h.pod("jupyter-bob", corev1.PodPending)
	h.pod("jupyter-eve", corev1.PodSucceeded)
	h.refused(newServer, true, "no pod may use the claim, and these do: jupyter-ada, jupyter-bob, jupyter-eve (ended). Stop")
	h.stop("jupyter-ada")
	h.refused(newServer, true, "no pod may use the claim, and these do: jupyter-bob, jupyter-eve (ended). Stop")
	h.stop("jupyter-bob")
	h.stop("jupyter-eve")

	v := h.getVolume()
	out := h.prepared(newServer, true, "deleting the volume object")
	if h.getVolume() != nil || h.getClaim() != nil {
		t.Errorf("there are still %v and %v", h.getVolume(), h.getClaim())
	}
	// What was written down is what was there, and the API server takes it.
	_, text, _ := strings.Cut(out, "The volume as it was:\n---\n")
	text, rest, _ := strings.Cut(text, "The claim as it was:\n---\n")
	claimText, _, _ := strings.Cut(rest, "---\n")
	strict := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict, DryRun: []string{metav1.DryRunAll}}
	var oldVolume corev1.PersistentVolume
	check(t, yaml.UnmarshalStrict([]byte(text), &oldVolume))
	made, err := h.client.CoreV1().PersistentVolumes().Create(t.Context(), &oldVolume, strict)
	check(t, err)
	if made.Spec.NFS.Server != oldServer || made.Spec.ClaimRef.UID != "" || len(made.Spec.MountOptions) != len(v.Spec.MountOptions) {
		t.Errorf("the volume in the log is %+v", made.Spec)
	}
	var oldClaim corev1.PersistentVolumeClaim
	check(t, yaml.UnmarshalStrict([]byte(claimText), &oldClaim))
	_, err = h.client.CoreV1().PersistentVolumeClaims(h.helm.Namespace).Create(t.Context(), &oldClaim, strict)
	check(t, err)

	h.upgrade(newServer)
	// And back, as a rollback would.
	h.refused(oldServer, false, "cannot be moved")
	h.prepared(oldServer, true, "deleting the claim")
	h.upgrade(oldServer)
}

// TestEndedInBetween has the guard killed when it has asked for the claim's end: the next one goes on from there.
func TestEndedInBetween(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := kube.Prepare(ctx, h.guard, h.wanted(newServer, true), cancelOn{"being deleted", cancel})
	if err == nil {
		// It was quicker than the binder: there was nothing to wait for, and all is done.
		t.Log("there was nothing to interrupt")
	}
	h.prepared(newServer, true, "")
	h.upgrade(newServer)
}

// cancelOn is somebody who reads the log, and ends it all at a word.
type cancelOn struct {
	word   string
	cancel context.CancelFunc
}

func (c cancelOn) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.word) {
		c.cancel()
	}
	return len(p), nil
}

// TestGoing is a release that was uninstalled a moment ago, while a pod still uses its claim.
func TestGoing(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	h.pod("jupyter-ada", corev1.PodRunning)
	uninstalled := make(chan error, 1)
	go func() { uninstalled <- h.helm.Uninstall(h.release) }()
	h.await("the claim to be going", func() bool { return h.getClaim().DeletionTimestamp != nil })

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var out strings.Builder
	err := kube.Prepare(ctx, h.guard, h.wanted(newServer, false), &out)
	late, ok := errors.AsType[*kube.Late](err)
	if !ok || !strings.Contains(late.Error(), "is being deleted, held by pods that use it: jupyter-ada; finalizers: kubernetes.io/pvc-protection") {
		t.Fatalf("it does not wait for the claim, or does not say what holds it: %v", err)
	}

	ended := make(chan error, 1)
	go func() {
		_, err := h.prepare(newServer, false)
		ended <- err
	}()
	h.stop("jupyter-ada")
	check(t, <-ended)
	check(t, <-uninstalled)
	h.install(newServer)
}

// TestVolumeDeleted is `kubectl delete pv`, which takes effect when its claim goes.
func TestVolumeDeleted(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	check(t, h.client.CoreV1().PersistentVolumes().Delete(t.Context(), h.volume, metav1.DeleteOptions{}))
	h.refused(oldServer, false, "is being deleted by somebody, and goes when its claim", "nfs.pv.replace=true")
	h.prepared(oldServer, true, "deleting the claim")
	h.upgrade(oldServer)
}

// TestVolumeLost is a volume that was forced out of its claim: no volume of that name is good enough for that claim.
func TestVolumeLost(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	check(t, h.client.CoreV1().PersistentVolumes().Delete(t.Context(), h.volume, metav1.DeleteOptions{}))
	h.patchVolume(`{"metadata":{"finalizers":null}}`)
	h.await("the claim to be lost", func() bool { return h.getClaim().Status.Phase == corev1.ClaimLost })
	h.refused(oldServer, false, "has lost its volume", "nfs.pv.replace=true")
	h.prepared(oldServer, true, "deleting the claim")
	h.upgrade(oldServer)
}

// TestNotOurs has the guard touch nothing that Helm would refuse to touch.
func TestNotOurs(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	for _, test := range []struct{ patch, says string }{
		{`{"metadata":{"annotations":{"meta.helm.sh/release-namespace":"other"}}}`, "in the namespace other: left to Helm"},
		{`{"metadata":{"annotations":{"meta.helm.sh/release-name":null}}}`, "was not made by Helm: left to Helm"},
	} {
		h.patchVolume(test.patch)
		before := h.versions()
		h.prepared(newServer, true, test.says)
		if after := h.versions(); before != after {
			t.Errorf("it changed something: %s became %s", before, after)
		}
	}
}

// TestOthersClaim is a volume that was promised to another claim.
func TestOthersClaim(t *testing.T) {
	h := newHub(t)
	h.install(oldServer)
	h.deleteClaim()
	h.phase(corev1.VolumeReleased)
	h.patchVolume(`{"spec":{"claimRef":{"namespace":"others"}}}`)
	h.refused(newServer, true, "is for the claim others/"+claim)
}

// TestForbidden has the guard without its roles say what it misses, and where that is.
func TestForbidden(t *testing.T) {
	h := newHub(t)
	c, err := plane()
	check(t, err)
	nobody := h.account(c, "nobody")
	err = kube.Prepare(t.Context(), nobody, h.wanted(oldServer, false), t.Output())
	forbidden, ok := errors.AsType[*kube.Forbidden](err)
	if !ok || forbidden.Verb != "get" || forbidden.Resource != "persistentvolumes" ||
		!strings.Contains(err.Error(), "it takes the chart's ClusterRole <release>-nfs-volume-guard") {
		t.Errorf("it is not forbidden: %v", err)
	}

	// Half of it.
	check(t, h.client.RbacV1().RoleBindings(h.helm.Namespace).Delete(t.Context(), guard, metav1.DeleteOptions{}))
	h.await("the role to be away", func() bool {
		_, err := h.prepare(oldServer, false)
		forbidden, ok := errors.AsType[*kube.Forbidden](err)
		return ok && forbidden.Resource == "persistentvolumeclaims" && strings.Contains(err.Error(), "it takes the chart's Role nfs-volume-guard")
	})
}
