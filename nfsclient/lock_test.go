// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

// TestLock: one has the lock at a time, and closing the file gives it back.
func TestLock(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	for minor := range uint32(2) {
		fs := dial(t, nfsclient.Config{Addr: s.addr, Export: path, MinorVersion: minor + 1})
		open := func(access vfs.Access) *nfsclient.File {
			f, _, _, _, err := fs.Create(t.Context(), nil, root(t, fs), "file", vfs.Create{}, access)
			if err != nil {
				t.Fatal(err)
			}
			return f.(*nfsclient.File)
		}
		one, two := open(vfs.Write), open(vfs.Read|vfs.Write)
		unlock, err := one.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := two.Lock(t.Context()); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("a lock that somebody has: %v", err)
		}
		if err := unlock(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err = two.Lock(t.Context()); err != nil {
			t.Errorf("a lock that was given back: %v", err)
		}
		if err := two.Close(); err != nil {
			t.Errorf("close a file with a lock: %v", err)
		}
		if unlock, err = one.Lock(t.Context()); err != nil {
			t.Errorf("a lock of a file that was closed: %v", err)
		} else if err := unlock(t.Context()); err != nil {
			t.Error(err)
		}
		reader := open(vfs.Read)
		if _, err := reader.Lock(t.Context()); !errors.Is(err, syscall.EBADF) {
			t.Errorf("lock a file that is open for reading: %v", err)
		}
		for _, f := range []*nfsclient.File{one, reader} {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
