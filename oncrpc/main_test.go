// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"fmt"
	"os"
	"testing"

	"github.com/hubhome/hubhome/test/leak"
)

// TestMain fails where a goroutine of this package is left when all tests have ended. A child of TestManyIdleConnections
// is a server instead.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := serveChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(leak.Run(m, "hubhome/oncrpc."))
}
