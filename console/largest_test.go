// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/vfs"
)

// TestLargest has files of several names, a directory within another, and more directories than were asked for.
func TestLargest(t *testing.T) {
	h := newHomes(t, "ada")
	h.file("ada/a/b/big", 1<<20)
	twice := h.file("ada/a/twice", 3<<20)
	_, err := h.tree.Link(t.Context(), nil, twice, h.dir("ada/z"), "again")
	h.must(err)
	h.file("ada/c/small", 10)
	c, _ := serve(t, h)
	home, err := c.Largest(t.Context(), "prod", "ada", 2, func(console.Looked) {})
	h.must(err)
	var paths []string
	for _, d := range home.Largest {
		paths = append(paths, d.Name.String())
	}
	if got := strings.Join(paths, " "); got != "a a/b" && got != "a z" {
		t.Errorf("the largest are %s: %+v", got, home.Largest)
	}
	sum := home.Largest[0].Usage.Bytes
	if sum < 4<<20 || sum >= 7<<20 {
		t.Errorf("a and what is below takes %d", sum)
	}
}

// torn are homes on a disk that says nothing of some files.
type torn struct{ *homes }

func (h torn) FS() vfs.FS { return tornFS{h.homes.FS()} }

type tornFS struct{ vfs.FS }

func (f tornFS) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	return f.FS.ReadDir(ctx, c, dir, cookie, withAttr, func(e *vfs.DirEntry) bool {
		switch e.Name {
		case "torn":
			e.Entry, e.Err = vfs.Entry{}, syscall.EIO
		case "gone":
			e.Entry, e.Err = vfs.Entry{}, syscall.ESTALE
		}
		return fn(e)
	})
}

// TestLargestTorn: what the disk says nothing of is missing, and is said to be.
func TestLargestTorn(t *testing.T) {
	h := newHomes(t, "ada")
	h.file("ada/a/f", 1<<20)
	h.file("ada/a/torn", 1<<20)
	h.file("ada/torn/f", 1<<20)
	h.file("ada/a/gone", 1<<20)
	c, _ := serve(t, torn{h})
	home, err := c.Largest(t.Context(), "prod", "ada", 5, func(console.Looked) {})
	if err != nil || len(home.Largest) != 1 || home.LargestUnread != 2 {
		t.Errorf("%+v, %v", home, err)
	}
}

// TestLargestTold has a home of which a directory is read only when it was told how far the walk is; and one that goes away then.
func TestLargestTold(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for 2 s")
	}
	for name, test := range map[string]struct {
		blocked int64 // which reading of a directory
		answer  error
	}{
		"ends well": {3, nil},
		"goes away": {1, syscall.ESTALE},
	} {
		h := newHomes(t, "ada")
		h.file("ada/a/b/f", 1<<20)
		c, _ := serve(t, h)
		told := make(chan struct{})
		var reads atomic.Int64
		h.tree.Hook("ReadDir", func() error {
			if reads.Add(1) != test.blocked {
				return nil
			}
			select {
			case <-told:
				return test.answer
			case <-time.After(patience):
				return errors.New("nobody was told")
			}
		})
		var at []console.Looked
		home, err := c.Largest(t.Context(), "prod", "ada", 5, func(l console.Looked) {
			if at = append(at, l); len(at) == 1 {
				close(told)
			}
		})
		known, _, _ := h.Home("prod", "ada")
		if len(at) == 0 || at[0].Seen.Inodes != test.blocked-1 || at[0].Of != console.Amount(known.Used) {
			t.Errorf("%s: it was told %+v, of %+v", name, at, known.Used)
		}
		if test.answer != nil {
			if err == nil || err.Error() != `the home "ada" went away while it was looked at` {
				t.Errorf("%s: %v", name, err)
			}
		} else if err != nil || len(home.Largest) != 2 || home.LargestUnread != 0 {
			t.Errorf("%s: %+v, %v", name, home, err)
		}
	}
}
