// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"os"
	"testing"

	"github.com/hubhome/hubhome/test/leak"
)

// TestMain fails where a goroutine of a client's connection is left when all tests have ended.
func TestMain(m *testing.M) { os.Exit(leak.Run(m, "hubhome/oncrpc.(*Client)", "hubhome/nfs3client.")) }
