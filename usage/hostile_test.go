// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/vfs"
)

// odd is a tree whose server lists directories as list says; a nil list is that of the tree.
type odd struct {
	vfs.FS
	list func(ctx context.Context, dir vfs.Handle, cookie uint64, fn func(*vfs.DirEntry) bool) (end, mine bool, err error)
	// change changes what is listed of the tree.
	change func(*vfs.DirEntry)
}

func (o *odd) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	if o.list != nil {
		if end, mine, err := o.list(ctx, dir, cookie, fn); mine {
			return end, err
		}
	}
	return o.FS.ReadDir(ctx, c, dir, cookie, withAttr, func(e *vfs.DirEntry) bool {
		if o.change != nil {
			o.change(e)
		}
		return fn(e)
	})
}

func (t *tree) scanOdd(o *odd, spec usage.Spec) *usage.Result {
	t.T.Helper()
	ctx, cancel := context.WithTimeout(t.T.Context(), patience)
	defer cancel()
	o.FS = t.Memory
	r, err := usage.Scan(ctx, o, spec)
	t.must("scan", err)
	return r
}

// TestEndless has directories whose lists do not end: they go round in circles of any length, repeat a cookie, or go on for
// ever. Each is an error of its home, and of no other.
func TestEndless(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1)
	endless := x.dir("eve/endless")
	const most = 5 * usage.MaxEntries
	next := map[string]func(cookie uint64) uint64{
		"itself":              func(cookie uint64) uint64 { return max(cookie, 5) },
		"another":             func(cookie uint64) uint64 { return 3 + cookie%2 },
		"a few":               func(cookie uint64) uint64 { return 3 + cookie%1000 },
		"more than at a time": func(cookie uint64) uint64 { return 3 + cookie%(usage.MaxEntries+77) },
		"after a while":       func(cookie uint64) uint64 { return 1 + cookie - cookie/20_000*3_000 },
		"new ones":            func(cookie uint64) uint64 { return cookie + 1 },
	}
	for name, next := range next {
		t.Run(name, func(t *testing.T) {
			x := *x
			x.T = t
			file := vfs.Entry{Attr: vfs.Attr{Type: vfs.Regular, Nlink: 1}}
			o := &odd{list: func(ctx context.Context, dir vfs.Handle, cookie uint64, fn func(*vfs.DirEntry) bool) (end, mine bool, err error) {
				if dir != endless {
					return false, false, nil
				}
				for ctx.Err() == nil {
					cookie = next(cookie)
					if !fn(&vfs.DirEntry{Entry: file, Name: fmt.Sprint(cookie), Cookie: cookie}) {
						return false, true, nil
					}
				}
				return false, true, syscall.EINTR
			}}
			r := x.scanOdd(o, usage.Most(usage.Spec{}, most))
			if r.Errors != 1 || r.Problems[0].Path != "prod/eve/endless" || !errors.Is(r.Problems[0].Err, syscall.EPROTO) {
				t.Errorf("%d problems: %+v", r.Errors, r.Problems)
			}
			for _, h := range r.Hubs[0].Homes {
				if (h.Errors > 0) != (h.Name == "eve") || h.Name == "ada" && h.Files != 1 {
					t.Errorf("%+v", h)
				}
			}
		})
	}
}

// TestLoop has a server that shows directories in themselves, at once and further down.
func TestLoop(t *testing.T) {
	x := newTree(t)
	x.file("ada/a/b/c/loop/file", 1)
	for _, above := range []string{"ada/a/b/c", "ada/a/b", "ada", "."} {
		e := vfs.Entry{Handle: x.dir(above), Attr: vfs.Attr{Type: vfs.Directory, Nlink: 2}}
		r := x.scanOdd(&odd{change: func(entry *vfs.DirEntry) {
			if entry.Name == "loop" {
				entry.Entry = e
			}
		}}, usage.Spec{})
		if r.Errors == 0 || !errors.Is(r.Problems[0].Err, syscall.ELOOP) || r.Hubs[0].Homes[0].Directories > 20 {
			t.Errorf("with %s in itself: %+v, problems %v", above, r.Hubs[0].Homes[0], r.Problems)
		}
	}
}

