// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package loopback finds addresses on this machine for servers that tests start, end and start again.
package loopback

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports below those that the kernel gives to who asks for any (ip(7), ip_local_port_range: 32768 and up): nobody takes one
// while its server is down.
const (
	lowest = 10000
	count  = 20000
)

// Addr returns an address that nobody listens at, as host:port.
func Addr() (addr string, err error) {
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(count))); err == nil {
			defer l.Close()
			return l.Addr().String(), nil
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}
