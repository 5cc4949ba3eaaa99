// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"context"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// Messages, as the types of nfs3 are.
type (
	encoder interface{ Encode(*oncrpc.Encoder) }
	decoder interface{ Decode(*oncrpc.Decoder) }
)

// answer is the answer to a request. What was decoded aliases it, until free.
type answer struct {
	reply *oncrpc.Reply
	// again tells that the request was sent more than once, because the connection was lost: it may have run twice.
	again bool
}

func (a *answer) free() {
	if a.reply != nil {
		a.reply.Release()
		a.reply = nil
	}
}

// ask sends a request on behalf of a caller until it is answered or ctx ends, again where the connection was lost or the
// server asks for patience. bulk are the last bytes of the arguments, whose length args writes. The results are decoded
// to res; the error is their status. The answer is to be freed, also with an error.
func (fs *FS) ask(ctx context.Context, c *vfs.Caller, proc nfs3.Proc, args encoder, bulk []byte, res decoder) (a answer, err error) {
	if err := ctx.Err(); err != nil {
		return a, err
	}
	ctx, cancel := deadline(ctx, fs.timeout)
	defer cancel()
	cred := nfsconn.Cred(c)
	send := func(conn *oncrpc.Client) (err error) {
		a.reply, err = conn.Call(ctx, nfs3.Program, nfs3.Version, uint32(proc), &cred, args.Encode, bulk)
		return answered(err)
	}
	var pace nfsconn.Backoff
	var patience error // why the last attempt has to be repeated
	for {
		times, err := fs.link.Do(ctx, fs.ctx, &pace, send, fs.lost)
		a.again = a.again || times > 1
		if err != nil {
			if patience != nil && ctx.Err() != nil {
				err = nfsconn.StillAnswers(ctx.Err(), patience)
			}
			return a, err
		}
		status, err := a.read(res)
		if err != nil || status != nfs3.ErrJukebox {
			return a, err
		}
		patience = status
		a.free()
		if e := pace.Wait(ctx, fs.ctx); e != nil {
			return a, nfsconn.StillAnswers(e, patience)
		}
	}
}

// lost is asked whether a request is sent again whose connection was lost.
func (fs *FS) lost(err error) bool {
	if fs.ctx.Err() != nil {
		return false
	}
	fs.log.Debug("connection to the NFS server lost", "server", fs.addr, "error", err)
	return true
}

// read decodes the results, which begin with the status. The error is the status, but for NFS3ERR_JUKEBOX, or ErrXDR.
func (a *answer) read(res decoder) (nfs3.Status, error) {
	peek := oncrpc.NewDecoder(a.reply.Rest())
	status := nfs3.Status(peek.Uint32())
	if status == nfs3.ErrJukebox {
		return status, nil
	}
	res.Decode(&a.reply.Decoder)
	if err := a.reply.Err(); err != nil {
		return status, err
	}
	return status, status.Err()
}

// callOnce sends a call of any program over one connection, as root. args may be nil.
func callOnce(ctx context.Context, conn *oncrpc.Client, program, version, proc uint32, args encoder) (*oncrpc.Reply, error) {
	encode := func(*oncrpc.Encoder) {}
	if args != nil {
		encode = args.Encode
	}
	cred := nfsconn.Cred(nil)
	reply, err := conn.Call(ctx, program, version, proc, &cred, encode, nil)
	return reply, answered(err)
}

// answered tells a call that was not answered in time from one that could not be sent.
func answered(err error) error {
	if err == context.DeadlineExceeded {
		return nfsconn.ErrNoAnswer
	}
	return err
}
