// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// SchemaProblems compares the values.yaml of a chart with its values.schema.json, which is to be closed and to know each
// value, so that a typo anywhere is refused. It returns a line for each difference. Open names the values whose keys are
// for others to check, with dots.
func SchemaProblems(dir string, open ...string) ([]string, error) {
	values, _, err := defaults(dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "values.schema.json"))
	if err != nil {
		return nil, err
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, err
	}
	return compared("", values, schema, open), nil
}

// compared compares a table of values with its schema.
func compared(at string, values, schema map[string]any, open []string) (problems []string) {
	properties, _ := schema["properties"].(map[string]any)
	if schema["additionalProperties"] != false {
		problems = append(problems, fmt.Sprintf("%q takes any key", at))
	}
	for key := range properties {
		if _, there := values[key]; !there {
			problems = append(problems, at+key+" is in the schema, and in values.yaml it is not")
		}
	}
	for key, value := range values {
		property, known := properties[key].(map[string]any)
		if !known {
			problems = append(problems, at+key+" is in values.yaml, and in the schema it is not")
			continue
		}
		if table, ok := value.(map[string]any); ok && !slices.Contains(open, at+key) {
			problems = append(problems, compared(at+key+".", table, property, open)...)
		}
	}
	return problems
}

// ReadmeProblems compares the values.yaml of a chart with the last table of its README.md, which is to have a row for each
// value that has a comment beginning with `# -- `, with its default, and what it is word for word. It returns a line for
// each difference.
func ReadmeProblems(dir string) (problems []string, err error) {
	values, text, err := defaults(dir)
	if err != nil {
		return nil, err
	}
	file, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return nil, err
	}
	readme := string(file)
	var path []string
	about, rows := "", 0
	for line := range strings.Lines(text) {
		text := strings.TrimSpace(line)
		key, _, isKey := strings.Cut(text, ":")
		switch comment, isComment := strings.CutPrefix(text, "# "); {
		case strings.HasPrefix(comment, "-- "):
			about = strings.TrimPrefix(comment, "-- ")
		case isComment && about != "":
			about += " " + comment
		case isKey && !isComment:
			depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
			path = append(path[:min(depth, len(path))], key)
			if about == "" {
				continue
			}
			value, err := json.Marshal(under(values, path))
			if err != nil {
				return nil, err
			}
			if row := fmt.Sprintf("| `%s` | `%s` | %s |\n", strings.Join(path, "."), value, about); !strings.Contains(readme, row) {
				problems = append(problems, "the README has no row\n"+row)
			}
			about, rows = "", rows+1
		}
	}
	table := readme[max(strings.LastIndex(readme, "| value |"), 0):]
	if got := strings.Count(table, "\n") - 2; rows == 0 || rows != got {
		problems = append(problems, fmt.Sprintf("%d values are explained in values.yaml, and the README has %d rows", rows, got))
	}
	return problems, nil
}

// under is what is under keys.
func under(values map[string]any, keys []string) any {
	var value any = values
	for _, key := range keys {
		table, _ := value.(map[string]any)
		value = table[key]
	}
	return value
}

// defaults reads values.yaml.
func defaults(dir string) (values map[string]any, text string, err error) {
	file, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
	if err != nil {
		return nil, "", err
	}
	return values, string(file), yaml.UnmarshalStrict(file, &values)
}
