// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package nfsconn is what a client of NFS needs whatever the version: a connection that is made again when it was lost
// (Link), pauses between attempts (Backoff), who calls (Cred), and the error that says what, where and why (Error).
//
// It owns the connection and nothing that goes over it: it knows no program and sends nothing again. It starts no
// goroutine but the connection's own.
//
// Locks, in the order in which they are taken: Link.dialing (one connection is made at a time; held over I/O), Link.mu.
package nfsconn

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// CheckAddr refuses what is not "host:port".
func CheckAddr(addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("address of the NFS server: %w (want host:port)", err)
	}
	return nil
}

// CheckHandle refuses what no server can have issued: a handle of no bytes, or of more than limit.
func CheckHandle(h vfs.Handle, limit int) error {
	if len(h) == 0 || len(h) > limit {
		return fmt.Errorf("a handle of %d bytes: %w", len(h), syscall.EBADF)
	}
	return nil
}

// CheckAccess refuses what no File can be opened for.
func CheckAccess(a vfs.Access) error {
	if a == 0 || a&^(vfs.Read|vfs.Write) != 0 {
		return syscall.EINVAL
	}
	return nil
}

// Machine is the name of this machine in credentials, at most 255 bytes.
var Machine = sync.OnceValue(func() []byte {
	name, err := os.Hostname()
	if err != nil {
		return nil
	}
	return []byte(name[:min(len(name), 255)])
})

// Cred is the AUTH_SYS credential of a caller; nil is root.
func Cred(c *vfs.Caller) oncrpc.Cred {
	cred := oncrpc.Cred{Flavor: oncrpc.AuthSys, SysCred: oncrpc.SysCred{Machine: Machine()}}
	if c != nil {
		cred.UID, cred.GID = c.UID, c.GID
		cred.SetGIDs(c.Groups)
	}
	return cred
}
