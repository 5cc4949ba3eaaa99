// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"log/slog"
	"net/netip"
	"testing"
)

func TestAllowed(t *testing.T) {
	c := newClients(slog.New(slog.DiscardHandler), []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"),
		netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("fe80::/10"),
	})
	for addr, want := range map[string]bool{
		"10.1.2.3":         true,
		"11.0.0.1":         false,
		"192.0.2.7":        true,
		"192.0.2.8":        false,
		"::ffff:10.0.0.1":  true, // IPv4 on a socket of both
		"::ffff:11.0.0.1":  false,
		"fd12::1":          true,
		"fe80::1%eth0":     true,
		"2001:db8::1":      false,
		"::ffff:127.0.0.1": false,
	} {
		if got := c.allowed(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is allowed: %v, want %v", addr, got, want)
		}
	}
	if c.allowed(netip.Addr{}) {
		t.Error("an address that nobody knows is allowed")
	}
	c.set(nil)
	if c.allowed(netip.MustParseAddr("10.1.2.3")) {
		t.Error("an address is allowed after the networks were taken out")
	}
}
