// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/vfs"
)

// says answers every connection with some bytes, once the client has said something.
func says(t *testing.T, reply func(xid []byte) []byte) (addr string) {
	return rpctest.Accept(t, func(c net.Conn) {
		var call [8]byte // the mark and the xid
		if _, err := io.ReadFull(c, call[:]); err == nil {
			c.Write(reply(call[4:]))
			io.Copy(io.Discard, c)
		}
	})
}

// stub is a server of NFSv3 and MOUNT at one port that knows no more than what connecting takes. With mount it answers
// MOUNT, with fsinfo FSINFO.
type stub struct {
	mount  func(proc nfs3.MountProc, args *oncrpc.Decoder, reply *oncrpc.Encoder) oncrpc.AcceptStat
	nfs    func(proc nfs3.Proc, reply *oncrpc.Encoder) oncrpc.AcceptStat
	refuse oncrpc.AcceptStat // of all NFS, where not Success
}

var stubHandle = nfs3.Handle("the root")

func (s *stub) ServeRPC(_ context.Context, call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
	switch {
	case call.Program == nfs3.Program && call.Version == nfs3.Version:
		if s.refuse != oncrpc.Success {
			return s.refuse
		}
		return s.serveNFS(nfs3.Proc(call.Procedure), reply)
	case call.Program == nfs3.MountProgram && call.Version == nfs3.MountVersion:
		return s.serveMount(nfs3.MountProc(call.Procedure), call.Args, reply)
	}
	return oncrpc.ProgUnavail
}

func (s *stub) serveNFS(proc nfs3.Proc, reply *oncrpc.Encoder) oncrpc.AcceptStat {
	switch {
	case s.nfs != nil:
		return s.nfs(proc, reply)
	case proc == nfs3.ProcFSInfo:
		(&nfs3.FSInfoRes{RTMax: 1 << 20, WTMax: 1 << 20, DTPref: 8 << 10}).Encode(reply)
	}
	return oncrpc.Success
}

func (s *stub) serveMount(proc nfs3.MountProc, args *oncrpc.Decoder, reply *oncrpc.Encoder) oncrpc.AcceptStat {
	switch {
	case s.mount != nil && proc != nfs3.MountProcNull:
		return s.mount(proc, args, reply)
	case proc == nfs3.MountProcMnt:
		(&nfs3.MountRes{Handle: stubHandle, Flavors: []oncrpc.Flavor{oncrpc.AuthSys}}).Encode(reply)
	case proc == nfs3.MountProcExport:
		(&nfs3.ExportRes{}).Encode(reply)
	}
	return oncrpc.Success
}

// exporting is a MOUNT service that exports paths: those in open to everybody, the others to nobody.
func exporting(open, closed []string) func(nfs3.MountProc, *oncrpc.Decoder, *oncrpc.Encoder) oncrpc.AcceptStat {
	return func(proc nfs3.MountProc, args *oncrpc.Decoder, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		switch proc {
		case nfs3.MountProcMnt:
			var path nfs3.PathArgs
			path.Decode(args)
			res := nfs3.MountRes{Status: nfs3.MountErrNoEnt, Handle: stubHandle}
			if slices.Contains(open, string(path.Path)) {
				res.Status = nfs3.MountOK
			} else if slices.Contains(closed, string(path.Path)) {
				res.Status = nfs3.MountErrAcces
			}
			res.Encode(reply)
		case nfs3.MountProcExport:
			var res nfs3.ExportRes
			for _, path := range slices.Concat(open, closed) {
				res.Exports = append(res.Exports, nfs3.Export{Dir: []byte(path), Groups: [][]byte{[]byte("10.0.0.0/8")}})
			}
			res.Encode(reply)
		}
		return oncrpc.Success
	}
}

// many are n paths.
func many(n int) (paths []string) {
	for i := range n {
		paths = append(paths, fmt.Sprintf("/%d", i))
	}
	return paths
}

