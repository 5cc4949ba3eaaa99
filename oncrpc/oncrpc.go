// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package oncrpc is ONC RPC version 2 over TCP (RFC 5531) with XDR (RFC 4506): a Server, a Client, and the encoding that
// the programs above them use. It knows AUTH_NONE and AUTH_SYS.
//
// It owns connections, records, the memory of messages, and the goroutines that all these take. It knows no program: what
// a call means is the Handler's. It imports nothing of ours.
//
// A peer is not trusted. What it can make this side hold is bounded: connections, requests that run, the bytes of
// messages by those that have come and not by those that are claimed, the time that a record, a reply or a wait for memory
// may take. Where a bound is reached, nothing more is read, and where that does not help, the connection is closed.
//
// Locks: Conn.writing, Client.writing, serving.mu, once.mu and Client.mu; none is taken while another is held, but
// Client.mu under Client.writing. A request's memory may be held while waiting for its reply's, and neither while
// waiting for more of the same.
package oncrpc
