// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homeserver

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestServer is what must hold of the server whatever the values are.
func TestServer(t *testing.T) {
	r := render(t)
	s, container := server(t, r)
	if *s.Spec.Replicas != 1 || s.Spec.UpdateStrategy.Type != "RollingUpdate" || s.Spec.PodManagementPolicy != "Parallel" {
		t.Errorf("%d servers, updated by %s, managed %s: want one, which ends before the next begins, and is replaced where it never got ready",
			*s.Spec.Replicas, s.Spec.UpdateStrategy.Type, s.Spec.PodManagementPolicy)
	}
	pod := s.Spec.Template.Spec
	if pod.SecurityContext.FSGroup != nil {
		t.Error("it has an fsGroup, which changes the modes of files on a disk that is there")
	}
	if *pod.AutomountServiceAccountToken || pod.ServiceAccountName != "home-server" || pod.HostNetwork {
		t.Error("it has a token, another account or the node's network")
	}
	if container.LivenessProbe != nil || container.ReadinessProbe.TCPSocket == nil {
		t.Error("it is killed by a probe, or not known to be ready")
	}
	if want := "hubhome serve --config /etc/hubhome/hubhome.yaml --as-owner"; strings.Join(container.Command, " ") != want {
		t.Errorf("it runs %q, want %s", container.Command, want)
	}
	for _, m := range container.VolumeMounts {
		if m.Name == "config" && (m.SubPath != "" || m.MountPath != "/etc/hubhome") {
			t.Errorf("the configuration is mounted as %+v, want a directory, in which changes are seen", m)
		}
	}
	selector := labels.SelectorFromSet(s.Spec.Selector.MatchLabels)
	if !selector.Matches(labels.Set(s.Spec.Template.Labels)) {
		t.Errorf("its pods have the labels %v, and it looks for %v", s.Spec.Template.Labels, s.Spec.Selector)
	}
	job := helmtest.MustFind[batchv1.Job](t, r, "Job", "home-server-check")
	if selector.Matches(labels.Set(job.Spec.Template.Labels)) {
		t.Error("the Job's pod passes for the server")
	}
	service := helmtest.MustFind[corev1.Service](t, r, "Service", "home-server")
	budget := helmtest.MustFind[policyv1.PodDisruptionBudget](t, r, "PodDisruptionBudget", "home-server")
	network := helmtest.MustFind[networkingv1.NetworkPolicy](t, r, "NetworkPolicy", "home-server")
	for what, set := range map[string]map[string]string{
		"Service": service.Spec.Selector, "PodDisruptionBudget": budget.Spec.Selector.MatchLabels,
		"NetworkPolicy": network.Spec.PodSelector.MatchLabels,
	} {
		if labels.Set(set).String() != labels.Set(s.Spec.Selector.MatchLabels).String() {
			t.Errorf("%s is for %v and not for the server", what, set)
		}
	}
}

// TestOddNames takes every name that a release, a namespace and other objects can have.
func TestOddNames(t *testing.T) {
	for _, name := range helmtest.OddNames {
		o := helmtest.Options{Name: name, Namespace: name}
		for _, values := range []string{
			"persistence: {existingClaim: %q}\npriorityClassName: %[1]q",
			"persistence: {existingClaim: \"\", size: 1Gi, storageClass: %q}",
			"persistence: {existingClaim: \"\", volume: {driver: %q, volumeHandle: %[1]q, capacity: 1Gi, zone: %[1]q}}",
		} {
			values = fmt.Sprintf(values, name)
			r, err := helmtest.Render(helmtest.Chart{Dir: chartDir, Values: []string{needed, values}}, o)
			if err != nil {
				t.Fatalf("release %s: %v", name, err)
			}
			if wrong := r.Misnamed(o); len(wrong) > 0 {
				t.Errorf("release %s: %q", name, wrong)
			}
			helmtest.MustFind[appsv1.StatefulSet](t, r, "StatefulSet", name+"-home-server")
			if has(r, "PersistentVolume", name+"-"+name+"-home-server-homes") {
				helmtest.MustFind[corev1.PersistentVolume](t, r, "PersistentVolume", name+"-"+name+"-home-server-homes")
			}
		}
	}
}

// TestNoRestart has the server not start again for what it takes over by itself, nor for a new version of the chart.
func TestNoRestart(t *testing.T) {
	const changed = "{hubs: {stage: {}}, nfs: {allow: [10.0.0.0/8], baseShare: /srv}, log: {level: debug}, quota: {reserve: {enabled: false}}, warnings: {at: [50]}, metrics: {homes: 1}}"
	template := func(values string) string {
		s, _ := server(t, render(t, values))
		return s.Spec.Template.String()
	}
	if template("") != template(changed) {
		t.Error("another configuration starts the server again")
	}
	if template("") == template("nfs: {owner: '2000:2000'}") {
		t.Error("another owner does not start the server again, which runs as the one before")
	}
	s, _ := server(t, render(t))
	for key, value := range s.Spec.Template.Labels {
		if strings.Contains(value, "0.1.0") {
			t.Errorf("the label %s has a version in it", key)
		}
	}
}

