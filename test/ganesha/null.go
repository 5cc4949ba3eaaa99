// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package ganesha

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"time"
)

// nullTime is how long one NULL call may take.
const nullTime = 5 * time.Second

// A NULL call of NFSv4 without credentials, and the answer to it, each in one record (RFC 5531 sections 9 and 11).
var (
	nullCall = []byte{
		0x80, 0, 0, 40, // the last fragment, 40 bytes
		'h', 'h', 'o', 'm', // xid
		0, 0, 0, 0, // a call
		0, 0, 0, 2, // of RPC version 2
		0, 1, 0x86, 0xa3, // to program 100003
		0, 0, 0, 4, // version 4
		0, 0, 0, 0, // procedure 0
		0, 0, 0, 0, 0, 0, 0, 0, // AUTH_NONE
		0, 0, 0, 0, 0, 0, 0, 0, // and no verifier
	}
	nullReply = []byte{
		0x80, 0, 0, 24, // the last fragment, 24 bytes
		'h', 'h', 'o', 'm', // xid
		0, 0, 0, 1, // a reply
		0, 0, 0, 0, // accepted
		0, 0, 0, 0, 0, 0, 0, 0, // no verifier
		0, 0, 0, 0, // success
	}
)

// null makes a NULL call on a connection of its own. It is what the test must not be able to get wrong, so it is
// written out here and uses no client of ours.
func null(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, nullTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	if _, err := conn.Write(nullCall); err != nil {
		return err
	}
	reply := make([]byte, len(nullReply))
	if _, err := io.ReadFull(conn, reply); err != nil {
		return fmt.Errorf("read the answer to a NULL call: %w", err)
	}
	if !bytes.Equal(reply, nullReply) {
		return fmt.Errorf("the answer to a NULL call is %x", reply)
	}
	return nil
}
