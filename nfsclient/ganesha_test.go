// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/vfs"
)

// peer starts a Ganesha that exports a new directory as /homes.
func peer(t *testing.T) *ganesha.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("starts another server")
	}
	if os.Geteuid() != 0 {
		t.Skip("NFS-Ganesha needs root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	g, err := ganesha.Start(ctx, ganesha.Config{Dir: dir, Pseudo: "/homes"})
	if err != nil {
		t.Skipf("start NFS-Ganesha: %v", err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Errorf("stop NFS-Ganesha: %v", err)
		}
	})
	return g
}

// TestPeer does with another server what the contract asks for and that server has.
func TestPeer(t *testing.T) {
	g := peer(t)
	for minor := range uint32(2) {
		t.Run(fmt.Sprintf("NFSv4.%d", minor+1), func(t *testing.T) {
			fs := dial(t, nfsclient.Config{Addr: g.Addr(), Export: "/homes", MinorVersion: minor + 1})
			e, _, err := fs.Mkdir(t.Context(), nil, root(t, fs), t.Name()[len(t.Name())-1:], vfs.SetAttr{})
			if err != nil {
				t.Fatal(err)
			}
			x := peerTest{T: t, fs: fs, dir: e.Handle, newer: minor == 1}
			x.files()
			x.names()
			x.list()
		})
	}
}

// peerTest is a directory at another server.
type peerTest struct {
	*testing.T
	fs    *nfsclient.FS
	dir   vfs.Handle
	newer bool
}

func (t *peerTest) must(step string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

func (t *peerTest) refused(step string, err error, want syscall.Errno) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", step, err, want)
	}
}

func (t *peerTest) files() {
	ctx := t.Context()
	f, e, created, ch, err := t.fs.Create(ctx, nil, t.dir, "file", vfs.Create{}, vfs.Read|vfs.Write)
	t.must("create", err)
	if !created || ch.Before == ch.After {
		t.Errorf("a new file: created is %v, the directory's change %d to %d", created, ch.Before, ch.After)
	}
	if e.Attr.Type != vfs.Regular || e.Attr.Mode != 0o644 || e.Attr.UID != 0 || e.Attr.Nlink != 1 {
		t.Errorf("a new file: %+v", e.Attr)
	}
	data := make([]byte, 3<<20+5)
	for i := range data {
		data[i] = byte(i * 31 >> 3)
	}
	n, did, v, err := f.WriteAt(ctx, data, 7, vfs.Unstable)
	t.must("write", err)
	if n != len(data) {
		t.Errorf("wrote %d of %d bytes", n, len(data))
	}
	now, err := f.Commit(ctx)
	t.must("commit", err)
	if did == vfs.Unstable && now != v {
		t.Error("the verifier has changed without a loss")
	}
	got := make([]byte, len(data)+100)
	n, eof, err := f.ReadAt(ctx, got, 7)
	t.must("read", err)
	if !eof || !bytes.Equal(got[:n], data) {
		t.Errorf("read %d bytes, end %v; equal: %v", n, eof, bytes.Equal(got[:n], data))
	}
	t.must("truncate", f.Truncate(ctx, 10))
	a, err := t.fs.GetAttr(ctx, e.Handle)
	t.must("getattr", err)
	if a.Size != 10 || a.Change == e.Attr.Change {
		t.Errorf("after truncate: size %d, change %d and before %d", a.Size, a.Change, e.Attr.Change)
	}
	again, same, created, _, err := t.fs.Create(ctx, nil, t.dir, "file", vfs.Create{}, vfs.Read)
	t.must("create again", err)
	if created || same.Handle != e.Handle {
		t.Errorf("create of a file that is there: created is %v, the same handle %v", created, same.Handle == e.Handle)
	}
	t.must("close", again.Close())
	_, _, _, _, err = t.fs.Create(ctx, nil, t.dir, "file", vfs.Create{Mode: vfs.Guarded}, vfs.Read)
	t.refused("create guarded", err, syscall.EEXIST)
	t.must("close", f.Close())
	if _, _, err := f.ReadAt(ctx, got, 0); !errors.Is(err, syscall.EBADF) {
		t.Errorf("read after close: %v", err)
	}
	how := vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{1, 2, 3}}
	for range 2 {
		x, _, _, _, err := t.fs.Create(ctx, nil, t.dir, "exclusive", how, vfs.Write)
		t.must("create exclusive", err)
		t.must("close", x.Close())
	}
	r, err := t.fs.Open(ctx, nil, e.Handle, vfs.Read)
	t.must("open", err)
	_, _, _, err = r.WriteAt(ctx, data[:1], 0, vfs.Unstable)
	t.refused("write to a file open for reading", err, syscall.EBADF)
	if !t.newer {
		_, _, err := r.Seek(ctx, vfs.SeekData, 0)
		t.refused("seek in NFSv4.1", err, syscall.EOPNOTSUPP)
	} else {
		at, _, err := r.Seek(ctx, vfs.SeekData, 0)
		t.must("seek", err)
		if at != 0 {
			t.Errorf("data begins at %d", at)
		}
	}
	t.must("close", r.Close())
	_, err = t.fs.Open(ctx, nil, t.dir, vfs.Read)
	t.refused("open a directory", err, syscall.EISDIR)
}

