// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package homescanner

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"github.com/hubhome/hubhome/test/cluster/helmtest"
)

// TestScanner is what must hold of the scanner whatever the values are.
func TestScanner(t *testing.T) {
	r := render(t)
	s, container := scanner(t, r)
	if *s.Spec.Replicas != 1 || s.Spec.UpdateStrategy.Type == "OnDelete" || s.Spec.PodManagementPolicy != "Parallel" {
		t.Errorf("%d scanners, updated by %s, managed %s: want one, which ends before the next begins, and is replaced where it never got ready",
			*s.Spec.Replicas, s.Spec.UpdateStrategy.Type, s.Spec.PodManagementPolicy)
	}
	pod := s.Spec.Template.Spec
	if *pod.AutomountServiceAccountToken || pod.ServiceAccountName != "home-scanner" || pod.HostNetwork {
		t.Error("it has a token, another account or the node's network")
	}
	if container.LivenessProbe != nil || container.ReadinessProbe.TCPSocket == nil {
		t.Error("it is killed by a probe, or not known to be ready")
	}
	if want := "hubhome serve --config /etc/hubhome/hubhome.yaml"; strings.Join(container.Command, " ") != want {
		t.Errorf("it runs %q, want %s", container.Command, want)
	}
	for _, m := range container.VolumeMounts {
		if m.Name == "config" && (m.SubPath != "" || m.MountPath != "/etc/hubhome" || !m.ReadOnly) {
			t.Errorf("the configuration is mounted as %+v, want a directory, in which changes are seen", m)
		}
	}
	if has(r, "PersistentVolume") || len(pod.Volumes) != 1 {
		t.Errorf("it mounts %v, and homes are not to be mounted", pod.Volumes)
	}
	selector := labels.SelectorFromSet(s.Spec.Selector.MatchLabels)
	if !selector.Matches(labels.Set(s.Spec.Template.Labels)) {
		t.Errorf("its pods have the labels %v, and it looks for %v", s.Spec.Template.Labels, s.Spec.Selector)
	}
	service := helmtest.MustFind[corev1.Service](t, r, "Service", "home-scanner")
	network := helmtest.MustFind[networkingv1.NetworkPolicy](t, r, "NetworkPolicy", "home-scanner")
	for what, set := range map[string]map[string]string{
		"Service": service.Spec.Selector, "NetworkPolicy": network.Spec.PodSelector.MatchLabels,
	} {
		if labels.Set(set).String() != labels.Set(s.Spec.Selector.MatchLabels).String() {
			t.Errorf("%s is for %v and not for the scanner", what, set)
		}
	}
	if s.Spec.ServiceName != service.Name || service.Spec.Ports[0].Port != 9949 || service.Spec.Ports[0].Name != "metrics" {
		t.Errorf("the service is %+v", service.Spec)
	}
}

// TestLeastPrivilege passes the strictest level, with what takes a port below 1024 all the same.
func TestLeastPrivilege(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range []string{"{}", "persistence: {enabled: false}", "metrics: {enabled: false}"} {
		s, container := scanner(t, render(t, values))
		version := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(version, &s.Spec.Template.ObjectMeta, &s.Spec.Template.Spec))
		if !result.Allowed {
			t.Errorf("restricted forbids %s", result.ForbiddenDetail())
		}
		security := container.SecurityContext
		if len(security.Capabilities.Add) > 0 || !slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) || !*security.ReadOnlyRootFilesystem {
			t.Errorf("it may do more than it needs: %+v", security)
		}
		if got := s.Spec.Template.Spec.SecurityContext.Sysctls; len(got) != 1 || got[0].Name != "net.ipv4.ip_unprivileged_port_start" || got[0].Value != "0" {
			t.Errorf("its ports are by %v", got)
		}
	}
}

// TestOddNames takes every name that a release, a namespace and other objects can have.
func TestOddNames(t *testing.T) {
	for _, name := range helmtest.OddNames {
		o := helmtest.Options{Name: name, Namespace: name}
		for _, values := range []string{
			"persistence: {existingClaim: %q}\npriorityClassName: %[1]q",
			"persistence: {storageClass: %q}",
			"metrics: {serviceMonitor: {enabled: true, labels: {release: %q}}, prometheusRule: {enabled: true, labels: {release: %[1]q}}}",
		} {
			r, err := helmtest.Render(chart(fmt.Sprintf(values, name)), o)
			if err != nil {
				t.Fatalf("release %s: %v", name, err)
			}
			if wrong := r.Misnamed(o); len(wrong) > 0 {
				t.Errorf("release %s: %q", name, wrong)
			}
			helmtest.MustFind[appsv1.StatefulSet](t, r, "StatefulSet", name+"-home-scanner")
		}
	}
	for name, want := range map[string]string{
		"home-scanner": "home-scanner", "my-home-scanner": "my-home-scanner", strings.Repeat("a", 53): strings.Repeat("a", 39) + "-home-scanner",
	} {
		r, err := helmtest.Render(chart(), helmtest.Options{Name: name, Namespace: "hubhome"})
		if err != nil {
			t.Fatal(err)
		}
		helmtest.MustFind[appsv1.StatefulSet](t, r, "StatefulSet", want)
	}
}

