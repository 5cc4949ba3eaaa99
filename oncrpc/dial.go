// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"syscall"
)

// Ports that a connection may come from where a server wants a reserved one: the range of the Linux client (sunrpc's
// min_resvport and max_resvport), which stays clear of the well-known services below.
const (
	minReservedPort = 665
	maxReservedPort = 1023
)

// Dialer says how to connect. The zero value connects from any port.
type Dialer struct {
	// ReservedPort connects from a port below 1024, by which some servers want to be told that root of the client's
	// machine is asking (exports(5), "secure"). Where the process may not bind one (CAP_NET_BIND_SERVICE), or none is
	// free, it connects from another: it is for the server to refuse that.
	ReservedPort bool
}

// Dial connects to a server at "host:port". A host of several addresses is tried at each of them, as net.Dialer does.
// ctx bounds the connecting alone.
func (d Dialer) Dial(ctx context.Context, addr string) (*Client, error) {
	conn, err := d.connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	c := &Client{
		conn:    conn,
		done:    make(chan struct{}),
		writing: make(chan struct{}, 1),
		xid:     rand.Uint32(),
		pending: map[uint32]chan *Reply{},
	}
	// The replies are to the client's own calls: what they take is bounded by those.
	c.reader = recordReader{conn: conn, memory: newBudget(math.MaxInt64, 0), timeout: defaultRecordTimeout, ended: c.failed}
	go c.read()
	return c, nil
}

// reservedTries is how many connections from a reserved port are tried where another one, of before, still lingers
// between that port and the server.
const reservedTries = 4

func (d Dialer) connect(ctx context.Context, addr string) (net.Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	if d.ReservedPort {
		dialer.Control = bindReserved
		for range reservedTries {
			conn, err := dialer.DialContext(ctx, "tcp", addr)
			if !portTaken(err) {
				return conn, err
			}
		}
		dialer.Control = nil
	}
	return dialer.DialContext(ctx, "tcp", addr)
}

// Dial connects from any port: Dialer.Dial of the zero Dialer.
func Dial(ctx context.Context, addr string) (*Client, error) { return Dialer{}.Dial(ctx, addr) }

// bindReserved binds a socket to a reserved port before it is connected. It is called for every address that is tried,
// each of which gets a port of its own. It starts at a random one, so that a port is not used again while the server
// may still know a connection from it.
func bindReserved(network, _ string, raw syscall.RawConn) error {
	const ports = maxReservedPort - minReservedPort + 1
	return raw.Control(func(fd uintptr) {
		for first, i := rand.IntN(ports), 0; i < ports; i++ {
			err := bindPort(network, int(fd), minReservedPort+(first+i)%ports)
			if err != syscall.EADDRINUSE {
				return // it is bound, or this process may not
			}
		}
	})
}

func bindPort(network string, fd, port int) error {
	if network == "tcp6" {
		return syscall.Bind(fd, &syscall.SockaddrInet6{Port: port})
	}
	return syscall.Bind(fd, &syscall.SockaddrInet4{Port: port})
}

// portTaken tells whether a connection failed for the port that it should come from (connect(2)).
func portTaken(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EADDRINUSE)
}
