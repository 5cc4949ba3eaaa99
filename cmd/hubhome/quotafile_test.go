// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hubhome/hubhome/console"
)

// TestReadQuotas reads files as spreadsheets and scripts write them, all of which say the same.
func TestReadQuotas(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                        "hub,home,quota,inodes\nprod,ada,20GiB,\nprod,caf\xe9,unlimited,7\n",
		"without a last newline":       "hub,home,quota,inodes\nprod,ada,20GiB,\nprod,caf\xe9,unlimited,7",
		"of Windows":                   "hub,home,quota,inodes\r\nprod,ada,20GiB,\r\nprod,caf\xe9,unlimited,7\r\n",
		"with a mark":                  "\ufeffhub,home,quota,inodes\nprod,ada,20GiB,\nprod,caf\xe9,unlimited,7\n",
		"with a mark and all quoted":   "\ufeff\"hub\",\"home\",\"quota\",\"inodes\"\r\n\"prod\",\"ada\",\"20GiB\",\"\"\r\n\"prod\",\"caf\xe9\",\"unlimited\",\"7\"\r\n",
		"in another order":             "Quota,Inodes,Hub,Home\n20GiB,,prod,ada\nunlimited,7,prod,caf\xe9\n",
		"with empty lines and spaces":  "\n\nhub, home, quota ,inodes\n\nprod,ada, 20GiB ,\n\n\nprod,caf\xe9,unlimited, 7\n\n",
		"with a newline in its quotes": "hub,home,quota,inodes\nprod,ada,\"20GiB\n\",\nprod,caf\xe9,unlimited,7\n",
	} {
		changes, lines, err := readQuotas(iotest.OneByteReader(strings.NewReader(text)), "f")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(changes) != 2 || len(lines) != 2 || changes[0].Hub != "prod" || changes[0].Name.String() != "ada" || changes[0].Bytes != "20GiB" ||
			changes[0].Inodes != "" || changes[1].Name.String() != "caf\xe9" || changes[1].Bytes != "unlimited" || changes[1].Inodes != "7" {
			t.Errorf("%s: it says %+v", name, changes)
		}
		if strings.HasPrefix(text, "hub,home,quota,inodes\nprod,ada,20GiB") && (lines[0] != 2 || lines[1] != 3) {
			t.Errorf("%s: the lines are %v", name, lines)
		}
	}
}

// TestWriteQuotas reads what was written: names of any bytes, and quotas of all kinds.
func TestWriteQuotas(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	names := []string{"ada", "caf\xe9", "\xff\xfe", "new\nline", "cr\r", " a ", `a,"b"`, `\.`, "\x1b[2J", "\ufeffada", "日本"}
	var quotas []console.SetQuota
	for _, name := range names {
		quotas = append(quotas, console.SetQuota{Hub: "prod", Name: console.NewName(name), Override: console.Limit{Bytes: number(-1)}})
	}
	quotas[0].Override, quotas[1].Override = console.Limit{Inodes: number(7)}, console.Limit{Bytes: number(1<<62 + 1), Inodes: number(-1)}
	var out bytes.Buffer
	if err := writeQuotas(&out, quotas); err != nil {
		t.Fatal(err)
	}
	changes, _, err := readQuotas(&out, "f")
	if err != nil || len(changes) != len(names) {
		t.Fatalf("%d of %d are read: %v", len(changes), len(names), err)
	}
	for i, c := range changes {
		bytes, inodes := "unlimited", "default"
		switch i {
		case 0:
			bytes, inodes = "default", "7"
		case 1:
			bytes, inodes = "4611686018427387905B", "unlimited"
		}
		if c.Name.String() != names[i] || c.Bytes != bytes || c.Inodes != inodes {
			t.Errorf("%q is read as %+v", names[i], c)
		}
	}
	quotas[3].Name = console.NewName("a\r\nb")
	if err := writeQuotas(&out, quotas); err == nil || out.Len() > 0 || !strings.Contains(err.Error(), `prod/"a\r\nb" cannot be in CSV`) {
		t.Errorf("%v, and %q is written", err, out.String())
	}
}

// TestReadQuotasWrong has files of which nothing may be applied.
func TestReadQuotasWrong(t *testing.T) {
	for text, says := range map[string]string{
		"":                        "f:1: begin with the line",
		"hub,home,quota\n":        "f has no line for a home",
		"\ufeff":                  "f:1: begin with the line",
		"hub,home\nprod,ada\n":    "f:1: the column quota is missing",
		"hub;home;quota\na;b;c\n": "not semicolons",
		"hub,home,quota,hub\n":    `"hub" is not the name of a column, or is there twice`,
		"\xff\xfeh\x00u\x00b\x00": "is not the name of a column",
		"hub,home,quota\nprod,ada,20GiB\nprod,ada,10GiB\n":          "f:3: prod/ada is here a second time, after line 2",
		"hub,home,quota\nprod,ada,20GiB\n\nprod,bob\nprod,eve,1B":   "f:4: wrong number of fields",
		"hub,home,quota\nprod,ada,20GiB\nprod,\"bob,20GiB\n":        "f:",
		"hub,home,quota\nprod,ada,0GiB\n":                           "f:2: ",
		"hub,home,quota\nprod,ada,99999999999999999999GiB\n":        "f:2: ",
		"hub,home,quota\nprod,ada,none\n":                           "f:2: ",
		"hub,home,quota\nprod,ada,\n":                               "f:2: nothing is said of the quota of prod/ada",
		"hub,home,quota\nprod,a/da,1GiB\n":                          `"a/da" is not the name`,
		"hub,home,quota\n../x,ada,1GiB\n":                           "f:2: ",
		"hub,home,quota,inodes\nprod,ada,1GiB,1.5\n":                "f:2: ",
		"hub,home,quota\n" + strings.Repeat("prod,ada,none\n", 100): "and perhaps more",
	} {
		changes, _, err := readQuotas(strings.NewReader(text), "f")
		if err == nil || len(changes) > 0 || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60q: %d changes, and the error is %v, want %s", text, len(changes), err, says)
		}
	}
	endless := io.MultiReader(strings.NewReader("hub,home,quota\nprod,\""), repeat{})
	if changes, _, err := readQuotas(endless, "f"); err == nil || len(changes) > 0 || !strings.Contains(err.Error(), "is longer than") {
		t.Errorf("a file without an end: %v", err)
	}
	broken := io.MultiReader(strings.NewReader("hub,home,quota\nprod,ada,1GiB\n"), iotest.ErrReader(errors.New("the disk is broken")))
	if changes, _, err := readQuotas(broken, "f"); err == nil || len(changes) > 0 || !strings.Contains(err.Error(), "the disk is broken") {
		t.Errorf("a file that cannot be read to its end: %v", err)
	}
}

// repeat is a file without an end.
type repeat struct{}

func (repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