// TestNoRestart has the pod not start again for what it takes over by itself, nor for a new version of the chart; and start
// again for what takes it.
func TestNoRestart(t *testing.T) {
	template := func(values string) string {
		s, _ := scanner(t, render(t, values))
		return s.Spec.Template.String()
	}
	for values, restarts := range map[string]bool{
		"hubs: {prod: {}}": false, "scan: {interval: 1h, iops: 5, maxAge: '0'}": false, "log: {level: debug}": false, "metrics: {homes: 1}": false,
		"nfs: {serverIP: 10.0.0.6}": true, "nfs: {port: 20049}": true, "nfs: {baseShareName: /vol}": true, "nfs: {version: '3'}": true,
		"nfs: {mountPort: 1}": true, "nfs: {as: '5:5'}": true, "metrics: {enabled: false}": true,
	} {
		if got := template("{}") != template(values); got != restarts {
			t.Errorf("%s starts the pod again: %v", values, got)
		}
	}
	s, _ := scanner(t, render(t))
	for key, value := range s.Spec.Template.Labels {
		if strings.Contains(value, "0.1.0") {
			t.Errorf("the label %s has a version in it", key)
		}
	}
}

// TestPersistence keeps what was found where it was said to be kept.
func TestPersistence(t *testing.T) {
	s, _ := scanner(t, render(t, "persistence: {size: 5Gi, storageClass: fast}"))
	claim := s.Spec.VolumeClaimTemplates[0]
	if claim.Name != "state" || claim.Spec.Resources.Requests.Storage().String() != "5Gi" || *claim.Spec.StorageClassName != "fast" {
		t.Errorf("the claim is %+v", claim)
	}
	if s.Spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted != "Delete" {
		t.Error("the names of homes stay when the release is gone")
	}
	for values, want := range map[string]corev1.VolumeSource{
		"persistence: {enabled: false}":      {EmptyDir: &corev1.EmptyDirVolumeSource{}},
		"persistence: {existingClaim: mine}": {PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "mine"}},
	} {
		s, _ := scanner(t, render(t, values))
		if v := s.Spec.Template.Spec.Volumes[1]; v.Name != "state" || !reflect.DeepEqual(v.VolumeSource, want) || len(s.Spec.VolumeClaimTemplates) > 0 {
			t.Errorf("%s: the volume is %+v", values, v)
		}
	}
}

// TestNetworkPolicy lets the scanner out to its server, and Prometheus in.
func TestNetworkPolicy(t *testing.T) {
	spec := func(values string) networkingv1.NetworkPolicySpec {
		return helmtest.MustFind[networkingv1.NetworkPolicy](t, render(t, values), "NetworkPolicy", "home-scanner").Spec
	}
	ports := func(rule networkingv1.NetworkPolicyEgressRule) (all []string) {
		for _, p := range rule.Ports {
			end := p.Port.IntVal
			if p.EndPort != nil {
				end = *p.EndPort
			}
			all = append(all, fmt.Sprintf("%s %d-%d", *p.Protocol, p.Port.IntVal, end))
		}
		return all
	}
	for values, want := range map[string]string{
		"nfs: {version: '4.2'}":                         "[TCP 2049-2049] to 10.0.0.5/32",
		"nfs: {version: 4.1, port: 20049}":              "[TCP 20049-20049] to 10.0.0.5/32",
		"nfs: {}":                                       "[TCP 1-65535] to 10.0.0.5/32",
		"nfs: {version: 3}":                             "[TCP 1-65535] to 10.0.0.5/32",
		"nfs: {serverIP: 'fd00::5', version: '4.2'}":    "[TCP 2049-2049] to fd00::5/128",
		"nfs: {serverIP: fs-1.efs.aws, version: '4.1'}": "[TCP 2049-2049] to anybody, [UDP 53-53 TCP 53-53] to anybody",
	} {
		var all []string
		for _, rule := range spec(values).Egress {
			to := "anybody"
			if len(rule.To) > 0 {
				to = rule.To[0].IPBlock.CIDR
			}
			all = append(all, fmt.Sprintf("%v to %s", ports(rule), to))
		}
		if got := strings.Join(all, ", "); got != want {
			t.Errorf("%s: it may reach %s, want %s", values, got, want)
		}
	}
	if in := spec("{}"); len(in.Ingress) != 0 || len(in.PolicyTypes) != 2 {
		t.Errorf("everybody may read the names of homes: %+v", in)
	}
	in := spec("metrics: {from: [{namespaceSelector: {matchLabels: {name: support}}}]}").Ingress
	if len(in) != 1 || in[0].Ports[0].Port.IntVal != 9949 || in[0].From[0].NamespaceSelector.MatchLabels["name"] != "support" {
		t.Errorf("the policy lets in %+v", in)
	}
	if has(render(t, "networkPolicy: {enabled: false}"), "NetworkPolicy") {
		t.Error("it is there, and was switched off")
	}
}

