// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestMisspelt misspells each attribute and each block of each resource, one at a time, and finds it refused. What passes
// the other tests has no name in it that the providers do not know.
func TestMisspelt(t *testing.T) {
	tofu := programs(t)[0]
	for _, module := range modules {
		t.Run(module, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(tree(t), module)
			path := filepath.Join(dir, "main.tf")
			file := parse(t, path)
			tofu.must(t, dir, "init", "-no-color")
			for _, name := range names(t, file) {
				end := name.at + len(name.text)
				if err := os.WriteFile(path, []byte(file.text[:end]+"x"+file.text[end:]), 0o644); err != nil {
					t.Fatal(err)
				}
				out, err := tofu.run(t, dir, "validate", "-no-color")
				if err == nil || !strings.Contains(words(out), fmt.Sprintf("%q is not expected here", name.text+"x")) &&
					!strings.Contains(words(out), fmt.Sprintf("%q are not expected here", name.text+"x")) {
					t.Errorf("%s is not refused for %sx: %v\n%s", name.resource, name.text, err, out)
				}
			}
		})
	}
}

// name is one of an attribute or a block, and where it begins in the text, in bytes.
type name struct {
	resource, text string
	at             int
}

// names are those in all resources and data sources of a module.
func names(t *testing.T, file *file) []name {
	t.Helper()
	var found []name
	for _, kind := range []string{"resource", "data"} {
		for _, block := range file.blocks(kind) {
			found = append(found, namesIn(block.Body, strings.Join(block.Labels, "."))...)
		}
	}
	if len(found) == 0 {
		t.Fatal("main.tf has no resources")
	}
	return found
}

// meta are the arguments and blocks of the language itself.
var meta = []string{"for_each", "count", "depends_on", "provider", "lifecycle"}

func namesIn(body *hclsyntax.Body, resource string) []name {
	var found []name
	for text, attribute := range body.Attributes {
		if !slices.Contains(meta, text) {
			found = append(found, name{resource, text, attribute.NameRange.Start.Byte})
		}
	}
	for _, block := range body.Blocks {
		switch {
		case slices.Contains(meta, block.Type):
		case block.Type == "dynamic":
			content := block.Body.Blocks[0]
			found = append(found, name{resource, block.Labels[0], block.LabelRanges[0].Start.Byte + len(`"`)})
			found = append(found, namesIn(content.Body, resource)...)
		default:
			found = append(found, name{resource, block.Type, block.TypeRange.Start.Byte})
			found = append(found, namesIn(block.Body, resource)...)
		}
	}
	return found
}
