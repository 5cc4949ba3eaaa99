// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// node is one file of a Memory. Everything in it is under the Memory's mutex.
type node struct {
	attr   vfs.Attr
	level  level
	parent *node // of a directory
	// entries and names are a directory's entries, in the order of their cookies and by name.
	entries    []*entry
	names      map[string]*entry
	lastCookie uint64
	target     string // of a symbolic link
	content    content
	xattrs     map[string][]byte
	// made is the verifier of the exclusive Create that made the file.
	made  *[8]byte
	opens int
}

// entry is one entry of a directory.
type entry struct {
	name   string
	cookie uint64
	node   *node
}

// level says how far below the root a file is.
type level uint8

const (
	rootLevel level = iota
	hubLevel
	homeLevel
	inside
)

// newNode makes a file for a directory, with no name yet. A nil directory: the root.
func (m *Memory) newNode(t vfs.Type, dir *node) *node {
	m.lastID++
	now := time.Now()
	n := &node{attr: vfs.Attr{
		Type: t, FileID: m.lastID, Change: m.nextChange(), Atime: now, Mtime: now, Ctime: now, Birth: now,
	}}
	if t == vfs.Directory {
		n.names, n.lastCookie = map[string]*entry{}, 2
	}
	if dir != nil {
		n.level, n.attr.Home = min(dir.level+1, inside), dir.attr.Home
		if t == vfs.Directory && n.level != inside {
			n.attr.Home = vfs.HomeID(n.attr.FileID)
		}
	}
	m.nodes[n.attr.FileID] = n
	return n
}

func (m *Memory) nextChange() uint64 {
	m.change++
	return m.change
}

// touch counts a change of a file's attributes.
func (m *Memory) touch(n *node) {
	n.attr.Ctime, n.attr.Change = time.Now(), m.nextChange()
}

// touchData counts a change of a file's data.
func (m *Memory) touchData(n *node) {
	m.touch(n)
	n.attr.Mtime = n.attr.Ctime
}

// drop forgets a file that nobody can reach any more.
func (m *Memory) drop(n *node) {
	if n.attr.Nlink == 0 && n.opens == 0 {
		m.used -= n.content.used()
		n.content = content{}
		delete(m.nodes, n.attr.FileID)
	}
}

// handleSize is the size of a Memory's handles: the file's number, its home, and the signature of both.
const handleSize = 8 + 8 + 16

// handle returns a file's handle.
func (m *Memory) handle(n *node) vfs.Handle {
	b := binary.BigEndian.AppendUint64(nil, n.attr.FileID)
	b = binary.BigEndian.AppendUint64(b, uint64(n.attr.Home))
	return vfs.Handle(m.sign(b))
}

func (m *Memory) sign(b []byte) []byte {
	mac := hmac.New(sha256.New, m.key[:])
	mac.Write(b)
	return append(b, mac.Sum(nil)[:handleSize-len(b)]...)
}

// check answers EBADF for what is no handle of this tree.
func (m *Memory) check(h vfs.Handle) error {
	if len(h) != handleSize || string(m.sign([]byte(h[:16]))) != string(h) {
		return syscall.EBADF
	}
	return nil
}

// find returns a handle's file.
func (m *Memory) find(h vfs.Handle) (*node, error) {
	if err := m.check(h); err != nil {
		return nil, err
	}
	n := m.nodes[binary.BigEndian.Uint64([]byte(h[:8]))]
	if n == nil {
		return nil, syscall.ESTALE
	}
	return n, nil
}

// findDir returns a handle's directory.
func (m *Memory) findDir(h vfs.Handle) (*node, error) {
	n, err := m.find(h)
	if err == nil && n.attr.Type != vfs.Directory {
		err = syscall.ENOTDIR
	}
	return n, err
}

// Home tells which home a handle's file belongs to.
func (m *Memory) Home(h vfs.Handle) (vfs.HomeID, error) {
	if err := m.check(h); err != nil {
		return 0, err
	}
	return vfs.HomeID(binary.BigEndian.Uint64([]byte(h[8:16]))), nil
}

// entry returns a file as an operation answers it.
func (m *Memory) entry(n *node) vfs.Entry {
	return vfs.Entry{Handle: m.handle(n), Attr: m.attr(n)}
}

// attr returns a file's attributes.
func (m *Memory) attr(n *node) vfs.Attr {
	a := n.attr
	switch a.Type {
	case vfs.Regular:
		a.Size, a.Used = n.content.size, n.content.used()
	case vfs.Directory:
		a.Size, a.Used = pageSize, pageSize
	case vfs.Symlink:
		a.Size = uint64(len(n.target))
	}
	return a
}
