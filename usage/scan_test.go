// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
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

// dir makes a directory in the hub, and those on the way to it.
func (t *tree) dir(path string) vfs.Handle {
	h := t.hub
	if path == "." {
		return h
	}
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
	want := `"prod" used=49152 size=5023 files=6 dirs=7 errors=0
"prod/_shared" used=4096 size=0 files=0 dirs=1 errors=0
"prod/ada" used=28672 size=5019 files=4 dirs=4 errors=0
"prod/caf\xe9" used=8192 size=1 files=1 dirs=1 errors=0`
	var done []string
	for _, parallel := range []int{1, 4, 64} {
		spec := usage.Spec{Parallel: parallel, Done: func(h usage.Home) { done = append(done, h.Name) }}
		same(t, "scan", text(x.scan(spec)), want)
	}
	if len(done) != 9 {
		t.Errorf("told of %q", done)
	}
	same(t, "one hub", text(x.scan(usage.Spec{Path: []string{hubName}, SingleHub: true})), want)
	same(t, "a hub by name", text(x.scan(usage.Spec{Hubs: []hubhome.HubName{hubName}})), want)
	for _, path := range [][]string{nil, {hubName}} {
		is, err := usage.IsHub(ctx, x.Memory, path, nil)
		if x.must("is it a hub", err); is != (path != nil) {
			t.Errorf("%q is a hub: %v", path, is)
		}
	}
}

// TestMissing scans what is not there.
func TestMissing(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1)
	for _, spec := range []usage.Spec{
		{Path: []string{"elsewhere"}},
		{Hubs: []hubhome.HubName{hubName, "staging"}},
		{Path: []string{hubName, "ada", "file"}},
	} {
		_, err := x.try(spec)
		if missing, ok := errors.AsType[*usage.Missing](err); !ok || missing.Path == "" {
			t.Errorf("%+v: %v", spec, err)
		}
	}
}

// TestMissingAmongMany names what there is instead of what is not there, of a list however long, and reads no list where nobody
// is told.
func TestMissingAmongMany(t *testing.T) {
	x := newTree(t)
	file := vfs.Entry{Attr: vfs.Attr{Type: vfs.Regular, Nlink: 1}}
	listed := 0
	o := &odd{FS: x.Memory, list: func(ctx context.Context, _ vfs.Handle, _ uint64, fn func(*vfs.DirEntry) bool) (end, mine bool, err error) {
		listed++
		fn(&vfs.DirEntry{Entry: vfs.Entry{Attr: vfs.Attr{Type: vfs.Directory}}, Name: "there", Cookie: 1})
		for cookie := uint64(2); ctx.Err() == nil; cookie++ {
			if !fn(&vfs.DirEntry{Entry: file, Name: fmt.Sprint(cookie), Cookie: cookie}) {
				return false, true, nil
			}
		}
		return false, true, syscall.EINTR
	}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := usage.Scan(ctx, o, usage.Spec{Path: []string{"elsewhere"}})
	missing, ok := errors.AsType[*usage.Missing](err)
	if !ok || ctx.Err() != nil || missing.In != "/" || !slices.Equal(missing.There, []string{"there"}) {
		t.Errorf("the error is %+v", err)
	}
	listed = 0
	if hub, err := usage.IsHub(ctx, o, nil, nil); hub || err != nil || listed != 0 {
		t.Errorf("%v, %v, and it has listed %d directories", hub, err, listed)
	}
}

// TestShapes counts trees that are wide, deep, and more than one look takes.
func TestShapes(t *testing.T) {
	x := newTree(t)
	const depth, wide = 1000, 2*usage.MaxFound + 100
	x.dir("deep" + strings.Repeat("/d", depth))
	dir := x.dir("wide")
	for i := range wide {
		_, _, err := x.Mkdir(t.Context(), nil, dir, fmt.Sprint(i), vfs.SetAttr{})
		x.must("mkdir", err)
	}
	many := usage.MaxEntries + 1000
	if testing.Short() {
		many = 1000
	}
	dir = x.dir("many")
	for i := range many {
		_, _, err := x.Symlink(t.Context(), nil, dir, fmt.Sprint(i), "x", vfs.SetAttr{})
		x.must("symlink", err)
	}
	for i := range wide {
		x.dir(fmt.Sprintf("home-%04d", i))
	}
	r := x.scan(usage.Spec{})
	found := map[string]usage.Home{}
	for _, h := range r.Hubs[0].Homes {
		found[h.Name] = h
	}
	if len(found) != wide+3 || len(r.Hubs[0].Homes) != wide+3 {
		t.Errorf("%d homes, %d of them different", len(r.Hubs[0].Homes), len(found))
	}
	if got := found["deep"].Directories; got != depth+1 {
		t.Errorf("the deep home has %d directories", got)
	}
	if got := found["wide"].Directories; got != wide+1 {
		t.Errorf("the wide home has %d directories", got)
	}
	if got := found["many"].Files; got != uint64(many) {
		t.Errorf("the full directory has %d files", got)
	}
}

// TestLinksTogether has the names of files far apart, more than are remembered of one directory.
func TestLinksTogether(t *testing.T) {
	x := newTree(t)
	const files = usage.MaxLinks + 10
	pkgs, env := x.dir("ada/pkgs"), x.dir("ada/env")
	for i := range files {
		h, _, err := x.Symlink(t.Context(), nil, pkgs, fmt.Sprint(i), "x", vfs.SetAttr{})
		x.must("symlink", err)
		_, err = x.Link(t.Context(), nil, h.Handle, env, fmt.Sprint(i))
		x.must("link", err)
	}
	st := x.state()
	for range 2 {
		r := x.scan(usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, 2*time.Minute))
		st.close()
		if h := r.Hubs[0].Homes[0]; h.Files != files || h.Size != files {
			t.Errorf("%d files of %d bytes, and %d was made of 1", h.Files, h.Size, files)
		}
	}
}

