// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
)

// ErrNoMountd is in the error of a server whose MOUNT service, which NFSv3 begins with, cannot be had.
var ErrNoMountd = errors.New("the MOUNT service cannot be had")

// ErrNotExported is in the error of a path that is not among what a server says it exports. The status beside it tells
// less: many answer MNT3ERR_ACCES to that, so that nobody learns what is there.
var ErrNotExported = errors.New("is not exported")

// Export is a directory that a server says it exports.
type Export struct {
	Path string
	// Groups are who may mount it, in the server's words: host names, netgroups, networks. Empty: everybody.
	Groups []string
}

// Exports asks a server's MOUNT service what it exports (RFC 1813 section 5.2.5). Config.Export does not matter. ctx
// bounds it; where it has no deadline, Config.Timeout does.
func Exports(ctx context.Context, cfg Config) ([]Export, error) {
	var list []Export
	err := cfg.withMountd(ctx, func(ctx context.Context, m *mountd) (err error) {
		list, err = m.exports(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask what is exported: %w", nfsconn.Fail("", "", cfg.Addr, err))
	}
	return list, nil
}

// withMountd connects to the MOUNT service of Config.Addr's host, for a function.
func (cfg *Config) withMountd(ctx context.Context, fn func(context.Context, *mountd) error) error {
	if err := cfg.check(); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(cfg.Addr)
	ctx, cancel := deadline(ctx, cfg.timeout())
	defer cancel()
	m, err := cfg.findMountd(ctx, host)
	if err != nil {
		return err
	}
	defer m.conn.Close()
	return fn(ctx, m)
}

// mounted is what was mounted, and where that can be taken back.
type mounted struct {
	path   string
	handle nfs3.Handle
	// rest are the components of the path that was asked for below that one.
	rest []string

	addr   string
	dialer oncrpc.Dialer
}

// mount finds and mounts the export at a host.
func (cfg *Config) mount(ctx context.Context, host string) (mounted, error) {
	m, err := cfg.findMountd(ctx, host)
	if err != nil {
		return mounted{}, err
	}
	defer m.conn.Close()
	return m.find(ctx, cfg.Export)
}

// unmount tells the MOUNT service of the end.
func (x *mounted) unmount(ctx context.Context) error {
	m, err := connectMountd(ctx, x.dialer, x.addr)
	if err != nil {
		return err
	}
	defer m.conn.Close()
	return m.call(ctx, nfs3.MountProcUmnt, &nfs3.PathArgs{Path: []byte(x.path)}, nothing{})
}

// nothing is a result that says nothing.
type nothing struct{}

func (nothing) Decode(*oncrpc.Decoder) {}

// mountd is a connection to a MOUNT service.
type mountd struct {
	conn   *oncrpc.Client
	addr   string
	dialer oncrpc.Dialer
}

// findMountd connects to the MOUNT service of a host: where Config says, else where the port mapper says, else at the
// port of NFS.
func (cfg *Config) findMountd(ctx context.Context, host string) (*mountd, error) {
	dialer := cfg.dialer()
	if cfg.MountAddr != "" {
		m, err := connectMountd(ctx, dialer, cfg.MountAddr)
		if err != nil {
			return nil, fmt.Errorf("%w at %s: %w", ErrNoMountd, cfg.MountAddr, err)
		}
		return m, nil
	}
	port, noPort := askPort(ctx, host)
	if noPort == nil {
		addr := net.JoinHostPort(host, strconv.FormatUint(uint64(port), 10))
		m, err := connectMountd(ctx, dialer, addr)
		if err != nil {
			return nil, fmt.Errorf("%w at %s, where the port mapper says it is: %w", ErrNoMountd, addr, err)
		}
		return m, nil
	}
	_, nfsPort, _ := net.SplitHostPort(cfg.Addr)
	m, err := connectMountd(ctx, dialer, net.JoinHostPort(host, nfsPort))
	if err != nil {
		return nil, fmt.Errorf("%w: %w; and at the port of NFS: %w", ErrNoMountd, noPort, err)
	}
	return m, nil
}

// connectMountd connects to a MOUNT service, and sees that it is one.
func connectMountd(ctx context.Context, dialer oncrpc.Dialer, addr string) (*mountd, error) {
	conn, err := dialer.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	m := &mountd{conn: conn, addr: addr, dialer: dialer}
	if err := m.call(ctx, nfs3.MountProcNull, nil, nothing{}); err != nil {
		conn.Close()
		return nil, err
	}
	return m, nil
}

// portmapTime is how long the port mapper may take: it answers at once, or a firewall swallows what goes to it, and the
// time is needed for what comes behind.
const portmapTime = 5 * time.Second

// askPort asks a host's port mapper where MOUNT is. It tells everybody: reserved ports are few, and kept for what wants
// one.
func askPort(ctx context.Context, host string) (port uint16, err error) {
	addr := net.JoinHostPort(host, strconv.Itoa(nfs3.PortmapPort))
	defer func() {
		if err != nil {
			err = fmt.Errorf("port mapper at %s: %w", addr, err)
		}
	}()
	patience := portmapTime
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end)/3)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := oncrpc.Dial(ctx, addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	args := nfs3.Mapping{Program: nfs3.MountProgram, Version: nfs3.MountVersion, Proto: nfs3.ProtoTCP}
	reply, err := callOnce(ctx, conn, nfs3.PortmapProgram, nfs3.PortmapVersion, nfs3.PortmapProcGetPort, &args)
	if err != nil {
		return 0, err
	}
	defer reply.Release()
	number := reply.Uint32()
	if err := reply.Err(); err != nil {
		return 0, err
	}
	if number == 0 || number > 1<<16-1 {
		return 0, errors.New("it does not know MOUNT version 3 over TCP")
	}
	return uint16(number), nil
}

// call sends a call and decodes its results to res, which must not alias them.
func (m *mountd) call(ctx context.Context, proc nfs3.MountProc, args encoder, res decoder) error {
	reply, err := callOnce(ctx, m.conn, nfs3.MountProgram, nfs3.MountVersion, uint32(proc), args)
	if err != nil {
		return err
	}
	defer reply.Release()
	res.Decode(&reply.Decoder)
	return reply.Err()
}

// mountResult is a MountRes of its own memory, exportResult a list of exports.
type mountResult struct{ nfs3.MountRes }

func (r *mountResult) Decode(d *oncrpc.Decoder) {
	r.MountRes.Decode(d)
	r.Handle = slices.Clone(r.Handle)
}

type exportResult []Export

func (r *exportResult) Decode(d *oncrpc.Decoder) {
	var res nfs3.ExportRes
	res.Decode(d)
	for _, x := range res.Exports {
		e := Export{Path: string(x.Dir)}
		for _, group := range x.Groups {
			e.Groups = append(e.Groups, string(group))
		}
		*r = append(*r, e)
	}
}

func (m *mountd) exports(ctx context.Context) ([]Export, error) {
	var list exportResult
	err := m.call(ctx, nfs3.MountProcExport, nil, &list)
	return list, err
}

// mnt mounts a path.
func (m *mountd) mnt(ctx context.Context, path string) (nfs3.Handle, error) {
	var res mountResult
	if err := m.call(ctx, nfs3.MountProcMnt, &nfs3.PathArgs{Path: []byte(path)}, &res); err != nil {
		return nil, err
	}
	if res.Status != nfs3.MountOK {
		return nil, res.Status
	}
	if len(res.Handle) == 0 {
		return nil, fmt.Errorf("a handle of no bytes: %w", oncrpc.ErrXDR)
	}
	// Servers that say nothing take AUTH_SYS.
	if len(res.Flavors) > 0 && !slices.Contains(res.Flavors, oncrpc.AuthSys) {
		return nil, fmt.Errorf("%s does not take AUTH_SYS, and wants one of the RPC flavors %d: %w", path, res.Flavors, syscall.EACCES)
	}
	return res.Handle, nil
}

// find mounts the longest part of a path that can be mounted.
func (m *mountd) find(ctx context.Context, wanted string) (mounted, error) {
	wanted = path.Clean("/" + wanted)
	if len(wanted) > nfs3.MaxMountPath {
		return mounted{}, syscall.ENAMETOOLONG
	}
	h, err := m.mnt(ctx, wanted)
	if err == nil {
		return m.mounted(wanted, wanted, h), nil
	}
	status, ok := errors.AsType[nfs3.MountStatus](err)
	if !ok {
		return mounted{}, err
	}
	list, _ := m.exports(ctx) // some servers tell nobody
	at := wanted
	for _, above := range candidates(wanted, list) {
		h, err := m.mnt(ctx, above)
		if err == nil {
			return m.mounted(wanted, above, h), nil
		}
		s, ok := errors.AsType[nfs3.MountStatus](err)
		if !ok {
			return mounted{}, err
		}
		if len(list) > 0 {
			at, status = above, s
		}
	}
	return mounted{}, notMounted(at, list, status)
}

func (m *mountd) mounted(wanted, path string, h nfs3.Handle) mounted {
	x := mounted{path: path, handle: h, addr: m.addr, dialer: m.dialer}
	rest, _ := below(wanted, path)
	for name := range strings.SplitSeq(rest, "/") {
		if name != "" {
			x.rest = append(x.rest, name)
		}
	}
	return x
}

// candidates are the paths above one, longest first, that are exported; all of them where nothing is known to be.
func candidates(wanted string, list []Export) []string {
	var above []string
	if len(list) == 0 {
		for dir := wanted; dir != "/"; {
			dir = path.Dir(dir)
			above = append(above, dir)
		}
		return above
	}
	for _, x := range list {
		if rest, ok := below(wanted, x.Path); ok && rest != "" {
			above = append(above, x.Path)
		}
	}
	slices.SortFunc(above, func(a, b string) int { return len(path.Clean(b)) - len(path.Clean(a)) })
	return above
}

// below tells whether a clean path is a directory or below it, and what comes behind.
func below(wanted, dir string) (rest string, ok bool) {
	dir = strings.TrimSuffix(path.Clean(dir), "/")
	rest, ok = strings.CutPrefix(wanted, dir)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.Trim(rest, "/"), true
}

// maxNames is how many exports a message tells.
const maxNames = 20

// notMounted says why a path could not be mounted, and what can.
func notMounted(at string, list []Export, status nfs3.MountStatus) error {
	var paths []string
	for _, x := range list {
		if path.Clean(x.Path) == path.Clean(at) {
			return fmt.Errorf("the server exports %s, and not to this client: %w", at, status)
		}
		paths = append(paths, strconv.Quote(x.Path))
	}
	if paths == nil {
		return fmt.Errorf("mount %s: %w", at, status)
	}
	if len(paths) > maxNames {
		paths = append(paths[:maxNames], "…")
	}
	return fmt.Errorf("%s %w, but %s: %w", at, ErrNotExported, strings.Join(paths, ", "), status)
}