// TestPodSecurity says what a namespace must allow: one capability, and nothing else. The README says so too.
func TestPodSecurity(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	evaluate := func(level api.Level, meta *metav1.ObjectMeta, pod *corev1.PodSpec) string {
		version := api.LevelVersion{Level: level, Version: api.LatestVersion()}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(version, meta, pod))
		return result.ForbiddenDetail()
	}
	for _, test := range []struct {
		runAs string
		adds  []corev1.Capability
	}{
		{"owner", []corev1.Capability{"CHOWN", "DAC_READ_SEARCH", "SETGID", "SETUID"}},
		{"root", []corev1.Capability{"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID"}},
	} {
		t.Run(test.runAs, func(t *testing.T) {
			r := render(t, "runAs: "+test.runAs)
			s, container := server(t, r)
			const want = `non-default capabilities (container "hubhome" must not include "DAC_READ_SEARCH" in securityContext.capabilities.add)`
			if got := evaluate(api.LevelBaseline, &s.Spec.Template.ObjectMeta, &s.Spec.Template.Spec); got != want {
				t.Errorf("baseline forbids\n%s\nwant\n%s", got, want)
			}
			security := container.SecurityContext
			if !slices.Equal(security.Capabilities.Add, test.adds) || !slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) {
				t.Errorf("its capabilities are %v", security.Capabilities)
			}
			if *security.AllowPrivilegeEscalation || !*security.ReadOnlyRootFilesystem {
				t.Error("it may gain privileges, or write where nothing is kept")
			}
			if got, want := slices.Contains(container.Command, "--as-owner"), test.runAs == "owner"; got != want {
				t.Errorf("--as-owner is %v in its command", got)
			}
			job := helmtest.MustFind[batchv1.Job](t, r, "Job", "home-server-check")
			if got := evaluate(api.LevelRestricted, &job.Spec.Template.ObjectMeta, &job.Spec.Template.Spec); got != "" {
				t.Errorf("restricted forbids of the Job: %s", got)
			}
		})
	}
}

// TestStorage has the homes where they were said to be, never to be deleted with a release.
func TestStorage(t *testing.T) {
	homes := func(r *helmtest.Rendered) (claim string) {
		s, _ := server(t, r)
		for _, v := range s.Spec.Template.Spec.Volumes {
			if v.Name == "homes" {
				claim = v.PersistentVolumeClaim.ClaimName
			}
		}
		return claim
	}
	t.Run("existingClaim", func(t *testing.T) {
		r := render(t, "persistence: {subPath: old/homes}")
		_, container := server(t, r)
		if got := homes(r); got != "homes-disk" || has(r, "PersistentVolumeClaim", "home-server-homes") {
			t.Errorf("the homes are on the claim %q, want homes-disk and no other", got)
		}
		if m := container.VolumeMounts[0]; m.MountPath != "/srv/homes" || m.SubPath != "old/homes" {
			t.Errorf("they are mounted as %+v", m)
		}
	})
	t.Run("volume", func(t *testing.T) {
		r := render(t, `persistence: {existingClaim: '', volume: {driver: d.csi.example.org, volumeHandle: h-1, zone: eu-1b,
			capacity: 500Gi, fsType: xfs, volumeAttributes: {iops: "3000"}}}`)
		v := helmtest.MustFind[corev1.PersistentVolume](t, r, "PersistentVolume", "hubhome-home-server-homes")
		c := helmtest.MustFind[corev1.PersistentVolumeClaim](t, r, "PersistentVolumeClaim", "home-server-homes")
		if v.Spec.PersistentVolumeReclaimPolicy != "Retain" {
			t.Errorf("its reclaim policy is %s", v.Spec.PersistentVolumeReclaimPolicy)
		}
		csi := v.Spec.CSI
		if csi.Driver != "d.csi.example.org" || csi.VolumeHandle != "h-1" || csi.FSType != "xfs" || csi.VolumeAttributes["iops"] != "3000" {
			t.Errorf("the disk is %v", csi)
		}
		terms := v.Spec.NodeAffinity.Required.NodeSelectorTerms
		if fmt.Sprint(terms) != "[{[{topology.kubernetes.io/zone In [eu-1b]}] []}]" {
			t.Errorf("it is for nodes with %v", terms)
		}
		if v.Spec.ClaimRef.Name != c.Name || v.Spec.ClaimRef.Namespace != "hubhome" || c.Spec.VolumeName != v.Name || *c.Spec.StorageClassName != "" {
			t.Errorf("volume and claim are not for each other: %v, %v", v.Spec, c.Spec)
		}
		if homes(r) != c.Name {
			t.Errorf("the homes are on the claim %q", homes(r))
		}
	})
	t.Run("size", func(t *testing.T) {
		r := render(t, "persistence: {existingClaim: '', size: 500Gi, storageClass: fast}")
		s, _ := server(t, r)
		keeps, claims := s.Spec.PersistentVolumeClaimRetentionPolicy, s.Spec.VolumeClaimTemplates
		if keeps.WhenDeleted != "Retain" || keeps.WhenScaled != "Retain" {
			t.Errorf("the claim is kept %+v", keeps)
		}
		if len(claims) != 1 || claims[0].Name != "homes" || *claims[0].Spec.StorageClassName != "fast" ||
			claims[0].Spec.Resources.Requests.Storage().String() != "500Gi" {
			t.Errorf("the claims are %v", claims)
		}
		if want := "get pvc homes-home-server-0 "; !strings.Contains(r.Notes, want) {
			t.Errorf("the notes do not say how to keep the disk: no %q in\n%s", want, r.Notes)
		}
	})
}

