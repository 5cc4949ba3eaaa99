// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package survey_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/survey"
	"github.com/hubhome/hubhome/usage/usagetest"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// server is somebody else's, in memory, with the hubs prod and staging.
type server struct {
	*testing.T
	tree *vfstest.Memory
	log  journal

	mu sync.Mutex
	// down is what who dials is answered; dialed is when that was.
	down   error
	dialed []time.Time
	open   int
}

// journal is what was logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func newServer(t *testing.T) *server {
	s := &server{T: t, tree: vfstest.NewMemory("prod", "staging")}
	for _, home := range []string{"prod/ada", "prod/bob", "staging/eve"} {
		s.dir(home)
	}
	return s
}

func (s *server) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// dir returns a directory, made where it is not there.
func (s *server) dir(path string) vfs.Handle {
	s.Helper()
	at, err := s.tree.Root(s.Context())
	s.must(err)
	for name := range strings.SplitSeq(path, "/") {
		e, err := s.tree.Lookup(s.Context(), nil, at, name)
		if err != nil {
			e, _, err = s.tree.Mkdir(s.Context(), nil, at, name, vfs.SetAttr{})
		}
		s.must(err)
		at = e.Handle
	}
	return at
}

// remove removes an empty directory.
func (s *server) remove(path string) {
	s.Helper()
	dir, err := s.tree.Root(s.Context())
	s.must(err)
	if above := filepath.Dir(path); above != "." {
		dir = s.dir(above)
	}
	_, _, err = s.tree.Remove(s.Context(), nil, dir, filepath.Base(path))
	s.must(err)
}

func (s *server) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

func (s *server) dial(context.Context, func(context.Context) error) (*survey.Tree, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialed = append(s.dialed, time.Now())
	if s.down != nil {
		return nil, s.down
	}
	if s.open++; s.open > 1 {
		s.Error("two scans run at the same time")
	}
	return &survey.Tree{FS: s.tree, Close: func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
		return nil
	}}, nil
}

// dials returns when somebody dialed since it was last called.
func (s *server) dials() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.dialed = nil }()
	return s.dialed
}

// survey returns one of the server, whose state is a file of a name.
func (s *server) survey(state string, set survey.Settings) *survey.Survey {
	s.Helper()
	v := survey.New(survey.Options{
		Dial: s.dial, State: state, Source: "nfs://server/", Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	}, set)
	s.must(v.Open())
	return v
}

// start runs a survey until the test, or who calls what it returns, ends it.
func (s *server) start(v *survey.Survey) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.Error(err)
		}
	})
	s.Cleanup(stop)
	return stop
}

// names are the hubs and homes of a report.
func names(r quota.Report) string {
	var all []string
	for _, hub := range r.Hubs {
		if hub.AsOf.IsZero() {
			all = append(all, string(hub.Name)+"?")
		}
		for _, home := range hub.Homes {
			all = append(all, fmt.Sprintf("%s/%s:%s:%d", hub.Name, home.Name, home.State, home.Used.Inodes))
		}
	}
	return strings.Join(all, " ")
}

func (s *server) tells(v *survey.Survey, want string) {
	s.Helper()
	if got := names(v.Report()); got != want {
		s.Errorf("it tells of\n%s, want\n%s", got, want)
	}
}

const all = "prod/ada:scanned:1 prod/bob:scanned:1 staging/eve:scanned:1"

