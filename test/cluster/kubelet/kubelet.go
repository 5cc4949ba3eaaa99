// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package kubelet stands in for the scheduler, the kubelet and the container runtime of a node, where there is a control
// plane and no node. It is the one part of a test's cluster that is not Kubernetes' own.
//
// It takes the pods of Jobs and runs each container's command for real, as a process of this machine: in a root directory
// with the files of an image and nothing else (chroot(2)), as the user, with the environment and with the volumes that
// the pod says, the token of its service account among them. Then it writes into the pod's status what became of it.
//
// What it does not do: no image is pulled, all are taken for the one that it is given; there are no namespaces, cgroups,
// seccomp profiles and network policies; the network is the machine's. A pod that asks for something that would make a
// difference and is not there is not run: it fails, and says why.
package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Node is the name of the node that it is. A pod that is given this name at birth counts as running there, and is not run.
const Node = "stand-in"

// requestTime is how long one request to the API server may take.
const requestTime = 30 * time.Second

// Config is what a node is made of.
type Config struct {
	// API is an administrator's way to the API server.
	API *rest.Config
	// Image is what is in every image.
	Image Image
	// Network, where it is not nil, calls run, which runs a container of a pod: at once, or in a thread that is in another
	// network than the machine's. It returns when run has. It may be called concurrently.
	Network func(pod *corev1.Pod, run func())
}

// Kubelet stands in for one node. Its methods may be called concurrently.
type Kubelet struct {
	Config
	client kubernetes.Interface
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	mu   sync.Mutex
	runs map[types.UID]context.CancelFunc // the pods that have been taken
	logs map[string]*log                  // of each Job, by "namespace/name"
}

// Start starts one. It needs root, as a container runtime does.
func Start(c Config) (*Kubelet, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("run containers with a root directory and a user of their own: that needs root")
	}
	client, err := kubernetes.NewForConfig(c.API)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Kubelet{
		Config: c, client: client, cancel: cancel,
		runs: map[types.UID]context.CancelFunc{}, logs: map[string]*log{},
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	changed := func(object any) { k.changed(ctx, object.(*corev1.Pod)) }
	if _, err := pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    changed,
		UpdateFunc: func(_, object any) { changed(object) },
	}); err != nil {
		cancel()
		return nil, err
	}
	k.tasks.Go(func() { pods.RunWithContext(ctx) })
	return k, nil
}

// Stop ends what runs and waits for it.
func (k *Kubelet) Stop() {
	k.cancel()
	k.tasks.Wait()
}

// Log is what the containers of a Job's pods have printed so far, those of its latest pod where there were several. It is
// whole when the Job has ended, and stays when the Job is deleted.
func (k *Kubelet) Log(namespace, job string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.logs[namespace+"/"+job].String()
}

// changed is told of every new pod and of every change of one.
func (k *Kubelet) changed(ctx context.Context, pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	end, taken := k.runs[pod.UID]
	switch owner := metav1.GetControllerOf(pod); {
	case pod.DeletionTimestamp != nil && taken:
		end() // and run deletes it
	case pod.DeletionTimestamp != nil && pod.Spec.NodeName == Node:
		k.tasks.Go(func() { k.delete(ctx, pod) })
	case taken || pod.Spec.NodeName != "" || owner == nil || owner.Kind != "Job":
	default:
		// Until the pod is deleted or this one stops.
		ctx, end := context.WithCancel(ctx)
		k.runs[pod.UID] = end
		k.tasks.Go(func() {
			defer end()
			k.take(ctx, pod, owner.Name)
		})
	}
}

// take binds a pod to this node, runs it, and says what became of it.
func (k *Kubelet) take(ctx context.Context, pod *corev1.Pod, job string) {
	log := new(log)
	k.mu.Lock()
	k.logs[pod.Namespace+"/"+job] = log
	k.mu.Unlock()
	binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, UID: pod.UID}, Target: corev1.ObjectReference{Kind: "Node", Name: Node}}
	if err := k.client.CoreV1().Pods(pod.Namespace).Bind(ctx, binding, metav1.CreateOptions{}); err != nil {
		fmt.Fprintf(log, "bind the pod: %v\n", err)
		return // it is gone, or this is about to stop
	}
	k.report(pod, corev1.PodStatus{Phase: corev1.PodRunning, StartTime: &metav1.Time{Time: time.Now()}})
	k.report(pod, k.run(ctx, pod, log))
	if ctx.Err() != nil {
		k.delete(context.WithoutCancel(ctx), pod)
	}
}

// report writes a pod's status. A pod that is gone has none.
func (k *Kubelet) report(pod *corev1.Pod, status corev1.PodStatus) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTime)
	defer cancel()
	latest := pod.DeepCopy()
	latest.ResourceVersion = "" // whatever has been changed meanwhile, the status is this node's
	latest.Status = status
	k.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, latest, metav1.UpdateOptions{})
}

// delete removes a pod that was to be deleted and no longer runs: a node has the last word on that.
func (k *Kubelet) delete(ctx context.Context, pod *corev1.Pod) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	now := int64(0)
	err := k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "stand-in kubelet: delete pod %s/%s: %v\n", pod.Namespace, pod.Name, err)
	}
}
