// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package nfs3client is a vfs.FS over a connection to an NFSv3 server (RFC 1813): nothing is mounted, and no privilege is
// needed, but for a reserved port where the server wants one. It is for servers that have nothing newer; nfsclient is for
// those that have.
//
// It owns a connection and the handle of the exported directory, and no cache: every method asks the server. Every request
// ends by a deadline, the context's or Config.Timeout, of which a method that takes several, as ReadDir does, has one for
// each. Until then a lost connection is made again and the request sent again, and a server that asks for patience
// (NFS3ERR_JUKEBOX) has it.
//
// # What a server without state means
//
// A request that is sent again may run twice, and the second time it finds what the first has done. Where the connection
// was lost under a request that makes, links, moves or removes a name, the answer to the second sending is judged by
// what is there: a Remove of a name that has gone, or is of something else now, has removed it; a Mkdir, Symlink, Mknod,
// Link or guarded Create of a name that is there has made it where that is what was to be made, with nothing in it; a
// Rename has moved the file where it is under the new name. So after a lost connection two who make the same at the same
// moment may both be told that they did. Who has to know makes a file with vfs.Exclusive, which the protocol itself
// makes safe to repeat.
//
// A server may leave out what it likes of the attributes that come with a request to make something, and say nothing. What
// was made is looked at, and set right; where the caller may not, it is taken back, and that is the error.
//
// An open file is nothing at the server: it looks at the mode bits with every READ and WRITE (and lets the owner pass),
// and a file without a name is gone (ESTALE), whoever has it open.
//
// The change attribute is the file's ctime in nanoseconds, for the protocol has no other: on a server whose clock ticks in
// milliseconds, two changes within one tick look like one. A DirChange claims to be Atomic only where the server has told
// both times (wcc_data) and they differ.
//
// Times are between 1970 and 2106 (EINVAL). There are no extended attributes, and no Allocate, Deallocate, Seek, CopyFrom
// and CloneFrom (EOPNOTSUPP). An exclusive creation keeps its verifier in the file's times until the attributes are set,
// which Create does: a second Create with the same verifier answers EEXIST.
//
// One file of the package for each noun: dial, call (a request until its answer), mount (where the export is), error; and
// of the contract: fs, attr, directory, entry (ReadDir), make, create, file, xattr.
package nfs3client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// Config says which server to connect to.
type Config struct {
	// Addr is the "host:port" of NFS.
	Addr string
	// MountAddr is the "host:port" of MOUNT. Where empty, the port mapper says it, at port 111 of the host; and where that
	// does not answer or does not know it, MOUNT is expected at the port of NFS.
	MountAddr string
	// Export is the path on the server of the directory that is the FS's root: an exported directory, or one below it.
	Export string
	// Timeout is how long a call may take whose context has no deadline; 60 s where zero.
	Timeout time.Duration
	// Logger hears of lost connections; nil: nobody does.
	Logger *slog.Logger
	// ReservedPort connects from ports below 1024 where they can be had (oncrpc.Dialer).
	ReservedPort bool
	// Pace, where not nil, is called before every request of NFS itself.
	Pace nfsconn.Pace
}

const (
	defaultTimeout = 60 * time.Second
	// closeTimeout bounds the farewell of Close, which nobody can cancel.
	closeTimeout = 5 * time.Second
)

// FS is a directory of an NFS server and what is in it. It is a vfs.FS, with HomeID zero for every file.
type FS struct {
	addr    string
	timeout time.Duration
	log     *slog.Logger
	link    *nfsconn.Link

	// ctx ends with Close.
	ctx    context.Context
	cancel context.CancelFunc
	closed atomic.Bool

	mounted mounted
	root    atomic.Pointer[vfs.Handle]
	// noPlus: the server has no READDIRPLUS.
	noPlus atomic.Bool
	limits limits
}

var _ vfs.FS = (*FS)(nil)

// limits are what the server takes at once, and as most, in bytes.
type limits struct{ read, write, list, file uint64 }

// Dial connects to a server and mounts the export: the path itself, or the exported directory that it lies below, whatever
// is or is not there under the path (Root says that). ctx bounds it; where it has no deadline, Config.Timeout does.
func Dial(ctx context.Context, cfg Config) (*FS, error) {
	fs, err := newFS(&cfg)
	if err != nil {
		return nil, err
	}
	err = fs.open(ctx, &cfg)
	if reply, ok := errors.AsType[*oncrpc.ReplyError](err); ok && reply.Denied() && !cfg.ReservedPort {
		err = fmt.Errorf("%w; it may want a reserved port", err)
	}
	if err != nil {
		fs.cancel()
		fs.link.Close()
		return nil, fmt.Errorf("connect to NFS server: %w", fs.fail("", "", err))
	}
	return fs, nil
}

