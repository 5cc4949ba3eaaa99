// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/usage/usagetest"
	"github.com/hubhome/hubhome/vfs"
)

const source = "nfs://server:2049/homes"

// state is a state in a directory of its own.
type state struct {
	*testing.T
	path string
	st   *usage.State
}

func (t *tree) state() *state { return &state{T: t.T, path: filepath.Join(t.TempDir(), "state")} }

func (s *state) open() *usage.State {
	s.Helper()
	st, err := usage.OpenState(s.path, source)
	if err != nil {
		s.Fatalf("open the state: %v", err)
	}
	s.st = st
	return st
}

func (s *state) close() {
	s.Helper()
	if err := s.st.Close(); err != nil {
		s.Errorf("close the state: %v", err)
	}
}

// reads counts the directories that are read.
func (t *tree) reads() *atomic.Int64 {
	var n atomic.Int64
	t.Hook("ReadDir", func() error {
		n.Add(1)
		return nil
	})
	return &n
}

// TestIncremental reads again what may have changed, and says how old the rest is.
func TestIncremental(t *testing.T) {
	x := newTree(t)
	for i := range 10 {
		x.file(fmt.Sprintf("ada/d%d/file", i), 100)
		x.dir(fmt.Sprintf("ada/empty%d", i))
	}
	st := x.state()
	reads := x.reads()
	scan := func(ahead, maxAge time.Duration) (usage.Home, int64) {
		t.Helper()
		reads.Store(0)
		r := x.scan(usage.At(usage.Spec{State: st.open(), MaxAge: maxAge}, ahead))
		st.close()
		if r.Resumed {
			t.Error("a scan that was not interrupted goes on")
		}
		return r.Hubs[0].Homes[0], reads.Load()
	}
	expect := func(what string, h usage.Home, n int64, size uint64, read int64, age time.Duration, ahead time.Duration) {
		t.Helper()
		if h.Size != size || n != read {
			t.Errorf("%s: %d bytes with %d directories read, want %d with %d", what, h.Size, n, size, read)
		}
		now := time.Now().Add(ahead)
		if got, _ := h.Age(now); got < age || got > age+patience {
			t.Errorf("%s: the age is %v, want %v", what, got, age)
		}
	}
	h, n := scan(2*time.Minute, time.Hour)
	expect("first", h, n, 1000, 23, 0, 2*time.Minute)
	h, n = scan(12*time.Minute, time.Hour)
	expect("nothing changed", h, n, 1000, 3, 10*time.Minute, 12*time.Minute)
	x.file("ada/d3/file", 500) // grows, which its directory does not show
	h, n = scan(22*time.Minute, time.Hour)
	expect("a file grew", h, n, 1000, 3, 20*time.Minute, 22*time.Minute)
	x.file("ada/d4/another", 30)
	x.file("ada/empty4/another", 1)
	h, n = scan(32*time.Minute, time.Hour)
	expect("files were made", h, n, 1031, 5, 30*time.Minute, 32*time.Minute)
	h, n = scan(42*time.Minute, 0)
	expect("nothing old is wanted", h, n, 1431, 14, 0, 42*time.Minute)
	h, n = scan(3*time.Hour, time.Hour)
	expect("all is too old", h, n, 1431, 14, 0, 3*time.Hour)
}

// TestRacy reads a directory again that had changed just before it was read: the next change may have the same time.
func TestRacy(t *testing.T) {
	x := newTree(t)
	x.file("ada/d/file", 1)
	st := x.state()
	reads := x.reads()
	for range 2 {
		reads.Store(0)
		x.scan(usage.Spec{State: st.open(), MaxAge: time.Hour})
		st.close()
		if n := reads.Load(); n != 4 {
			t.Errorf("%d directories were read", n)
		}
	}
}

// forest makes homes of some depth, and returns what a scan of them says.
func (t *tree) forest(homes int) string {
	for i := range homes {
		for j := range 5 {
			x := t.file(fmt.Sprintf("user%d/a/%d/file", i, j), 10*i+j)
			t.file(fmt.Sprintf("user%d/b/%d/c/file", i, j), i)
			_, err := t.Link(t.T.Context(), nil, x, t.dir(fmt.Sprintf("user%d/links", i)), fmt.Sprint(j))
			t.must("link", err)
		}
	}
	return text(t.scan(usage.Spec{}))
}

