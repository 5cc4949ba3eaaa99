// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome

import (
	"errors"
	"fmt"
	"strings"
)

// MaxHubName is the longest name of a hub in bytes. Helm ends at 53 for a release; a directory that was named by hand
// may be somewhat longer, and as a Kubernetes label it ends at 63.
const MaxHubName = 63

// HubName is the name of one JupyterHub: of its directory below the base share, and unless somebody chose another one,
// of its Helm release. It is safe as one component of a path, as a word in a log line, and as an argument.
type HubName string

// String returns the name.
func (n HubName) String() string { return string(n) }

// ParseHubName returns a name that was checked: 1 to MaxHubName of the letters a-z and A-Z, digits, '-', '_' and '.',
// the first of them a letter or a digit. What begins with '.' or '_' is hubhome's own (.hubhome, _shared), and what
// begins with '-' looks like a flag to most programs. Names that differ only in case are different hubs.
func ParseHubName(s string) (HubName, error) {
	err := checkHubName(s)
	if err != nil {
		return "", fmt.Errorf("%s cannot be the name of a hub: %w; a hub's name is 1 to %d letters (a-z, A-Z), "+
			"digits, '-', '_' and '.', and begins with a letter or a digit", quote(s), err, MaxHubName)
	}
	return HubName(s), nil
}

// checkHubName says what is wrong with a name of a hub.
func checkHubName(s string) error {
	if s == "" {
		return errors.New("it is empty")
	}
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return errors.New("it has a '/', and a hub's directory is directly below the base share")
	}
	if !alphanumeric(s[0]) {
		return fmt.Errorf("it begins with %s", quoteFirst(s))
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return fmt.Errorf("it has %s", quoteFirst(s[i:]))
		}
	}
	if len(s) > MaxHubName {
		return errors.New("it is too long")
	}
	return nil
}

// quoteFirst quotes the first character, or the first byte of what is none.
func quoteFirst(s string) string {
	for i := range s {
		if i > 0 {
			s = s[:i]
			break
		}
	}
	return quote(s)
}

func alphanumeric(c byte) bool { return lower(c) || 'A' <= c && c <= 'Z' }

// lower tells whether c is a lower-case letter or a digit.
func lower(c byte) bool { return letter(c) || '0' <= c && c <= '9' }

func letter(c byte) bool { return 'a' <= c && c <= 'z' }
