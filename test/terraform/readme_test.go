// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestReadmes has each module's README end with tables of its inputs and outputs that are true: they are made from
// variables.tf and outputs.tf.
func TestReadmes(t *testing.T) {
	for _, module := range modules {
		path := filepath.Join(source, module, "README.md")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		prose, got, _ := strings.Cut(string(text), "\n## Inputs\n")
		want := tables(t, module)
		if *update {
			got = want
			if err := os.WriteFile(path, []byte(prose+"\n## Inputs\n"+got), 0o644); err != nil {
				t.Error(err)
			}
		}
		if got != want {
			t.Errorf("%s (go test -run Readmes -update writes it) has the tables\n%s\nand the code has\n%s", path, got, want)
		}
	}
}

// tables are what a README has below the heading "Inputs".
func tables(t *testing.T, module string) string {
	var b strings.Builder
	fmt.Fprint(&b, "\n| name | type | default | what |\n|---|---|---|---|\n")
	variables := parse(t, filepath.Join(source, module, "variables.tf"))
	for _, block := range variables.blocks("variable") {
		typ, description := block.Body.Attributes["type"].Expr, variables.description(t, block)
		fallback := "required"
		if attribute, ok := block.Body.Attributes["default"]; ok {
			fallback = code(variables.source(attribute.Expr.Range()))
		}
		name, object := block.Labels[0], objectIn(typ)
		if object == nil {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, code(variables.source(typ.Range())), fallback, description)
			continue
		}
		kind, field := "object", name+"."
		if call := typ.(*hclsyntax.FunctionCallExpr); call.Name == "map" {
			kind, field = "map(object)", name+"[*]."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, code(kind), fallback, description)
		for _, item := range object.Items {
			typ, fallback := item.ValueExpr.Range(), "required"
			if call, ok := item.ValueExpr.(*hclsyntax.FunctionCallExpr); ok && call.Name == "optional" {
				typ, fallback = call.Args[0].Range(), "`null`"
				if len(call.Args) == 2 {
					fallback = code(variables.source(call.Args[1].Range()))
				}
			}
			key := variables.source(item.KeyExpr.Range())
			about := variables.comment(item.KeyExpr.Range().Start.Line)
			if about == "" {
				t.Errorf("%s of variable %s has no comment above it", key, name)
			}
			fmt.Fprintf(&b, "| `%s%s` | %s | %s | %s |\n", field, key, code(variables.source(typ)), fallback, about)
		}
	}
	fmt.Fprint(&b, "\n## Outputs\n\n| name | what |\n|---|---|\n")
	outputs := parse(t, filepath.Join(source, module, "outputs.tf"))
	for _, block := range outputs.blocks("output") {
		fmt.Fprintf(&b, "| `%s` | %s |\n", block.Labels[0], outputs.description(t, block))
	}
	return b.String()
}

// objectIn is the object of a type object({...}) or map(object({...})), or nil.
func objectIn(typ hclsyntax.Expression) *hclsyntax.ObjectConsExpr {
	for {
		switch in := typ.(type) {
		case *hclsyntax.FunctionCallExpr:
			typ = in.Args[0]
		case *hclsyntax.ObjectConsExpr:
			return in
		default:
			return nil
		}
	}
}

func code(s string) string { return "`" + s + "`" }

// file is a file of a module.
type file struct {
	text  string
	lines []string
	body  *hclsyntax.Body
}

func parse(t *testing.T, path string) *file {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parsed, diagnostics := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	return &file{string(text), strings.Split(string(text), "\n"), parsed.Body.(*hclsyntax.Body)}
}

func (f *file) blocks(kind string) []*hclsyntax.Block {
	var found []*hclsyntax.Block
	for _, block := range f.body.Blocks {
		if block.Type == kind {
			found = append(found, block)
		}
	}
	return found
}

// source is what stands in the file at r.
func (f *file) source(r hcl.Range) string { return f.text[r.Start.Byte:r.End.Byte] }

func (f *file) description(t *testing.T, block *hclsyntax.Block) string {
	t.Helper()
	attribute, ok := block.Body.Attributes["description"]
	if !ok {
		t.Fatalf("%s %s has no description", block.Type, block.Labels[0])
	}
	value, diagnostics := attribute.Expr.Value(nil)
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	return value.AsString()
}

// comment is what stands in comments right above a line.
func (f *file) comment(line int) string {
	var words []string
	for i := line - 2; i >= 0; i-- { // lines are counted from 1
		text, isComment := strings.CutPrefix(strings.TrimSpace(f.lines[i]), "# ")
		if !isComment {
			break
		}
		words = append([]string{text}, words...)
	}
	return strings.Join(words, " ")
}
