// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package remote reaches an NFS server that somebody else runs: under all of its addresses, in the best version that it
// speaks, in a time that is given.
//
// It owns the choice (Dial), the waiting for a server that is not there yet (Wait), and the reasons why a way in is none
// (Error). It hides how a path is reached: with NFSv4 from the server's root, which shows all that is exported; with NFSv3
// from the exported directory that the path is or lies below. It changes nothing at the server.
package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/vfs"
)

const (
	// connectTime is how long one address may take to accept a connection and to agree on a version.
	connectTime = 10 * time.Second
	// lastCalls is what is left, after the context of an FS has ended, to clean up what was begun; goodbye is what the
	// server is given to hear that the client goes.
	lastCalls = time.Second
	goodbye   = 500 * time.Millisecond
)

// Config says which server to reach, and how.
type Config struct {
	Server Address
	// Path is what is to be reached. It need not be there: its parent, or what is exported above it, is enough.
	Path string
	// Version is the one version to use; Auto: 4.2, else 4.1, else 3.
	Version Version
	// MountPort is the port of NFSv3's MOUNT service; 0: the port mapper knows it.
	MountPort uint16
	// Logger hears what the client says of lost connections; nil: nobody does.
	Logger *slog.Logger
	// Lookup finds the server's addresses; nil: the system's resolver does.
	Lookup Lookup
	// Pace, where not nil, is called before every request, and may wait.
	Pace nfsconn.Pace
}

// FS is the files of a server that was reached.
type FS struct {
	vfs.FS
	// Addr is the address that was reached, as HOST:PORT.
	Addr    string
	Version Version
	// At is the path on the server of the FS's root.
	At string
	// Passed are the ways in that were tried before this one.
	Passed []*Attempt

	end    func(context.Context) error
	once   sync.Once
	closed chan struct{}
	// unwatch takes the FS's life from the context it was made with; false: that has ended, and watched tells when what
	// comes of it is over.
	unwatch func() bool
	watched chan struct{}
	err     error
}

// Dial reaches a server: the first of its addresses that works, in the best version that it has. Every way in is tried
// once. An error is an *Error, or that of a context that was cancelled.
//
// ctx bounds the FS's whole life, not only the connecting: a second after its end, which is for cleaning up, whatever
// still waits for the server is ended.
func Dial(ctx context.Context, cfg Config) (*FS, error) {
	addrs, err := Resolve(ctx, cfg.Server, cfg.Lookup)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	failure := &Error{Server: cfg.Server}
	if err != nil {
		failure.Attempts = []*Attempt{{Addr: cfg.Server.String(), Trouble: Unresolved, Err: err}}
		return nil, failure
	}
	for i, addr := range addrs {
		fs, attempts := dialAddr(ctx, cfg, addr, share(ctx, len(addrs)-i))
		failure.Attempts = append(failure.Attempts, attempts...)
		if fs != nil {
			fs.Passed = failure.Attempts
			return fs, nil
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err()
		}
	}
	return nil, failure
}

// share is the time that one of n addresses may take.
func share(ctx context.Context, n int) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(connectTime, time.Until(deadline)/time.Duration(n))
	}
	return connectTime
}

// dialAddr tries one address in all versions that are wanted. A trouble that every version would meet ends it.
func dialAddr(ctx context.Context, cfg Config, addr string, patience time.Duration) (*FS, []*Attempt) {
	var attempts []*Attempt
	connecting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, v := range cfg.Version.candidates() {
		fs, err := dialVersion(connecting, cfg, addr, v)
		if err != nil {
			a := &Attempt{Addr: addr, Version: v, Trouble: troubleOf(err), Err: err}
			attempts = append(attempts, a)
			if a.Trouble < WrongVersion {
				a.Version = Auto
				break
			}
			continue
		}
		if cfg.Version == Auto && v != V3 {
			if older := hidden(connecting, cfg, fs); older != nil {
				attempts = append(attempts, &Attempt{Addr: addr, Version: v, Trouble: NotExported, Err: errHidden})
				fs.farewell()
				fs = older
			}
		}
		fs.watch(ctx)
		return fs, attempts
	}
	return nil, attempts
}

// candidates are the versions to try, the best first.
func (v Version) candidates() []Version {
	if v == Auto {
		return []Version{V42, V41, V3}
	}
	return []Version{v}
}

