// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kubelet

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// unprivileged is the sysctl that lets everybody have ports below 1024. It is a namespace's, and there are none here: a
// container of such a pod gets the capability instead.
const unprivileged = "net.ipv4.ip_unprivileged_port_start"

func unprivilegedPorts(pod *corev1.Pod) bool {
	s := pod.Spec.SecurityContext
	return s != nil && slices.Contains(s.Sysctls, corev1.Sysctl{Name: unprivileged, Value: "0"})
}

// canRun refuses a pod that would not run here as it runs on a node. A test that passes has to mean something.
func canRun(pod *corev1.Pod) error {
	refuse := func(what string, args ...any) error {
		return fmt.Errorf("the test's stand-in for a kubelet cannot run pod %s: it has %s", pod.Name, fmt.Sprintf(what, args...))
	}
	spec := pod.Spec
	if len(spec.Containers) != 1 {
		return refuse("%d containers, and one at a time is all that is run", len(spec.Containers))
	}
	if spec.RestartPolicy != corev1.RestartPolicyNever {
		return refuse("restartPolicy %s, and nothing is started again", spec.RestartPolicy)
	}
	if spec.SecurityContext != nil {
		for _, sysctl := range spec.SecurityContext.Sysctls {
			if sysctl.Name != unprivileged || sysctl.Value != "0" {
				return refuse("sysctl %s=%s", sysctl.Name, sysctl.Value)
			}
		}
	}
	for _, volume := range spec.Volumes {
		if !canMount(volume) {
			return refuse("volume %s, which is neither an emptyDir nor a ConfigMap nor projected from what pods have", volume.Name)
		}
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		if what := cannotRun(pod, c); what != "" {
			return refuse("container %s with %s", c.Name, what)
		}
	}
	return nil
}

// cannotRun says what a container has that would not be as on a node, or nothing.
func cannotRun(pod *corev1.Pod, c corev1.Container) string {
	switch {
	case c.RestartPolicy != nil:
		return "a restartPolicy of its own"
	case len(c.EnvFrom) > 0:
		return "envFrom"
	case c.Lifecycle != nil || c.LivenessProbe != nil || c.ReadinessProbe != nil || c.StartupProbe != nil:
		return "a probe or a hook"
	case len(c.VolumeDevices) > 0:
		return "a block device"
	case strings.Contains(strings.Join(slices.Concat(c.Command, c.Args), " "), "$("):
		return "$(…) in its command, which is not expanded"
	}
	if s := c.SecurityContext; s != nil && s.Capabilities != nil && len(s.Capabilities.Add) > 0 {
		return "added capabilities"
	}
	for _, variable := range c.Env {
		if from := variable.ValueFrom; from != nil && (from.FieldRef == nil || field(pod, from.FieldRef) == "") {
			return "variable " + variable.Name + " from elsewhere"
		}
		if strings.Contains(variable.Value, "$(") {
			return "$(…) in variable " + variable.Name + ", which is not expanded"
		}
	}
	for _, mount := range c.VolumeMounts {
		if mount.SubPath != "" || mount.SubPathExpr != "" {
			return "a subPath of volume " + mount.Name
		}
		if path := mountPath(pod, mount.Name); path != mount.MountPath {
			return fmt.Sprintf("volume %s at %s, where another has it at %s", mount.Name, mount.MountPath, path)
		}
	}
	return ""
}

// canMount tells whether fill can fill a volume.
func canMount(volume corev1.Volume) bool {
	switch {
	case volume.EmptyDir != nil, volume.ConfigMap != nil:
		return true
	case volume.Projected != nil:
		return !slices.ContainsFunc(volume.Projected.Sources, func(s corev1.VolumeProjection) bool {
			fields := s.DownwardAPI != nil && !slices.ContainsFunc(s.DownwardAPI.Items, func(f corev1.DownwardAPIVolumeFile) bool {
				return f.FieldRef == nil
			})
			return s.ServiceAccountToken == nil && s.ConfigMap == nil && !fields
		})
	}
	return false
}
