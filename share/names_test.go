// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package share_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hubhome/hubhome/share"
	"github.com/hubhome/hubhome/vfs"
)

// named is a server that sends names for the owners whom it knows, as it does by NFSv4 where it maps them: the client
// takes all of those for nobody.
type named struct {
	*tree
	known []uint32
}

func (s named) seen(a vfs.Attr) vfs.Attr {
	for _, id := range []*uint32{&a.UID, &a.GID} {
		if slices.Contains(s.known, *id) {
			*id = nobody.UID
		}
	}
	return a
}

func (s named) Lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	e, err := s.tree.Lookup(ctx, c, dir, name)
	e.Attr = s.seen(e.Attr)
	return e, err
}

func (s named) SetAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	a, err := s.tree.SetAttr(ctx, c, h, set)
	return s.seen(a), err
}

// TestNamed: a directory is the owner's, whatever the server calls the owner, and nobody else's is.
func TestNamed(t *testing.T) {
	for _, test := range []struct {
		name     string
		uid, gid uint32 // of the hub's directory
		known    []uint32
		says     string // "" where it is taken
	}{
		{name: "the owner", uid: 1000, gid: 1000, known: []uint32{1000}},
		{name: "the owner's group", uid: 1000, gid: 100, known: []uint32{100}},
		{name: "somebody else", uid: 1001, gid: 1000, known: []uint32{1000, 1001}, says: "it is not empty and belongs to 65534:65534"},
		{name: "nobody", uid: 65534, gid: 65534, says: "it is not empty and belongs to 65534:65534"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newTree(t)
			m.mkdir("/mnt/export/homes", "/mnt/export/homes/prod", "/mnt/export/homes/prod/ada")
			m.give("/mnt/export/homes/prod", test.uid, test.gid, 0o755)
			report, err := share.Create(t.Context(), named{m, test.known}, spec())
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("the error is %v, want %q", err, test.says)
				}
				return
			}
			m.must(err)
			if want := (share.Directory{Path: "/mnt/export/homes/prod", Action: share.Unchanged, Owner: "1000:1000", Mode: "0755"}); report.Directories[0] != want {
				t.Errorf("it reports %v, want %v", report.Directories[0], want)
			}
			e, err := m.find("/mnt/export/homes/prod")
			m.must(err)
			if e.Attr.UID != 1000 || e.Attr.GID != 1000 || e.Attr.Mode != 0o755 {
				t.Errorf("it belongs to %d:%d with mode %04o", e.Attr.UID, e.Attr.GID, e.Attr.Mode)
			}
		})
	}
}
