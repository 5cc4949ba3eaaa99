// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// patience is how long anything in a test may take.
const patience = 60 * time.Second

// tree is a tree in memory with one hub.
type tree struct {
	*testing.T
	*vfstest.Memory
	hub vfs.Handle
}

const hubName = "prod"

func newTree(t *testing.T) *tree {
	m := vfstest.NewMemory(hubName)
	x := &tree{T: t, Memory: m}
	x.hub = x.in(x.root(), hubName)
	return x
}

func (t *tree) root() vfs.Handle {
	h, err := t.Root(t.T.Context())
	t.must("root", err)
	return h
}

func (t *tree) must(what string, err error) {
	t.T.Helper()
	if err != nil {
		t.T.Fatalf("%s: %v", what, err)
	}
}

func (t *tree) in(dir vfs.Handle, name string) vfs.Handle {
	e, err := t.Lookup(t.T.Context(), nil, dir, name)
	t.must("lookup "+name, err)
	return e.Handle
}

// dir makes a directory, and those on the way to it.
func (t *tree) dir(path string) vfs.Handle {
	h := t.hub
	for name := range strings.SplitSeq(path, "/") {
		e, err := t.Lookup(t.T.Context(), nil, h, name)
		if err != nil {
			e, _, err = t.Mkdir(t.T.Context(), nil, h, name, vfs.SetAttr{})
		}
		t.must("make "+path, err)
		h = e.Handle
	}
	return h
}

// file makes a file of so many bytes, or gives one that is there so many.
func (t *tree) file(path string, size int) vfs.Handle {
	ctx := t.T.Context()
	f, e, _, _, err := t.Create(ctx, nil, t.dir(filepath.Dir(path)), filepath.Base(path), vfs.Create{}, vfs.Write)
	t.must("create "+path, err)
	_, _, _, err = f.WriteAt(ctx, make([]byte, size), 0, vfs.FileSync)
	t.must("write "+path, err)
	t.must("close "+path, f.Close())
	return e.Handle
}

// old gives a directory an age that its change attribute can be trusted with.
func (t *tree) old(path string) {
	t.T.Helper()
}

func (t *tree) scan(spec usage.Spec) *usage.Result {
	t.T.Helper()
	r, err := t.try(spec)
	t.must("scan", err)
	if !r.Complete {
		t.T.Error("a scan without an error is not complete")
	}
	return r
}

func (t *tree) try(spec usage.Spec) (*usage.Result, error) {
	ctx, cancel := context.WithTimeout(t.T.Context(), patience)
	defer cancel()
	return usage.Scan(ctx, t.Memory, spec)
}

// text is what a result says, without times and in order.
func text(r *usage.Result) string {
	var lines []string
	for _, hub := range r.Hubs {
		for _, h := range hub.Homes {
			lines = append(lines, line(hub.Name+"/"+h.Name, &h.Tally, h.Errors, h.Complete))
		}
		total := hub.Total()
		lines = append(lines, line(hub.Name, &total, hub.Errors, hub.Listed))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func line(name string, t *usage.Tally, errors uint64, complete bool) string {
	s := fmt.Sprintf("%q used=%d size=%d files=%d dirs=%d errors=%d", name, t.Used, t.Size, t.Files, t.Directories, errors)
	if !complete {
		s += " incomplete"
	}
	return s
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// TestScan counts a small tree.
func TestScan(t *testing.T) {
	x := newTree(t)
	ctx := t.Context()
	x.file("ada/notebook.ipynb", 5000)
	linked := x.file("ada/pkgs/lib", 10)
	for _, dir := range []string{"ada/env", "ada/env/again"} {
		_, err := x.Link(ctx, nil, linked, x.dir(dir), "lib")
		x.must("link", err)
	}
	_, _, err := x.Symlink(ctx, nil, x.dir("ada"), "link", "elsewhere", vfs.SetAttr{})
	x.must("symlink", err)
	_, _, err = x.Mknod(ctx, nil, x.dir("ada"), "fifo", vfs.FIFO, vfs.Device{}, vfs.SetAttr{})
	x.must("mknod", err)
	x.dir("_shared")
	x.file("caf\xe9/x", 1)
	f, _, _, _, err := x.Create(ctx, nil, x.hub, "loose", vfs.Create{}, vfs.Write)
	x.must("create", err)
	_, _, _, err = f.WriteAt(ctx, make([]byte, 3), 0, vfs.FileSync)
	x.must("write", err)
	x.must("close", f.Close())
	want := `"prod" used=20480 size=5023 files=6 dirs=7 errors=0
"prod/_shared" used=0 size=0 files=0 dirs=1 errors=0
"prod/ada" used=12288 size=5019 files=4 dirs=4 errors=0
"prod/caf\xe9" used=4096 size=1 files=1 dirs=1 errors=0`
	var done []string
	for _, parallel := range []int{1, 4, 64} {
		spec := usage.Spec{Parallel: parallel, Done: func(h usage.Home) { done = append(done, h.Name) }}
		same(t, "scan", text(x.scan(spec)), want)
	}
	if len(done) != 9 {
		t.Errorf("told of %q", done)
	}
	same(t, "one hub", text(x.scan(usage.Spec{Path: []string{hubName}, SingleHub: true})), want)
	same(t, "a hub by name", text(x.scan(usage.Spec{Hubs: nil})), want)
}

func du(path string) int64 {
	var s syscall.Stat_t
	if syscall.Lstat(path, &s) != nil {
		return 0
	}
	return s.Blocks * 512
}

var _ = os.Getpid
var _ = du