// TestDialWrongServer connects to what is not a server for this client. Each says so, and none takes long.
func TestDialWrongServer(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	none := func(net.Conn) {}
	silent := func(c net.Conn) { io.Copy(io.Discard, c) }
	good := rpctest.Serve(t, &stub{})
	only := func(stat oncrpc.AcceptStat) rpctest.Handler {
		return func(*oncrpc.Call, *oncrpc.Encoder) oncrpc.AcceptStat { return stat }
	}
	tests := []struct {
		name        string
		addr, mount string // mount is addr where empty
		errno       syscall.Errno
		says        string
	}{
		{name: "no address", addr: "localhost", says: "host:port"},
		{name: "no address of MOUNT", addr: good, mount: "localhost", says: "MOUNT service"},
		{name: "refused", addr: refused.Addr().String(), errno: syscall.ECONNREFUSED, says: "refused"},
		{name: "closes", addr: rpctest.Accept(t, none), says: "not to be an NFS server"},
		{name: "HTTP", addr: says(t, func([]byte) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }), says: "not to be an NFS server"},
		{name: "giant length", addr: says(t, func([]byte) []byte { return []byte{0xff, 0xff, 0xff, 0xff} }), says: "not to be an NFS server"},
		{name: "garbage", addr: says(t, func(xid []byte) []byte { // a reply to the call, which has nothing in it
			return append([]byte{0x80, 0, 0, 8}, xid[0], xid[1], xid[2], xid[3], 0, 0, 0, 1)
		}), errno: syscall.EPROTO, says: "not to be an NFS server"},
		{name: "the reply to another call", addr: says(t, func(xid []byte) []byte {
			reply := append([]byte{0x80, 0, 0, 24}, xid[0], xid[1], xid[2], xid[3]+1, 0, 0, 0, 1)
			return append(reply, make([]byte, 16)...)
		}), errno: syscall.ETIMEDOUT, says: "did not answer in time"},
		{name: "silence", addr: rpctest.Accept(t, silent), errno: syscall.ETIMEDOUT, says: "did not answer in time"},
		{name: "another program", addr: rpctest.Serve(t, only(oncrpc.ProgUnavail)), says: "does not serve NFSv3"},
		{name: "NFSv4 alone", addr: rpctest.Serve(t, only(oncrpc.ProgMismatch(4, 4))), says: "versions 4 to 4, and not 3"},
		{name: "does not take the client", addr: rpctest.Serve(t, only(oncrpc.AuthTooWeak)), errno: syscall.EACCES, says: "reserved port"},
		{name: "no MOUNT", addr: good, mount: refused.Addr().String(), errno: syscall.ECONNREFUSED, says: "MOUNT service cannot be had"},
		{name: "silent MOUNT", addr: good, mount: rpctest.Accept(t, silent), errno: syscall.ETIMEDOUT, says: "MOUNT service cannot be had"},
		{name: "another MOUNT", addr: good, mount: rpctest.Serve(t, only(oncrpc.ProgUnavail)), says: "MOUNT service cannot be had"},
		{name: "not exported", addr: rpctest.Serve(t, &stub{mount: exporting([]string{"/data", "/scratch"}, nil)}), errno: syscall.ENOENT,
			says: `/homes/prod is not exported, but "/data", "/scratch"`},
		{name: "not exported, among many", addr: rpctest.Serve(t, &stub{mount: exporting([]string{"/\x1b[2J"}, many(10_000))}), errno: syscall.ENOENT,
			says: `/homes/prod is not exported, but "/\x1b[2J", "/0", "/1"`},
		{name: "not to this client", addr: rpctest.Serve(t, &stub{mount: exporting(nil, []string{"/homes"})}), errno: syscall.EACCES,
			says: "exports /homes, and not to this client"},
		{name: "Kerberos alone", addr: rpctest.Serve(t, &stub{mount: func(_ nfs3.MountProc, _ *oncrpc.Decoder, reply *oncrpc.Encoder) oncrpc.AcceptStat {
			(&nfs3.MountRes{Handle: stubHandle, Flavors: []oncrpc.Flavor{390003}}).Encode(reply)
			return oncrpc.Success
		}}), errno: syscall.EACCES, says: "does not take AUTH_SYS"},
		{name: "an empty handle", addr: rpctest.Serve(t, &stub{mount: func(_ nfs3.MountProc, _ *oncrpc.Decoder, reply *oncrpc.Encoder) oncrpc.AcceptStat {
			(&nfs3.MountRes{}).Encode(reply)
			return oncrpc.Success
		}}), errno: syscall.EPROTO, says: "no bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if test.errno == syscall.ETIMEDOUT {
				ctx = t.Context() // Config.Timeout is what counts
			}
			cfg := nfs3client.Config{Addr: test.addr, MountAddr: test.mount, Export: "/homes/prod", Timeout: 300 * time.Millisecond}
			if cfg.MountAddr == "" && cfg.Addr != "localhost" {
				cfg.MountAddr = cfg.Addr
			}
			fs, err := nfs3client.Dial(ctx, cfg)
			if err == nil {
				fs.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not say %q", err, test.says)
			}
			if len(err.Error()) > 500 {
				t.Errorf("it takes %d bytes to say it", len(err.Error()))
			}
			if test.errno != 0 && !errors.Is(err, test.errno) {
				t.Errorf("%q is not %q", err, test.errno)
			}
			if test.mount != "" && test.says != "MOUNT service" && !errors.Is(err, nfs3client.ErrNoMountd) {
				t.Errorf("%q is not ErrNoMountd", err)
			}
		})
	}
}

