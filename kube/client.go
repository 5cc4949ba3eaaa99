// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// requestTime is how long the API server may take for one answer.
const requestTime = 10 * time.Second

// pageSize is how many pods are asked for at once.
const pageSize = 500

// Client speaks to the API server. It may be used concurrently.
type Client struct{ api rest.Interface }

// Connect returns a client. It goes by the kubeconfig file that is named; else, in a pod, by the pod's service account;
// else by KUBECONFIG and ~/.kube/config, as kubectl does. It does not connect yet.
func Connect(kubeconfig string) (*Client, error) {
	config, err := configure(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w", err)
	}
	return newClient(config)
}

// newClient returns a client of the core API.
func newClient(config *rest.Config) (*Client, error) {
	// The core group alone: client-go's clientset has all groups, and makes a program 20 MB larger.
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register the core API: %w", err)
	}
	config.APIPath = "/api"
	config.GroupVersion = &corev1.SchemeGroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.Timeout = requestTime
	// Prepare asks no more than a few times a second by itself. Where the time is all but over, client-go's limiter says that it
	// would have to wait for longer, and that takes the place of what is worth being told.
	config.QPS = -1
	config.UserAgent = "hubhome-kube"
	// Such as that Recycle is deprecated, where that is just what is being changed.
	config.WarningHandler = rest.NoWarnings{}
	api, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("use the configuration of the API server: %w", err)
	}
	return &Client{api}, nil
}

// configure finds where the API server is, and who we are to it.
func configure(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if !errors.Is(err, rest.ErrNotInCluster) {
			return config, err
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("this is no pod, and there is no kubeconfig: name one with --kubeconfig or KUBECONFIG")
	}
	return config, err
}

// The rules of the chart homes that give hubhome what it needs.
const (
	clusterRule   = "it takes the chart's ClusterRole <release>-nfs-volume-guard, and its binding"
	namespaceRule = "it takes the chart's Role nfs-volume-guard in the namespace, and its binding"
)

// state looks up what is there of a volume.
func (c *Client) state(ctx context.Context, want Volume) (state, error) {
	var is state
	var err error
	if is.volume, err = c.volume(ctx, want.Name); err != nil {
		return state{}, err
	}
	if is.claim, err = c.claim(ctx, want.Namespace, want.Claim); err != nil {
		return state{}, err
	}
	if is.podsMatter(want) {
		if is.pods, err = c.pods(ctx, want.Namespace, want.Claim); err != nil {
			return state{}, err
		}
	}
	return is, nil
}

// volume returns a PersistentVolume, or nil where there is none.
func (c *Client) volume(ctx context.Context, name string) (*corev1.PersistentVolume, error) {
	v := new(corev1.PersistentVolume)
	err := c.api.Get().Resource("persistentvolumes").Name(name).Do(ctx).Into(v)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return v, refused("get", "persistentvolumes", clusterRule, err)
}

// claim returns a PersistentVolumeClaim, or nil where there is none.
func (c *Client) claim(ctx context.Context, namespace, name string) (*corev1.PersistentVolumeClaim, error) {
	v := new(corev1.PersistentVolumeClaim)
	err := c.api.Get().Namespace(namespace).Resource("persistentvolumeclaims").Name(name).Do(ctx).Into(v)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return v, refused("get", "persistentvolumeclaims", namespaceRule, err)
}

// pods returns the names of the pods that use a claim, in order.
func (c *Client) pods(ctx context.Context, namespace, claim string) ([]string, error) {
	var names []string
	for options := (metav1.ListOptions{Limit: pageSize}); ; {
		page := new(corev1.PodList)
		err := c.api.Get().Namespace(namespace).Resource("pods").
			VersionedParams(&options, metav1.ParameterCodec).Do(ctx).Into(page)
		if err != nil {
			return nil, refused("list", "pods", namespaceRule, err)
		}
		for i := range page.Items {
			if pod := &page.Items[i]; uses(pod, claim) {
				names = append(names, described(pod))
			}
		}
		if options.Continue = page.Continue; options.Continue == "" {
			slices.Sort(names)
			return names, nil
		}
	}
}

// patch changes the spec of a volume, unless the volume is no longer as it was seen: the API server takes the resource
// version in a patch for a condition.
func (c *Client) patch(ctx context.Context, seen *corev1.PersistentVolume, spec map[string]any) error {
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": seen.UID, "resourceVersion": seen.ResourceVersion},
		"spec":     spec,
	})
	if err != nil {
		return fmt.Errorf("write a patch: %w", err)
	}
	err = c.api.Patch(types.MergePatchType).Resource("persistentvolumes").Name(seen.Name).Body(body).Do(ctx).Error()
	return refused("patch", "persistentvolumes", clusterRule, err)
}

// deleteVolume and deleteClaim ask for an object's end, unless it is no longer as it was seen.
func (c *Client) deleteVolume(ctx context.Context, seen *corev1.PersistentVolume) error {
	err := c.api.Delete().Resource("persistentvolumes").Name(seen.Name).Body(asSeen(seen)).Do(ctx).Error()
	return refused("delete", "persistentvolumes", clusterRule, err)
}

func (c *Client) deleteClaim(ctx context.Context, seen *corev1.PersistentVolumeClaim) error {
	err := c.api.Delete().Namespace(seen.Namespace).Resource("persistentvolumeclaims").Name(seen.Name).
		Body(asSeen(seen)).Do(ctx).Error()
	return refused("delete", "persistentvolumeclaims", namespaceRule, err)
}

// asSeen are the options to delete an object that has not changed since it was seen.
func asSeen(o metav1.Object) *metav1.DeleteOptions {
	uid, version := o.GetUID(), o.GetResourceVersion()
	return &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}}
}

// refused says of a request that was not permitted what it takes. Other errors stay as they are, with what was asked.
func refused(verb, resource, rule string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err):
		return &Forbidden{Verb: verb, Resource: resource, Rule: rule, Err: err}
	case apierrors.IsUnauthorized(err):
		return &Forbidden{Verb: verb, Resource: resource,
			Rule: "the API server does not know who is asking: the token or the certificate is not valid (any more)", Err: err}
	}
	return fmt.Errorf("%s %s: %w", verb, resource, err)
}
