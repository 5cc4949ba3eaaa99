// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// cut is what a proxy loses, once: the connection with the next request, or with the next reply.
type cut int32

const (
	cutNothing cut = iota
	cutRequest
	cutReply
)

// proxy is a network between a client and a server that can lose a connection.
type proxy struct {
	addr   string
	target string
	next   atomic.Int32
	// cuts counts the connections that were lost.
	cuts atomic.Int32

	mu    sync.Mutex
	conns map[net.Conn]bool
	all   sync.WaitGroup
}

// newProxy starts a proxy to a server, which ends with the test.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: listener.Addr().String(), target: target, conns: map[net.Conn]bool{}}
	p.all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.connect(conn)
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.cutAll()
		p.all.Wait()
	})
	return p
}

func (p *proxy) connect(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	p.all.Go(func() { p.forward(server, client, cutRequest) })
	p.all.Go(func() { p.forward(client, server, cutReply) })
}

// forward copies until either end closes, or what comes is what to lose.
func (p *proxy) forward(to, from net.Conn, lost cut) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 1<<20)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if p.next.CompareAndSwap(int32(lost), int32(cutNothing)) {
			p.cuts.Add(1)
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// lose loses what is said, the next time that it comes by.
func (p *proxy) lose(what cut) { p.next.Store(int32(what)) }

// cutAll loses all connections.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		conn.Close()
		delete(p.conns, conn)
	}
}
