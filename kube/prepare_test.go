// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// TestRefusedAtOnce has a refusal be the end: nothing that a person has to decide becomes another by waiting. What answers
// is no API server, but what one says of a volume that is for another NFS server, and that it has no such claim.
func TestRefusedAtOnce(t *testing.T) {
	volume := &corev1.PersistentVolume{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolume"},
		ObjectMeta: metav1.ObjectMeta{
			Name: "my-hub-home-nfs", Annotations: map[string]string{releaseName: "my-hub", releaseNamespace: "hubs"},
		},
		Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "10.0.0.1", Path: "/homes/my-hub"}},
		},
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/persistentvolumes/my-hub-home-nfs") {
			json.NewEncoder(w).Encode(volume)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
			Status:   metav1.StatusFailure, Reason: metav1.StatusReasonNotFound, Code: http.StatusNotFound,
		})
	}))
	defer api.Close()
	c, err := newClient(&rest.Config{Host: api.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	err = Prepare(ctx, c, Volume{
		Name: volume.Name, Namespace: "hubs", Claim: "home-nfs", Server: "10.0.0.2", Path: "/homes/my-hub",
	}, &out)
	if _, refused := errors.AsType[*Refused](err); !refused || !strings.Contains(err.Error(), "nfs.pv.replace=true") {
		t.Errorf("the error is %v, want a refusal", err)
	}
	if strings.Contains(out.String(), "trying again") || ctx.Err() != nil {
		t.Errorf("it was tried again:\n%s", out.String())
	}
}
