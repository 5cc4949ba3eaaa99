// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota

import (
	"context"

	"github.com/hubhome/hubhome/vfs"
)

// Attr looks at an open file.
func (o *file) Attr() (vfs.Attr, error) { return o.look(context.Background()) }