func (t *peerTest) names() {
	ctx := t.Context()
	sub, _, err := t.fs.Mkdir(ctx, nil, t.dir, "sub", vfs.SetAttr{})
	t.must("mkdir", err)
	if sub.Attr.Type != vfs.Directory || sub.Attr.Mode != 0o755 {
		t.Errorf("a new directory: %+v", sub.Attr)
	}
	_, _, err = t.fs.Mkdir(ctx, nil, t.dir, "sub", vfs.SetAttr{})
	t.refused("mkdir again", err, syscall.EEXIST)
	up, err := t.fs.Parent(ctx, nil, sub.Handle)
	t.must("parent", err)
	if up.Handle != t.dir {
		t.Error("the parent of a directory is another one than it was made in")
	}
	link, _, err := t.fs.Symlink(ctx, nil, sub.Handle, "link", "../../elsewhere", vfs.SetAttr{})
	t.must("symlink", err)
	target, err := t.fs.ReadLink(ctx, nil, link.Handle)
	t.must("readlink", err)
	if target != "../../elsewhere" {
		t.Errorf("the link says %q", target)
	}
	_, err = t.fs.Open(ctx, nil, link.Handle, vfs.Read)
	t.refused("open a link", err, syscall.ELOOP)
	_, err = t.fs.Lookup(ctx, nil, link.Handle, "x")
	t.refused("lookup in a link", err, syscall.ENOTDIR)
	file, err := t.fs.Lookup(ctx, nil, t.dir, "file")
	t.must("lookup", err)
	_, err = t.fs.Link(ctx, nil, file.Handle, sub.Handle, "hard")
	t.must("link", err)
	over, from, to, err := t.fs.Rename(ctx, nil, sub.Handle, "hard", t.dir, "exclusive")
	t.must("rename", err)
	if over.Handle == "" || over.Handle == file.Handle {
		t.Error("rename does not say what it replaced")
	}
	if from.Before == from.After || to.Before == to.After {
		t.Errorf("rename changed its directories from %d to %d and from %d to %d", from.Before, from.After, to.Before, to.After)
	}
	_, _, err = t.fs.Remove(ctx, nil, t.dir, "sub")
	t.refused("remove a directory that is not empty", err, syscall.ENOTEMPTY)
	gone, _, err := t.fs.Remove(ctx, nil, t.dir, "exclusive")
	t.must("remove", err)
	if gone.Handle != file.Handle || gone.Attr.Nlink != 2 {
		t.Errorf("removed a name of another file, with %d links", gone.Attr.Nlink)
	}
	_, err = t.fs.Lookup(ctx, nil, t.dir, "exclusive")
	t.refused("lookup what was removed", err, syscall.ENOENT)
	mode, uid := uint32(0o600), uint32(1000)
	when := time.Unix(1700000000, 123456789).UTC()
	a, err := t.fs.SetAttr(ctx, nil, file.Handle, vfs.SetAttr{Mode: &mode, UID: &uid, Mtime: vfs.SetTime{Set: true, Time: when}})
	t.must("setattr", err)
	if a.Mode != mode || a.UID != uid || !a.Mtime.Equal(when) {
		t.Errorf("after setattr: %+v", a)
	}
	stranger := &vfs.Caller{UID: 2000, GID: 2000}
	_, err = t.fs.Open(ctx, stranger, file.Handle, vfs.Read)
	t.refused("open another's file", err, syscall.EACCES)
	fifo, _, err := t.fs.Mknod(ctx, nil, t.dir, "fifo", vfs.FIFO, vfs.Device{}, vfs.SetAttr{Mode: &mode})
	t.must("mknod", err)
	if fifo.Attr.Type != vfs.FIFO {
		t.Errorf("a new FIFO: %+v", fifo.Attr)
	}
	space, err := t.fs.StatFS(ctx, t.dir)
	t.must("statfs", err)
	if space.TotalBytes == 0 || space.AvailBytes > space.TotalBytes {
		t.Errorf("space: %+v", space)
	}
}

func (t *peerTest) list() {
	const entries = 3000
	ctx := t.Context()
	dir, _, err := t.fs.Mkdir(ctx, nil, t.dir, "big", vfs.SetAttr{})
	t.must("mkdir", err)
	for i := range entries {
		_, _, err := t.fs.Symlink(ctx, nil, dir.Handle, fmt.Sprintf("entry %d", i), "nowhere", vfs.SetAttr{})
		t.must("symlink", err)
	}
	for _, withAttr := range []bool{false, true} {
		seen := map[string]bool{}
		var cookie uint64
		for end := false; !end; {
			left := 700 // stop in the middle and come back by the cookie
			end, err = t.fs.ReadDir(ctx, nil, dir.Handle, cookie, withAttr, func(e *vfs.DirEntry) bool {
				seen[e.Name], cookie = true, e.Cookie
				if e.FileID == 0 || e.Err != nil || withAttr && (e.Handle == "" || e.Attr.Type != vfs.Symlink) {
					t.Fatalf("entry %+v", e)
				}
				left--
				return left > 0
			})
			t.must("readdir", err)
		}
		if len(seen) != entries {
			t.Errorf("the directory of %d entries has %d, with attributes: %v", entries, len(seen), withAttr)
		}
	}
}
