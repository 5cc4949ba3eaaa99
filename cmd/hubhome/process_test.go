// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long scripts wait for what is to come.
const patience = 20 * time.Second

// process is a server that a script started.
type process struct {
	cmd   *exec.Cmd
	log   string        // the file with what it logged
	ended chan struct{} // closed when it has
}

// servers are those that scripts started last, by the scripts' directories. Scripts run at the same time.
var servers sync.Map

func startServing(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: serve FILE [COMMAND ARGS…]")
	}
	p := launch(ts, args[0], args[1:]...)
	servers.Store(ts.Getenv("WORK"), p)
	m := awaitLog(ts, p, regexp.MustCompile(`msg=serving address=(\S+):(\d+) `))
	ts.Setenv("ADDR", m[1]+":"+m[2])
	ts.Setenv("PORT", m[2])
	ts.Setenv("PID", strconv.Itoa(p.cmd.Process.Pid))
}

func startLooking(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: look FILE")
	}
	p := launch(ts, args[0])
	servers.Store(ts.Getenv("WORK"), p)
	awaitLog(ts, p, regexp.MustCompile(`msg="looking through homes that somebody else serves" `))
	ts.Setenv("PID", strconv.Itoa(p.cmd.Process.Pid))
}

// launch starts a server that ends with the script at the latest. It may open few files, unless it asks for more. A command
// other than "hubhome serve" is followed by --config and the file.
func launch(ts *testscript.TestScript, file string, command ...string) *process {
	if len(command) == 0 {
		command = []string{"hubhome", "serve"}
	}
	log, err := os.CreateTemp(ts.Getenv("WORK"), "serve-*.log")
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -S -n 256 && exec "$@" --config "$0"`, file}, command...)...)
	cmd.Dir, cmd.Stderr, cmd.Env = ts.MkAbs("."), log, append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	ts.Check(cmd.Start())
	p := &process{cmd: cmd, log: log.Name(), ended: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	ts.Defer(func() {
		cmd.Process.Kill()
		<-p.ended
		ts.Logf("the server's log:\n%s", ts.ReadFile(p.log))
	})
	return p
}

// serving is the server that a script started last.
func serving(ts *testscript.TestScript) *process {
	p, ok := servers.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no server was started")
	}
	return p.(*process)
}

// awaitLog waits until a server has logged something, and returns the match.
func awaitLog(ts *testscript.TestScript, p *process, want *regexp.Regexp) []string {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		text := ts.ReadFile(p.log)
		if m := want.FindStringSubmatch(text); m != nil {
			return m
		}
		select {
		case <-p.ended:
			if text = ts.ReadFile(p.log); want.MatchString(text) {
				return want.FindStringSubmatch(text)
			}
			ts.Fatalf("the server ended without logging %q:\n%s", want, text)
		default:
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the server has not logged %q:\n%s", want, text)
		}
	}
}

func waitLog(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: log REGEXP")
	}
	want := regexp.MustCompile("(?m)" + args[0])
	p := serving(ts)
	if !neg {
		awaitLog(ts, p, want)
	} else if text := ts.ReadFile(p.log); want.MatchString(text) {
		ts.Fatalf("the server has logged %q:\n%s", want, text)
	}
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]syscall.Signal{
		"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL,
	}
	if neg || len(args) != 1 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal HUP|INT|TERM|KILL")
	}
	ts.Check(serving(ts).cmd.Process.Signal(signals[args[0]]))
}

func waitEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ended CODE")
	}
	p := serving(ts)
	select {
	case <-p.ended:
	case <-time.After(patience):
		ts.Fatalf("the server has not ended")
	}
	if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("the server ended with %s, not %s", got, args[0])
	}
}
