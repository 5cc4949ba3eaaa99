// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"net"
	"sync"
)

// maxConnections is how many connections to the page there may be. Each takes a descriptor, of which the files of homes need
// theirs, and whoever reaches the address can make some.
const maxConnections = 64

// crowd is a listener that closes at once what is one connection too many.
type crowd struct {
	net.Listener
	room chan struct{}
}

func newCrowd(l net.Listener) *crowd { return &crowd{l, make(chan struct{}, maxConnections)} }

// Accept waits for a connection that there is room for.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case c.room <- struct{}{}:
			return &member{Conn: conn, leave: sync.OnceFunc(func() { <-c.room })}, nil
		default:
			conn.Close()
		}
	}
}

// member is a connection that makes room when it is closed.
type member struct {
	net.Conn
	leave func()
}

// Close closes it.
func (m *member) Close() error {
	defer m.leave()
	return m.Conn.Close()
}
