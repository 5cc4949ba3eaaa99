// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// change is a request that changes something, and what says that it was done once.
type change struct {
	proc nfs3.Proc
	// prepare makes what the request needs, run makes the request, in a directory of its own.
	prepare func(*testing.T, *nfs3client.FS, vfs.Handle)
	run     func(context.Context, *nfs3client.FS, vfs.Handle) error
	// left are the names in the directory afterwards.
	left string
}

var changes = map[string]change{
	"mkdir": {proc: nfs3.ProcMkdir, left: "x", run: func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		_, _, err := fs.Mkdir(ctx, nil, dir, "x", vfs.SetAttr{})
		return err
	}},
	"symlink": {proc: nfs3.ProcSymlink, left: "x", run: func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		_, _, err := fs.Symlink(ctx, nil, dir, "x", "target", vfs.SetAttr{})
		return err
	}},
	"mknod": {proc: nfs3.ProcMknod, left: "x", run: func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		_, _, err := fs.Mknod(ctx, nil, dir, "x", vfs.FIFO, vfs.Device{}, vfs.SetAttr{})
		return err
	}},
	"create":           {proc: nfs3.ProcCreate, left: "x", run: create(vfs.Create{Mode: vfs.Guarded})},
	"create unchecked": {proc: nfs3.ProcCreate, left: "x", run: create(vfs.Create{})},
	"create exclusive": {proc: nfs3.ProcCreate, left: "x", run: create(vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{1, 2}})},
	"link": {proc: nfs3.ProcLink, left: "f x", prepare: file("f"), run: func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		e, err := fs.Lookup(ctx, nil, dir, "f")
		if err == nil {
			_, err = fs.Link(ctx, nil, e.Handle, dir, "x")
		}
		return err
	}},
	"remove": {proc: nfs3.ProcRemove, prepare: file("f"), run: func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		gone, _, err := fs.Remove(ctx, nil, dir, "f")
		if err == nil && gone.Attr.Type != vfs.Regular {
			return errors.New("what was removed is not said")
		}
		return err
	}},
	"rename": {proc: nfs3.ProcRename, left: "x", prepare: file("f"), run: func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		_, _, _, err := fs.Rename(ctx, nil, dir, "f", dir, "x")
		return err
	}},
	"setattr": {proc: nfs3.ProcSetAttr, run: func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		mode := uint32(0o700)
		_, err := fs.SetAttr(ctx, nil, dir, vfs.SetAttr{Mode: &mode})
		return err
	}},
}

func create(how vfs.Create) func(context.Context, *nfs3client.FS, vfs.Handle) error {
	return func(ctx context.Context, fs *nfs3client.FS, dir vfs.Handle) error {
		f, _, created, _, err := fs.Create(ctx, nil, dir, "x", how, vfs.Write)
		if err != nil {
			return err
		}
		if !created {
			return errors.New("it is said to have been there")
		}
		return f.Close()
	}
}

