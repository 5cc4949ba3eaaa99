// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/warning"
)

// patience is how long a test waits for anything. It is there for what hangs.
const patience = 20 * time.Second

// every is between two looks: as often as a test can see.
const every = 2 * time.Millisecond

// TestPass holds the marks: somebody is told once for each that is passed, and again when it was well below.
func TestPass(t *testing.T) {
	marks := []int{80, 90, 100}
	told := 0
	for i, step := range []struct {
		percent float64
		news    bool
		told    int
	}{
		{10, false, 0},
		{79.9, false, 0},
		{80, true, 80},
		{81, false, 80},
		{79, false, 80}, // not well below
		{80, false, 80},
		{95, true, 90},
		{89, false, 90},
		{86, false, 90},
		{91, false, 90},
		{84, false, 80},
		{91, true, 90},
		{150, true, 100},
		{99, false, 100},
		{74, false, 0},
		{100, true, 100}, // one warning, of the highest mark
		{0, false, 0},
	} {
		mark, news := warning.Pass(marks, step.percent, told)
		if news != step.news || mark != step.told {
			t.Errorf("step %d, at %v %% with %d told: %v and %d told, want %v and %d", i, step.percent, told, news, mark, step.news, step.told)
		}
		told = mark
	}
}

// TestPassLow has a mark that is as low as what is slack elsewhere: who has removed everything is told of again.
func TestPassLow(t *testing.T) {
	marks := []int{1, 3}
	if mark, news := warning.Pass(marks, 2, 3); mark != 3 || news {
		t.Errorf("at 2 %%: %d, %v", mark, news)
	}
	if mark, news := warning.Pass(marks, 0, 3); mark != 0 || news {
		t.Errorf("at 0 %%: %d, %v", mark, news)
	}
}

// homes are what a test says that homes take.
type homes struct {
	mu     sync.Mutex
	report quota.Report
}

func (h *homes) get() quota.Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.report
	r.Hubs = append([]quota.HubReport(nil), r.Hubs...)
	for i := range r.Hubs {
		r.Hubs[i].Homes = append([]quota.HomeReport(nil), r.Hubs[i].Homes...)
	}
	return r
}

// set makes a home of hub prod, with a quota of 1000 bytes, take so many.
func (h *homes) set(name string, used int64, state quota.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.report.Hubs == nil {
		h.report.Hubs = []quota.HubReport{{Name: "prod", Quota: hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: hubhome.UnlimitedInodes}}}
	}
	hub := &h.report.Hubs[0]
	for i := range hub.Homes {
		if hub.Homes[i].Name == name {
			hub.Homes[i].Used.Bytes, hub.Homes[i].State = used, state
			return
		}
	}
	hub.Homes = append(hub.Homes, quota.HomeReport{
		Name: name, Used: quota.Usage{Bytes: used, Inodes: 1}, State: state,
		Quota: hubhome.Quota{Bytes: 1000, Inodes: hubhome.UnlimitedInodes},
	})
}

// keeper keeps in memory.
type keeper struct {
	mu   sync.Mutex
	data []byte
	err  error
}

func (k *keeper) LoadWarnings() ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.data, nil
}

func (k *keeper) SaveWarnings(data []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return k.err
	}
	k.data = data
	return nil
}

// receiver is an HTTP server that hands on what it takes, and answers with a status until that is 200.
type receiver struct {
	*httptest.Server
	status atomic.Int64
	later  atomic.Bool
	tries  atomic.Int64
	got    chan warning.Warning
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{got: make(chan warning.Warning, 1000)}
	r.status.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.tries.Add(1)
		if status := r.status.Load(); status != http.StatusOK {
			if r.later.Load() {
				w.Header().Set("Retry-After", "3600")
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(int(status))
			return
		}
		var n warning.Warning
		d := json.NewDecoder(req.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&n); err != nil || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
			t.Errorf("it was sent %s %v: %v", req.Method, req.Header, err)
		}
		r.got <- n
	}))
	t.Cleanup(r.Close)
	return r
}

// next is the next warning.
func (r *receiver) next(t *testing.T) warning.Warning {
	t.Helper()
	select {
	case n := <-r.got:
		return n
	case <-time.After(patience):
		t.Fatal("no warning has come")
		panic("unreachable")
	}
}

