// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	snippet = regexp.MustCompile("(?s)[ \t]*```hcl\n(.*?)\n[ \t]*```")
	ours    = regexp.MustCompile(`"github\.com/hubhome/hubhome//terraform/([^"?]+)[^"]*"`)
	// elsewhere is what a snippet takes from the rest of somebody's configuration.
	elsewhere = regexp.MustCompile(`\bazurerm_\w+\.\w+\.(id|name)\b`)
)

// TestSnippets has valid whatever calls a module of ours on a page of the documentation.
func TestSnippets(t *testing.T) {
	tofu := programs(t)[0]
	checked := 0
	for _, pages := range []string{source, "../../docs"} {
		err := filepath.WalkDir(pages, func(page string, entry fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(page) != ".md" {
				return err
			}
			text, err := os.ReadFile(page)
			if err != nil {
				return err
			}
			for _, found := range snippet.FindAllStringSubmatch(string(text), -1) {
				if ours.MatchString(found[1]) {
					checked++
					checkSnippet(t, tofu, page, found[1])
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if checked < len(modules) {
		t.Errorf("%d snippets call a module, want one for each at least", checked)
	}
}

func checkSnippet(t *testing.T, p program, page, text string) {
	t.Helper()
	dir := tree(t)
	text = ours.ReplaceAllString(text, `"./$1"`)
	text = elsewhere.ReplaceAllString(text, "var.elsewhere") + "\nvariable \"elsewhere\" {\n  default = null\n}\n"
	if !strings.Contains(text, `provider "azurerm"`) {
		text += "provider \"azurerm\" {\n  features {}\n}\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"init", "validate"} {
		if out, err := p.run(t, dir, command, "-no-color"); err != nil {
			t.Errorf("%s: %v\n%s\n%s", page, err, text, out)
			return
		}
	}
}
