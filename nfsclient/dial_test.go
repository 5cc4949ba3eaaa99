// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/vfs"
)

// onlyMinor answers NFS4ERR_MINOR_VERS_MISMATCH to all versions but one, which next answers.
func onlyMinor(minor uint32, next oncrpc.Handler) rpctest.Handler {
	return func(call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		// The client's COMPOUNDs have an empty tag.
		if asked := binary.BigEndian.Uint32(call.Args.Rest()[4:]); next != nil && asked == minor {
			return next.ServeRPC(context.Background(), call, reply)
		}
		res := nfs4.CompoundRes{Status: nfs4.ErrMinorVersMismatch}
		res.Encode(reply)
		return oncrpc.Success
	}
}

// TestDialWrongServer connects to what is not a server for this client. Each says so, and none takes long.
func TestDialWrongServer(t *testing.T) {
	closed := rpctest.Accept(t, func(net.Conn) {})
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	tests := []struct {
		name, addr string
		minor      uint32
		errno      syscall.Errno
		says       string
	}{
		{name: "no address", addr: "localhost", says: "host:port"},
		{name: "no such version", addr: "127.0.0.1:1", minor: 3, says: "NFSv4.3"},
		{name: "refused", addr: refused.Addr().String(), errno: syscall.ECONNREFUSED, says: "refused"},
		{name: "closes", addr: closed, says: "not to be an NFS server"},
		{name: "HTTP", addr: rpctest.Accept(t, func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			io.Copy(io.Discard, c)
		}), says: "not to be an NFS server"},
		{name: "garbage", addr: rpctest.Accept(t, func(c net.Conn) {
			var call [12]byte
			io.ReadFull(c, call[:])
			// A reply to the call, which has nothing in it.
			c.Write(append([]byte{0x80, 0, 0, 8}, call[4], call[5], call[6], call[7], 0, 0, 0, 1))
			io.Copy(io.Discard, c)
		}), errno: syscall.EPROTO, says: "not to be an NFS server"},
		{name: "silence", addr: rpctest.Accept(t, func(c net.Conn) { io.Copy(io.Discard, c) }), errno: syscall.ETIMEDOUT, says: "did not answer in time"},
		{name: "another program", addr: rpctest.Serve(t, rpctest.Handler(func(*oncrpc.Call, *oncrpc.Encoder) oncrpc.AcceptStat {
			return oncrpc.ProgUnavail
		})), says: "does not serve NFSv4"},
		{name: "NFSv3", addr: rpctest.Serve(t, rpctest.Handler(func(*oncrpc.Call, *oncrpc.Encoder) oncrpc.AcceptStat {
			return oncrpc.ProgMismatch(2, 3)
		})), says: "versions 2 to 3, and not 4"},
		{name: "NFSv4.0", addr: rpctest.Serve(t, onlyMinor(0, nil)), errno: syscall.EPROTONOSUPPORT, says: "does not speak NFSv4.1 and 4.2"},
		{name: "not NFSv4.2", addr: rpctest.Serve(t, onlyMinor(1, nil)), minor: 2, errno: syscall.EPROTONOSUPPORT, says: "does not speak NFSv4.2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if test.name == "silence" {
				ctx = t.Context() // Config.Timeout is what counts
			}
			fs, err := nfsclient.Dial(ctx, nfsclient.Config{Addr: test.addr, MinorVersion: test.minor, Timeout: 300 * time.Millisecond})
			if err == nil {
				fs.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not say %q", err, test.says)
			}
			if test.errno != 0 && !errors.Is(err, test.errno) {
				t.Errorf("%q is not %q", err, test.errno)
			}
		})
	}
}

// TestFallBack connects to a server that has NFSv4.1 and not 4.2.
func TestFallBack(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	addr := rpctest.Serve(t, onlyMinor(1, s.handler))
	fs := dial(t, nfsclient.Config{Addr: addr, Export: path})
	h := root(t, fs)
	if _, err := fs.ListXattr(t.Context(), nil, h); !errors.Is(err, syscall.EOPNOTSUPP) {
		t.Errorf("extended attributes in NFSv4.1: %v", err)
	}
	if _, _, err := fs.Mkdir(t.Context(), nil, h, "dir", vfs.SetAttr{}); err != nil {
		t.Error(err)
	}
}