// newFS starts nothing.
func newFS(cfg *Config) (*FS, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	fs := &FS{
		addr:    cfg.Addr,
		timeout: cfg.timeout(),
		log:     cfg.Logger,
		link:    nfsconn.NewLink(cfg.Addr, cfg.dialer(), cfg.Pace),
	}
	if fs.log == nil {
		fs.log = slog.New(slog.DiscardHandler)
	}
	fs.ctx, fs.cancel = context.WithCancel(context.Background())
	return fs, nil
}

// check refuses addresses that are none.
func (cfg *Config) check() error {
	if err := nfsconn.CheckAddr(cfg.Addr); err != nil {
		return err
	}
	if cfg.MountAddr == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(cfg.MountAddr); err != nil {
		return fmt.Errorf("address of the MOUNT service: %w (want host:port)", err)
	}
	return nil
}

func (cfg *Config) timeout() time.Duration {
	if cfg.Timeout <= 0 {
		return defaultTimeout
	}
	return cfg.Timeout
}

func (cfg *Config) dialer() oncrpc.Dialer { return oncrpc.Dialer{ReservedPort: cfg.ReservedPort} }

// deadline gives a context the deadline that every call has.
func deadline(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// open makes the connection, once, and mounts the export.
func (fs *FS) open(ctx context.Context, cfg *Config) error {
	ctx, cancel := deadline(ctx, fs.timeout)
	defer cancel()
	conn, err := fs.link.Get(ctx, nil)
	if err != nil {
		return err
	}
	if err := ping(ctx, conn); err != nil {
		return nfsconn.Unsuitable(err, nfs3.Version)
	}
	// MOUNT is at the machine that the connection has found, should the name have several addresses.
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		return err
	}
	if fs.mounted, err = cfg.mount(ctx, host); err != nil {
		return err
	}
	return fs.learn(ctx)
}

// ping asks for nothing, by which a server that has not this version says so.
func ping(ctx context.Context, conn *oncrpc.Client) error {
	reply, err := callOnce(ctx, conn, nfs3.Program, nfs3.Version, uint32(nfs3.ProcNull), nil)
	if err == nil {
		reply.Release()
	}
	return err
}

// Limits of what is asked for at once, whatever the server offers, in bytes.
const (
	maxTransfer = 1 << 20 // what one message of oncrpc carries
	minTransfer = 1 << 10
	maxList     = 128 << 10
	minList     = 4 << 10
)

// learn asks the server for its limits (RFC 1813 section 3.3.19).
func (fs *FS) learn(ctx context.Context) error {
	var res nfs3.FSInfoRes
	a, err := fs.ask(ctx, nil, nfs3.ProcFSInfo, &nfs3.HandleArgs{Object: fs.mounted.handle}, nil, &res)
	a.free()
	if err != nil {
		return fmt.Errorf("ask for the server's limits: %w", err)
	}
	fs.limits = limits{
		read:  min(max(uint64(res.RTMax), minTransfer), maxTransfer),
		write: min(max(uint64(res.WTMax), minTransfer), maxTransfer),
		list:  min(max(uint64(res.DTPref), minList), maxList),
		file:  res.MaxFileSize,
	}
	return nil
}

// Mounted is the path of the exported directory that is mounted: Config.Export, or what is above it.
func (fs *FS) Mounted() string { return fs.mounted.path }

// Close ends the connection, and calls that run. It tells the server's MOUNT service, which keeps a list of its clients
// that nothing depends on: no answer to that is no error. It may be called again.
func (fs *FS) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), min(fs.timeout, closeTimeout))
	defer cancel()
	return fs.CloseContext(ctx)
}

// CloseContext is Close that waits for the server until ctx ends.
func (fs *FS) CloseContext(ctx context.Context) error {
	if fs.closed.Swap(true) {
		return nil
	}
	fs.cancel()
	fs.link.Close()
	if err := fs.mounted.unmount(ctx); err != nil {
		fs.log.Debug("tell the MOUNT service of the end", "server", fs.addr, "error", err)
	}
	return nil
}