// TestSchedule lets a day go by in which the server is away for some hours.
func TestSchedule(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		v := s.survey(state, survey.Settings{Interval: 6 * time.Hour})
		s.tells(v, "")
		began := time.Now()
		stop := s.start(v)
		time.Sleep(6*time.Hour - time.Second)
		if d := s.dials(); len(d) != 1 || d[0] != began {
			t.Errorf("in the first six hours it dialed at %v", d)
		}
		s.tells(v, all)
		was := v.Report()

		s.fail(syscall.ECONNREFUSED)
		time.Sleep(5 * time.Hour)
		var after []string
		for _, at := range s.dials() {
			after = append(after, at.Sub(began).String())
		}
		if want := "6h0m0s 6h1m0s 6h3m0s 6h7m0s 6h15m0s 6h31m0s 7h3m0s 8h3m0s 9h3m0s 10h3m0s"; strings.Join(after, " ") != want {
			t.Errorf("it dialed after %v, want %s", after, want)
		}
		if n := strings.Count(s.log.String(), "level=ERROR"); n != 1 {
			t.Errorf("it says %d times that the server is away:\n%s", n, &s.log)
		}
		if st := v.Status(); st.Failures != 10 || st.Succeeded.Sub(began) != 0 {
			t.Errorf("the status is %+v", st)
		}
		if is := v.Report(); !reflect.DeepEqual(is, was) {
			t.Errorf("the figures are %+v, and were %+v", is, was)
		}

		s.fail(nil)
		time.Sleep(time.Hour)
		if !strings.Contains(s.log.String(), "can be looked through again") || v.Status().Failed != 0 {
			t.Errorf("it does not say that the server is back:\n%s", &s.log)
		}
		s.dials()
		time.Sleep(5 * time.Hour) // the next is at 17:03
		v.Set(survey.Settings{Interval: 7 * time.Hour})
		time.Sleep(time.Hour)
		if d := s.dials(); len(d) != 0 {
			t.Errorf("with seven hours in between it dialed at %v", d)
		}
		v.Set(survey.Settings{Interval: time.Hour})
		synctest.Wait()
		if d := s.dials(); len(d) != 1 {
			t.Errorf("with one hour in between, which is long over, it dialed at %v", d)
		}
		stop()
	})
}

// TestOneAtATime asks for another hub while a scan runs.
func TestOneAtATime(t *testing.T) {
	s := newServer(t)
	reached, goOn := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	s.tree.Hook("ReadDir", func() error {
		if first.CompareAndSwap(false, true) {
			close(reached)
			<-goOn
		}
		return nil
	})
	v := s.survey(filepath.Join(t.TempDir(), "state"), survey.Settings{Interval: time.Hour, Hubs: []hubhome.HubName{"prod"}})
	s.start(v)
	<-reached
	if v.Status().Began.IsZero() {
		t.Error("no scan runs")
	}
	v.Set(survey.Settings{Interval: time.Hour, Hubs: []hubhome.HubName{"prod", "staging"}})
	if got := names(v.Report()); got != "prod? staging?" {
		t.Errorf("before anything is read it tells of %s", got)
	}
	close(goOn)
	await(t, func() bool { return names(v.Report()) == all })
	if n := len(s.dials()); n != 2 {
		t.Errorf("there were %d scans", n)
	}
}

func await(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it has not come")
		}
	}
}

// scan has a survey scan once.
func (s *server) scan(v *survey.Survey) {
	s.Helper()
	stop := s.start(v)
	await(s.T, func() bool {
		st := v.Status()
		return st.Began.IsZero() && (st.Took > 0 || st.Failures > 0)
	})
	stop()
}

