// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
	"github.com/hubhome/hubhome/vfs"
)

// liar answers what it is told to, in place of a server: every request of a session while there is something to answer.
type liar struct {
	next   oncrpc.Handler
	answer atomic.Pointer[[]byte]
}

func (l *liar) ServeRPC(ctx context.Context, call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
	d := oncrpc.NewDecoder(call.Args.Rest())
	var head nfs4.CompoundArgs
	head.Decode(d)
	lie := l.answer.Load()
	if lie == nil || nfs4.Op(d.Uint32()) != nfs4.OpSequence {
		return l.next.ServeRPC(ctx, call, reply)
	}
	reply.Append(*lie)
	return oncrpc.Success
}

// lie is a reply to a COMPOUND whose SEQUENCE went well, with results that follow.
func lie(status nfs4.Status, results ...func(*oncrpc.Encoder)) []byte {
	e := oncrpc.NewEncoder(nil)
	head := nfs4.CompoundRes{Status: status, Ops: 1 + len(results)}
	head.Encode(e)
	nfs4.ResOp{Op: nfs4.OpSequence}.Encode(e)
	new(nfs4.SequenceRes).Encode(e)
	for _, result := range results {
		result(e)
	}
	return e.Bytes()
}

// ok is the result of an operation that says nothing, or nothing yet.
func ok(op nfs4.Op) func(*oncrpc.Encoder) {
	return func(e *oncrpc.Encoder) { nfs4.ResOp{Op: op}.Encode(e) }
}

// FuzzReply has a server answer anything: every method ends, soon, with an error or without.
func FuzzReply(f *testing.F) {
	put := ok(nfs4.OpPutFH)
	f.Add(lie(nfs4.OK))
	f.Add(lie(nfs4.ErrStale, put))
	f.Add(lie(nfs4.OK, put, func(e *oncrpc.Encoder) {
		ok(nfs4.OpGetAttr)(e)
		a := nfs4.Attrs{Mask: nfs4.AttrsOf(nfs4.AttrType, nfs4.AttrChange, nfs4.AttrSize), Type: nfs4.TypeDir}
		a.Encode(e, a.Mask)
	}))
	f.Add(lie(nfs4.OK, put, func(e *oncrpc.Encoder) {
		ok(nfs4.OpReadDir)(e)
		list := nfs4.ReadDirRes{Entries: []nfs4.DirEntry{{Cookie: 3, Name: []byte("x")}}, EOF: true}
		list.Encode(e)
	}))
	f.Add(lie(nfs4.OK, put, func(e *oncrpc.Encoder) {
		ok(nfs4.OpRead)(e)
		data := nfs4.ReadRes{Data: []byte("more than was asked for, by a server that does not count")}
		data.Encode(e)
	}))
	f.Add(lie(nfs4.OK, put, func(e *oncrpc.Encoder) {
		ok(nfs4.OpWrite)(e)
		res := nfs4.WriteRes{Count: 1 << 30, Committed: 7}
		res.Encode(e)
	}))
	f.Add(lie(nfs4.OK, put, func(e *oncrpc.Encoder) {
		ok(nfs4.OpListXattrs)(e)
		names := nfs4.ListXattrsRes{Names: [][]byte{[]byte("x")}}
		names.Encode(e)
	}))

	ctx := context.Background()
	s := serve(f)
	path, _ := s.home("ada")
	l := &liar{next: s.handler}
	addr := rpctest.Serve(f, l)
	f.Fuzz(func(t *testing.T, reply []byte) {
		fs, err := nfsclient.Dial(ctx, nfsclient.Config{Addr: addr, Export: path, Timeout: patience})
		if err != nil {
			t.Fatal(err)
		}
		h, err := fs.Root(ctx)
		if err != nil {
			t.Fatal(err)
		}
		file, _, _, _, err := fs.Create(ctx, nil, h, "file", vfs.Create{}, vfs.Read|vfs.Write)
		if err != nil {
			t.Fatal(err)
		}
		l.answer.Store(&reply)
		use(ctx, fs, h, file)
		l.answer.Store(nil)
		if err := file.Close(); err != nil {
			t.Logf("close: %v", err)
		}
		if err := fs.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// use calls what decodes replies. An error is as good as none.
func use(ctx context.Context, fs *nfsclient.FS, h vfs.Handle, file vfs.File) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	fs.GetAttr(ctx, h)
	fs.Lookup(ctx, nil, h, "x")
	entries := 0
	fs.ReadDir(ctx, nil, h, 0, true, func(*vfs.DirEntry) bool {
		entries++
		return entries < 100
	})
	fs.ReadLink(ctx, nil, h)
	fs.Remove(ctx, nil, h, "x")
	fs.Rename(ctx, nil, h, "x", h, "y")
	fs.Mkdir(ctx, nil, h, "x", vfs.SetAttr{})
	fs.ListXattr(ctx, nil, h)
	fs.GetXattr(ctx, nil, h, "x")
	fs.StatFS(ctx, h)
	fs.Open(ctx, nil, h, vfs.Read)
	file.ReadAt(ctx, make([]byte, 8), 0)
	file.WriteAt(ctx, make([]byte, 8), 0, vfs.Unstable)
	file.Commit(ctx)
	file.Seek(ctx, vfs.SeekData, 0)
	file.CopyFrom(ctx, file, 0, 100, 8)
}
