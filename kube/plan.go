// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// action is one thing to do.
type action string

const (
	// finish: Helm may go on.
	finish action = "finish"
	// refuse: somebody has to decide, or to stop something.
	refuse action = "refuse"
	// wait: something is going by itself.
	wait action = "wait"
	// retain: make sure that a volume without a claim stays, and what is on it.
	retain action = "retain"
	// release: take a claim that is gone out of the volume, so that the next of that name has it.
	release action = "release"
	// adopt: write the claim that is there into the volume, in place of one of that name that is gone.
	adopt action = "adopt"
	// deleteClaim and deleteVolume: ask for it. Helm makes them anew.
	deleteClaim  action = "deleteClaim"
	deleteVolume action = "deleteVolume"
)

// step is what to do next, and why, for people.
type step struct {
	do  action
	why string
}

func next(do action, why string, args ...any) step { return step{do, fmt.Sprintf(why, args...)} }

// plan decides what to do next about what is there. It is the whole of the policy: the same state gives the same step, so
// that a run that was ended in the middle is taken up where it was.
func plan(want Volume, is state) step {
	v, c := is.volume, is.claim
	switch {
	case v == nil && c == nil:
		return next(finish, "volume %s and claim %s are not there yet: Helm makes them", want.Name, want.claim())
	case v != nil && stranger(v, want.Namespace) != "":
		return next(finish, "volume %s %s: left to Helm, which will refuse it", want.Name, stranger(v, want.Namespace))
	case c != nil && stranger(c, want.Namespace) != "":
		return next(finish, "claim %s %s: left to Helm, which will refuse it", want.claim(), stranger(c, want.Namespace))
	case v != nil && promised(v, want) != "":
		return next(refuse, "volume %s is for the claim %s and not for %s: a volume has the name of its release, so give "+
			"this release a name that no other hub of the cluster has", want.Name, promised(v, want), want.claim())
	case c != nil && going(c):
		if unsafe(v) {
			return keepData(v)
		}
		return next(wait, "claim %s is being deleted%s", want.claim(), heldBy(c, is.pods))
	case c == nil && going(v):
		return next(wait, "volume %s is being deleted%s", want.Name, heldBy(v, nil))
	case c != nil && c.Spec.VolumeName != "" && c.Spec.VolumeName != want.Name:
		return next(refuse, "claim %s is for the volume %s and not for %s, and a claim cannot be changed: see what %[2]s is, "+
			"stop all pods that use the claim and delete it by hand", want.claim(), c.Spec.VolumeName, want.Name)
	}
	if obstacle := obstacle(want, is); obstacle != "" {
		return replace(want, is, obstacle)
	}
	return join(want, is)
}

// promised names the claim that a volume is for, where that is another one.
func promised(v *corev1.PersistentVolume, want Volume) string {
	ref := v.Spec.ClaimRef
	if ref == nil || ref.Namespace == want.Namespace && ref.Name == want.Claim {
		return ""
	}
	return ref.Namespace + "/" + ref.Name
}

// obstacle says why Helm cannot make the volume and the claim what they should be; it is empty where it can.
func obstacle(want Volume, is state) string {
	v, c := is.volume, is.claim
	switch {
	case v == nil && c.Annotations[bindCompleted] != "":
		return fmt.Sprintf("claim %s has lost its volume %s, which somebody deleted, and a claim takes no second one",
			want.claim(), want.Name)
	case v == nil:
		return ""
	case going(v):
		return fmt.Sprintf("volume %s is being deleted by somebody, and goes when its claim %s does", want.Name, want.claim())
	case elsewhere(v, want):
		return fmt.Sprintf("volume %s is for %s, and a volume cannot be moved to %s",
			want.Name, address(v.Spec.PersistentVolumeSource), address(want.source()))
	}
	return ""
}

// elsewhere tells whether a volume is not where it should be.
func elsewhere(v *corev1.PersistentVolume, want Volume) bool {
	return v != nil && !equality.Semantic.DeepEqual(v.Spec.PersistentVolumeSource, want.source())
}

// replace is the next step to where Helm can make both anew.
func replace(want Volume, is state, obstacle string) step {
	v, c := is.volume, is.claim
	switch {
	case v != nil && v.Spec.NFS == nil:
		return next(refuse, "%s: it is no volume of this chart, so nothing is done about it: delete it by hand, or give this "+
			"release another name", obstacle)
	case !want.Replace:
		otherwise := ""
		if elsewhere(v, want) {
			otherwise = ". Otherwise set nfs.pv.serverIP, nfs.pv.baseShareName and nfs.pv.shareNameOverride back"
		}
		return next(refuse, "%s: to have the two deleted and made anew, stop all pods that use the claim and upgrade once with "+
			"nfs.pv.replace=true; no data is touched or copied by that%s", obstacle, otherwise)
	case c != nil && len(is.pods) > 0:
		return next(refuse, "%s; to make the two anew, no pod may use the claim, and these do: %s. Stop the servers of users in JupyterHub's admin page, "+
			"delete what else there is (kubectl -n %s delete pod NAME), and upgrade again", obstacle, some(is.pods), want.Namespace)
	case unsafe(v):
		return keepData(v)
	case c != nil:
		return next(deleteClaim, "%s: deleting the claim %s, which no pod uses", obstacle, want.claim())
	default:
		return next(deleteVolume, "%s: deleting the volume object %s; what is on the server stays", obstacle, want.Name)
	}
}

// join is the next step to where a volume that is as it should be has the claim of its name.
func join(want Volume, is state) step {
	v, c := is.volume, is.claim
	switch {
	case v == nil:
		return next(finish, "claim %s waits for its volume %s: Helm makes it", want.claim(), want.Name)
	case v.Spec.ClaimRef == nil || v.Spec.ClaimRef.UID == "":
		return next(finish, "volume %s is for %s and has no claim yet", want.Name, address(want.source()))
	case c != nil && c.UID == v.Spec.ClaimRef.UID:
		return next(finish, "volume %s is for %s and has its claim %s: nothing to do", want.Name, address(want.source()), want.claim())
	case unsafe(v):
		return keepData(v)
	case c == nil:
		return next(release, "volume %s still has a claim %s that was deleted: released, so that the new one has it",
			want.Name, want.claim())
	default:
		return next(adopt, "volume %s still has a claim %s that was deleted: given to the one that is there now",
			want.Name, want.claim())
	}
}

// unsafe tells whether Kubernetes may delete or empty what is on a volume that has lost its claim. For NFS, Recycle is
// an `rm -rf`.
func unsafe(v *corev1.PersistentVolume) bool {
	return v != nil && v.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRetain
}

// keepData is the step that makes a volume safe.
func keepData(v *corev1.PersistentVolume) step {
	return next(retain, "volume %s has the reclaim policy %s: made Retain, before its claim goes", v.Name,
		v.Spec.PersistentVolumeReclaimPolicy)
}

// heldBy says what an object that is being deleted waits for.
func heldBy(o metav1.Object, pods []string) string {
	var by []string
	if len(pods) > 0 {
		by = append(by, "pods that use it: "+some(pods))
	}
	if finalizers := o.GetFinalizers(); len(finalizers) > 0 {
		by = append(by, "finalizers: "+strings.Join(finalizers, ", "))
	}
	if len(by) == 0 {
		return ""
	}
	return ", held by " + strings.Join(by, "; ")
}

// some names a few of many.
func some(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more (%d in all)", strings.Join(names[:few], ", "), len(names)-few, len(names))
}