// wait waits for a condition.
func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to this: " + what)
		}
	}
}

// start runs a watch; stop ends it and waits until it has.
func start(t *testing.T, h *homes, k *keeper, log io.Writer, s warning.Settings) (w *warning.Watch, stop func()) {
	t.Helper()
	if s.At == nil {
		s.At = []int{80, 90, 100}
	}
	w = warning.New(warning.Options{
		Report: h.get, Keeper: k, Logger: slog.New(slog.NewTextHandler(log, nil)), Every: every, Pause: every,
	}, s)
	if err := w.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return w, stop
}

// locked is a buffer that a log is written to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestWebhook has a receiver that fails at first, and a server that is started again in the middle: everybody is told of
// once.
func TestWebhook(t *testing.T) {
	h, k, r, log := &homes{}, &keeper{}, newReceiver(t), &locked{}
	r.status.Store(http.StatusInternalServerError)
	h.set("ada", 850, quota.Clean)
	h.set("bob", 100, quota.Clean)
	h.set("eve", 5000, quota.Counting)
	settings := warning.Settings{Webhook: r.URL + "/secret-token"}
	w, stop := start(t, h, k, log, settings)
	wait(t, "the receiver has refused it a few times", func() bool { return r.tries.Load() > 3 })
	if n := w.Counts(warning.WayWebhook); n.Failed.Load() == 0 || n.Given.Load() != 0 || n.Waiting.Load() != 1 {
		t.Errorf("given %d, failed %d, waiting %d", n.Given.Load(), n.Failed.Load(), n.Waiting.Load())
	}
	stop() // nothing was taken: a restart must not lose it
	r.status.Store(http.StatusOK)
	_, stop = start(t, h, k, log, settings)
	n := r.next(t)
	if n.Hub != "prod" || n.Home != "ada" || n.Mark != 80 || n.Resource != warning.Bytes || n.Usage != 850 || n.Quota != 1000 || n.Time.IsZero() {
		t.Errorf("the warning is %+v", n)
	}
	if want := "Home prod/ada is over 80 % of its quota: it takes 850 B of 1000 B"; n.Text != want {
		t.Errorf("the warning says %q, want %q", n.Text, want)
	}
	h.set("ada", 1000, quota.Clean)
	if n := r.next(t); n.Mark != 100 || !strings.Contains(n.Text, "has spent its quota") {
		t.Errorf("the second is %+v", n)
	}
	stop() // what was told is kept
	_, stop = start(t, h, k, log, settings)
	h.set("eve", 900, quota.Clean) // after the count
	if n := r.next(t); n.Home != "eve" || n.Mark != 90 {
		t.Errorf("after a restart came %+v", n)
	}
	h.set("ada", 0, quota.Clean)
	wait(t, "it is known that ada has made room", func() bool { data, _ := k.LoadWarnings(); return !bytes.Contains(data, []byte("ada")) })
	h.set("ada", 800, quota.Clean)
	if n := r.next(t); n.Home != "ada" || n.Mark != 80 {
		t.Errorf("after room was made came %+v", n)
	}
	stop()
	select {
	case n := <-r.got:
		t.Errorf("nobody had to be told %+v", n)
	default:
	}
	if text := log.String(); strings.Contains(text, "secret-token") || !strings.Contains(text, "the webhook answered 500") {
		t.Errorf("the log has\n%s", text)
	}
}

// TestWebhookGone has nobody at the other end.
func TestWebhookGone(t *testing.T) {
	h, r, log := &homes{}, newReceiver(t), &locked{}
	url := r.URL + "/secret-token"
	r.Close()
	h.set("ada", 850, quota.Clean)
	w, _ := start(t, h, &keeper{}, log, warning.Settings{Webhook: url})
	wait(t, "it was tried twice", func() bool { return w.Counts(warning.WayWebhook).Failed.Load() > 1 })
	if text := log.String(); strings.Contains(text, "secret-token") || strings.Count(text, "could not be given") != 1 {
		t.Errorf("the log has\n%s", text)
	}
}

