// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hubhome/hubhome/console"
)

// TestHomeListNames lists homes with names of any bytes: none can do anything to a terminal, and programs get each as it is.
func TestHomeListNames(t *testing.T) {
	names := []string{"caf\xe9", "\xff\xfe", "gr\xc3", "日本", "new\nline", "\x1b[2J", "\u202eadmin", `a,"b"`, "ada"}
	homes := make([]console.Home, len(names))
	for i, name := range names {
		homes[i].Hub, homes[i].Name = "prod", console.NewName(name)
	}
	write := func(output string) string {
		t.Helper()
		var out bytes.Buffer
		if err := writeHomes(&out, homes, output); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}

	lines := strings.Split(strings.TrimSuffix(write(outputTable), "\n"), "\n")
	if len(lines) != 1+len(names) {
		t.Fatalf("the table has %d lines for %d homes:\n%q", len(lines), len(names), lines)
	}
	for i, want := range []string{
		`"prod/caf\xe9"`, `"prod/\xff\xfe"`, `"prod/gr\xc3"`, "prod/日本", `"prod/new\nline"`, `"prod/\x1b[2J"`, `"prod/\u202eadmin"`,
		`"prod/a,\"b\""`, "prod/ada",
	} {
		if !strings.HasSuffix(lines[1+i], "  "+want) {
			t.Errorf("the table has %q for %q, want %s", lines[1+i], names[i], want)
		}
	}

	rows, err := csv.NewReader(strings.NewReader(write(outputCSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list console.HomeList
	if err := json.Unmarshal([]byte(write(outputJSON)), &list); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1+len(names) || len(list.Homes) != len(names) {
		t.Fatalf("%d lines of CSV and %d homes in JSON for %d homes", len(rows), len(list.Homes), len(names))
	}
	for i, name := range names {
		if got := rows[1+i][1]; got != name {
			t.Errorf("CSV has %q for %q", got, name)
		}
		if got := list.Homes[i].Name.String(); got != name {
			t.Errorf("JSON has %q for %q", got, name)
		}
	}
}

// TestParseHome has what can be the name of a home, and what cannot: of "." a server would be asked something else.
func TestParseHome(t *testing.T) {
	for _, text := range []string{"", "prod", "prod/", "/ada", "prod/.", "prod/..", "prod/ada/x", "prod//ada", "../ada", "prod/a\x00", "prod/" + strings.Repeat("x", 256)} {
		if hub, home, err := parseHome(text); err == nil {
			t.Errorf("%.20q is taken for the home %q of %q", text, home, hub)
		}
	}
	for _, name := range []string{"ada", "...", "caf\xe9", "a b", "%2e", strings.Repeat("x", 255)} {
		if hub, home, err := parseHome("prod/" + name); err != nil || hub != "prod" || home != name {
			t.Errorf("prod/%.20q is the home %q of %q: %v", name, home, hub, err)
		}
	}
}
