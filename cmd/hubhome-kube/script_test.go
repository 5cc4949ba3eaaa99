// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hubhome/hubhome/test/loopback"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hubhome-kube": main})
}

// TestScript runs testdata/script/*.txtar. What the command does at a real API server is tested in test/cluster. Beside
// the commands of testscript they have:
//
//	exits CODE COMMAND ARGS…   runs a command, which must exit with CODE
//	free                       writes away.yaml, a kubeconfig for an address where nobody listens
//	silent                     writes away.yaml, for an address that takes connections and never answers
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"free": func(ts *testscript.TestScript, _ bool, _ []string) {
				addr, err := loopback.Addr()
				ts.Check(err)
				kubeconfig(ts, addr)
			},
			"silent": func(ts *testscript.TestScript, _ bool, _ []string) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				ts.Check(err)
				ts.Defer(func() { l.Close() })
				kubeconfig(ts, l.Addr().String())
			},
		},
	})
}

// kubeconfig writes away.yaml for an address.
func kubeconfig(ts *testscript.TestScript, addr string) {
	ts.Check(os.WriteFile(ts.MkAbs("away.yaml"), fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://%s"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
users: [{name: u, user: {token: t}}]
current-context: c
`, addr), 0o600))
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
