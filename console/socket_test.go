// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/console"
)

// TestServeWaits has a request that goes on after the server has been stopped: Serve waits for it, since what it uses is
// closed then.
func TestServeWaits(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for requests that run, 2 s")
	}
	h := &slow{newHomes(t), make(chan struct{}), make(chan struct{}), make(chan struct{})}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := console.Listen(socket)
	h.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- console.NewServer(h, slog.New(slog.DiscardHandler)).Serve(ctx, l) }()
	go func() {
		answered <- console.NewClient(socket).Check(t.Context(), false, func(console.Checked) {})
	}()
	<-h.entered
	cancel()
	<-h.told
	select {
	case err := <-ended:
		t.Fatalf("the server ended while a request ran: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(h.release)
	h.must(<-ended)
	if err := <-answered; err == nil {
		t.Error("what was ended in the middle was a success")
	}
}

// TestSocket has everything at the socket's path that can be there.
func TestSocket(t *testing.T) {
	_, socket := serve(t, newHomes(t))
	info, err := os.Lstat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info.Mode(), err)
	}
	if _, err := console.Listen(socket); err == nil || !strings.Contains(err.Error(), "another server answers there") {
		t.Errorf("a second server: %v", err)
	}
	dir := filepath.Dir(socket)
	left := filepath.Join(dir, "left")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	again, err := console.Listen(left)
	if err != nil {
		t.Fatalf("one that was left behind: %v", err)
	}
	again.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("a thesis"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := console.Listen(file); err == nil || !strings.Contains(err.Error(), "something else than a socket") {
		t.Errorf("a file: %v", err)
	}
	if data, _ := os.ReadFile(file); string(data) != "a thesis" {
		t.Error("the file is gone")
	}
	if _, err := console.Listen(filepath.Join(dir, strings.Repeat("x", 200))); err == nil || !strings.Contains(err.Error(), "admin.socket") {
		t.Errorf("a long path: %v", err)
	}
	c := console.NewClient(filepath.Join(dir, "none"))
	if _, err := c.Hubs(t.Context()); err == nil || !strings.Contains(err.Error(), "is it running") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestSocketMode makes sockets while others make files: the sockets are for the server's user alone from the moment on at which
// they have a name, whatever the umask, and the files have the mode that they were to have.
func TestSocketMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	var done atomic.Bool
	var others sync.WaitGroup
	others.Go(func() {
		for i := 0; !done.Load(); i++ {
			file := filepath.Join(dir, fmt.Sprint("file", i%100))
			if err := os.WriteFile(file, nil, 0o666); err != nil {
				t.Error(err)
				return
			}
			if info, err := os.Lstat(file); err != nil || info.Mode().Perm() != 0o666 {
				t.Errorf("a file is %v, %v", info.Mode(), err)
				return
			}
			os.Remove(file)
		}
	})
	others.Go(func() {
		for !done.Load() {
			if info, err := os.Lstat(filepath.Join(dir, "s")); err == nil && info.Mode().Perm() != 0o600 {
				t.Errorf("the socket is %v", info.Mode())
				return
			}
		}
	})
	for range 2000 {
		l, err := console.Listen(filepath.Join(dir, "s"))
		if err != nil {
			t.Error(err)
			break
		}
		l.Close()
	}
	done.Store(true)
	others.Wait()
}

// TestClientDeadline has a server that takes a connection and says nothing, and one that is something else.
func TestClientDeadline(t *testing.T) {
	dir := t.TempDir()
	silent := filepath.Join(dir, "s")
	l, err := net.Listen("unix", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := console.NewClient(silent).Hubs(ctx); err == nil || !strings.Contains(err.Error(), "has not answered in time") {
		t.Errorf("a silent server: %v", err)
	}
	other := filepath.Join(dir, "o")
	l, err = net.Listen("unix", other)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.NotFoundHandler()}
	go s.Serve(l)
	defer s.Close()
	if _, err := console.NewClient(other).Hubs(t.Context()); err == nil || !strings.Contains(err.Error(), "is it hubhome?") {
		t.Errorf("something else: %v", err)
	}
}
