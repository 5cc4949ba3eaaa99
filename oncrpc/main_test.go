// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
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
	code := m.Run()
	if left := goroutinesLeft(); left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft returns the stacks of the goroutines that run code of this package. Those that are about to end get
// some seconds to do so.
func goroutinesLeft() (left string) {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); runtime.Gosched() {
		buf := make([]byte, 1<<20)
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		left = ""
		for _, stack := range stacks[1:] {
			if strings.Contains(stack, "hubhome/oncrpc.") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			break
		}
	}
	return left
}
