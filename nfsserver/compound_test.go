// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
)

// message is a part of a COMPOUND that writes and reads itself.
type message interface {
	Encode(*oncrpc.Encoder)
	Decode(*oncrpc.Decoder)
}

// op is one operation of a request; args is nil where it has none.
type op struct {
	num  nfs4.Op
	args message
}

// result is one result of a reply. res is nil where there is nothing but a status.
type result struct {
	op     nfs4.Op
	status nfs4.Status
	res    message
}

// results makes what follows NFS4_OK of each operation that has anything there.
var results = map[nfs4.Op]func() message{
	nfs4.OpAccess:            func() message { return new(nfs4.AccessRes) },
	nfs4.OpClose:             func() message { return new(nfs4.CloseRes) },
	nfs4.OpCommit:            func() message { return new(nfs4.CommitRes) },
	nfs4.OpCreate:            func() message { return new(nfs4.CreateRes) },
	nfs4.OpGetAttr:           func() message { return new(nfs4.GetAttrRes) },
	nfs4.OpGetFH:             func() message { return new(nfs4.GetFHRes) },
	nfs4.OpLink:              func() message { return new(nfs4.LinkRes) },
	nfs4.OpLock:              func() message { return new(nfs4.LockRes) },
	nfs4.OpLockU:             func() message { return new(nfs4.LockURes) },
	nfs4.OpOpen:              func() message { return new(nfs4.OpenRes) },
	nfs4.OpOpenDowngrade:     func() message { return new(nfs4.OpenDowngradeRes) },
	nfs4.OpRead:              func() message { return new(nfs4.ReadRes) },
	nfs4.OpReadDir:           func() message { return new(nfs4.ReadDirRes) },
	nfs4.OpReadLink:          func() message { return new(nfs4.ReadLinkRes) },
	nfs4.OpRemove:            func() message { return new(nfs4.RemoveRes) },
	nfs4.OpRename:            func() message { return new(nfs4.RenameRes) },
	nfs4.OpSecInfo:           func() message { return new(nfs4.SecInfoRes) },
	nfs4.OpSecInfoNoName:     func() message { return new(nfs4.SecInfoRes) },
	nfs4.OpSetAttr:           func() message { return new(nfs4.SetAttrRes) },
	nfs4.OpWrite:             func() message { return new(nfs4.WriteRes) },
	nfs4.OpBindConnToSession: func() message { return new(nfs4.BindConnToSessionRes) },
	nfs4.OpExchangeID:        func() message { return new(nfs4.ExchangeIDRes) },
	nfs4.OpCreateSession:     func() message { return new(nfs4.CreateSessionRes) },
	nfs4.OpSequence:          func() message { return new(nfs4.SequenceRes) },
	nfs4.OpTestStateid:       func() message { return new(nfs4.TestStateidRes) },
	nfs4.OpCopy:              func() message { return new(nfs4.CopyRes) },
	nfs4.OpSeek:              func() message { return new(nfs4.SeekRes) },
	nfs4.OpIOAdvise:          func() message { return new(nfs4.IOAdviseRes) },
	nfs4.OpGetXattr:          func() message { return new(nfs4.GetXattrRes) },
	nfs4.OpSetXattr:          func() message { return new(nfs4.SetXattrRes) },
	nfs4.OpListXattrs:        func() message { return new(nfs4.ListXattrsRes) },
	nfs4.OpRemoveXattr:       func() message { return new(nfs4.RemoveXattrRes) },
}

// follows is what follows the status of an operation's result; nil: nothing.
func follows(o nfs4.Op, status nfs4.Status) message {
	switch {
	case o == nfs4.OpSetAttr:
		return new(nfs4.SetAttrRes) // whatever the status (RFC 8881 section 18.30.2)
	case status == nfs4.ErrDenied && (o == nfs4.OpLock || o == nfs4.OpLockT):
		return new(nfs4.LockDenied)
	case status == nfs4.OK && results[o] != nil:
		return results[o]()
	}
	return nil
}

// reply is a COMPOUND's reply.
type reply struct {
	t       testing.TB
	status  nfs4.Status
	tag     string
	results []result
	// raw is the reply as it came.
	raw []byte
}