// TestResume loses the server at every request, and goes on.
func TestResume(t *testing.T) {
	x := newTree(t)
	want := x.forest(6)
	total := x.reads()
	x.scan(usage.Spec{})
	all := total.Load()
	for lost := int64(1); lost < all; lost += 7 {
		st := x.state()
		var reads atomic.Int64
		fail := true
		var mu sync.Mutex
		x.Hook("ReadDir", func() error {
			mu.Lock()
			defer mu.Unlock()
			if n := reads.Add(1); fail && n > lost {
				return syscall.ETIMEDOUT
			}
			return nil
		})
		r, err := x.try(usage.At(usage.Spec{State: st.open(), Parallel: 3}, 2*time.Minute))
		if !errors.Is(err, syscall.ETIMEDOUT) || r.Complete {
			t.Fatalf("after %d reads the error is %v, complete: %v", lost, err, r.Complete)
		}
		st.close()
		mu.Lock()
		fail = false
		mu.Unlock()
		reads.Store(0)
		spec := usage.At(usage.Spec{State: st.open(), Parallel: 3}, 3*time.Minute)
		again := x.scan(spec)
		st.close()
		same(t, fmt.Sprintf("resumed after %d reads", lost), text(again), want)
		if lost > 30 && (!again.Resumed || reads.Load() >= all) {
			t.Errorf("after %d reads, all %d were done again: %d", lost, all, reads.Load())
		}
		if _, err := os.Stat(st.path + ".part"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the part of a scan that came to its end: %v", err)
		}
	}
}

// TestTorn cuts the part off at many places, as a crash of the machine may.
func TestTorn(t *testing.T) {
	x := newTree(t)
	want := x.forest(4)
	st := x.state()
	done := 0
	x.Hook("ReadDir", func() error {
		if done++; done > 60 {
			return syscall.ETIMEDOUT
		}
		return nil
	})
	_, err := x.try(usage.At(usage.Spec{State: st.open(), Parallel: 1}, 2*time.Minute))
	if !errors.Is(err, syscall.ETIMEDOUT) {
		t.Fatal(err)
	}
	st.close()
	x.Hook("ReadDir", nil)
	part, err := os.ReadFile(st.path + ".part")
	x.must("read the part", err)
	if len(part) < 1000 {
		t.Fatalf("the part has %d bytes", len(part))
	}
	for n := 0; n < len(part); n += 1 + n/16 {
		torn := x.state()
		content := bytes.Clone(part[:n])
		if n%2 == 1 && n > 100 {
			content[n-1] ^= 0xff
		}
		x.must("write", os.WriteFile(torn.path+".part", content, 0o600))
		r := x.scan(usage.At(usage.Spec{State: torn.open()}, 2*time.Minute))
		torn.close()
		same(t, fmt.Sprintf("cut off after %d bytes", n), text(r), want)
		torn.open() // what came of it is whole
		torn.close()
	}
}

// TestUnfinished shows what is known of homes that were not read: of the last scan, with its age, or nothing.
func TestUnfinished(t *testing.T) {
	x := newTree(t)
	x.forest(3)
	st := x.state()
	want := text(x.scan(usage.At(usage.Spec{State: st.open()}, 2*time.Minute)))
	st.close()
	done := 0
	x.Hook("ReadDir", func() error {
		if done++; done > 5 {
			return syscall.ETIMEDOUT
		}
		return nil
	})
	r, _ := x.try(usage.At(usage.Spec{State: st.open(), Parallel: 1}, time.Hour))
	st.close()
	same(t, "with what the last scan found", text(r), want)
	for _, h := range r.Hubs[0].Homes {
		if age, ok := h.Age(time.Now().Add(time.Hour)); !ok || age < 58*time.Minute {
			t.Errorf("%s is said to be %v old", h.Name, age)
		}
	}
	done = 0
	r, _ = x.try(usage.Spec{Parallel: 1})
	if len(r.Hubs[0].Homes) != 3 {
		t.Errorf("%d homes", len(r.Hubs[0].Homes))
	}
	for _, h := range r.Hubs[0].Homes {
		if _, ok := h.Age(time.Now()); h.Complete || ok != (h.Directories > 0) {
			t.Errorf("it claims to know all of %+v", h)
		}
	}
}

