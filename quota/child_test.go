// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/test/debian"
)

// childOf is where a child process of a test finds which file system it is to try.
const childOf = "HUBHOME_QUOTA_CHILD"

// fileSystems are what a store may lie on: how they count differs.
var fileSystems = map[string]string{"ext4": "mkfs.ext4 -q -F", "xfs": "mkfs.xfs -q -f", "btrfs": "mkfs.btrfs -q -f"}

// fileSystemPackages are Debian's packages of the programs that make them.
var fileSystemPackages = map[string]string{"ext4": "e2fsprogs", "xfs": "xfsprogs", "btrfs": "btrfs-progs"}

// onFileSystems runs the calling test on each file system, in a process whose mounts are its own and go with it. There it
// returns the file system's name with TMPDIR on it, and otherwise "" when all is over.
func onFileSystems(t *testing.T) string {
	t.Helper()
	if name := os.Getenv(childOf); name != "" {
		t.Setenv("TMPDIR", mount(t, name))
		return name
	}
	if testing.Short() || os.Geteuid() != 0 {
		t.Skip("takes root, to mount file systems, and half a minute")
	}
	for name, mkfs := range fileSystems {
		t.Run(name, func(t *testing.T) {
			debian.Program(t, strings.Fields(mkfs)[0], fileSystemPackages[name])
			child(t, name)
		})
	}
	return ""
}

// child runs the calling test again, in a process with mounts of its own.
func child(t *testing.T, does string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	name, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^"+name+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), childOf+"="+does)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // whose end would be the child's
	defer runtime.UnlockOSThread()
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil && strings.Contains(string(out), "--- SKIP: "+name+" ("):
		t.Skipf("%s", out)
	case err != nil || !strings.Contains(string(out), "--- PASS: "+name+" ("):
		t.Errorf("%s: %v\n%s", does, err, out)
	}
}

// mount makes a file system in a file in memory, and mounts it.
func mount(t *testing.T, name string) string {
	t.Helper()
	base := t.TempDir()
	if err := unix.Mount("tmpfs", base, "tmpfs", 0, "size=900m"); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(base, unix.MNT_DETACH) })
	image, at := filepath.Join(base, "image"), filepath.Join(base, name)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(image, nil, 0o600))
	must(os.Truncate(image, 600<<20))
	must(os.Mkdir(at, 0o755))
	mkfs := strings.Fields(fileSystems[name])
	if out, err := exec.Command(mkfs[0], append(mkfs[1:], image)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", mkfs, err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, at).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mount: %v\n%s", err, out)
		}
		t.Skipf("mount: %v\n%s", err, out)
	}
	t.Cleanup(func() { unix.Unmount(at, unix.MNT_DETACH) })
	return at
}