// TestTimes finds the latest and the earliest change.
func TestTimes(t *testing.T) {
	x := newTree(t)
	early, late := time.Date(1980, 1, 1, 0, 0, 0, 5, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 7, time.UTC)
	for name, at := range map[string]time.Time{"a/early": early, "b/c/late": late} {
		h := x.file("ada/"+name, 1)
		_, err := x.SetAttr(t.Context(), nil, h, vfs.SetAttr{Mtime: vfs.SetTime{Set: true, Time: at}})
		x.must("setattr", err)
	}
	st := x.state()
	for range 2 {
		r := x.scan(usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, 2*time.Minute))
		st.close()
		if h := r.Hubs[0].Homes[0]; !h.Newest.Equal(late) || !h.Oldest.Equal(early) {
			t.Errorf("the latest is of %v, the earliest of %v", h.Newest, h.Oldest)
		}
	}
}

// TestUnreadable has directories that nobody or not everybody may read.
func TestUnreadable(t *testing.T) {
	x := newTree(t)
	x.file("ada/private/thesis", 100)
	x.file("bob/file", 100)
	mode := uint32(0o700)
	uid := uint32(1001)
	_, err := x.SetAttr(t.Context(), nil, x.dir("ada/private"), vfs.SetAttr{Mode: &mode, UID: &uid, GID: &uid})
	x.must("setattr", err)
	r := x.scan(usage.Spec{As: &vfs.Caller{UID: 1000, GID: 1000}})
	if r.Errors != 1 || len(r.Problems) != 1 || r.Problems[0].Path != "prod/ada/private" || !errors.Is(r.Problems[0].Err, syscall.EACCES) {
		t.Errorf("problems: %+v", r.Problems)
	}
	for _, h := range r.Hubs[0].Homes {
		if want := map[string]uint64{"ada": 1, "bob": 0}[h.Name]; h.Errors != want || !h.Complete {
			t.Errorf("%s: %+v", h.Name, h)
		}
	}
	all := x.scan(usage.Spec{})
	squashed := squash{x.Memory}
	r, err = usage.Scan(t.Context(), squashed, usage.Spec{})
	x.must("scan as squashed root", err)
	same(t, "with root squash", text(r), text(all))
}