// blind is a tree in which the attributes of files named "odd" cannot be had, while it is set.
type blind struct {
	vfs.FS
	set atomic.Bool
}

func (b *blind) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	return b.FS.ReadDir(ctx, c, dir, cookie, withAttr, func(e *vfs.DirEntry) bool {
		if b.set.Load() && e.Name == "odd" {
			e.Entry, e.Err = vfs.Entry{}, syscall.EACCES
		}
		return fn(e)
	})
}

// TestUnreadableOnce reads again, the next time and when it goes on, where something could not be read.
func TestUnreadableOnce(t *testing.T) {
	x := newTree(t)
	for _, home := range []string{"ada", "bob", "eve"} {
		x.file(home+"/sub/odd", 100)
		x.file(home+"/sub/other", 10)
	}
	want := text(x.scan(usage.Spec{}))
	b := &blind{FS: x.Memory}
	for _, interrupted := range []bool{false, true} {
		st := x.state()
		b.set.Store(true)
		spec := usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour, Parallel: 1}, 2*time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		if interrupted {
			spec.Done = func(usage.Home) { cancel() }
		}
		r, err := usage.Scan(ctx, b, spec)
		cancel()
		st.close()
		if (err != nil) != interrupted || r.Errors == 0 || !strings.HasSuffix(r.Problems[0].Path, "/sub/odd") {
			t.Errorf("interrupted %v: %v, problems %v", interrupted, err, r.Problems)
		}
		b.set.Store(false)
		r, err = usage.Scan(t.Context(), b, usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, 3*time.Minute))
		x.must("scan again", err)
		st.close()
		if same(t, "when it can be read", text(r), want); r.Resumed != interrupted {
			t.Errorf("interrupted %v, resumed %v", interrupted, r.Resumed)
		}
	}
}

// TestNarrow scans one hub, and keeps what the state has of another.
func TestNarrow(t *testing.T) {
	x := newTree(t)
	x.file("ada/d/file", 1)
	e, _, err := x.Mkdir(t.Context(), nil, x.root(), "staging", vfs.SetAttr{})
	x.must("mkdir", err)
	prod := x.hub
	x.hub = e.Handle
	x.file("bob/d/file", 1)
	x.hub = prod
	st := x.state()
	reads := x.reads()
	scan := func(hubs ...string) int64 {
		t.Helper()
		reads.Store(0)
		spec := usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, 2*time.Minute)
		for _, hub := range hubs {
			spec.Hubs = append(spec.Hubs, hubhome.HubName(hub))
		}
		x.scan(spec)
		st.close()
		return reads.Load()
	}
	scan()
	if n := scan(hubName); n != 2 {
		t.Errorf("one hub: %d directories were read", n)
	}
	if n := scan(); n != 5 {
		t.Errorf("both hubs again: %d directories were read", n)
	}
}

// TestLast has a state tell what was found, without a scan.
func TestLast(t *testing.T) {
	x := newTree(t)
	x.file("ada/d/file", 1)
	x.file("loose", 5)
	st := x.state()
	told := func() string {
		t.Helper()
		open := st.open()
		defer st.close()
		return text(&usage.Result{Hubs: open.Last()})
	}
	if got := told(); got != "" {
		t.Errorf("before a scan it tells of\n%s", got)
	}
	want := x.scan(usage.At(usage.Spec{State: st.open()}, 2*time.Minute))
	st.close()
	same(t, "after a scan", told(), text(want))
	if ended := st.open().Ended(); time.Since(ended) > patience {
		t.Errorf("the scan has ended at %v", ended)
	}
	st.close()

	// A hub that is not there keeps nobody from the others, and what was known stays.
	x.file("ada/d/more", 1)
	x.file("bob/file", 1)
	r := x.scan(usage.At(usage.Spec{State: st.open(), Lenient: true, Hubs: []hubhome.HubName{"staging", hubName}}, 2*time.Minute))
	st.close()
	if len(r.Absent) != 1 || r.Absent[0] != "staging" || !r.Complete {
		t.Errorf("absent are %v", r.Absent)
	}
	same(t, "after another", told(), text(r))
	r = x.scan(usage.At(usage.Spec{State: st.open(), Lenient: true, Hubs: []hubhome.HubName{"staging"}}, 2*time.Minute))
	st.close()
	if len(r.Hubs) != 0 {
		t.Errorf("a hub that is not there: %s", text(r))
	}
	if got := told(); !strings.Contains(got, "bob") {
		t.Errorf("what was known of another hub is lost: %s", got)
	}
}

