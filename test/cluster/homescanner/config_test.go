// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homescanner

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
	"github.com/hubhome/hubhome/test/loopback"
)

// patience is how long anything in a test may take.
const patience = time.Minute

// hubhomeBinary builds the command that is in the image, for everybody to run.
func hubhomeBinary(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(public(t), "hubhome")
	build := exec.Command("go", "build", "-o", binary, "./cmd/hubhome")
	build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build hubhome: %v\n%s", err, out)
	}
	return binary
}

// public is a directory that everybody may look into, as the test's own and those above it are not.
func public(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "home-scanner")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// configured is the configuration that the chart writes, with paths and addresses of this machine in place of a pod's.
func configured(t *testing.T, dir, values string, instead ...string) string {
	t.Helper()
	text := helmtest.MustFind[corev1.ConfigMap](t, render(t, values), "ConfigMap", "home-scanner").Data["hubhome.yaml"]
	file := filepath.Join(dir, "hubhome.yaml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(instead...).Replace(text)), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestConfig has the real command check what the chart writes.
func TestConfig(t *testing.T) {
	if testing.Short() {
		t.Skip("builds hubhome")
	}
	binary := hubhomeBinary(t)
	const everything = `
nfs: {serverIP: 'fd00::5', port: 20049, baseShareName: /vol/homes/, version: 3, mountPort: 20048, as: '1001:1002'}
hubs: {prod: {}, "1": {}}
scan: {interval: 1h30m, iops: 0, maxAge: '0'}
metrics: {homes: 5}
log: {level: debug}
`
	for values, want := range map[string]string{
		"{}":       "ok: all hubs",
		everything: "ok: 2 hubs",
		// What only hubhome knows.
		"nfs: {baseShareName: /homes/../etc}": "store.nfs.baseShare: ",
		"scan: {interval: 0s}":                "store.nfs.scan.interval: ",
		"nfs: {as: '99999999999:5'}":          "store.nfs.as: ",
	} {
		out, err := exec.Command(binary, "config", "check", configured(t, t.TempDir(), values)).CombinedOutput()
		if !strings.Contains(string(out), want) || (err == nil) != strings.HasPrefix(want, "ok") {
			t.Errorf("of\n%s\nit says %v\n%swant something of %q", values, err, out, want)
		}
	}
}

// TestScans runs the container's command as the user that it runs as, beside a server with a home, until it tells of it.
func TestScans(t *testing.T) {
	if testing.Short() {
		t.Skip("builds hubhome")
	}
	if os.Geteuid() != 0 {
		t.Skip("a store takes root, and to run as somebody else")
	}
	binary := hubhomeBinary(t)
	nfs, page := address(t), address(t)

	served := t.TempDir()
	if err := os.MkdirAll(filepath.Join(served, "data/prod/ada"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(served, "data/prod/ada/thesis"), make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"data/prod", "data/prod/ada", "data/prod/ada/thesis"} {
		if err := os.Chown(filepath.Join(served, path), 1000, 1000); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(served, "hubhome.yaml")
	text := fmt.Sprintf("store: {disk: {path: ./data}}\nnfs: {listen: %q}\nhubs: {prod: {}}\n", nfs)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(binary, "serve", "--config", file))
	await(t, "the server", func() bool {
		conn, err := net.Dial("tcp", nfs)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})

	dir := public(t)
	state := filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o775); err != nil {
		t.Fatal(err)
	}
	s, container := scanner(t, render(t))
	security := s.Spec.Template.Spec.SecurityContext
	if err := os.Chown(state, 0, int(*security.FSGroup)); err != nil { // as the kubelet does with a volume
		t.Fatal(err)
	}
	if err := os.Chmod(state, 0o2775); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(nfs)
	values := fmt.Sprintf("{nfs: {serverIP: %s, port: %s}, scan: {interval: 1s}}", host, port)
	config := configured(t, dir, values, "/var/lib/hubhome", state, ":9949", page)
	cmd := exec.Command(binary, container.Command[1:]...)
	cmd.Args[len(cmd.Args)-1] = config
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{
		Uid: uint32(*security.RunAsUser), Gid: uint32(*security.RunAsGroup), Groups: []uint32{uint32(*security.FSGroup)},
	}}
	start(t, cmd)
	var told string
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if res, err := http.Get("http://" + page + "/metrics"); err == nil {
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			told = string(body)
		}
		if strings.Contains(told, "\nhubhome_scan_last_success_timestamp_seconds ") && strings.Contains(told, "\nhubhome_store_size_bytes ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not tell of a scan, but\n%s", told)
		}
	}
	if want := `hubhome_home_used_bytes{home="ada",hub="prod"} 1.0`; !strings.Contains(told, want) {
		t.Errorf("it does not tell %s, but\n%s", want, told)
	}
	out, err := exec.Command(binary, "home", "list", "--config", config).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "prod/ada") {
		t.Errorf("it lists %v\n%s", err, out)
	}
}

func address(t *testing.T) string {
	t.Helper()
	addr, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// start starts a command, which ends well with the test.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", cmd, err, &log)
		}
	})
}
