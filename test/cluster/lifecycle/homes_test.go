// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package lifecycle

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestLifecycle takes a release from its first installation to its last, on each server.
func TestLifecycle(t *testing.T) {
	for name, start := range map[string]func(h *hub) server{
		"hubhome":      func(h *hub) server { return startHubhome(h.T, h.cluster, "127.0.0.1", h.name) },
		"Ganesha 4.1":  func(h *hub) server { return startGanesha(h.T, "4.1") },
		"Ganesha v3":   func(h *hub) server { return startGanesha(h.T, "3") },
		"Ganesha auto": func(h *hub) server { return startGanesha(h.T, "auto") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			s := start(h)
			h.on(s)
			begin := time.Now()
			h.install()
			installed := time.Now()
			claim := h.bound()
			t.Logf("installed, with the share creator, in %v; the claim was bound %v after that", installed.Sub(begin), time.Since(installed))
			if got := s.ownerOf(t, h.name); got != "1000:1000 0755" {
				t.Errorf("the hub's directory is %s, want 1000:1000 0755", got)
			}
			spoken := s.version
			if spoken == "auto" {
				spoken = "4.2"
			}
			h.says("the log of the share creator", h.log(creator), "/homes/"+h.name, "1000:1000", "over NFSv"+spoken)
			thesis := filepath.Join(s.dir, h.name, "ada", "thesis.tex")
			if err := os.Mkdir(filepath.Dir(thesis), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(thesis, []byte("all of it"), 0o600); err != nil {
				t.Fatal(err)
			}

			options := h.volume().Spec.MountOptions
			h.upgrade("nfs: {pv: {mountOptions: [hard, nosuid, port=" + s.port + "]}}")
			if got := h.volume().Spec.MountOptions; !slices.Contains(got, "nosuid") {
				t.Errorf("upgraded, and the mount options are %q", got)
			}
			if again := h.bound(); again.UID != claim.UID {
				t.Error("an upgrade made another claim")
			}
			if err := h.helm.Rollback(h.name, 1); err != nil {
				t.Fatalf("roll back: %v", err)
			}
			if got := h.volume().Spec.MountOptions; !slices.Equal(got, options) {
				t.Errorf("rolled back, and the mount options are %q, not %q", got, options)
			}
			if again := h.bound(); again.UID != claim.UID {
				t.Error("a rollback made another claim")
			}

			h.uninstall()
			h.gone()
			h.install()
			h.bound()
			if text, err := os.ReadFile(thesis); err != nil || string(text) != "all of it" {
				t.Errorf("after all this the thesis is %q: %v", text, err)
			}
		})
	}
}

// TestAccepted has the server check every object of the chart to the letter.
func TestAccepted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for name, values := range map[string]string{
		"least": "nfs: {pv: {serverIP: 10.0.0.2}}",
		"most": `
nfs:
  pv: {serverIP: "fd00::2", baseShareName: /, shareNameOverride: other, replace: true}
  shareCreator: &job
    sharedPublic: true
    nodeSelector: {kubernetes.io/os: linux}
    tolerations: [{key: hub, operator: Exists, effect: NoSchedule}]
    affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: hub, operator: Exists}]}]}}}
  volumeGuard:
    nodeSelector: {kubernetes.io/os: linux}
    tolerations: [{key: hub, operator: Exists, effect: NoSchedule}]
image: {digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
imagePullSecrets: [{name: secret}]`,
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := helmtest.Render(helmtest.Chart{Dir: homesChart, Values: []string{values}}, helmtest.Options{Name: h.name, Namespace: h.name})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.helm.Accept(t.Context(), rendered); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNotAccepted shows that TestAccepted can fail.
func TestNotAccepted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	rendered, err := helmtest.Render(helmtest.Chart{Dir: homesChart, Values: []string{"nfs: {pv: {serverIP: 10.0.0.2}}"}},
		helmtest.Options{Name: h.name, Namespace: h.name})
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range rendered.All() {
		switch spec, _ := object.Object["spec"].(map[string]any); object.GetKind() {
		case "PersistentVolume":
			spec["reclaimPolicy"] = "Retain"
		case "PersistentVolumeClaim":
			spec["accessModes"] = []any{"ReadWriteEverywhere"}
		}
	}
	h.refused("a field that is not there and a value that is none", h.helm.Accept(t.Context(), rendered),
		`unknown field "spec.reclaimPolicy"`, `"ReadWriteEverywhere"`)
}