// TestBadState has files that are no state, or none that can be used.
func TestBadState(t *testing.T) {
	x := newTree(t)
	x.forest(2)
	good := x.state()
	x.scan(usage.Spec{State: good.open()})
	good.close()
	content, err := os.ReadFile(good.path)
	x.must("read", err)
	flip := func(at int) []byte {
		b := bytes.Clone(content)
		b[at] ^= 1
		return b
	}
	for name, test := range map[string]struct {
		content []byte
		source  string
		want    string
	}{
		"foreign":       {[]byte("hello\n"), source, "it is no state of hubhome usage: give another file"},
		"no line":       {bytes.Repeat([]byte("x"), 100), source, "it is no state of hubhome usage"},
		"empty":         {nil, source, "remove it"},
		"newer":         {bytes.Replace(content, []byte("state 1\n"), []byte("state 2\n"), 1), source, "version 2, and this hubhome reads version 1: use the hubhome that wrote it"},
		"other source":  {content, "nfs://other:2049/homes", "another source: of " + source},
		"cut off":       {content[:len(content)-1], source, "it is damaged: remove it"},
		"without end":   {content[:len(content)-9], source, "it is damaged: remove it"},
		"flipped":       {flip(len(content) / 2), source, "it is damaged: remove it"},
		"header":        {flip(30), source, "it is damaged: remove it"},
		"a long length": {append(bytes.Clone(content), 'R', 255, 255, 255, 255), source, "it is damaged: remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state")
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			st, err := usage.OpenState(path, test.source)
			if err == nil {
				st.Close()
				t.Fatal("it was opened")
			}
			if _, ok := errors.AsType[*usage.StateError](err); !ok || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("the error is: %v", err)
			}
			if now, _ := os.ReadFile(path); !bytes.Equal(now, test.content) {
				t.Error("it was changed")
			}
		})
	}
	first := good.open()
	if st, err := usage.OpenState(good.path, source); err == nil || !strings.Contains(err.Error(), "another scan uses it") {
		st.Close()
		t.Errorf("the same state twice: %v", err)
	}
	first.Close()
	if _, err := usage.OpenState(filepath.Join(t.TempDir(), "not", "there"), source); err == nil {
		t.Error("a state in a directory that is not there was opened")
	}
}

