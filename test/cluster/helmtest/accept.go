// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

// Accept has the server check each object of a chart as if it were made, and make nothing: `kubectl create
// --dry-run=server --validate=strict`. A field that does not exist, which Helm lets pass, is an error. So is an object
// that is there already.
func (c Cluster) Accept(ctx context.Context, r *Rendered) error {
	mapper, err := getter{c}.ToRESTMapper()
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(c.Config)
	if err != nil {
		return err
	}
	var errs []error
	for _, object := range r.All() {
		kind := object.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", kind.Kind, object.GetName(), err))
			continue
		}
		var resource dynamic.ResourceInterface = client.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			namespace := object.GetNamespace()
			if namespace == "" {
				namespace = c.Namespace
			}
			resource = client.Resource(mapping.Resource).Namespace(namespace)
		}
		options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
		if _, err := resource.Create(ctx, object, options); err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", kind.Kind, object.GetName(), err))
		}
	}
	return errors.Join(errs...)
}
