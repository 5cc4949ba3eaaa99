// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homes

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
	"github.com/hubhome/hubhome/test/jupyterhub"
)

// z2jhEnv names a checkout of Zero to JupyterHub's chart, the directory jupyterhub of its repository. The chart is in no
// registry that Go or Debian have.
const z2jhEnv = "Z2JH_CHART"

// z2jh returns a copy of the checkout as a release of it is: with the version that the umbrella asks for, and with its
// schema in JSON, which Helm reads.
func z2jh(t *testing.T) string {
	t.Helper()
	checkout := os.Getenv(z2jhEnv)
	if checkout == "" {
		t.Skipf("Zero to JupyterHub's chart is needed: name a checkout of it in %s", z2jhEnv)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(checkout)); err != nil {
		t.Fatal(err)
	}
	chart := parse(t, read(t, dir, "Chart.yaml"))
	for _, dependency := range at(t, parse(t, read(t, umbrellaDir, "Chart.yaml")), "dependencies").([]any) {
		if dependency := dependency.(map[string]any); dependency["name"] == chart["name"] {
			chart["version"] = dependency["version"]
		}
	}
	text, err := yaml.Marshal(chart)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := yaml.YAMLToJSON([]byte(read(t, dir, "values.schema.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"Chart.yaml": text, "values.schema.json": schema} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// umbrella renders the example with both charts.
func umbrella(t *testing.T, values ...string) *helmtest.Rendered {
	t.Helper()
	r, err := helmtest.Render(helmtest.Chart{
		Dir: umbrellaDir, Dependencies: map[string]string{"jupyterhub": z2jh(t)},
		Values: append([]string{"homes: {" + server + "}"}, values...),
	}, hub)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestZ2JH has Zero to JupyterHub take the values by themselves, its own schema in force.
func TestZ2JH(t *testing.T) {
	dir := z2jh(t)
	values := read(t, chartDir, "z2jh-values.yaml")
	r, err := helmtest.Render(helmtest.Chart{Dir: dir, Values: []string{values}}, hub)
	if err != nil {
		t.Fatal(err)
	}
	helmtest.MustFind[corev1.Secret](t, r, "Secret", "hub")
	if _, err := helmtest.Render(helmtest.Chart{Dir: dir, Values: []string{values, "singleuser: {storage: {static: {pvc: x}}}"}}, hub); err == nil {
		t.Error("its schema is not in force: it takes any value")
	}
}

// TestUmbrellaHomes renders what the example says to the chart homes, without the other chart.
func TestUmbrellaHomes(t *testing.T) {
	text, err := yaml.Marshal(at(t, parse(t, read(t, umbrellaDir, "values.yaml")), "homes"))
	if err != nil {
		t.Fatal(err)
	}
	v, _ := volume(t, render(t, string(text)))
	if v.Spec.NFS.Path != "/homes/my-hub" {
		t.Errorf("the hub's directory is %s", v.Spec.NFS.Path)
	}
	version := at(t, parse(t, read(t, chartDir, "Chart.yaml")), "version")
	for _, dependency := range at(t, parse(t, read(t, umbrellaDir, "Chart.yaml")), "dependencies").([]any) {
		if d := dependency.(map[string]any); d["name"] == "homes" && d["version"] != version {
			t.Errorf("the umbrella asks for homes %v, and that is %v", d["version"], version)
		}
	}
}

// TestUmbrella makes one release of both charts, in which the pods' claim is the one that is made.
func TestUmbrella(t *testing.T) {
	r := umbrella(t)
	_, c := volume(t, r)
	job(t, r, "nfs-share-creator")
	helmtest.MustFind[corev1.Secret](t, r, "Secret", "hub")
	// What is deleted in Jupyter makes room, and what is in a directory can be deleted with it.
	settings := parse(t, helmtest.MustFind[corev1.Secret](t, r, "Secret", "singleuser").StringData["jupyter_server_config.json"])
	want := map[string]any{"FileContentsManager": map[string]any{"delete_to_trash": false, "always_delete_dir": true}}
	if !reflect.DeepEqual(settings, want) {
		t.Errorf("Jupyter is told %v, want %v", settings, want)
	}
	claim := at(t, parse(t, read(t, umbrellaDir, "values.yaml")), "jupyterhub", "singleuser", "storage", "static", "pvcName")
	if claim != c.Name {
		t.Errorf("pods mount the claim %v, and made is %s", claim, c.Name)
	}
	seen := map[string]bool{}
	for _, object := range r.All() {
		name := object.GetKind() + "/" + object.GetName()
		if seen[name] {
			t.Errorf("%s is in both charts", name)
		}
		seen[name] = true
	}
}

// TestPods has the pods of an admin and of a user made by Zero to JupyterHub's own code and by KubeSpawner, from the
// values of the example, and with allusers besides.
func TestPods(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a JupyterHub's worth of Python")
	}
	r := umbrella(t, `jupyterhub: {custom: {singleuserAdmin: {extraVolumeMounts: {003-allusers: {name: home, mountPath: /home/jovyan/allusers, readOnly: true}}}}}`)
	if os.Getenv(jupyterhub.KubeSpawnerEnv) == "" {
		t.Skipf("KubeSpawner is needed: name a checkout of it in %s", jupyterhub.KubeSpawnerEnv)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := jupyterhub.Install(ctx); err != nil {
		t.Skip(err)
	}
	out, err := jupyterhub.Python(ctx, "../../jupyterhub/testdata/z2jh_pods.py", "HUB_ETC="+mounted(t, r))
	if err != nil {
		t.Fatal(err)
	}
	var pods map[string]corev1.Pod
	if err := json.Unmarshal(out, &pods); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	everybody := []string{
		"/home/jovyan <username>", "/home/rstudio <username>",
		"/home/jovyan/shared _shared read-only", "/home/rstudio/shared _shared read-only",
		"/usr/local/etc/jupyter/jupyter_server_config.json jupyter_server_config.json",
	}
	admins := []string{"/home/jovyan/shared-readwrite _shared", "/home/rstudio/shared-readwrite _shared", "/home/jovyan/allusers read-only"}
	for name, test := range map[string]struct {
		directory string
		want      []string
	}{"ada.l": {"ada-2el", append(slices.Clone(everybody), admins...)}, "bob": {"bob", everybody}} {
		pod := pods[name]
		var got, want []string
		for _, mount := range pod.Spec.Containers[0].VolumeMounts {
			words := []string{mount.MountPath}
			if mount.SubPath != "" {
				words = append(words, mount.SubPath)
			}
			if mount.ReadOnly {
				words = append(words, "read-only")
			}
			got = append(got, strings.Join(words, " "))
		}
		for _, mount := range test.want {
			want = append(want, strings.ReplaceAll(mount, "<username>", test.directory))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		volumes := map[string]corev1.Volume{}
		for _, v := range pod.Spec.Volumes {
			volumes[v.Name] = v
		}
		home, files := volumes["home"], volumes["files"]
		if len(volumes) != 2 || home.PersistentVolumeClaim == nil || home.PersistentVolumeClaim.ClaimName != "home-nfs" ||
			files.Secret == nil || files.Secret.SecretName != "singleuser" {
			t.Errorf("%s has the volumes %+v", name, pod.Spec.Volumes)
		}
		// The home is given to its user before anything else runs.
		owner := pod.Spec.InitContainers[0]
		if owner.Name != "home-owner" || owner.VolumeMounts[0].SubPath != test.directory {
			t.Errorf("%s: the home's owner is set by %+v", name, owner)
		}
	}
}

// mounted writes what the chart mounts in the hub's container below /usr/local/etc/jupyterhub.
func mounted(t *testing.T, r *helmtest.Rendered) string {
	t.Helper()
	dir := t.TempDir()
	write := func(sub, name string, text []byte) {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, sub, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, object := range r.Objects {
		if object.GetName() != "hub" || object.GetKind() != "Secret" && object.GetKind() != "ConfigMap" {
			continue
		}
		for key, value := range object.Object["data"].(map[string]any) {
			text := []byte(value.(string))
			if object.GetKind() == "ConfigMap" {
				write("config", key, text)
				continue
			}
			decoded, err := base64.StdEncoding.DecodeString(string(text))
			if err != nil {
				t.Fatal(err)
			}
			write("secret", key, decoded)
		}
	}
	return dir
}
