// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package remote_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/test/loopback"
	"github.com/hubhome/hubhome/test/server"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// patience is how long anything in a test may take.
const patience = 30 * time.Second

func stat(s oncrpc.AcceptStat) rpctest.Handler {
	return func(*oncrpc.Call, *oncrpc.Encoder) oncrpc.AcceptStat { return s }
}

// minor hands COMPOUNDs of one minor version to next, and refuses others as a server does that does not know them.
func minor(only uint32, next oncrpc.Handler) rpctest.Handler {
	return func(call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		if call.Version != nfs4.Version {
			return oncrpc.ProgMismatch(nfs4.Version, nfs4.Version)
		}
		if call.Procedure == nfs4.ProcNull {
			return oncrpc.Success
		}
		// The client's COMPOUNDs have an empty tag.
		if next != nil && binary.BigEndian.Uint32(call.Args.Rest()[4:]) == only {
			return next.ServeRPC(context.Background(), call, reply)
		}
		res := nfs4.CompoundRes{Status: nfs4.ErrMinorVersMismatch}
		res.Encode(reply)
		return oncrpc.Success
	}
}

// dead is an address where nobody listens.
func dead(t *testing.T) string {
	addr, err := loopback.Addr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func parse(t *testing.T, addr string) remote.Address {
	a, err := remote.ParseAddress(addr)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestWrongServer: each thing that is no server for us has its name, and none takes longer than it may.
func TestWrongServer(t *testing.T) {
	for _, test := range []struct {
		name    string
		addr    func() string
		version remote.Version
		trouble remote.Trouble
		passing bool
		says    string
	}{
		{"dead", func() string { return dead(t) }, remote.Auto, remote.Unreachable, true, ": connect: connection refused"},
		{"silent", func() string { return rpctest.Accept(t, server.Silent) }, remote.Auto, remote.Silent, true, ": it takes the connection and does not answer"},
		{"drops", func() string { return server.Dropping(t) }, remote.Auto, remote.Unreachable, true, ": no answer to the attempt to connect"},
		{"closes", func() string { return rpctest.Accept(t, func(net.Conn) {}) }, remote.Auto, remote.Closed, true, ": it takes the connection and closes it at once"},
		{"drips", func() string { return rpctest.Accept(t, server.Drips) }, remote.Auto, remote.Silent, true, ": it takes the connection and does not answer"},
		{"HTTP", func() string { return rpctest.Accept(t, server.Says("HTTP/1.1 400 Bad Request\r\n\r\n")) }, remote.Auto, remote.NotNFS, false,
			`something answers that is no NFS server: not a record of RPC: it is too long; it begins with "HTTP"`},
		{"SSH", func() string { return rpctest.Accept(t, server.Says("SSH-2.0-OpenSSH_9.9\r\n")) }, remote.Auto, remote.NotNFS, false, `it begins with "SSH-"`},
		{"another program", func() string { return rpctest.Serve(t, stat(oncrpc.ProgUnavail)) }, remote.Auto, remote.NotNFS, false, "no NFS server: "},
		{"NFSv3 alone", func() string { return rpctest.Serve(t, stat(oncrpc.ProgMismatch(3, 3))) }, remote.V42, remote.WrongVersion, false,
			"NFSv4.2: not spoken: the server has NFS version 3 alone"},
		{"NFSv4.0 alone", func() string { return rpctest.Serve(t, minor(0, nil)) }, remote.Auto, remote.WrongVersion, false,
			": NFSv4.2: not spoken; NFSv4.1: not spoken; NFSv3: not spoken: the server has NFS version 4 alone"},
		{"not this client", func() string { return rpctest.Serve(t, stat(oncrpc.AuthTooWeak)) }, remote.Auto, remote.Refused, false, "AUTH_TOOWEAK"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			fs, err := remote.Dial(ctx, remote.Config{Server: parse(t, test.addr()), Version: test.version})
			if err == nil {
				fs.Close()
				t.Fatal("it was reached")
			}
			e, ok := errors.AsType[*remote.Error](err)
			if !ok {
				t.Fatalf("the error is %v", err)
			}
			if e.Trouble() != test.trouble || e.Passing() != test.passing || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, passing %v: %q; want %v, %v, and %q in it", e.Trouble(), e.Passing(), err, test.trouble, test.passing, test.says)
			}
		})
	}
}

