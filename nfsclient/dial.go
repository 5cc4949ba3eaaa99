// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package nfsclient is a vfs.FS over a connection to an NFSv4.1 or 4.2 server (RFC 8881, RFC 7862, RFC 8276): nothing is
// mounted, and no privilege is needed.
//
// It owns a session and what it holds through it, and no cache: every method asks the server. Every call, and of ReadDir
// every request, ends by a deadline, the context's or Config.Timeout. Until then a lost connection is made again and the
// request repeated in its slot, so that the server runs it once; a server that restarted is told what was open (reclaim).
// What was under way when the server itself ended, and had its answer lost with it, is asked again, as every NFS client
// does: a Mkdir can then answer EEXIST for its own directory.
//
// One file of the package for each noun: dial, clientid, session, slot, compound, recover, lease, error; and of the
// contract: fs, attr, directory, entry (ReadDir), open, file, io, copy, xattr; beside it, lock.
//
// Locks, in the order in which they are taken:
//
//	FS.mu             the open files, and the recovery under way
//	slots.mu, File.mu
//
// Those of the connection (nfsconn) are taken while none of these is held.
package nfsclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// Config says which server to connect to.
type Config struct {
	// Addr is the server's "host:port".
	Addr string
	// Export is the path on the server of the directory that is the FS's root; "" and "/" are the server's own root.
	Export string
	// MinorVersion is 1 or 2; 0 is 2, or 1 with a server that does not have 2.
	MinorVersion uint32
	// Timeout is how long a call may take whose context has no deadline; 60 s where zero.
	Timeout time.Duration
	// Logger hears of lost connections and of recovery; nil: nobody does.
	Logger *slog.Logger
	// ReservedPort connects from a port below 1024 where that can be had (oncrpc.Dialer).
	ReservedPort bool
	// Pace, where not nil, is called before every request.
	Pace nfsconn.Pace
}

const (
	defaultTimeout = 60 * time.Second
	// closeTimeout bounds the farewell of Close, which nobody can cancel.
	closeTimeout = 5 * time.Second
)

// FS is a directory of an NFS server and what is in it. It is a vfs.FS, with HomeID zero for every file: the wire does
// not tell to which home a file belongs, and a client has no use for it, since the server itself answers EXDEV.
type FS struct {
	addr    string
	export  []string
	minor   uint32
	timeout time.Duration
	log     *slog.Logger
	link    *nfsconn.Link
	owner   nfs4.ClientOwner

	// ctx ends with Close; wg counts the goroutines.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	session atomic.Pointer[session]
	root    atomic.Pointer[vfs.Handle]
	// renewed is when the server last renewed the lease, in nanoseconds since begun, by the monotonic clock.
	begun    time.Time
	renewed  atomic.Int64
	lease    time.Duration
	opens    atomic.Uint64 // numbers the open owners
	maxRead  uint64
	maxWrite uint64

	mu         sync.Mutex
	closed     bool
	files      map[*File]struct{}
	recovering *recovery
	// client belongs to Dial, then to the one recovery that runs, and at last to Close.
	client clientID
}

var _ vfs.FS = (*FS)(nil)

// Dial connects to a server and makes a session. ctx bounds it; where it has no deadline, Config.Timeout does.
func Dial(ctx context.Context, cfg Config) (*FS, error) {
	fs, err := newFS(cfg)
	if err != nil {
		return nil, err
	}
	if err := fs.open(ctx); err != nil {
		fs.cancel()
		fs.link.Close()
		fs.wg.Wait()
		return nil, fmt.Errorf("connect to NFS server: %w", fs.fail("", "", nfsconn.Unsuitable(err, nfs4.Version)))
	}
	fs.wg.Go(fs.renew)
	return fs, nil
}

// newFS starts nothing.
func newFS(cfg Config) (*FS, error) {
	if err := nfsconn.CheckAddr(cfg.Addr); err != nil {
		return nil, err
	}
	if cfg.MinorVersion > 2 {
		return nil, fmt.Errorf("there is no NFSv4.%d here: the minor version is 1 or 2, or 0 for the best of both", cfg.MinorVersion)
	}
	fs := &FS{
		addr:    cfg.Addr,
		minor:   cfg.MinorVersion,
		timeout: cfg.Timeout,
		log:     cfg.Logger,
		owner:   newOwner(),
		begun:   time.Now(),
		files:   map[*File]struct{}{},
	}
	for name := range strings.SplitSeq(cfg.Export, "/") {
		if name != "" {
			fs.export = append(fs.export, name)
		}
	}
	if fs.timeout <= 0 {
		fs.timeout = defaultTimeout
	}
	if fs.log == nil {
		fs.log = slog.New(slog.DiscardHandler)
	}
	fs.ctx, fs.cancel = context.WithCancel(context.Background())
	fs.link = nfsconn.NewLink(cfg.Addr, oncrpc.Dialer{ReservedPort: cfg.ReservedPort}, cfg.Pace)
	return fs, nil
}

// open makes the connection, the client id and the session. The connection is tried once.
func (fs *FS) open(ctx context.Context) error {
	ctx, cancel := fs.deadline(ctx)
	defer cancel()
	if _, err := fs.link.Get(ctx, nil); err != nil {
		return err
	}
	if err := fs.agreeOnVersion(ctx); err != nil {
		return err
	}
	s, err := fs.newSession(ctx)
	if err != nil {
		return err
	}
	fs.session.Store(s)
	if err := fs.reclaimComplete(ctx, s); err != nil {
		return err
	}
	return fs.learn(ctx)
}

// agreeOnVersion makes the client id, and by that learns which minor version the server speaks.
func (fs *FS) agreeOnVersion(ctx context.Context) error {
	any := fs.minor == 0
	if any {
		fs.minor = 2
	}
	err := fs.exchangeID(ctx)
	if any && errors.Is(err, nfs4.ErrMinorVersMismatch) {
		fs.minor = 1
		err = fs.exchangeID(ctx)
	}
	if errors.Is(err, nfs4.ErrMinorVersMismatch) {
		version := "NFSv4.1 and 4.2"
		if !any {
			version = fmt.Sprintf("NFSv4.%d", fs.minor)
		}
		return fmt.Errorf("the server does not speak %s: %w", version, err)
	}
	return err
}

// Close gives back what is open, the session and the client id, and waits until all goroutines have ended. Calls that
// run are ended. An error says what the server may hold until the lease is over.
func (fs *FS) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), min(fs.timeout, closeTimeout))
	defer cancel()
	return fs.CloseContext(ctx)
}

// CloseContext is Close that waits for the server until ctx ends. Where somebody has closed the FS before, or is about
// to, it answers nil at once.
func (fs *FS) CloseContext(ctx context.Context) error {
	fs.mu.Lock()
	if fs.closed {
		fs.mu.Unlock()
		return nil
	}
	fs.closed = true
	fs.mu.Unlock()
	fs.cancel()
	fs.wg.Wait()
	err := fs.farewell(ctx)
	fs.link.Close()
	if err != nil {
		return fs.fail("close", "", err)
	}
	return nil
}

// deadline gives a context the deadline that every call has.
func (fs *FS) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, fs.timeout)
}

// wait pauses between two attempts. The error is ctx's, or oncrpc.ErrClosed where the FS was closed.
func (fs *FS) wait(ctx context.Context, pace *nfsconn.Backoff) error { return pace.Wait(ctx, fs.ctx) }
