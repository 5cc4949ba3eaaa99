// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestOddNames takes every name that a release and a namespace can have.
func TestOddNames(t *testing.T) {
	for _, name := range helmtest.OddNames {
		o := helmtest.Options{Name: name, Namespace: name}
		r := renderAs(t, o)
		if wrong := r.Misnamed(o); len(wrong) > 0 {
			t.Errorf("release %s: %q", name, wrong)
		}
		v := helmtest.MustFind[corev1.PersistentVolume](t, r, "PersistentVolume", name+"-home-nfs")
		if ref := v.Spec.ClaimRef; ref.Namespace != name {
			t.Errorf("release %s: the volume is for the namespace %q", name, ref.Namespace)
		}
	}
}

// TestVolume binds one volume to one claim, on the right directory, and never lets go of what is on it.
func TestVolume(t *testing.T) {
	v, c := volume(t, render(t))
	if v.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRetain {
		t.Errorf("the reclaim policy is %q, want Retain", v.Spec.PersistentVolumeReclaimPolicy)
	}
	if nfs := v.Spec.NFS; nfs == nil || nfs.Server != "10.0.0.2" || nfs.Path != "/homes/my-hub" || nfs.ReadOnly {
		t.Errorf("the volume is on %+v, want 10.0.0.2:/homes/my-hub", nfs)
	}
	if ref := v.Spec.ClaimRef; ref == nil || ref.Kind != "PersistentVolumeClaim" || ref.Namespace != "hubs" || ref.Name != c.Name || ref.UID != "" {
		t.Errorf("the volume is for %+v, want hubs/home-nfs", ref)
	}
	if c.Namespace != "hubs" || c.Spec.VolumeName != v.Name || c.Spec.StorageClassName == nil || *c.Spec.StorageClassName != "" || v.Spec.StorageClassName != "" {
		t.Errorf("the claim is %+v, want no class and the volume %s", c.Spec, v.Name)
	}
	many := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	if !slices.Equal(v.Spec.AccessModes, many) || !slices.Equal(c.Spec.AccessModes, many) {
		t.Errorf("access modes %v and %v, want ReadWriteMany", v.Spec.AccessModes, c.Spec.AccessModes)
	}
	// What basehub has: a claim cannot be made smaller, and a release goes on with this chart.
	if size := c.Spec.Resources.Requests.Storage().String(); size != "1Mi" || v.Spec.Capacity.Storage().String() != "1Mi" {
		t.Errorf("the claim is for %s, want 1Mi", size)
	}
}

// TestMountOptions hands over the options as they are, and none where there are none.
func TestMountOptions(t *testing.T) {
	v, _ := volume(t, render(t, `nfs: {pv: {mountOptions: [soft, "retrans=2"]}}`))
	if !slices.Equal(v.Spec.MountOptions, []string{"soft", "retrans=2"}) {
		t.Errorf("mount options %q", v.Spec.MountOptions)
	}
	if v, _ = volume(t, render(t, `nfs: {pv: {mountOptions: []}}`)); v.Spec.MountOptions != nil {
		t.Errorf("mount options %q, want none", v.Spec.MountOptions)
	}
}

