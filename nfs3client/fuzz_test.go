// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/oncrpc/xdrtest"
	"github.com/hubhome/hubhome/vfs"
)

// FuzzReply has a server answer anything: every method ends, soon, with an error or without.
func FuzzReply(f *testing.F) {
	h := nfs3.Handle("h")
	attr := nfs3.PostOpAttr{Follows: true, Attr: nfs3.Attr{Type: nfs3.TypeDir, Mode: 0o755}}
	f.Add(status(nfs3.ErrStale))
	f.Add(status(nfs3.ErrJukebox))
	f.Add(xdrtest.Encode(&nfs3.GetAttrRes{Attr: attr.Attr}))
	f.Add(xdrtest.Encode(&nfs3.LookupRes{Object: h, Attr: attr}))
	f.Add(xdrtest.Encode(&nfs3.MakeRes{Object: h, Attr: attr}))
	f.Add(xdrtest.Encode(&nfs3.ReadRes{Count: 9, Data: []byte("more than was asked for, by a server that does not count")}))
	f.Add(xdrtest.Encode(&nfs3.WriteRes{Count: 1 << 30, Committed: 7}))
	list := oncrpc.NewEncoder(nil)
	(&nfs3.ReadDirHead{}).Encode(list)
	for range 2 { // the same over and over, without end
		list.Bool(true)
		(&nfs3.DirEntry{Name: []byte("x"), Cookie: 3, Handle: h, Attr: attr}).Encode(list, true)
	}
	list.Bool(false)
	list.Bool(false)
	f.Add(list.Bytes())

	ctx := context.Background()
	var lie atomic.Pointer[[]byte]
	s := &stub{}
	s.nfs = func(proc nfs3.Proc, reply *oncrpc.Encoder) oncrpc.AcceptStat {
		if results := lie.Load(); results != nil {
			reply.Append(*results)
			return oncrpc.Success
		}
		return (&stub{}).serveNFS(proc, reply)
	}
	addr := rpctest.Serve(f, s)
	f.Fuzz(func(t *testing.T, results []byte) {
		fs, err := nfs3client.Dial(ctx, nfs3client.Config{Addr: addr, MountAddr: addr, Export: "/homes", Timeout: patience})
		if err != nil {
			t.Fatal(err)
		}
		h, err := fs.Root(ctx)
		if err != nil {
			t.Fatal(err)
		}
		lie.Store(&results)
		use(ctx, fs, h)
		lie.Store(nil)
		if err := fs.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// use calls what decodes replies. An error is as good as none.
func use(ctx context.Context, fs *nfs3client.FS, h vfs.Handle) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	fs.GetAttr(ctx, h)
	fs.SetAttr(ctx, nil, h, vfs.SetAttr{})
	fs.Lookup(ctx, nil, h, "x")
	fs.Parent(ctx, nil, h)
	for _, withAttr := range []bool{false, true} {
		entries := 0
		fs.ReadDir(ctx, nil, h, 0, withAttr, func(*vfs.DirEntry) bool {
			entries++
			return entries < 100
		})
	}
	fs.ReadLink(ctx, nil, h)
	fs.Remove(ctx, nil, h, "x")
	fs.Rename(ctx, nil, h, "x", h, "y")
	fs.Link(ctx, nil, h, h, "y")
	fs.Mkdir(ctx, nil, h, "x", vfs.SetAttr{})
	fs.StatFS(ctx, h)
	for _, mode := range []vfs.CreateMode{vfs.Unchecked, vfs.Guarded, vfs.Exclusive} {
		file, _, _, _, err := fs.Create(ctx, nil, h, "x", vfs.Create{Mode: mode}, vfs.Read|vfs.Write)
		if err != nil {
			continue
		}
		file.ReadAt(ctx, make([]byte, 8), 0)
		file.WriteAt(ctx, make([]byte, 8), 0, vfs.Unstable)
		file.Truncate(ctx, 5)
		file.Commit(ctx)
	}
}
