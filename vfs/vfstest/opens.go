// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var openPromises = []promise{
	{"Open opens nothing but regular files", (*tree).openTypes},
	{"a File answers for the access it was opened with alone", (*tree).openAccess},
	{"a File stays usable when its file's mode forbids it", (*tree).openForbidden},
	{"a File stays usable when its file has no name any more", (*tree).openUnlinked},
	{"a File does not look at its Caller again", (*tree).openCaller},
	{"Close ends one File and no other", (*tree).closesOne},
	{"many Files may be open", (*tree).opensMany},
}

func (t *tree) openTypes() {
	d, l, p := t.mkdir(user, t.home, "d"), t.symlink(t.home, "l", "x"), t.fifo(t.home, "p")
	for _, access := range []vfs.Access{vfs.Read, vfs.Write, vfs.Read | vfs.Write} {
		for h, want := range map[vfs.Handle]syscall.Errno{d.Handle: syscall.EISDIR, l.Handle: syscall.ELOOP, p.Handle: syscall.EINVAL} {
			_, err := t.fs.Open(t.ctx, user, h, access)
			t.refused("Open", err, want)
		}
	}
}

func (t *tree) openAccess() {
	e := t.file(t.home, "f", "contents")
	r, w := t.open(user, e.Handle, vfs.Read), t.open(user, e.Handle, vfs.Write)
	_, _, err := w.ReadAt(t.ctx, make([]byte, 10), 0)
	t.refused("ReadAt of a File for writing", err, syscall.EBADF)
	_, _, _, err = r.WriteAt(t.ctx, []byte("x"), 0, vfs.Unstable)
	t.refused("WriteAt to a File for reading", err, syscall.EBADF)
	t.refused("Truncate of a File for reading", r.Truncate(t.ctx, 0), syscall.EBADF)
	if !t.config.NoSeek {
		t.refused("Allocate with a File for reading", r.Allocate(t.ctx, 0, 100), syscall.EBADF, syscall.EOPNOTSUPP)
		t.refused("Deallocate with a File for reading", r.Deallocate(t.ctx, 0, 4), syscall.EBADF, syscall.EOPNOTSUPP)
		_, _, err = r.CopyFrom(t.ctx, r, 0, 100, 4)
		t.refused("CopyFrom to a File for reading", err, syscall.EBADF)
		_, _, err = w.CopyFrom(t.ctx, w, 0, 100, 4)
		t.refused("CopyFrom from a File for writing", err, syscall.EBADF)
	}
	if got := t.read(r, 0, 100); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
	t.write(w, 0, "C")
}

func (t *tree) openForbidden() {
	t.skipIf(t.config.NoOpens, "the server knows nothing of a File")
	f, e := t.create(user, t.home, "f")
	t.chmod(e.Handle, 0)
	t.chmod(t.home, 0)
	_, err := t.set(nil, e.Handle, vfs.SetAttr{UID: ptr(uint32(0)), GID: ptr(uint32(0))})
	t.must("SetAttr of the owner", err)
	t.write(f, 0, "contents")
	if got := t.read(f, 0, 100); got != "contents" {
		t.Errorf("the file reads %q", got)
	}
	t.must("Truncate", f.Truncate(t.ctx, 3))
	_, err = f.Commit(t.ctx)
	t.must("Commit", err)
	_, err = t.fs.Open(t.ctx, user, e.Handle, vfs.Read)
	t.refused("Open once more", err, syscall.EACCES)
}

func (t *tree) openUnlinked() {
	t.skipIf(t.config.NoOpens, "the server knows nothing of a File")
	f, e := t.create(user, t.home, "f")
	t.write(f, 0, "contents")
	r := t.open(user, e.Handle, vfs.Read)
	_, _, err := t.fs.Remove(t.ctx, user, t.home, "f")
	t.must("Remove", err)
	t.file(t.home, "f", "another")
	t.write(f, 8, " and more")
	for _, file := range []vfs.File{f, r} {
		if got := t.read(file, 0, 100); got != "contents and more" {
			t.Errorf("the file reads %q", got)
		}
	}
	t.must("Truncate", f.Truncate(t.ctx, 3))
	_, err = f.Commit(t.ctx)
	t.must("Commit", err)
	if got := t.read(r, 0, 100); got != "con" {
		t.Errorf("the file reads %q", got)
	}
	if got := t.contents(t.lookup(t.home, "f").Handle); got != "another" {
		t.Errorf("the new file reads %q", got)
	}
}

func (t *tree) openCaller() {
	e := t.file(t.home, "f", "contents")
	t.chmod(e.Handle, 0o4755)
	c := *user
	f := t.open(&c, e.Handle, vfs.Read|vfs.Write)
	c = *root // the request that the Caller was of has ended, and its memory is another's
	t.write(f, 0, "C")
	if a := t.get(e.Handle); a.Mode != 0o755 {
		t.Errorf("a write by the user left the mode %o", a.Mode)
	}
}

func (t *tree) closesOne() {
	e := t.file(t.home, "f", "contents")
	f, err := t.fs.Open(t.ctx, user, e.Handle, vfs.Read)
	t.must("Open", err)
	g := t.open(user, e.Handle, vfs.Read)
	t.must("Close", f.Close())
	if got := t.read(g, 0, 100); got != "contents" {
		t.Errorf("the other File reads %q", got)
	}
}

func (t *tree) opensMany() {
	e := t.file(t.home, "f", "contents")
	for range 200 {
		if got := t.read(t.open(user, e.Handle, vfs.Read), 0, 8); got != "contents" {
			t.Fatalf("the file reads %q", got)
		}
	}
}
