// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"fmt"
	"sync"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// request is one COMPOUND and its reply. Its operations are written once and sent as often as it takes, byte for byte
// the same. One goroutine uses it. They are kept in a pool: free comes last.
type request struct {
	fs   *FS
	cred oncrpc.Cred
	ops  *oncrpc.Encoder // the operations behind SEQUENCE
	n    int             // how many they are
	// change is the number of the operation that changes something, counted from 1; 0: none does. The server keeps the
	// reply of a request that has one, and what comes behind it cannot make the request be run again.
	change int
	// found is the number of the last LOOKUP, raced how often what it found was gone before the next operation saw it.
	found, raced int
	// bulk is the last operation's last argument; its length is in ops.
	bulk []byte
	// sequence is what goes before the operations; nil where no session carries them.
	sequence *nfs4.SequenceArgs
	encode   func(*oncrpc.Encoder)

	reply *oncrpc.Reply
	// status is the last result's; results are how many there are, read how many were read, SEQUENCE among them.
	status        nfs4.Status
	results, read int
	// failed is the status of an operation behind the one that changed something.
	failed nfs4.Status
	wire   nfs4.Attrs // memory for one answer
}

var requests = sync.Pool{New: func() any {
	q := &request{ops: oncrpc.NewEncoder(make([]byte, 0, 512))}
	q.encode = q.encodeArgs
	return q
}}

// request begins a COMPOUND on behalf of a caller.
func (fs *FS) request(c *vfs.Caller) *request {
	q := requests.Get().(*request)
	q.fs = fs
	q.cred = nfsconn.Cred(c)
	return q
}

// on begins a COMPOUND whose current filehandle is h.
func (fs *FS) on(c *vfs.Caller, h vfs.Handle) *request {
	q := fs.request(c)
	q.putFH(h)
	return q
}

// free ends the use of the request and of all that its reply decoded to.
func (q *request) free() {
	q.release()
	q.ops.Truncate(0)
	*q = request{ops: q.ops, encode: q.encode}
	requests.Put(q)
}

// release forgets the reply.
func (q *request) release() {
	if q.reply != nil {
		q.reply.Release()
		q.reply = nil
	}
	q.status, q.results, q.read, q.failed = nfs4.OK, 0, 0, nfs4.OK
}

// op adds an operation. Its arguments are to be written to the Encoder.
func (q *request) op(op nfs4.Op) *oncrpc.Encoder {
	q.n++
	q.ops.Uint32(uint32(op))
	return q.ops
}

// changing adds the operation that changes something.
func (q *request) changing(op nfs4.Op) *oncrpc.Encoder {
	e := q.op(op)
	q.change = q.n
	return e
}

func (q *request) putFH(h vfs.Handle) { q.op(nfs4.OpPutFH).String(string(h)) }

func (q *request) lookup(name string) {
	q.op(nfs4.OpLookup).String(name)
	q.found = q.n
}

func (q *request) getAttr(want nfs4.Bitmap) { want.Encode(q.op(nfs4.OpGetAttr)) }

// getEntry asks for the handle and the attributes of the current filehandle.
func (q *request) getEntry() {
	q.op(nfs4.OpGetFH)
	q.getAttr(fileAttrs)
}

// encodeArgs writes the whole COMPOUND but for bulk.
func (q *request) encodeArgs(e *oncrpc.Encoder) {
	head := nfs4.CompoundArgs{MinorVersion: q.fs.minor, Ops: q.n}
	if q.sequence != nil {
		head.Ops++
	}
	head.Encode(e)
	if q.sequence != nil {
		e.Uint32(uint32(nfs4.OpSequence))
		q.sequence.Encode(e)
	}
	e.Append(q.ops.Bytes())
}

// call sends the request once over a connection and reads the head of the reply.
func (q *request) call(ctx context.Context, conn *oncrpc.Client) error {
	q.release()
	reply, err := conn.Call(ctx, nfs4.Program, nfs4.Version, nfs4.ProcCompound, &q.cred, q.encode, q.bulk)
	if err == context.DeadlineExceeded {
		return nfsconn.ErrNoAnswer
	}
	if err != nil {
		return err
	}
	q.reply = reply
	var head nfs4.CompoundRes
	head.Decode(&reply.Decoder)
	if err := reply.Err(); err != nil {
		return err
	}
	q.status, q.results = head.Status, head.Ops
	if q.results == 0 && q.status == nfs4.OK {
		return fmt.Errorf("an empty reply: %w", oncrpc.ErrXDR)
	}
	return nil
}

// send sends the request in a slot of the session, again where the server or the connection went away meanwhile or the
// server asks for patience, until it is answered or ctx ends. nil: the results can be read, all of them OK but for some
// behind the one that changed something. Otherwise the error has the status that ended the request.
func (q *request) send(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := q.fs.deadline(ctx)
	defer cancel()
	var pace nfsconn.Backoff
	var patience error // why the last attempt has to be repeated
	for {
		s := q.fs.session.Load()
		err := s.send(ctx, q)
		if sessionLost(err) {
			if err := q.fs.recover(ctx, s, &pace); err != nil {
				return err
			}
			continue
		}
		var again bool
		if err == nil {
			again, err = q.outcome()
		} else if patience != nil && ctx.Err() != nil {
			err = nfsconn.StillAnswers(ctx.Err(), patience)
		}
		if !again {
			return err
		}
		patience = err
		if e := q.fs.wait(ctx, &pace); e != nil {
			return nfsconn.StillAnswers(e, err)
		}
	}
}

// maxRaced is how often a request that others are in the way of is sent.
const maxRaced = 16

// outcome is the error that ended the request, and whether it is worth another try.
func (q *request) outcome() (again bool, err error) {
	switch {
	case q.status == nfs4.OK:
		return false, nil
	case q.change > 0 && q.results > q.change+1:
		return false, nil // the change was made; what failed came behind it
	case q.status == nfs4.ErrStale && q.found > 0 && q.results > q.found+1 && q.raced < maxRaced:
		q.raced++ // the name is another file's now, or nobody's: that is for LOOKUP to say
		return true, q.status
	}
	return q.status == nfs4.ErrDelay || q.status == nfs4.ErrGrace, q.status
}

// result begins to read the next result, which is an operation's; false where that has failed, behind a change.
func (q *request) result(op nfs4.Op) bool {
	d := &q.reply.Decoder
	var head nfs4.ResOp
	if q.failed != nfs4.OK || q.read >= q.results {
		d.Fail()
		return false
	}
	q.read++
	if head.Decode(d); head.Op != op {
		d.Fail()
		return false
	}
	q.failed = head.Status
	return head.Status == nfs4.OK && d.Err() == nil
}

// done ends the reading of the results.
func (q *request) done() error {
	if err := q.reply.Err(); err != nil && q.failed == nfs4.OK {
		return err
	}
	return q.failed.Err()
}
