// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package check_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/check"
	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/test/loopback"
	"github.com/hubhome/hubhome/test/server"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// patience is how long anything in a test may take.
const patience = 30 * time.Second

// bed is a server with a hub, and what a check of it says.
type bed struct {
	t      *testing.T
	memory *vfstest.Memory
	addr   string
	cfg    check.Config
}

func newBed(t *testing.T) *bed {
	b := &bed{t: t, memory: vfstest.NewMemory("hub")}
	b.addr = rpctest.Serve(t, server.Handler(t, b.memory))
	b.cfg = config(t, b.addr, "/homes/hub")
	return b
}

func config(t *testing.T, addr, path string) check.Config {
	a, err := remote.ParseAddress(addr)
	if err != nil {
		t.Fatal(err)
	}
	return check.Config{Remote: remote.Config{Server: a, Path: path}, Owner: hubhome.DefaultOwner}
}

// run runs a check to its end, and returns its lines by name.
func run(t *testing.T, ctx context.Context, cfg check.Config) (check.Verdict, map[string]check.Line) {
	t.Helper()
	lines := map[string]check.Line{}
	done := make(chan check.Verdict, 1)
	go func() {
		done <- check.Run(ctx, cfg, func(line check.Line) {
			if old, there := lines[line.Name]; !there || line.Verdict > old.Verdict {
				lines[line.Name] = line
			}
		})
	}()
	select {
	case v := <-done:
		return v, lines
	case <-time.After(patience):
		t.Fatal("it hangs")
	}
	panic("not reached")
}

func (b *bed) run() (check.Verdict, map[string]check.Line) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	return run(b.t, ctx, b.cfg)
}

// left are the names in the hub's directory.
func (b *bed) left() (names []string) {
	root, err := b.memory.Root(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	hub, err := b.memory.Lookup(context.Background(), nil, root, "hub")
	if err != nil {
		b.t.Fatal(err)
	}
	b.memory.ReadDir(context.Background(), nil, hub.Handle, 0, false, func(e *vfs.DirEntry) bool {
		names = append(names, e.Name)
		return true
	})
	return names
}

// all are the names of all lines, in order.
var all = strings.Fields("resolve connect versions session export path owner list space getattr-latency write read root fsync lock rename write-latency clock remove")

// TestGood: a server that works has nothing but ok, and nothing is left on it.
func TestGood(t *testing.T) {
	b := newBed(t)
	var names []string
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	v := check.Run(ctx, b.cfg, func(line check.Line) {
		names = append(names, line.Name)
		if line.Verdict != check.OK || line.Advice != nil {
			t.Errorf("%s is %v: %s", line.Name, line.Verdict, line.Seen)
		}
	})
	if v != check.OK || !slices.Equal(names, all) {
		t.Errorf("the verdict is %v, of %q", v, names)
	}
	if left := b.left(); len(left) > 0 {
		t.Errorf("there is %q", left)
	}
	if n := b.memory.OpenFiles(); n > 0 {
		t.Errorf("%d files are still open", n)
	}
}

// TestReadOnly writes nothing.
func TestReadOnly(t *testing.T) {
	b := newBed(t)
	b.cfg.ReadOnly = true
	for _, label := range []string{"Create", "WriteAt", "Remove", "Rename", "SetAttr", "Mkdir"} {
		b.memory.Hook(label, func() error {
			t.Errorf("%s was called", label)
			return nil
		})
	}
	v, lines := b.run()
	if v != check.OK || lines["list"].Verdict != check.OK || lines["write"].Verdict != check.Skip || lines["remove"].Verdict != check.Skip {
		t.Errorf("the verdict is %v: %+v", v, lines)
	}
}

// TestFaults: what goes wrong is said by the line that it belongs to, later lines that need it are skipped, and nothing is
// left.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		label string
		errno syscall.Errno
		line  string
		says  string
		skips string
	}{
		{"ReadDir", syscall.EACCES, "list", "permission denied", ""},
		{"StatFS", syscall.EIO, "space", "NFS4ERR_IO", ""},
		{"Create", syscall.EACCES, "write", "make a file as 1000:1000: permission denied", "read"},
		{"Create", syscall.EROFS, "write", "read-only file system", "clock"},
		{"WriteAt", syscall.ENOSPC, "write", "no space left on device", "fsync"},
		{"WriteAt", syscall.EDQUOT, "write", "disk quota exceeded", "lock"},
		{"ReadAt", syscall.EIO, "read", "NFS4ERR_IO", ""},
		{"Commit", syscall.EIO, "fsync", "NFS4ERR_IO", "write-latency"},
		{"Sync", syscall.EIO, "fsync", "NFS4ERR_IO", "write-latency"},
		{"Rename", syscall.EXDEV, "rename", "cross-device", ""},
	} {
		t.Run(fmt.Sprintf("%s %v", test.label, test.errno), func(t *testing.T) {
			b := newBed(t)
			b.memory.Fail(test.label, test.errno)
			v, lines := b.run()
			line := lines[test.line]
			if v != check.Fail || line.Verdict != check.Fail || !strings.Contains(line.Seen, test.says) {
				t.Errorf("the verdict is %v, %s is %v: %s", v, test.line, line.Verdict, line.Seen)
			}
			if test.skips != "" && lines[test.skips].Verdict != check.Skip {
				t.Errorf("%s was not skipped: %+v", test.skips, lines[test.skips])
			}
			for name, line := range lines {
				if name != test.line && line.Verdict == check.Fail {
					t.Errorf("%s failed too: %s", name, line.Seen)
				}
			}
			if left := b.left(); test.label != "ReadDir" && len(left) > 0 {
				t.Errorf("there is %q", left)
			}
		})
	}
}