// TestNoServer installs for servers that do not answer: the release fails when the share creator's time is over, its log
// says why, and nothing is there that pods could hang on.
func TestNoServer(t *testing.T) {
	for name, test := range map[string]struct {
		server func(*testing.T) server
		words  []string
	}{
		"nobody": {nobody, []string{"connect: connection refused", "Nothing answers there"}},
		"deaf":   {deaf, []string{"127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.on(test.server(t))
			begin := time.Now()
			_, err := h.helm.Install(t.Context(), h.name, h.homes("nfs: {shareCreator: {timeoutSeconds: 3}}"))
			t.Logf("failed after %v", time.Since(begin))
			h.refused("a server that is not there", err, "pre-install", "BackoffLimitExceeded")
			h.says("the log of the share creator", h.log(creator), test.words...)
			// What `kubectl describe pod` and the consoles of the clouds show.
			pods, err := h.client.CoreV1().Pods(h.name).List(t.Context(), metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + creator})
			if err != nil || len(pods.Items) != 1 {
				t.Fatalf("the pods of the Job that failed: %v, %v", pods, err)
			}
			h.says("the status of its pod", pods.Items[0].Status.ContainerStatuses[0].State.Terminated.Message, test.words...)
			if _, err := h.client.CoreV1().PersistentVolumeClaims(h.name).Get(t.Context(), "home-nfs", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("the claim was made for a server that is not there: %v", err)
			}
			if _, err := h.client.CoreV1().PersistentVolumes().Get(t.Context(), h.name+"-home-nfs", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("the volume was made for a server that is not there: %v", err)
			}

			// The same release, once the server is there.
			s := startHubhome(t, h.cluster, "127.0.0.1", h.name)
			h.on(s)
			h.upgrade()
			h.bound()
		})
	}
}

// TestInUse upgrades a release while a pod uses the claim: nothing of the pod's may change, and the volume not be moved.
func TestInUse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.on(startHubhome(t, h.cluster, "127.0.0.1", h.name))
	h.install()
	claim, volume := h.bound(), h.volume()
	h.pod("jupyter-ada")
	h.upgrade("nfs: {pv: {mountOptions: [hard, port=" + port(h.values[0]) + "]}}")
	there := func() {
		t.Helper()
		if again := h.bound(); again.UID != claim.UID || again.DeletionTimestamp != nil {
			t.Errorf("the claim of a running pod is another one, or going: %v", again.ObjectMeta)
		}
		if again := h.volume(); again.UID != volume.UID || again.DeletionTimestamp != nil {
			t.Errorf("the volume of a running pod is another one, or going: %v", again.ObjectMeta)
		}
	}
	there()

	other := startHubhome(t, h.cluster, "127.0.0.2", h.name)
	_, err := h.helm.Upgrade(t.Context(), h.name, h.homes(other.values(), "nfs: {pv: {replace: true}}"))
	h.refused("a move under a running pod", err, "pre-upgrade")
	h.says("the log of the guard", h.log(guard), "jupyter-ada", "127.0.0.1", "127.0.0.2")
	there()

	h.deletePod("jupyter-ada")
	h.upgrade(other.values(), "nfs: {pv: {replace: true}}")
	h.bound()
	if got := h.volume().Spec.NFS.Server; got != "127.0.0.2" {
		t.Errorf("moved, and the volume is for %s", got)
	}
}

// TestMove moves a hub to another server: refused by default, with what to do; done with nfs.pv.replace.
func TestMove(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	old, other := startHubhome(t, h.cluster, "127.0.0.1", h.name), startHubhome(t, h.cluster, "127.0.0.2", h.name)
	h.on(old)
	h.install()
	claim := h.bound()
	_, err := h.helm.Upgrade(t.Context(), h.name, h.homes(other.values()))
	h.refused("another server", err, h.name+"-home-nfs", "127.0.0.1:/homes/"+h.name, "127.0.0.2:/homes/"+h.name, "nfs.pv.replace=true")
	if again := h.bound(); again.UID != claim.UID {
		t.Error("a move that was refused made another claim")
	}

	h.upgrade(other.values(), "nfs: {pv: {replace: true}}")
	if again := h.bound(); again.UID == claim.UID {
		t.Error("the volume was moved under its old claim")
	}
	if got := h.volume().Spec.NFS.Server; got != "127.0.0.2" {
		t.Errorf("moved, and the volume is for %s", got)
	}
	// What was deleted can be made again from the log.
	h.says("the log of the guard", h.log(guard), "kind: PersistentVolume\n", "server: 127.0.0.1", "kind: PersistentVolumeClaim", "Retain")
	h.upgrade(other.values())
	h.bound()

	// Back by a rollback: the guard is asked there too.
	err = h.helm.Rollback(h.name, 1)
	h.refused("a rollback to the old server", err, guard)
	h.says("the log of the guard", h.log(guard), "127.0.0.1:/homes/"+h.name, "replace")
	if got := h.volume().Spec.NFS.Server; got != "127.0.0.2" {
		t.Errorf("the rollback was refused, and the volume is for %s", got)
	}
}