func file(name string) func(*testing.T, *nfs3client.FS, vfs.Handle) {
	return func(t *testing.T, fs *nfs3client.FS, dir vfs.Handle) {
		t.Helper()
		f, _, _, _, err := fs.Create(t.Context(), nil, dir, name, vfs.Create{}, vfs.Write)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

// subdirectory makes a directory in the root and returns it.
func subdirectory(t *testing.T, fs *nfs3client.FS, name string) vfs.Handle {
	t.Helper()
	e, _, err := fs.Mkdir(t.Context(), nil, root(t, fs), name, vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	return e.Handle
}

func names(t *testing.T, fs *nfs3client.FS, dir vfs.Handle) string {
	t.Helper()
	var list []string
	if _, err := fs.ReadDir(t.Context(), nil, dir, 0, false, func(e *vfs.DirEntry) bool {
		list = append(list, e.Name)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

// TestResendRemove has somebody make a directory of the name of a file that was removed, before the removal is sent again: the
// file has gone, and the directory is nobody's to remove.
func TestResendRemove(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	m, addr := between(t, g.Addr(), nil)
	cfg := g.config("/homes")
	other := dial(t, cfg)
	cfg.Addr = addr
	fs := dial(t, cfg)
	dir := subdirectory(t, fs, "dir")
	file("f")(t, fs, dir)
	m.set(once(nfs3.ProcRemove, func(_ nfs3.Proc, forward func() []byte) ([]byte, bool) {
		forward()
		if _, _, err := other.Mkdir(t.Context(), nil, dir, "f", vfs.SetAttr{}); err != nil {
			t.Error(err)
		}
		return nil, false
	}))
	defer m.set(nil)
	gone, _, err := fs.Remove(t.Context(), nil, dir, "f")
	if err != nil || gone.Attr.Type != vfs.Regular {
		t.Errorf("removed is %+v, %v", gone.Attr, err)
	}
	if left := names(t, fs, dir); left != "f" {
		t.Errorf("in the directory is %q, want the directory of somebody", left)
	}
}

// TestResend loses the connection under every change, before the server has heard of it and after it has done it: the
// change is made once and is said to have been made.
func TestResend(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	m, addr := between(t, g.Addr(), nil)
	cfg := g.config("/homes")
	cfg.Addr = addr
	fs := dial(t, cfg)
	for lost, lose := range map[string]hook{"request": loseRequest, "reply": loseReply} {
		for name, c := range changes {
			t.Run(name+", "+lost+" lost", func(t *testing.T) {
				dir := subdirectory(t, fs, name+lost)
				if c.prepare != nil {
					c.prepare(t, fs, dir)
				}
				m.set(once(c.proc, lose))
				defer m.set(nil)
				if err := c.run(t.Context(), fs, dir); err != nil {
					t.Error(err)
				}
				if left := names(t, fs, dir); left != c.left && left != "x f" {
					t.Errorf("in the directory is %q, want %q", left, c.left)
				}
			})
		}
	}
}

// TestResendOfOthers loses the reply to changes that others have made before: they stay the others'.
func TestResendOfOthers(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	m, addr := between(t, g.Addr(), nil)
	cfg := g.config("/homes")
	cfg.Addr = addr
	fs := dial(t, cfg)
	refused := func(step string, err error, want syscall.Errno) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", step, err, want)
		}
	}
	full := subdirectory(t, fs, "full")
	file("f")(t, fs, full)
	stranger := subdirectory(t, fs, "stranger's")
	uid := uint32(1000)
	if _, err := fs.SetAttr(t.Context(), nil, stranger, vfs.SetAttr{UID: &uid}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"full", "stranger's"} {
		m.set(once(nfs3.ProcMkdir, loseReply))
		_, _, err := fs.Mkdir(t.Context(), nil, root(t, fs), name, vfs.SetAttr{})
		refused("mkdir of "+name, err, syscall.EEXIST)
	}
	m.set(once(nfs3.ProcSymlink, loseReply))
	_, _, err := fs.Symlink(t.Context(), nil, full, "f", "target", vfs.SetAttr{})
	refused("symlink in the place of a file", err, syscall.EEXIST)
	m.set(once(nfs3.ProcRename, loseReply))
	_, _, _, err = fs.Rename(t.Context(), nil, full, "nothing", full, "f")
	refused("rename of nothing", err, syscall.ENOENT)
	m.set(once(nfs3.ProcCreate, loseReply))
	file("made before")(t, fs, full)
	m.set(once(nfs3.ProcCreate, loseReply))
	_, _, _, _, err = fs.Create(t.Context(), nil, full, "f", vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{7}}, vfs.Write)
	refused("exclusive create of a file that is there", err, syscall.EEXIST)
}

// TestWrites loses connections under WRITEs and COMMITs: all of the data is there.
func TestWrites(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	for lost, lose := range map[string]hook{"request": loseRequest, "reply": loseReply} {
		for _, proc := range []nfs3.Proc{nfs3.ProcWrite, nfs3.ProcCommit, nfs3.ProcRead} {
			m, addr := between(t, g.Addr(), nil)
			cfg := g.config("/homes")
			cfg.Addr = addr
			fs := dial(t, cfg)
			m.set(once(proc, lose))
			f, _, _, _, err := fs.Create(t.Context(), nil, root(t, fs), fmt.Sprint(lost, proc), vfs.Create{}, vfs.Read|vfs.Write)
			if err != nil {
				t.Fatal(err)
			}
			vfstest.Big(t, f)
		}
	}
}

// TestPatience has the server ask for patience: the client has it until the deadline.
func TestPatience(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	left := 3
	m, addr := between(t, g.Addr(), func(proc nfs3.Proc, forward func() []byte) ([]byte, bool) {
		if proc == nfs3.ProcMkdir {
			if left--; left >= 0 {
				return status(nfs3.ErrJukebox), true
			}
		}
		return forward(), true
	})
	cfg := g.config("/homes")
	cfg.Addr = addr
	fs := dial(t, cfg)
	h := subdirectory(t, fs, "dir")
	m.set(func(proc nfs3.Proc, forward func() []byte) ([]byte, bool) { return status(nfs3.ErrJukebox), true })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := fs.GetAttr(ctx, h)
	if !errors.Is(err, nfs3.ErrJukebox) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("getattr without end: %v", err)
	}
	m.set(nil)
}