// TestRootShut: that nobody may list the server's root does not matter where the path is in it.
func TestRootShut(t *testing.T) {
	srv := server.Handler(t, vfstest.NewMemory("hub"))
	var shut atomic.Bool
	addr := rpctest.Serve(t, rpctest.Handler(func(call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		// SEQUENCE, PUTFH and READDIR, of which the last is the first that lists anything.
		at := reply.Len()
		stat := srv.ServeRPC(context.Background(), call, reply)
		if b := reply.Bytes()[at:]; len(b) > 72 && binary.BigEndian.Uint32(b[64:]) == uint32(nfs4.OpReadDir) && !shut.Swap(true) {
			reply.Truncate(at + 72)
			reply.SetUint32(at, uint32(nfs4.ErrAccess))
			reply.SetUint32(at+68, uint32(nfs4.ErrAccess))
		}
		return stat
	}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	v, lines := run(t, ctx, config(t, addr, "/homes/hub"))
	if line := lines["export"]; v != check.OK || !strings.Contains(line.Seen, "its root cannot be read: permission denied") {
		t.Errorf("the verdict is %v, and export is %+v", v, line)
	}
}

// TestLies: what a server does wrong without saying so.
func TestLies(t *testing.T) {
	for _, test := range []struct {
		line string
		want check.Verdict
		says string
		fs   func(*vfstest.Memory) vfs.FS
	}{
		{"read", check.Fail, "not what was written", func(m *vfstest.Memory) vfs.FS { return liar{m, func(f *lyingFile) { f.flip = true }} }},
		{"fsync", check.Warn, "verifier has changed", func(m *vfstest.Memory) vfs.FS { return liar{m, func(f *lyingFile) { f.lose = true }} }},
		{"clock", check.Warn, "ahead", func(m *vfstest.Memory) vfs.FS { return clockwrong{m} }},
		{"space", check.Warn, "8.0 EiB of 8.0 EiB free, which is no size", func(m *vfstest.Memory) vfs.FS { return endless{m, 1<<63 - 1, 1<<63 - 1} }},
		{"space", check.Warn, "less than 5 %", func(m *vfstest.Memory) vfs.FS { return endless{m, 1 << 40, 1 << 30} }},
		{"space", check.Fail, "0 B of 1.0 TiB free", func(m *vfstest.Memory) vfs.FS { return endless{m, 1 << 40, 0} }},
		{"space", check.Warn, "does not say", func(m *vfstest.Memory) vfs.FS { return endless{m, 0, 0} }},
		{"getattr-latency", check.Warn, "slow", func(m *vfstest.Memory) vfs.FS { return slow{m} }},
	} {
		t.Run(test.line, func(t *testing.T) {
			if testing.Short() && test.says == "slow" {
				t.Skip("takes 3 s")
			}
			addr := rpctest.Serve(t, server.Handler(t, test.fs(vfstest.NewMemory("hub"))))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			v, lines := run(t, ctx, config(t, addr, "/homes/hub"))
			if line := lines[test.line]; v != test.want || line.Verdict != test.want || !strings.Contains(line.Seen, test.says) || line.Advice == nil {
				t.Errorf("the verdict is %v, and %s is %+v", v, test.line, line)
			}
		})
	}
}

type liar struct {
	*vfstest.Memory
	how func(*lyingFile)
}

type lyingFile struct {
	vfs.File
	flip, lose bool
}

func (l liar) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	f, e, created, ch, err := l.Memory.Create(ctx, c, dir, name, how, access)
	if err != nil {
		return nil, e, created, ch, err
	}
	lie := &lyingFile{File: f}
	l.how(lie)
	return lie, e, created, ch, nil
}

func (f *lyingFile) ReadAt(ctx context.Context, p []byte, off uint64) (int, bool, error) {
	n, eof, err := f.File.ReadAt(ctx, p, off)
	if f.flip && n > 0 {
		p[n/2] ^= 1
	}
	return n, eof, err
}

// WriteAt says of what is not synced that it is another server's, which is gone by the COMMIT.
func (f *lyingFile) WriteAt(ctx context.Context, p []byte, off uint64, want vfs.Stability) (int, vfs.Stability, vfs.Verifier, error) {
	n, did, v, err := f.File.WriteAt(ctx, p, off, want)
	if f.lose && did < vfs.FileSync {
		v[0] ^= 1
	}
	return n, did, v, err
}

type clockwrong struct{ *vfstest.Memory }

func (c clockwrong) Create(ctx context.Context, who *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	how.Attr.Mtime = vfs.SetTime{Set: true, Time: time.Now().Add(time.Hour)}
	return c.Memory.Create(ctx, who, dir, name, how, access)
}

type endless struct {
	*vfstest.Memory
	total, free uint64
}

func (e endless) StatFS(context.Context, vfs.Handle) (vfs.StatFS, error) {
	return vfs.StatFS{TotalBytes: e.total, FreeBytes: e.free, AvailBytes: e.free}, nil
}

type slow struct{ *vfstest.Memory }

func (s slow) GetAttr(ctx context.Context, h vfs.Handle) (vfs.Attr, error) {
	time.Sleep(15 * time.Millisecond) // it is what is measured
	return s.Memory.GetAttr(ctx, h)
}

// TestWrongServers: each thing that is no server fails at its line, and what comes behind is skipped.
func TestWrongServers(t *testing.T) {
	dead, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ addr, line, says, skips string }{
		{dead, "connect", "connection refused", "versions"},
		{server.Dropping(t), "connect", "no answer within", "versions"},
		{rpctest.Accept(t, server.Silent), "versions", "does not answer", "session"},
		{rpctest.Accept(t, server.Drips), "versions", "does not answer", "session"},
		{rpctest.Accept(t, func(net.Conn) {}), "versions", "closes it at once", "session"},
		{rpctest.Accept(t, server.Says("HTTP/1.1 400 Bad Request\r\n\r\n")), "versions", `begins with "HTTP"`, "session"},
		{rpctest.Serve(t, rpctest.Handler(func(*oncrpc.Call, *oncrpc.Encoder) oncrpc.AcceptStat { return oncrpc.ProgMismatch(2, 2) })),
			"versions", "speaks NFS none, and hubhome 3, 4.1 and 4.2", "session"},
	} {
		t.Run(test.line+" "+test.says, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			v, lines := run(t, ctx, config(t, test.addr, "/homes/hub"))
			if line := lines[test.line]; v != check.Fail || line.Verdict != check.Fail || !strings.Contains(line.Seen, test.says) || line.Advice == nil {
				t.Errorf("the verdict is %v, and %s is %+v", v, test.line, line)
			}
			if lines[test.skips].Verdict != check.Skip || lines["remove"].Verdict != check.Skip || len(lines) != len(all) {
				t.Errorf("the lines are %+v", lines)
			}
		})
	}
}

