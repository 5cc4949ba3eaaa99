// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package lifecycle

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"golang.org/x/sync/errgroup"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

const (
	manyRendered  = 1000
	manyInstalled = 100
	// atOnce is how many are rendered or installed at a time.
	atOnce = 8
)

// TestManyRendered renders a thousand hubs, each for its own directory.
func TestManyRendered(t *testing.T) {
	if testing.Short() {
		t.Skip("renders for seconds")
	}
	begin := time.Now()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range manyRendered {
		group.Go(func() error {
			name := fmt.Sprintf("hub-%03d", i)
			r, err := helmtest.Render(helmtest.Chart{Dir: homesChart, Values: []string{"nfs: {pv: {serverIP: 10.0.0.2}}"}},
				helmtest.Options{Name: name, Namespace: name})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			volume, err := helmtest.Find[corev1.PersistentVolume](r, "PersistentVolume", name+"-home-nfs")
			if err != nil {
				return err
			}
			if got, want := volume.Spec.NFS.Path, "/homes/"+name; got != want {
				return fmt.Errorf("%s: its homes are in %s, not in %s", name, got, want)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	t.Logf("%d hubs rendered in %v", manyRendered, time.Since(begin))
}

// TestManyInstalled installs a hundred hubs on one server, several at a time, and waits until each has its homes.
func TestManyInstalled(t *testing.T) {
	t.Parallel()
	var hubs []*hub
	var names []string
	for range manyInstalled {
		h := newHub(t)
		hubs, names = append(hubs, h), append(names, h.name)
	}
	s := startHubhome(t, hubs[0].cluster, "127.0.0.1", names...)
	begin := time.Now()
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, h := range hubs {
		h.on(s)
		group.Go(func() error {
			if _, err := h.helm.Install(t.Context(), h.name, h.homes()); err != nil {
				return fmt.Errorf("install %s: %w", h.name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	installed := time.Now()
	for _, h := range hubs {
		h.bound()
		if got := s.ownerOf(t, h.name); got != "1000:1000 0755" {
			t.Errorf("the directory of %s is %s", h.name, got)
		}
	}
	t.Logf("%d hubs installed in %v, and all bound %v after that", manyInstalled, installed.Sub(begin), time.Since(installed))
}
