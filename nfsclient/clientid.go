// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
)

// clientID is what the server calls the client, and the number of the next CREATE_SESSION (RFC 8881 section 18.36.4).
type clientID struct {
	id  nfs4.ClientID
	seq uint32
	// reclaim: the client id was made anew, and what was open is still to be reclaimed.
	reclaim bool
}

// newOwner returns a client owner that nobody else has. Owner and verifier stay the same as long as the FS is open: by
// them a server that restarted knows who may reclaim (RFC 8881 section 2.4).
func newOwner() nfs4.ClientOwner {
	var owner nfs4.ClientOwner
	rand.Read(owner.Verifier[:])
	owner.OwnerID = fmt.Appendf(nil, "hubhome %s %d %s", nfsconn.Machine(), os.Getpid(), rand.Text())
	return owner
}

// exchangeID makes the client id, or finds the one that is there (RFC 8881 section 18.35).
func (fs *FS) exchangeID(ctx context.Context) error {
	args := nfs4.ExchangeIDArgs{
		ClientOwner:  fs.owner,
		Flags:        nfs4.ExchangeUseNonPNFS,
		ClientImplID: []nfs4.ImplID{{Domain: []byte("hubhome.org"), Name: []byte("hubhome")}},
	}
	var pace nfsconn.Backoff
	for {
		res, err := fs.askClientID(ctx, &args)
		if err == nil {
			fresh := res.ClientID != fs.client.id
			fs.client.id, fs.client.seq = res.ClientID, res.SequenceID
			if fresh && fs.session.Load() != nil {
				fs.client.reclaim = true
			}
			return nil
		}
		if !errors.Is(err, nfs4.ErrDelay) {
			return fmt.Errorf("make a client id: %w", err)
		}
		if e := fs.wait(ctx, &pace); e != nil {
			return fmt.Errorf("make a client id: %w", nfsconn.StillAnswers(e, err))
		}
	}
}

func (fs *FS) askClientID(ctx context.Context, args *nfs4.ExchangeIDArgs) (res nfs4.ExchangeIDRes, err error) {
	q := fs.request(nil)
	defer q.free()
	args.Encode(q.op(nfs4.OpExchangeID))
	if err := fs.bare(ctx, q); err != nil {
		return res, err
	}
	if q.result(nfs4.OpExchangeID) {
		res.Decode(&q.reply.Decoder)
	}
	// What is used of the results is numbers; they do not alias the reply.
	return nfs4.ExchangeIDRes{ClientID: res.ClientID, SequenceID: res.SequenceID}, q.done()
}

// farewell tells the server that nothing is needed any more.
func (fs *FS) farewell(ctx context.Context) error {
	for _, f := range fs.openFiles() {
		f.mu.Lock()
		f.closed = true
		id := f.stateid
		f.mu.Unlock()
		// What cannot be closed goes with the lease.
		if err := fs.closeState(ctx, f.handle, id); err != nil && ctx.Err() != nil {
			return err
		}
	}
	if err := fs.destroySession(ctx, fs.session.Load()); err != nil {
		return err
	}
	err := fs.destroyClientID(ctx)
	if errors.Is(err, nfs4.ErrClientIDBusy) {
		err = fs.disown(ctx)
	}
	return err
}

// disown gives back what the client does not know it has: an open or a session from a request that was given up. The
// server takes a client of the same name with another verifier for one that has restarted, and frees what the old one
// held (RFC 8881 section 18.35.5).
func (fs *FS) disown(ctx context.Context) error {
	rand.Read(fs.owner.Verifier[:])
	if err := fs.exchangeID(ctx); err != nil {
		return err
	}
	s, err := fs.createSession(ctx)
	if err != nil {
		return err
	}
	if err := fs.destroySession(ctx, s); err != nil {
		return err
	}
	return fs.destroyClientID(ctx)
}

// destroySession gives back a session. One that the server does not know is no error.
func (fs *FS) destroySession(ctx context.Context, s *session) error {
	q := fs.request(nil)
	defer q.free()
	args := nfs4.DestroySessionArgs{SessionID: s.id}
	args.Encode(q.op(nfs4.OpDestroySession))
	if err := fs.bare(ctx, q); err != nil && !errors.Is(err, nfs4.ErrBadSession) {
		return fmt.Errorf("give back a session: %w", err)
	}
	return nil
}

func (fs *FS) destroyClientID(ctx context.Context) error {
	q := fs.request(nil)
	defer q.free()
	args := nfs4.DestroyClientIDArgs{ClientID: fs.client.id}
	args.Encode(q.op(nfs4.OpDestroyClientID))
	if err := fs.bare(ctx, q); err != nil && !errors.Is(err, nfs4.ErrStaleClientID) {
		return fmt.Errorf("give back the client id: %w", err)
	}
	return nil
}
