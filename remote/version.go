// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package remote

import "fmt"

// Version is a version of NFS, or the wish for the best that a server has.
type Version uint8

// The versions that can be asked for. Of NFSv4.0 nothing is known here but its name.
const (
	Auto Version = iota
	V3
	V41
	V42
)

var versionNames = [...]string{Auto: "auto", V3: "3", V41: "4.1", V42: "4.2"}

// String returns the version as ParseVersion reads it.
func (v Version) String() string { return versionNames[v] }

// name is the version as people write it.
func (v Version) name() string { return "NFSv" + v.String() }

// ParseVersion reads auto, 3, 4.1 or 4.2.
func ParseVersion(s string) (Version, error) {
	for v, name := range versionNames {
		if s == name {
			return Version(v), nil
		}
	}
	return Auto, fmt.Errorf("NFS version %q: write auto, 3, 4.1 or 4.2", s)
}
