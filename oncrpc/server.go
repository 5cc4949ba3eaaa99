// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of a Server's limits.
const (
	defaultMaxConns      = 16 << 10
	defaultMaxRequests   = 128
	defaultMaxMemory     = 256 << 20
	defaultRecordTimeout = 30 * time.Second
	defaultWriteTimeout  = 60 * time.Second
	defaultDrainTimeout  = 3 * time.Second
)

// How to tell that a silent client has gone: after a minute and a half.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3}

// Handler answers calls.
type Handler interface {
	// ServeRPC answers one call. It appends the results to reply, in front of which the header is already, and must
	// leave what it found there. It runs concurrently with others, also of the same connection. call and all that its
	// Args returned are valid until it returns.
	//
	// ctx ends when the server stops without waiting any longer, and not when the connection does: a client that comes
	// back by another connection wants to find the request done.
	ServeRPC(ctx context.Context, call *Call, reply *Encoder) AcceptStat
}

// Server answers RPC calls over TCP. Its fields must not change while it serves. The limits are what one call of Serve
// holds to; zero is the default.
type Server struct {
	Handler Handler
	// Logger takes what an operator should know of; nil for nobody.
	Logger *slog.Logger

	// Allow, where set, tells from which addresses connections are taken. It may be called concurrently.
	Allow func(netip.Addr) bool
	// OnConnect and OnDisconnect, where set, are called before the first request and after the last one of a
	// connection. OnConnect may set its Value.
	OnConnect, OnDisconnect func(*Conn)

	// MaxConns is how many connections there may be: 16,384.
	MaxConns int
	// MaxRequests is how many requests of one connection run at the same time: 128.
	MaxRequests int
	// MaxMemory is how many bytes of buffers all messages may have, half of it the requests and half the replies:
	// 256 MiB. One connection gets an eighth of it.
	MaxMemory int64
	// RecordTimeout is how long a record may take from its first byte to its last, and how long it may wait for memory:
	// 30 s.
	RecordTimeout time.Duration
	// WriteTimeout is how long a client may take to receive one reply: 60 s.
	WriteTimeout time.Duration
	// DrainTimeout is how long running requests may take to end when the server stops: 3 s.
	DrainTimeout time.Duration
}

// serving is one call of Serve.
type serving struct {
	*Server
	log      *slog.Logger
	listener net.Listener
	// ctx is what the handler gets. stop ends it.
	ctx  context.Context
	stop context.CancelFunc
	// requests and replies bound the memory of either. A request may wait for its reply's memory, never the other way
	// around.
	requests, replies *budget
	recordTimeout     time.Duration
	writeTimeout      time.Duration
	maxRequests       int

	// draining: no more requests are read.
	draining atomic.Bool
	// What was logged in the last minute about connections: not allowed, too many, not accepted, broken.
	refused, full, failed, broken once

	mu    sync.Mutex
	conns map[*Conn]struct{}
	all   sync.WaitGroup // the connections
}

// Serve answers the calls that come in by a listener, until ctx ends. Then it takes nothing more, lets the running
// requests end for as long as DrainTimeout, closes all connections, and returns nil when every goroutine that it started
// has ended. It closes the listener. An error is that of a listener that was closed by somebody else.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	run := &serving{
		Server:        s,
		log:           s.Logger,
		listener:      listener,
		recordTimeout: cmp.Or(s.RecordTimeout, defaultRecordTimeout),
		writeTimeout:  cmp.Or(s.WriteTimeout, defaultWriteTimeout),
		maxRequests:   cmp.Or(s.MaxRequests, defaultMaxRequests),
		conns:         map[*Conn]struct{}{},
	}
	if run.log == nil {
		run.log = slog.New(slog.DiscardHandler)
	}
	memory := cmp.Or(s.MaxMemory, defaultMaxMemory) / 2
	run.requests = newBudget(memory, run.recordTimeout)
	run.replies = newBudget(memory, run.writeTimeout)
	run.ctx, run.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer run.stop()

	unwatch := context.AfterFunc(ctx, func() { listener.Close() })
	err := run.accept(ctx)
	unwatch()
	listener.Close()
	run.drain(cmp.Or(s.DrainTimeout, defaultDrainTimeout))
	return err
}

// accept takes connections until ctx ends.
func (run *serving) accept(ctx context.Context) error {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		conn, err := run.listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // no descriptors left, or the like
			if run.failed.perMinute(netip.Addr{}) {
				run.log.Error("accept connections", "error", err, "again", pause)
			}
			sleep(ctx, pause)
			pause = min(2*pause, longest)
			continue
		}
		pause = shortest
		switch addr := addrOf(conn); {
		case run.Allow != nil && !run.Allow(addr):
			if run.refused.perMinute(addr) {
				run.log.Warn("connection from an address that is not allowed", "client", addr.String())
			}
			conn.Close()
		case !run.start(conn):
			if run.full.perMinute(netip.Addr{}) {
				run.log.Error("too many connections", "client", addr.String(), "limit", run.maxConns())
			}
			conn.Close()
		}
	}
}

func (run *serving) maxConns() int { return cmp.Or(run.MaxConns, defaultMaxConns) }

// start serves a connection in a goroutine of its own. It answers false where there are too many.
func (run *serving) start(nc net.Conn) bool {
	run.mu.Lock()
	defer run.mu.Unlock()
	if len(run.conns) >= run.maxConns() {
		return false
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetNoDelay(true)
		tcp.SetKeepAliveConfig(keepAlive)
	}
	c := newConn(run, nc)
	run.conns[c] = struct{}{}
	run.all.Go(c.serve)
	return true
}

// warn logs why a connection was closed.
func (run *serving) warn(c *Conn, what string, err error) {
	if run.broken.perMinute(addrOf(c.conn)) {
		run.log.Warn(what, "client", c.RemoteAddr().String(), "error", err)
	}
}

// forget is the end of a connection.
func (run *serving) forget(c *Conn) {
	run.mu.Lock()
	delete(run.conns, c)
	run.mu.Unlock()
}

// each calls fn for every connection.
func (run *serving) each(fn func(*Conn)) {
	run.mu.Lock()
	defer run.mu.Unlock()
	for c := range run.conns {
		fn(c)
	}
}

// drain ends all connections: those whose requests end within the time given with their replies sent, the others not.
func (run *serving) drain(patience time.Duration) {
	run.draining.Store(true)
	run.each((*Conn).stopReading)
	hurry := time.AfterFunc(patience, func() {
		// Before the handlers are cut off: what they answer to that is not for a client, which would not try again.
		run.each(func(c *Conn) { c.Close() })
		run.stop()
	})
	defer hurry.Stop()
	run.all.Wait()
}

// addrOf returns the address of a connection's other end.
func addrOf(conn net.Conn) netip.Addr {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