// dialVersion tries one version at one address.
func dialVersion(ctx context.Context, cfg Config, addr string, v Version) (*FS, error) {
	if v == V3 {
		return dialV3(ctx, cfg, addr)
	}
	minor := uint32(2)
	if v == V41 {
		minor = 1
	}
	fs, err := nfsclient.Dial(ctx, nfsclient.Config{Addr: addr, MinorVersion: minor, Logger: cfg.Logger, ReservedPort: true, Pace: cfg.Pace})
	if err != nil {
		return nil, err
	}
	return &FS{FS: fs, Addr: addr, Version: v, At: "/", end: fs.CloseContext}, nil
}

// dialV3 mounts what is exported of the path or above it. That is the FS's root, so that what is below can be made.
func dialV3(ctx context.Context, cfg Config, addr string) (*FS, error) {
	c := V3Config(cfg, addr)
	fs, err := nfs3client.Dial(ctx, c)
	if err != nil {
		return nil, err
	}
	if at := fs.Mounted(); at != c.Export {
		bye, cancel := context.WithTimeout(ctx, goodbye)
		fs.CloseContext(bye)
		cancel()
		c.Export = at
		if fs, err = nfs3client.Dial(ctx, c); err != nil {
			return nil, err
		}
	}
	return &FS{FS: fs, Addr: addr, Version: V3, At: fs.Mounted(), end: fs.CloseContext}, nil
}

// V3Config is how NFSv3 is spoken with one address of a server.
func V3Config(cfg Config, addr string) nfs3client.Config {
	c := nfs3client.Config{Addr: addr, Export: "/" + strings.Join(Names(cfg.Path), "/"), Logger: cfg.Logger, ReservedPort: true, Pace: cfg.Pace}
	if host, _, err := net.SplitHostPort(addr); err == nil && cfg.MountPort != 0 {
		c.MountAddr = net.JoinHostPort(host, strconv.Itoa(int(cfg.MountPort)))
	}
	return c
}

// errHidden is the reason not to use NFSv4 with a server that exports a path by NFSv3 alone.
var errHidden = errors.New("the server does not show it the path, which it exports by NFSv3")

// hiddenTime is how long the look for such a path may take: mostly it is not there at all, and a firewall swallows what goes
// to the port mapper.
const hiddenTime = 2 * time.Second

// hidden returns the FS over NFSv3 of a path that the server does not show by NFSv4, as mount.nfs does; nil where it
// shows it, or neither does.
func hidden(ctx context.Context, cfg Config, fs *FS) *FS {
	names := Names(cfg.Path)
	if len(names) == 0 {
		return nil
	}
	root, err := fs.Root(ctx)
	if err != nil {
		return nil
	}
	if _, err := fs.Lookup(ctx, nil, root, names[0]); !errors.Is(err, syscall.ENOENT) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, hiddenTime)
	defer cancel()
	older, err := dialV3(ctx, cfg, fs.Addr)
	if err != nil {
		return nil
	}
	if older.At == "/" { // then NFSv4 has it too: the path is only not there yet
		older.farewell()
		return nil
	}
	return older
}

// watch has the FS end with a context.
func (fs *FS) watch(ctx context.Context) {
	fs.closed, fs.watched = make(chan struct{}), make(chan struct{})
	fs.unwatch = context.AfterFunc(ctx, func() {
		defer close(fs.watched)
		select {
		case <-fs.closed:
		case <-time.After(lastCalls):
			fs.farewell()
		}
	})
}

// Close tells the server that nothing is needed any more, ends all calls and waits until all goroutines have ended. It
// takes no longer than half a second, whatever the server does. It may be called again.
func (fs *FS) Close() error {
	fs.once.Do(func() {
		close(fs.closed)
		if !fs.unwatch() {
			<-fs.watched
		}
		fs.err = fs.farewell()
	})
	return fs.err
}

func (fs *FS) farewell() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return fs.end(ctx)
}

// Below returns the names on the way from the FS's root to a path on the server. A path that the root does not lead to
// is an error.
func (fs *FS) Below(path string) ([]string, error) {
	names, at := Names(path), Names(fs.At)
	if len(names) < len(at) || !slices.Equal(names[:len(at)], at) {
		return nil, fmt.Errorf("%s is not in %s, which is all that was reached at %s", path, fs.At, fs.Addr)
	}
	return names[len(at):], nil
}

// Names splits a path on a server. Slashes at its ends, and more than one in a row, mean nothing.
func Names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
