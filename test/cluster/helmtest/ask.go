// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hubhome/hubhome"
)

// Must renders a chart that can be rendered.
func Must(t testing.TB, c Chart, o Options) *Rendered {
	t.Helper()
	r, err := Render(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// MustFind returns an object of what was rendered, which is there.
func MustFind[K any](t testing.TB, r *Rendered, kind, name string) *K {
	t.Helper()
	found, err := Find[K](r, kind, name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Whole has a chart's schema be closed and know each value, so that a typo anywhere is refused; its README have each with its
// default, and what it is word for word as in values.yaml; and `helm lint --strict` find nothing. Values below open are those that
// Kubernetes checks, and not the chart.
func Whole(t *testing.T, c Chart, open ...string) {
	t.Helper()
	problems, err := SchemaProblems(c.Dir, open...)
	if err != nil {
		t.Fatal(err)
	}
	undocumented, err := ReadmeProblems(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range append(problems, undocumented...) {
		t.Error(problem)
	}
	if err := Lint(c); err != nil {
		t.Error(err)
	}
}

// Refuses has mistakes refused before anything is asked of a cluster. Each has values and what the error says of them, which names
// the value; or nothing where they are right.
func Refuses(t *testing.T, chart func(values ...string) Chart, o Options, mistakes [][2]string) {
	t.Helper()
	for _, mistake := range mistakes {
		values, want := mistake[0], mistake[1]
		t.Run(values, func(t *testing.T) {
			_, err := Render(chart(values), o)
			switch {
			case want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("the error is\n%v\nand says nothing of\n%s", err, want)
			}
		})
	}
}

// HubNames has a chart with hubs take the names that hubhome takes, and no others.
func HubNames(t *testing.T, chart func(values ...string) Chart, o Options) {
	t.Helper()
	for _, name := range []string{"prod", "P", "2i2c", "a.b", "a_b", "a-", strings.Repeat("a", 63), strings.Repeat("a", 64), "", ".a", "_a", "-a", "a b", "ä"} {
		_, want := hubhome.ParseHubName(name)
		_, got := Render(chart(fmt.Sprintf("hubs: {%q: {}}", name)), o)
		if (got == nil) != (want == nil) {
			t.Errorf("hub %q: the chart says %v, and hubhome %v", name, got, want)
		}
	}
}
