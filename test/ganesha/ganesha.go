// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package ganesha starts Debian's NFS-Ganesha on a free port of the loopback: the server that hubhome is compared with,
// and that our client is tested against.
//
// It runs in the foreground with a configuration, a log and a recovery directory of its own, which go with it; it needs
// root, and no D-Bus. For NFSv3 it also takes a port mapper, which is Debian's rpcbind in a network of its own. Nothing of
// a Ganesha or a port mapper that the machine may have otherwise is read or touched.
package ganesha

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/test/loopback"
)

const (
	// startTime is how long a Ganesha may take until it answers; stopTime until it has ended by itself.
	startTime = 60 * time.Second
	stopTime  = 20 * time.Second
)

// Server is a running Ganesha. Its methods may be called concurrently, but for Restart.
type Server struct {
	addr, mountAddr, temp string
	apart                 bool
	cmd                   *exec.Cmd
	ended                 chan struct{} // the process is gone, and waitErr says how
	waitErr               error
	mapper                *portMapper // nil without NFSv3
	stopOnce              sync.Once
	stopErr               error
}

// Start starts a Ganesha, after installing it where it is missing (as root, from Debian), and waits until it answers.
// ctx bounds the start alone: what was started runs until Stop.
func Start(ctx context.Context, c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := install(ctx); err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "ganesha-")
	if err != nil {
		return nil, err
	}
	s := &Server{temp: temp, apart: c.Apart}
	if c.NFSv3 {
		s.mapper, err = startPortMapper(ctx)
	}
	if err == nil {
		err = s.start(ctx, c)
	}
	if err != nil {
		s.mapper.stop()
		os.RemoveAll(temp)
		return nil, err
	}
	return s, nil
}

// start configures the server in its directory and runs it.
func (s *Server) start(ctx context.Context, c Config) error {
	var port, mountPort string
	for _, part := range []struct{ addr, port *string }{{&s.addr, &port}, {&s.mountAddr, &mountPort}} {
		addr, err := loopback.Addr()
		if err != nil {
			return err
		}
		*part.addr = addr
		_, *part.port, _ = net.SplitHostPort(addr)
	}
	recovery, config := filepath.Join(s.temp, "recovery"), filepath.Join(s.temp, "ganesha.conf")
	if err := os.Mkdir(recovery, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(config, c.text(port, mountPort, recovery), 0o600); err != nil {
		return err
	}
	return s.run(ctx)
}

// run runs the program with the configuration that is there.
func (s *Server) run(ctx context.Context) error {
	config := filepath.Join(s.temp, "ganesha.conf")
	s.ended = make(chan struct{})
	s.cmd = s.mapper.beside(s.apart, program, "-F", "-f", config, "-L", s.logFile(), "-p", filepath.Join(s.temp, "pid"))
	s.cmd.Dir = s.temp
	// A process group of its own: who interrupts the program that measures lets it stop Ganesha itself.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	go func(cmd *exec.Cmd, ended chan struct{}) {
		s.waitErr = cmd.Wait()
		close(ended)
	}(s.cmd, s.ended)
	if err := s.waitUntilItAnswers(ctx); err != nil {
		s.cmd.Process.Kill()
		<-s.ended
		return fmt.Errorf("%w; the end of its log:\n%s", err, s.logEnd())
	}
	return nil
}

// waitUntilItAnswers waits for the answer to a NULL call.
func (s *Server) waitUntilItAnswers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		var err error
		s.Inside(func() { err = null(ctx, s.addr) })
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended at its start: %v", program, s.waitErr)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer at %s: %w", program, s.addr, errors.Join(context.Cause(ctx), err))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Addr is where it answers, as "host:port".
func (s *Server) Addr() string { return s.addr }

// MountAddr is where it answers MOUNT with NFSv3, as "host:port".
func (s *Server) MountAddr() string { return s.mountAddr }

// Inside calls fn in the server's network: the machine's, or a network of its own where it runs apart. There it is in a
// thread that nothing else uses: connections that fn makes, without goroutines, are in that network, also when fn has
// ended.
func (s *Server) Inside(fn func()) {
	if s.apart {
		s.mapper.inside(fn)
	} else {
		fn()
	}
}

// PID is its process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Restart ends the process and starts another one, at the same addresses.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.end(); err != nil {
		return err
	}
	return s.run(ctx)
}

// Stop ends the process, kills it where it has not ended within 20 s, and removes what it kept. It may be called again.
// It is an error where the process had to be killed or had ended before.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		s.stopErr = errors.Join(s.end(), s.mapper.stop(), os.RemoveAll(s.temp))
	})
	return s.stopErr
}

func (s *Server) end() error {
	select {
	case <-s.ended:
		return fmt.Errorf("%s had ended: %v; the end of its log:\n%s", program, s.waitErr, s.logEnd())
	default:
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
		return nil
	case <-time.After(stopTime):
	}
	s.cmd.Process.Kill()
	<-s.ended
	return fmt.Errorf("%s did not end within %v and was killed", program, stopTime)
}

func (s *Server) logFile() string { return filepath.Join(s.temp, "log") }

// logEnd is the last lines of its log.
func (s *Server) logEnd() string {
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
