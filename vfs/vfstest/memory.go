// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package vfstest has what the tests of every implementation of vfs share: the suite that holds an implementation to
// the contract (Run), and a tree of files in memory that keeps it (Memory), for tests of what stands above.
//
// It imports vfs and the standard library only. Nothing in it is fast: Memory has one mutex.
package vfstest

import (
	"context"
	"crypto/rand"
	"sync"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// capacity is how many bytes a Memory says it has room for; maxFiles how many files.
const (
	capacity = 1 << 30
	maxFiles = 1 << 20
)

// homeOwner owns every new home, and its group.
const homeOwner = 1000

// Memory is a vfs.FS in memory. Directories in the root are hubs; a directory made in a hub is a home, which belongs to
// 1000:1000 with mode 0755 whoever makes it. What is in neither has no home; what lies directly in a hub and is no
// directory is of the hub's. It knows what would be lost with a machine: Crash.
type Memory struct {
	// mu is held by every operation, and by no hook.
	mu       sync.Mutex
	hooks    map[string]func() error
	key      [16]byte
	nodes    map[uint64]*node
	root     *node
	lastID   uint64
	change   uint64
	used     uint64 // bytes
	verifier vfs.Verifier
	// life counts the crashes: what was opened in an earlier life is closed.
	life int
}

var _ vfs.FS = (*Memory)(nil)

// NewMemory returns a tree with a root that belongs to root, and a directory for each hub that belongs to 1000:1000.
func NewMemory(hubs ...string) *Memory {
	m := &Memory{
		hooks: map[string]func() error{},
		nodes: map[uint64]*node{},
		// A new tree's values are greater than those of one that was made before.
		change: uint64(time.Now().UnixNano()),
	}
	rand.Read(m.key[:])
	rand.Read(m.verifier[:])
	m.root = m.newNode(vfs.Directory, nil)
	m.root.attr.Mode, m.root.attr.Nlink = 0o755, 2
	owner := uint32(homeOwner)
	for _, hub := range hubs {
		if _, _, err := m.Mkdir(context.Background(), nil, m.handle(m.root), hub, vfs.SetAttr{UID: &owner, GID: &owner}); err != nil {
			panic("vfstest: make the directory of hub " + hub + ": " + err.Error())
		}
	}
	return m
}

// Hook has a function called at the start of every operation with a label, before it does anything: what the function
// answers, other than nil, is the operation's answer, and while it has not returned the operation waits. A nil function
// takes the hook away. The label is the name of the FS's or File's method. Besides, "Sync" is called whenever data is
// made durable: by Commit, and by a WriteAt that asks for it.
func (m *Memory) Hook(label string, f func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f == nil {
		delete(m.hooks, label)
		return
	}
	m.hooks[label] = f
}

// Fail makes every operation with a label answer an error, until it is called with nil.
func (m *Memory) Fail(label string, err error) {
	if err == nil {
		m.Hook(label, nil)
		return
	}
	m.Hook(label, func() error { return err })
}

// hooked calls the hook of a label, if there is one. m.mu is not held.
func (m *Memory) hooked(label string) error {
	m.mu.Lock()
	f := m.hooks[label]
	m.mu.Unlock()
	if f == nil {
		return nil
	}
	return f()
}

// begin calls the hook of an operation and, where there is no error, locks the tree.
func (m *Memory) begin(label string) error {
	if err := m.hooked(label); err != nil {
		return err
	}
	m.mu.Lock()
	return nil
}

// Crash is what the machine's end and restart does to the tree: data that was not synced is lost, open Files are of no
// use any more, files that have no name are gone, and the verifier is another one.
func (m *Memory) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life++
	rand.Read(m.verifier[:])
	for _, n := range m.nodes {
		n.opens = 0
		m.lose(n)
		m.drop(n)
	}
}

// OpenFiles is how many Files are open.
func (m *Memory) OpenFiles() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	open := 0
	for _, n := range m.nodes {
		open += n.opens
	}
	return open
}

// lose puts a file back to what was synced of it.
func (m *Memory) lose(n *node) {
	if !n.content.dirty() {
		return
	}
	m.used -= n.content.used()
	n.content.revert()
	m.used += n.content.used()
	m.touchData(n)
}

// Root returns the root directory's handle.
func (m *Memory) Root(context.Context) (vfs.Handle, error) {
	if err := m.begin("Root"); err != nil {
		return "", err
	}
	defer m.mu.Unlock()
	return m.handle(m.root), nil
}

// StatFS returns the space of the whole tree.
func (m *Memory) StatFS(_ context.Context, h vfs.Handle) (vfs.StatFS, error) {
	if err := m.begin("StatFS"); err != nil {
		return vfs.StatFS{}, err
	}
	defer m.mu.Unlock()
	if _, err := m.find(h); err != nil {
		return vfs.StatFS{}, err
	}
	bytes, files := capacity-m.used, maxFiles-uint64(len(m.nodes))
	return vfs.StatFS{
		TotalBytes: capacity, FreeBytes: bytes, AvailBytes: bytes,
		TotalFiles: maxFiles, FreeFiles: files, AvailFiles: files,
	}, nil
}

// room answers ENOSPC where the tree cannot take so many bytes more.
func (m *Memory) room(bytes uint64) error {
	if bytes > capacity-m.used {
		return syscall.ENOSPC
	}
	return nil
}
