// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package server has servers for tests of what reaches servers: ours, for rpctest.Serve, and what is none at all, for
// rpctest.Accept. All of them end with the test.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// records are the client records of a server that never restarts.
type records struct{}

func (records) Load() ([]nfsserver.ClientRecord, error)     { return nil, nil }
func (records) Add([]byte, [8]byte, vfs.HomeID) error       { return nil }
func (records) Replace([]byte, [8]byte, []vfs.HomeID) error { return nil }

// Handler serves a tree of files as /homes over NFSv4.1 and 4.2, to callers who are who they say.
func Handler(t testing.TB, fs vfs.FS) oncrpc.Handler {
	t.Helper()
	srv := nfsserver.New(nfsserver.Options{
		FS:       fs,
		Recovery: records{},
		Logger:   slog.New(slog.DiscardHandler),
		ServerID: []byte("a store"),
		Lease:    20 * time.Second,
	}, nfsserver.Settings{BaseShare: "/homes", Identity: nfsserver.Identity{Squash: nfsserver.SquashNone}})
	if err := srv.Open(context.Background()); err != nil {
		t.Fatalf("open the server: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { srv.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	return srv
}

// Silent is an answer for rpctest.Accept: none, until the client goes.
func Silent(c net.Conn) { io.Copy(io.Discard, c) }

// Says is an answer for rpctest.Accept: a text, and then none.
func Says(text string) func(net.Conn) {
	return func(c net.Conn) {
		io.WriteString(c, text)
		Silent(c)
	}
}

// Drips is an answer for rpctest.Accept: a record that is begun, and comes a byte at a time.
func Drips(c net.Conn) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, err := c.Write([]byte{0x80, 0, 4, 0}); err == nil; _, err = c.Write([]byte{0}) {
		<-tick.C
	}
}

// Dropping is an address that swallows what goes to it, as a firewall does: of a socket whose queue is full, for which the
// kernel drops attempts to connect (listen(2)).
func Dropping(t testing.TB) (addr string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(at.(*unix.SockaddrInet4).Port))
	for range 8 {
		conn, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatalf("%s takes all connections, with a queue for none", addr)
	return ""
}
