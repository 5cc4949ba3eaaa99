// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/loopback"
)

// listening takes connections and does nothing with them, until the test ends.
func listening(t *testing.T) *net.TCPAddr {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().(*net.TCPAddr)
}

// dialPort connects, and returns the port that the connection came from.
func dialPort(t *testing.T, d Dialer, addr string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := d.Dial(ctx, addr)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().(*net.TCPAddr).Port
}

// TestReservedPort connects from reserved ports, several at once, and only where that is asked for.
func TestReservedPort(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("reserved ports are root's")
	}
	addr := listening(t).String()
	used := map[int]bool{}
	for range 10 {
		port := dialPort(t, Dialer{ReservedPort: true}, addr)
		if port < minReservedPort || port > maxReservedPort || used[port] {
			t.Errorf("it came from port %d, with %v in use", port, used)
		}
		used[port] = true
	}
	if port := dialPort(t, Dialer{}, addr); port <= maxReservedPort {
		t.Errorf("without being asked for it came from port %d", port)
	}
}

// TestReservedPortOfName connects to a name that may have addresses of both families, of which one answers.
func TestReservedPortOfName(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("reserved ports are root's")
	}
	addr := net.JoinHostPort("localhost", strconv.Itoa(listening(t).Port))
	if port := dialPort(t, Dialer{ReservedPort: true}, addr); port > maxReservedPort {
		t.Errorf("it came from port %d", port)
	}
}

// again runs a test once more in a process of its own, which is told what to do by a variable.
func again(t *testing.T, variable string, attr *syscall.SysProcAttr) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("it takes root")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", []string{variable}, attr
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestReservedPortForbidden is a user who may not have a reserved port: it connects from another.
func TestReservedPortForbidden(t *testing.T) {
	const to = "TEST_RESERVED_PORT_TO"
	if addr := os.Getenv(to); addr != "" {
		if port := dialPort(t, Dialer{ReservedPort: true}, addr); port <= maxReservedPort {
			t.Errorf("it came from port %d", port)
		}
		return
	}
	if !unprivileged(t) {
		t.Skip("any user may bind reserved ports here (ip_unprivileged_port_start)")
	}
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	again(t, to+"="+listening(t).String(), &syscall.SysProcAttr{Credential: nobody})
}

// unprivileged tells whether reserved ports are for those who have the right (ip(7), ip_unprivileged_port_start).
func unprivileged(t *testing.T) bool {
	t.Helper()
	start, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return true
	}
	port, err := strconv.Atoi(string(start[:len(start)-1]))
	return err != nil || port > maxReservedPort
}

// TestReservedPortsTaken takes all reserved ports, of a network that nobody else is in: it connects from another.
func TestReservedPortsTaken(t *testing.T) {
	const inside = "TEST_RESERVED_PORTS_TAKEN"
	if os.Getenv(inside) == "" {
		again(t, inside+"=1", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET})
		return
	}
	if err := loopback.Up(); err != nil {
		t.Fatal(err)
	}
	addr := listening(t).String()
	for port := minReservedPort; port <= maxReservedPort; port++ {
		l, err := net.Listen("tcp4", ":"+strconv.Itoa(port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	if port := dialPort(t, Dialer{ReservedPort: true}, addr); port <= maxReservedPort {
		t.Errorf("it came from port %d, all of which were taken", port)
	}
}