// TestRestart has a survey that scans, and one after it that cannot.
func TestRestart(t *testing.T) {
	s := newServer(t)
	s.dir("prod/ada/deep")
	state, set := filepath.Join(t.TempDir(), "state"), survey.Settings{Interval: time.Hour}
	v := s.survey(state, set)
	s.scan(v)
	was := v.Report()
	s.dials()

	// What is told after a restart is the same, to the millisecond; and it is not time for a scan.
	again := s.survey(state, set)
	stop := s.start(again)
	is := again.Report()
	if text(is) != text(was) || len(s.dials()) != 0 {
		t.Errorf("after a restart it tells of\n%s, and told of\n%s", text(is), text(was))
	}
	stop()

	// One whose time is over scans at once. Of a scan that fails in the middle, what was read is known.
	s.must(os.Chtimes(state, time.Time{}, time.Now().Add(-2*time.Hour)))
	s.dir("prod/ada/deeper")
	s.dir("staging/eve/new")
	var read atomic.Int64
	s.tree.Hook("ReadDir", func() error {
		if read.Add(1) > 4 {
			return syscall.ETIMEDOUT
		}
		return nil
	})
	third := s.survey(state, set)
	s.scan(third)
	s.tree.Hook("ReadDir", nil)
	if n := len(third.Report().Hubs); n != 2 || third.Status().Failures != 1 {
		t.Errorf("after a scan that failed it tells of %s: %+v", names(third.Report()), third.Status())
	}
	// It goes on after the next restart, at once.
	s.dials()
	fourth := s.survey(state, set)
	s.scan(fourth)
	s.tells(fourth, "prod/ada:scanned:3 prod/bob:scanned:1 staging/eve:scanned:2")
}

// text is a report as far as a restart keeps it.
func text(r quota.Report) string {
	var lines []string
	for _, hub := range r.Hubs {
		lines = append(lines, fmt.Sprintf("%s %+v %d", hub.Name, hub.Used, hub.AsOf.UnixMilli()))
		for _, h := range hub.Homes {
			lines = append(lines, fmt.Sprintf("%s %+v %d %d %s", h.Name, h.Used, h.AsOf.UnixMilli(), h.LastWrite.UnixMilli(), h.State))
		}
	}
	return strings.Join(lines, "\n")
}

// TestFullDisk starts with no room for what a scan finds. What was known is told, and what is found; it is said that it is not kept.
func TestFullDisk(t *testing.T) {
	s := newServer(t)
	dir, fill := usagetest.SmallDisk(t)
	state, set := filepath.Join(dir, "state"), survey.Settings{Interval: time.Hour}
	s.scan(s.survey(state, set))
	fill()
	s.must(os.Chtimes(state, time.Time{}, time.Now().Add(-2*time.Hour)))
	again := s.survey(state, set)
	s.tells(again, "prod/ada:scanned:1 prod/bob:scanned:1 staging/eve:scanned:1")
	s.dir("prod/ada/new")
	s.scan(again)
	s.tells(again, "prod/ada:scanned:2 prod/bob:scanned:1 staging/eve:scanned:1")
	if log := s.log.String(); again.Status().Failures != 0 || !strings.Contains(log, "keep what a scan has found") {
		t.Errorf("%+v, and it says\n%s", again.Status(), log)
	}
}

// TestGone removes homes and hubs between scans.
func TestGone(t *testing.T) {
	s := newServer(t)
	state := filepath.Join(t.TempDir(), "state")
	s.scan(s.survey(state, survey.Settings{}))
	s.remove("prod/bob")
	s.remove("staging/eve")
	s.remove("staging")
	both := []hubhome.HubName{"staging", "prod"}
	v := s.survey(state, survey.Settings{Hubs: both})
	s.scan(v)
	s.tells(v, "prod/ada:scanned:1 staging/eve:scanned:1")
	if !strings.Contains(s.log.String(), "hubsNotThere=[staging]") {
		t.Errorf("it does not say that a hub is not there:\n%s", &s.log)
	}
	for _, hub := range v.Report().Hubs {
		if hub.Absent != (hub.Name == "staging") {
			t.Errorf("hub %q is absent: %v", hub.Name, hub.Absent)
		}
	}
	for _, test := range []struct {
		hub, home string
		there     bool
		err       error
	}{
		{"prod", "ada", true, nil}, {"prod", "bob", false, nil}, {"staging", "eve", true, nil}, {"test", "eve", false, quota.ErrNoHub},
	} {
		home, there, err := v.Home(hubhome.HubName(test.hub), test.home)
		if there != test.there || !errors.Is(err, test.err) || there && home.Name != test.home {
			t.Errorf("of %s/%s it tells %+v, %v, %v", test.hub, test.home, home, there, err)
		}
	}
	v = s.survey(state, survey.Settings{})
	s.scan(v)
	s.tells(v, "prod/ada:scanned:1")
}

