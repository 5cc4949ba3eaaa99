// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package lifecycle

import (
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestFromBasehub has a release of basehub go on with the chart homes, while a pod uses the claim: the volume and the claim
// stay the objects that they were, and have what the chart adds.
func TestFromBasehub(t *testing.T) {
	t.Parallel()
	s := startGanesha(t, "4.2")
	h := newHub(t)
	h.on(s)
	basehub := helmtest.Chart{Dir: "testdata/basehub", Values: []string{fmt.Sprintf("server: %q", s.host)}}
	if _, err := h.helm.Install(h.Context(), h.name, basehub); err != nil {
		t.Fatal(err)
	}
	claim, volume := h.bound(), h.volume()
	h.pod("jupyter-ada")

	h.upgrade("nfs: {pv: {baseShareName: /homes/}}") // with its slash, as basehub's values have it
	if now := h.bound(); now.UID != claim.UID {
		t.Error("the claim is another one")
	}
	now := h.volume()
	if now.UID != volume.UID || now.Spec.NFS.Path != volume.Spec.NFS.Path {
		t.Errorf("the volume is another one: %+v", now.Spec.NFS)
	}
	if now.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRetain || slices.Contains(now.Spec.MountOptions, "soft") {
		t.Errorf("the volume has not what the chart says: %s, %q", now.Spec.PersistentVolumeReclaimPolicy, now.Spec.MountOptions)
	}
	if owner := s.ownerOf(t, h.name); owner != "1000:1000 0755" {
		t.Errorf("the hub's directory is %s", owner)
	}
}

// TestMoveNowhere is told to move a hub to a server that is not there. Nothing is deleted: the hub goes on where it is.
func TestMoveNowhere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.on(startGanesha(t, "4.2"))
	h.install()
	claim := h.bound()
	_, err := h.helm.Upgrade(h.Context(), h.name, h.homes(nobody(t).values(), "nfs: {pv: {serverIP: localhost, replace: true}, shareCreator: {timeoutSeconds: 2}}"))
	h.refused("a server that is not there", err, creator)
	if now := h.bound(); now.UID != claim.UID {
		t.Error("the claim is another one")
	}
}

// TestNameTaken installs a release that has the name of one in another namespace, whose volume would be its own.
func TestNameTaken(t *testing.T) {
	t.Parallel()
	s := startGanesha(t, "4.2")
	h, other := newHub(t), newHub(t)
	h.on(s)
	other.on(s)
	h.install()
	claim := h.bound()
	for _, values := range []string{"{}", "nfs: {pv: {replace: true}}", "nfs: {pv: {serverIP: localhost, replace: true}}"} {
		_, err := other.helm.Install(t.Context(), h.name, other.homes(values))
		h.refused("a name that is taken", err, h.name+"-home-nfs", "is for the claim "+h.name+"/home-nfs", other.name+"/home-nfs")
	}
	if now := h.bound(); now.UID != claim.UID {
		t.Error("the claim is another one")
	}
	claims, err := h.client.CoreV1().PersistentVolumeClaims(other.name).List(t.Context(), metav1.ListOptions{})
	if err != nil || len(claims.Items) != 0 {
		t.Errorf("claims %v (%v), want none", claims.Items, err)
	}
}
