// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// childEnv makes the test binary a server, which is watched from outside: TestMain.
const childEnv = "ONCRPC_TEST_SERVER"

// serveChild serves on a free port, says which, and ends when its standard input does. Each call is answered with how
// many connections there are.
func serveChild() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return (&Server{Handler: handlerFunc(func(_ context.Context, call *Call, reply *Encoder) AcceptStat {
		n := uint32(0)
		call.Conn.server.each(func(*Conn) { n++ })
		reply.Uint32(n)
		return Success
	})}).Serve(ctx, listener)
}

// child is a server in a process of its own.
type child struct {
	addr string
	pid  int
}

// startChild starts a server, until the test ends.
func startChild(t *testing.T) child {
	t.Helper()
	ctx, kill := context.WithTimeout(context.Background(), 5*patience)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		kill()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer kill()
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server does not say where it is: %v", err)
	}
	return child{strings.TrimSpace(line), cmd.Process.Pid}
}

// rss is how much memory the server has, in bytes.
func (c child) rss(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmRSS:")
	kib, _, _ := strings.Cut(rest, " kB")
	n, err := strconv.ParseInt(strings.TrimSpace(kib), 10, 64)
	if err != nil {
		t.Fatalf("VmRSS: %v", err)
	}
	return n << 10
}

// raced tells whether the race detector is at work, whose memory nobody counts.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// connsOf asks a server by a connection how many there are.
func connsOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	send(t, conn, callRecord(1, procNull))
	d := NewDecoder(receive(t, conn))
	d.Uint64()
	err := decodeReply(d)
	n := d.Uint32()
	if err := errors.Join(err, d.Err()); err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// dialMany connects from several addresses, so that there are ports enough.
func dialMany(t *testing.T, addr string, count int) []net.Conn {
	t.Helper()
	const sources = 8
	conns := make([]net.Conn, count)
	t.Cleanup(func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	})
	var all sync.WaitGroup
	for source := range sources {
		from := netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + source)})
		dialer := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), Timeout: patience}
		all.Go(func() {
			for i := source; i < count; i += sources {
				var err error
				if conns[i], err = dialer.Dial("tcp", addr); err != nil {
					conns[i] = nil
					t.Errorf("connection %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return conns
}

// TestManyIdleConnections: ten thousand clients that say nothing cost a server little, and none of them is forgotten
// before it ends.
func TestManyIdleConnections(t *testing.T) {
	const (
		count       = 10_000
		memory      = 300 << 20
		descriptors = count + 1000 // in each of the two processes
	)
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < descriptors {
		t.Skipf("%d connections need %d descriptors in a process, and no more than %d are allowed: raise the hard limit (ulimit -Hn)", count, descriptors, limit.Max)
	}
	server := startChild(t)
	before := server.rss(t)
	conns := dialMany(t, server.addr, count)
	for _, i := range []int{0, count / 2, count - 1} {
		setPatience(t, conns[i])
		connsOf(t, conns[i])
	}
	eventually(t, "all connections are taken", func() bool { return connsOf(t, conns[0]) == count })
	rss := server.rss(t)
	t.Logf("%d MiB for %d connections, %d MiB before them", rss>>20, count, before>>20)
	if rss >= memory && !raced() {
		t.Errorf("%d bytes for %d connections", rss, count)
	}
	setPatience(t, conns[0])
	for i, conn := range conns[1:] {
		if i%2 == 0 { // half of them as by a client that dies
			conn.(*net.TCPConn).SetLinger(0)
		}
		conn.Close()
	}
	eventually(t, "all connections but one are forgotten", func() bool { return connsOf(t, conns[0]) == 1 })
}