// TestPartial has a directory that cannot be read.
func TestPartial(t *testing.T) {
	s := newServer(t)
	s.dir("prod/ada/deep")
	deep := s.dir("prod/ada/deep")
	tree := closed{s.tree, deep}
	v := survey.New(survey.Options{
		Dial: func(context.Context, func(context.Context) error) (*survey.Tree, error) {
			return &survey.Tree{FS: tree, Close: func() error { return nil }}, nil
		},
		State: filepath.Join(t.TempDir(), "state"), Source: "nfs://server/", Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	}, survey.Settings{})
	s.must(v.Open())
	s.scan(v)
	home, _, err := v.Home("prod", "ada")
	if err != nil || home.State != quota.Partial || home.Unread != 1 {
		t.Errorf("of a home with something that cannot be read it tells %+v, %v", home, err)
	}
	if !strings.Contains(s.log.String(), "unread=1 first=prod/ada/deep error=") {
		t.Errorf("it does not say what could not be read:\n%s", &s.log)
	}
}

// closed is a tree with a directory that nobody may list.
type closed struct {
	*vfstest.Memory
	dir vfs.Handle
}

func (c closed) ReadDir(ctx context.Context, caller *vfs.Caller, dir vfs.Handle, cookie uint64, attr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	if dir == c.dir {
		return false, syscall.EACCES
	}
	return c.Memory.ReadDir(ctx, caller, dir, cookie, attr, fn)
}

// TestBadState refuses a state that is none, and leaves it alone.
func TestBadState(t *testing.T) {
	s := newServer(t)
	state := filepath.Join(t.TempDir(), "state")
	s.must(os.WriteFile(state, []byte("notes"), 0o600))
	v := survey.New(survey.Options{Dial: s.dial, State: state, Source: "nfs://server/", Logger: slog.New(slog.DiscardHandler)}, survey.Settings{})
	if err := v.Open(); err == nil || !strings.Contains(err.Error(), "it is no state") {
		t.Errorf("a file of notes is taken for a state: %v", err)
	}
	if data, err := os.ReadFile(state); err != nil || string(data) != "notes" {
		t.Errorf("it is now %q: %v", data, err)
	}
}

// TestPutAside has states that cannot be used: of another server, of a later hubhome, damaged. The survey begins without them.
func TestPutAside(t *testing.T) {
	s := newServer(t)
	made := filepath.Join(t.TempDir(), "state")
	s.scan(s.survey(made, survey.Settings{}))
	good, err := os.ReadFile(made)
	s.must(err)
	for name, content := range map[string][]byte{
		"a later hubhome": bytes.Replace(good, []byte("state 1"), []byte("state 9"), 1),
		"damaged":         good[:len(good)-1],
	} {
		state := filepath.Join(t.TempDir(), "state")
		s.must(os.WriteFile(state, content, 0o600))
		v := s.survey(state, survey.Settings{})
		s.tells(v, "")
		if kept, err := os.ReadFile(state + ".aside"); err != nil || !bytes.Equal(kept, content) {
			t.Errorf("%s: it is not kept: %v", name, err)
		}
		if !strings.Contains(s.log.String(), "is put aside") {
			t.Errorf("%s: it does not say so:\n%s", name, &s.log)
		}
		s.scan(v)
		s.tells(v, all)

		again := s.survey(state, survey.Settings{})
		s.must(os.WriteFile(state, content, 0o600)) // and between its start and a scan
		s.scan(again)
		s.tells(again, all)
	}
	other := survey.New(survey.Options{Dial: s.dial, State: made, Source: "nfs://other/", Logger: slog.New(slog.NewTextHandler(&s.log, nil))}, survey.Settings{})
	s.must(other.Open())
	s.tells(other, "")
	if !strings.Contains(s.log.String(), "of nfs://server/, and not of nfs://other/\"") {
		t.Errorf("it does not say of which server the state is:\n%s", &s.log)
	}
}

