// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"slices"
	"strings"
)

// nearest returns the name that somebody most likely meant, or nothing.
func nearest(written string, names []string) string {
	written = plain(written)
	best, least := "", 1+max(1, len(written)/3)
	for _, name := range names {
		if d := distance(written, plain(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// plain is a name without what is often mistaken: base-share and base_share for baseShare.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// distance is how many letters must be put in, taken out, replaced, or exchanged with the next one, to make b of a.
func distance(a, b string) int {
	const tooLong = 64
	if len(a) > tooLong || len(b) > tooLong {
		return tooLong
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := slices.Repeat([]int{i}, len(b)+1)
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
