// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// manifest is an object as YAML, as kubectl would take it to make it again: without what the cluster wrote into it.
func manifest(o any) (string, error) {
	switch o := o.(type) {
	case *corev1.PersistentVolume:
		c := o.DeepCopy()
		c.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolume"}
		c.ObjectMeta = bare(c.ObjectMeta)
		if ref := c.Spec.ClaimRef; ref != nil {
			ref.UID, ref.ResourceVersion = "", ""
		}
		return written(c)
	case *corev1.PersistentVolumeClaim:
		c := o.DeepCopy()
		c.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"}
		c.ObjectMeta = bare(c.ObjectMeta)
		return written(c)
	}
	return "", fmt.Errorf("write %T as YAML: not an object of a hub", o)
}

// bare is what a person would have written of an object's metadata.
func bare(m metav1.ObjectMeta) metav1.ObjectMeta {
	m = metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace, Labels: m.Labels, Annotations: m.Annotations}
	maps.DeleteFunc(m.Annotations, func(key, _ string) bool { return strings.HasPrefix(key, "pv.kubernetes.io/") })
	return m
}

// written is an object without its status, and without the times and the maps that are empty.
func written(o any) (string, error) {
	data, err := yaml.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("write %T as YAML: %w", o, err)
	}
	var fields map[string]any
	if err := yaml.Unmarshal(data, &fields); err != nil {
		return "", fmt.Errorf("write %T as YAML: %w", o, err)
	}
	delete(fields, "status")
	if meta, ok := fields["metadata"].(map[string]any); ok {
		delete(meta, "creationTimestamp")
	}
	data, err = yaml.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("write %T as YAML: %w", o, err)
	}
	return string(data), nil
}