// TestDirectory has one directory, whoever is asked for it: the volume, the share creator and the guard.
func TestDirectory(t *testing.T) {
	for _, test := range []struct{ base, override, want, base2 string }{
		{"/homes", "", "/homes/my-hub", "/homes"},
		{"/homes/", "", "/homes/my-hub", "/homes"},
		{"homes", "", "/homes/my-hub", "/homes"},
		{"//homes//all///", "", "/homes/all/my-hub", "/homes/all"},
		{"/", "", "/my-hub", "/"},
		{"", "", "/my-hub", "/"},
		{"/homes", "prod", "/homes/prod", "/homes"},
		{"/", "Prod_2.x", "/Prod_2.x", "/"},
		{"/account/with space", "", "/account/with space/my-hub", "/account/with space"},
		{"/homes/..a/b..", "", "/homes/..a/b../my-hub", "/homes/..a/b.."},
	} {
		t.Run(test.base+" "+test.override, func(t *testing.T) {
			r := render(t, fmt.Sprintf("nfs: {pv: {baseShareName: %q, shareNameOverride: %q}}", test.base, test.override))
			v, _ := volume(t, r)
			if v.Spec.NFS.Path != test.want {
				t.Errorf("the volume is on %q, want %q", v.Spec.NFS.Path, test.want)
			}
			_, create := job(t, r, "nfs-share-creator")
			if base := flag(t, create.Command, "--base-share"); base != test.base2 {
				t.Errorf("the share creator has the base share %q, want %q", base, test.base2)
			}
			if hub := flag(t, create.Command, "--hub"); !strings.HasSuffix(test.want, "/"+hub) {
				t.Errorf("the share creator has the hub %q, want the last of %q", hub, test.want)
			}
			_, prepare := job(t, r, "nfs-volume-guard")
			if path := flag(t, prepare.Command, "--path"); path != test.want {
				t.Errorf("the guard has the path %q, want %q", path, test.want)
			}
		})
	}
}

// TestAddress gives the share creator the server with the port that the mount options have, and the volume the one without.
func TestAddress(t *testing.T) {
	for _, test := range []struct{ server, options, want string }{
		{"10.0.0.2", "[]", "10.0.0.2"},
		{"fs-1.efs.eu-west-1.amazonaws.com", "[hard]", "fs-1.efs.eu-west-1.amazonaws.com"},
		{"nfs_server", "[]", "nfs_server"},
		{"10.0.0.2", `[hard, "port=20490"]`, "10.0.0.2:20490"},
		{"10.0.0.2", `["hard,port=20490"]`, "10.0.0.2:20490"},
		{"10.0.0.2", `["mountport=20048"]`, "10.0.0.2"},
		{"fd00::1", "[]", "[fd00::1]"},
		{"::1", `["port=20490"]`, "[::1]:20490"},
		{"::ffff:10.0.0.2", "[]", "[::ffff:10.0.0.2]"},
	} {
		t.Run(test.server+" "+test.options, func(t *testing.T) {
			r := render(t, fmt.Sprintf("nfs: {pv: {serverIP: %q, mountOptions: %s}}", test.server, test.options))
			if v, _ := volume(t, r); v.Spec.NFS.Server != test.server {
				t.Errorf("the volume is on the server %q, want %q", v.Spec.NFS.Server, test.server)
			}
			_, create := job(t, r, "nfs-share-creator")
			if got := flag(t, create.Command, "--server"); got != test.want {
				t.Errorf("the share creator goes to %q, want %q", got, test.want)
			}
			_, prepare := job(t, r, "nfs-volume-guard")
			if got := flag(t, prepare.Command, "--server"); got != test.server {
				t.Errorf("the guard compares with %q, want %q", got, test.server)
			}
		})
	}
}

// TestMountPort has NFSv3's MOUNT looked for where the mount options say it is, and by nobody who does not speak NFSv3.
func TestMountPort(t *testing.T) {
	for _, test := range []struct{ options, version, want string }{
		{`[vers=3, "mountport=20048"]`, "auto", "20048"},
		{`["vers=3,mountport=20048"]`, "3", "20048"},
		{`["mountport=1", "mountport=20048"]`, "3", "20048"},
		{`["mountport=20048"]`, "4.1", ""},
		{`["port=20490"]`, "auto", ""},
	} {
		r := render(t, fmt.Sprintf("nfs: {pv: {mountOptions: %s}, shareCreator: {nfsVersion: %q}}", test.options, test.version))
		_, create := job(t, r, "nfs-share-creator")
		got := ""
		if slices.Contains(create.Command, "--mount-port") {
			got = flag(t, create.Command, "--mount-port")
		}
		if got != test.want {
			t.Errorf("%s over NFS %s: MOUNT is looked for at port %q, want %q", test.options, test.version, got, test.want)
		}
	}
}

