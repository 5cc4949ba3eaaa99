// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/hubhome/hubhome/test/cluster/controlplane"
)

// KubeVersion is the Kubernetes that charts are rendered for where no server says which it is.
const KubeVersion = controlplane.Version

// Options are how a release is rendered, apart from its chart.
type Options struct {
	// Name and Namespace are the release's.
	Name, Namespace string
	// Upgrade renders what an upgrade would get (.Release.IsUpgrade).
	Upgrade bool
	// KubeVersion is another Kubernetes than the constant says.
	KubeVersion string
}

// Rendered is what a chart makes of its values.
type Rendered struct {
	// Objects are the release's, Hooks those with the annotation helm.sh/hook, each in the order of Helm.
	Objects, Hooks []*unstructured.Unstructured
	// Notes is what Helm says at the end.
	Notes string
}

// Render renders a chart as `helm template` does, its values checked against its schema and its templates for keys that
// are there twice. It needs no server, and lookup finds nothing. It may be called concurrently.
func Render(c Chart, o Options) (*Rendered, error) {
	loaded, values, err := c.both()
	if err != nil {
		return nil, err
	}
	if o.KubeVersion == "" {
		o.KubeVersion = KubeVersion
	}
	version, err := chartutil.ParseKubeVersion(o.KubeVersion)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.ClientOnly, install.DryRun, install.DryRunOption = true, true, "client"
	install.ReleaseName, install.Namespace = o.Name, o.Namespace
	install.IsUpgrade, install.IncludeCRDs, install.KubeVersion = o.Upgrade, true, version
	release, err := install.RunWithContext(context.Background(), loaded, values)
	if err != nil {
		return nil, err
	}
	return rendered(release)
}

// rendered reads a release's objects.
func rendered(release *release.Release) (*Rendered, error) {
	r := &Rendered{Notes: release.Info.Notes}
	var err error
	if r.Objects, err = decode(release.Manifest); err != nil {
		return nil, err
	}
	for _, hook := range release.Hooks {
		objects, err := decode(hook.Manifest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", hook.Path, err)
		}
		r.Hooks = append(r.Hooks, objects...)
	}
	return r, nil
}

// decode reads the documents of a manifest. A key that is there twice is an error.
func decode(manifest string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split the manifest: %w", err)
		}
		var object map[string]any
		if err := sigsyaml.UnmarshalStrict(document, &object); err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, document)
		}
		if object != nil {
			objects = append(objects, &unstructured.Unstructured{Object: object})
		}
	}
}

// All are the objects and the hooks.
func (r *Rendered) All() []*unstructured.Unstructured {
	return slices.Concat(r.Hooks, r.Objects)
}

// Find reads the object or hook of a kind and name as the type of K, such as corev1.PersistentVolume; a field that the
// type does not have is an error, and so is an object that is not there.
func Find[K any](r *Rendered, kind, name string) (*K, error) {
	for _, object := range r.All() {
		if object.GetKind() != kind || object.GetName() != name {
			continue
		}
		var found K
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, &found, true); err != nil {
			return nil, fmt.Errorf("%s %s: %w", kind, name, err)
		}
		return &found, nil
	}
	var there []string
	for _, object := range r.All() {
		there = append(there, object.GetKind()+" "+object.GetName())
	}
	return nil, fmt.Errorf("there is no %s %s among %q", kind, name, there)
}

// OddNames are names of releases and namespaces that YAML takes for something else where they are not quoted.
var OddNames = []string{"2024", "1e3", "0x1f", "true", "null", "on"}

// Misnamed lists the objects that are not of a release by their label, or have the namespace of another.
func (r *Rendered) Misnamed(o Options) (misnamed []string) {
	for _, object := range r.All() {
		in, instance := object.GetNamespace(), object.GetLabels()["app.kubernetes.io/instance"]
		_, has, _ := unstructured.NestedFieldNoCopy(object.Object, "metadata", "namespace")
		if instance != o.Name || has && in != o.Namespace {
			misnamed = append(misnamed, fmt.Sprintf("%s %s of %q in %q", object.GetKind(), object.GetName(), instance, in))
		}
	}
	return misnamed
}