// FuzzState has any file in place of a state, and of the part of one.
func FuzzState(f *testing.F) {
	f.Add([]byte("hubhome usage state 1\n"), true)
	f.Add([]byte("hubhome usage state 1\nH\x02\x00\x00\x00{}\x00\x00\x00\x00"), false)
	f.Fuzz(func(t *testing.T, content []byte, part bool) {
		path := filepath.Join(t.TempDir(), "state")
		name := path
		if part {
			name += ".part"
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if st, err := usage.OpenState(path, source); err == nil {
			st.Close()
		}
	})
}

// TestFullDisk has no room for what a scan finds, from the beginning or from some moment on. It finds it all the same, and says that
// it is not kept; the next one does not take for its own what was.
func TestFullDisk(t *testing.T) {
	x := newTree(t)
	for i := range 2000 {
		x.dir(fmt.Sprintf("user%d", i))
	}
	dir, fill := usagetest.SmallDisk(t)
	st := &state{T: t, path: filepath.Join(dir, "state")}
	x.scan(usage.Spec{State: st.open()})
	st.close()
	for _, free := range []int64{0, 64 << 10} {
		fill()
		full := filepath.Join(dir, "full")
		info, err := os.Stat(full)
		x.must("stat", err)
		x.must("make room", os.Truncate(full, info.Size()-free))
		spec := usage.Spec{State: st.open()}
		if spec.State.Resumed() {
			t.Error("it goes on with one that has come to its end")
		}
		if r := x.scan(spec); len(r.Hubs[0].Homes) != 2000 {
			t.Errorf("%d homes are found", len(r.Hubs[0].Homes))
		}
		if err := st.st.Close(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("with %d bytes free nobody is told that nothing is kept: %v", free, err)
		}
		if _, err := os.Stat(st.path + ".part"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("with %d bytes free what was kept is left: %v", free, err)
		}
	}
	if last := st.open().Last(); len(last) != 1 || len(last[0].Homes) != 2000 {
		t.Error("what was known before is not any more")
	}
	st.close()
}

// TestChangesMeanwhile scans while others change the tree. Nothing may be wrong with what nobody touched.
func TestChangesMeanwhile(t *testing.T) {
	x := newTree(t)
	x.forest(3)
	x.dir("busy/work")
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		ctx, work := t.Context(), x.dir("busy/work")
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := fmt.Sprint(rand.IntN(20))
			if e, _, err := x.Mkdir(ctx, nil, work, name, vfs.SetAttr{}); err == nil {
				x.Mkdir(ctx, nil, e.Handle, "x", vfs.SetAttr{})
				x.Remove(ctx, nil, e.Handle, "x")
			} else {
				x.Remove(ctx, nil, work, name)
			}
		}
	})
	quiet := func(r *usage.Result) (rows []string) {
		for _, h := range r.Hubs[0].Homes {
			if h.Name != "busy" {
				rows = append(rows, line(h.Name, &h.Tally, h.Errors, h.Complete))
			}
		}
		return rows
	}
	st := x.state()
	var want int
	for range 20 {
		r := x.scan(usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, 2*time.Minute))
		st.close()
		if r.Errors != 0 {
			t.Errorf("problems: %+v", r.Problems)
		}
		if want = len(quiet(r)); want != 3 {
			t.Errorf("%d homes", want)
		}
	}
	close(stop)
	all.Wait()
}

// TestClockSetBack has a state of a time to come, since the clock was ahead. Nothing in it is taken for known.
func TestClockSetBack(t *testing.T) {
	x := newTree(t)
	x.file("ada/d/file", 100)
	x.dir("ada/empty")
	st := x.state()
	x.scan(usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, 365*24*time.Hour))
	st.close()
	x.file("ada/d/file", 500) // grows, which its directory does not show
	reads := x.reads()
	r := x.scan(usage.At(usage.Spec{State: st.open(), MaxAge: time.Hour}, 2*time.Minute))
	st.close()
	if h := r.Hubs[0].Homes[0]; h.Size != 500 || reads.Load() != 5 {
		t.Errorf("%d bytes, with %d directories read", h.Size, reads.Load())
	}

	// The part of a scan that was interrupted in the future.
	x.Hook("ReadDir", nil)
	ctx, cancel := context.WithCancel(t.Context())
	spec := usage.At(usage.Spec{State: st.open(), Parallel: 1, Done: func(usage.Home) { cancel() }}, 2*time.Minute)
	x.dir("bob/d")
	if _, err := usage.Scan(ctx, x.Memory, spec); err == nil {
		t.Error("it was not interrupted")
	}
	st.close()
	ahead := time.Now().Add(365 * 24 * time.Hour)
	x.must("set the time of the part", os.Chtimes(st.path+".part", ahead, ahead))
	if st.open().Resumed() {
		t.Error("a scan of next year goes on")
	}
	st.close()
}

