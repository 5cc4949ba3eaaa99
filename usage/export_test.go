// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage

import "time"

// At makes a scan that takes the clock to be so much ahead. Change attributes are trusted when they are a minute old.
func At(spec Spec, ahead time.Duration) Spec {
	spec.now = func() time.Time { return time.Now().Add(ahead) }
	return spec
}

// By makes a scan that takes the time from a clock.
func By(spec Spec, clock func() time.Time) Spec {
	spec.now = clock
	return spec
}

// Most makes a scan that takes a directory to have no more entries than n.
func Most(spec Spec, n uint64) Spec {
	spec.maxDirectory = n
	return spec
}

// The bounds that tests have to exceed.
const (
	MaxFound   = maxFound
	MaxEntries = maxEntries
	MaxLinks   = maxLinks
)
