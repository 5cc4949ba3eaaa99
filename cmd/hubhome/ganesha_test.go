// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hubhome/hubhome/test/ganesha"
)

// installTime is how long a Ganesha may take to be installed and started.
const installTime = 5 * time.Minute

// haveGanesha tells whether scripts can start a Ganesha here. Where tests must not be skipped, it says that they can, and
// the start fails.
func haveGanesha() bool { return ganesha.Available() == nil || os.Getenv("CI") == "true" }

// startGanesha starts an NFS-Ganesha, another server than ours, that ends with the script; $ADDR and $PORT are where, and
// $MOUNT_PORT is where MOUNT is with NFSv3. Apart, it and a port mapper are in a network of their own, $NET.
//
//	ganesha DIR PSEUDO [ro] [root_squash|all_squash] [4.0|4.1] [v3|v3_alone] [apart] [privileged]
func startGanesha(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ganesha DIR PSEUDO [ro] [root_squash|all_squash] [4.0|4.1] [v3|v3_alone] [apart] [privileged]")
	}
	c := ganesha.Config{Dir: ts.MkAbs(args[0]), Pseudo: args[1]}
	for _, option := range args[2:] {
		switch option {
		case "ro":
			c.ReadOnly = true
		case "root_squash":
			c.Squash = ganesha.RootSquash
		case "all_squash":
			c.Squash = ganesha.AllSquash
		case "4.0":
			c.MinorVersions = []uint32{0}
		case "4.1":
			c.MinorVersions = []uint32{0, 1}
		case "v3":
			c.NFSv3 = true
		case "v3_alone":
			c.NFSv3, c.NFSv3Alone = true, true
		case "apart":
			c.Apart = true
		case "privileged":
			c.PrivilegedPort = true
		default:
			ts.Fatalf("no such option: %s", option)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), installTime)
	defer cancel()
	s, err := ganesha.Start(ctx, c)
	ts.Check(err)
	ts.Defer(func() {
		if err := s.Stop(); err != nil {
			ts.Logf("stop: %v", err)
		}
	})
	_, port, err := net.SplitHostPort(s.Addr())
	ts.Check(err)
	ts.Setenv("ADDR", s.Addr())
	ts.Setenv("PORT", port)
	if c.NFSv3 {
		_, mountPort, err := net.SplitHostPort(s.MountAddr())
		ts.Check(err)
		ts.Setenv("MOUNT_PORT", mountPort)
		ts.Setenv("NET", fmt.Sprintf("/proc/%d/ns/net", s.PID()))
	}
}

// mountTmpfs mounts a file system in memory that goes with the script.
//
//	tmpfs DIR OPTIONS
func mountTmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs DIR OPTIONS")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(syscall.Mount("tmpfs", dir, "tmpfs", 0, args[1]))
	ts.Defer(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			ts.Logf("unmount %s: %v", dir, err)
		}
	})
}

// ownedBy holds a file to its owner and mode.
//
//	owned PATH UID:GID MODE
func ownedBy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: owned PATH UID:GID MODE")
	}
	ts.Check(ts.Exec("stat", "-c", "%u:%g %04a", args[0]))
	if got, want := strings.TrimSpace(ts.ReadFile("stdout")), args[1]+" "+args[2]; got != want {
		ts.Fatalf("%s is %s, not %s", args[0], got, want)
	}
}