// TestCommands has the Jobs run what their values say.
func TestCommands(t *testing.T) {
	r := render(t)
	_, create := job(t, r, "nfs-share-creator")
	want := "hubhome share create --server 10.0.0.2 --base-share /homes --hub my-hub --owner 1000:1000 --mode 0755 --nfs-version auto --timeout 60s --shared"
	if got := strings.Join(create.Command, " "); got != want || create.Args != nil {
		t.Errorf("the share creator runs\n%s\nwant\n%s", got, want)
	}
	_, prepare := job(t, r, "nfs-volume-guard")
	want = "hubhome-kube volume prepare --persistent-volume my-hub-home-nfs --claim home-nfs --namespace hubs --server 10.0.0.2 --path /homes/my-hub --timeout 60s"
	if got := strings.Join(prepare.Command, " "); got != want || prepare.Args != nil {
		t.Errorf("the guard runs\n%s\nwant\n%s", got, want)
	}

	r = render(t, `nfs:
  pv: {replace: true}
  shareCreator: {owner: "2000:3000", mode: "2775", chown: true, shared: false, sharedPublic: true, nfsVersion: 4.1, timeoutSeconds: 5}
  volumeGuard: {timeoutSeconds: 3600}`)
	j, create := job(t, r, "nfs-share-creator")
	want = "hubhome share create --server 10.0.0.2 --base-share /homes --hub my-hub --owner 2000:3000 --mode 2775 --nfs-version 4.1 --timeout 5s --chown --shared-public"
	if got := strings.Join(create.Command, " "); got != want {
		t.Errorf("the share creator runs\n%s\nwant\n%s", got, want)
	}
	if deadline := *j.Spec.ActiveDeadlineSeconds; deadline != 125 {
		t.Errorf("the share creator's Job ends after %d s, want two minutes after the command", deadline)
	}
	_, prepare = job(t, r, "nfs-volume-guard")
	if !slices.Contains(prepare.Command, "--replace") || flag(t, prepare.Command, "--timeout") != "3600s" {
		t.Errorf("the guard runs %q, want --replace and --timeout 3600s", prepare.Command)
	}
}

// TestJobs has both Jobs without privileges, held to what Kubernetes calls restricted, once, and with an end.
func TestJobs(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	r := render(t)
	for name, account := range map[string]string{"nfs-share-creator": "", "nfs-volume-guard": "nfs-volume-guard"} {
		t.Run(name, func(t *testing.T) {
			j, container := job(t, r, name)
			pod := j.Spec.Template.Spec
			results := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &j.Spec.Template.ObjectMeta, &pod))
			if !results.Allowed {
				t.Errorf("not restricted: %s", results.ForbiddenDetail())
			}
			if pod.Volumes != nil || container.VolumeMounts != nil {
				t.Errorf("it mounts %v, want nothing: a mount of a dead server hangs in the kubelet", pod.Volumes)
			}
			if *pod.SecurityContext.RunAsUser != 65532 || !*container.SecurityContext.ReadOnlyRootFilesystem {
				t.Errorf("it runs as %d, want 65532 on a root that is read only", *pod.SecurityContext.RunAsUser)
			}
			if pod.ServiceAccountName != account || *pod.AutomountServiceAccountToken != (account != "") {
				t.Errorf("service account %q with a token %t, want %q", pod.ServiceAccountName, *pod.AutomountServiceAccountToken, account)
			}
			if *j.Spec.BackoffLimit != 0 || *j.Spec.ActiveDeadlineSeconds != 180 || pod.RestartPolicy != corev1.RestartPolicyNever {
				t.Errorf("tried again %d times for %d s, want once for 180 s", *j.Spec.BackoffLimit, *j.Spec.ActiveDeadlineSeconds)
			}
			if container.Image != "ghcr.io/hubhome/hubhome:0.1.0" {
				t.Errorf("image %s", container.Image)
			}
			if container.Resources.Limits.Memory().IsZero() {
				t.Error("no limit of memory")
			}
		})
	}
	// A port below 1024 without root.
	j, _ := job(t, r, "nfs-share-creator")
	if got := fmt.Sprint(j.Spec.Template.Spec.SecurityContext.Sysctls); got != "[{net.ipv4.ip_unprivileged_port_start 0}]" {
		t.Errorf("sysctls of the share creator: %s", got)
	}
}

