// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mountPath is where the pod's containers mount a volume; canRun has seen that they agree. It is empty where none does.
func mountPath(pod *corev1.Pod, volume string) string {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		for _, mount := range c.VolumeMounts {
			if mount.Name == volume {
				return mount.MountPath
			}
		}
	}
	return ""
}

// fill makes the directory of a volume and writes into it what the volume has.
func (k *Kubelet) fill(ctx context.Context, pod *corev1.Pod, volume corev1.Volume, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	switch {
	case volume.EmptyDir != nil:
		return os.Chmod(dir, 0o777)
	case volume.ConfigMap != nil:
		return k.configMap(ctx, pod, volume.ConfigMap.Name, volume.ConfigMap.Items, volume.ConfigMap.Optional, dir)
	case volume.Projected != nil:
		for _, source := range volume.Projected.Sources {
			if err := k.project(ctx, pod, source, dir); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("there is no such volume here") // canRun has refused it
}

// project writes one source of a projected volume.
func (k *Kubelet) project(ctx context.Context, pod *corev1.Pod, source corev1.VolumeProjection, dir string) error {
	switch {
	case source.ServiceAccountToken != nil:
		token, err := k.token(ctx, pod, source.ServiceAccountToken)
		if err != nil {
			return err
		}
		return write(dir, source.ServiceAccountToken.Path, token)
	case source.ConfigMap != nil:
		return k.configMap(ctx, pod, source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional, dir)
	case source.DownwardAPI != nil:
		for _, item := range source.DownwardAPI.Items {
			if err := write(dir, item.Path, field(pod, item.FieldRef)); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("there is no such source here") // canRun has refused it
}

// token asks for a token of the pod's service account that is good while the pod is there.
func (k *Kubelet) token(ctx context.Context, pod *corev1.Pod, source *corev1.ServiceAccountTokenProjection) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	answer, err := k.client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("ask for a token: %w", err)
	}
	return answer.Status.Token, nil
}

// configMap writes a ConfigMap's files: those of items, or all.
func (k *Kubelet) configMap(ctx context.Context, pod *corev1.Pod, name string, items []corev1.KeyToPath, optional *bool, dir string) error {
	config, err := k.client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && optional != nil && *optional {
		return nil
	}
	if err != nil {
		return err
	}
	if items == nil {
		for key := range config.Data {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		text, there := config.Data[item.Key]
		if !there {
			return fmt.Errorf("ConfigMap %s has no key %s", name, item.Key)
		}
		if err := write(dir, item.Path, text); err != nil {
			return err
		}
	}
	return nil
}

// field is a field of the pod, one of those that canRun lets pass.
func field(pod *corev1.Pod, ref *corev1.ObjectFieldSelector) string {
	return map[string]string{
		"metadata.name":           pod.Name,
		"metadata.namespace":      pod.Namespace,
		"metadata.uid":            string(pod.UID),
		"spec.serviceAccountName": pod.Spec.ServiceAccountName,
		"spec.nodeName":           Node,
	}[ref.FieldPath]
}

func write(dir, name, text string) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