// TestStaleEntries has a server that lists what it does not know. What is still there is not taken for removed.
func TestStaleEntries(t *testing.T) {
	x := newTree(t)
	for _, name := range []string{"removed", "known", "lost", "other"} {
		x.file("ada/"+name, 10)
	}
	home := x.dir("ada")
	_, _, err := x.Remove(t.Context(), nil, home, "removed")
	x.must("remove", err)
	o := &odd{}
	o.list = func(ctx context.Context, dir vfs.Handle, cookie uint64, fn func(*vfs.DirEntry) bool) (bool, bool, error) {
		if dir != home {
			return false, false, nil
		}
		for i, name := range []string{"other", "removed", "known", "lost"} {
			e := vfs.DirEntry{Name: name, Cookie: uint64(i + 1), Err: syscall.ESTALE}
			if name == "other" {
				e.Entry, e.Err = x.entry(home, name), nil
			}
			fn(&e)
		}
		return true, true, nil
	}
	lookups := 0
	x.Hook("Lookup", func() error {
		if lookups++; lookups == 4 { // one above is of the test's own
			return syscall.ESTALE
		}
		return nil
	})
	r := x.scanOdd(o, usage.Spec{})
	h := r.Hubs[0].Homes[0]
	if h.Files != 2 || h.Errors != 1 || r.Vanished != 1 || len(r.Problems) != 1 || r.Problems[0].Path != "prod/ada/lost" {
		t.Errorf("%+v, %d vanished, problems %v", h, r.Vanished, r.Problems)
	}
}

func (t *tree) entry(dir vfs.Handle, name string) vfs.Entry {
	e, err := t.Lookup(t.T.Context(), nil, dir, name)
	t.must("lookup "+name, err)
	return e
}

// TestListedTwice has hubs and homes twice in a list, as may be where names change while it is read.
func TestListedTwice(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1)
	want := text(x.scan(usage.Spec{}))
	hubs, homes := x.root(), x.hub
	o := &odd{list: func(ctx context.Context, dir vfs.Handle, cookie uint64, fn func(*vfs.DirEntry) bool) (bool, bool, error) {
		if dir != hubs && dir != homes {
			return false, false, nil
		}
		e := vfs.DirEntry{Name: hubName, Entry: x.entry(hubs, hubName)}
		if dir == homes {
			e = vfs.DirEntry{Name: "ada", Entry: x.entry(homes, "ada")}
		}
		for range 2 {
			e.Cookie++
			fn(&e)
		}
		return true, true, nil
	}}
	same(t, "listed twice", text(x.scanOdd(o, usage.Spec{})), want)
}

