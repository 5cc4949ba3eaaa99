// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// maxDepth is how deep in a home it is looked: as deep as a path can be.
const maxDepth = 2048

// largest returns a home's n largest directories, with all that is below them, the largest first, and how many could not be
// read. A file of several names counts where it is found first. It holds in memory what lies on one path, n directories, and
// the numbers of the files with several names.
func (s *Server) largest(ctx context.Context, hub hubhome.HubName, home string, n int) ([]Directory, int, error) {
	fs := s.ledger.FS()
	top, err := find(ctx, fs, hub, home)
	if err != nil {
		return nil, 0, err
	}
	w := &survey{fs: fs, n: n, linked: map[uint64]struct{}{}}
	if _, err := w.walk(ctx, top, "", 0); err != nil {
		return nil, 0, err
	}
	slices.SortFunc(w.top, func(a, b measured) int { return -a.compare(b) })
	largest := make([]Directory, len(w.top))
	for i, m := range w.top {
		largest[i] = Directory{NewName(m.path), amountOf(m.usage)}
	}
	return largest, w.unread, nil
}

// survey is a walk through one home. One goroutine uses it.
type survey struct {
	fs     vfs.FS
	n      int
	linked map[uint64]struct{} // files of several names that were counted
	top    heapOf
	unread int
}

// measured is a directory that was gone through.
type measured struct {
	path  string
	usage quota.Usage
}

// compare is by bytes, then inodes; of two that are the same, the one with the shorter path is larger.
func (m measured) compare(o measured) int {
	return cmp.Or(cmp.Compare(m.usage.Bytes, o.usage.Bytes), cmp.Compare(m.usage.Inodes, o.usage.Inodes), cmp.Compare(o.path, m.path))
}

// walk goes through a directory and returns what is in it and below.
func (w *survey) walk(ctx context.Context, dir vfs.Handle, path string, depth int) (quota.Usage, error) {
	var below quota.Usage
	type child struct {
		name string
		h    vfs.Handle
		own  int64
	}
	var children []child
	if depth > maxDepth {
		return below, fmt.Errorf("it is more than %d directories deep", maxDepth)
	}
	visit := func(e *vfs.DirEntry) bool {
		if e.Err != nil {
			return true // it has gone
		}
		if e.Attr.Type == vfs.Directory {
			children = append(children, child{e.Name, e.Handle, int64(e.Attr.Used)})
			return true
		}
		if e.Attr.Nlink > 1 {
			if _, counted := w.linked[e.Attr.FileID]; counted {
				return true
			}
			w.linked[e.Attr.FileID] = struct{}{}
		}
		below.Bytes += int64(e.Attr.Used)
		below.Inodes++
		return true
	}
	switch err := w.read(ctx, dir, visit); {
	case ctx.Err() != nil:
		return below, ctx.Err()
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ESTALE):
		if depth == 0 {
			return below, err
		}
	case err != nil:
		w.unread++
	}
	for _, c := range children {
		at := c.name
		if path != "" {
			at = path + "/" + c.name
		}
		in, err := w.walk(ctx, c.h, at, depth+1)
		if err != nil {
			return below, err
		}
		in.Bytes += c.own
		in.Inodes++
		w.offer(measured{at, in})
		below.Bytes += in.Bytes
		below.Inodes += in.Inodes
	}
	return below, nil
}

// read reads a whole directory.
func (w *survey) read(ctx context.Context, dir vfs.Handle, visit func(*vfs.DirEntry) bool) error {
	_, err := w.fs.ReadDir(ctx, nil, dir, 0, true, visit)
	return err
}

// offer keeps a directory that is one of the n largest until now.
func (w *survey) offer(m measured) {
	if len(w.top) < w.n {
		heap.Push(&w.top, m)
		return
	}
	if w.top[0].compare(m) < 0 {
		w.top[0] = m
		heap.Fix(&w.top, 0)
	}
}

// heapOf has the smallest first.
type heapOf []measured

func (h heapOf) Len() int           { return len(h) }
func (h heapOf) Less(i, j int) bool { return h[i].compare(h[j]) < 0 }
func (h heapOf) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heapOf) Push(x any)        { *h = append(*h, x.(measured)) }
func (h *heapOf) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
