// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// capNetBindService is CAP_NET_BIND_SERVICE (capabilities(7)).
const capNetBindService = 10

// messageSize is how much of a log a container's status can have (corev1.TerminationMessageFallbackToLogsOnError).
const messageSize = 2048

// run runs the containers of a pod, one after the other, and returns the status that the pod ends with.
func (k *Kubelet) run(ctx context.Context, pod *corev1.Pod, log *log) corev1.PodStatus {
	status := corev1.PodStatus{Phase: corev1.PodFailed, StartTime: &metav1.Time{Time: time.Now()}}
	failed := func(reason string, err error) corev1.PodStatus {
		fmt.Fprintln(log, err)
		status.Reason, status.Message = reason, err.Error()
		return status
	}
	if err := canRun(pod); err != nil {
		return failed("CannotRun", err)
	}
	root, err := os.MkdirTemp("", "container-")
	if err != nil {
		return failed("CreateContainerError", err)
	}
	defer os.RemoveAll(root)
	if err := k.prepare(ctx, pod, root); err != nil {
		return failed("CreateContainerError", err)
	}
	if seconds := pod.Spec.ActiveDeadlineSeconds; seconds != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*seconds)*time.Second)
		defer cancel()
	}
	for _, container := range pod.Spec.InitContainers {
		ended := k.runContainer(ctx, pod, container, root, log)
		status.InitContainerStatuses = append(status.InitContainerStatuses, ended)
		if ended.State.Terminated.ExitCode != 0 {
			return deadline(ctx, status)
		}
	}
	ended := k.runContainer(ctx, pod, pod.Spec.Containers[0], root, log)
	status.ContainerStatuses = []corev1.ContainerStatus{ended}
	if ended.State.Terminated.ExitCode == 0 {
		status.Phase = corev1.PodSucceeded
	}
	return deadline(ctx, status)
}

// deadline marks a pod whose time is over.
func deadline(ctx context.Context, status corev1.PodStatus) corev1.PodStatus {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		status.Phase, status.Reason = corev1.PodFailed, "DeadlineExceeded"
		status.Message = "Pod was active on the node longer than the specified deadline"
	}
	return status
}

// prepare fills a root directory for the pod's containers.
func (k *Kubelet) prepare(ctx context.Context, pod *corev1.Pod, root string) error {
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	if err := k.Image.unpack(root); err != nil {
		return fmt.Errorf("unpack the image: %w", err)
	}
	for _, volume := range pod.Spec.Volumes {
		path := mountPath(pod, volume.Name)
		if path == "" {
			continue
		}
		if err := k.fill(ctx, pod, volume, filepath.Join(root, path)); err != nil {
			return fmt.Errorf("set up volume %s: %w", volume.Name, err)
		}
	}
	return nil
}

// runContainer runs one container until it ends, or until ctx does: then it is told to end, and killed when it has not
// within the pod's grace period.
func (k *Kubelet) runContainer(ctx context.Context, pod *corev1.Pod, c corev1.Container, root string, log *log) corev1.ContainerStatus {
	begin, before := time.Now(), len(log.String())
	code, err := k.exec(ctx, pod, c, root, log)
	reason := "Completed"
	if err != nil {
		fmt.Fprintln(log, err)
		reason = "StartError"
	} else if code != 0 {
		reason = "Error"
	}
	message := ""
	if code != 0 && c.TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError {
		printed := log.String()[before:]
		message = printed[max(0, len(printed)-messageSize):]
	}
	return corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: "stand-in",
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: int32(code), Reason: reason, Message: message,
			StartedAt: metav1.Time{Time: begin}, FinishedAt: metav1.Time{Time: time.Now()},
		}},
	}
}

// exec runs a container's process. Its exit code is 128 where it could not be started, and 128 and the signal's number
// where a signal ended it, as runtimes have it.
func (k *Kubelet) exec(ctx context.Context, pod *corev1.Pod, c corev1.Container, root string, log *log) (code int, err error) {
	command := c.Command
	if len(command) == 0 {
		command = k.Image.Entrypoint
	}
	command = slices.Concat(command, c.Args)
	if len(command) == 0 {
		return 128, fmt.Errorf("start container %s: there is no command, neither in the pod nor in the image", c.Name)
	}
	path, err := k.Image.find(command[0])
	if err != nil {
		return 128, fmt.Errorf("start container %s: %w", c.Name, err)
	}
	user, err := k.user(pod, c)
	if err != nil {
		return 128, fmt.Errorf("start container %s: %w", c.Name, err)
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Args, cmd.Env, cmd.Dir = command, k.environment(pod, c), "/"
	cmd.Stdout, cmd.Stderr = log, log
	if c.WorkingDir != "" {
		cmd.Dir = c.WorkingDir
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: user, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if unprivilegedPorts(pod) {
		cmd.SysProcAttr.AmbientCaps = []uintptr{capNetBindService}
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	if seconds := pod.Spec.TerminationGracePeriodSeconds; seconds != nil {
		cmd.WaitDelay = time.Duration(*seconds) * time.Second
	}
	run := func() {
		// The signal at this process's death comes at that of the thread which started the container (prctl(2)).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err = cmd.Run()
	}
	if k.Network != nil {
		k.Network(pod, run)
	} else {
		run()
	}
	if cmd.ProcessState == nil {
		return 128, fmt.Errorf("start container %s: %w", c.Name, err)
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// user is who a container runs as.
func (k *Kubelet) user(pod *corev1.Pod, c corev1.Container) (*syscall.Credential, error) {
	user, group, nonRoot := k.Image.User, k.Image.Group, false
	set := func(u, g *int64, n *bool) {
		if u != nil {
			user = *u
		}
		if g != nil {
			group = *g
		}
		if n != nil {
			nonRoot = *n
		}
	}
	credential := &syscall.Credential{}
	if s := pod.Spec.SecurityContext; s != nil {
		set(s.RunAsUser, s.RunAsGroup, s.RunAsNonRoot)
		for _, group := range s.SupplementalGroups {
			credential.Groups = append(credential.Groups, uint32(group))
		}
		if s.FSGroup != nil {
			credential.Groups = append(credential.Groups, uint32(*s.FSGroup))
		}
	}
	if s := c.SecurityContext; s != nil {
		set(s.RunAsUser, s.RunAsGroup, s.RunAsNonRoot)
	}
	if nonRoot && user == 0 {
		return nil, errors.New("container has runAsNonRoot and image will run as root")
	}
	if user == 0 {
		return nil, errors.New("it runs as root, which has more capabilities here than on a node")
	}
	credential.Uid, credential.Gid = uint32(user), uint32(group)
	return credential, nil
}

// environment is what a container's process gets: the image's, the way to the API server, and the pod's.
func (k *Kubelet) environment(pod *corev1.Pod, c corev1.Container) []string {
	_, addr, _ := strings.Cut(k.API.Host, "://")
	host, port, _ := strings.Cut(addr, ":")
	env := []string{"PATH=" + k.Image.Path, "HOME=/", "HOSTNAME=" + pod.Name,
		"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port}
	for _, variable := range c.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			value = field(pod, from.FieldRef)
		}
		env = append(env, variable.Name+"="+value)
	}
	return env
}
