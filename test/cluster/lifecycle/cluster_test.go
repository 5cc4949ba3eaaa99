// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package lifecycle takes the charts through what happens to a release: installed, upgraded, rolled back, uninstalled,
// and all that goes wrong with it. The control plane is real, the NFS servers are real, and what the charts' Jobs run is
// really run, by a stand-in for the kubelet (package kubelet).
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/hubhome/hubhome/test/cluster/controlplane"
	"github.com/hubhome/hubhome/test/cluster/helmtest"
	"github.com/hubhome/hubhome/test/cluster/kubelet"
	"github.com/hubhome/hubhome/test/ganesha"
)

const (
	homesChart = "../../../charts/homes"
	// waitTime is how long a test waits for what takes a moment.
	waitTime = time.Minute
)

// cluster is what all tests have together: each has a namespace of its own in it.
type cluster struct {
	plane   *controlplane.ControlPlane
	kubelet *kubelet.Kubelet
	client  kubernetes.Interface
	bin     string // the directory of the programs built from the tree

	// apart are the servers that are in a network of their own, by the namespace whose share creators reach them there.
	apart sync.Map
}

var start = sync.OnceValues(startCluster)

// started is what TestMain has to stop.
var started cluster

func TestMain(m *testing.M) {
	code := m.Run()
	if err := started.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// startCluster builds the programs and starts the control plane and the stand-in for its node.
func startCluster() (*cluster, error) {
	c, ctx := &started, context.Background()
	var err error
	if c.bin, err = os.MkdirTemp("", "bin-"); err != nil {
		return nil, err
	}
	if err := os.Chmod(c.bin, 0o755); err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", c.bin+"/", "./cmd/hubhome", "./cmd/hubhome-kube")
	build.Dir = "../../.."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the programs of the image: %w\n%s", err, out)
	}
	if c.plane, err = controlplane.Start(ctx); err != nil {
		return nil, err
	}
	if c.client, err = kubernetes.NewForConfig(c.plane.Config()); err != nil {
		return nil, err
	}
	c.kubelet, err = kubelet.Start(kubelet.Config{API: c.plane.Config(), Image: c.image(), Network: c.network})
	return c, err
}

// image is what the Dockerfile makes.
func (c *cluster) image() kubelet.Image {
	const dir = "/usr/local/bin"
	return kubelet.Image{
		Files: map[string]string{
			dir + "/hubhome":      filepath.Join(c.bin, "hubhome"),
			dir + "/hubhome-kube": filepath.Join(c.bin, "hubhome-kube"),
		},
		Path:       dir,
		Entrypoint: []string{dir + "/hubhome"},
		User:       65532, Group: 65532,
	}
}

// network runs the share creators of some namespaces in the network of the server that they are for.
func (c *cluster) network(pod *corev1.Pod, run func()) {
	server, apart := c.apart.Load(pod.Namespace)
	if apart && pod.Labels["app.kubernetes.io/component"] == "nfs-share-creator" {
		server.(*ganesha.Server).Inside(run)
	} else {
		run()
	}
}

func (c *cluster) stop() error {
	if c.kubelet != nil {
		c.kubelet.Stop()
	}
	var err error
	if c.plane != nil {
		err = c.plane.Stop()
	}
	if c.bin != "" {
		err = errors.Join(err, os.RemoveAll(c.bin))
	}
	return err
}

// hub is a hub in a namespace of its own. Its release has the name of the namespace, which no other has.
type hub struct {
	*testing.T
	*cluster
	helm   helmtest.Cluster
	name   string
	values []string // what every release of it has
}

// need returns the cluster, or skips a test where there can be none.
func need(t *testing.T) *cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	if os.Geteuid() != 0 {
		unable(t, errors.New("containers and NFS servers take root"))
	}
	c, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newHub makes a namespace for a hub.
func newHub(t *testing.T) *hub {
	t.Helper()
	c := need(t)
	name, err := c.plane.Namespace(t.Context(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{T: t, cluster: c, name: name, helm: helmtest.Cluster{Config: c.plane.Config(), Namespace: name}}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, job := range []string{guard, creator, checker} {
			if log := h.log(job); log != "" {
				t.Logf("the log of Job %s:\n%s", job, log)
			}
		}
	})
	return h
}

// on has the hub's homes on a server.
func (h *hub) on(s server) {
	h.values = []string{s.values()}
	if s.apart != nil {
		h.apart.Store(h.name, s.apart)
	}
}

