// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package debian gets tests the programs that they need, from Debian's packages.
package debian

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// installing is one at a time in a process; apt-get's own lock does it between processes.
var installing sync.Mutex

// installTime bounds how long a package may take to be installed.
const installTime = 5 * time.Minute

// Program makes sure that a program is there, and installs Debian's package of it where it is not: it takes root, apt-get and
// a network. Without one of them the test is skipped; where everything has to be tried (CI=true), it fails.
func Program(t testing.TB, program, pkg string) {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), installTime)
	defer cancel()
	var said []byte
	for _, args := range [][]string{{"update"}, {"-y", "--no-install-recommends", "install", pkg}} {
		cmd := exec.CommandContext(ctx, "apt-get", append([]string{"-q", "-o", "DPkg::Lock::Timeout=300"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		out, err := cmd.CombinedOutput()
		if err != nil {
			said = append(said, out...)
			said = append(said, err.Error()...)
			break
		}
	}
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	const missing = "there is no %s: install Debian's package %s\n%s"
	if os.Getenv("CI") == "true" {
		t.Fatalf(missing, program, pkg, said)
	}
	t.Skipf(missing, program, pkg, said)
}
