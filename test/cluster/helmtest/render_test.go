// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

var parent = Chart{Dir: "testdata/parent"}

// TestRender renders a chart with what it depends on, its hook and its notes.
func TestRender(t *testing.T) {
	chart := parent
	chart.Values = []string{"child: {colour: red}", "child: {colour: blue}"}
	r, err := Render(chart, Options{Name: "one", Namespace: "two", Upgrade: true, KubeVersion: "v1.30.0"})
	if err != nil {
		t.Fatal(err)
	}
	config, err := Find[corev1.ConfigMap](r, "ConfigMap", "one-child")
	if err != nil {
		t.Fatal(err)
	}
	if config.Namespace != "two" {
		t.Errorf("namespace %q, want two", config.Namespace)
	}
	for key, want := range map[string]string{"colour": "blue", "kubernetes": "v1.30.0", "upgrade": "true"} {
		if got := config.Data[key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if len(r.Hooks) != 1 || r.Hooks[0].GetName() != "hook" || len(r.Objects) != 1 {
		t.Errorf("the hooks are %v and the objects %v, want one of each", r.Hooks, r.Objects)
	}
	if strings.TrimSpace(r.Notes) != "Made for one." {
		t.Errorf("the notes are %q", r.Notes)
	}
	if _, err := Find[corev1.Secret](r, "Secret", "none"); err == nil || !strings.Contains(err.Error(), "one-child") {
		t.Errorf("find what is not there: %v, want an error that says what is", err)
	}
}

// TestRefused has values and charts refused that Helm, or an API server, would refuse or misunderstand.
func TestRefused(t *testing.T) {
	for name, test := range map[string]struct {
		chart Chart
		want  string
	}{
		"typo":            {Chart{Dir: parent.Dir, Values: []string{"child: {color: red}"}}, "color"},
		"value twice":     {Chart{Dir: parent.Dir, Values: []string{"a: 1\na: 2"}}, `"a" already set`},
		"key twice":       {Chart{Dir: parent.Dir, Values: []string{"again: key"}}, `"key" already set`},
		"no chart":        {Chart{Dir: "testdata/none"}, "testdata/none"},
		"wrong dependent": {Chart{Dir: parent.Dir, Dependencies: map[string]string{"child": parent.Dir}}, "parent 0.1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Render(test.chart, Options{Name: "one", Namespace: "two"})
			if err == nil {
				t.Fatalf("rendered %v", r.All())
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, and not a word of %q", err, test.want)
			}
		})
	}
}

// TestLint finds fault with a chart only where there is one.
func TestLint(t *testing.T) {
	if err := Lint(Chart{Dir: "testdata/child"}); err != nil {
		t.Error(err)
	}
	if err := Lint(Chart{Dir: "testdata/child", Values: []string{"color: red"}}); err == nil {
		t.Error("a value that the schema does not have is right")
	}
}
