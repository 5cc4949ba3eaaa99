// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/test/loopback"
	"github.com/hubhome/hubhome/vfs"
)

const (
	// exportPath is the home that the load runs in, the same for both servers.
	exportPath = "/homes/bench/user"
	// startTime is how long hubhome may take until it listens; stopTime until it has ended.
	startTime = 20 * time.Second
	stopTime  = 10 * time.Second
)

// server is one that is measured.
type server struct {
	name, addr string
	pid        int
	stop       func()
	big        vfs.Handle // the directory that is listed
}

// startServers starts both on the same directory tree.
func startServers(ctx context.Context, o options, dir string) (servers []*server, err error) {
	defer func() {
		if err != nil {
			stopServers(servers)
		}
	}()
	ours, err := startOurs(ctx, o.binary, dir)
	if err != nil {
		return nil, fmt.Errorf("start hubhome: %w", err)
	}
	servers = append(servers, ours)
	// The home, as a kubelet makes it.
	home := filepath.Join(dir, "bench", "user")
	if err := errors.Join(os.Mkdir(home, 0o755), os.Chown(home, int(user.UID), int(user.GID))); err != nil {
		return servers, err
	}
	g, err := ganesha.Start(ctx, ganesha.Config{Dir: dir, Pseudo: "/homes"})
	if err != nil {
		return servers, fmt.Errorf("start NFS-Ganesha: %w", err)
	}
	return append(servers, &server{name: "ganesha", addr: g.Addr(), pid: g.PID(), stop: func() {
		if err := g.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}}), nil
}

func stopServers(servers []*server) {
	for _, s := range servers {
		s.stop()
	}
}

// startOurs starts hubhome and waits until it listens.
func startOurs(ctx context.Context, binary, dir string) (*server, error) {
	addr, err := loopback.Addr()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(filepath.Dir(dir), "hubhome.yaml")
	text := fmt.Sprintf("store:\n  disk:\n    path: %s\nnfs:\n  listen: %s\n  squash: none\nhubs:\n  bench: {}\n", dir, addr)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve", "--config", config)
	cmd.Stderr = os.Stderr
	// Ctrl-C is for the bench, which then stops it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	s := &server{name: "hubhome", addr: addr, pid: cmd.Process.Pid, stop: func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(stopTime):
			fmt.Fprintf(os.Stderr, "bench: hubhome did not end within %v and is killed\n", stopTime)
			cmd.Process.Kill()
			<-ended
		}
	}}
	if err := waitFor(ctx, addr, ended); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// waitFor waits until a server listens.
func waitFor(ctx context.Context, addr string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ended:
			return errors.New("it ended at its start")
		case <-ctx.Done():
			return fmt.Errorf("it does not listen at %s: %w", addr, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
