// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"os"
	"testing"

	"github.com/hubhome/hubhome/test/leak"
)

// TestMain fails where a goroutine of the client is left when all tests have ended.
func TestMain(m *testing.M) { os.Exit(leak.Run(m, "hubhome/nfsclient.")) }