// TestPaths: what is not there is said, and what is.
func TestPaths(t *testing.T) {
	b := newBed(t)
	for _, test := range []struct{ path, line, says string }{
		{"/hmoes/hub", "export", `nothing that leads to /hmoes/hub: by NFSv4 there is in /: "homes"`},
		{"/homes/bub", "path", `find "bub" in /homes: no such file or directory`},
	} {
		b.cfg.Remote.Path = test.path
		v, lines := b.run()
		if line := lines[test.line]; v != check.Fail || line.Verdict != check.Fail || !strings.Contains(line.Seen, test.says) || line.Advice == nil {
			t.Errorf("the verdict is %v, and %s is %+v", v, test.line, line)
		}
	}
	b.cfg.Remote.Path = "/homes/hub"
	b.cfg.Owner = hubhome.Owner{UID: 7, GID: 7}
	v, lines := b.run()
	if v != check.Fail || lines["owner"].Verdict != check.Warn || lines["write"].Verdict != check.Fail {
		t.Errorf("somebody else: %v, %+v", v, lines)
	}
}

// TestRootSquash: where root is nobody the owner can write, and nobody can make a home.
func TestRootSquash(t *testing.T) {
	b := newBed(t)
	b.memory.Hook("SetAttr", func() error { return syscall.EPERM })
	v, lines := b.run()
	if line := lines["root"]; v != check.Warn || line.Verdict != check.Warn || line.Advice != &advice.RootSquash {
		t.Errorf("the verdict is %v, and root is %+v", v, line)
	}
}