// TestJobValues has each Job take its own values of where it runs, and both those of the image.
func TestJobValues(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for value, name := range map[string]string{"shareCreator": "nfs-share-creator", "volumeGuard": "nfs-volume-guard"} {
		r := render(t, fmt.Sprintf(`
image: {repository: example.org/hubhome, tag: "9", digest: %q, pullPolicy: Always}
imagePullSecrets: [{name: secret}]
nfs:
  %s:
    nodeSelector: {pool: core}
    tolerations: [{key: core, operator: Exists}]
    affinity: {nodeAffinity: {}}
    resources: {requests: {cpu: 1}}`, digest, value))
		j, container := job(t, r, name)
		pod := j.Spec.Template.Spec
		if pod.NodeSelector["pool"] != "core" || len(pod.Tolerations) != 1 || pod.Tolerations[0].Key != "core" || pod.Affinity.NodeAffinity == nil {
			t.Errorf("%s runs anywhere: %v %v %v", name, pod.NodeSelector, pod.Tolerations, pod.Affinity)
		}
		if container.Resources.Requests.Cpu().String() != "1" {
			t.Errorf("%s asks for %v", name, container.Resources.Requests)
		}
		if container.Image != "example.org/hubhome:9@"+digest || container.ImagePullPolicy != corev1.PullAlways || pod.ImagePullSecrets[0].Name != "secret" {
			t.Errorf("%s has the image %s, %s, %v", name, container.Image, container.ImagePullPolicy, pod.ImagePullSecrets)
		}
	}
}

// TestSwitches makes what is switched on, and nothing else.
func TestSwitches(t *testing.T) {
	const (
		volume = "PersistentVolume/my-hub-home-nfs PersistentVolumeClaim/home-nfs"
		create = "Job/nfs-share-creator"
	)
	for values, want := range map[string]string{
		"nfs: {enabled: false}":                                                "",
		"nfs: {enabled: false, pv: {serverIP: null}}":                          "",
		"nfs: {pv: {enabled: false}}":                                          create,
		"nfs: {pv: {enabled: false}, shareCreator: {enabled: false}}":          "",
		"nfs: {volumeGuard: {enabled: false}}":                                 create + " " + volume,
		"nfs: {volumeGuard: {enabled: false}, shareCreator: {enabled: false}}": volume,
		"nfs: {shareCreator: {enabled: false}}": "ClusterRole/my-hub-nfs-volume-guard ClusterRoleBinding/my-hub-nfs-volume-guard Job/nfs-volume-guard " +
			volume + " Role/nfs-volume-guard RoleBinding/nfs-volume-guard ServiceAccount/nfs-volume-guard",
		"{enabled: false, global: {any: thing}}": "ClusterRole/my-hub-nfs-volume-guard ClusterRoleBinding/my-hub-nfs-volume-guard Job/nfs-share-creator Job/nfs-volume-guard " +
			volume + " Role/nfs-volume-guard RoleBinding/nfs-volume-guard ServiceAccount/nfs-volume-guard",
	} {
		if got := kinds(render(t, values)); got != want {
			t.Errorf("%s makes\n%s\nwant\n%s", values, got, want)
		}
	}
}