// TestWebhookElsewhere has a receiver that sends who posts to somebody else, and one that wants to be asked later.
func TestWebhookElsewhere(t *testing.T) {
	h, r := &homes{}, newReceiver(t)
	h.set("ada", 850, quota.Clean)
	r.status.Store(http.StatusFound)
	w, stop := start(t, h, &keeper{}, io.Discard, warning.Settings{Webhook: r.URL})
	wait(t, "it was tried twice", func() bool { return w.Counts(warning.WayWebhook).Failed.Load() > 1 })
	stop()
	if len(r.got) > 0 || w.Counts(warning.WayWebhook).Given.Load() > 0 {
		t.Error("it went where it was sent to")
	}
	r.later.Store(true)
	r.status.Store(http.StatusTooManyRequests)
	r.tries.Store(0)
	w, stop = start(t, h, &keeper{}, io.Discard, warning.Settings{Webhook: r.URL, File: filepath.Join(t.TempDir(), "w")})
	wait(t, "it was tried", func() bool { return r.tries.Load() == 1 })
	// The other way to tell goes on, many looks long.
	for n := int64(1); n <= 5; n++ {
		h.set(strings.Repeat("x", int(n)), 990, quota.Clean)
		wait(t, "the file has it", func() bool { return int64(w.Counts(warning.WayFile).Given.Load()) == n+1 })
	}
	stop()
	if n := r.tries.Load(); n != 1 {
		t.Errorf("it was tried %d times by who was told to wait for an hour", n)
	}
}

