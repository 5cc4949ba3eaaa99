// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homeserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// hubhomeBinary builds the command that is in the image.
func hubhomeBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "hubhome")
	build := exec.Command("go", "build", "-o", binary, "./cmd/hubhome")
	build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build hubhome: %v\n%s", err, out)
	}
	return binary
}

// mounted writes a ConfigMap's files to where a container has them, and returns their directory.
func mounted(t *testing.T, r *helmtest.Rendered, name string) string {
	t.Helper()
	dir := t.TempDir()
	for file, text := range helmtest.MustFind[corev1.ConfigMap](t, r, "ConfigMap", name).Data {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inContainer is a command as this machine runs it: the image's program, and the mount's files.
func inContainer(command []string, binary, config string) *exec.Cmd {
	args := slices.Clone(command[1:])
	for i := range args {
		args[i] = strings.Replace(args[i], "/etc/hubhome", config, 1)
	}
	return exec.Command(binary, args...)
}

// TestConfig has the real command check what the chart writes, by the Job's own arguments. The Job has what the server
// gets.
func TestConfig(t *testing.T) {
	if testing.Short() {
		t.Skip("builds hubhome")
	}
	binary := hubhomeBinary(t)
	const everything = `
runAs: root
hubs: {staging: {quota: {home: unlimited}}, prod: {owner: '2000:3000', mode: '02755', shared: false, sharedPublic: true,
  quota: {home: {bytes: 20GiB, inodes: 1000000}, homes: {ada: 50 GiB, bob: {inodes: unlimited}}, sharedPublic: 1TB, total: 2TiB}}, "1": {}}
quota: {reserve: {enabled: false, bytes: 1GiB, fileBytes: 2MiB, inodes: 5}}
metrics: {enabled: true, homes: 0}
warnings: {at: [50], stdout: false, webhook: {secretName: chat, secretKey: hook}}
nfs: {baseShare: /, allow: [10.0.0.0/8, 'fd00::/64', 192.0.2.1/32], squash: none, owner: '1000:100'}
log: {level: debug}
`
	for _, test := range []struct {
		name, values, want string
		code               int
	}{
		{"as little as possible", "", "ok: 1 hub\n", 0},
		{"everything", everything, "ok: 3 hubs\n", 0},
		// What only the server knows. The lines are those of the file that the Job sees.
		{"networks that overlap", "nfs: {allow: [10.0.0.0/8, 10.1.0.0/16]}", "nfs.allow: 10.1.0.0/16", 1},
		{"not a network", "nfs: {allow: [10.0.0.0/64]}", "nfs.allow: ", 1},
		{"a hub that its owner cannot use", "hubs: {prod: {mode: '0055'}}", "hubs.prod.mode: ", 1},
		{"a quota that can be read in two ways", "hubs: {prod: {quota: {home: 10G}}}", "hubs.prod.quota.home: ", 1},
		{"marks out of order", "warnings: {at: [90, 80]}", "warnings.at: ", 1},
		{"a base share with dots", "nfs: {baseShare: /homes/../etc}", "nfs.baseShare: ", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := render(t, test.values)
			job := helmtest.MustFind[batchv1.Job](t, r, "Job", "home-server-check")
			check := inContainer(job.Spec.Template.Spec.Containers[0].Command, binary, mounted(t, r, "home-server-check"))
			out, err := check.CombinedOutput()
			if code := check.ProcessState.ExitCode(); code != test.code || !strings.Contains(string(out), test.want) {
				t.Errorf("it exits with %d (%v), want %d, and says\n%swant something of %q", code, err, test.code, out, test.want)
			}
			checked := helmtest.MustFind[corev1.ConfigMap](t, r, "ConfigMap", "home-server-check").Data
			served := helmtest.MustFind[corev1.ConfigMap](t, r, "ConfigMap", "home-server").Data
			if checked["hubhome.yaml"] != served["hubhome.yaml"] || len(served) != 1 {
				t.Errorf("checked is\n%s\nand served\n%s", checked, served)
			}
		})
	}
}