// TestInterruptedForDays goes on with a scan that is interrupted day after day: what it read at first is not taken for known
// for ever.
func TestInterruptedForDays(t *testing.T) {
	x := newTree(t)
	x.file("ada/d/file", 100)
	x.dir("bob")
	st := x.state()
	scan := func(ahead time.Duration) *usage.Result {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		spec := usage.At(usage.Spec{State: st.open(), Parallel: 1, Done: func(usage.Home) { cancel() }}, ahead)
		r, err := usage.Scan(ctx, x.Memory, spec)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("it was not interrupted: %v", err)
		}
		st.close()
		return r
	}
	scan(2 * time.Minute)
	scan(20 * time.Hour)
	x.file("ada/d/file", 500) // grows, which its directory does not show
	r := x.scan(usage.At(usage.Spec{State: st.open()}, 40*time.Hour))
	st.close()
	if !r.Resumed {
		t.Error("it does not go on")
	}
	for _, h := range r.Hubs[0].Homes {
		if age, _ := h.Age(time.Now().Add(40 * time.Hour)); age > 24*time.Hour || h.Name == "ada" && h.Size != 500 {
			t.Errorf("%s has %d bytes, and is %v old", h.Name, h.Size, age)
		}
	}
}

// TestGoneWhileInterrupted removes homes and a hub that an interrupted scan has read.
func TestGoneWhileInterrupted(t *testing.T) {
	x := newTree(t)
	for _, name := range []string{"ada", "bob", "zoe"} {
		x.dir(name)
	}
	e, _, err := x.Mkdir(t.Context(), nil, x.root(), "staging", vfs.SetAttr{})
	x.must("mkdir", err)
	_, _, err = x.Mkdir(t.Context(), nil, e.Handle, "eve", vfs.SetAttr{})
	x.must("mkdir", err)
	st := x.state()
	ctx, cancel := context.WithCancel(t.Context())
	var read []usage.Home
	_, err = usage.Scan(ctx, x.Memory, usage.At(usage.Spec{State: st.open(), Parallel: 1, Done: func(h usage.Home) {
		if read = append(read, h); len(read) == 3 {
			cancel()
		}
	}}, 2*time.Minute))
	st.close()
	if cancel(); err == nil || len(read) != 3 || !slices.ContainsFunc(read, func(h usage.Home) bool { return h.Hub == "staging" }) {
		t.Fatalf("%+v were read: %v", read, err)
	}
	for _, h := range append(read, usage.Home{Name: "staging"}) {
		dir := x.root()
		if h.Hub != "" {
			dir = x.in(dir, h.Hub)
		}
		_, _, err := x.Remove(t.Context(), nil, dir, h.Name)
		x.must("remove "+h.Name, err)
	}
	r := x.scan(usage.At(usage.Spec{State: st.open()}, 3*time.Minute))
	st.close()
	if !r.Resumed {
		t.Error("it did not go on")
	}
	same(t, "after a restart", text(&usage.Result{Hubs: st.open().Last()}), text(r))
	st.close()
}

// TestUnlistedHub has a hub whose list breaks off: of homes that were read, the state keeps what is new.
func TestUnlistedHub(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1)
	x.file("bob/file", 1)
	st := x.state()
	x.scan(usage.At(usage.Spec{State: st.open()}, 2*time.Minute))
	st.close()
	x.file("ada/another", 1)
	hub, home := x.hub, x.entry(x.hub, "ada")
	o := &odd{list: func(_ context.Context, dir vfs.Handle, _ uint64, fn func(*vfs.DirEntry) bool) (bool, bool, error) {
		if dir != hub {
			return false, false, nil
		}
		fn(&vfs.DirEntry{Name: "ada", Entry: home, Cookie: 1})
		return false, true, syscall.EIO
	}}
	r := x.scanOdd(o, usage.At(usage.Spec{State: st.open()}, 3*time.Minute))
	st.close()
	if r.Errors != 1 || len(r.Hubs[0].Homes) != 1 || r.Hubs[0].Listed {
		t.Errorf("problems %v, hubs\n%s", r.Problems, text(r))
	}
	files := map[string]uint64{}
	for _, h := range st.open().Last()[0].Homes {
		files[h.Name] = h.Files
	}
	st.close()
	if files["ada"] != 2 || files["bob"] != 1 {
		t.Errorf("the state knows of files %v", files)
	}
}