// TestHooks has the hooks in order, the guard last, so that nothing is deleted for a server that does not work; none left
// where it succeeded, what the Jobs say printed by Helm, and the volume and the claim no hooks: Helm would make them anew
// each time.
func TestHooks(t *testing.T) {
	r := render(t)
	weight := map[string]string{}
	for _, hook := range r.Hooks {
		a := hook.GetAnnotations()
		if a["helm.sh/hook-delete-policy"] != "before-hook-creation,hook-succeeded" {
			t.Errorf("%s %s is deleted %q", hook.GetKind(), hook.GetName(), a["helm.sh/hook-delete-policy"])
		}
		when := "pre-install,pre-upgrade"
		if strings.Contains(hook.GetName(), "nfs-volume-guard") {
			when += ",pre-rollback"
		}
		if a["helm.sh/hook"] != when {
			t.Errorf("%s %s runs at %q, want %q", hook.GetKind(), hook.GetName(), a["helm.sh/hook"], when)
		}
		said := ""
		if hook.GetKind() == "Job" {
			said = "hook-succeeded,hook-failed"
		}
		if a["helm.sh/hook-output-log-policy"] != said {
			t.Errorf("of what %s %s says is printed %q, want %q", hook.GetKind(), hook.GetName(), a["helm.sh/hook-output-log-policy"], said)
		}
		weight[hook.GetKind()+"/"+hook.GetName()] = a["helm.sh/hook-weight"]
	}
	want := map[string]string{
		"ServiceAccount/nfs-volume-guard": "11", "ClusterRole/my-hub-nfs-volume-guard": "11", "Role/nfs-volume-guard": "11",
		"ClusterRoleBinding/my-hub-nfs-volume-guard": "12", "RoleBinding/nfs-volume-guard": "12",
		"Job/nfs-share-creator": "10", "Job/nfs-volume-guard": "15",
	}
	if fmt.Sprint(weight) != fmt.Sprint(want) {
		t.Errorf("the weights are\n%v\nwant\n%v", weight, want)
	}
	for _, object := range r.Objects {
		if a := object.GetAnnotations(); a["helm.sh/hook"] != "" {
			t.Errorf("%s %s is a hook", object.GetKind(), object.GetName())
		}
	}
}

// TestReplacedIsKept keeps the guard's Job where it may have deleted something: what it was is in the Job's log alone.
func TestReplacedIsKept(t *testing.T) {
	for _, hook := range render(t, "nfs: {pv: {replace: true}}").Hooks {
		want := "before-hook-creation,hook-succeeded"
		if hook.GetKind() == "Job" && hook.GetName() == "nfs-volume-guard" {
			want = "before-hook-creation"
		}
		if got := hook.GetAnnotations()["helm.sh/hook-delete-policy"]; got != want {
			t.Errorf("%s %s is deleted %q, want %q", hook.GetKind(), hook.GetName(), got, want)
		}
	}
}

// TestRights gives the guard this release's volume and claim, and nothing of anybody else's.
func TestRights(t *testing.T) {
	r := render(t)
	cluster := helmtest.MustFind[rbacv1.ClusterRole](t, r, "ClusterRole", "my-hub-nfs-volume-guard")
	if got := fmt.Sprint(cluster.Rules); got != fmt.Sprint([]rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"persistentvolumes"}, ResourceNames: []string{"my-hub-home-nfs"}, Verbs: []string{"get", "patch", "delete"}},
	}) {
		t.Errorf("in the cluster it may %s", got)
	}
	role := helmtest.MustFind[rbacv1.Role](t, r, "Role", "nfs-volume-guard")
	if got := fmt.Sprint(role.Rules); got != fmt.Sprint([]rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"persistentvolumeclaims"}, ResourceNames: []string{"home-nfs"}, Verbs: []string{"get", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}},
	}) {
		t.Errorf("in its namespace it may %s", got)
	}
	account := []rbacv1.Subject{{Kind: "ServiceAccount", Name: "nfs-volume-guard", Namespace: "hubs"}}
	a := helmtest.MustFind[rbacv1.ClusterRoleBinding](t, r, "ClusterRoleBinding", "my-hub-nfs-volume-guard")
	b := helmtest.MustFind[rbacv1.RoleBinding](t, r, "RoleBinding", "nfs-volume-guard")
	if !slices.Equal(a.Subjects, account) || a.RoleRef.Name != cluster.Name || a.RoleRef.Kind != "ClusterRole" ||
		!slices.Equal(b.Subjects, account) || b.RoleRef.Name != role.Name || b.RoleRef.Kind != "Role" {
		t.Errorf("bound are %v to %v, and %v to %v", a.Subjects, a.RoleRef, b.Subjects, b.RoleRef)
	}
}

