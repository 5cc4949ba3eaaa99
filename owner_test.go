// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome_test

import (
	"strings"
	"testing"

	"github.com/hubhome/hubhome"
)

func TestParseOwner(t *testing.T) {
	for good, want := range map[string]hubhome.Owner{
		"1000:1000":             hubhome.DefaultOwner,
		"0:0":                   {},
		"4294967294:4294967294": {UID: 4294967294, GID: 4294967294},
		"1000:100":              {UID: 1000, GID: 100},
	} {
		got, err := hubhome.ParseOwner(good)
		if err != nil || got != want || got.String() != good {
			t.Errorf("ParseOwner(%q) = %v, %v; want %v", good, got, err, want)
		}
	}
	for bad, want := range map[string]string{
		"":                       `"" is not an owner: write the numbers`,
		"1000":                   `"1000" is not an owner: write the numbers of the user and of the group as UID:GID, such as 1000:1000`,
		"jovyan:users":           `the user "jovyan" is not a number`,
		"1000:users":             `the group "users" is not a number`,
		"1000:":                  `the group "" is not a number`,
		"-1:0":                   `the user "-1" is not a number`,
		"1:2:3":                  `the group "2:3" is not a number`,
		"4294967295:0":           `the user "4294967295" is too large; the largest is 4294967294`,
		"0:99999999999999999999": `the group "99999999999999999999" is too large`,
	} {
		got, err := hubhome.ParseOwner(bad)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseOwner(%q) = %v, %v; want an error that says %q", bad, got, err, want)
		}
	}
}
