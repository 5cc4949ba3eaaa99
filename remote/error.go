// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
)

// Trouble is what keeps a server from being used. The later ones are those of a server that was reached further.
type Trouble uint8

// The troubles.
const (
	// Unresolved: the server's name has no address.
	Unresolved Trouble = iota + 1
	// Unreachable: there is no connection to the address.
	Unreachable
	// Closed: the connection is closed before anything was answered.
	Closed
	// Silent: the connection is there, and nothing is answered in time.
	Silent
	// NotNFS: something answers, but not an NFS server.
	NotNFS
	// WrongVersion: an NFS server that does not speak the version.
	WrongVersion
	// NoMount: NFSv3 is spoken, but the MOUNT service that it begins with cannot be had.
	NoMount
	// Refused: an NFS server that does not take this client.
	Refused
	// NotExported: an NFS server that does not export the path.
	NotExported
	// Failed: anything else.
	Failed
)

var troubleNames = [...]string{
	Unresolved: "unresolved", Unreachable: "unreachable", Closed: "closed", Silent: "silent", NotNFS: "not-nfs",
	WrongVersion: "wrong-version", NoMount: "no-mount", Refused: "refused", NotExported: "not-exported", Failed: "failed",
}

// String returns a word for the trouble that programs can count on.
func (t Trouble) String() string { return troubleNames[t] }

// Passing tells whether the trouble may pass by itself: a server that is not up yet, or not all of it, or busy.
func (t Trouble) Passing() bool { return t <= Silent || t == NoMount }

// Advice is what to do about the trouble; nil where nobody knows.
func (t Trouble) Advice() *advice.Advice {
	switch t {
	case Unresolved:
		return &advice.Unresolved
	case Unreachable:
		return &advice.Unreachable
	case Closed, Silent:
		return &advice.Silent
	case NotNFS:
		return &advice.NotNFS
	case WrongVersion:
		return &advice.Version
	case NoMount:
		return &advice.NoMount
	case Refused:
		return &advice.Refused
	case NotExported:
		return &advice.NotExported
	}
	return nil
}

// Attempt is one way in that was tried.
type Attempt struct {
	// Addr is the address, as HOST:PORT; the server's name where it has none.
	Addr string
	// Version is Auto where the attempt did not get as far as to the version.
	Version Version
	Trouble Trouble
	Err     error
}

// Error says which way in was tried and why it was none.
func (a *Attempt) Error() string { return a.Addr + ": " + a.Reason() }

// Reason is Error without the address.
func (a *Attempt) Reason() string {
	if a.Version == Auto {
		return a.why()
	}
	return a.Version.name() + ": " + a.why()
}

// Unwrap returns why.
func (a *Attempt) Unwrap() error { return a.Err }

// why is the error without what Error says already.
func (a *Attempt) why() string {
	switch a.Trouble {
	case Unreachable:
		if e, ok := errors.AsType[*net.OpError](a.Err); ok {
			if e.Timeout() {
				return "no answer to the attempt to connect"
			}
			return e.Err.Error()
		}
	case Closed:
		return "it takes the connection and closes it at once"
	case Silent:
		if _, busy := errors.AsType[nfsconn.Status](a.Err); !busy {
			return "it takes the connection and does not answer"
		}
	case NotNFS:
		if e, ok := errors.AsType[*oncrpc.ConnError](a.Err); ok {
			return "something answers that is no NFS server: " + e.Err.Error()
		}
		return "something answers that is no NFS server: " + a.Err.Error()
	case WrongVersion:
		if reply, ok := errors.AsType[*oncrpc.ReplyError](a.Err); ok {
			if low, high, ok := reply.Versions(); ok && low == high {
				return fmt.Sprintf("not spoken: the server has NFS version %d alone", low)
			} else if ok {
				return fmt.Sprintf("not spoken: the server has NFS versions %d to %d", low, high)
			}
		}
		return "not spoken"
	}
	return inner(a.Err).Error()
}

// inner is an error of a client without the words around it that say which server it is.
func inner(err error) error {
	if e, ok := errors.AsType[*nfsconn.Error](err); ok {
		return e.Err
	}
	return err
}

// Error is why a server could not be reached: every attempt, in order.
type Error struct {
	Server   Address
	Attempts []*Attempt
}

// Error names every attempt with its own reason.
func (e *Error) Error() string {
	var reasons []string
	for i, a := range e.Attempts {
		if i > 0 && a.Addr == e.Attempts[i-1].Addr {
			reasons = append(reasons, a.Reason())
		} else {
			reasons = append(reasons, a.Error())
		}
	}
	text := strings.Join(reasons, "; ")
	if strings.HasPrefix(text, e.Server.String()+": ") {
		return "NFS server " + text
	}
	return "NFS server " + e.Server.String() + ": " + text
}

// Unwrap returns the attempts.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, a := range e.Attempts {
		errs = append(errs, a)
	}
	return errs
}

// Trouble is that of the attempt that got furthest.
func (e *Error) Trouble() Trouble {
	var most Trouble
	for _, a := range e.Attempts {
		most = max(most, a.Trouble)
	}
	return most
}

// Passing tells whether it is worth another try: at least one way in may come to be one.
func (e *Error) Passing() bool {
	for _, a := range e.Attempts {
		if a.Trouble.Passing() {
			return true
		}
	}
	return false
}

// troubleOf tells what an error of connecting means.
func troubleOf(err error) Trouble {
	if errors.Is(err, nfs3client.ErrNoMountd) {
		return NoMount
	}
	if errors.Is(err, nfs3client.ErrNotExported) {
		return NotExported
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return Unreachable
	}
	if reply, ok := errors.AsType[*oncrpc.ReplyError](err); ok {
		return troubleOfReply(reply)
	}
	switch {
	case errors.Is(err, nfs4.ErrMinorVersMismatch):
		return WrongVersion
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return Refused
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		return NotExported
	case errors.Is(err, oncrpc.ErrRecord), errors.Is(err, oncrpc.ErrXDR):
		return NotNFS
	case errors.Is(err, context.DeadlineExceeded):
		return Silent
	}
	if _, lost := errors.AsType[*oncrpc.ConnError](err); lost {
		return Closed
	}
	return Failed
}

func troubleOfReply(reply *oncrpc.ReplyError) Trouble {
	switch _, _, versions := reply.Versions(); {
	case versions:
		return WrongVersion
	case reply.Stat == oncrpc.ProgUnavail, reply.Stat == oncrpc.RPCMismatch:
		return NotNFS
	case reply.Stat >= oncrpc.AuthTooWeak:
		return Refused
	}
	return Failed
}