// TestMetrics has Prometheus find the pod in one way, and in none where that was not wanted.
func TestMetrics(t *testing.T) {
	scraped := func(r *helmtest.Rendered) bool {
		s, _ := scanner(t, r)
		return s.Spec.Template.Annotations["prometheus.io/scrape"] == "true" && s.Spec.Template.Annotations["prometheus.io/port"] == "9949"
	}
	r := render(t)
	if !scraped(r) || has(r, "ServiceMonitor") || has(r, "PrometheusRule") {
		t.Error("it is not found by its annotations alone")
	}
	r = render(t, "metrics: {serviceMonitor: {enabled: true, interval: 2m, labels: {release: kps}}}")
	monitor := *helmtest.MustFind[unstructured.Unstructured](t, r, "ServiceMonitor", "home-scanner")
	selector, _, _ := unstructured.NestedStringMap(monitor.Object, "spec", "selector", "matchLabels")
	endpoints, _, _ := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
	endpoint, _ := endpoints[0].(map[string]any)
	service := helmtest.MustFind[corev1.Service](t, r, "Service", "home-scanner")
	if !labels.SelectorFromSet(selector).Matches(labels.Set(service.Labels)) || endpoint["port"] != service.Spec.Ports[0].Name || endpoint["interval"] != "2m" {
		t.Errorf("it is for services with %v, at %v", selector, endpoint)
	}
	if monitor.GetLabels()["release"] != "kps" || scraped(r) {
		t.Errorf("it has the labels %v, and the annotations are there too: %v", monitor.GetLabels(), scraped(r))
	}
	r = render(t, "metrics: {enabled: false}")
	if s, container := scanner(t, r); scraped(r) || has(r, "Service") || len(container.Ports) > 0 || container.ReadinessProbe != nil ||
		strings.Contains(helmtest.MustFind[corev1.ConfigMap](t, r, "ConfigMap", s.Name).Data["hubhome.yaml"], "listen") {
		t.Error("it tells of homes, and nobody is to be told")
	}
}

// rules are the alert rules of a text, by their names.
func rules(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []map[string]any }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			all[fmt.Sprint(rule["alert"])] = rule
		}
	}
	return all
}

// TestRules has of the alerts that are tested those that are of a scanner, word for word.
func TestRules(t *testing.T) {
	text, err := os.ReadFile("../../../dashboards/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tested := rules(t, text)
	rule := helmtest.MustFind[unstructured.Unstructured](t, render(t, "metrics: {prometheusRule: {enabled: true}}"), "PrometheusRule", "home-scanner")
	spec, err := json.Marshal(rule.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	made := rules(t, spec)
	for name, rule := range made {
		if !reflect.DeepEqual(rule, tested[name]) {
			t.Errorf("%s is\n%v\nand dashboards/alerts.yaml has\n%v", name, rule, tested[name])
		}
	}
	for name, rule := range tested {
		of := fmt.Sprint(rule)
		if strings.Contains(of, "hubhome_scan_") || strings.Contains(of, "hubhome_store_") || strings.Contains(of, "hubhome_hub_partial") {
			if made[name] == nil {
				t.Errorf("%s is not there", name)
			}
		}
	}
}

// TestNotes say what comes next.
func TestNotes(t *testing.T) {
	for values, want := range map[string]string{
		"{}": "at most 1000 requests in a second", "scan: {iops: 0}": "as many requests as are answered", "log: {level: warn}": "say in metrics.from who Prometheus is",
	} {
		if notes := render(t, values).Notes; !strings.Contains(notes, want) {
			t.Errorf("with %s the notes are\n%s", values, notes)
		}
	}
	if notes := render(t, "metrics: {from: [{podSelector: {}}]}").Notes; strings.Contains(notes, "Nobody may reach") {
		t.Errorf("the notes are\n%s", notes)
	}
}