// squash is a tree at a server that squashes root.
type squash struct{ vfs.FS }

var nobody = &vfs.Caller{UID: 65534, GID: 65534}

func squashed(c *vfs.Caller) *vfs.Caller {
	if c.Root() {
		return nobody
	}
	return c
}

func (s squash) Lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	return s.FS.Lookup(ctx, squashed(c), dir, name)
}

func (s squash) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	return s.FS.ReadDir(ctx, squashed(c), dir, cookie, withAttr, fn)
}

// TestVanish removes directories between being listed and being read.
func TestVanish(t *testing.T) {
	x := newTree(t)
	x.file("ada/here", 1)
	x.dir("ada/goes/with/all")
	x.dir("bob")
	x.dir("eve/replaced")
	x.file("eve/new/file", 10)
	ctx := t.Context()
	calls := 0
	x.Hook("ReadDir", func() error {
		if calls++; calls != 3 { // the base share, the hub, and now the first home
			return nil
		}
		x.Hook("ReadDir", nil)
		for _, path := range []string{"bob", "eve/replaced"} {
			_, _, err := x.Remove(ctx, nil, x.dir(filepath.Dir(path)), filepath.Base(path))
			x.must("remove "+path, err)
		}
		_, _, _, err := x.Rename(ctx, nil, x.dir("eve"), "new", x.dir("eve"), "replaced")
		x.must("rename", err)
		return nil
	})
	r := x.scan(usage.Spec{Parallel: 1})
	if r.Errors != 0 {
		t.Errorf("what was removed is not an error: %+v", r.Problems)
	}
	for _, h := range r.Hubs[0].Homes {
		if h.Name == "bob" && h.Files != 0 || h.Name == "eve" && h.Size != 10 {
			t.Errorf("%+v", h)
		}
	}
}

// TestForgottenHandles has a server that knows none of its handles any more, as one that was restored elsewhere: nothing was
// removed by that, and the scan is to go on with other handles.
func TestForgottenHandles(t *testing.T) {
	x := newTree(t)
	x.file("ada/sub/file", 1)
	stale := func() error { return syscall.ESTALE }
	calls, all := 0, true
	x.Hook("ReadDir", func() error {
		if calls++; calls > 2 {
			x.Hook("Lookup", stale)
			if all {
				x.Hook("GetAttr", stale)
			}
			return syscall.ESTALE
		}
		return nil
	})
	r, err := x.try(usage.Spec{})
	if !errors.Is(err, syscall.ESTALE) || r.Complete || r.Vanished != 0 || r.Hubs[0].Homes[0].Complete {
		t.Errorf("%v, %d errors, %d vanished: %+v", err, r.Errors, r.Vanished, r.Hubs[0].Homes)
	}

	// It knows the base share, and nothing of what is in one home.
	x.Hook("GetAttr", nil)
	calls, all = 0, false
	r = x.scan(usage.Spec{})
	if r.Errors != 1 || r.Vanished != 0 || r.Hubs[0].Homes[0].Errors != 1 {
		t.Errorf("%d errors, %d vanished: %+v", r.Errors, r.Vanished, r.Problems)
	}
}

// unmounted is a tree whose server shows another directory, or none, in the place of a hub's from the first home on.
type unmounted struct {
	vfs.FS
	home    vfs.Handle
	instead vfs.Entry
	is      bool
}

func (u *unmounted) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	if u.is = u.is || dir == u.home; u.is {
		return false, syscall.ESTALE
	}
	return u.FS.ReadDir(ctx, c, dir, cookie, withAttr, fn)
}

func (u *unmounted) Lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	switch {
	case u.is && name != hubName:
		return vfs.Entry{}, syscall.ESTALE
	case u.is && u.instead.Handle == "":
		return vfs.Entry{}, syscall.ENOENT
	case u.is:
		return u.instead, nil
	}
	return u.FS.Lookup(ctx, c, dir, name)
}

