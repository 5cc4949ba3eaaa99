// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homescanner

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestSchema is closed, and knows each value.
func TestSchema(t *testing.T) {
	problems, err := helmtest.SchemaProblems(chartDir, "global", "hubs", "nodeSelector", "affinity", "resources", "podAnnotations",
		"podLabels", "serviceAccount.annotations", "metrics.serviceMonitor.labels", "metrics.prometheusRule.labels")
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Error(problem)
	}
}

// TestDocumented has each value in the README.
func TestDocumented(t *testing.T) {
	problems, err := helmtest.ReadmeProblems(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Error(problem)
	}
}

// TestLint is what `helm lint --strict` says.
func TestLint(t *testing.T) {
	if err := helmtest.Lint(chart()); err != nil {
		t.Error(err)
	}
}

// TestRefused has a mistake refused before anything is asked of a cluster, with an error that names the value.
func TestRefused(t *testing.T) {
	for _, test := range []struct{ values, want string }{
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
	} {
		t.Run(test.values, func(t *testing.T) {
			_, err := helmtest.Render(chart(test.values), release)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("the error is\n%v\nand says nothing of\n%s", err, test.want)
			}
		})
	}
}

// TestHubNames has the schema take what hubhome takes, and nothing else.
func TestHubNames(t *testing.T) {
	for _, name := range []string{"prod", "P", "2i2c", "a.b", "a_b", "a-", strings.Repeat("a", 63), strings.Repeat("a", 64), "", ".a", "_a", "-a", "a b", "ä"} {
		_, want := hubhome.ParseHubName(name)
		_, got := helmtest.Render(chart(fmt.Sprintf("hubs: {%q: {}}", name)), release)
		if (got == nil) != (want == nil) {
			t.Errorf("hub %q: the chart says %v, and hubhome %v", name, got, want)
		}
	}
}
