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
		m.must(c.Visit(e.Attr.FileID, func(f *quota.Found) error {
			*f = quota.Found{Number: e.Attr.FileID, Type: vfs.Directory, Used: 4096, Handle: e.Handle}
			return nil
		}))
		c.Publish()
		c.Cancel()
	}
	if used := m.ledger.Report().Hubs[0].Homes[0].Used; used != (quota.Usage{}) {
		t.Errorf("after counts that were given up it takes %+v", used)
	}
}
