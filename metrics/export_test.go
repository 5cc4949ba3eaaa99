// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import "time"

// SetPatience is how long a scrape waits for the disk, for tests.
func (v *Volume) SetPatience(d time.Duration) { v.patience = d }
