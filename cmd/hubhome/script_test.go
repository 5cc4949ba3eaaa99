// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hubhome": func() {
		defaultConfig = "etc/hubhome.yaml" // in the script's directory, and not the machine's
		main()
	}})
}

// TestScript runs testdata/script/*.txtar. Beside the commands of testscript they have:
//
//	exits CODE COMMAND ARGS…   runs a command, which must exit with CODE
//	serve FILE [COMMAND…]      starts a server and waits until it serves; $ADDR and $PORT are where, $PID is its process;
//	                           COMMAND is another one than "hubhome serve", to be followed by --config FILE
//	look FILE                  starts a server that serves no files (store.nfs) and waits until it looks; $PID is its process
//	log REGEXP                 waits until the server has logged something; `! log` wants that it has not, until now
//	signal NAME                sends HUP, INT, TERM or KILL to the server
//	ended CODE                 waits until the server has exited with CODE, or by a signal: -1
//	await COMMAND ARGS…        runs a command until it exits with 0
//	nfs …                      is a client of the server: see nfs_test.go
//	ganesha DIR PSEUDO …       starts an NFS-Ganesha: see ganesha_test.go
//	tmpfs DIR OPTIONS          mounts a file system in memory
//	owned PATH UID:GID MODE    is of that owner and mode
func TestScript(t *testing.T) {
	// A store that a test before this one has opened has set the process's umask to 0, and scripts make directories.
	before := syscall.Umask(0o022)
	t.Cleanup(func() { syscall.Umask(before) })
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Getuid() == 0, nil
			case "ganesha":
				return haveGanesha(), nil
			}
			return false, errors.New("no such condition")
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"serve":   startServing,
			"look":    startLooking,
			"await":   awaitExec,
			"log":     waitLog,
			"signal":  sendSignal,
			"ended":   waitEnded,
			"nfs":     nfs,
			"ganesha": startGanesha,
			"tmpfs":   mountTmpfs,
			"owned":   ownedBy,
		},
	})
}

// awaitExec runs a command again and again until it succeeds.
func awaitExec(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: await COMMAND ARGS…")
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("it has not succeeded: %v", err)
		}
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("it exited with %d, not %d", got, want)
	}
}
