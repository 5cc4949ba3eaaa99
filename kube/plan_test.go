// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// wanted is what Helm is about to make in these tests.
var wanted = Volume{Name: "prod-home-nfs", Namespace: "hubs", Claim: "home-nfs", Server: "10.0.0.5", Path: "/homes/prod"}

// helms are the annotations of an object of Helm's.
func helms() map[string]string {
	return map[string]string{releaseName: "prod", releaseNamespace: "hubs"}
}

// volume is one that is as wanted and has its claim, changed.
func volume(change ...func(*corev1.PersistentVolume)) *corev1.PersistentVolume {
	v := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: wanted.Name, UID: "volume-1", ResourceVersion: "7", Annotations: helms()},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeSource:        wanted.source(),
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			ClaimRef: &corev1.ObjectReference{
				Kind: "PersistentVolumeClaim", Namespace: wanted.Namespace, Name: wanted.Claim, UID: "claim-1",
			},
		},
	}
	for _, c := range change {
		c(v)
	}
	return v
}

// claim is one that is bound to the volume, changed.
func claim(change ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: wanted.Namespace, Name: wanted.Claim, UID: "claim-1", ResourceVersion: "8", Annotations: helms(),
		},
		Spec: corev1.PersistentVolumeClaimSpec{VolumeName: wanted.Name},
	}
	c.Annotations[bindCompleted] = "yes"
	for _, change := range change {
		change(c)
	}
	return c
}

// Changes of volumes and claims.
func moved(v *corev1.PersistentVolume)        { v.Spec.NFS.Server, v.Spec.NFS.Path = "10.0.0.4", "/old/prod" }
func readOnly(v *corev1.PersistentVolume)     { v.Spec.NFS.ReadOnly = true }
func recycled(v *corev1.PersistentVolume)     { v.Spec.PersistentVolumeReclaimPolicy = "Recycle" }
func unclaimed(v *corev1.PersistentVolume)    { v.Spec.ClaimRef.UID = "" }
func free(v *corev1.PersistentVolume)         { v.Spec.ClaimRef = nil }
func someoneElses(v *corev1.PersistentVolume) { v.Spec.ClaimRef.Namespace = "others" }
func byHand(v *corev1.PersistentVolume)       { v.Annotations = nil }
func othersRelease(v *corev1.PersistentVolume) {
	v.Annotations = map[string]string{releaseName: "prod", releaseNamespace: "others"}
}
func onDisk(v *corev1.PersistentVolume) {
	v.Spec.PersistentVolumeSource = corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}
}
func ending(o metav1.Object) {
	o.SetDeletionTimestamp(&metav1.Time{Time: time.Unix(0, 0)})
	o.SetFinalizers([]string{"kubernetes.io/protection"})
}
func endingVolume(v *corev1.PersistentVolume)     { ending(v) }
func endingClaim(c *corev1.PersistentVolumeClaim) { ending(c) }
func newClaim(c *corev1.PersistentVolumeClaim)    { c.UID, c.Annotations = "claim-2", helms() }
func claimByHand(c *corev1.PersistentVolumeClaim) { c.Annotations = nil }
func otherVolume(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "stage-home-nfs" }
func neverHeldBy(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "" }

// pods is a number of names.
func pods(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("jupyter-user%d", i))
	}
	return names
}

