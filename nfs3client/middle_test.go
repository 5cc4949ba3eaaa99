// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"context"
	"sync"
	"testing"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/oncrpc/rpctest"
)

// middle is what stands between a client and a server of NFS and may change what is said.
type middle struct {
	server *oncrpc.Client

	mu   sync.Mutex
	hook hook
}

// hook answers a call to a procedure of NFS. forward asks the server and returns its results. ok false: the connection
// is lost instead.
type hook func(proc nfs3.Proc, forward func() []byte) (results []byte, ok bool)

// between starts what stands in front of a server until the test ends, and returns its address.
func between(t *testing.T, server string, h hook) (m *middle, addr string) {
	t.Helper()
	conn, err := oncrpc.Dial(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	m = &middle{server: conn, hook: h}
	addr = rpctest.Serve(t, m)
	t.Cleanup(func() { conn.Close() })
	return m, addr
}

// set replaces the hook; nil changes nothing.
func (m *middle) set(h hook) {
	m.mu.Lock()
	m.hook = h
	m.mu.Unlock()
}

func (m *middle) ServeRPC(ctx context.Context, call *oncrpc.Call, reply *oncrpc.Encoder) oncrpc.AcceptStat {
	m.mu.Lock()
	h := m.hook
	m.mu.Unlock()
	forward := func() []byte {
		args := call.Args.Rest()
		r, err := m.server.Call(ctx, call.Program, call.Version, call.Procedure, &call.Cred, func(e *oncrpc.Encoder) { e.Append(args) }, nil)
		if err != nil {
			return nil
		}
		defer r.Release()
		return append([]byte(nil), r.Rest()...)
	}
	results, ok := []byte(nil), true
	if h == nil {
		results = forward()
	} else {
		results, ok = h(nfs3.Proc(call.Procedure), forward)
	}
	if !ok {
		call.Conn.Close()
		return oncrpc.Drop
	}
	reply.Append(results)
	return oncrpc.Success
}

// once is a hook that does something with the first call of a procedure.
func once(proc nfs3.Proc, h hook) hook {
	var first sync.Once
	return func(p nfs3.Proc, forward func() []byte) (results []byte, ok bool) {
		if p == proc {
			done := false
			first.Do(func() {
				results, ok = h(p, forward)
				done = true
			})
			if done {
				return results, ok
			}
		}
		return forward(), true
	}
}

// Hooks that lose the connection before and after the server has done what it was asked.
func loseRequest(nfs3.Proc, func() []byte) ([]byte, bool) { return nil, false }

func loseReply(_ nfs3.Proc, forward func() []byte) ([]byte, bool) {
	forward()
	return nil, false
}

// status is a result that is a status and as many zeros as any result needs to decode.
func status(s nfs3.Status) []byte {
	e := oncrpc.NewEncoder(nil)
	e.Uint32(uint32(s))
	e.Append(make([]byte, 128))
	return e.Bytes()
}

// bare is a hook that leaves out of results all that a server may leave out: attributes, and handles of what was made.
func bare(proc nfs3.Proc, forward func() []byte) ([]byte, bool) {
	results := forward()
	d, e := oncrpc.NewDecoder(results), oncrpc.NewEncoder(nil)
	switch proc {
	case nfs3.ProcSetAttr, nfs3.ProcRemove, nfs3.ProcRmdir:
		var res nfs3.WccRes
		res.Decode(d)
		res.Wcc = nfs3.WccData{}
		res.Encode(e)
	case nfs3.ProcLookup:
		var res nfs3.LookupRes
		res.Decode(d)
		res.Attr, res.Dir = nfs3.PostOpAttr{}, nfs3.PostOpAttr{}
		res.Encode(e)
	case nfs3.ProcAccess:
		var res nfs3.AccessRes
		res.Decode(d)
		res.Attr = nfs3.PostOpAttr{}
		res.Encode(e)
	case nfs3.ProcCreate, nfs3.ProcMkdir, nfs3.ProcSymlink, nfs3.ProcMknod:
		var res nfs3.MakeRes
		res.Decode(d)
		res.Object, res.Attr, res.DirWcc = nil, nfs3.PostOpAttr{}, nfs3.WccData{}
		res.Encode(e)
	case nfs3.ProcRename:
		var res nfs3.RenameRes
		res.Decode(d)
		res.FromWcc, res.ToWcc = nfs3.WccData{}, nfs3.WccData{}
		res.Encode(e)
	case nfs3.ProcLink:
		var res nfs3.LinkRes
		res.Decode(d)
		res.Attr, res.DirWcc = nfs3.PostOpAttr{}, nfs3.WccData{}
		res.Encode(e)
	case nfs3.ProcReadDirPlus:
		return status(nfs3.ErrNotSupp), true
	default:
		return results, true
	}
	return e.Bytes(), true
}