// TestExport finds the exported directory, or says what is not there.
func TestExport(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	for _, export := range []string{"", "/", "homes", path, path + "//"} {
		fs := dial(t, nfsclient.Config{Addr: s.addr, Export: export})
		if _, err := fs.Parent(t.Context(), nil, root(t, fs)); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("parent of the root of %q: %v", export, err)
		}
	}
	fs := dial(t, nfsclient.Config{Addr: s.addr, Export: "/homes/prod/ada"})
	_, err := fs.Root(t.Context())
	if want := `"prod" in /homes: no such file or directory`; err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("root of an export that is not there: %v, want %s", err, want)
	}
	file := dial(t, nfsclient.Config{Addr: s.addr, Export: path + "/file/x"})
	e := dial(t, nfsclient.Config{Addr: s.addr, Export: path})
	f, _, _, _, err := e.Create(t.Context(), nil, root(t, e), "file", vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := file.Root(t.Context()); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("root of an export below a file: %v", err)
	}
}

// TestErrors says what, to which name, where and why.
func TestErrors(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	fs := dial(t, nfsclient.Config{Addr: s.addr, Export: path})
	h := root(t, fs)
	_, err := fs.Lookup(t.Context(), nil, h, "x\n")
	if want := `lookup "x\n": ` + s.addr + `: no such file or directory`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	stranger := &vfs.Caller{UID: 7, GID: 7}
	_, _, _, _, err = fs.Create(t.Context(), stranger, h, "x", vfs.Create{}, vfs.Write)
	if want := `open "x": ` + s.addr + `: permission denied`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if !errors.Is(err, nfs4.ErrAccess) || nfs4.StatusOf(err) != nfs4.ErrAccess {
		t.Errorf("%v is not the status that the server answered", err)
	}
}

// TestPatience has the server ask for patience: the client has it until the deadline.
func TestPatience(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	fs := dial(t, nfsclient.Config{Addr: s.addr, Export: path})
	h := root(t, fs)
	left := 3
	s.memory.Hook("Mkdir", func() error {
		if left--; left >= 0 {
			return syscall.EAGAIN // NFS4ERR_DELAY
		}
		return nil
	})
	if _, _, err := fs.Mkdir(t.Context(), nil, h, "dir", vfs.SetAttr{}); err != nil {
		t.Errorf("mkdir: %v", err)
	}
	s.memory.Fail("Mkdir", syscall.EAGAIN)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err := fs.Mkdir(ctx, nil, h, "dir2", vfs.SetAttr{})
	if !errors.Is(err, nfs4.ErrDelay) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("mkdir without end: %v", err)
	}
}

// TestMadeAllTheSame has the look at a new file's attributes fail: what was made is not made again.
func TestMadeAllTheSame(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	fs := dial(t, nfsclient.Config{Addr: s.addr, Export: path})
	h := root(t, fs)
	once := func() func() error {
		failed := false
		return func() error {
			if !failed {
				failed = true
				return syscall.EAGAIN
			}
			return nil
		}
	}
	s.memory.Hook("GetAttr", once())
	e, _, err := fs.Mkdir(t.Context(), nil, h, "dir", vfs.SetAttr{})
	if err != nil || e.Attr.Type != vfs.Directory {
		t.Errorf("mkdir: %+v, %v", e, err)
	}
	s.memory.Hook("GetAttr", once())
	f, e, created, _, err := fs.Create(t.Context(), nil, h, "file", vfs.Create{Mode: vfs.Guarded}, vfs.Write)
	if err != nil || !created || e.Attr.Type != vfs.Regular {
		t.Fatalf("create: %+v, %v", e, err)
	}
	f.Close()
	s.memory.Hook("GetAttr", once())
	mode := uint32(0o600)
	a, err := fs.SetAttr(t.Context(), nil, e.Handle, vfs.SetAttr{Mode: &mode})
	if err != nil || a.Mode != mode {
		t.Errorf("setattr: %+v, %v", a, err)
	}
}
