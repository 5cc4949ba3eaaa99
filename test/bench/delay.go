// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"net"
	"sync"
	"time"
)

// delayed is a network on the loopback between clients and a server, in which every byte takes a while, and as many as
// come are under way at once.
type delayed struct {
	addr, target string
	oneWay       time.Duration
	listener     net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool
	all   sync.WaitGroup
}

// newDelayed starts one to a server, in which a round trip takes so much longer.
func newDelayed(target string, roundTrip time.Duration) (*delayed, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &delayed{addr: l.Addr().String(), target: target, oneWay: roundTrip / 2, listener: l, conns: map[net.Conn]bool{}}
	d.all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			d.connect(client)
		}
	})
	return d, nil
}

func (d *delayed) connect(client net.Conn) {
	server, err := net.Dial("tcp", d.target)
	if err != nil {
		client.Close()
		return
	}
	d.mu.Lock()
	d.conns[client], d.conns[server] = true, true
	d.mu.Unlock()
	d.all.Go(func() { d.forward(server, client) })
	d.all.Go(func() { d.forward(client, server) })
}

// chunk is some bytes, and when they are there.
type chunk struct {
	data []byte
	due  time.Time
}

// forward hands on what comes until one end closes.
func (d *delayed) forward(to, from net.Conn) {
	defer to.Close()
	under := make(chan chunk, 1<<10)
	d.all.Go(func() {
		defer close(under)
		for {
			buf := make([]byte, 64<<10)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			under <- chunk{buf[:n], time.Now().Add(d.oneWay)}
		}
	})
	broken := false
	for c := range under {
		time.Sleep(time.Until(c.due))
		if broken {
			continue
		}
		if _, err := to.Write(c.data); err != nil {
			broken = true
			from.Close()
		}
	}
}

// close ends all connections, and waits.
func (d *delayed) close() {
	d.listener.Close()
	d.mu.Lock()
	for c := range d.conns {
		c.Close()
	}
	d.mu.Unlock()
	d.all.Wait()
}
