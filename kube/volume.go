// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Volume is a hub's volume and its claim, as Helm is about to make them.
type Volume struct {
	// Name is that of the PersistentVolume.
	Name string
	// Namespace and Claim name the PersistentVolumeClaim.
	Namespace, Claim string
	// Server and Path are the NFS server's address and the hub's directory there.
	Server, Path string
	// Replace allows deleting a volume that is elsewhere, and its claim, where no pod uses them.
	Replace bool
}

// source is the volume's source as Helm is about to write it. Kubernetes compares it byte by byte, and so does hubhome.
func (v Volume) source() corev1.PersistentVolumeSource {
	return corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: v.Server, Path: v.Path}}
}

// claim is the claim's name with its namespace.
func (v Volume) claim() string { return v.Namespace + "/" + v.Claim }

// Check says what is wrong with a volume that was asked for.
func (v Volume) Check() error {
	for _, name := range []struct {
		of, is string
		check  func(string, bool) []string
	}{
		{"persistent volume", v.Name, validation.NameIsDNSSubdomain},
		{"claim", v.Claim, validation.NameIsDNSSubdomain},
		{"namespace", v.Namespace, validation.ValidateNamespaceName},
	} {
		if name.is == "" {
			return fmt.Errorf("the name of the %s is missing", name.of)
		}
		if wrong := name.check(name.is, false); len(wrong) > 0 {
			return fmt.Errorf("%q cannot be the name of a %s: %s", name.is, name.of, strings.Join(wrong, "; "))
		}
	}
	switch {
	case v.Server == "":
		return errors.New("the server is missing")
	case strings.ContainsAny(v.Server, "/[]") || strings.Contains(v.Server, ":") && net.ParseIP(v.Server) == nil:
		return fmt.Errorf("%q is not the address or the name of a server alone", v.Server)
	case !strings.HasPrefix(v.Path, "/"):
		return fmt.Errorf("the path %q does not begin with '/'", v.Path)
	}
	return nil
}

// state is what is there of a volume.
type state struct {
	// volume and claim are nil where there is none.
	volume *corev1.PersistentVolume
	claim  *corev1.PersistentVolumeClaim
	// pods are the names of those that use the claim, in order. Only looked up where it matters: podsMatter.
	pods []string
}

// podsMatter tells whether it matters which pods use the claim: it is going, or it may have to.
func (s state) podsMatter(want Volume) bool {
	return s.claim != nil && (going(s.claim) || want.Replace)
}

// going tells whether an object is being deleted.
func going(o metav1.Object) bool { return o.GetDeletionTimestamp() != nil }

// The annotations by which Helm knows what is whose (pkg/action/validate.go).
const (
	releaseName      = "meta.helm.sh/release-name"
	releaseNamespace = "meta.helm.sh/release-namespace"
)

// stranger says whose an object is, where it is not that of a Helm release in a namespace; else it is empty. Helm refuses
// to touch such an object, and says so.
func stranger(o metav1.Object, namespace string) string {
	release, in := o.GetAnnotations()[releaseName], o.GetAnnotations()[releaseNamespace]
	switch {
	case release == "":
		return "was not made by Helm"
	case in != namespace:
		return fmt.Sprintf("belongs to the Helm release %s in the namespace %s", release, in)
	}
	return ""
}

// bindCompleted is what the volume controller writes on a claim that it has bound. Such a claim is Lost for good when its
// volume is gone: it takes no new one of that name (syncBoundClaim in pkg/controller/volume/persistentvolume).
const bindCompleted = "pv.kubernetes.io/bind-completed"

// uses tells whether a pod uses a claim. One that has ended does too, until it is deleted: Kubernetes lets no claim go that
// a pod has which was on a node (pkg/controller/volume/pvcprotection).
func uses(pod *corev1.Pod, claim string) bool {
	return slices.ContainsFunc(pod.Spec.Volumes, func(v corev1.Volume) bool {
		return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim
	})
}

// described is a pod's name, for people, who do not look for one that has ended.
func described(pod *corev1.Pod) string {
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return pod.Name + " (ended)"
	}
	return pod.Name
}

// address is where a volume is, for people.
func address(s corev1.PersistentVolumeSource) string {
	if s.NFS == nil {
		return "no NFS server"
	}
	host := s.NFS.Server
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	at := host + ":" + s.NFS.Path
	if s.NFS.ReadOnly {
		at += " (read only)"
	}
	return at
}