// TestService has the address that was chosen.
func TestService(t *testing.T) {
	service := helmtest.MustFind[corev1.Service](t, render(t, "service: {clusterIP: 10.0.10.49}"), "Service", "home-server")
	if service.Spec.ClusterIP != "10.0.10.49" || service.Spec.Ports[0].Port != 2049 || service.Spec.Type != "ClusterIP" {
		t.Errorf("it is %+v", service.Spec)
	}
	if service := helmtest.MustFind[corev1.Service](t, render(t), "Service", "home-server"); service.Spec.ClusterIP != "" {
		t.Errorf("it is at %s, which nobody chose", service.Spec.ClusterIP)
	}
}

// TestNetworkPolicy lets nodes in, and nobody else who was not named.
func TestNetworkPolicy(t *testing.T) {
	r := render(t, `{nfs: {allow: [10.128.0.0/20, 'fd00::/64']}, networkPolicy: {from: [{podSelector: {matchLabels: {backup: "yes"}}}]}}`)
	spec := helmtest.MustFind[networkingv1.NetworkPolicy](t, r, "NetworkPolicy", "home-server").Spec
	if len(spec.Ingress) != 1 || len(spec.Egress) != 0 || len(spec.PolicyTypes) != 2 {
		t.Fatalf("it is %+v", spec)
	}
	rule := spec.Ingress[0]
	if len(rule.Ports) != 1 || rule.Ports[0].Port.IntValue() != 2049 {
		t.Errorf("its ports are %v", rule.Ports)
	}
	if len(rule.From) != 3 || rule.From[0].IPBlock.CIDR != "10.128.0.0/20" || rule.From[1].IPBlock.CIDR != "fd00::/64" ||
		rule.From[2].PodSelector.MatchLabels["backup"] != "yes" {
		t.Errorf("it lets in %v", rule.From)
	}
	if has(render(t, "networkPolicy: {enabled: false}"), "NetworkPolicy", "home-server") {
		t.Error("it is there, and was switched off")
	}
}

// TestMetrics has Prometheus find the server where it was asked for, and get through the policy where it was let.
func TestMetrics(t *testing.T) {
	off, _ := server(t, render(t))
	if _, there := off.Spec.Template.Annotations["prometheus.io/scrape"]; there {
		t.Error("nobody asked for metrics, and it is to be scraped")
	}
	r := render(t, `{metrics: {enabled: true, from: [{namespaceSelector: {matchLabels: {name: support}}}]}, podAnnotations: {prometheus.io/path: /other}}`)
	s, container := server(t, r)
	for key, want := range map[string]string{
		"prometheus.io/scrape": "true", "prometheus.io/port": "9949", "prometheus.io/path": "/other",
		"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
	} {
		if got := s.Spec.Template.Annotations[key]; got != want {
			t.Errorf("the annotation %s is %q, want %q", key, got, want)
		}
	}
	if len(container.Ports) != 2 || container.Ports[1].ContainerPort != 9949 {
		t.Errorf("its ports are %v", container.Ports)
	}
	spec := helmtest.MustFind[networkingv1.NetworkPolicy](t, r, "NetworkPolicy", "home-server").Spec
	if len(spec.Ingress) != 2 || spec.Ingress[1].Ports[0].Port.IntValue() != 9949 || spec.Ingress[1].From[0].NamespaceSelector.MatchLabels["name"] != "support" {
		t.Errorf("the policy lets in %v", spec.Ingress)
	}
	spec = helmtest.MustFind[networkingv1.NetworkPolicy](t, render(t, "metrics: {enabled: true}"), "NetworkPolicy", "home-server").Spec
	if len(spec.Ingress) != 1 {
		t.Error("the policy lets everybody read the names of homes")
	}
}

