// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package hubhome has the words of the project that are more than strings: the names of hubs, the owners of files, and
// the names of the directories that users' homes are.
//
// It owns their rules and how they are written. It does no I/O and imports nothing of ours.
package hubhome

import "fmt"

// quote quotes what somebody wrote for a message, and cuts what is too long to read.
func quote(s string) string {
	const readable = 64
	if len(s) > readable {
		return fmt.Sprintf("%q… (%d bytes)", s[:readable], len(s))
	}
	return fmt.Sprintf("%q", s)
}