// TestHubForBaseShare looks through one hub as if it were all of them.
func TestHubForBaseShare(t *testing.T) {
	s := newServer(t)
	s.dir("_shared")
	v := s.survey(filepath.Join(t.TempDir(), "state"), survey.Settings{Interval: time.Hour})
	s.scan(v)
	if !strings.Contains(s.log.String(), "is one hub's directory") || len(v.Report().Hubs) != 0 {
		t.Errorf("it takes homes for hubs: %s\n%s", names(v.Report()), &s.log)
	}
}

// TestFirst looks at what is told while the first scan runs: homes that were read, and no sum that is too low.
func TestFirst(t *testing.T) {
	s := newServer(t)
	s.dir("prod/ada/deep")
	deep, reached, goOn := s.dir("prod/ada/deep"), make(chan struct{}), make(chan struct{})
	v := survey.New(survey.Options{
		Dial: func(context.Context, func(context.Context) error) (*survey.Tree, error) {
			return &survey.Tree{FS: waiting{s.tree, deep, reached, goOn}, Close: func() error { return nil }}, nil
		},
		State: filepath.Join(t.TempDir(), "state"), Source: "nfs://server/", Logger: slog.New(slog.DiscardHandler),
	}, survey.Settings{Interval: time.Hour})
	s.must(v.Open())
	s.start(v)
	<-reached
	await(t, func() bool { return names(v.Report()) == "prod? prod/bob:scanned:1 staging? staging/eve:scanned:1" })
	close(goOn)
	await(t, func() bool { return names(v.Report()) == "prod/ada:scanned:2 prod/bob:scanned:1 staging/eve:scanned:1" })
}

// waiting is a tree with a directory whose list takes until somebody says so.
type waiting struct {
	*vfstest.Memory
	dir           vfs.Handle
	reached, goOn chan struct{}
}

func (w waiting) ReadDir(ctx context.Context, caller *vfs.Caller, dir vfs.Handle, cookie uint64, attr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	if dir == w.dir {
		close(w.reached)
		<-w.goOn
	}
	return w.Memory.ReadDir(ctx, caller, dir, cookie, attr, fn)
}

// TestClockSetBack has a state of next year, since the clock was ahead. It is not waited for until then.
func TestClockSetBack(t *testing.T) {
	s := newServer(t)
	state, set := filepath.Join(t.TempDir(), "state"), survey.Settings{Interval: time.Hour}
	s.scan(s.survey(state, set))
	ahead := time.Now().Add(365 * 24 * time.Hour)
	s.must(os.Chtimes(state, ahead, ahead))
	v := s.survey(state, set)
	if st := v.Status(); time.Until(st.Succeeded) > 0 {
		t.Errorf("a scan has come to its end at %v", st.Succeeded)
	}
	s.scan(v)
	s.tells(v, all)
}

// TestGreatest has files that are as long as can be, in several homes.
func TestGreatest(t *testing.T) {
	s := newServer(t)
	for _, home := range []string{"prod/ada/deep", "prod/bob/deep", "prod/eve/deep"} {
		s.dir(home)
	}
	v := survey.New(survey.Options{
		Dial: func(context.Context, func(context.Context) error) (*survey.Tree, error) {
			return &survey.Tree{FS: immense{s.tree}, Close: func() error { return nil }}, nil
		},
		State: filepath.Join(t.TempDir(), "state"), Source: "nfs://server/", Logger: slog.New(slog.DiscardHandler),
	}, survey.Settings{Interval: time.Hour})
	s.must(v.Open())
	s.scan(v)
	for _, hub := range v.Report().Hubs {
		if hub.Name == "prod" && hub.Used.Bytes != math.MaxInt64 {
			t.Errorf("the hub takes %d bytes", hub.Used.Bytes)
		}
		for _, home := range hub.Homes {
			if home.Used.Bytes < 0 {
				t.Errorf("%s takes %d bytes", home.Name, home.Used.Bytes)
			}
		}
	}
}

