// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// supervised runs supervise with something that ends when release is closed, after it was told to stop.
func supervised(t *testing.T, patience time.Duration) (stop chan os.Signal, release chan error, result chan error) {
	t.Helper()
	stop, release, result = make(chan os.Signal, 2), make(chan error, 1), make(chan error, 1)
	log := slog.New(slog.DiscardHandler)
	told := make(chan struct{})
	go func() {
		result <- supervise(log, stop, patience, func(ctx context.Context) error {
			<-ctx.Done()
			close(told)
			return <-release
		})
	}()
	stop <- syscall.SIGTERM
	await(t, told)
	return stop, release, result
}

// await receives what must come.
func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("it waits without end")
		panic("unreachable")
	}
}

func TestSuperviseStop(t *testing.T) {
	_, release, result := supervised(t, patience)
	release <- nil
	if err := await(t, result); err != nil {
		t.Errorf("a stop that works: %v", err)
	}
	_, release, result = supervised(t, patience)
	broken := errors.New("broken")
	release <- broken
	if err := await(t, result); err != broken {
		t.Errorf("a stop that does not work: %v", err)
	}
}

func TestSuperviseSecondSignal(t *testing.T) {
	stop, release, result := supervised(t, patience)
	defer close(release)
	stop <- syscall.SIGINT
	if err := await(t, result); err == nil || !strings.Contains(err.Error(), "ended at once by an interrupt") {
		t.Errorf("after the second signal: %v", err)
	}
}

func TestSupervisePatience(t *testing.T) {
	_, release, result := supervised(t, 10*time.Millisecond)
	defer close(release)
	if err := await(t, result); err == nil || !strings.Contains(err.Error(), "ended after 10ms") {
		t.Errorf("after the time to stop: %v", err)
	}
}

// TestLogReaderGone closes the pipe that a server logs to. It serves on, and ends as it should.
func TestLogReaderGone(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a store takes root")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "hubhome.yaml")
	if err := os.WriteFile(file, []byte("store: {disk: {path: .}}\nnfs: {listen: 127.0.0.1:0}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "serve", "--config", file)
	cmd.Args[0] = "hubhome" // TestMain goes by it
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		close(ended)
	}()
	defer func() {
		cmd.Process.Kill()
		<-ended
	}()
	serving := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(log)
		for lines.Scan() && !strings.Contains(lines.Text(), "msg=serving") {
		}
		serving <- strings.Contains(lines.Text(), "msg=serving")
	}()
	if !await(t, serving) {
		t.Error("it does not serve")
	}
	log.Close()
	cmd.Process.Signal(syscall.SIGHUP) // logs that nothing changed
	cmd.Process.Signal(syscall.SIGTERM)
	if err := await(t, ended); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