// TestGreatest has files of which users claim that they are as long, and as old, as can be.
func TestGreatest(t *testing.T) {
	x := newTree(t)
	for _, name := range []string{"ada/early", "ada/late", "ada/now", "ada/link"} {
		x.file(name, 1)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	st := x.state()
	for range 2 {
		r := x.scanOdd(&odd{change: func(e *vfs.DirEntry) {
			if e.Attr.Type != vfs.Regular {
				return
			}
			e.Attr.Size = math.MaxInt64
			e.Attr.Mtime = now
			switch e.Name {
			case "early":
				e.Attr.Mtime = time.Unix(math.MinInt64, 0)
			case "late":
				e.Attr.Mtime = time.Unix(math.MaxInt64, 999_999_999)
			case "link":
				e.Attr.Nlink = 2
			}
		}}, usage.At(usage.Spec{State: st.open()}, 2*time.Minute))
		st.close()
		h := r.Hubs[0].Homes[0]
		total := r.Hubs[0].Total()
		if h.Size != math.MaxUint64 || total.Size != math.MaxUint64 {
			t.Errorf("four files of 8 EiB are %d bytes, and %d in the hub", h.Size, total.Size)
		}
		if !h.Oldest.Equal(now) || h.Newest.Year() > 2262 {
			t.Errorf("the times are %v and %v", h.Oldest, h.Newest)
		}
	}
}

// TestNoFileIDs has a server that does not tell files with several names apart by numbers.
func TestNoFileIDs(t *testing.T) {
	x := newTree(t)
	for i := range 3 {
		x.file(fmt.Sprintf("ada/%d", i), 10)
	}
	r := x.scanOdd(&odd{change: func(e *vfs.DirEntry) {
		e.Attr.FileID, e.FileID, e.Attr.Nlink = 0, 0, 4 // other names are elsewhere
	}}, usage.Spec{})
	if h := r.Hubs[0].Homes[0]; h.Files != 3 || h.Size != 30 {
		t.Errorf("%+v", h)
	}
}

// TestUselessChange has servers whose change attribute says nothing: a directory that changed is read again all the same, also
// one that was empty.
func TestUselessChange(t *testing.T) {
	for name, more := range map[string]func(*vfs.Attr){
		"constant":                func(*vfs.Attr) {},
		"nor is there a ctime":    func(a *vfs.Attr) { a.Ctime = time.Unix(0, 0) },
		"and a ctime of long ago": func(a *vfs.Attr) { a.Ctime = time.Unix(1e9, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			x := newTree(t)
			x.dir("ada/empty")
			x.file("ada/d/file", 1)
			st := x.state()
			scan := func(ahead time.Duration) usage.Home {
				r := x.scanOdd(&odd{change: func(e *vfs.DirEntry) {
					e.Attr.Change = 7
					more(&e.Attr)
				}}, usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, ahead))
				st.close()
				return r.Hubs[0].Homes[0]
			}
			// Before the clock that tells mtimes, which is the machine's own, and then long after.
			scan(-10 * time.Second)
			x.file("ada/empty/new", 1)
			x.file("ada/d/new", 1)
			if h := scan(2 * time.Minute); h.Files != 3 {
				t.Errorf("%d files, and there are 3", h.Files)
			}
		})
	}
}

// TestFailingHub has a hub that cannot be looked at, which keeps nobody from the others where that is not wanted.
func TestFailingHub(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1)
	_, _, err := x.Mkdir(t.Context(), nil, x.root(), "staging", vfs.SetAttr{})
	x.must("mkdir", err)
	st := x.state()
	x.scan(usage.Spec{State: st.open()})
	st.close()
	o := &failingLookup{FS: x.Memory, name: "staging"}
	spec := usage.Spec{Hubs: []hubhome.HubName{"staging", hubName}, Lenient: true, State: st.open()}
	r, err := usage.Scan(t.Context(), o, spec)
	x.must("scan", err)
	st.close()
	if r.Errors != 1 || r.Problems[0].Path != "staging" || len(r.Hubs) != 1 || r.Hubs[0].Homes[0].Files != 1 || len(r.Absent) != 0 {
		t.Errorf("problems %v, hubs %s", r.Problems, text(r))
	}
	if last := st.open().Last(); len(last) != 2 {
		t.Errorf("the state knows %d hubs", len(last))
	}
	st.close()
	spec.State, spec.Lenient = nil, false
	if _, err = usage.Scan(t.Context(), o, spec); !errors.Is(err, syscall.EIO) {
		t.Errorf("where it is wanted: %v", err)
	}
}

// failingLookup is a tree in which a name cannot be looked up.
type failingLookup struct {
	vfs.FS
	name string
}

func (f *failingLookup) Lookup(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string) (vfs.Entry, error) {
	if name == f.name {
		return vfs.Entry{}, syscall.EIO
	}
	return f.FS.Lookup(ctx, c, dir, name)
}