// TestUnreadableHome has a home that cannot be read at all any more. It does not seem to be empty.
func TestUnreadableHome(t *testing.T) {
	x := newTree(t)
	x.file("ada/file", 1000)
	x.file("bob/file", 1)
	st := x.state()
	x.scan(usage.At(usage.Spec{State: st.open()}, 2*time.Minute))
	st.close()
	home := x.dir("ada")
	o := &odd{list: func(_ context.Context, dir vfs.Handle, _ uint64, _ func(*vfs.DirEntry) bool) (bool, bool, error) {
		return false, dir == home, syscall.EIO
	}}
	for _, ahead := range []time.Duration{time.Hour, 3 * time.Hour} {
		r := x.scanOdd(o, usage.At(usage.Spec{State: st.open()}, ahead))
		st.close()
		for _, h := range r.Hubs[0].Homes {
			age, _ := h.Age(time.Now().Add(ahead))
			if h.Name == "ada" && (h.Size != 1000 || h.Errors != 1 || age < ahead-3*time.Minute) || h.Name == "bob" && h.Errors != 0 {
				t.Errorf("%+v, %v old", h, age)
			}
		}
	}
	if r := x.scanOdd(o, usage.Spec{}); r.Errors != 1 {
		t.Errorf("without a state: %v", r.Problems)
	}
}

// TestManyLinks keeps what was found in directories that many goroutines read at once, with as many files of several names as
// are remembered of each.
func TestManyLinks(t *testing.T) {
	st := (&tree{T: t}).state()
	usage.Keep(st.open(), "prod", "ada", 64, usage.MaxLinks)
	st.close()
	st.open()
	st.close()
	content, err := os.ReadFile(st.path + ".part")
	if err != nil {
		t.Fatal(err)
	}
	// The part is good up to the first segment that is none, and cut off there.
	if len(content) < 64*usage.MaxLinks*8 {
		t.Errorf("of what was kept, %d bytes can be read again", len(content))
	}
}

// TestStrange opens what is no file, and a state without a source.
func TestStrange(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	headless := filepath.Join(t.TempDir(), "headless")
	if err := os.WriteFile(headless, []byte("hubhome usage state 1\nE\x00\x00\x00\x00\x87\xcd\x77\xaa"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, headless, t.TempDir()} {
		refused := make(chan error, 1)
		go func() {
			st, err := usage.OpenState(path, source)
			if err == nil {
				st.Close()
			}
			refused <- err
		}()
		select {
		case err := <-refused:
			if err == nil {
				t.Errorf("%s is taken for a state", path)
			}
		case <-time.After(patience):
			t.Fatalf("it waits for %s", path)
		}
	}
}

// TestHubForHome tells a base share from a hub's directory, whatever homes are called.
func TestHubForHome(t *testing.T) {
	tree := func(hubs ...string) *usage.Result {
		r := &usage.Result{}
		for _, hub := range hubs {
			name, homes, _ := strings.Cut(hub, ":")
			h := usage.Hub{Name: name}
			for home := range strings.FieldsSeq(homes) {
				h.Homes = append(h.Homes, usage.Home{Hub: name, Name: home})
			}
			r.Hubs = append(r.Hubs, h)
		}
		return r
	}
	for name, c := range map[string]struct {
		result    *usage.Result
		hub, sign string
		looks     bool
	}{
		"nothing":           {tree(), "", "", false},
		"hubs":              {tree("prod:ada bob -2ejupyter jupyter", "staging:"), "", "", false},
		"homes":             {tree("bob:work .cache", "ada:.ssh .jupyter", "new:"), "ada", ".jupyter", true},
		"one that is odd":   {tree("prod:ada .cache", "staging:eve"), "prod", ".cache", false},
		"other directories": {tree("prod:.snapshot ada .Trash-1000", "b:.nfs0001"), "", "", false},
	} {
		if hub, sign, looks := c.result.HubForHome(); hub != c.hub || sign != c.sign || looks != c.looks {
			t.Errorf("%s: %q with %q, %v", name, hub, sign, looks)
		}
	}
}
