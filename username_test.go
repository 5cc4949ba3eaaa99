// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hubhome/hubhome"
)

// TestUsernameVectors holds both schemes to what KubeSpawner's own code made of the same names.
func TestUsernameVectors(t *testing.T) {
	file, err := os.ReadFile("testdata/usernames.tsv")
	if err != nil {
		t.Fatal(err)
	}
	vectors := 0
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 3 {
			t.Fatalf("%q has %d fields", line, len(fields))
		}
		vectors++
		checkSchemes(t, fields[0], fields[1], fields[2])
	}
	if vectors < 12 {
		t.Errorf("there are %d vectors only", vectors)
	}
}

// TestUsernameEdges has what the vectors do not: the lengths, the characters that become letters by Python's lower(),
// and a part that is cut so that it ends in '-'. All were made with kubespawner/slugs.py.
func TestUsernameEdges(t *testing.T) {
	long := strings.Repeat("a", 48)
	checkSchemes(t, long, long, long)
	checkSchemes(t, long+"a", long+"a", strings.Repeat("a", 37)+"---8f9bec6a")
	checkSchemes(t, "a--b", "a-2d-2db", "a-b---90827a2e")
	checkSchemes(t, "alice-", "alice-2d", "alice---e2c101bb")
	checkSchemes(t, "alice\n", "alice-a", "alice---f87165e3")
	checkSchemes(t, "\x00", "-0", "x---6e340b9c")
	checkSchemes(t, "\u212a", "-e2-84-aa", "k---2bc4fb87")
	checkSchemes(t, "\u0130x", "-c4-b0x", "i-x---3020b9f2")
	checkSchemes(t, "1"+strings.Repeat("b", 33)+"-c", "1"+strings.Repeat("b", 33)+"-2dc", "x-1"+strings.Repeat("b", 33)+"----146073cc")
}

func checkSchemes(t *testing.T, name, escape, safe string) {
	t.Helper()
	got, err := hubhome.EscapeUsername(name)
	if err != nil || got != escape {
		t.Errorf("EscapeUsername(%q) = %q, %v; want %q", name, got, err, escape)
	}
	got, err = hubhome.SafeUsername(name)
	if err != nil || got != safe {
		t.Errorf("SafeUsername(%q) = %q, %v; want %q", name, got, err, safe)
	}
}

func TestUsernameRefused(t *testing.T) {
	for name, want := range map[string]string{
		"":             "cannot be empty",
		"jos\xe9":      `username "jos\xe9" is not UTF-8`,
		"\xed\xa0\x80": "is not UTF-8", // half a surrogate pair, which Python cannot encode either
	} {
		if got, err := hubhome.EscapeUsername(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("EscapeUsername(%q) = %q, %v; want an error that says %q", name, got, err, want)
		}
		if got, err := hubhome.SafeUsername(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("SafeUsername(%q) = %q, %v; want an error that says %q", name, got, err, want)
		}
	}
}

// FuzzUsername looks for a name that one of the schemes makes into something that is not safe as a directory, or that
// could be one of hubhome's own: with '_', '.', '/', or empty.
func FuzzUsername(f *testing.F) {
	f.Add("alice")
	f.Fuzz(func(t *testing.T, name string) {
		escape, err1 := hubhome.EscapeUsername(name)
		safe, err2 := hubhome.SafeUsername(name)
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("%q: one scheme says %v, the other %v", name, err1, err2)
		}
		if err1 != nil {
			return
		}
		for scheme, dir := range map[string]string{"escape": escape, "safe": safe} {
			if dir == "" || strings.Trim(dir, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.HasSuffix(dir, "-") {
				t.Errorf("%s of %q is %q", scheme, name, dir)
			}
		}
		if len(safe) > 48 || safe[0] < 'a' || safe[0] > 'z' {
			t.Errorf("safe of %q is %q", name, safe)
		}
	})
}
