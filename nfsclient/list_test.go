// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/vfs"
)

// TestListLies: a directory that goes round in a circle comes to an end, and a name that leads elsewhere is handed to nobody.
func TestListLies(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	l := &liar{next: s.handler}
	part := func(name string, cookie uint64) *[]byte {
		reply := lie(nfs4.OK, ok(nfs4.OpPutFH), func(e *oncrpc.Encoder) {
			ok(nfs4.OpReadDir)(e)
			list := nfs4.ReadDirRes{Entries: []nfs4.DirEntry{{Cookie: cookie, Name: []byte(name)}}}
			list.Encode(e)
		})
		return &reply
	}
	fs := dial(t, nfsclient.Config{Addr: rpctest.Serve(t, l), Export: path, Timeout: patience})
	h := root(t, fs)

	parts := [...]*[]byte{part("a", 3), part("b", 4), part("c", 5)}
	entries := 0
	l.answer.Store(parts[0])
	_, err := fs.ReadDir(t.Context(), nil, h, 0, false, func(*vfs.DirEntry) bool {
		entries++
		l.answer.Store(parts[entries%len(parts)])
		return entries < 1000
	})
	if !errors.Is(err, syscall.EPROTO) {
		t.Errorf("a circle: %v after %d entries", err, entries)
	}
	for _, name := range []string{"", ".", "..", "../bob", "a\x00b"} {
		l.answer.Store(part(name, 3))
		_, err := fs.ReadDir(t.Context(), nil, h, 0, false, func(e *vfs.DirEntry) bool {
			t.Errorf("handed over: %q", e.Name)
			return false
		})
		if !errors.Is(err, syscall.EPROTO) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	l.answer.Store(nil)
}

// TestListLittle lists at a server that has few attributes: a file takes what it is long, and one of which nothing can be said is
// handed to nobody.
func TestListLittle(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	l := &liar{next: s.handler}
	fs := dial(t, nfsclient.Config{Addr: rpctest.Serve(t, l), Export: path, Timeout: patience})
	h := root(t, fs)
	for _, test := range []struct {
		has    nfs4.Bitmap
		handed bool
	}{
		{nfs4.AttrsOf(nfs4.AttrType, nfs4.AttrChange, nfs4.AttrSize, nfs4.AttrFilehandle), true},
		{nfs4.AttrsOf(nfs4.AttrType, nfs4.AttrSize, nfs4.AttrFilehandle), false},
	} {
		attrs := nfs4.Attrs{Mask: test.has, Type: nfs4.TypeReg, Size: 12345, Filehandle: []byte("a handle")}
		reply := lie(nfs4.OK, ok(nfs4.OpPutFH), func(e *oncrpc.Encoder) {
			ok(nfs4.OpReadDir)(e)
			list := nfs4.ReadDirRes{Entries: []nfs4.DirEntry{{Cookie: 3, Name: []byte("file"), Attrs: attrs.Fattr()}}, EOF: true}
			list.Encode(e)
		})
		l.answer.Store(&reply)
		var handed []vfs.DirEntry
		end, err := fs.ReadDir(t.Context(), nil, h, 0, true, func(e *vfs.DirEntry) bool {
			handed = append(handed, *e)
			return true
		})
		if end != test.handed || (err == nil) != test.handed || (len(handed) == 1) != test.handed {
			t.Errorf("with %v it hands over %v, %v", test.has, handed, err)
		}
		if test.handed && (handed[0].Attr.Used != 12345 || handed[0].Handle != "a handle") {
			t.Errorf("it says %+v", handed[0])
		}
	}
	l.answer.Store(nil)
}