// TestUnmounted has the disk of the homes taken away from the server while they are read. None was removed by that.
func TestUnmounted(t *testing.T) {
	x := newTree(t)
	x.file("ada/sub/file", 1)
	e, _, err := x.Mkdir(t.Context(), nil, x.root(), "below", vfs.SetAttr{})
	x.must("mkdir", err)
	for _, instead := range []vfs.Entry{e, {}} {
		u := &unmounted{FS: x.Memory, home: x.dir("ada"), instead: instead}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := usage.Scan(ctx, u, usage.Spec{Hubs: []hubhome.HubName{hubName}})
		if err == nil || !strings.Contains(err.Error(), "removed or replaced") || r.Complete || r.Vanished != 0 {
			t.Errorf("%v, %d errors, %d vanished: %+v", err, r.Errors, r.Vanished, r.Hubs)
		}
	}
}

// TestBrokenDirectory has a directory that cannot be read.
func TestBrokenDirectory(t *testing.T) {
	x := newTree(t)
	for i := range 2 * maxProblems {
		x.dir(fmt.Sprintf("ada/%d", i))
	}
	calls := 0
	x.Hook("ReadDir", func() error {
		if calls++; calls > 3 {
			return syscall.EIO
		}
		return nil
	})
	r := x.scan(usage.Spec{Parallel: 1})
	if h := r.Hubs[0].Homes[0]; h.Errors != 2*maxProblems || r.Errors != h.Errors || h.Directories != 2*maxProblems+1 {
		t.Errorf("%+v", h)
	}
	if len(r.Problems) != maxProblems {
		t.Errorf("%d problems are named", len(r.Problems))
	}
}

const maxProblems = 100

// TestSilentDirectory has a directory that is never answered, at a server that goes on answering.
func TestSilentDirectory(t *testing.T) {
	x := newTree(t)
	for i := range 10 {
		x.dir(fmt.Sprintf("user%d/sub", i))
	}
	var ahead, calls atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	others := make(chan struct{}, 100)
	x.Hook("ReadDir", func() error {
		if calls.Add(1) != 3 {
			others <- struct{}{}
			return nil
		}
		ahead.Store(int64(50 * time.Second))
		for range 5 { // two before it, and of three the first has been answered when the third is asked
			<-others
		}
		ahead.Store(int64(time.Minute))
		return syscall.ETIMEDOUT
	})
	r := x.scan(usage.By(usage.Spec{Parallel: 2}, clock))
	if r.Errors != 1 || !errors.Is(r.Problems[0].Err, syscall.ETIMEDOUT) {
		t.Errorf("problems: %+v", r.Problems)
	}
}

// TestProgress is told of all there is.
func TestProgress(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1)
	var last usage.Progress
	x.scan(usage.Spec{Progress: func(p usage.Progress) { last = p }})
	if last.Homes != 1 || last.Found != 1 || !last.Listed || last.Entries != 3 || last.Bytes != 12288 || last.Expected != 0 || last.AtMost == 0 {
		t.Errorf("%+v", last)
	}
}

// TestPassedOver lists what cannot be a hub.
func TestPassedOver(t *testing.T) {
	x := newTree(t)
	_, _, err := x.Mkdir(t.Context(), nil, x.root(), ".snapshot", vfs.SetAttr{})
	x.must("mkdir", err)
	if r := x.scan(usage.Spec{}); len(r.Hubs) != 1 || !slices.Equal(r.Passed, []string{".snapshot"}) {
		t.Errorf("%d hubs, passed over: %q", len(r.Hubs), r.Passed)
	}
}

// TestProgressKept: what was kept is a part of what was counted, at any moment.
func TestProgressKept(t *testing.T) {
	entries := 20_000_000
	if testing.Short() {
		entries = 100_000
	}
	usage.Counting(entries, func(p usage.Progress) {
		if p.Kept > p.Entries {
			t.Fatalf("of %d files and directories %d were kept", p.Entries, p.Kept)
		}
	})
}
