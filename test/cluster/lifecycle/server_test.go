// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package lifecycle

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/test/loopback"
)

// server is an NFS server that exports a directory of this machine as /homes.
type server struct {
	host, port string
	dir        string // where the hubs' directories are; empty where there is no server
	version    string // what the share creator is told to speak
	apart      *ganesha.Server
}

// values are the values of a hub on this server.
func (s server) values() string {
	mount := s.version
	if mount == "auto" {
		mount = "4.2"
	}
	return fmt.Sprintf("nfs: {pv: {serverIP: %q, mountOptions: [vers=%s, port=%s]}, shareCreator: {nfsVersion: %q, timeoutSeconds: 20}}",
		s.host, mount, s.port, s.version)
}

// ownerOf is the owner of a hub's directory and its mode, as "uid:gid mode".
func (s server) ownerOf(t *testing.T, hub string) string {
	t.Helper()
	info, err := os.Stat(filepath.Join(s.dir, hub))
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d %04o", stat.Uid, stat.Gid, info.Mode().Perm())
}

// nobody is an address where no server is.
func nobody(t *testing.T) server {
	t.Helper()
	addr, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr)
	return server{host: host, port: port, version: "auto"}
}

// deaf is a server that takes connections and never says anything.
func deaf(t *testing.T) server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	host, port, _ := net.SplitHostPort(l.Addr().String())
	return server{host: host, port: port, version: "auto"}
}

// startGanesha starts Debian's NFS-Ganesha, to be spoken to in one version.
func startGanesha(t *testing.T, version string) server {
	t.Helper()
	if err := ganesha.Available(); err != nil {
		unable(t, err)
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	v3 := version == "3"
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // it may have to be installed
	defer cancel()
	g, err := ganesha.Start(ctx, ganesha.Config{Dir: dir, Pseudo: "/homes", NFSv3: v3, Apart: v3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
	})
	host, port, _ := net.SplitHostPort(g.Addr())
	s := server{host: host, port: port, dir: dir, version: version}
	if v3 {
		s.apart = g
	}
	return s
}

// startHubhome starts `hubhome serve` at an address of the loopback, for some hubs.
func startHubhome(t *testing.T, c *cluster, host string, hubs ...string) server {
	t.Helper()
	addr, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(addr)
	dir := t.TempDir()
	s := server{host: host, port: port, dir: filepath.Join(dir, "data"), version: "auto"}
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("store: {disk: {path: ./data}}\nnfs: {listen: %q}\nhubs:\n", net.JoinHostPort(host, port))
	for _, hub := range hubs {
		config += "  " + hub + ": {}\n"
	}
	file := filepath.Join(dir, "hubhome.yaml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(filepath.Join(c.bin, "hubhome"), "serve", "--config", file)
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		err = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if <-ended; err != nil {
			t.Errorf("hubhome serve: %v\n%s", err, &log)
		}
	})
	for deadline := time.Now().Add(waitTime); ; {
		conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err == nil {
			conn.Close()
			return s
		}
		select {
		case <-ended:
			t.Fatalf("hubhome serve ended at its start:\n%s", &log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("hubhome serve does not listen: %v", err)
		}
	}
}