// TestWebhook has the URL from a secret, and lets the server reach it.
func TestWebhook(t *testing.T) {
	r := render(t, "warnings: {webhook: {secretName: chat, secretKey: hook, port: 8443}}")
	s, container := server(t, r)
	mounted := slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.Name == "webhook" && m.MountPath == "/run/secrets/hubhome" && m.ReadOnly && m.SubPath == ""
	})
	if !mounted {
		t.Errorf("it mounts %v", container.VolumeMounts)
	}
	for _, v := range s.Spec.Template.Spec.Volumes {
		if v.Name == "webhook" && (v.Secret.SecretName != "chat" || v.Secret.Items[0].Key != "hook" || v.Secret.Items[0].Path != "webhook") {
			t.Errorf("the secret is %+v", v.Secret)
		}
	}
	if config := helmtest.MustFind[corev1.ConfigMap](t, r, "ConfigMap", "home-server").Data["hubhome.yaml"]; !strings.Contains(config, "webhook: /run/secrets/hubhome/webhook") {
		t.Errorf("the configuration is\n%s", config)
	}
	spec := helmtest.MustFind[networkingv1.NetworkPolicy](t, r, "NetworkPolicy", "home-server").Spec
	if len(spec.Egress) != 1 || spec.Egress[0].Ports[0].Port.IntValue() != 8443 {
		t.Errorf("the policy lets it out to %v", spec.Egress)
	}
}

// TestHooks has the check run before anything changes, also before a rollback, and its configuration before it.
func TestHooks(t *testing.T) {
	r := render(t)
	var order []string
	for _, hook := range r.Hooks {
		if on := hook.GetAnnotations()["helm.sh/hook"]; on != "pre-install,pre-upgrade,pre-rollback" {
			t.Errorf("%s runs %s", hook.GetName(), on)
		}
		order = append(order, hook.GetKind())
	}
	if !slices.Equal(order, []string{"ConfigMap", "Job"}) {
		t.Errorf("the hooks are %v", order)
	}
	if r := render(t, "configCheck: {enabled: false}"); len(r.Hooks) > 0 {
		t.Error("it checks, and was switched off")
	}
}

// TestNotes has the values for the chart homes taken by that chart, as they are printed.
func TestNotes(t *testing.T) {
	r := render(t, "{service: {clusterIP: 10.0.10.49}, hubs: {stage: {}}, nfs: {baseShare: /srv/homes/}}")
	_, values, found := strings.Cut(r.Notes, "# prod-homes.yaml\n")
	if !found {
		t.Fatalf("no values for the chart homes in\n%s", r.Notes)
	}
	homes, err := helmtest.Render(helmtest.Chart{Dir: "../../../charts/homes", Values: []string{values}},
		helmtest.Options{Name: "prod-homes", Namespace: "prod"})
	if err != nil {
		t.Fatalf("%v in\n%s", err, values)
	}
	v := helmtest.MustFind[corev1.PersistentVolume](t, homes, "PersistentVolume", "prod-homes-home-nfs")
	if v.Spec.NFS.Server != "10.0.10.49" || v.Spec.NFS.Path != "/srv/homes/prod" {
		t.Errorf("the volume is for %v", v.Spec.NFS)
	}
	for _, hook := range homes.Hooks {
		if hook.GetName() == "nfs-share-creator" {
			t.Error("the share creator would make what the server makes")
		}
	}
}

// TestNames has names and labels that Kubernetes takes, for the longest name of a release too.
func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"home-server": "home-server", "eu": "eu-home-server", "my-home-server": "my-home-server",
		strings.Repeat("a", 53): strings.Repeat("a", 40) + "-home-server",
	} {
		r, err := helmtest.Render(helmtest.Chart{Dir: chartDir, Values: []string{needed}}, helmtest.Options{Name: name, Namespace: "hubhome"})
		if err != nil {
			t.Fatal(err)
		}
		if !has(r, "StatefulSet", want) {
			t.Errorf("the server of %s is not called %s", name, want)
		}
		for _, o := range r.All() {
			if len(o.GetName()) > 63 || o.GetNamespace() != "hubhome" {
				t.Errorf("%s %s is in the namespace %s", o.GetKind(), o.GetName(), o.GetNamespace())
			}
			for key, value := range o.GetLabels() {
				if len(value) > 63 {
					t.Errorf("the label %s of %s is longer than labels are", key, o.GetName())
				}
			}
		}
	}
}