// TestGivesUp waits for no directory when the server is known to be lost.
func TestGivesUp(t *testing.T) {
	x := newTree(t)
	lost := x.dir("ada")
	for i := range 5 {
		x.dir(fmt.Sprintf("user%d", i))
	}
	hubs := []vfs.Handle{x.root(), x.hub}
	var waiting atomic.Int64
	o := &odd{FS: x.Memory, list: func(ctx context.Context, dir vfs.Handle, cookie uint64, fn func(*vfs.DirEntry) bool) (bool, bool, error) {
		switch {
		case slices.Contains(hubs, dir):
			return false, false, nil
		case dir == lost:
			for deadline := time.Now().Add(patience); waiting.Load() < 5 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			return false, true, syscall.ETIMEDOUT
		}
		waiting.Add(1)
		select {
		case <-ctx.Done():
			return false, true, syscall.EINTR
		case <-time.After(patience):
			t.Error("it was waited for")
			return false, true, syscall.EIO
		}
	}}
	_, err := usage.Scan(t.Context(), o, usage.Spec{Parallel: 6})
	if !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("the error is %v", err)
	}
}

// TestNameAlone has hubs and homes of which nothing can be had but their names. What was known of them stays.
func TestNameAlone(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1000)
	x.file("bob/file", 1)
	e, _, err := x.Mkdir(t.Context(), nil, x.root(), "staging", vfs.SetAttr{})
	x.must("mkdir", err)
	_, _, err = x.Mkdir(t.Context(), nil, e.Handle, "eve", vfs.SetAttr{})
	x.must("mkdir", err)
	st := x.state()
	x.scan(usage.At(usage.Spec{State: st.open()}, 2*time.Minute))
	st.close()
	o := &odd{change: func(e *vfs.DirEntry) {
		if e.Name == "ada" || e.Name == "staging" || e.Name == "new" {
			e.Entry, e.Err = vfs.Entry{}, syscall.EIO
		}
	}}
	x.dir("new")
	for range 2 {
		r := x.scanOdd(o, usage.At(usage.Spec{State: st.open(), Lenient: true}, time.Hour))
		st.close()
		if len(r.Hubs) != 1 || len(r.Hubs[0].Homes) != 2 || r.Errors != 3 || !slices.Equal(r.Unlooked, []hubhome.HubName{"staging"}) {
			t.Fatalf("%d errors, %v cannot be looked at, hubs\n%s", r.Errors, r.Unlooked, text(r))
		}
		for _, h := range r.Hubs[0].Homes {
			age, _ := h.Age(time.Now().Add(time.Hour))
			if h.Name == "ada" && (h.Size != 1000 || h.Errors != 1 || age < 57*time.Minute) || h.Name == "bob" && h.Errors != 0 {
				t.Errorf("%+v, %v old", h, age)
			}
		}
		hubs := st.open().Last()
		st.close()
		if len(hubs) != 2 || len(hubs[0].Homes) != 2 || len(hubs[1].Homes) != 1 {
			t.Errorf("the state knows\n%s", text(&usage.Result{Hubs: hubs}))
		}
	}
}

// TestEmptied has a base share in which nothing is any more, as where the server has no disk mounted.
func TestEmptied(t *testing.T) {
	x := newTree(t)
	x.dir("ada")
	st := x.state()
	empty := &odd{list: func(context.Context, vfs.Handle, uint64, func(*vfs.DirEntry) bool) (bool, bool, error) {
		return true, true, nil
	}}
	spec := usage.At(usage.Spec{State: st.open(), Lenient: true}, 2*time.Minute)
	if r := x.scanOdd(empty, spec); len(r.Hubs) != 0 {
		t.Errorf("a base share that is empty has %s", text(r))
	}
	st.close()
	spec.State = st.open()
	x.scanOdd(&odd{}, spec)
	st.close()
	spec.State = st.open()
	if r, err := usage.Scan(t.Context(), empty, spec); err == nil || !strings.Contains(err.Error(), "no hub any more") || r.Complete {
		t.Errorf("a base share that was emptied: %v", err)
	}
	st.close()
	if last := st.open().Last(); len(last) != 1 || len(last[0].Homes) != 1 {
		t.Errorf("the state knows %d hubs", len(last))
	}
	st.close()
	spec.State, spec.Lenient = st.open(), false
	if r := x.scanOdd(empty, spec); len(r.Hubs) != 0 {
		t.Errorf("who wants to know it is told %s", text(r))
	}
	st.close()
}