// TestWebhookFile has the URL in a file that comes later.
func TestWebhookFile(t *testing.T) {
	h, r := &homes{}, newReceiver(t)
	file := filepath.Join(t.TempDir(), "url")
	h.set("ada", 850, quota.Clean)
	w, _ := start(t, h, &keeper{}, io.Discard, warning.Settings{WebhookFile: file})
	wait(t, "the file was missed", func() bool { return w.Counts(warning.WayWebhook).Failed.Load() > 0 })
	if err := os.WriteFile(file, []byte(r.URL+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.next(t)
}

// TestFile has a directory that comes later, and names of any bytes.
func TestFile(t *testing.T) {
	h := &homes{}
	file := filepath.Join(t.TempDir(), "later", "warnings.jsonl")
	h.set("caf\xe9", 950, quota.Clean)
	h.set("ada", 850, quota.Clean)
	w, stop := start(t, h, &keeper{}, io.Discard, warning.Settings{File: file})
	wait(t, "the directory was missed", func() bool { return w.Counts(warning.WayFile).Failed.Load() > 0 })
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	wait(t, "both are told", func() bool { return w.Counts(warning.WayFile).Given.Load() == 2 })
	stop()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []warning.Warning
	for line := range bytes.Lines(data) {
		var n warning.Warning
		if err := json.Unmarshal(line, &n); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		all = append(all, n)
	}
	if len(all) != 2 || all[0].Home != "caf\ufffd" || string(all[0].HomeBase64) != "caf\xe9" || all[0].Mark != 90 || all[1].Home != "ada" {
		t.Errorf("the file has\n%s", data)
	}
}

// TestSpent has homes that no more can be written to, although their quotas are not spent to the byte: what takes blocks does
// not fit a quota of anything, and what is left holds nothing that a client writes at once.
func TestSpent(t *testing.T) {
	h, r := &homes{}, newReceiver(t)
	h.set("ada", 0, quota.Clean)
	h.report.Hubs[0].Homes[0].Quota.Bytes = 20e9
	h.report.Hubs[0].Homes[0].Used.Bytes = 19_999_997_952 // of whole blocks of 4096
	start(t, h, &keeper{}, io.Discard, warning.Settings{Webhook: r.URL})
	if n := r.next(t); n.Home != "ada" || n.Mark != 100 || n.Usage >= n.Quota || !strings.Contains(n.Text, "has spent its quota") {
		t.Errorf("the warning is %+v", n)
	}
}

// TestInodes has a home that has few bytes in many files.
func TestInodes(t *testing.T) {
	h, r := &homes{}, newReceiver(t)
	h.set("ada", 850, quota.Clean)
	h.report.Hubs[0].Homes[0].Quota.Inodes, h.report.Hubs[0].Homes[0].Used.Inodes = 100, 95
	start(t, h, &keeper{}, io.Discard, warning.Settings{Webhook: r.URL})
	const text = "Home prod/ada is over 90 % of its quota: it takes 95 of 100 inodes"
	if n := r.next(t); n.Resource != warning.Inodes || n.Usage != 95 || n.Quota != 100 || n.Mark != 90 || n.Text != text {
		t.Errorf("the warning is %+v", n)
	}
}

// TestUnreadable has a home of which something cannot be read, in a hub that is full: of both it is told what is known.
func TestUnreadable(t *testing.T) {
	h, r := &homes{}, newReceiver(t)
	h.set("ada", 950, quota.Unreadable)
	h.report.Hubs[0].Quota.Bytes, h.report.Hubs[0].Used.Bytes = 1000, 850
	start(t, h, &keeper{}, io.Discard, warning.Settings{Webhook: r.URL})
	for _, want := range []string{"ada", ""} {
		if n := r.next(t); n.Home != want {
			t.Errorf("the warning is %+v, want one of %q", n, want)
		}
	}
}

// TestGone has a home removed and made again: what was told of the first is forgotten, also where nobody has seen the second
// when it was empty.
func TestGone(t *testing.T) {
	h, k, r := &homes{}, &keeper{}, newReceiver(t)
	h.set("ada", 950, quota.Clean)
	h.set("bob", 950, quota.Clean)
	start(t, h, k, io.Discard, warning.Settings{Webhook: r.URL})
	r.next(t)
	r.next(t)
	h.mu.Lock()
	h.report.Hubs[0].Homes = h.report.Hubs[0].Homes[1:]
	h.mu.Unlock()
	h.set("bob", 960, quota.Counting) // whose figures are not to be had now; but it is there
	wait(t, "what was told of ada is forgotten", func() bool { data, _ := k.LoadWarnings(); return !bytes.Contains(data, []byte("ada")) })
	if data, _ := k.LoadWarnings(); !bytes.Contains(data, []byte("bob")) {
		t.Errorf("what was told of bob is forgotten: %s", data)
	}
	h.set("ada", 900, quota.Clean)
	if n := r.next(t); n.Home != "ada" || n.Mark != 90 {
		t.Errorf("the third is %+v", n)
	}
}

// TestHubGone: what was told of the homes of a hub that is not served now is kept for when it is again.
func TestHubGone(t *testing.T) {
	h, k, r := &homes{}, &keeper{}, newReceiver(t)
	h.set("ada", 950, quota.Clean)
	_, stop := start(t, h, k, io.Discard, warning.Settings{Webhook: r.URL})
	r.next(t)
	stop()
	h.report.Hubs[0].Name = "other"
	_, stop = start(t, h, k, io.Discard, warning.Settings{Webhook: r.URL})
	if n := r.next(t); n.Hub != "other" {
		t.Errorf("the second is %+v", n)
	}
	stop()
	h.report.Hubs[0].Name = "prod"
	h.set("bob", 990, quota.Clean)
	start(t, h, k, io.Discard, warning.Settings{Webhook: r.URL})
	if n := r.next(t); n.Home != "bob" {
		t.Errorf("the third is %+v", n)
	}
}

// TestOneRefused has a receiver that takes no warning of one home, the fullest: the others are told all the same.
func TestOneRefused(t *testing.T) {
	h := &homes{}
	h.set("bad", 999, quota.Clean)
	h.set("worse", 990, quota.Clean)
	h.set("ada", 850, quota.Clean)
	h.set("bob", 850, quota.Clean)
	took := make(chan string, 100)
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var n warning.Warning
		if err := json.NewDecoder(req.Body).Decode(&n); err != nil || n.Home == "bad" || n.Home == "worse" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		took <- n.Home
	}))
	defer r.Close()
	w, _ := start(t, h, &keeper{}, io.Discard, warning.Settings{Webhook: r.URL})
	wait(t, "two are given", func() bool { return w.Counts(warning.WayWebhook).Given.Load() == 2 })
	if a, b := <-took, <-took; a != "ada" || b != "bob" {
		t.Errorf("it was told of %s and %s", a, b)
	}
}

