// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homescanner

import (
	"testing"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestChart is what holds of every chart of ours.
func TestChart(t *testing.T) {
	helmtest.Whole(t, chart(), "global", "hubs", "nodeSelector", "affinity", "resources", "podAnnotations",
		"podLabels", "serviceAccount.annotations", "metrics.serviceMonitor.labels", "metrics.prometheusRule.labels")
}

// TestRefused has a mistake refused before anything is asked of a cluster, with an error that names the value.
func TestRefused(t *testing.T) {
	helmtest.Refuses(t, chart, release, [][2]string{
		// Nothing to go on, or what does not go together.
		{"nfs: {serverIP: ''}", "nfs.serverIP is missing: set it to the address of the NFS server"},
		{"nfs: {version: '4.2', mountPort: 20048}", "nfs.mountPort is of NFSv3, and nfs.version is 4.2"},
		{"metrics: {enabled: false, serviceMonitor: {enabled: true}}", "metrics.serviceMonitor.enabled takes metrics.enabled"},
		{"metrics: {enabled: false, prometheusRule: {enabled: true}}", "metrics.prometheusRule.enabled takes metrics.enabled"},
		{"nfs: {version: '3', mountPort: 20048}", ""},
		{"nfs: {version: 4.1}", ""},
		// Typos, each in another place.
		{"hub: {}", "additional properties 'hub' not allowed"},
		{"hubs: {prod: {shared: true}}", "at '/hubs/prod': additional properties 'shared' not allowed"},
		{"hubs: {_shared: {}}", "'_shared' does not match pattern"},
		{"nfs: {server: 10.0.0.5}", "at '/nfs': additional properties 'server' not allowed"},
		{"nfs: {pv: {serverIP: 10.0.0.5}}", "at '/nfs': additional properties 'pv' not allowed"},
		{"scan: {every: 6h}", "at '/scan': additional properties 'every' not allowed"},
		{"metrics: {serviceMonitor: {enable: true}}", "at '/metrics/serviceMonitor': additional properties 'enable' not allowed"},
		{"persistence: {storageClassName: fast}", "at '/persistence': additional properties 'storageClassName' not allowed"},
		{"replicas: 2", "additional properties 'replicas' not allowed"},
		// Types and values.
		{"hubs: [prod]", "at '/hubs': got array, want"},
		{"nfs: {serverIP: '10.0.0.5:/homes'}", "at '/nfs/serverIP': '10.0.0.5:/homes' does not match"},
		{"nfs: {serverIP: 'nfs.example.org:2049'}", "at '/nfs/serverIP': 'nfs.example.org:2049' does not match"},
		{"nfs: {port: 0}", "at '/nfs/port': minimum"},
		{"nfs: {port: 70000}", "at '/nfs/port': maximum"},
		{"nfs: {baseShareName: homes}", "at '/nfs/baseShareName': 'homes' does not match"},
		{"nfs: {version: '4'}", "at '/nfs/version': value must be one of"},
		{"nfs: {as: jovyan}", "at '/nfs/as': 'jovyan' does not match"},
		{"scan: {interval: 6}", "at '/scan/interval': got number, want string"},
		{"scan: {interval: 1d}", "at '/scan/interval': '1d' does not match"},
		{"scan: {iops: -1}", "at '/scan/iops': minimum"},
		{"scan: {maxAge: -1h}", "at '/scan/maxAge': '-1h' does not match"},
		{"scan: {maxAge: '0'}", ""},
		{"metrics: {homes: many}", "at '/metrics/homes': got string, want integer"},
		{"metrics: {from: [{pods: {}}]}", "at '/metrics/from/0': additional properties 'pods' not allowed"},
		{"log: {level: all}", "at '/log/level': value must be one of"},
		{"persistence: {size: big}", "at '/persistence/size': 'big' does not match"},
		{"image: {digest: latest}", "at '/image/digest': 'latest' does not match"},
	})
}

// TestHubNames has the schema take what hubhome takes, and nothing else.
func TestHubNames(t *testing.T) { helmtest.HubNames(t, chart, release) }