// TestAddresses: an address that is dead is a warning where another one works.
func TestAddresses(t *testing.T) {
	b := newBed(t)
	b.cfg.Remote.Server.Host = "nfs.example.org"
	b.cfg.Remote.Lookup = func(context.Context, string) ([]string, error) { return []string{"127.0.0.2", "127.0.0.1"}, nil }
	v, lines := b.run()
	if v != check.Warn || lines["connect"].Verdict != check.Warn || !strings.Contains(lines["connect"].Seen, "127.0.0.2:") {
		t.Errorf("%v: %+v", v, lines["connect"])
	}
	if !strings.Contains(lines["resolve"].Seen, "nfs.example.org is 127.0.0.2 and 127.0.0.1, in ") {
		t.Errorf("%+v", lines["resolve"])
	}
	b.cfg.Remote.Lookup = func(context.Context, string) ([]string, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "nfs.example.org", IsNotFound: true}
	}
	if v, lines = b.run(); v != check.Fail || lines["resolve"].Verdict != check.Fail || lines["connect"].Verdict != check.Skip {
		t.Errorf("%v: %+v", v, lines)
	}
}

// TestInterrupted: whenever it is interrupted, and whenever the server goes silent for a moment, no file is left.
func TestInterrupted(t *testing.T) {
	for _, label := range []string{"Create", "WriteAt", "ReadAt", "Commit", "Rename", "Remove"} {
		t.Run(label, func(t *testing.T) {
			b := newBed(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b.memory.Hook(label, func() error {
				cancel()
				return nil
			})
			v, _ := run(t, ctx, b.cfg)
			if v != check.Fail && label != "Remove" {
				t.Errorf("it was interrupted, and the verdict is %v", v)
			}
			if left := b.left(); len(left) > 0 {
				t.Errorf("there is %q", left)
			}
		})
	}
}

// TestSilence: a server that goes silent in the middle does not hold it up.
func TestSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for silent servers")
	}
	srv := server.Handler(t, vfstest.NewMemory("hub"))
	for after := int32(1); after < 60; after += 7 {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			addr := rpctest.Serve(t, rpctest.Handler(func(call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
				if calls.Add(1) > after {
					return oncrpc.Drop
				}
				return srv.ServeRPC(context.Background(), call, reply)
			}))
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if v, _ := run(t, ctx, config(t, addr, "/homes/hub")); v != check.Fail {
				t.Errorf("the verdict is %v", v)
			}
		})
	}
}
