// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome_test

import (
	"strings"
	"testing"

	"github.com/hubhome/hubhome"
)

func TestParseHubName(t *testing.T) {
	for _, good := range []string{"staging", "prod", "a", "0", "UToronto", "my.hub_2-x", strings.Repeat("a", 63)} {
		name, err := hubhome.ParseHubName(good)
		if err != nil || name.String() != good {
			t.Errorf("ParseHubName(%q) = %q, %v", good, name, err)
		}
	}
	const rule = "; a hub's name is 1 to 63 letters (a-z, A-Z), digits, '-', '_' and '.', and begins with a letter or a digit"
	for bad, want := range map[string]string{
		"":                      `"" cannot be the name of a hub: it is empty`,
		"a/b":                   `"a/b" cannot be the name of a hub: it has a '/', and a hub's directory is directly below the base share`,
		"..":                    `".." cannot be the name of a hub: it begins with "."`,
		".hubhome":              `".hubhome" cannot be the name of a hub: it begins with "."`,
		"_shared":               `"_shared" cannot be the name of a hub: it begins with "_"`,
		"-rf":                   `"-rf" cannot be the name of a hub: it begins with "-"`,
		"a b":                   `"a b" cannot be the name of a hub: it has " "`,
		"a\x00b":                `"a\x00b" cannot be the name of a hub: it has "\x00"`,
		"a\xffb":                `"a\xffb" cannot be the name of a hub: it has "\xff"`,
		"caf\u00e9":             "\"caf\u00e9\" cannot be the name of a hub: it has \"\u00e9\"",
		"\u00e9t\u00e9":         "\"\u00e9t\u00e9\" cannot be the name of a hub: it begins with \"\u00e9\"",
		strings.Repeat("a", 64): `"` + strings.Repeat("a", 64) + `" cannot be the name of a hub: it is too long`,
		strings.Repeat("b", 300): `"` + strings.Repeat("b", 64) +
			`"… (300 bytes) cannot be the name of a hub: it is too long`,
	} {
		name, err := hubhome.ParseHubName(bad)
		if err == nil || err.Error() != want+rule || name != "" {
			t.Errorf("ParseHubName(%q) = %q, %v\nwant %s", bad, name, err, want+rule)
		}
	}
}
