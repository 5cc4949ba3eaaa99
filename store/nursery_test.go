// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"strconv"
	"testing"
)

// TestUnfinishedHub: the nursery is localfs's too, and its names are numbers to the base of 36.
func TestUnfinishedHub(t *testing.T) {
	if n, err := strconv.ParseUint(unfinished, 36, 64); err == nil {
		t.Errorf("%q is the name of what localfs makes %dth", unfinished, n)
	}
}
