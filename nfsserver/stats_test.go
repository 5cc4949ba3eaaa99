// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"errors"
	"sync"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/vfs"
)

// TestObserve has every operation told of, with its status, its home and what it moved; and what the server holds.
func TestObserve(t *testing.T) {
	var mu sync.Mutex
	var seen []nfsserver.Operation
	b := newBed(t, func(b *bed) {
		b.observe = func(o nfsserver.Operation) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, o)
		}
	})
	fs, err := nfsclient.Dial(t.Context(), nfsclient.Config{Addr: b.addr, Export: baseShare + "/" + hub, Timeout: patience})
	b.must("dial", err)
	defer fs.Close()
	root, err := fs.Root(t.Context())
	b.must("find the hub", err)
	ada, err := fs.Lookup(t.Context(), nil, root, "ada")
	b.must("find a home", err)
	f, _, _, _, err := fs.Create(t.Context(), nil, ada.Handle, "file", vfs.Create{Mode: vfs.Unchecked}, vfs.Read|vfs.Write)
	b.must("make a file", err)
	_, _, _, err = f.WriteAt(t.Context(), make([]byte, 1000), 0, vfs.FileSync)
	b.must("write", err)
	_, _, err = f.ReadAt(t.Context(), make([]byte, 700), 0)
	b.must("read", err)
	if st := b.server.Stats(); st.Clients != 1 || st.Sessions != 1 || len(st.Held) != 1 || len(st.Held[0].LockOwners) != 0 || len(st.Locks) != 0 || st.Courtesy != 0 || len(st.Grace) != 0 {
		t.Errorf("it holds %+v", st)
	}
	b.must("close", f.Close())
	if _, err := fs.Lookup(t.Context(), nil, ada.Handle, "nothing"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("what is not there is %v", err)
	}
	attr, err := b.fs.GetAttr(t.Context(), b.find(hub, "ada"))
	b.must("look at the home", err)
	mu.Lock()
	defer mu.Unlock()
	of := func(op nfs4.Op, status nfs4.Status) (found nfsserver.Operation) {
		for _, o := range seen {
			if o.Op == op && o.Status == status {
				found = o
			}
		}
		if found.Took <= 0 {
			t.Errorf("%s %s is not told of, or took no time: %+v", op, status, found)
		}
		return found
	}
	for op, bytes := range map[nfs4.Op]int{nfs4.OpWrite: 1000, nfs4.OpRead: 700, nfs4.OpOpen: 0, nfs4.OpClose: 0} {
		if o := of(op, nfs4.OK); o.Bytes != bytes || o.Home != attr.Home {
			t.Errorf("%s is told as %+v, want %d bytes in home %d", op, o, bytes, attr.Home)
		}
	}
	of(nfs4.OpLookup, nfs4.ErrNoEnt)
	if o := of(nfs4.OpSequence, nfs4.OK); o.Home != 0 {
		t.Errorf("SEQUENCE is of home %d", o.Home)
	}
}

// TestStats has two clients with files open and ranges locked in one home.
func TestStats(t *testing.T) {
	bed, a, b := lockBed(t)
	attr, err := bed.fs.GetAttr(t.Context(), bed.find(hub, "ada"))
	bed.must("look at the home", err)
	home := attr.Home
	is := func(what string, owners, locks int) {
		t.Helper()
		st := bed.server.Stats()
		if st.Clients != 2 || len(st.Held) != 2 || st.Courtesy != 0 {
			t.Fatalf("%s, it holds %+v", what, st)
		}
		n := 0
		for _, h := range st.Held {
			if h.Courtesy || len(h.Opens) != 1 || h.Opens[home] != 1 {
				t.Errorf("%s, a client holds %+v", what, h)
			}
			n += h.LockOwners[home]
		}
		if n != owners || st.Locks[home] != locks || len(st.Locks) > 1 {
			t.Errorf("%s, %d owners have locks, and locked are %v; want %d and %d", what, n, st.Locks, owners, locks)
		}
	}
	is("with nothing locked", 0, 0)
	a.lock(nfs4.WriteLock, 0, 10).ok()
	a.lock(nfs4.WriteLock, 20, 10).ok()
	b.lock(nfs4.WriteLock, 40, 10).ok()
	is("with three ranges", 2, 3)
	a.unlock(0, 100)
	is("with one that is left", 2, 1)
}