// immense is a tree whose directories each take nearly all that a number can be.
type immense struct{ *vfstest.Memory }

func (m immense) ReadDir(ctx context.Context, caller *vfs.Caller, dir vfs.Handle, cookie uint64, attr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	return m.Memory.ReadDir(ctx, caller, dir, cookie, attr, func(e *vfs.DirEntry) bool {
		e.Attr.Used = math.MaxInt64 - 1
		return fn(e)
	})
}

// TestAs looks as somebody who may not look everywhere.
func TestAs(t *testing.T) {
	s := newServer(t)
	mode, uid := uint32(0o700), uint32(1001)
	_, err := s.tree.SetAttr(t.Context(), nil, s.dir("prod/ada"), vfs.SetAttr{Mode: &mode, UID: &uid})
	s.must(err)
	for _, as := range []*vfs.Caller{nil, {UID: 1000, GID: 1000}} {
		v := survey.New(survey.Options{
			Dial: s.dial, As: as, State: filepath.Join(t.TempDir(), "state"), Source: "nfs://server/", Logger: slog.New(slog.DiscardHandler),
		}, survey.Settings{Interval: time.Hour})
		s.must(v.Open())
		s.scan(v)
		if home, _, _ := v.Home("prod", "ada"); (home.Unread == 1) != (as != nil) {
			t.Errorf("as %+v, it cannot read %d directories", as, home.Unread)
		}
	}
}

// TestLostForAWhile has a server whose base share shows less than there is: a hub that cannot be looked at, and then none at all.
func TestLostForAWhile(t *testing.T) {
	s := newServer(t)
	f := &failing{Memory: s.tree}
	v := survey.New(survey.Options{
		Dial: func(context.Context, func(context.Context) error) (*survey.Tree, error) {
			return &survey.Tree{FS: f, Close: func() error { return nil }}, nil
		},
		State: filepath.Join(t.TempDir(), "state"), Source: "nfs://server/", Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	}, survey.Settings{Interval: time.Second})
	s.must(v.Open())
	s.start(v)
	scanned := func(failures uint64) {
		t.Helper()
		before := v.Status()
		await(t, func() bool {
			st := v.Status()
			return st.Failures >= before.Failures+failures && (failures > 0 || st.Succeeded.After(before.Succeeded.Add(time.Second)))
		})
		s.tells(v, all)
	}
	scanned(0)
	f.what.Store("staging")
	scanned(0)
	if !strings.Contains(s.log.String(), "first=staging") {
		t.Errorf("it does not say that a hub cannot be looked at:\n%s", &s.log)
	}
	f.what.Store("all")
	scanned(1)
	if !strings.Contains(s.log.String(), "is the disk mounted at the server?") {
		t.Errorf("it does not say that there is no hub any more:\n%s", &s.log)
	}
	f.what.Store("")
	scanned(0)
}

// failing is a tree in which an entry, or all of them, cannot be had.
type failing struct {
	*vfstest.Memory
	what atomic.Value
}

func (f *failing) ReadDir(ctx context.Context, caller *vfs.Caller, dir vfs.Handle, cookie uint64, attr bool, fn func(*vfs.DirEntry) bool) (bool, error) {
	what, _ := f.what.Load().(string)
	if what == "all" {
		return true, nil
	}
	return f.Memory.ReadDir(ctx, caller, dir, cookie, attr, func(e *vfs.DirEntry) bool {
		if e.Name == what {
			e.Entry, e.Err = vfs.Entry{}, syscall.EIO
		}
		return fn(e)
	})
}