// parseReply reads a COMPOUND's reply to the last byte. It answers what is wrong with it.
func parseReply(wire []byte) (*reply, error) {
	r := &reply{raw: append([]byte{}, wire...)}
	d := oncrpc.NewDecoder(r.raw)
	var head nfs4.CompoundRes
	head.Decode(d)
	r.status, r.tag = head.Status, string(head.Tag)
	for range head.Ops {
		var h nfs4.ResOp
		h.Decode(d)
		res := follows(h.Op, h.Status)
		if res != nil {
			res.Decode(d)
		}
		if d.Err() != nil {
			return nil, fmt.Errorf("the result of %v with status %v is malformed: %x", h.Op, h.Status, wire)
		}
		r.results = append(r.results, result{h.Op, h.Status, res})
	}
	switch n := len(r.results); {
	case d.Err() != nil:
		return nil, fmt.Errorf("the reply is malformed: %x", wire)
	case d.Remaining() > 0:
		return nil, fmt.Errorf("%d bytes follow the reply's last result: %x", d.Remaining(), wire)
	case n > 0 && r.results[n-1].status != r.status:
		return nil, fmt.Errorf("the reply's status is %v, that of its last result %v", r.status, r.results[n-1].status)
	}
	for i, res := range r.results {
		if res.status != nfs4.OK && i < len(r.results)-1 {
			return nil, fmt.Errorf("%d results follow that of %v with status %v", len(r.results)-1-i, res.op, res.status)
		}
	}
	return r, nil
}

// res returns the last result of a type.
func res[T any](r *reply) *T {
	r.t.Helper()
	for i := len(r.results) - 1; i >= 0; i-- {
		if v, ok := any(r.results[i].res).(*T); ok {
			return v
		}
	}
	r.t.Fatalf("the reply has no %T: %v", *new(T), r)
	return nil
}

// String lists the results.
func (r *reply) String() string {
	s := fmt.Sprintf("%v", r.status)
	for _, res := range r.results {
		s += fmt.Sprintf("; %v: %v", res.op, res.status)
	}
	return s
}

// ok fails the test unless every operation succeeded.
func (r *reply) ok() *reply {
	r.t.Helper()
	return r.is(nfs4.OK)
}

// is fails the test unless the reply's status is one of those.
func (r *reply) is(want ...nfs4.Status) *reply {
	r.t.Helper()
	for _, s := range want {
		if r.status == s {
			return r
		}
	}
	r.t.Fatalf("the reply is %v; want %v", r, want)
	return nil
}

// encodeCompound writes a COMPOUND's arguments.
func encodeCompound(e *oncrpc.Encoder, minor uint32, tag string, ops []op) {
	head := nfs4.CompoundArgs{Tag: []byte(tag), MinorVersion: minor, Ops: len(ops)}
	head.Encode(e)
	for _, o := range ops {
		e.Uint32(uint32(o.num))
		if o.args != nil {
			o.args.Encode(e)
		}
	}
}

// encoder is encodeCompound for tryCall.
func encoder(minor uint32, ops []op) func(*oncrpc.Encoder) {
	return func(e *oncrpc.Encoder) { encodeCompound(e, minor, "", ops) }
}

// call sends a COMPOUND over a connection and reads its reply.
func call(t testing.TB, conn *oncrpc.Client, cred *oncrpc.Cred, minor uint32, tag string, ops []op) *reply {
	t.Helper()
	r, err := tryCall(t, conn, cred, func(e *oncrpc.Encoder) { encodeCompound(e, minor, tag, ops) })
	if err != nil {
		t.Fatal(err)
	}
	if len(r.results) > len(ops) {
		t.Fatalf("%d operations have %d results", len(ops), len(r.results))
	}
	for i, res := range r.results {
		if res.op != ops[i].num && res.op != nfs4.OpIllegal {
			t.Fatalf("the result of %v says it is of %v", ops[i].num, res.op)
		}
	}
	if r.tag != tag {
		t.Fatalf("the tag %q came back as %q", tag, r.tag)
	}
	return r
}

// tryCall sends arguments that may be anything.
func tryCall(t testing.TB, conn *oncrpc.Client, cred *oncrpc.Cred, args func(*oncrpc.Encoder)) (*reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := conn.Call(ctx, nfs4.Program, nfs4.Version, nfs4.ProcCompound, cred, args, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Release()
	r, err := parseReply(answer.Rest())
	if err != nil {
		return nil, err
	}
	r.t = t
	return r, nil
}
