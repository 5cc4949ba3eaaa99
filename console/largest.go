// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// LargestLine is one line of what GET /v1/hubs/HUB/homes/HOME/largest?n=N answers: how far the walk through the home is, each
// second, and in the last line the home with its N largest directories, or why not.
type LargestLine struct {
	Looked *Looked     `json:"looked,omitempty"`
	Home   *HomeDetail `json:"home,omitempty"`
	Error  string      `json:"error,omitempty"`
}

// Looked is what a walk through a home has seen, and what the ledger says that there is.
type Looked struct {
	Seen Amount `json:"seen"`
	Of   Amount `json:"of"`
}

// showLargest tells of a home with its largest directories.
func (s *Server) showLargest(w http.ResponseWriter, r *http.Request) error {
	values, err := params(r, "n")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(values.Get("n"))
	if err != nil || n < 1 || n > MaxLargest {
		return refuse(http.StatusBadRequest, "n is a number from 1 to %d", MaxLargest)
	}
	hub, name := hubhome.HubName(r.PathValue("hub")), r.PathValue("home")
	detail, err := s.detail(hub, name)
	if err != nil {
		return err
	}
	if err := s.needLedger("the largest directories are not known"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), walkTime)
	defer cancel()
	look := &survey{fs: s.ledger.FS(), n: n, linked: map[uint64]struct{}{}}
	out := &lines{w: w, control: http.NewResponseController(w)}
	stop := beat(s.lookTime, func() error {
		return out.say(LargestLine{Looked: &Looked{Seen: Amount{look.bytes.Load(), look.inodes.Load()}, Of: detail.Usage}})
	})
	defer stop()
	err = look.home(ctx, hub, name)
	stop()
	switch {
	case err == nil:
		detail.Largest, detail.LargestUnread = look.largest(), look.unread
		return out.say(LargestLine{Home: &detail})
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ESTALE):
		err = refuse(http.StatusNotFound, "the home %q went away while it was looked at", name)
	case errors.Is(err, context.DeadlineExceeded):
		err = refuse(http.StatusGatewayTimeout, "the home is too large to be looked through in %v", walkTime)
	default:
		err = fmt.Errorf("look through home %s/%s: %w", hub, name, err)
	}
	if out.began {
		return out.say(LargestLine{Error: err.Error()})
	}
	return err
}

// maxDepth is how deep in a home it is looked: as deep as a path can be.
const maxDepth = 2048

// survey is a walk through one home. One goroutine walks, and what it has seen may be looked at meanwhile. It holds in memory what
// lies on one path, n directories, and the numbers of the files with several names: such a file counts where it is found first.
type survey struct {
	fs            vfs.FS
	n             int
	bytes, inodes atomic.Int64        // seen until now
	linked        map[uint64]struct{} // files of several names that were counted
	top           heapOf
	unread        int // files and directories
}

// home walks through a home.
func (w *survey) home(ctx context.Context, hub hubhome.HubName, home string) error {
	top, err := find(ctx, w.fs, hub, home)
	if err != nil {
		return err
	}
	_, err = w.walk(ctx, top, "", 0)
	return err
}

// largest returns the n largest directories, with all that is below them, the largest first.
func (w *survey) largest() []Directory {
	slices.SortFunc(w.top, func(a, b measured) int { return -a.compare(b) })
	largest := make([]Directory, len(w.top))
	for i, m := range w.top {
		largest[i] = Directory{NewName(m.path), amountOf(m.usage)}
	}
	return largest
}

// see takes note of an inode.
func (w *survey) see(bytes int64) {
	w.bytes.Add(bytes)
	w.inodes.Add(1)
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
			if !errors.Is(e.Err, syscall.ESTALE) { // else it has gone
				w.unread++
			}
			return true
		}
		if e.Attr.Type == vfs.Directory {
			w.see(int64(e.Attr.Used))
			children = append(children, child{e.Name, e.Handle, int64(e.Attr.Used)})
			return true
		}
		if e.Attr.Nlink > 1 {
			if _, counted := w.linked[e.Attr.FileID]; counted {
				return true
			}
			w.linked[e.Attr.FileID] = struct{}{}
		}
		w.see(int64(e.Attr.Used))
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
