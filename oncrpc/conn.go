// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// Conn is one connection of a Server, from OnConnect to OnDisconnect. Two are the same exactly when the pointers are.
// All methods may be called concurrently.
type Conn struct {
	// Value belongs to the handler. It is set by OnConnect and not changed after that.
	Value any

	server *serving
	conn   net.Conn
	ctx    context.Context
	cancel context.CancelFunc

	// reader has the connection's share of the memory for requests, replies is that for replies.
	reader  recordReader
	replies *budget
	running chan struct{} // has an element for each running request
	all     sync.WaitGroup

	writing sync.Mutex // one record at a time
}

func newConn(run *serving, nc net.Conn) *Conn {
	c := &Conn{
		server:  run,
		conn:    nc,
		running: make(chan struct{}, run.maxRequests),
		replies: run.replies.share(),
		reader: recordReader{
			conn: nc, memory: run.requests.share(), timeout: run.recordTimeout, ended: run.draining.Load,
		},
	}
	c.ctx, c.cancel = context.WithCancel(run.ctx)
	return c
}

// RemoteAddr is the address of the client.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Context ends when the connection does.
func (c *Conn) Context() context.Context { return c.ctx }

// Close ends the connection at once. Requests that run go on and their replies are lost.
func (c *Conn) Close() error {
	c.cancel()
	return c.conn.Close()
}

// stopReading ends the reading of requests. The server is draining by now.
func (c *Conn) stopReading() { c.conn.SetReadDeadline(time.Now()) }

// serve reads requests until the connection ends or the server drains, and waits for those that run.
func (c *Conn) serve() {
	defer c.server.forget(c)
	if c.server.OnConnect != nil {
		c.server.OnConnect(c)
	}
	err := c.readRequests()
	if err != nil && !c.server.draining.Load() && c.ctx.Err() == nil {
		c.Close()
		c.server.warn(c, "connection ended", err)
	}
	c.all.Wait()
	c.Close()
	if c.server.OnDisconnect != nil {
		c.server.OnDisconnect(c)
	}
}

// readRequests starts each request in a goroutine of its own. It reads no further while as many run as may. The error is
// nil where the client has closed the connection between two records.
func (c *Conn) readRequests() error {
	for {
		record, err := c.reader.next(c.ctx)
		if err != nil {
			return peerError(err)
		}
		r := newRequest(c, record)
		stat, err := r.begin()
		if err != nil {
			r.release()
			return err
		}
		c.running <- struct{}{}
		c.all.Go(func() {
			r.answer(stat)
			<-c.running
		})
	}
}

// peerError returns nil for the errors of a client that has simply gone.
func peerError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || gone(err) {
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errRecordTooSlow
	}
	return err
}

// gone tells whether the error is the network's way to say that the other end has gone.
func gone(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ETIMEDOUT)
}

// write sends a record in one piece. After an error the connection is closed: part of the record may have gone out.
func (c *Conn) write(record []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.ctx.Err() != nil {
		return
	}
	err := c.conn.SetWriteDeadline(time.Now().Add(c.server.writeTimeout))
	if err == nil {
		_, err = c.conn.Write(record)
	}
	if err == nil {
		return
	}
	closed := c.ctx.Err() != nil
	c.Close()
	if !closed && !gone(err) {
		c.server.warn(c, "send a reply", err)
	}
}

// request is one request from its record to its reply. They are kept in a pool.
type request struct {
	call   Call
	args   Decoder
	reply  Encoder
	conn   *Conn
	record []byte
	// overdrawn: the reply's memory is not from the budget, because that had none left.
	overdrawn bool
}

var requestPool = sync.Pool{New: func() any {
	r := new(request)
	r.reply.grow = r.growReply
	return r
}}

func newRequest(c *Conn, record []byte) *request {
	r := requestPool.Get().(*request)
	r.conn, r.record, r.overdrawn = c, record, false
	r.call = Call{Args: &r.args, Conn: c}
	return r
}

// begin reads the call's header and makes room for the reply.
func (r *request) begin() (AcceptStat, error) {
	stat, err := r.call.decode(r.record)
	if err != nil {
		return stat, err
	}
	buf, err := r.conn.replies.take(r.conn.ctx, smallBuffer)
	if err != nil {
		return stat, err
	}
	r.reply.buf = buf
	beginReply(&r.reply, r.call.XID)
	return stat, nil
}

// answer runs the handler, where the header was good, and sends the reply.
func (r *request) answer(stat AcceptStat) {
	defer r.release()
	if stat == Success {
		stat = r.handle()
	}
	if stat == Drop {
		return
	}
	endReply(&r.reply, stat)
	r.conn.write(r.reply.Bytes())
}

// handle calls the handler. A panic is logged and answered with SYSTEM_ERR.
func (r *request) handle() (stat AcceptStat) {
	defer func() {
		if p := recover(); p != nil {
			stat = SystemErr
			r.conn.server.log.Error("panic in a request", "client", r.conn.RemoteAddr().String(), "xid", r.call.XID,
				"panic", p, "stack", string(debug.Stack()))
		}
	}()
	return r.conn.server.Handler.ServeRPC(r.conn.server.ctx, &r.call, &r.reply)
}

// growReply exchanges the reply's buffer for a bigger one. A handler cannot be told that there is no memory: it gets
// some, and the connection, whose client does not take its replies or asks for too many, is closed.
func (r *request) growReply(buf []byte, n int) []byte {
	if !r.overdrawn {
		bigger, err := r.conn.replies.grow(r.conn.ctx, buf, n)
		if err == nil {
			return bigger
		}
		r.overdrawn = true
		r.conn.Close()
	}
	return append(make([]byte, 0, 2*(len(buf)+n)), buf...)
}

// release gives back all memory.
func (r *request) release() {
	if r.record != nil {
		r.conn.reader.memory.give(r.record)
	}
	if r.reply.buf != nil && !r.overdrawn {
		r.conn.replies.give(r.reply.buf)
	}
	r.call, r.args, r.record, r.conn, r.reply.buf = Call{}, Decoder{}, nil, nil, nil
	requestPool.Put(r)
}
