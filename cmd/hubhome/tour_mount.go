// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

// callTime is how long one call of the tour may take, the server's restart within it.
const callTime = 5 * time.Second

// mounted is a directory of the server as a node or a pod has it, and on whose behalf.
type mounted struct {
	fs   *nfsclient.FS
	root vfs.Handle
	who  *vfs.Caller
}

// mount connects a client of its own, as another node would.
func (t *tour) mount(ctx context.Context, path string, who *vfs.Caller) (*mounted, error) {
	fs, err := nfsclient.Dial(ctx, nfsclient.Config{Addr: t.server.addr, Export: path, Timeout: callTime})
	if err != nil {
		return nil, err
	}
	t.clients = append(t.clients, fs)
	root, err := fs.Root(ctx)
	return &mounted{fs: fs, root: root, who: who}, err
}

// save makes what a name says be data, durably, as Jupyter does: a new file in place of the old one.
func (m *mounted) save(ctx context.Context, dir vfs.Handle, name string, data []byte) (vfs.Entry, error) {
	temp := ".~" + name
	f, e, _, _, err := m.fs.Create(ctx, m.who, dir, temp, vfs.Create{Mode: vfs.Guarded}, vfs.Write)
	if err != nil {
		return e, err
	}
	err = errors.Join(write(ctx, f, data, 0), f.Close())
	if err != nil {
		return e, err
	}
	_, _, _, err = m.fs.Rename(ctx, m.who, dir, temp, dir, name)
	return e, err
}

// write writes and syncs. What was not synced and is lost is written again.
func write(ctx context.Context, f vfs.File, data []byte, off uint64) error {
	for {
		var first vfs.Verifier
		for done := 0; done < len(data); {
			n, _, v, err := f.WriteAt(ctx, data[done:], off+uint64(done), vfs.Unstable)
			if err != nil {
				return err
			}
			if done == 0 {
				first = v
			} else if v != first {
				break // the commit will tell as well
			}
			done += n
		}
		v, err := f.Commit(ctx)
		if err != nil || v == first {
			return err
		}
	}
}

// read returns what a file says.
func (m *mounted) read(ctx context.Context, dir vfs.Handle, name string) ([]byte, error) {
	e, err := m.fs.Lookup(ctx, m.who, dir, name)
	if err != nil {
		return nil, err
	}
	f, err := m.fs.Open(ctx, m.who, e.Handle, vfs.Read)
	if err != nil {
		return nil, err
	}
	data := make([]byte, e.Attr.Size)
	n, _, err := f.ReadAt(ctx, data, 0)
	return data[:n], errors.Join(err, f.Close())
}

// names lists a directory.
func (m *mounted) list(ctx context.Context, dir vfs.Handle) (entries []vfs.DirEntry, err error) {
	_, err = m.fs.ReadDir(ctx, m.who, dir, 0, true, func(e *vfs.DirEntry) bool {
		entries = append(entries, *e)
		return true
	})
	return entries, err
}

// mustRefuse is an error where something worked, or failed for another reason, that should have been refused.
func mustRefuse(what string, err error, want ...syscall.Errno) error {
	for _, errno := range want {
		if errors.Is(err, errno) {
			return nil
		}
	}
	if err == nil {
		return fmt.Errorf("%s was not refused", what)
	}
	return fmt.Errorf("%s was refused, but so: %w", what, err)
}

// owned is an error unless a file has an owner and mode.
func owned(name string, a *vfs.Attr, uid, mode uint32) error {
	if a.UID != uid || a.GID != uid || a.Mode != mode {
		return fmt.Errorf("%s belongs to %d:%d with mode %04o, and not to %d:%d with mode %04o", name, a.UID, a.GID, a.Mode, uid, uid, mode)
	}
	return nil
}
