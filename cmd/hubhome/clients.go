// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"github.com/hubhome/hubhome/oncrpc"
)

// clients knows who may connect, and who is. Its methods may be called concurrently.
type clients struct {
	log *slog.Logger

	mu    sync.Mutex
	allow []netip.Prefix
	conns map[*oncrpc.Conn]netip.Addr
}

func newClients(log *slog.Logger, allow []netip.Prefix) *clients {
	return &clients{log: log, allow: allow, conns: map[*oncrpc.Conn]netip.Addr{}}
}

// allowed tells whether connections from an address are taken.
func (c *clients) allowed(addr netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in(addr)
}

func (c *clients) in(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(c.allow, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// connected is called for each connection before its first request.
func (c *clients) connected(conn *oncrpc.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	addr := address(conn)
	c.conns[conn] = addr
	if !c.in(addr) { // since it was taken
		conn.Close()
	}
}

// disconnected is called for each connection after its last request.
func (c *clients) disconnected(conn *oncrpc.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
}

// count is how many connections there are.
func (c *clients) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

// set changes who may connect, and ends the connections of those who may no longer.
func (c *clients) set(allow []netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.allow = allow
	gone := map[netip.Addr]bool{}
	for conn, addr := range c.conns {
		if !c.in(addr) {
			conn.Close()
			gone[addr] = true
		}
	}
	for _, addr := range slices.SortedFunc(maps.Keys(gone), netip.Addr.Compare) {
		c.log.Warn("connections ended: the address is no longer allowed", "client", addr)
	}
}

// address is that of a connection's other end.
func address(conn *oncrpc.Conn) netip.Addr {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
