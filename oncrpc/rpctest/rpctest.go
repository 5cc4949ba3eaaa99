// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package rpctest starts what a client is tried with in place of a server: on the loopback, until the test ends.
package rpctest

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
)

// Accept starts something that answers connections, each in a goroutine of its own, and returns its address.
func Accept(t testing.TB, answer func(net.Conn)) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				answer(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return listener.Addr().String()
}

// Handler answers RPC calls.
type Handler func(*oncrpc.Call, *oncrpc.Encoder) oncrpc.AcceptStat

// ServeRPC calls the function.
func (h Handler) ServeRPC(_ context.Context, call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
	return h(call, reply)
}

// Serve starts an RPC server and returns its address.
func Serve(t testing.TB, h oncrpc.Handler) (addr string) {
	t.Helper()
	return ServeAt(t, "127.0.0.1:0", h)
}

// ServeAt is Serve at an address, of which the port may be 0.
func ServeAt(t testing.TB, at string, h oncrpc.Handler) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { (&oncrpc.Server{Handler: h}).Serve(ctx, listener) })
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	return listener.Addr().String()
}