// TestLostClaim deletes the claim, as people do, and upgrades: a new claim has the volume of the old one.
func TestLostClaim(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.on(startHubhome(t, h.cluster, "127.0.0.1", h.name))
	h.install()
	claim, volume := h.bound(), h.volume()
	if err := h.client.CoreV1().PersistentVolumeClaims(h.name).Delete(t.Context(), "home-nfs", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.until("the volume is released", func(context.Context) (bool, error) {
		return h.volume().Status.Phase == corev1.VolumeReleased, nil
	})
	h.upgrade()
	if again := h.bound(); again.UID == claim.UID {
		t.Error("the claim was not deleted")
	}
	if again := h.volume(); again.UID != volume.UID {
		t.Error("the volume was made anew, which nobody asked for")
	}
}

// TestInstalledAgain uninstalls and installs at once: what Helm deleted may still be going.
func TestInstalledAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.on(startHubhome(t, h.cluster, "127.0.0.1", h.name))
	h.install()
	claim := h.bound()
	// A pod that takes its time to end keeps the claim, and the claim the volume.
	h.pod("jupyter-ada")
	h.uninstall()
	installed := make(chan error, 1)
	go func() {
		_, err := h.helm.Install(t.Context(), h.name, h.homes())
		installed <- err
	}()
	h.until("the guard waits for the pod", func(context.Context) (bool, error) {
		return strings.Contains(h.log(guard), "jupyter-ada"), nil
	})
	h.deletePod("jupyter-ada")
	if err := <-installed; err != nil {
		t.Fatalf("install again: %v", err)
	}
	if again := h.bound(); again.UID == claim.UID {
		t.Error("the claim was not deleted")
	}
}

// TestForbidden installs as somebody who may not do all that it takes.
func TestForbidden(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.on(startHubhome(t, h.cluster, "127.0.0.1", h.name))

	t.Run("installer", func(t *testing.T) {
		// The administrator of a namespace, who is nobody in the cluster.
		config, err := h.plane.ServiceAccount(t.Context(), h.name, "deployer")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.client.RbacV1().RoleBindings(h.name).Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "deployer"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "admin"},
			Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "deployer", Namespace: h.name}},
		}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		deployer := helmtest.Cluster{Config: config, Namespace: h.name}
		_, err = deployer.Install(t.Context(), h.name, h.homes())
		h.refused("a volume by the administrator of a namespace", err, "forbidden", "deployer", "persistentvolumes")
	})
	t.Run("guard", func(t *testing.T) {
		// The guard's Job with an account that nobody has given a role.
		rendered, err := helmtest.Render(h.homes(), helmtest.Options{Name: h.name, Namespace: h.name})
		if err != nil {
			t.Fatal(err)
		}
		job, err := helmtest.Find[batchv1.Job](rendered, "Job", guard)
		if err != nil {
			t.Fatal(err)
		}
		job.Spec.Template.Spec.ServiceAccountName = "default"
		if _, err := h.client.BatchV1().Jobs(h.name).Create(t.Context(), job, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		h.until("the Job fails", func(ctx context.Context) (bool, error) {
			job, err := h.client.BatchV1().Jobs(h.name).Get(ctx, guard, metav1.GetOptions{})
			return err == nil && job.Status.Failed > 0, err
		})
		h.says("the log of the guard", h.log(guard), "persistentvolumes", "ClusterRole", "system:serviceaccount:"+h.name+":default")
	})
}

// port is the port in a hub's values.
func port(values string) string {
	_, after, _ := strings.Cut(values, "port=")
	port, _, _ := strings.Cut(after, "]")
	return port
}
