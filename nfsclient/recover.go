// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
)

// recovery is the making of a new session, while it goes on. It is one for all requests that wait for it.
type recovery struct {
	done chan struct{}
	err  error
}

// recover waits until the FS has another session than old. It runs in a goroutine of its own, so that a caller without
// patience does not leave it half done.
func (fs *FS) recover(ctx context.Context, old *session, pace *nfsconn.Backoff) error {
	for {
		r, err := fs.startRecovery(old)
		if r == nil {
			return err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return fmt.Errorf("%w: the session with the server is being made again", ctx.Err())
		}
		if r.err == nil {
			return nil
		}
		if e := fs.wait(ctx, pace); e != nil {
			return fmt.Errorf("%w: %w", e, r.err)
		}
	}
}

// startRecovery returns the recovery from old that goes on; nil where there is nothing to do or nothing to be done.
func (fs *FS) startRecovery(old *session) (*recovery, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	switch {
	case fs.closed:
		return nil, oncrpc.ErrClosed
	case fs.session.Load() != old:
		return nil, nil
	case fs.recovering == nil:
		r := &recovery{done: make(chan struct{})}
		fs.recovering = r
		fs.wg.Go(func() {
			r.err = fs.replaceSession(old)
			fs.mu.Lock()
			fs.recovering = nil
			fs.mu.Unlock()
			close(r.done)
		})
	}
	return fs.recovering, nil
}

// replaceSession makes a new session and, with a new client id, reclaims what was open (RFC 8881 section 8.4.2.1).
func (fs *FS) replaceSession(old *session) error {
	ctx, cancel := fs.deadline(fs.ctx)
	defer cancel()
	fs.discard(ctx, old)
	s, err := fs.newSession(ctx)
	if err != nil {
		return err
	}
	if fs.client.reclaim {
		if err := fs.reclaim(ctx, s); err != nil {
			fs.discard(ctx, s)
			return err
		}
		fs.client.reclaim = false
	}
	fs.session.Store(s)
	close(old.slots.over)
	fs.log.Debug("a new session with the NFS server", "server", fs.addr)
	return nil
}

// discard gives back a session that is of no use. What cannot be given back goes with the lease.
func (fs *FS) discard(ctx context.Context, s *session) {
	if err := fs.destroySession(ctx, s); err != nil {
		fs.log.Debug("discard a session", "server", fs.addr, "error", err)
	}
}

// reclaim tells a server that restarted what was open, and then that this was all.
func (fs *FS) reclaim(ctx context.Context, s *session) error {
	files := fs.openFiles()
	reclaimed := 0
	for _, f := range files {
		ok, err := f.reclaim(ctx, s)
		if err != nil {
			return fmt.Errorf("reclaim what was open: %w", err)
		}
		if ok {
			reclaimed++
		}
	}
	if err := fs.reclaimComplete(ctx, s); err != nil {
		return err
	}
	fs.log.Info("the NFS server has a new client record of us", "server", fs.addr, "open", len(files), "reclaimed", reclaimed)
	return nil
}

// reclaim opens the file again by the right of having had it open. Where the server does not take that, because the
// lease was over or the file is gone, the next use of the file opens it as new (File.reopen).
func (f *File) reclaim(ctx context.Context, s *session) (bool, error) {
	fs := f.fs
	q := fs.on(&f.caller, f.handle)
	defer q.free()
	args := f.openArgs(nfs4.OpenClaim{Type: nfs4.ClaimPrevious, DelegateType: nfs4.DelegateNone})
	args.Encode(q.changing(nfs4.OpOpen))
	err := fs.sendIn(ctx, s, q)
	if errors.Is(err, nfs4.ErrServerFault) || errors.Is(err, nfs4.ErrIO) {
		return false, err
	}
	if status, ok := errors.AsType[nfs4.Status](err); ok && !sessionLost(err) {
		fs.log.Debug("reclaim an open file", "server", fs.addr, "status", status.String())
		return false, nil
	}
	if err != nil {
		return false, err
	}
	id, err := q.opened()
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	f.stateid = id
	f.mu.Unlock()
	return true, nil
}

// reclaimComplete says that nothing is reclaimed any more. Before it, nothing can be opened (RFC 8881 section 18.51.3).
func (fs *FS) reclaimComplete(ctx context.Context, s *session) error {
	q := fs.request(nil)
	defer q.free()
	var args nfs4.ReclaimCompleteArgs
	args.Encode(q.changing(nfs4.OpReclaimComplete))
	err := fs.sendIn(ctx, s, q)
	if err != nil && !errors.Is(err, nfs4.ErrCompleteAlready) {
		return fmt.Errorf("end the reclaiming: %w", err)
	}
	return nil
}

// sendIn is request.send with a session that need not be the FS's.
func (fs *FS) sendIn(ctx context.Context, s *session, q *request) error {
	var pace nfsconn.Backoff
	for {
		if err := s.send(ctx, q); err != nil {
			return err
		}
		again, err := q.outcome()
		if !again {
			return err
		}
		if e := fs.wait(ctx, &pace); e != nil {
			return nfsconn.StillAnswers(e, err)
		}
	}
}

// openFiles returns the files that are open.
func (fs *FS) openFiles() []*File {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	files := make([]*File, 0, len(fs.files))
	for f := range fs.files {
		files = append(files, f)
	}
	return files
}