// TestMountAtNFS has no port mapper that knows MOUNT: it is found at the port of NFS.
func TestMountAtNFS(t *testing.T) {
	fs := dial(t, nfs3client.Config{Addr: rpctest.Serve(t, &stub{}), Export: "/homes", Timeout: patience})
	if h := root(t, fs); string(h) != string(stubHandle) || fs.Mounted() != "/homes" {
		t.Errorf("mounted %s with the handle %q", fs.Mounted(), h)
	}
	addr := rpctest.Serve(t, rpctest.Handler(func(call *oncrpc.Call, _ *oncrpc.Encoder) oncrpc.AcceptStat {
		if call.Program == nfs3.Program {
			return oncrpc.Success
		}
		return oncrpc.ProgUnavail
	}))
	fs, err := nfs3client.Dial(t.Context(), nfs3client.Config{Addr: addr, Export: "/homes", Timeout: patience})
	if err == nil {
		fs.Close()
		t.Fatal("no error without MOUNT")
	}
	for _, part := range []string{"MOUNT service cannot be had", "port mapper at 127.0.0.1:111", "at the port of NFS", "PROG_UNAVAIL"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// TestFindExport finds what of a path can be mounted.
func TestFindExport(t *testing.T) {
	exports := rpctest.Serve(t, &stub{mount: exporting([]string{"/homes/", "/homes/prod", "/"}, []string{"/homes/secret"})})
	hidden := rpctest.Serve(t, &stub{mount: func(proc nfs3.MountProc, args *oncrpc.Decoder, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		if proc == nfs3.MountProcExport {
			return oncrpc.ProcUnavail
		}
		return exporting([]string{"/vol/homes"}, nil)(proc, args, reply)
	}})
	for _, test := range []struct {
		addr, path, want string
		errno            syscall.Errno
	}{
		{exports, "/homes/prod", "/homes/prod", 0},
		{exports, "homes/prod//", "/homes/prod", 0},
		{exports, "/homes/prod/ada/x", "/homes/prod", 0},
		{exports, "/homes/production", "/homes/", 0},
		{exports, "/homework", "/", 0},
		{exports, "", "/", 0},
		{exports, "/homes/secret/../prod/ada", "/homes/prod", 0},
		{hidden, "/vol/homes/prod", "/vol/homes", 0},
		{hidden, "/vol", "", syscall.ENOENT},
		{hidden, "/" + strings.Repeat("x", 1024), "", syscall.ENAMETOOLONG},
	} {
		cfg := nfs3client.Config{Addr: test.addr, MountAddr: test.addr, Timeout: patience}
		got, err := nfs3client.FindExport(t.Context(), cfg, test.path)
		if got != test.want || test.errno == 0 && err != nil || test.errno != 0 && !errors.Is(err, test.errno) {
			t.Errorf("%q: %q, %v; want %q, %v", test.path, got, err, test.want, test.errno)
		}
	}
	list, err := nfs3client.Exports(t.Context(), nfs3client.Config{Addr: exports, MountAddr: exports})
	want := []nfs3client.Export{
		{"/homes/", []string{"10.0.0.0/8"}}, {"/homes/prod", []string{"10.0.0.0/8"}}, {"/", []string{"10.0.0.0/8"}}, {"/homes/secret", []string{"10.0.0.0/8"}},
	}
	if err != nil || fmt.Sprint(list) != fmt.Sprint(want) {
		t.Errorf("exported are %v, %v; want %v", list, err, want)
	}
	if _, err := nfs3client.Exports(t.Context(), nfs3client.Config{Addr: hidden, MountAddr: hidden}); err == nil {
		t.Error("no error where the server does not tell")
	}
}

// TestClosed uses an FS after its end.
func TestClosed(t *testing.T) {
	fs, err := nfs3client.Dial(t.Context(), nfs3client.Config{Addr: rpctest.Serve(t, &stub{}), Export: "/homes"})
	if err != nil {
		t.Fatal(err)
	}
	h := root(t, fs)
	for range 2 {
		if err := fs.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := fs.GetAttr(t.Context(), h); !errors.Is(err, syscall.ESHUTDOWN) {
		t.Errorf("getattr after close: %v", err)
	}
}

// TestCloseEnds closes an FS while a call waits for its answer.
func TestCloseEnds(t *testing.T) {
	asked := make(chan struct{})
	release := make(chan struct{})
	s := &stub{}
	s.nfs = func(proc nfs3.Proc, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		if proc == nfs3.ProcGetAttr {
			close(asked)
			<-release
			return oncrpc.Drop
		}
		return (&stub{}).serveNFS(proc, reply)
	}
	fs, err := nfs3client.Dial(t.Context(), nfs3client.Config{Addr: rpctest.Serve(t, s), Export: "/homes", Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer close(release)
	ended := make(chan error, 1)
	h := root(t, fs)
	go func() {
		_, err := fs.GetAttr(context.Background(), h)
		ended <- err
	}()
	<-asked
	fs.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, syscall.ESHUTDOWN) {
			t.Errorf("getattr: %v", err)
		}
	case <-time.After(patience):
		t.Error("the call goes on")
	}
}

// TestErrors says what, to which name, where and why.
func TestErrors(t *testing.T) {
	s := &stub{}
	s.nfs = func(proc nfs3.Proc, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		if proc == nfs3.ProcLookup {
			(&nfs3.LookupRes{Status: nfs3.ErrNoEnt}).Encode(reply)
			return oncrpc.Success
		}
		return (&stub{}).serveNFS(proc, reply)
	}
	addr := rpctest.Serve(t, s)
	fs := dial(t, nfs3client.Config{Addr: addr, MountAddr: addr, Export: "/homes"})
	_, err := fs.Lookup(t.Context(), nil, root(t, fs), "x\n")
	if want := `lookup "x\n": ` + addr + `: no such file or directory`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if !errors.Is(err, nfs3.ErrNoEnt) {
		t.Errorf("%v is not the status that the server answered", err)
	}
	below := dial(t, nfs3client.Config{Addr: rpctest.Serve(t, &stub{nfs: s.nfs, mount: exporting([]string{"/homes"}, nil)}), Export: "/homes/prod/ada", Timeout: patience})
	_, err = below.Root(t.Context())
	if want := `"prod" in /homes: no such file or directory`; err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("root of a path that is not there: %v, want %s", err, want)
	}
	if below.Mounted() != "/homes" {
		t.Errorf("mounted is %s", below.Mounted())
	}
}

// TestNotInVersion: what NFSv3 does not have is refused, and nothing is asked.
func TestNotInVersion(t *testing.T) {
	fs := dial(t, nfs3client.Config{Addr: rpctest.Serve(t, &stub{}), Export: "/homes", Timeout: patience})
	h := root(t, fs)
	_, err := fs.GetXattr(t.Context(), nil, h, "x")
	_, err2 := fs.ListXattr(t.Context(), nil, h)
	_, err3 := fs.SetXattr(t.Context(), nil, h, "x", nil, vfs.XattrEither)
	_, err4 := fs.RemoveXattr(t.Context(), nil, h, "x")
	for _, err := range []error{err, err2, err3, err4} {
		if !errors.Is(err, syscall.EOPNOTSUPP) {
			t.Errorf("%v, want EOPNOTSUPP", err)
		}
	}
}
