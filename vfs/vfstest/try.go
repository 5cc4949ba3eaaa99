// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// Who the promises are tried by. The server itself is a nil Caller.
var (
	user   = &vfs.Caller{UID: 1000, GID: 1000}                         // owns the home
	member = &vfs.Caller{UID: 2000, GID: 2000, Groups: []uint32{1000}} // is in the home's group
	other  = &vfs.Caller{UID: 3000, GID: 3000}
	root   = &vfs.Caller{}
)

// patience is how long one promise may take. It is there for what hangs.
const patience = 2 * time.Minute

// tree is what a promise is tried on: one home, and steps that end the test where they go wrong.
type tree struct {
	*testing.T
	config *Config
	ctx    context.Context
	fs     vfs.FS
	home   vfs.Handle
}

func newTree(t *testing.T, config *Config) *tree {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	x := &tree{T: t, config: config, ctx: ctx}
	x.fs, x.home = config.New(t)
	return x
}

// must ends the test where a step that should have worked did not.
func (t *tree) must(step string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// refused fails the test unless a step answered one of the errors.
func (t *tree) refused(step string, err error, want ...syscall.Errno) {
	t.Helper()
	for _, errno := range want {
		if errors.Is(err, errno) {
			return
		}
	}
	if err == nil {
		t.Errorf("%s: no error, want %v", step, want)
		return
	}
	t.Errorf("%s: %q, want %v", step, err, want)
}

// skipIf ends the test where the implementation cannot keep the promise.
func (t *tree) skipIf(cannot bool, why string) {
	t.Helper()
	if cannot {
		t.Skip(why)
	}
}

func (t *tree) get(h vfs.Handle) vfs.Attr {
	t.Helper()
	a, err := t.fs.GetAttr(t.ctx, h)
	t.must("GetAttr", err)
	return a
}

func (t *tree) lookup(dir vfs.Handle, name string) vfs.Entry {
	t.Helper()
	e, err := t.fs.Lookup(t.ctx, nil, dir, name)
	t.must("Lookup "+name, err)
	return e
}

// absent fails the test where a directory has a name.
func (t *tree) absent(dir vfs.Handle, name string) {
	t.Helper()
	_, err := t.fs.Lookup(t.ctx, nil, dir, name)
	t.refused("Lookup "+name, err, syscall.ENOENT)
}

// hub returns the directory that the home is in.
func (t *tree) hub() vfs.Handle {
	t.Helper()
	e, err := t.fs.Parent(t.ctx, nil, t.home)
	t.must("Parent of the home", err)
	return e.Handle
}

// otherHome makes another home in the home's hub.
func (t *tree) otherHome() vfs.Handle {
	t.Helper()
	return t.mkdir(nil, t.hub(), "otherhome").Handle
}

func (t *tree) mkdir(c *vfs.Caller, dir vfs.Handle, name string) vfs.Entry {
	t.Helper()
	e, _, err := t.fs.Mkdir(t.ctx, c, dir, name, vfs.SetAttr{})
	t.must("Mkdir "+name, err)
	return e
}

func (t *tree) symlink(dir vfs.Handle, name, target string) vfs.Entry {
	t.Helper()
	e, _, err := t.fs.Symlink(t.ctx, user, dir, name, target, vfs.SetAttr{})
	t.must("Symlink "+name, err)
	return e
}

func (t *tree) fifo(dir vfs.Handle, name string) vfs.Entry {
	t.Helper()
	e, _, err := t.fs.Mknod(t.ctx, user, dir, name, vfs.FIFO, vfs.Device{}, vfs.SetAttr{})
	t.must("Mknod "+name, err)
	return e
}

// create makes and opens a file that is not there, for reading and writing. It is closed at the end of the test.
func (t *tree) create(c *vfs.Caller, dir vfs.Handle, name string) (vfs.File, vfs.Entry) {
	t.Helper()
	f, e, created, _, err := t.fs.Create(t.ctx, c, dir, name, vfs.Create{Mode: vfs.Guarded}, vfs.Read|vfs.Write)
	t.must("Create "+name, err)
	t.closeAtEnd(f)
	if !created {
		t.Fatalf("Create %s with Guarded says that the file was there", name)
	}
	return f, e
}

// file makes a file of the user's with synced contents.
func (t *tree) file(dir vfs.Handle, name, contents string) vfs.Entry {
	t.Helper()
	f, _, _, _, err := t.fs.Create(t.ctx, user, dir, name, vfs.Create{Mode: vfs.Guarded}, vfs.Write)
	t.must("Create "+name, err)
	t.write(f, 0, contents)
	t.must("Close", f.Close())
	return t.lookup(dir, name)
}

// open opens a file until the end of the test.
func (t *tree) open(c *vfs.Caller, h vfs.Handle, access vfs.Access) vfs.File {
	t.Helper()
	f, err := t.fs.Open(t.ctx, c, h, access)
	t.must("Open", err)
	t.closeAtEnd(f)
	return f
}

func (t *tree) closeAtEnd(f vfs.File) {
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// write writes all of the data, FileSync.
func (t *tree) write(f vfs.File, off uint64, data string) {
	t.Helper()
	for p := []byte(data); len(p) > 0; {
		n, did, _, err := f.WriteAt(t.ctx, p, off, vfs.FileSync)
		t.must("WriteAt", err)
		if n <= 0 || n > len(p) || did != vfs.FileSync {
			t.Fatalf("WriteAt of %d bytes with FileSync wrote %d with stability %d", len(p), n, did)
		}
		p, off = p[n:], off+uint64(n)
	}
}

// read reads a range of bytes.
func (t *tree) read(f vfs.File, off uint64, length int) string {
	t.Helper()
	p := make([]byte, length)
	n, _, err := f.ReadAt(t.ctx, p, off)
	t.must("ReadAt", err)
	return string(p[:n])
}

// contents reads all of a file, of at most 1 MiB.
func (t *tree) contents(h vfs.Handle) string {
	t.Helper()
	f, err := t.fs.Open(t.ctx, nil, h, vfs.Read)
	t.must("Open", err)
	s := t.read(f, 0, 1<<20)
	t.must("Close", f.Close())
	return s
}

func (t *tree) chmod(h vfs.Handle, mode uint32) vfs.Attr {
	t.Helper()
	a, err := t.fs.SetAttr(t.ctx, nil, h, vfs.SetAttr{Mode: &mode})
	t.must("SetAttr of the mode", err)
	return a
}

// list returns a directory's entries from a cookie on.
func (t *tree) list(dir vfs.Handle, cookie uint64, withAttr bool) []vfs.DirEntry {
	t.Helper()
	var all []vfs.DirEntry
	end, err := t.fs.ReadDir(t.ctx, nil, dir, cookie, withAttr, func(e *vfs.DirEntry) bool {
		all = append(all, *e)
		return true
	})
	t.must("ReadDir", err)
	if !end {
		t.Fatal("ReadDir did not come to the end, although nobody stopped it")
	}
	return all
}

// names returns the names in a directory.
func (t *tree) names(dir vfs.Handle) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, e := range t.list(dir, 0, false) {
		if names[e.Name] {
			t.Errorf("ReadDir told of %q twice", e.Name)
		}
		names[e.Name] = true
	}
	return names
}

// changed fails the test where a DirChange that claims to be atomic is not what GetAttr tells of the directory.
func (t *tree) changed(step string, dir vfs.Handle, before uint64, ch vfs.DirChange) {
	t.Helper()
	after := t.get(dir).Change
	if after <= before {
		t.Errorf("%s: the directory's change attribute went from %d to %d", step, before, after)
	}
	if ch.Atomic && (ch.Before != before || ch.After != after) {
		t.Errorf("%s: the atomic change is %d to %d, GetAttr says %d to %d", step, ch.Before, ch.After, before, after)
	}
}

func ptr[T any](v T) *T { return &v }
