// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The lengths of KubeSpawner's safe names (kubespawner/slugs.py): all of it, and its two parts.
const (
	maxSafe     = 48
	safeHash    = 8
	maxSafePart = maxSafe - len("---") - safeHash
)

// EscapeUsername returns the name of a user's home under KubeSpawner's older scheme, "escape", that
// c.KubeSpawner.slug_scheme chooses: every byte but a-z and 0-9 is '-' and its value in hexadecimal, without leading
// zeros. There is no limit to its length: a name of more than 85 other bytes makes more than a file system takes.
//
// The name is what JupyterHub calls the user, not normalized any further. An empty name is nobody's, and JupyterHub's
// names are text: for an empty name and for one that is not UTF-8 it answers an error.
func EscapeUsername(name string) (string, error) {
	if err := checkUsername(name); err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; lower(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "-%x", c)
		}
	}
	return b.String(), nil
}

// SafeUsername returns the name of a user's home under the scheme that is KubeSpawner's default since its version 7,
// "safe": the name itself where it is a name for everything in Kubernetes, else what can be kept of it and a hash.
// It answers the errors of EscapeUsername.
func SafeUsername(name string) (string, error) {
	if err := checkUsername(name); err != nil {
		return "", err
	}
	if safeAsIs(name) {
		return name, nil
	}
	hash := sha256.Sum256([]byte(name))
	return safePart(name) + "---" + hex.EncodeToString(hash[:])[:safeHash], nil
}

func checkUsername(name string) error {
	switch {
	case name == "":
		return errors.New("a username cannot be empty")
	case !utf8.ValidString(name):
		return fmt.Errorf("username %s is not UTF-8, and JupyterHub has no such name", quote(name))
	}
	return nil
}

// safeAsIs tells whether the safe scheme keeps a name. "--" is kept for the names that the scheme makes itself.
func safeAsIs(name string) bool {
	if len(name) > maxSafe || strings.Contains(name, "--") || !letter(name[0]) || !lower(name[len(name)-1]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !lower(c) && c != '-' {
			return false
		}
	}
	return true
}

// safePart returns what the safe scheme keeps of a name that it does not keep as it is.
func safePart(name string) string {
	s := strings.TrimLeft(hyphenate(pythonLower(name)), "-")
	s = strings.TrimRight(s[:min(len(s), maxSafePart)], "-")
	switch {
	case s == "":
		return "x"
	case !letter(s[0]):
		return "x-" + s[:min(len(s), maxSafePart-len("x-"))]
	}
	return s
}

// hyphenate puts one '-' in place of every run of anything but a-z and 0-9.
func hyphenate(s string) string {
	var b strings.Builder
	run := false
	for i := range len(s) {
		c := s[i]
		if lower(c) {
			b.WriteByte(c)
		} else if !run {
			b.WriteByte('-')
		}
		run = !lower(c)
	}
	return b.String()
}

// pythonLower is Python's str.lower as far as a-z can come of it. It differs from Go's in one character: U+0130, the
// capital I with a dot, becomes i and a combining dot.
func pythonLower(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, "\u0130", "i\u0307"))
}