// unable skips a test that cannot run here, and fails it where all have to.
func unable(t *testing.T, why error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// The Jobs of the chart homes.
const (
	guard   = "nfs-volume-guard"
	creator = "nfs-share-creator"
)

func (h *hub) log(job string) string { return h.kubelet.Log(h.name, job) }

// homes is the chart with the hub's values and more.
func (h *hub) homes(values ...string) helmtest.Chart {
	return helmtest.Chart{Dir: homesChart, Values: append(append([]string{}, h.values...), values...)}
}

func (h *hub) install(values ...string) {
	h.Helper()
	if _, err := h.helm.Install(h.Context(), h.name, h.homes(values...)); err != nil {
		h.Fatalf("install: %v", err)
	}
}

func (h *hub) upgrade(values ...string) {
	h.Helper()
	if _, err := h.helm.Upgrade(h.Context(), h.name, h.homes(values...)); err != nil {
		h.Fatalf("upgrade: %v", err)
	}
}

func (h *hub) uninstall() {
	h.Helper()
	if err := h.helm.Uninstall(h.name); err != nil {
		h.Fatalf("uninstall: %v", err)
	}
}

// volume is the hub's volume.
func (h *hub) volume() *corev1.PersistentVolume {
	h.Helper()
	v, err := h.client.CoreV1().PersistentVolumes().Get(h.Context(), h.name+"-home-nfs", metav1.GetOptions{})
	if err != nil {
		h.Fatal(err)
	}
	return v
}

// bound waits until the claim is bound to the hub's volume, and returns it.
func (h *hub) bound() *corev1.PersistentVolumeClaim {
	h.Helper()
	var claim *corev1.PersistentVolumeClaim
	h.until("the claim is bound", func(ctx context.Context) (done bool, err error) {
		claim, err = h.client.CoreV1().PersistentVolumeClaims(h.name).Get(ctx, "home-nfs", metav1.GetOptions{})
		return err == nil && claim.Status.Phase == corev1.ClaimBound, err
	})
	if claim.Spec.VolumeName != h.name+"-home-nfs" {
		h.Errorf("the claim is bound to %s", claim.Spec.VolumeName)
	}
	if v := h.volume(); v.Status.Phase != corev1.VolumeBound || v.Spec.ClaimRef.UID != claim.UID {
		h.Errorf("the volume is %s, for the claim %v, and the claim is %s", v.Status.Phase, v.Spec.ClaimRef, claim.UID)
	}
	return claim
}

// gone holds the cluster to have nothing of the hub: no volume, no claim, nothing of the hooks.
func (h *hub) gone() {
	h.Helper()
	ctx, core, rbac := h.Context(), h.client.CoreV1(), h.client.RbacV1()
	for what, get := range map[string]func() error{
		"the volume": func() error {
			_, err := core.PersistentVolumes().Get(ctx, h.name+"-home-nfs", metav1.GetOptions{})
			return err
		},
		"the claim": func() error {
			_, err := core.PersistentVolumeClaims(h.name).Get(ctx, "home-nfs", metav1.GetOptions{})
			return err
		},
		"the account of the guard": func() error {
			_, err := core.ServiceAccounts(h.name).Get(ctx, guard, metav1.GetOptions{})
			return err
		},
		"the cluster role of the guard": func() error {
			_, err := rbac.ClusterRoles().Get(ctx, h.name+"-"+guard, metav1.GetOptions{})
			return err
		},
		"the binding of the cluster role": func() error {
			_, err := rbac.ClusterRoleBindings().Get(ctx, h.name+"-"+guard, metav1.GetOptions{})
			return err
		},
	} {
		h.until(what+" is gone", func(context.Context) (bool, error) { return apierrors.IsNotFound(get()), nil })
	}
}

// refused holds an error, or a log, to say certain things.
func (h *hub) refused(what string, err error, words ...string) {
	h.Helper()
	if err == nil {
		h.Fatalf("%s was not refused", what)
	}
	h.says(what, err.Error(), words...)
}

func (h *hub) says(what, text string, words ...string) {
	h.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			h.Errorf("%s: not a word of %q in\n%s", what, word, text)
		}
	}
}

// pod makes a pod that uses the claim and runs, as far as the cluster can tell, until the test deletes it.
func (h *hub) pod(name string) {
	h.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			NodeName:   kubelet.Node,
			Containers: []corev1.Container{{Name: "notebook", Image: "any"}},
			Volumes: []corev1.Volume{{Name: "home", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "home-nfs"}}}},
		},
	}
	pod, err := h.client.CoreV1().Pods(h.name).Create(h.Context(), pod, metav1.CreateOptions{})
	if err != nil {
		h.Fatal(err)
	}
	pod.Status.Phase = corev1.PodRunning
	if _, err := h.client.CoreV1().Pods(h.name).UpdateStatus(h.Context(), pod, metav1.UpdateOptions{}); err != nil {
		h.Fatal(err)
	}
}

func (h *hub) deletePod(name string) {
	h.Helper()
	if err := h.client.CoreV1().Pods(h.name).Delete(h.Context(), name, metav1.DeleteOptions{}); err != nil {
		h.Fatal(err)
	}
	h.until("pod "+name+" is gone", func(ctx context.Context) (bool, error) {
		_, err := h.client.CoreV1().Pods(h.name).Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	})
}

// until waits until a condition holds.
func (h *hub) until(what string, holds func(ctx context.Context) (bool, error)) {
	h.Helper()
	if err := wait.PollUntilContextTimeout(h.Context(), 50*time.Millisecond, waitTime, true, holds); err != nil {
		h.Fatalf("wait until %s: %v", what, err)
	}
}