// TestRefusedWaitsAlone: one that is refused is tried again ever more rarely, and the others are told when they are full.
func TestRefusedWaitsAlone(t *testing.T) {
	h, took := &homes{}, make(chan string, 100)
	h.set("bad", 999, quota.Clean)
	var bad atomic.Int64
	refuse := func(status int) string {
		r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			var n warning.Warning
			if err := json.NewDecoder(req.Body).Decode(&n); err == nil && n.Home == "bad" {
				bad.Add(1)
				w.WriteHeader(status)
			}
			took <- n.Home
		}))
		t.Cleanup(r.Close)
		return r.URL
	}
	next := func(home string) {
		t.Helper()
		select {
		case is := <-took:
			if is != home {
				t.Errorf("it was told of %s, and not of %s", is, home)
			}
		case <-time.After(patience):
			t.Fatalf("it was not told of %s", home)
		}
	}
	var log locked
	at := []int{80}
	w := warning.New(warning.Options{
		Report: h.get, Keeper: &keeper{}, Logger: slog.New(slog.NewTextHandler(&log, nil)), Every: every, Pause: time.Hour,
	}, warning.Settings{At: at, Webhook: refuse(http.StatusBadRequest)})
	if err := w.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	next("bad")
	for _, name := range []string{"ada", "bob", "eve"} {
		h.set(name, 850, quota.Clean)
		next(name)
	}
	if n := bad.Load(); n != 1 {
		t.Errorf("what is refused was tried %d times", n)
	}
	wait(t, "it alone waits", func() bool { return w.Counts(warning.WayWebhook).Waiting.Load() == 1 })
	if text := log.String(); strings.Count(text, "could not be given") != 1 || strings.Contains(text, "given again") {
		t.Errorf("the log is %s", text)
	}
	// Another receiver takes it, and is asked at once.
	w.Set(warning.Settings{At: at, Webhook: refuse(http.StatusOK)})
	next("bad")
	wait(t, "the log says so", func() bool { return strings.Contains(log.String(), "given again") })
}

// TestKeptInTime has a receiver that hangs after the first warning: that one is known to be told when a crash comes then.
func TestKeptInTime(t *testing.T) {
	h, k := &homes{}, &keeper{}
	h.set("ada", 990, quota.Clean)
	h.set("bob", 850, quota.Clean)
	second, release := make(chan struct{}), make(chan struct{})
	n := 0
	r := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n++; n == 2 {
			close(second)
			<-release
		}
	}))
	defer r.Close()
	defer close(release)
	start(t, h, k, io.Discard, warning.Settings{Webhook: r.URL})
	select {
	case <-second:
	case <-time.After(patience):
		t.Fatal("the second has not come")
	}
	if data, _ := k.LoadWarnings(); !bytes.Contains(data, []byte("ada")) {
		t.Errorf("kept is %q", data)
	}
}

// TestWaitingHolds: while a receiver is away, what waits does so at every moment, or an alert would begin to wait anew.
func TestWaitingHolds(t *testing.T) {
	h, r := &homes{}, newReceiver(t)
	h.set("ada", 850, quota.Clean)
	r.status.Store(http.StatusServiceUnavailable)
	looking := make(chan struct{})
	w := warning.New(warning.Options{
		Report: func() quota.Report {
			looking <- struct{}{}
			<-looking
			return h.get()
		},
		Keeper: &keeper{}, Logger: slog.New(slog.DiscardHandler), Every: every, Pause: every,
	}, warning.Settings{At: []int{80}, Webhook: r.URL})
	if err := w.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for range 2 {
		<-looking
		if n := w.Counts(warning.WayWebhook).Waiting.Load(); n != 1 && r.tries.Load() > 0 {
			t.Errorf("%d wait, while it is looked who does", n)
		}
		looking <- struct{}{}
	}
	cancel()
	for {
		select {
		case <-looking:
			looking <- struct{}{}
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			return
		}
	}
}