func TestPlan(t *testing.T) {
	for _, test := range []struct {
		name    string
		replace bool
		is      state
		want    action
		says    string
	}{
		{name: "nothing there", want: finish, says: "not there yet"},
		{name: "as it should be", is: state{volume: volume(), claim: claim()}, want: finish, says: "nothing to do"},
		{name: "as it should be, and may be replaced", replace: true,
			is: state{volume: volume(), claim: claim(), pods: pods(3)}, want: finish, says: "nothing to do"},
		{name: "for a claim that is to come", is: state{volume: volume(unclaimed)}, want: finish, says: "no claim yet"},
		{name: "for no claim", is: state{volume: volume(free)}, want: finish, says: "no claim yet"},
		{name: "a claim alone that never had a volume", is: state{claim: claim(newClaim)}, want: finish, says: "waits for its volume"},
		{name: "a claim that has not found a volume", is: state{volume: volume(unclaimed), claim: claim(newClaim, neverHeldBy)},
			want: finish, says: "no claim yet"},

		{name: "a volume by hand", replace: true, is: state{volume: volume(byHand, moved), claim: claim()},
			want: finish, says: "was not made by Helm: left to Helm"},
		{name: "a volume of another release", replace: true, is: state{volume: volume(othersRelease, moved)},
			want: finish, says: "belongs to the Helm release prod in the namespace others"},
		{name: "a claim by hand", replace: true, is: state{volume: volume(moved), claim: claim(claimByHand)},
			want: finish, says: "claim hubs/home-nfs was not made by Helm"},
		{name: "a volume for another claim", replace: true, is: state{volume: volume(someoneElses, moved)},
			want: refuse, says: "is for the claim others/home-nfs and not for hubs/home-nfs"},
		{name: "a claim for another volume", replace: true, is: state{volume: volume(unclaimed), claim: claim(otherVolume)},
			want: refuse, says: "is for the volume stage-home-nfs and not for prod-home-nfs"},

		{name: "both going", is: state{volume: volume(endingVolume), claim: claim(endingClaim), pods: pods(1)},
			want: wait, says: "held by pods that use it: jupyter-user0; finalizers: kubernetes.io/protection"},
		{name: "the claim going", is: state{volume: volume(), claim: claim(endingClaim)}, want: wait, says: "claim hubs/home-nfs is being deleted"},
		{name: "the claim going without its volume", is: state{claim: claim(endingClaim)}, want: wait, says: "is being deleted"},
		{name: "the claim going, and the data with it", is: state{volume: volume(recycled), claim: claim(endingClaim)},
			want: retain, says: "has the reclaim policy Recycle"},
		{name: "the volume going", is: state{volume: volume(endingVolume)}, want: wait,
			says: "volume prod-home-nfs is being deleted, held by finalizers"},
		{name: "the volume going under its claim", is: state{volume: volume(endingVolume), claim: claim()},
			want: refuse, says: "goes when its claim hubs/home-nfs does: to have the two deleted"},
		{name: "the volume going under its claim, replaced", replace: true,
			is: state{volume: volume(endingVolume), claim: claim()}, want: deleteClaim},

		{name: "released", is: state{volume: volume()}, want: release, says: "so that the new one has it"},
		{name: "released, to be recycled", is: state{volume: volume(recycled)}, want: retain},
		{name: "released, and a new claim is there", is: state{volume: volume(), claim: claim(newClaim)}, want: adopt},
		{name: "released, to be recycled, and a new claim is there", is: state{volume: volume(recycled), claim: claim(newClaim)},
			want: retain},

		{name: "moved", is: state{volume: volume(moved), claim: claim()}, want: refuse,
			says: "is for 10.0.0.4:/old/prod, and a volume cannot be moved to 10.0.0.5:/homes/prod: "},
		{name: "moved, without a claim", is: state{volume: volume(moved)}, want: refuse, says: "nfs.pv.replace=true"},
		{name: "moved by being read only", is: state{volume: volume(readOnly), claim: claim()}, want: refuse, says: "(read only)"},
		{name: "lost its volume", is: state{claim: claim()}, want: refuse, says: "has lost its volume prod-home-nfs"},
		{name: "not NFS", replace: true, is: state{volume: volume(onDisk), claim: claim()}, want: refuse, says: "delete it by hand"},
		{name: "replaced under pods", replace: true, is: state{volume: volume(moved), claim: claim(), pods: pods(7)}, want: refuse,
			says: "jupyter-user0, jupyter-user1, jupyter-user2, jupyter-user3, jupyter-user4 and 2 more (7 in all)"},
		{name: "replaced, to be recycled", replace: true, is: state{volume: volume(moved, recycled), claim: claim()}, want: retain},
		{name: "replaced", replace: true, is: state{volume: volume(moved), claim: claim()}, want: deleteClaim},
		{name: "replaced, and the claim is gone", replace: true, is: state{volume: volume(moved)}, want: deleteVolume},
		{name: "replaced, and a pod came in between", replace: true,
			is: state{volume: volume(moved), claim: claim(endingClaim), pods: pods(1)}, want: wait, says: "held by pods that use it: jupyter-user0"},
		{name: "replaced, and a new claim came in between", replace: true, is: state{volume: volume(moved), claim: claim(newClaim)},
			want: deleteClaim},
		{name: "replaced where the volume is lost", replace: true, is: state{claim: claim()}, want: deleteClaim},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := wanted
			want.Replace = test.replace
			got := plan(want, test.is)
			if got.do != test.want || !strings.Contains(got.why, test.says) {
				t.Errorf("to %s, because %q\nwant to %s, because %q", got.do, got.why, test.want, test.says)
			}
		})
	}
}

// TestPlanKeeps goes through every combination of what can be there, and holds what must never happen.
func TestPlanKeeps(t *testing.T) {
	volumes := []func(*corev1.PersistentVolume){moved, readOnly, recycled, unclaimed, someoneElses, byHand, othersRelease, onDisk, endingVolume}
	claims := []func(*corev1.PersistentVolumeClaim){endingClaim, newClaim, claimByHand, otherVolume, neverHeldBy}
	for bits := range 1 << (len(volumes) + len(claims) + 4) {
		bit := func() bool { b := bits&1 == 1; bits >>= 1; return b }
		is, want := state{}, wanted
		want.Replace = bit()
		if bit() {
			is.volume = volume()
		}
		if bit() {
			is.claim = claim()
		}
		if bit() && is.claim != nil {
			is.pods = pods(1)
		}
		for _, change := range volumes {
			if bit() && is.volume != nil && (is.volume.Spec.NFS != nil) {
				change(is.volume)
			}
		}
		for _, change := range claims {
			if bit() && is.claim != nil {
				change(is.claim)
			}
		}
		got := plan(want, is)
		deletes := got.do == deleteClaim || got.do == deleteVolume
		changes := deletes || got.do == retain || got.do == release || got.do == adopt
		switch {
		case got.why == "":
			t.Errorf("%v: no reason", got.do)
		case deletes && !want.Replace:
			t.Errorf("deletes what nobody allowed it to: %s", got.why)
		case deletes && len(is.pods) > 0:
			t.Errorf("takes a claim from a pod: %s", got.why)
		case changes && is.volume != nil && stranger(is.volume, want.Namespace) != "",
			changes && is.claim != nil && stranger(is.claim, want.Namespace) != "":
			t.Errorf("touches what is not Helm's, or of another release: %s", got.why)
		case changes && is.volume != nil && promised(is.volume, want) != "":
			t.Errorf("touches a volume that is for another claim: %s", got.why)
		case (deletes || got.do == release || got.do == adopt || got.do == wait) && is.volume != nil && unsafe(is.volume) && is.claim != nil:
			t.Errorf("lets a claim go whose data would go with it: %s", got.why)
		case got.do == deleteVolume && is.claim != nil:
			t.Errorf("deletes a volume that has a claim: %s", got.why)
		}
	}
}
