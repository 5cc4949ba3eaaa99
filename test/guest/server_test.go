// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/loopback"
)

// command is the package of the server.
const command = "github.com/hubhome/hubhome/cmd/hubhome"

// server is `hubhome serve` as a process of its own, which can be killed and started again.
type server struct {
	t *testing.T
	// binary is hubhome; store its data directory; addr where it listens, the same after every start.
	binary, config, store, addr string
	// image is what the store lies on, a file with a file system, or "". It is mounted where only the process sees it, and goes
	// with that.
	image string

	log output
	cmd *exec.Cmd
	// exited is closed when the process has gone, with its error in died.
	exited chan struct{}
	died   error
}

// buildServer returns the binary to test: one built from this tree, or HUBHOME_BINARY (then use -count=1: go test does not
// see it change).
func buildServer(t *testing.T) string {
	t.Helper()
	if binary := os.Getenv("HUBHOME_BINARY"); binary != "" {
		return binary
	}
	noteSources(t)
	binary := filepath.Join(t.TempDir(), "hubhome")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, command)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build hubhome: %v\n%s", err, out)
	}
	return binary
}

// noteSources reads the directories that the server is built from. Go takes a test's result from its cache as long as
// nothing has changed that the test read; without this it would not see that the server has.
func noteSources(t *testing.T) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}", command)
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the packages of hubhome: %v", err)
	}
	for dir := range strings.FieldsSeq(string(out)) {
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"../../go.mod", "../../go.sum"} {
		if _, err := os.Stat(name); err != nil {
			t.Fatal(err)
		}
	}
}

// newServer starts a server with an empty store and, in its configuration, the YAML of what the tests differ in. It is
// stopped, and its store removed, at the end of the test.
func newServer(t *testing.T, binary, more string) *server {
	t.Helper()
	return newServerOn(t, binary, "", more)
}

// newServerOn is newServer with the store on a file system in a file.
func newServerOn(t *testing.T, binary, image, more string) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{
		t: t, binary: binary, image: image,
		config: filepath.Join(dir, "hubhome.yaml"), store: filepath.Join(dir, "data"), addr: freeAddr(t),
	}
	if err := os.Mkdir(s.store, 0o755); err != nil {
		t.Fatal(err)
	}
	s.configure(more)
	t.Cleanup(func() {
		if s.cmd != nil {
			s.end(syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("the server's log ends:\n%s", s.log.last(8<<10))
		}
	})
	s.start()
	return s
}

// configure writes the configuration.
func (s *server) configure(more string) {
	s.t.Helper()
	config := fmt.Sprintf(`store:
  disk:
    path: %s
nfs:
  listen: %s
  baseShare: /homes
  allow: [127.0.0.0/8]
  squash: all
  owner: 1000:1000
admin:
  socket: %s
hubs:
  staging: {}
  prod:
    shared: true
    sharedPublic: true
%s`, s.store, s.addr, filepath.Join(filepath.Dir(s.config), "admin.sock"), more)
	if err := os.WriteFile(s.config, []byte(config), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// start starts the process and waits until it listens.
func (s *server) start() {
	s.t.Helper()
	serve := []string{s.binary, "serve", "--config", s.config}
	if s.image != "" {
		// The kernel may not be done with the mount of the process before.
		const mounted = `tries=0
			until mount -o loop "$0" "$1"; do tries=$((tries + 1)); [ $tries -lt 50 ]; sleep 0.1; done
			shift
			exec "$@"`
		serve = append([]string{"unshare", "--mount", "sh", "-euc", mounted, s.image, s.store}, serve...)
	}
	s.cmd = exec.Command(serve[0], serve[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	// The server dies with this process, however that ends. The kernel sends the signal when the thread that started it
	// ends, so that the goroutine keeps its thread.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.exited = make(chan struct{})
	started := make(chan error)
	go func(cmd *exec.Cmd, exited chan struct{}) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(exited)
		err := cmd.Start()
		started <- err
		if err == nil {
			s.died = cmd.Wait()
		}
	}(s.cmd, s.exited)
	if err := <-started; err != nil {
		s.cmd = nil
		s.t.Fatalf("start the server: %v", err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", s.addr, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-s.exited:
			s.t.Fatalf("the server ended at its start: %v", s.died)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server does not listen at %s: %v", s.addr, err)
		}
	}
}

// end sends the process a signal and waits until it has gone.
func (s *server) end(signal syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("send %v to the server: %v", signal, err)
	}
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		s.t.Errorf("the server does not end after %v: killing it", signal)
		s.cmd.Process.Kill()
		<-s.exited
	}
	s.cmd = nil
}

// ask runs a command of hubhome that asks the running server, and returns what it prints.
func (s *server) ask(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), s.binary, append(args, "--config", s.config)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("hubhome %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// logs waits until the server has logged something.
func (s *server) logs(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.log.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the server has not logged %q", text)
		}
	}
}

// checkLedger has the running server compare what it knows of every home with its disk.
func (s *server) checkLedger(t *testing.T) {
	t.Helper()
	if out := s.ask(t, "store", "check"); !strings.HasPrefix(out, "ok: ") {
		t.Errorf("hubhome store check says:\n%s", out)
	}
}

// port is the TCP port of the server.
func (s *server) port() string {
	_, port, _ := net.SplitHostPort(s.addr)
	return port
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// output is what a process or a script has printed so far. It may be used concurrently.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// last returns the lines in at most the last n bytes.
func (o *output) last(n int) string {
	text := o.String()
	if len(text) <= n {
		return text
	}
	_, rest, _ := strings.Cut(text[len(text)-n:], "\n")
	return rest
}
