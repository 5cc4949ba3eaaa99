// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

// TestServerRestart restarts the server, with the loss of what was not synced, under open files. The client goes on and
// knows by the verifier what it has to write again.
func TestServerRestart(t *testing.T) {
	l := newLossy(t)
	ctx := t.Context()
	f, e, _, _, err := l.fs.Create(ctx, nil, l.home, "file", vfs.Create{}, vfs.Read|vfs.Write)
	l.must("create", err)
	_, _, _, err = f.WriteAt(ctx, []byte("kept"), 0, vfs.Unstable)
	l.must("write", err)
	_, err = f.Commit(ctx)
	l.must("commit", err)
	_, did, before, err := f.WriteAt(ctx, []byte("lost"), 4, vfs.Unstable)
	l.must("write", err)
	if did != vfs.Unstable {
		t.Fatalf("the server says that unsynced data has stability %d", did)
	}
	l.server.restart(true)
	l.proxy.cutAll()
	after, err := f.Commit(ctx)
	l.must("commit after the restart", err)
	if after == before {
		t.Error("the verifier does not tell of the loss")
	}
	_, _, _, err = f.WriteAt(ctx, []byte("again"), 4, vfs.FileSync)
	l.must("write again", err)
	got := make([]byte, 20)
	n, eof, err := f.ReadAt(ctx, got, 0)
	l.must("read", err)
	if string(got[:n]) != "keptagain" || !eof {
		t.Errorf("the file reads %q, end %v", got[:n], eof)
	}
	// What was open was reclaimed, and that was all: nobody has to wait for the end of grace.
	soon, cancel := context.WithTimeout(ctx, l.server.lease/2)
	defer cancel()
	other := dial(t, nfsclient.Config{Addr: l.server.addr, Export: "/homes"})
	g, err := other.Open(soon, nil, e.Handle, vfs.Read)
	l.must("open by another client", err)
	l.must("close", g.Close())
	l.must("close", f.Close())
}

// TestReclaimRefused has the server forget the client with its restart, so that nothing can be reclaimed: the file is
// opened anew. One that is gone answers ESTALE.
func TestReclaimRefused(t *testing.T) {
	l := newLossy(t)
	ctx := t.Context()
	f, _, _, _, err := l.fs.Create(ctx, nil, l.home, "file", vfs.Create{}, vfs.Write)
	l.must("create", err)
	g, _, _, _, err := l.fs.Create(ctx, nil, l.home, "gone", vfs.Create{}, vfs.Write)
	l.must("create", err)
	_, _, err = l.fs.Remove(ctx, nil, l.home, "gone")
	l.must("remove", err)
	l.server.stop()
	clear(l.server.records.kept)
	l.server.memory.Crash()
	l.server.start()
	_, _, _, err = f.WriteAt(ctx, []byte("x"), 0, vfs.FileSync)
	l.must("write", err)
	if _, _, _, err := g.WriteAt(ctx, []byte("x"), 0, vfs.FileSync); !errors.Is(err, syscall.ESTALE) {
		t.Errorf("write to a file that is gone: %v", err)
	}
	l.must("close", f.Close())
	if err := g.Close(); err != nil && !errors.Is(err, syscall.ESTALE) {
		t.Errorf("close a file that is gone: %v", err)
	}
}

// TestRestartUnderLoad restarts the server several times while many files are written. None of the writers sees an
// error, and everything synced is there.
func TestRestartUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	l := newLossy(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	stop := make(chan struct{})
	var writers sync.WaitGroup
	written := make([]int, 8)
	for w := range written {
		writers.Go(func() {
			f, _, _, _, err := l.fs.Create(ctx, nil, l.home, fmt.Sprintf("file %d", w), vfs.Create{}, vfs.Read|vfs.Write)
			if err != nil {
				t.Errorf("create: %v", err)
				return
			}
			for ; ; written[w]++ {
				select {
				case <-stop:
					if err := f.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
					return
				default:
				}
				line := fmt.Appendf(nil, "%07d\n", written[w])
				if _, _, _, err := f.WriteAt(ctx, line, uint64(len(line)*written[w]), vfs.FileSync); err != nil {
					t.Errorf("write: %v", err)
					return
				}
			}
		})
	}
	for range 4 {
		time.Sleep(100 * time.Millisecond) // of writing
		l.server.restart(true)
		l.proxy.cutAll()
	}
	time.Sleep(100 * time.Millisecond)
	close(stop)
	writers.Wait()
	for w, lines := range written {
		e, err := l.fs.Lookup(ctx, nil, l.home, fmt.Sprintf("file %d", w))
		l.must("lookup", err)
		f, err := l.fs.Open(ctx, nil, e.Handle, vfs.Read)
		l.must("open", err)
		buf := make([]byte, 8*lines+1)
		n, _, err := f.ReadAt(ctx, buf, 0)
		l.must("read", err)
		if n != 8*lines {
			t.Errorf("file %d has %d bytes and not %d", w, n, 8*lines)
		}
		for i := range lines {
			if want := fmt.Sprintf("%07d\n", i); string(buf[8*i:8*i+8]) != want {
				t.Fatalf("file %d, line %d: %q", w, i, buf[8*i:8*i+8])
			}
		}
		l.must("close", f.Close())
	}
}

// TestIdle keeps a file open, doing nothing, for longer than the lease, and over a restart meanwhile.
func TestIdle(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a lease")
	}
	s := serve(t)
	s.lease = 2 * time.Second
	s.restart(false)
	path, _ := s.home("ada")
	fs := dial(t, nfsclient.Config{Addr: s.addr, Export: path})
	ctx := t.Context()
	f, _, _, _, err := fs.Create(ctx, nil, root(t, fs), "file", vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	s.restart(false)
	// The client comes back by itself, soon enough to reclaim: grace, which holds up others, is over before the lease is.
	deadline, cancel := context.WithTimeout(ctx, 3*s.lease)
	defer cancel()
	other := dial(t, nfsclient.Config{Addr: s.addr, Export: path})
	g, _, _, _, err := other.Create(deadline, nil, root(t, other), "other", vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	g.Close()
	time.Sleep(s.lease + s.lease/2)
	if records, _ := s.records.Load(); len(records) == 0 {
		t.Error("the server has no record of a client that has a file open")
	}
	if _, _, _, err := f.WriteAt(ctx, []byte("x"), 0, vfs.FileSync); err != nil {
		t.Errorf("write after a long silence: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
