// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package lifecycle

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

const (
	serverChart = "../../../charts/home-server"
	// serverName is the release of the chart home-server in each test's namespace, and the name of its objects.
	serverName = "home-server"
	checker    = serverName + "-check"
)

// ofServer is the chart home-server with values, and with what it has no default for.
func ofServer(values ...string) helmtest.Chart {
	return helmtest.Chart{Dir: serverChart, Values: append([]string{"hubs: {prod: {}}\nnfs: {allow: [10.128.0.0/20]}"}, values...)}
}

const (
	aSize  = "persistence: {size: 10Gi, storageClass: disks}"
	aDisk  = "persistence: {volume: {driver: pd.csi.storage.gke.io, volumeHandle: projects/p/zones/z/disks/homes, zone: z, capacity: 10Gi}}"
	aClaim = "persistence: {existingClaim: disk}"
)

// TestServerLifecycle takes a release of the server from its first installation to its last, for each kind of disk. What
// is on a disk must outlive all of it. The server's own pod is not run: there is no node.
func TestServerLifecycle(t *testing.T) {
	for name, test := range map[string]struct{ values, claim string }{
		"a disk to be made":   {aSize, "homes-home-server-0"},
		"a disk that is":      {aDisk, "home-server-homes"},
		"a claim that exists": {aClaim, "disk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			if test.values == aClaim {
				class := ""
				if _, err := h.client.CoreV1().PersistentVolumeClaims(h.name).Create(t.Context(), &corev1.PersistentVolumeClaim{
					ObjectMeta: metav1.ObjectMeta{Name: test.claim},
					Spec: corev1.PersistentVolumeClaimSpec{
						AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: &class,
						Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
					},
				}, metav1.CreateOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := h.helm.Install(t.Context(), serverName, ofServer(test.values)); err != nil {
				t.Fatalf("install: %v", err)
			}
			h.until("the server's pod is there", func(ctx context.Context) (bool, error) {
				_, err := h.client.CoreV1().Pods(h.name).Get(ctx, serverName+"-0", metav1.GetOptions{})
				return err == nil, nil
			})
			claim := h.serverClaim(test.claim)
			if test.values == aDisk {
				h.until("the claim is bound to the disk", func(context.Context) (bool, error) {
					return h.serverClaim(test.claim).Status.Phase == corev1.ClaimBound, nil
				})
			}
			before := h.statefulSet()

			if _, err := h.helm.Upgrade(t.Context(), serverName, ofServer(test.values, "hubs: {staging: {}}")); err != nil {
				t.Fatalf("upgrade: %v", err)
			}
			h.says("the configuration of the upgrade", h.config(), "prod:", "staging:")
			if got := h.statefulSet(); got.Generation != before.Generation {
				t.Error("another hub restarts the server")
			}
			if err := h.helm.Rollback(serverName, 1); err != nil {
				t.Fatalf("roll back: %v", err)
			}
			if strings.Contains(h.config(), "staging:") {
				t.Error("rolled back, and the configuration is not")
			}

			if err := h.helm.Uninstall(serverName); err != nil {
				t.Fatalf("uninstall: %v", err)
			}
			h.until("the server is gone", func(ctx context.Context) (bool, error) {
				_, set := h.client.AppsV1().StatefulSets(h.name).Get(ctx, serverName, metav1.GetOptions{})
				_, pod := h.client.CoreV1().Pods(h.name).Get(ctx, serverName+"-0", metav1.GetOptions{})
				return apierrors.IsNotFound(set) && apierrors.IsNotFound(pod), nil
			})
			if test.values != aDisk { // whose volume and claim are the release's own, and the disk is not
				if again := h.serverClaim(test.claim); again.UID != claim.UID || again.DeletionTimestamp != nil {
					t.Errorf("uninstalled, and the claim of the disk is %v", again.ObjectMeta)
				}
			}
			if _, err := h.helm.Install(t.Context(), serverName, ofServer(test.values)); err != nil {
				t.Fatalf("install again: %v", err)
			}
			if test.values == aDisk {
				h.until("the claim is bound to the disk again", func(context.Context) (bool, error) {
					return h.serverClaim(test.claim).Status.Phase == corev1.ClaimBound, nil
				})
			}
		})
	}
}

// TestServerAccepted has the server check every object of the chart to the letter.
func TestServerAccepted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for name, values := range map[string][]string{
		"size":  {aSize},
		"disk":  {aDisk},
		"claim": {aClaim},
		"most": {aSize, `
runAs: root
service: {clusterIP: 10.96.20.49, annotations: {a: b}}
networkPolicy: {from: [{podSelector: {matchLabels: {a: b}}}]}
podDisruptionBudget: {maxUnavailable: 0}
priorityClassName: high
nodeSelector: {disk: ssd}
tolerations: [{key: hub, operator: Exists}]
podLabels: {a: b}
imagePullSecrets: [{name: secret}]
persistence: {subPath: homes}`},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := helmtest.Render(ofServer(values...), helmtest.Options{Name: serverName, Namespace: h.name})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.helm.Accept(t.Context(), rendered); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestServerMistake upgrades with a configuration that the chart's schema cannot find fault with and the server can: the
// check fails the upgrade, says where the mistake is, and the running server never sees it.
func TestServerMistake(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const overlap = "nfs: {allow: [10.0.0.0/8, 10.128.0.0/20]}"
	_, err := h.helm.Install(t.Context(), serverName, ofServer(aSize, overlap))
	h.refused("a mistake at the first installation", err, "pre-install", checker)
	h.says("the log of the check", h.log(checker), "10.128.0.0/20", "10.0.0.0/8", "hubhome.yaml:")
	if _, err := h.client.AppsV1().StatefulSets(h.name).Get(t.Context(), serverName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a server was made for a configuration with a mistake: %v", err)
	}
	if _, err := h.helm.Upgrade(t.Context(), serverName, ofServer(aSize)); err != nil {
		t.Fatalf("the same release without the mistake: %v", err)
	}

	config, set := h.config(), h.statefulSet()
	_, err = h.helm.Upgrade(t.Context(), serverName, ofServer(aSize, overlap))
	h.refused("a mistake in an upgrade", err, checker)
	if h.config() != config || h.statefulSet().Generation != set.Generation { // the version changes with its status
		t.Error("a mistake that was refused has reached the server")
	}
}

func (h *hub) serverClaim(name string) *corev1.PersistentVolumeClaim {
	h.Helper()
	var claim *corev1.PersistentVolumeClaim
	h.until("claim "+name+" is there", func(ctx context.Context) (done bool, err error) {
		claim, err = h.client.CoreV1().PersistentVolumeClaims(h.name).Get(ctx, name, metav1.GetOptions{})
		return err == nil, nil
	})
	return claim
}

func (h *hub) statefulSet() *appsv1.StatefulSet {
	h.Helper()
	set, err := h.client.AppsV1().StatefulSets(h.name).Get(h.Context(), serverName, metav1.GetOptions{})
	if err != nil {
		h.Fatal(err)
	}
	return set
}

// config is the hubhome.yaml that the server has.
func (h *hub) config() string {
	h.Helper()
	config, err := h.client.CoreV1().ConfigMaps(h.name).Get(h.Context(), serverName, metav1.GetOptions{})
	if err != nil {
		h.Fatal(err)
	}
	return config.Data["hubhome.yaml"]
}
