// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"sigs.k8s.io/yaml"
)

// Chart is a chart in the tree, with the values that somebody gives it.
type Chart struct {
	// Dir is where its Chart.yaml is.
	Dir string
	// Values are texts in YAML, as the files of -f are: of two that say the same thing, the later one holds.
	Values []string
	// Dependencies are directories of charts that Dir depends on, by the name in its Chart.yaml, for those that come from
	// a repository elsewhere. What comes from file:// is found by itself.
	Dependencies map[string]string
}

// load reads the chart and what it depends on, as `helm dependency build` brings it together but without writing
// anything into the tree. Helm changes a loaded chart when it renders, so it is read each time.
func (c Chart) load() (*chart.Chart, error) {
	loaded, err := loader.LoadDir(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("load chart %s: %w", c.Dir, err)
	}
	for _, want := range loaded.Metadata.Dependencies {
		if slices.ContainsFunc(loaded.Dependencies(), func(d *chart.Chart) bool { return d.Name() == want.Name }) {
			continue // in charts/, or under another alias
		}
		dir, given := c.Dependencies[want.Name]
		if path, local := strings.CutPrefix(want.Repository, "file://"); !given && local {
			dir = filepath.Join(c.Dir, path)
		} else if !given {
			return nil, fmt.Errorf("load chart %s: it depends on %s from %s, and no directory of that was given", c.Dir, want.Name, want.Repository)
		}
		// Helm leaves out without a word what does not match.
		there, err := chartutil.LoadChartfile(filepath.Join(dir, chartutil.ChartfileName))
		if err != nil {
			return nil, fmt.Errorf("load chart %s: it depends on %s: %w", c.Dir, want.Name, err)
		}
		if there.Name != want.Name || !chartutil.IsCompatibleRange(want.Version, there.Version) {
			return nil, fmt.Errorf("load chart %s: it depends on %s %s, and in %s is %s %s",
				c.Dir, want.Name, want.Version, dir, there.Name, there.Version)
		}
		dependency, err := Chart{Dir: dir, Dependencies: c.Dependencies}.load()
		if err != nil {
			return nil, err
		}
		loaded.AddDependency(dependency)
	}
	return loaded, nil
}

// both are the chart and its values.
func (c Chart) both() (*chart.Chart, map[string]any, error) {
	loaded, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	values, err := c.values()
	return loaded, values, err
}

// values merges the texts of values.
func (c Chart) values() (map[string]any, error) {
	merged := map[string]any{}
	for _, text := range c.Values {
		var values map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &values); err != nil {
			return nil, fmt.Errorf("read the values %q: %w", text, err)
		}
		merged = chartutil.MergeTables(values, merged)
	}
	return merged, nil
}
