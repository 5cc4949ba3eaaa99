// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"context"
	"testing"
	"time"

	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// memory is a ledger over a tree in memory, where everything can be made to fail.
type memory struct {
	testing.TB
	inner  *vfstest.Memory
	ledger *quota.Ledger
	fs     *quota.FS
	quota.Hub
}

func newMemory(t testing.TB) *memory {
	t.Helper()
	m := &memory{TB: t, inner: vfstest.NewMemory(hubName)}
	m.ledger = quota.New(m.inner, m)
	m.fs = m.ledger.FS()
	a, err := m.inner.GetAttr(ctx, m.hub())
	m.must(err)
	m.Hub = quota.Hub{Home: quota.Home{ID: a.Home, Name: hubName}}
	m.ledger.SetHubs([]quota.Hub{m.Hub})
	return m
}

func (m *memory) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *memory) Mark(vfs.HomeID) (uint64, error) { return 1, nil }

func (m *memory) Find(context.Context) error { return nil }

func (m *memory) Now() time.Time { return time.Now() }

func (m *memory) hub() vfs.Handle {
	m.Helper()
	root, err := m.inner.Root(ctx)
	m.must(err)
	e, err := m.inner.Lookup(ctx, nil, root, hubName)
	m.must(err)
	return e.Handle
}

func (m *memory) home(name string) vfs.Handle {
	m.Helper()
	e, _, err := m.fs.Mkdir(ctx, nil, m.hub(), name, vfs.SetAttr{})
	m.must(err)
	return e.Handle
}

// TestGivenUp: what a count has published of a home that was never counted goes with it.
func TestGivenUp(t *testing.T) {
	m := newMemory(t)
	e, _, err := m.inner.Mkdir(ctx, nil, m.hub(), "ada", vfs.SetAttr{})
	m.must(err)
	m.ledger.SetHubs([]quota.Hub{{Home: m.Hub.Home, Homes: []quota.Home{{ID: e.Attr.Home, Name: "ada"}}}})
	for range 3 {
		c, err := m.ledger.Begin(e.Attr.Home, time.Now())
		m.must(err)
		m.must(c.Visit(e.Attr.FileID, func() (quota.Found, error) {
			return quota.Found{Number: e.Attr.FileID, Type: vfs.Directory, Used: 4096, Handle: e.Handle}, nil
		}))
		c.Publish()
		c.Cancel()
	}
	if used := m.ledger.Report().Hubs[0].Homes[0].Used; used != (quota.Usage{}) {
		t.Errorf("after counts that were given up it takes %+v", used)
	}
}

// late runs something after a file was opened and before that is known.
type late struct {
	*vfstest.Memory
	run func()
}

func (l *late) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (f vfs.File, e vfs.Entry, created bool, ch vfs.DirChange, err error) {
	f, e, created, ch, err = l.Memory.Create(ctx, c, dir, name, how, access)
	if run := l.run; run != nil {
		l.run = nil
		run()
	}
	return f, e, created, ch, err
}

// TestOpenedWhileRemoved: a file is charged that is removed at the moment at which somebody opens it, also where somebody else has
// to do with it meanwhile.
func TestOpenedWhileRemoved(t *testing.T) {
	m := newMemory(t)
	inner := &late{Memory: m.inner}
	m.ledger = quota.New(inner, m)
	m.fs = m.ledger.FS()
	m.ledger.SetHubs([]quota.Hub{m.Hub})
	home := m.home("ada")
	f, e, _, _, err := m.fs.Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
	m.must(err)
	m.must(write(f, 0, 10_000))
	_, err = f.Commit(ctx)
	m.must(err)
	m.must(f.Close())
	used := func() quota.Usage { return m.ledger.Report().Hubs[0].Homes[0].Used }
	before := used()
	inner.run = func() {
		_, _, err := m.fs.Remove(ctx, user, home, "f")
		m.must(err)
	}
	m.inner.Hook("SetXattr", func() error {
		m.inner.Hook("SetXattr", nil)
		f, _, _, _, err = m.fs.Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
		m.must(err)
		return nil
	})
	m.fs.SetXattr(ctx, user, e.Handle, "x", []byte("x"), vfs.XattrEither) //nolint:errcheck // the file may be gone for it
	if now := used(); now != before {
		t.Errorf("with a file that is removed and open the home takes %+v, and took %+v", now, before)
	}
	m.must(write(f, 10_000, 10_000))
	if now := used(); now.Bytes <= before.Bytes {
		t.Errorf("what is written to it is not charged: %+v, before %+v", now, before)
	}
	m.must(f.Close())
	if now := used(); now.Inodes != before.Inodes-1 || now.Bytes >= before.Bytes {
		t.Errorf("when it is closed the home takes %+v, and took %+v", now, before)
	}
}

// TestHomeRemovedWhileOpen: what is open of a home that was removed is in its hub's total until it is closed.
func TestHomeRemovedWhileOpen(t *testing.T) {
	m := newMemory(t)
	used := func() quota.Usage { return m.ledger.Report().Hubs[0].Used }
	m.ledger.SetHubs([]quota.Hub{m.Hub})
	before := used()
	home := m.home("ada")
	f, _, _, _, err := m.fs.Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
	m.must(err)
	m.must(write(f, 0, 100_000))
	_, _, err = m.fs.Remove(ctx, user, home, "f")
	m.must(err)
	_, _, err = m.fs.Remove(ctx, nil, m.hub(), "ada")
	m.must(err)
	if now := used(); now.Inodes != before.Inodes+1 || now.Bytes < before.Bytes+100_000 {
		t.Errorf("with a file that is open the hub takes %+v, and took %+v", now, before)
	}
	open := used()
	m.must(write(f, 100_000, 100_000))
	if now := used(); now.Bytes < before.Bytes+200_000 {
		t.Errorf("when more is written the hub takes %+v, and took %+v", now, open)
	}
	m.must(f.Close())
	if now := used(); now != before {
		t.Errorf("when it is closed the hub takes %+v, and took %+v", now, before)
	}
}
