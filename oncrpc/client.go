// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// ErrClosed is the error of a call on a Client that was closed.
var ErrClosed = errors.New("the RPC client is closed")

// ConnError is the error of all calls on a connection that was lost. Whether the server did what it was asked is unknown.
type ConnError struct {
	Addr string
	Err  error
}

// Error says which connection was lost and why.
func (e *ConnError) Error() string { return fmt.Sprintf("connection to %s lost: %v", e.Addr, e.Err) }

// Unwrap returns why.
func (e *ConnError) Unwrap() error { return e.Err }

// Client sends calls over one connection. All methods may be called concurrently. It does not connect again: after a
// ConnError it is of no more use than to be closed.
type Client struct {
	conn   net.Conn
	reader recordReader
	done   chan struct{} // the reading has ended

	writing chan struct{} // one record at a time: who sends to it may write

	mu      sync.Mutex
	xid     uint32
	pending map[uint32]chan *Reply // one element of room each
	err     error                  // why no call can be made any more
}

// RemoteAddr is the address of the server.
func (c *Client) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// LocalAddr is the address that the connection comes from.
func (c *Client) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// Done is closed when the connection has ended, by Close or by itself.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close ends the connection and waits until its goroutine has ended. Calls that wait answer ErrClosed.
func (c *Client) Close() error {
	c.fail(ErrClosed)
	<-c.done
	return nil
}

// Reply is the results of a call. What they decode to aliases their memory, until Release.
type Reply struct {
	Decoder
	client *Client
	record []byte
}

// Release gives back the reply's memory. Once.
func (r *Reply) Release() {
	r.client.reader.memory.give(r.record)
	r.record = nil
}

// Call sends a call and waits for its results until ctx ends; a ctx without a deadline may wait without end. args writes
// the arguments but for their last part: bulk, opaque bytes whose length args has written and which are sent from where
// they are; nil where there is no such part.
//
// An error is a *ConnError, ErrClosed, ctx's, a *ReplyError, or ErrXDR. Unless it is a *ReplyError, the server may or may
// not have done what it was asked.
func (c *Client) Call(ctx context.Context, program, version, procedure uint32, cred *Cred, args func(*Encoder), bulk []byte) (*Reply, error) {
	xid, answer, err := c.register()
	if err != nil {
		return nil, err
	}
	e := &Encoder{buf: getBuffer(smallBuffer)}
	e.Uint32(0) // record mark
	encodeCall(e, xid, program, version, procedure, cred)
	args(e)
	err = c.write(ctx, e, bulk)
	putBuffer(e.buf)
	if err != nil {
		c.forget(xid, answer)
		return nil, err
	}
	select {
	case reply := <-answer:
		return c.results(reply)
	case <-ctx.Done():
		c.forget(xid, answer)
		return nil, ctx.Err()
	}
}

// register makes room for the reply to a call.
func (c *Client) register() (uint32, chan *Reply, error) {
	answer := make(chan *Reply, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, nil, c.err
	}
	for c.xid++; c.pending[c.xid] != nil; c.xid++ {
	}
	c.pending[c.xid] = answer
	return c.xid, answer, nil
}

// forget gives up a call. A reply that has come meanwhile is dropped.
func (c *Client) forget(xid uint32, answer chan *Reply) {
	c.mu.Lock()
	delete(c.pending, xid)
	c.mu.Unlock()
	select {
	case reply := <-answer:
		if reply != nil {
			reply.Release()
		}
	default: // deliver sends with the lock held: nothing comes any more
	}
}

// results returns a reply that is a success. nil stands for a connection that was lost.
func (c *Client) results(reply *Reply) (*Reply, error) {
	if reply == nil {
		return nil, c.cause()
	}
	if err := decodeReply(&reply.Decoder); err != nil {
		reply.Release()
		return nil, err
	}
	return reply, nil
}

// write sends a call as one record. An error in the middle of one is the connection's end.
func (c *Client) write(ctx context.Context, e *Encoder, bulk []byte) error {
	padding := make([]byte, -len(bulk)&3)
	e.SetUint32(0, lastFragment|uint32(e.Len()-markSize+len(bulk)+len(padding)))
	select {
	case c.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.writing }()
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline := time.Now().Add(defaultWriteTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	err := c.conn.SetWriteDeadline(deadline)
	if err == nil {
		parts := net.Buffers{e.Bytes(), bulk, padding}
		_, err = parts.WriteTo(c.conn)
	}
	if err != nil {
		c.fail(&ConnError{c.conn.RemoteAddr().String(), err})
		return c.cause()
	}
	return nil
}

// read delivers replies until the connection ends.
func (c *Client) read() {
	defer close(c.done)
	for {
		record, err := c.reader.next(context.Background())
		if err != nil {
			if err == io.EOF {
				err = errors.New("the server closed it")
			}
			c.fail(&ConnError{c.conn.RemoteAddr().String(), err})
			return
		}
		c.deliver(record)
	}
}

// deliver hands a reply to the call that waits for it. What is not a reply, or to no call, is dropped: the call was
// given up.
func (c *Client) deliver(record []byte) {
	reply := &Reply{client: c, record: record}
	reply.Reset(record)
	xid, msgType := reply.Uint32(), reply.Uint32()
	c.mu.Lock()
	defer c.mu.Unlock()
	answer := c.pending[xid]
	if answer == nil || msgType != msgReply || reply.Err() != nil {
		reply.Release()
		return
	}
	delete(c.pending, xid)
	answer <- reply
}

// fail ends the connection, for the first reason given, and with it all calls that wait.
func (c *Client) fail(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = why
	c.conn.Close()
	for xid, answer := range c.pending {
		delete(c.pending, xid)
		answer <- nil
	}
}

// cause is why the connection has ended.
func (c *Client) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Client) failed() bool { return c.cause() != nil }
