// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kubelet

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/hubhome/hubhome/test/cluster/controlplane"
)

// jobTime is how long a test waits for what takes a moment.
const jobTime = time.Minute

// node is a namespace of a control plane, and the stand-in that runs its Jobs.
type node struct {
	*testing.T
	client    kubernetes.Interface
	kubelet   *Kubelet
	namespace string
}

// TestRun runs Jobs of many kinds, each by the real Job controller.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("runs containers, which takes root")
		}
		t.Skip("runs containers, which takes root")
	}
	probe := filepath.Join(t.TempDir(), "probe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", probe, "./testdata/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program of the containers: %v\n%s", err, out)
	}
	plane, err := controlplane.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	kubelet, err := Start(Config{API: plane.Config(), Image: Image{
		Files: map[string]string{"/bin/probe": probe}, Path: "/usr/bin:/bin", Entrypoint: []string{"/bin/probe", "say", "entrypoint"},
		User: 65532, Group: 65532,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kubelet.Stop)
	client, err := kubernetes.NewForConfig(plane.Config())
	if err != nil {
		t.Fatal(err)
	}
	namespace, err := plane.Namespace(t.Context(), "kubelet")
	if err != nil {
		t.Fatal(err)
	}
	n := node{t, client, kubelet, namespace}
	n.make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "config"}, Data: map[string]string{"one": "first", "two": "second"}})

	for name, test := range map[string]struct {
		pod    string // the spec of the pod
		failed bool
		log    []string // lines that have to be in the log, in this order
	}{
		"command":    {pod: `containers: [{name: c, command: [probe, say, hello], args: [who]}]`, log: []string{"hello", "65532:65532"}},
		"entrypoint": {pod: `containers: [{name: c, args: [say, more]}]`, log: []string{"entrypoint", "more"}},
		"code":       {pod: `containers: [{name: c, command: [probe, say, sorry, exit, "3"]}]`, failed: true, log: []string{"sorry"}},
		"not found":  {pod: `containers: [{name: c, command: [bash]}]`, failed: true, log: []string{`exec: "bash": executable file not found`}},
		"alone":      {pod: `containers: [{name: c, command: [probe, ls, /]}]`, log: []string{"bin", "etc", "var"}},
		"read only":  {pod: `containers: [{name: c, command: [probe, write, /bin/probe]}]`, failed: true, log: []string{"permission denied"}},
		"user": {
			pod: `
securityContext: {runAsUser: 1000, runAsGroup: 100}
containers: [{name: c, command: [probe, who], securityContext: {runAsUser: 1001}}]`,
			log: []string{"1001:100"}},
		"root": {pod: `
securityContext: {runAsNonRoot: true}
containers: [{name: c, command: [probe, who], securityContext: {runAsUser: 0}}]`,
			failed: true, log: []string{"runAsNonRoot"}},
		"environment": {
			pod: `
containers:
  - name: c
    command: [probe, env, PLAIN, env, WHERE]
    env: [{name: PLAIN, value: text}, {name: WHERE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]`,
			log: []string{"text", namespace}},
		"volumes": {
			pod: `
initContainers:
  - {name: i, command: [probe, say, init, write, /scratch/file], volumeMounts: [{name: scratch, mountPath: /scratch}]}
containers:
  - name: c
    command: [probe, cat, /scratch/file, ls, /config, cat, /config/deep/one]
    volumeMounts: [{name: scratch, mountPath: /scratch}, {name: config, mountPath: /config}]
volumes:
  - {name: scratch, emptyDir: {}}
  - {name: config, configMap: {name: config, items: [{key: one, path: deep/one}]}}`,
			log: []string{"init", "written", "deep", "first"}},
		"init fails": {
			pod: `
initContainers: [{name: i, command: [probe, exit, "1"]}]
containers: [{name: c, command: [probe, say, never]}]`,
			failed: true},
		"low port refused": {pod: `containers: [{name: c, command: [probe, listen]}]`, failed: true, log: []string{"permission denied"}},
		"low port": {
			pod: `
securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]}
containers: [{name: c, command: [probe, listen, say, listened]}]`,
			log: []string{"listened"}},
		"token":      {pod: `containers: [{name: c, command: [probe, pods]}]`, log: []string{"403", namespace + ":default"}},
		"deadline":   {pod: "activeDeadlineSeconds: 1\ncontainers: [{name: c, command: [probe, sleep]}]", failed: true, log: []string{"told to end"}},
		"two":        {pod: `containers: [{name: c, command: [probe]}, {name: d, command: [probe]}]`, failed: true, log: []string{"2 containers"}},
		"disk":       {pod: "containers: [{name: c}]\nvolumes: [{name: v, hostPath: {path: /}}]", failed: true, log: []string{"volume v"}},
		"probe":      {pod: `containers: [{name: c, envFrom: [{configMapRef: {name: config}}]}]`, failed: true, log: []string{"envFrom"}},
		"capability": {pod: `containers: [{name: c, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]`, failed: true, log: []string{"capabilities"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := n.in(t)
			job := n.job(test.pod)
			if failed := n.ended(job) == batchv1.JobFailed; failed != test.failed {
				t.Errorf("failed: %v, want %v", failed, test.failed)
			}
			log := kubelet.Log(namespace, job)
			t.Log(log)
			rest := log
			for _, line := range test.log {
				_, after, found := strings.Cut(rest, line)
				if !found {
					t.Fatalf("%q is not there, or not in its place, in\n%s", line, log)
				}
				rest = after
			}
			if strings.Contains(log, "never") {
				t.Errorf("it went on after a container that failed:\n%s", log)
			}
		})
	}
	t.Run("message", func(t *testing.T) {
		t.Parallel()
		n := n.in(t)
		job := n.job(`containers: [{name: c, command: [probe, say, the reason, exit, "7"], terminationMessagePolicy: FallbackToLogsOnError}]`)
		n.ended(job)
		ended := n.pod(job).Status.ContainerStatuses[0].State.Terminated
		if ended.ExitCode != 7 || ended.Message != "the reason\n" {
			t.Errorf("it ended with %d and %q", ended.ExitCode, ended.Message)
		}
	})
	t.Run("deleted", func(t *testing.T) {
		t.Parallel()
		n := n.in(t)
		job := n.job(`containers: [{name: c, command: [probe, sleep]}]`)
		n.until("the pod runs", func(ctx context.Context) (bool, error) {
			return n.pod(job).Status.Phase == corev1.PodRunning, nil
		})
		name := n.pod(job).Name
		background := metav1.DeletePropagationBackground
		if err := client.BatchV1().Jobs(namespace).Delete(t.Context(), job, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
			t.Fatal(err)
		}
		n.until("the pod is gone", func(ctx context.Context) (bool, error) {
			_, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
			return apierrors.IsNotFound(err), nil
		})
	})
	t.Run("deleted that only counts as running", func(t *testing.T) {
		t.Parallel()
		n := n.in(t)
		user, err := client.CoreV1().Pods(namespace).Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "user"},
			Spec:       corev1.PodSpec{NodeName: Node, Containers: []corev1.Container{{Name: "c", Image: "any"}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.CoreV1().Pods(namespace).Delete(t.Context(), user.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		n.until("the pod is gone", func(ctx context.Context) (bool, error) {
			_, err := client.CoreV1().Pods(namespace).Get(ctx, user.Name, metav1.GetOptions{})
			return apierrors.IsNotFound(err), nil
		})
	})
}

// in is the node for a subtest.
func (n node) in(t *testing.T) node {
	n.T = t
	return n
}

func (n node) make(config *corev1.ConfigMap) {
	if _, err := n.client.CoreV1().ConfigMaps(n.namespace).Create(n.Context(), config, metav1.CreateOptions{}); err != nil {
		n.Fatal(err)
	}
}

// job makes a Job that runs a pod once, and returns its name.
func (n node) job(spec string) string {
	var pod corev1.PodSpec
	if err := yaml.UnmarshalStrict([]byte(spec), &pod); err != nil {
		n.Fatal(err)
	}
	pod.RestartPolicy = corev1.RestartPolicyNever
	for i := range pod.InitContainers {
		pod.InitContainers[i].Image = "any"
	}
	for i := range pod.Containers {
		pod.Containers[i].Image = "any"
	}
	retries := int32(0)
	made, err := n.client.BatchV1().Jobs(n.namespace).Create(n.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "job-"},
		Spec:       batchv1.JobSpec{BackoffLimit: &retries, Template: corev1.PodTemplateSpec{Spec: pod}},
	}, metav1.CreateOptions{})
	if err != nil {
		n.Fatal(err)
	}
	return made.Name
}

// ended waits until a Job has ended, and says how.
func (n node) ended(job string) (how batchv1.JobConditionType) {
	n.until("Job "+job+" ends", func(ctx context.Context) (bool, error) {
		got, err := n.client.BatchV1().Jobs(n.namespace).Get(ctx, job, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		for _, condition := range got.Status.Conditions {
			if condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed {
				how = condition.Type
				return true, nil
			}
		}
		return false, nil
	})
	return how
}

// pod is the pod of a Job, empty where there is none yet.
func (n node) pod(job string) corev1.Pod {
	pods, err := n.client.CoreV1().Pods(n.namespace).List(n.Context(), metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + job})
	if err != nil {
		n.Fatal(err)
	}
	if len(pods.Items) == 0 {
		return corev1.Pod{}
	}
	return pods.Items[0]
}

// until waits until a condition holds.
func (n node) until(what string, holds func(ctx context.Context) (bool, error)) {
	n.Helper()
	if err := wait.PollUntilContextTimeout(n.Context(), 50*time.Millisecond, jobTime, true, holds); err != nil {
		n.Fatalf("wait until %s: %v", what, err)
	}
}
