// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestRefused has a mistake refused before anything is made, with an error that names the value, and mostly the way out.
func TestRefused(t *testing.T) {
	helmtest.Refuses(t, chart, hub, [][2]string{
		// Nothing to go on.
		{"nfs: {pv: {serverIP: ''}}", "nfs.pv.serverIP is missing: set it to the address of the NFS server"},
		{"nfs: {pv: {serverIP: null}}", "nfs.pv.serverIP is missing"},
		// Typos, each in another place.
		{"nsf: {}", "additional properties 'nsf' not allowed"},
		{"nfs: {pv: {serverIp: 10.0.0.2}}", "at '/nfs/pv': additional properties 'serverIp' not allowed"},
		{"nfs: {sharecreator: {}}", "at '/nfs': additional properties 'sharecreator' not allowed"},
		{"nfs: {shareCreator: {toleration: []}}", "at '/nfs/shareCreator': additional properties 'toleration' not allowed"},
		{"nfs: {volumeGuard: {enable: false}}", "at '/nfs/volumeGuard': additional properties 'enable' not allowed"},
		{"image: {name: x}", "at '/image': additional properties 'name' not allowed"},
		// What basehub has and this chart has not.
		{"nfs: {dirsizeReporter: {enabled: true}}", "at '/nfs': additional properties 'dirsizeReporter' not allowed"},
		{"nfs: {volumeReporter: {enabled: true}}", "at '/nfs': additional properties 'volumeReporter' not allowed"},
		// The reclaim policy is nobody's choice.
		{"nfs: {pv: {persistentVolumeReclaimPolicy: Delete}}", "'persistentVolumeReclaimPolicy' not allowed"},
		// Types.
		{"nfs: {enabled: 'yes'}", "at '/nfs/enabled': got string, want boolean"},
		{"nfs: {pv: {serverIP: 10}}", "at '/nfs/pv/serverIP': got number, want string"},
		{"nfs: {pv: {serverIP: [10.0.0.2]}}", "at '/nfs/pv/serverIP': got array, want string"},
		{"nfs: {pv: {mountOptions: hard}}", "at '/nfs/pv/mountOptions': got string, want array"},
		{"nfs: {pv: {mountOptions: [{hard: true}]}}", "at '/nfs/pv/mountOptions/0': got object, want string"},
		{"nfs: {pv: {shareNameOverride: 2024}}", "at '/nfs/pv/shareNameOverride': got number, want null or string"},
		{"nfs: {shareCreator: {mode: 0755}}", "at '/nfs/shareCreator/mode': got number, want string"},
		{"nfs: {shareCreator: {tolerations: core}}", "at '/nfs/shareCreator/tolerations': got string, want array"},
		{"nfs: {shareCreator: {timeoutSeconds: 60s}}", "at '/nfs/shareCreator/timeoutSeconds': got string, want integer"},
		{"nfs: null", "missing property 'nfs'"},
		// Values.
		{"nfs: {shareCreator: {timeoutSeconds: 0}}", "at '/nfs/shareCreator/timeoutSeconds': minimum: got 0, want 1"},
		{"nfs: {shareCreator: {owner: jovyan}}", "at '/nfs/shareCreator/owner': 'jovyan' does not match"},
		{"nfs: {shareCreator: {mode: '0958'}}", "at '/nfs/shareCreator/mode': '0958' does not match"},
		{"nfs: {shareCreator: {nfsVersion: '4.0'}}", "at '/nfs/shareCreator/nfsVersion': value must be one of 'auto', '3', '4.1', '4.2'"},
		{"image: {digest: latest}", "at '/image/digest': 'latest' does not match"},
		{"image: {pullPolicy: sometimes}", "at '/image/pullPolicy': value must be one of"},
		{"nfs: {pv: {serverIP: '10.0.0.2:/homes'}}", `nfs.pv.serverIP: "10.0.0.2:/homes" is not an IP address or a host name alone`},
		{"nfs: {pv: {serverIP: '10.0.0.2:2049'}}", "a port other than 2049 into nfs.pv.mountOptions as port=N"},
		{"nfs: {pv: {serverIP: 'nfs://server'}}", "is not an IP address or a host name alone"},
		{"nfs: {pv: {serverIP: '[::1]'}}", "is not an IP address or a host name alone"},
		{"nfs: {pv: {serverIP: ' 10.0.0.2'}}", "is not an IP address or a host name alone"},
		{`nfs: {pv: {serverIP: "10.0.0.2\n"}}`, "is not an IP address or a host name alone"},
		{"nfs: {pv: {serverIP: '-o'}}", "is not an IP address or a host name alone"},
		{"nfs: {pv: {baseShareName: /homes/../etc}}", "nfs.pv.baseShareName: \"/homes/../etc\" has '.' or '..' in it"},
		{"nfs: {pv: {baseShareName: ..}}", "has '.' or '..' in it"},
		{"nfs: {pv: {baseShareName: ./homes}}", "has '.' or '..' in it"},
		{`nfs: {pv: {baseShareName: "/homes\n"}}`, "has a control character"},
		{"nfs: {pv: {replace: true}, volumeGuard: {enabled: false}}", "nfs.pv.replace needs nfs.volumeGuard.enabled"},
	})
}

// TestHubNames has the chart and hubhome agree on what can be the name of a hub.
func TestHubNames(t *testing.T) {
	for _, name := range []string{
		"a", "Z", "7", "prod", "Prod-2_x.y", "a-", "a_", "a.", "a..b", strings.Repeat("a", 63), strings.Repeat("a", 64),
		".", "..", ".hubhome", "_shared", "-rf", "a/b", "/a", "a/", "../a", "a b", "a\tb", "a\nb", "a\n", "\na", "a\x00", "é", "aé",
		"a:b", "a\\b", "{{ .Release.Name }}", "a'b", `a"b`, "a$b", "a`b", "\u202ea", strings.Repeat("é", 32),
	} {
		_, want := hubhome.ParseHubName(name)
		_, got := helmtest.Render(helmtest.Chart{Dir: chartDir, Values: []string{server, fmt.Sprintf("nfs: {pv: {shareNameOverride: %q}}", name)}}, hub)
		if (got == nil) != (want == nil) {
			t.Errorf("%q: the chart says %v, hubhome says %v", name, got, want)
		}
		if got != nil && !strings.Contains(got.Error(), "nfs.pv.shareNameOverride") {
			t.Errorf("%q is refused without the value's name: %v", name, got)
		}
	}
}
