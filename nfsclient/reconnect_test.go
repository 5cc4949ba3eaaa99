// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

// lossy is a client of a home behind a network that can lose the connection.
type lossy struct {
	*testing.T
	server *server
	proxy  *proxy
	fs     *nfsclient.FS
	home   vfs.Handle
}

func newLossy(t *testing.T) *lossy {
	t.Helper()
	s := serve(t)
	path, _ := s.home("ada")
	p := newProxy(t, s.addr)
	fs := dial(t, nfsclient.Config{Addr: p.addr, Export: path})
	return &lossy{T: t, server: s, proxy: p, fs: fs, home: root(t, fs)}
}

func (l *lossy) must(step string, err error) {
	l.Helper()
	if err != nil {
		l.Fatalf("%s: %v", step, err)
	}
}

// TestLostConnection loses the connection with the request or the reply of operations that cannot be run twice. The
// server runs each of them once, and the client gets its answer.
func TestLostConnection(t *testing.T) {
	operations := []struct {
		label string
		run   func(l *lossy) error
	}{
		{"Mkdir", func(l *lossy) error {
			_, _, err := l.fs.Mkdir(l.Context(), nil, l.home, "dir", vfs.SetAttr{})
			return err
		}},
		{"Create", func(l *lossy) error {
			f, _, _, _, err := l.fs.Create(l.Context(), nil, l.home, "file", vfs.Create{Mode: vfs.Guarded}, vfs.Write)
			if err == nil {
				err = f.Close()
			}
			return err
		}},
		{"Link", func(l *lossy) error {
			e, err := l.fs.Lookup(l.Context(), nil, l.home, "old")
			if err == nil {
				_, err = l.fs.Link(l.Context(), nil, e.Handle, l.home, "link")
			}
			return err
		}},
		{"Remove", func(l *lossy) error {
			_, _, err := l.fs.Remove(l.Context(), nil, l.home, "old")
			return err
		}},
	}
	for _, op := range operations {
		for name, what := range map[string]cut{"request": cutRequest, "reply": cutReply} {
			t.Run(op.label+" "+name, func(t *testing.T) {
				l := newLossy(t)
				_, _, err := l.fs.Symlink(t.Context(), nil, l.home, "old", "x", vfs.SetAttr{})
				l.must("symlink", err)
				var ran atomic.Int32
				l.server.memory.Hook(op.label, func() error {
					if ran.Add(1) == 1 && what == cutReply {
						l.proxy.lose(cutReply)
					}
					return nil
				})
				if what == cutRequest {
					l.proxy.lose(cutRequest)
				}
				l.must(op.label, op.run(l))
				if ran.Load() != 1 || l.proxy.cuts.Load() != 1 {
					t.Errorf("ran %d times with %d lost connections", ran.Load(), l.proxy.cuts.Load())
				}
			})
		}
	}
}

// TestLostWhileRunning loses the connection while the server is at work: the client waits for that work, and does not
// begin it again.
func TestLostWhileRunning(t *testing.T) {
	l := newLossy(t)
	var ran atomic.Int32
	release := make(chan struct{})
	l.server.memory.Hook("Mkdir", func() error {
		if ran.Add(1) == 1 {
			l.proxy.cutAll()
			time.AfterFunc(50*time.Millisecond, func() { close(release) })
			<-release
		}
		return nil
	})
	_, _, err := l.fs.Mkdir(t.Context(), nil, l.home, "dir", vfs.SetAttr{})
	l.must("mkdir", err)
	if ran.Load() != 1 {
		t.Errorf("ran %d times", ran.Load())
	}
}

// TestGivenUp gives up more calls than there are slots, while the server is at work on them. When the server has done
// with them, their slots can be used again.
func TestGivenUp(t *testing.T) {
	l := newLossy(t)
	release := make(chan struct{})
	l.server.memory.Hook("GetAttr", func() error {
		<-release
		return nil
	})
	const calls = 70
	errs := make(chan error, calls)
	for range calls {
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := l.fs.GetAttr(ctx, l.home)
			errs <- err
		}()
	}
	for range calls {
		if err := <-errs; !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("getattr that was given up: %v", err)
		}
	}
	close(release)
	for range 2 * calls {
		_, err := l.fs.GetAttr(t.Context(), l.home)
		l.must("getattr", err)
	}
}

// TestCancelled ends a call by its context.
func TestCancelled(t *testing.T) {
	l := newLossy(t)
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	l.server.memory.Hook("GetAttr", func() error {
		cancel()
		<-release
		return nil
	})
	if _, err := l.fs.GetAttr(ctx, l.home); !errors.Is(err, context.Canceled) || !errors.Is(err, syscall.EINTR) {
		t.Errorf("getattr: %v", err)
	}
}

// TestClosed closes a client while a call waits, and uses it after that.
func TestClosed(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	fs, err := nfsclient.Dial(t.Context(), nfsclient.Config{Addr: s.addr, Export: path})
	if err != nil {
		t.Fatal(err)
	}
	home := root(t, fs)
	f, _, _, _, err := fs.Create(t.Context(), nil, home, "file", vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := fs.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := fs.GetAttr(t.Context(), home); !errors.Is(err, syscall.ESHUTDOWN) {
		t.Errorf("getattr of a closed client: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("close a file of a closed client: %v", err)
	}
	// The client has given back all: nothing is left to wait for after a restart.
	s.restart(false)
	if records, _ := s.records.Load(); len(records) != 0 {
		t.Errorf("the server remembers %d clients", len(records))
	}
}

// TestAbandonedOpen gives up an OPEN that the server carries out: the client does not know what it has, and gives it back
// all the same when it closes.
func TestAbandonedOpen(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	fs, err := nfsclient.Dial(t.Context(), nfsclient.Config{Addr: s.addr, Export: path})
	if err != nil {
		t.Fatal(err)
	}
	home := root(t, fs)
	ctx, cancel := context.WithCancel(t.Context())
	release, created := make(chan struct{}), make(chan struct{})
	s.memory.Hook("Create", func() error {
		cancel()
		<-release
		close(created)
		return nil
	})
	if _, _, _, _, err := fs.Create(ctx, nil, home, "file", vfs.Create{}, vfs.Write); !errors.Is(err, context.Canceled) {
		t.Errorf("create that was given up: %v", err)
	}
	close(release)
	<-created
	for _, err := fs.Lookup(t.Context(), nil, home, "file"); err != nil; _, err = fs.Lookup(t.Context(), nil, home, "file") {
		if t.Context().Err() != nil || !errors.Is(err, syscall.ENOENT) {
			t.Fatal(err)
		}
	}
	if err := fs.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	s.restart(false)
	if records, _ := s.records.Load(); len(records) != 0 {
		t.Errorf("the server remembers %d clients", len(records))
	}
}

// TestServerGone ends the server for good: calls end by their deadline and say why, and so does Close.
func TestServerGone(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	fs, err := nfsclient.Dial(t.Context(), nfsclient.Config{Addr: s.addr, Export: path})
	if err != nil {
		t.Fatal(err)
	}
	home := root(t, fs)
	s.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err = fs.GetAttr(ctx, home)
	if !errors.Is(err, syscall.ETIMEDOUT) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("getattr: %v", err)
	}
	if err := fs.Close(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("close: %v", err)
	}
}