// TestPipe has a pipe that nobody reads from: it is tried again, and the server can be stopped.
func TestPipe(t *testing.T) {
	h := &homes{}
	h.set("ada", 850, quota.Clean)
	dir := t.TempDir()
	pipe, other := filepath.Join(dir, "pipe"), filepath.Join(dir, "other")
	for _, path := range []string{pipe, other} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, stop := start(t, h, &keeper{}, io.Discard, warning.Settings{File: pipe, WebhookFile: other})
	wait(t, "both ways were tried twice", func() bool {
		return w.Counts(warning.WayFile).Failed.Load() > 1 && w.Counts(warning.WayWebhook).Failed.Load() > 1
	})
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	wait(t, "it is told", func() bool { return w.Counts(warning.WayFile).Given.Load() == 1 })
	stop()
}

// TestFullDisk has a disk on which half a line fits: nothing of it stays, and it is told whole when there is room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	file, filler := filepath.Join(dir, "warnings.jsonl"), filepath.Join(dir, "filler")
	before := strings.Repeat("x", 4039) + "\n" // of a page of 4096
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filler, make([]byte, 128<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	h := &homes{}
	h.set("ada", 850, quota.Clean)
	w, stop := start(t, h, &keeper{}, io.Discard, warning.Settings{File: file})
	wait(t, "it was tried twice", func() bool { return w.Counts(warning.WayFile).Failed.Load() > 1 })
	stop()
	if data, err := os.ReadFile(file); err != nil || string(data) != before {
		t.Errorf("the file has %d bytes, and had %d: %v", len(data), len(before), err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	w, stop = start(t, h, &keeper{}, io.Discard, warning.Settings{File: file})
	wait(t, "it is told", func() bool { return w.Counts(warning.WayFile).Given.Load() == 1 })
	stop()
	data, err := os.ReadFile(file)
	var n warning.Warning
	if after, whole := strings.CutPrefix(string(data), before); err != nil || !whole || json.Unmarshal([]byte(after), &n) != nil || n.Home != "ada" {
		t.Errorf("the file has\n%s", data)
	}
}

// TestTornLine has a file with half a line in it, of a crash: the next is a line of its own.
func TestTornLine(t *testing.T) {
	h := &homes{}
	h.set("ada", 850, quota.Clean)
	file := filepath.Join(t.TempDir(), "warnings.jsonl")
	if err := os.WriteFile(file, []byte(`{"time":"20`), 0o600); err != nil {
		t.Fatal(err)
	}
	w, stop := start(t, h, &keeper{}, io.Discard, warning.Settings{File: file})
	wait(t, "it is told", func() bool { return w.Counts(warning.WayFile).Given.Load() == 1 })
	stop()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	var n warning.Warning
	if len(lines) != 3 || json.Unmarshal([]byte(lines[1]), &n) != nil || n.Home != "ada" {
		t.Errorf("the file has\n%s", data)
	}
}

// TestSettings has the marks changed while the watch runs, and taken away.
func TestSettings(t *testing.T) {
	h, r := &homes{}, newReceiver(t)
	h.set("ada", 500, quota.Clean)
	w, stop := start(t, h, &keeper{}, io.Discard, warning.Settings{Webhook: r.URL})
	w.Set(warning.Settings{Webhook: r.URL, At: []int{50}})
	if n := r.next(t); n.Mark != 50 {
		t.Errorf("the warning is %+v", n)
	}
	w.Set(warning.Settings{Webhook: r.URL})
	h.set("bob", 2000, quota.Clean)
	stop()
	if len(r.got) > 0 {
		t.Error("somebody was told who need not be")
	}
}

// TestKeeperFails has a disk that keeps nothing: people are told all the same, once.
func TestKeeperFails(t *testing.T) {
	h, r, log := &homes{}, newReceiver(t), &locked{}
	h.set("ada", 850, quota.Clean)
	_, stop := start(t, h, &keeper{err: errors.New("no space left")}, log, warning.Settings{Webhook: r.URL})
	r.next(t)
	wait(t, "the log says that it is not kept", func() bool { return strings.Contains(log.String(), "no space left") })
	h.set("bob", 850, quota.Clean)
	if n := r.next(t); n.Home != "bob" {
		t.Errorf("the second is %+v", n)
	}
	stop()
	damaged := warning.New(warning.Options{Keeper: &keeper{data: []byte("{")}}, warning.Settings{})
	if err := damaged.Open(); err == nil {
		t.Error("what is damaged was read")
	}
}