// TestVersions: the best that the server has, or the one that was asked for.
func TestVersions(t *testing.T) {
	srv := server.Handler(t, vfstest.NewMemory("hub"))
	both, old := rpctest.Serve(t, srv), rpctest.Serve(t, minor(1, srv))
	for _, test := range []struct {
		addr      string
		want, got remote.Version
		passed    int
	}{{both, remote.Auto, remote.V42, 0}, {both, remote.V42, remote.V42, 0}, {both, remote.V41, remote.V41, 0}, {old, remote.Auto, remote.V41, 1}} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		fs, err := remote.Dial(ctx, remote.Config{Server: parse(t, test.addr), Version: test.want})
		if err != nil {
			t.Fatal(err)
		}
		if fs.Version != test.got || len(fs.Passed) != test.passed || fs.Addr != test.addr {
			t.Errorf("asked for %v: %v at %s after %v", test.want, fs.Version, fs.Addr, fs.Passed)
		}
		root, err := fs.Root(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fs.Lookup(ctx, nil, root, "homes"); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := fs.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestAddresses: a name with several addresses is tried under all of them, and every failure is told.
func TestAddresses(t *testing.T) {
	good := parse(t, rpctest.Serve(t, server.Handler(t, vfstest.NewMemory("hub"))))
	cfg := remote.Config{Server: remote.Address{Host: "nfs.example.org", Port: good.Port}}
	lookup := func(hosts ...string) remote.Lookup {
		return func(_ context.Context, host string) ([]string, error) {
			if host != "nfs.example.org" {
				t.Errorf("%q was looked up", host)
			}
			return hosts, nil
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cfg.Lookup = lookup("127.0.0.2", "127.0.0.3", "127.0.0.1")
	fs, err := remote.Dial(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	if fs.Addr != good.String() || len(fs.Passed) != 2 {
		t.Errorf("it is %s, after %v", fs.Addr, fs.Passed)
	}
	cfg.Lookup = lookup("127.0.0.2", "127.0.0.3")
	_, err = remote.Dial(ctx, cfg)
	want := "NFS server nfs.example.org:" + good.Port + ": 127.0.0.2:" + good.Port + ": connect: connection refused; 127.0.0.3:" + good.Port + ": connect: connection refused"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	cfg.Lookup = func(context.Context, string) ([]string, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "nfs.example.org"}
	}
	_, err = remote.Dial(ctx, cfg)
	if e, ok := errors.AsType[*remote.Error](err); !ok || e.Trouble() != remote.Unresolved || !e.Passing() {
		t.Errorf("%v", err)
	}
}

// TestWait: a server that comes up is used.
func TestWait(t *testing.T) {
	addr, srv := dead(t), server.Handler(t, vfstest.NewMemory("hub"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	told := 0
	fs, err := remote.Wait(ctx, remote.Config{Server: parse(t, addr)}, func(err error) {
		if told++; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("it waits because of %v", err)
		}
		rpctest.ServeAt(t, addr, srv)
	})
	if err != nil {
		t.Fatal(err)
	}
	fs.Close()
	if told != 1 {
		t.Errorf("it was told %d times", told)
	}
}

// TestWaitForNothing: a server that is another than it should be is not waited for; one that never comes has the deadline;
// and an interrupt ends it at once.
func TestWaitForNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var calls atomic.Int32
	wrong := rpctest.Serve(t, rpctest.Handler(func(*oncrpc.Call, *oncrpc.Encoder) oncrpc.AcceptStat {
		calls.Add(1)
		return oncrpc.ProgUnavail
	}))
	if _, err := remote.Wait(ctx, remote.Config{Server: parse(t, wrong)}, func(err error) { t.Errorf("it waits because of %v", err) }); err == nil || calls.Load() != 1 {
		t.Errorf("%d calls, and the error is %v", calls.Load(), err)
	}
	short, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	told := 0
	_, err := remote.Wait(short, remote.Config{Server: parse(t, dead(t))}, func(error) { told++ })
	if !errors.Is(err, syscall.ECONNREFUSED) || told != 1 {
		t.Errorf("it was told %d times, and the error is %v", told, err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	_, err = remote.Wait(cancelled, remote.Config{Server: parse(t, dead(t))}, func(error) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted, it answers %v", err)
	}
}

// TestEnd: whatever waits for a server that has gone silent ends with the context.
func TestEnd(t *testing.T) {
	srv := server.Handler(t, vfstest.NewMemory("hub"))
	var deaf atomic.Bool
	addr := rpctest.Serve(t, rpctest.Handler(func(call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		if deaf.Load() {
			return oncrpc.Drop
		}
		return srv.ServeRPC(context.Background(), call, reply)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	fs, err := remote.Dial(ctx, remote.Config{Server: parse(t, addr)})
	if err != nil {
		t.Fatal(err)
	}
	deaf.Store(true)
	ended := make(chan error)
	go func() {
		_, err := fs.Root(context.Background()) // nobody bounds it
		ended <- err
	}()
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a deaf server has answered")
		}
	case <-time.After(patience):
		t.Error("it still waits")
	}
	fs.Close()
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"nfs.example.org": "nfs.example.org:2049", "10.0.0.2:20049": "10.0.0.2:20049", "fd00::1": "[fd00::1]:2049",
		"[fd00::1]": "[fd00::1]:2049", "[fd00::1]:1": "[fd00::1]:1",
	} {
		if a, err := remote.ParseAddress(text); err != nil || a.String() != want {
			t.Errorf("%q: %v, %v; want %s", text, a, err, want)
		}
	}
	for _, text := range []string{"", ":2049", "host:", "host:0", "host:65536", "host:nfs", "nfs://host", "host/homes", "a:b:c", "[fd00::1", "user@host"} {
		if a, err := remote.ParseAddress(text); err == nil {
			t.Errorf("%q was taken for %v", text, a)
		}
	}
}

func TestBelow(t *testing.T) {
	fs := remote.FS{At: "/homes"}
	for path, want := range map[string]string{"/homes": "", "homes/": "", "/homes//prod/": "prod", "/homes/a/b": "a/b"} {
		if names, err := fs.Below(path); err != nil || strings.Join(names, "/") != want {
			t.Errorf("%q: %q, %v", path, names, err)
		}
	}
	for _, path := range []string{"/", "/home", "/homes2", "/x/homes"} {
		if names, err := fs.Below(path); err == nil {
			t.Errorf("%q: %q", path, names)
		}
	}
}

// TestSpoken asks which versions are spoken, and leaves nothing.
func TestSpoken(t *testing.T) {
	srv := server.Handler(t, vfstest.NewMemory("hub"))
	for _, test := range []struct {
		addr, want string
		trouble    remote.Trouble
	}{
		{rpctest.Serve(t, srv), "4.1, 4.2", 0},
		{rpctest.Serve(t, minor(0, rpctest.Handler(func(_ *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
			res := nfs4.CompoundRes{Status: nfs4.OK}
			res.Encode(reply)
			return oncrpc.Success
		}))), "4.0", 0},
		{rpctest.Serve(t, minor(1, srv)), "4.1", 0},
		{rpctest.Serve(t, rpctest.Handler(func(call *oncrpc.Call, _ *oncrpc.Encoder) oncrpc.AcceptStat {
			if call.Version == 3 {
				return oncrpc.Success
			}
			return oncrpc.ProgMismatch(2, 3)
		})), "3", 0},
		{rpctest.Serve(t, stat(oncrpc.ProgMismatch(2, 2))), "none", 0},
		{rpctest.Serve(t, stat(oncrpc.ProgUnavail)), "none", remote.NotNFS},
		{rpctest.Accept(t, server.Silent), "none", remote.Silent},
		{dead(t), "none", remote.Unreachable},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		spoken, err := remote.Versions(ctx, test.addr)
		trouble := remote.Trouble(0)
		if a, ok := errors.AsType[*remote.Attempt](err); ok {
			trouble = a.Trouble
		}
		if spoken.String() != test.want || trouble != test.trouble {
			t.Errorf("%v, %v; want %s", spoken, err, test.want)
		}
	}
}

// TestBusy: a server that asks for patience until there is none says so, and it may pass.
func TestBusy(t *testing.T) {
	addr := rpctest.Serve(t, rpctest.Handler(func(_ *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		res := nfs4.CompoundRes{Status: nfs4.ErrDelay}
		res.Encode(reply)
		return oncrpc.Success
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := remote.Dial(ctx, remote.Config{Server: parse(t, addr)})
	e, ok := errors.AsType[*remote.Error](err)
	if !ok || e.Trouble() != remote.Silent || !e.Passing() || !strings.Contains(err.Error(), "the server still answers NFS4ERR_DELAY") {
		t.Errorf("%v", err)
	}
}