// TestNames has names and labels that Kubernetes takes, with the longest release and hub that there can be.
func TestNames(t *testing.T) {
	long := helmtest.Options{Name: strings.Repeat("r", 53), Namespace: strings.Repeat("n", 63)}
	for _, hub := range []string{"", strings.Repeat("H", hubhome.MaxHubName), "a", "ends-in._-"} {
		r := renderAs(t, long, fmt.Sprintf("nfs: {pv: {shareNameOverride: %q}}", hub))
		for _, object := range r.All() {
			name := object.GetKind() + "/" + object.GetName()
			if wrong := validation.IsDNS1123Subdomain(object.GetName()); wrong != nil {
				t.Errorf("%s: %v", name, wrong)
			}
			labels := object.GetLabels()
			if object.GetKind() == "Job" {
				for key, value := range helmtest.MustFind[batchv1.Job](t, r, "Job", object.GetName()).Spec.Template.Labels {
					if labels[key] != value {
						t.Errorf("%s: its pod has the label %s=%q, and it has %q", name, key, value, labels[key])
					}
				}
			}
			for _, key := range []string{"name", "instance", "version", "managed-by", "part-of", "component"} {
				if labels["app.kubernetes.io/"+key] == "" {
					t.Errorf("%s has no label app.kubernetes.io/%s", name, key)
				}
			}
			if labels["helm.sh/chart"] == "" || labels["hub"] == "" {
				t.Errorf("%s: labels %v", name, labels)
			}
			for key, value := range labels {
				if wrong := validation.IsValidLabelValue(value); wrong != nil {
					t.Errorf("%s: label %s: %v", name, key, wrong)
				}
			}
			if ns := object.GetNamespace(); ns != "" && ns != long.Namespace {
				t.Errorf("%s is in the namespace %s", name, ns)
			}
		}
	}
}

// TestNotes has Helm say what was made, and how to look at it.
func TestNotes(t *testing.T) {
	for values, want := range map[string][]string{
		"{}": {"10.0.0.2:/homes/my-hub", "owner 1000:1000, mode 0755, with _shared\n", "my-hub-home-nfs, reclaim policy Retain", "home-nfs in namespace hubs",
			"subPath: \"{escaped_username}\"", "kubectl --namespace hubs get", "hubhome check 'nfs://10.0.0.2/homes/my-hub'"},
		"nfs: {enabled: false}":                          {"nothing was made"},
		"nfs: {pv: {enabled: false}}":                    {"No volume and no claim"},
		"nfs: {pv: {replace: true}}":                     {"remove it now"},
		"nfs: {shareCreator: {enabled: false}}":          {"is not made by this release"},
		"nfs: {shareCreator: {sharedPublic: true}}":      {"with _shared, with _shared-public"},
		"nfs: {pv: {serverIP: '::1', baseShareName: /}}": {"nfs://[::1]/my-hub"},
	} {
		notes := render(t, values).Notes
		for _, want := range want {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: the notes have no %q:\n%s", values, want, notes)
			}
		}
		if values != "nfs: {pv: {replace: true}}" && strings.Contains(notes, "remove it now") {
			t.Errorf("%s: the notes speak of replace:\n%s", values, notes)
		}
	}
}
