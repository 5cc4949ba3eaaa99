// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Timeout is how long Helm waits for a hook, as with --timeout: longer than anything that a chart of ours waits for.
const Timeout = 4 * time.Minute

// Cluster is a namespace of a cluster, for somebody who may do there what Config may. Its methods may be called
// concurrently, for different releases.
type Cluster struct {
	Config    *rest.Config
	Namespace string
}

// Install is `helm install`. Where it fails, what Helm has made by then stays, as it does for everybody.
func (c Cluster) Install(ctx context.Context, name string, chart Chart) (*release.Release, error) {
	config, err := c.configuration()
	if err != nil {
		return nil, err
	}
	loaded, values, err := chart.both()
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace, install.Timeout = name, c.Namespace, Timeout
	return install.RunWithContext(ctx, loaded, values)
}

// Upgrade is `helm upgrade` with the values of chart alone.
func (c Cluster) Upgrade(ctx context.Context, name string, chart Chart) (*release.Release, error) {
	config, err := c.configuration()
	if err != nil {
		return nil, err
	}
	loaded, values, err := chart.both()
	if err != nil {
		return nil, err
	}
	upgrade := action.NewUpgrade(config)
	upgrade.Namespace, upgrade.Timeout, upgrade.ResetValues = c.Namespace, Timeout, true
	return upgrade.RunWithContext(ctx, name, loaded, values)
}

// Rollback is `helm rollback` to a revision.
func (c Cluster) Rollback(name string, revision int) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	rollback := action.NewRollback(config)
	rollback.Version, rollback.Timeout = revision, Timeout
	return rollback.Run(name)
}

// Uninstall is `helm uninstall`. It does not wait until what it has asked to be deleted is gone.
func (c Cluster) Uninstall(name string) error {
	config, err := c.configuration()
	if err != nil {
		return err
	}
	uninstall := action.NewUninstall(config)
	uninstall.Timeout = Timeout
	_, err = uninstall.Run(name)
	return err
}

// quiet drops what Helm writes to the standard logger past the one that it is given: a line for every hook whose log it
// cannot have, and there is no kubelet that had it.
var quiet = sync.OnceFunc(func() { log.SetOutput(io.Discard) })

// configuration is Helm's view of the cluster. It keeps releases in Secrets, as Helm does by itself.
func (c Cluster) configuration() (*action.Configuration, error) {
	quiet()
	config := new(action.Configuration)
	if err := config.Init(getter{c}, c.Namespace, "secret", func(string, ...any) {}); err != nil {
		return nil, fmt.Errorf("set Helm up for namespace %s: %w", c.Namespace, err)
	}
	return config, nil
}

// getter hands the cluster to Helm, in the form of kubectl's flags (genericclioptions.RESTClientGetter).
type getter struct{ c Cluster }

func (g getter) ToRESTConfig() (*rest.Config, error) { return rest.CopyConfig(g.c.Config), nil }

func (g getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	client, err := discovery.NewDiscoveryClientForConfig(g.c.Config)
	if err != nil {
		return nil, err
	}
	return memory.NewMemCacheClient(client), nil
}

func (g getter) ToRESTMapper() (meta.RESTMapper, error) {
	client, err := g.ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	return restmapper.NewDeferredDiscoveryRESTMapper(client), nil
}

func (g getter) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{Context: clientcmdapi.Context{Namespace: g.c.Namespace}}
	return clientcmd.NewDefaultClientConfig(*clientcmdapi.NewConfig(), overrides)
}
