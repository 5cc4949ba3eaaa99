// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childOf is where a child process of a test finds what it is to do.
const childOf = "HUBHOME_LOCALFS_CHILD"

// child runs the test that calls it again in a process of its own, which has other rights or other mounts: what has changed
// for it is gone with it, however it ends. In that process child returns what it was given as does, and otherwise "" when
// all is over.
func child(t *testing.T, does string, attr *syscall.SysProcAttr) string {
	t.Helper()
	if does := os.Getenv(childOf); does != "" {
		return does
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	// The program may lie where the child's user may not search.
	name, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^"+name+"$", "-test.v", "-test.timeout=5m")
	if testing.Short() {
		cmd.Args = append(cmd.Args, "-test.short")
	}
	cmd.Env = append(os.Environ(), childOf+"="+does)
	cmd.SysProcAttr = attr
	runtime.LockOSThread() // whose end would be the child's
	defer runtime.UnlockOSThread()
	attr.Pdeathsig = syscall.SIGKILL
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), "--- SKIP: "+name+" (") {
		t.Skipf("%s", failures(string(out)))
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+name+" (") {
		t.Errorf("%s: %v\n%s", does, err, failures(string(out)))
	}
	return ""
}

// failures leaves out of a test's output what went well.
func failures(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if trimmed := strings.TrimSpace(line); !strings.HasPrefix(trimmed, "=== ") && !strings.HasPrefix(trimmed, "--- PASS") && !strings.HasPrefix(trimmed, "--- SKIP") {
			b.WriteString(line)
		}
	}
	return b.String()
}
