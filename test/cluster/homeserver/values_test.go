// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homeserver

import (
	"strings"
	"testing"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestChart is what holds of every chart of ours.
func TestChart(t *testing.T) {
	helmtest.Whole(t, chart(), "global", "hubs", "nodeSelector", "affinity", "resources", "podAnnotations",
		"podLabels", "service.annotations", "serviceAccount.annotations", "persistence.volume.volumeAttributes", "configCheck.resources")
}

// TestRefused has a mistake refused before anything is asked of a cluster, with an error that names the value.
func TestRefused(t *testing.T) {
	const volume = "persistence: {existingClaim: '', volume: {driver: d, volumeHandle: h, capacity: 1Gi}}"
	helmtest.Refuses(t, chart, release, [][2]string{
		// Nothing to go on.
		{"nfs: {allow: []}", "nfs.allow is missing: list the networks of the nodes"},
		{"persistence: {existingClaim: ''}", "persistence: say where the homes are: existingClaim"},
		{"persistence: {size: 1Gi}", "persistence: existingClaim and size are set, and the homes are on one disk"},
		{"persistence: {volume: {volumeHandle: h}}", "persistence: existingClaim and volume are set"},
		{"persistence: {existingClaim: '', volume: {volumeHandle: h, capacity: 1Gi}}", "persistence.volume.driver is missing"},
		{"persistence: {existingClaim: '', volume: {driver: d}}", "persistence.volume.volumeHandle is missing"},
		{"persistence: {existingClaim: '', volume: {driver: d, volumeHandle: h}}", "persistence.volume.capacity is missing"},
		{volume + "\n", ""},
		// Root by name, or by what was asked for.
		{"nfs: {squash: root}", "runAs owner takes files that all belong to nfs.owner, and nfs.squash is root, so that"},
		{"nfs: {squash: none}", "set runAs to root"},
		{"nfs: {owner: '0:0'}", "nfs.owner is root: set runAs to root"},
		{"hubs: {stage: {owner: '2000:2000'}}", "the hub stage belongs to 2000:2000 and not to 1000:1000: set runAs to root"},
		{"{runAs: root, nfs: {squash: none}, hubs: {stage: {owner: '2000:2000'}}}", ""},
		// Typos, each in another place.
		{"hub: {}", "additional properties 'hub' not allowed"},
		{"hubs: {prod: {sharedpublic: true}}", "at '/hubs/prod': additional properties 'sharedpublic' not allowed"},
		{"hubs: {a/b: {}}", "'a/b' does not match pattern"},
		{"hubs: {_shared: {}}", "'_shared' does not match pattern"},
		{"nfs: {allowed: [10.0.0.0/8]}", "at '/nfs': additional properties 'allowed' not allowed"},
		{"nfs: {listen: ':111'}", "at '/nfs': additional properties 'listen' not allowed"},
		{"persistence: {storageClassName: fast}", "at '/persistence': additional properties 'storageClassName' not allowed"},
		{"persistence: {volume: {handle: h}}", "at '/persistence/volume': additional properties 'handle' not allowed"},
		{"service: {type: LoadBalancer}", "at '/service': additional properties 'type' not allowed"},
		{"replicas: 2", "additional properties 'replicas' not allowed"},
		{"podDisruptionBudget: {minAvailable: 1}", "additional properties 'minAvailable' not allowed"},
		{"networkPolicy: {from: [{pods: {}}]}", "at '/networkPolicy/from/0': additional properties 'pods' not allowed"},
		// Types and values.
		{"hubs: [prod]", "at '/hubs': got array, want object"},
		{"hubs: {prod: {mode: 0755}}", "at '/hubs/prod/mode': got number, want string"},
		{"hubs: {prod: {mode: '0958'}}", "at '/hubs/prod/mode': '0958' does not match"},
		{"nfs: {allow: 10.0.0.0/8}", "at '/nfs/allow': got string, want array"},
		{"nfs: {allow: [nodes]}", "at '/nfs/allow/0': 'nodes' does not match"},
		{"nfs: {squash: no_root}", "at '/nfs/squash': value must be one of 'all', 'root', 'none'"},
		{"nfs: {owner: jovyan}", "at '/nfs/owner': 'jovyan' does not match"},
		{"nfs: {baseShare: homes}", "at '/nfs/baseShare': 'homes' does not match"},
		{"log: {level: all}", "at '/log/level': value must be one of"},
		{"runAs: user", "at '/runAs': value must be one of 'owner', 'root'"},
		{"persistence: {size: big}", "at '/persistence/size': 'big' does not match"},
		{"persistence: {volume: {fsType: ntfs}}", "at '/persistence/volume/fsType': value must be one of"},
		{"persistence: {subPath: /homes}", "at '/persistence/subPath': '/homes' does not match"},
		{"service: {clusterIP: nfs.example.org}", "at '/service/clusterIP': 'nfs.example.org' does not match"},
		{"podDisruptionBudget: {maxUnavailable: 2}", "at '/podDisruptionBudget/maxUnavailable': value must be one of 0, 1"},
		{"image: {digest: latest}", "at '/image/digest': 'latest' does not match"},
	})
}

// TestNoHubs is a release whose values were forgotten: it would take every hub away from its users.
func TestNoHubs(t *testing.T) {
	values := strings.Replace(needed, "{prod: {}}", "{}", 1)
	_, err := helmtest.Render(helmtest.Chart{Dir: chartDir, Values: []string{values}}, release)
	if err == nil || !strings.Contains(err.Error(), "hubs is empty, so that nothing would be served") {
		t.Errorf("without a hub: %v", err)
	}
}

// TestHubNames has the schema take what hubhome takes, and nothing else.
func TestHubNames(t *testing.T) { helmtest.HubNames(t, chart, release) }
