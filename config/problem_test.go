// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestProblems holds what is said about each bad file to testdata/problems.txtar, to the letter: NAME.yaml is the file,
// NAME.txt the message, in which the file is called hubhome.yaml.
func TestProblems(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/problems.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(archive.Files, 2) {
		name := strings.TrimSuffix(pair[0].Name, ".yaml")
		if len(pair) != 2 || pair[1].Name != name+".txt" {
			t.Fatalf("%s has no message after it", pair[0].Name)
		}
		t.Run(name, func(t *testing.T) {
			_, err := Parse("hubhome.yaml", pair[0].Data)
			if got := fmt.Sprintln(err); got != string(pair[1].Data) {
				t.Errorf("it says\n%s\nand should say\n%s", got, pair[1].Data)
			}
		})
	}
}

// TestUnreadable has the files that a text archive cannot hold.
func TestUnreadable(t *testing.T) {
	for name, test := range map[string]struct{ data, want string }{
		"too long":        {strings.Repeat("# a\n", 1<<18) + "#", "f:1:1: the file is longer than 1048576 bytes; it cannot be a configuration"},
		"long line":       {"a:\n" + strings.Repeat("a", 1<<15), "f:2:1: the line is longer than 16384 bytes; break it"},
		"not UTF-8":       {"nfs:\n  baseShare: /h\xf6mes\n", "f:2:16: the byte 0xf6 is not UTF-8; save the file as UTF-8"},
		"UTF-16":          {"\xff\xfes\x00t\x00", "f:1:1: the byte 0xff is not UTF-8; save the file as UTF-8"},
		"NUL":             {"nfs: {}\n\x00", `f:2:1: the control character '\x00' is not allowed in YAML; take it out`},
		"nested brackets": {strings.Repeat("[", 1000), "f:1:33: is nested more than 32 deep; no key of a configuration is"},
		"nested lines":    {strings.Repeat("[\n", 1000), "f:33:1: is nested more than 32 deep; no key of a configuration is"},
		"nested lists":    {strings.Repeat("- ", 1000), "f:1:1: is nested more than 32 deep; no key of a configuration is"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f", []byte(test.data))
			problems, ok := errors.AsType[Problems](err)
			if !ok || len(problems) != 1 || err.Error() != test.want {
				t.Errorf("it says\n%v\nand should say\n%s", err, test.want)
			}
		})
	}
}
