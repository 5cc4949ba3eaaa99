// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package leak finds goroutines that a package's tests have left behind.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines that are about to end get to do so.
const patience = 5 * time.Second

// Run runs a package's tests, and returns the exit code: 1 also where a goroutine is left that runs some code, such as
// "hubhome/nfsclient.".
func Run(m *testing.M, code ...string) int {
	exit := m.Run()
	if left := find(code); left != "" {
		fmt.Fprintf(os.Stderr, "goroutines are left:\n%s\n", left)
		exit = 1
	}
	return exit
}

// find returns the stacks of the goroutines that run code.
func find(code []string) (left string) {
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		buf := make([]byte, 1<<20)
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		left = ""
		for _, stack := range stacks[1:] {
			if slices.ContainsFunc(code, func(c string) bool { return strings.Contains(stack, c) }) {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			break
		}
	}
	return left
}
