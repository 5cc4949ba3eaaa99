// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"context"
	"crypto/rand"
	"math"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

// file is an open regular file of a Memory.
type file struct {
	m      *Memory
	n      *node
	caller *vfs.Caller
	access vfs.Access
	life   int
	closed bool
}

// permitOpen is the rules of Open.
func (n *node) permitOpen(c *vfs.Caller, access vfs.Access) error {
	switch n.attr.Type {
	case vfs.Regular:
		return vfs.PermitOpen(c, &n.attr, access)
	case vfs.Directory:
		return syscall.EISDIR
	case vfs.Symlink:
		return syscall.ELOOP
	}
	return syscall.EINVAL
}

// open opens a file. The caller has asked permitOpen.
func (m *Memory) open(c *vfs.Caller, n *node, access vfs.Access) *file {
	n.opens++
	if c != nil {
		who := *c // the request that c is of may end before the File
		c = &who
	}
	return &file{m: m, n: n, caller: c, access: access, life: m.life}
}

// Open opens a regular file.
func (m *Memory) Open(_ context.Context, c *vfs.Caller, h vfs.Handle, access vfs.Access) (vfs.File, error) {
	if err := m.begin("Open"); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	n, err := m.find(h)
	if err != nil {
		return nil, err
	}
	if err := n.permitOpen(c, access); err != nil {
		return nil, err
	}
	return m.open(c, n, access), nil
}

// begin calls the hook of an operation, locks the tree and checks that the file is open for it.
func (f *file) begin(label string, need vfs.Access) error {
	if err := f.m.begin(label); err != nil {
		return err
	}
	if err := f.usable(need); err != nil {
		f.m.mu.Unlock()
		return err
	}
	return nil
}

func (f *file) usable(need vfs.Access) error {
	switch {
	case f.life != f.m.life:
		return syscall.EIO
	case f.closed, f.access&need != need:
		return syscall.EBADF
	}
	return nil
}

// within answers what is wrong with a range of bytes that no file can have.
func within(off, length uint64) error {
	switch {
	case off > math.MaxInt64:
		return syscall.EINVAL
	case length > math.MaxInt64-off:
		return syscall.EFBIG
	}
	return nil
}

// ReadAt reads into p from off.
func (f *file) ReadAt(_ context.Context, p []byte, off uint64) (n int, eof bool, err error) {
	if err := f.begin("ReadAt", vfs.Read); err != nil {
		return 0, false, err
	}
	defer f.m.mu.Unlock()
	c := &f.n.content
	if off >= c.size {
		return 0, true, nil
	}
	n = c.read(p, off)
	return n, off+uint64(n) == c.size, nil
}

// WriteAt writes p at off.
func (f *file) WriteAt(_ context.Context, p []byte, off uint64, want vfs.Stability) (n int, did vfs.Stability, v vfs.Verifier, err error) {
	if err := f.begin("WriteAt", vfs.Write); err != nil {
		return 0, 0, v, err
	}
	v, err = f.write(p, off)
	f.m.mu.Unlock()
	did = vfs.Unstable
	if err == nil && want != vfs.Unstable {
		did = vfs.FileSync
		v, err = f.sync()
	}
	if err != nil {
		return 0, 0, v, err
	}
	return len(p), did, v, nil
}

func (f *file) write(p []byte, off uint64) (vfs.Verifier, error) {
	if len(p) == 0 {
		return f.m.verifier, nil
	}
	c := &f.n.content
	if err := within(off, uint64(len(p))); err != nil {
		return f.m.verifier, err
	}
	more := c.missing(off, uint64(len(p)))
	if err := f.m.room(more); err != nil {
		return f.m.verifier, err
	}
	f.m.used += more
	c.write(p, off)
	f.changed()
	return f.m.verifier, nil
}

// changed counts a change of the file's data.
func (f *file) changed() {
	f.n.written(f.caller)
	f.m.touchData(f.n)
}

// Commit makes all that was written to the file safe.
func (f *file) Commit(context.Context) (vfs.Verifier, error) {
	if err := f.begin("Commit", 0); err != nil {
		return vfs.Verifier{}, err
	}
	f.m.mu.Unlock()
	return f.sync()
}

// sync makes the file's data safe. Where the hook says no, the data is lost, and the verifier another one.
func (f *file) sync() (vfs.Verifier, error) {
	err := f.m.hooked("Sync")
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err == nil {
		err = f.usable(0)
	}
	if err != nil {
		rand.Read(f.m.verifier[:])
		f.m.lose(f.n)
		return f.m.verifier, err
	}
	f.n.content.sync()
	return f.m.verifier, nil
}

// Truncate sets the size.
func (f *file) Truncate(_ context.Context, size uint64) error {
	if err := f.begin("Truncate", vfs.Write); err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	if size > math.MaxInt64 {
		return syscall.EFBIG
	}
	f.m.resize(f.caller, f.n, size)
	return nil
}

// Close ends the use of the file. The last Close of a file without a name removes it.
func (f *file) Close() error {
	if err := f.begin("Close", 0); err != nil {
		return err
	}
	defer f.m.mu.Unlock()
	f.closed = true
	f.n.opens--
	f.m.drop(f.n)
	return nil
}
