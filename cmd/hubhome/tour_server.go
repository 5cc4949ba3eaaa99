// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// demoServer is this program as a server of its own, which can be killed and started again.
type demoServer struct {
	dir, config string
	addr, port  string
	log         serverLog
	process     *serverProcess
}

// serverProcess is one life of the server.
type serverProcess struct {
	pid   int
	ended chan struct{}
	err   error // of Wait, when ended is closed
}

// newDemoServer writes a configuration with a port that is free now. It starts nothing.
func newDemoServer(dir string) (*demoServer, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	s := &demoServer{dir: dir, addr: addr}
	_, s.port, _ = net.SplitHostPort(s.addr)
	s.config, err = writeDemoConfig(dir, s.addr)
	return s, err
}

// freeAddr returns an address of the loopback that nobody listens at. Its port is below those that the kernel gives to who
// asks for any (ip(7), ip_local_port_range), so that nobody takes it while the server is down.
func freeAddr() (addr string, err error) {
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))); err == nil {
			defer l.Close()
			return l.Addr().String(), nil
		}
	}
	return "", err
}

// start starts the server and waits until it takes connections.
func (s *demoServer) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "serve", "--config", s.config)
	cmd.Stderr = &s.log
	// Ctrl-C is for the demo, which lets the server end by itself. Where the demo is killed, the server goes too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p := &serverProcess{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Pdeathsig comes when the thread ends that started the process: this one waits for it.
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process = p
	return s.await(ctx)
}

// await waits until the server takes connections.
func (s *demoServer) await(ctx context.Context) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", s.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-s.process.ended:
			return s.death()
		case <-ctx.Done():
			return fmt.Errorf("the server takes no connections: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// death says how the server ended, and what it said last.
func (s *demoServer) death() error {
	return fmt.Errorf("the server ended by itself (%s); it said last:\n%s", ending(s.process.err), s.log.end())
}

func ending(err error) string {
	if err == nil {
		return "exit code 0"
	}
	return err.Error()
}

// kill ends the server with SIGKILL, and waits.
func (s *demoServer) kill(ctx context.Context) error {
	if err := syscall.Kill(s.process.pid, syscall.SIGKILL); err != nil {
		return err
	}
	select {
	case <-s.process.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the killed server has not ended: %w", ctx.Err())
	}
}

// watch waits until ctx ends, or the server does.
func (s *demoServer) watch(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.process.ended:
		return fmt.Errorf("the server ended by itself (%s)", ending(s.process.err))
	}
}

// stop tells the server to end and waits. One that does not end is killed.
func (s *demoServer) stop() error {
	if s.process == nil {
		return nil
	}
	select {
	case <-s.process.ended: // somebody knows already
		return nil
	default:
	}
	syscall.Kill(s.process.pid, syscall.SIGTERM)
	select {
	case <-s.process.ended:
	case <-time.After(2 * stopTime):
		syscall.Kill(s.process.pid, syscall.SIGKILL)
		<-s.process.ended
	}
	if s.process.err != nil {
		return fmt.Errorf("stop the server: %s; it said last:\n%s", ending(s.process.err), s.log.end())
	}
	return nil
}

// maxLog is how much of what a server said is kept, in bytes.
const maxLog = 16 << 10

// serverLog keeps the last of what a server says, or passes it on.
type serverLog struct {
	mu   sync.Mutex
	kept []byte
	to   io.Writer
}

// Write keeps or passes on.
func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to != nil {
		l.to.Write(p) //nolint:errcheck // who does not read the log does not stop the server
	}
	l.kept = append(l.kept, p...)
	if over := len(l.kept) - maxLog; over > 0 {
		l.kept = bytes.Clone(l.kept[over:])
	}
	return len(p), nil
}

// follow passes on what comes from now on.
func (l *serverLog) follow(to io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
}

// end is the last lines.
func (l *serverLog) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(l.kept)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-10):], "\n  ")
}
