// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/vfs"
)

// TestListLies: a directory that goes round in a circle comes to an end, and a name that leads elsewhere is handed to nobody.
func TestListLies(t *testing.T) {
	var next func() (name string, cookie uint64)
	s := &stub{}
	s.nfs = func(proc nfs3.Proc, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		if proc != nfs3.ProcReadDir {
			return (&stub{}).serveNFS(proc, reply)
		}
		name, cookie := next()
		(&nfs3.ReadDirHead{}).Encode(reply)
		reply.Bool(true)
		(&nfs3.DirEntry{Name: []byte(name), Cookie: cookie}).Encode(reply, false)
		reply.Bool(false)
		reply.Bool(false)
		return oncrpc.Success
	}
	addr := rpctest.Serve(t, s)
	fs := dial(t, nfs3client.Config{Addr: addr, MountAddr: addr, Export: "/homes", Timeout: patience})
	h := root(t, fs)

	parts := uint64(0)
	next = func() (string, uint64) {
		parts++
		return "x", 3 + parts%3
	}
	entries := 0
	_, err := fs.ReadDir(t.Context(), nil, h, 0, false, func(*vfs.DirEntry) bool {
		entries++
		return entries < 1000
	})
	if !errors.Is(err, syscall.EPROTO) {
		t.Errorf("a circle: %v after %d entries", err, entries)
	}
	for _, name := range []string{"", "../bob", "a\x00b"} {
		next = func() (string, uint64) { return name, 3 }
		_, err := fs.ReadDir(t.Context(), nil, h, 0, false, func(e *vfs.DirEntry) bool {
			t.Errorf("handed over: %q", e.Name)
			return false
		})
		if !errors.Is(err, syscall.EPROTO) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
}
