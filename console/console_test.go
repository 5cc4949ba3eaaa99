// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// patience is how long a test waits for anything. It is there for what hangs.
const patience = 20 * time.Second

// homes is a ledger over a tree in memory, and what was set at run time.
type homes struct {
	testing.TB
	*quota.Ledger
	tree *vfstest.Memory

	mu      sync.Mutex
	set     [][]console.Override
	inForce []console.Override // what Overrides returns
	err     error
	// after is how many homes are checked before err.
	after int
}

// Mark, Find and Now make homes its own keeper: nothing outlives a test.
func (h *homes) Mark(vfs.HomeID) (uint64, error) { return 0, nil }
func (h *homes) Find(context.Context) error      { return nil }
func (h *homes) Now() time.Time                  { return time.Now() }

func (h *homes) FS() vfs.FS { return h.tree }

func (h *homes) Check(ctx context.Context, repair bool, tell func(console.Checked) error) error {
	for i := range 3 {
		if h.err != nil && i == h.after {
			return h.err
		}
		u := quota.Usage{Bytes: int64(i), Inodes: 1}
		if err := tell(console.Checked{Hub: "prod", Home: fmt.Sprint("caf\xe9", i), Ledger: u, Disk: u, Believed: repair}); err != nil {
			return err
		}
	}
	return nil
}

func (h *homes) SetQuotas(set []console.Override) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	h.set = append(h.set, set)
	for _, o := range set {
		h.SetOverride(o.Hub, o.Home, o.Quota)
	}
	return nil
}

func (h *homes) Overrides() []console.Override { return h.inForce }

// newHomes has the hub prod with a quota of 1 GiB a home and the homes named, and the empty hub staging.
func newHomes(t testing.TB, names ...string) *homes {
	h := &homes{TB: t, tree: vfstest.NewMemory("prod", "staging")}
	h.Ledger = quota.New(h.tree, h)
	root, err := h.tree.Root(t.Context())
	h.must(err)
	var hubs []quota.Hub
	for _, name := range []string{"prod", "staging"} {
		e, err := h.tree.Lookup(t.Context(), nil, root, name)
		h.must(err)
		hub := quota.Hub{Home: quota.Home{ID: vfs.HomeID(e.Attr.FileID), Name: name}}
		if name == "prod" {
			hub.Quotas.Home.Bytes = hubhome.GiB
			for i, home := range names {
				id := vfs.HomeID(1<<20 + i)
				if len(names) < 100 {
					made, _, err := h.tree.Mkdir(t.Context(), nil, e.Handle, home, vfs.SetAttr{})
					h.must(err)
					id = vfs.HomeID(made.Attr.FileID)
				}
				hub.Homes = append(hub.Homes, quota.Home{ID: id, Name: home})
			}
		}
		hubs = append(hubs, hub)
	}
	h.SetHubs(hubs)
	return h
}

func (h *homes) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// dir returns a directory below prod, made where it is not there.
func (h *homes) dir(path string) vfs.Handle {
	h.Helper()
	at, err := h.tree.Root(h.Context())
	h.must(err)
	for name := range strings.SplitSeq("prod/"+path, "/") {
		e, err := h.tree.Lookup(h.Context(), nil, at, name)
		if err != nil {
			e, _, err = h.tree.Mkdir(h.Context(), nil, at, name, vfs.SetAttr{})
		}
		h.must(err)
		at = e.Handle
	}
	return at
}

// file makes a file below prod of a size.
func (h *homes) file(path string, size int) vfs.Handle {
	h.Helper()
	dir, name := filepath.Split(path)
	f, e, _, _, err := h.tree.Create(h.Context(), nil, h.dir(strings.TrimSuffix(dir, "/")), name, vfs.Create{}, vfs.Write)
	h.must(err)
	defer f.Close()
	_, _, _, err = f.WriteAt(h.Context(), make([]byte, size), 0, vfs.FileSync)
	h.must(err)
	return e.Handle
}

// serve serves them on a socket, and returns a client and the socket.
func serve(t testing.TB, h console.Homes) (*console.Client, string) {
	dir, err := os.MkdirTemp("", "console") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "admin.sock")
	l, err := console.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- console.NewServer(h, slog.New(slog.DiscardHandler)).Serve(ctx, l) }()
	c := console.NewClient(socket)
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it left its socket behind: %v", err)
		}
	})
	return c, socket
}

// TestNames has homes whose names are not UTF-8, or look like something else in a URL or a line.
func TestNames(t *testing.T) {
	names := []string{"caf\xe9", "a b%2Fc?d#e", "..x", "ünïcode", "new\nline", `"quoted"`}
	h := newHomes(t, names...)
	c, _ := serve(t, h)
	list, err := c.Homes(t.Context(), "prod")
	h.must(err)
	found := map[string]bool{}
	for _, home := range list {
		found[home.Name.String()] = true
	}
	for _, name := range names {
		if !found[name] {
			t.Errorf("%q is not listed", name)
		}
		one, err := c.Home(t.Context(), "prod", name)
		if err != nil || one.Name.String() != name {
			t.Errorf("%q: %q, %v", name, one.Name.String(), err)
		}
		_, err = c.SetQuotas(t.Context(), console.QuotaRequest{Changes: []console.QuotaChange{{Hub: "prod", Name: console.NewName(name), Bytes: "2GiB"}}})
		if err != nil {
			t.Errorf("set the quota of %q: %v", name, err)
		}
		if q, _, _ := h.Home("prod", name); q.Quota.Bytes != 2*hubhome.GiB {
			t.Errorf("the quota of %q is %v", name, q.Quota.Bytes)
		}
	}
}

// TestQuotas sets quotas in every way that there is, and in none where one of many is wrong.
func TestQuotas(t *testing.T) {
	h := newHomes(t, "ada", "bob")
	c, _ := serve(t, h)
	quotaOf := func(home string) string {
		q, _, err := h.Home("prod", home)
		h.must(err)
		return hubhome.FormatQuotaBytes(q.Quota.Bytes) + " " + hubhome.FormatQuotaInodes(q.Quota.Inodes)
	}
	change := func(home, size, inodes string) console.QuotaChange {
		return console.QuotaChange{Hub: "prod", Name: console.NewName(home), Bytes: size, Inodes: inodes}
	}
	for _, step := range []struct{ size, inodes, want string }{
		{"2GiB", "", "2GiB unlimited"},
		{"", "7", "2GiB 7"},
		{"unlimited", "", "unlimited 7"},
		{"default", "", "1GiB 7"},
		{"3GiB", "default", "3GiB unlimited"},
		{"default", "default", "1GiB unlimited"},
	} {
		if _, err := c.SetQuotas(t.Context(), console.QuotaRequest{DryRun: true, Changes: []console.QuotaChange{change("ada", "9TiB", "9")}}); err != nil {
			t.Error(err)
		}
		before := quotaOf("ada")
		result, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: []console.QuotaChange{change("ada", step.size, step.inodes)}})
		h.must(err)
		if got := quotaOf("ada"); got != step.want || before == got || len(result.Changes) != 1 {
			t.Errorf("%q and %q make it %s, want %s: %+v", step.size, step.inodes, got, step.want, result)
		}
	}
	sets := len(h.set)
	for name, changes := range map[string][]console.QuotaChange{
		"no home":       {change("bob", "2GiB", ""), change("eve", "2GiB", "")},
		"no hub":        {change("bob", "2GiB", ""), {Hub: "dev", Name: console.NewName("ada"), Bytes: "2GiB"}},
		"no size":       {change("bob", "2GiB", ""), change("ada", "2", "")},
		"no inodes":     {change("bob", "2GiB", ""), change("ada", "", "-1")},
		"nothing":       {change("bob", "2GiB", ""), change("ada", "", "")},
		"twice":         {change("bob", "2GiB", ""), change("bob", "3GiB", "")},
		"no name":       {change("bob", "2GiB", ""), change("", "3GiB", "")},
		"the hub's own": {change("bob", "2GiB", ""), {Hub: "prod", Bytes: "3GiB"}},
	} {
		_, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: changes})
		problems, ok := errors.AsType[console.Problems](err)
		if !ok || len(problems) != 1 || problems[0].Index == nil || *problems[0].Index != 1 {
			t.Errorf("%s: %#v", name, err)
		}
	}
	if len(h.set) != sets || quotaOf("bob") != "1GiB unlimited" {
		t.Errorf("something was set: bob has %s", quotaOf("bob"))
	}
	result, err := c.SetQuotas(t.Context(), console.QuotaRequest{AllowMissing: true, Changes: []console.QuotaChange{change("eve", "2GiB", "")}})
	if err != nil || !result.Changes[0].Missing || quotaOf("eve") != "2GiB unlimited" {
		t.Errorf("of a home that is not there: %+v, %v, %s", result, err, quotaOf("eve"))
	}
	h.err = errors.New("the disk is full")
	if _, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: []console.QuotaChange{change("bob", "2GiB", "")}}); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("what was not kept is told as %v", err)
	}
}

// TestListQuotas lists what was set at run time: of homes with names of any bytes, of one that is not there, and in a hub that is
// not served.
func TestListQuotas(t *testing.T) {
	h := newHomes(t, "ada", "caf\xe9")
	h.inForce = []console.Override{
		{Hub: "old", Home: "ada", Quota: hubhome.Quota{Bytes: 5}},
		{Hub: "prod", Home: "caf\xe9", Quota: hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: 7}},
		{Hub: "prod", Home: "gone", Quota: hubhome.Quota{Inodes: hubhome.UnlimitedInodes}},
	}
	c, _ := serve(t, h)
	list := func(hub hubhome.HubName) string {
		t.Helper()
		quotas, err := c.Quotas(t.Context(), hub)
		h.must(err)
		var all []string
		number := func(n *int64) any {
			if n == nil {
				return "-"
			}
			return *n
		}
		for _, q := range quotas {
			all = append(all, fmt.Sprintf("%s/%q %v %v %v", q.Hub, q.Name.String(), number(q.Override.Bytes), number(q.Override.Inodes), q.Missing))
		}
		return strings.Join(all, "; ")
	}
	const old, prod = `old/"ada" 5 - true`, `prod/"caf\xe9" -1 7 false; prod/"gone" - -1 true`
	for hub, want := range map[hubhome.HubName]string{"": old + "; " + prod, "old": old, "prod": prod, "staging": ""} {
		if got := list(hub); got != want {
			t.Errorf("of hub %q: %s, want %s", hub, got, want)
		}
	}
	if _, err := c.Quotas(t.Context(), "dev"); err == nil || !strings.Contains(err.Error(), `no hub "dev" is served`) {
		t.Errorf("of a hub that nobody knows: %v", err)
	}
}

// TestImpossibleNames has names that no directory can have: a trial says no to them as the change itself does.
func TestImpossibleNames(t *testing.T) {
	h := newHomes(t, "ada")
	c, _ := serve(t, h)
	for _, name := range []string{".", "..", "a\x00b", strings.Repeat("x", 256)} {
		for _, trial := range []bool{true, false} {
			_, err := c.SetQuotas(t.Context(), console.QuotaRequest{DryRun: trial, AllowMissing: true, Changes: []console.QuotaChange{
				{Hub: "prod", Name: console.NewName(name), Bytes: "2GiB"},
			}})
			if problems, ok := errors.AsType[console.Problems](err); !ok || problems[0].Index == nil {
				t.Errorf("%.10q, dry run %v: %v", name, trial, err)
			}
		}
	}
	if len(h.set) > 0 {
		t.Errorf("%v was set", h.set)
	}
}

// counted are homes of which it is counted how often all of them are asked for.
type counted struct {
	*homes
	reports atomic.Int32
}

func (c *counted) Report() quota.Report {
	c.reports.Add(1)
	return c.homes.Report()
}

// TestManyWrong has twenty thousand lines with a misspelt hub: the first of them are told, and the server does not go
// through all homes for each of the rest.
func TestManyWrong(t *testing.T) {
	h := &counted{homes: newHomes(t, many(100)...)}
	c, _ := serve(t, h)
	var changes []console.QuotaChange
	for _, name := range many(20_000) {
		changes = append(changes, console.QuotaChange{Hub: "prdo", Name: console.NewName(name), Bytes: "2GiB"})
	}
	_, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: changes})
	if problems, ok := errors.AsType[console.Problems](err); !ok || len(problems) != 101 || !strings.Contains(err.Error(), `no hub "prdo"`) {
		t.Errorf("it is told %.100v", err)
	} else if last := problems[100]; last.Index != nil || !strings.Contains(last.Message, "perhaps more") {
		t.Errorf("it is told at last %v", last)
	}
	if n := h.reports.Load(); n > 100 {
		t.Errorf("all homes were asked for %d times", n)
	}
}

// TestTooMany has more than a server takes at once: no server is asked, and it is said what to do.
func TestTooMany(t *testing.T) {
	c := console.NewClient(filepath.Join(t.TempDir(), "nobody"))
	changes := make([]console.QuotaChange, 250_000)
	long := strings.Repeat("x", 255)
	for i := range changes {
		changes[i] = console.QuotaChange{Hub: "prod", Name: console.NewName(long), Bytes: "2GiB"}
	}
	if _, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: changes}); err == nil || !strings.Contains(err.Error(), "make it several") {
		t.Errorf("it is told %v", err)
	}
}

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

// TestStrict sends what nobody should send.
func TestStrict(t *testing.T) {
	_, socket := serve(t, newHomes(t, "ada"))
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/v1/homes?hub=dev", "", 404, `no hub \"dev\" is served`},
		{"GET", "/v1/homes?hubs=prod", "", 400, `the parameter \"hubs\" is not known`},
		{"GET", "/v1/homes?hub=prod&hub=dev", "", 400, "twice"},
		{"GET", "/v1/hubs/prod/homes/ada/largest?n=0", "", 400, "a number from 1 to 1000"},
		{"GET", "/v1/hubs/prod/homes/ada?largest=1", "", 400, `the parameter \"largest\" is not known`},
		{"GET", "/v1/hubs/prod/homes/bob/largest?n=1", "", 404, `there is no home \"bob\"`},
		{"GET", "/v1/hubs/prod/homes/bob", "", 404, `there is no home \"bob\"`},
		{"GET", "/v2/homes", "", 404, "there is no GET /v2/homes here: this is perhaps a server of another version"},
		{"POST", "/v1/homes", "", 404, "there is no POST /v1/homes here"},
		{"POST", "/v1/quotas", "", 400, "not what it should be"},
		{"POST", "/v1/quotas", `{"changes": [], "force": true}`, 400, `unknown field \"force\"; this is perhaps a server of another version`},
		{"POST", "/v1/quotas", `{"changes": []} {}`, 400, "there is more behind it"},
		{"POST", "/v1/quotas", `{"changes": [{"hub": "prod", "name": "ada", "bytes": 5}]}`, 400, "not what it should be"},
		{"POST", "/v1/quotas", `{"changes": [` + strings.Repeat(" ", 65<<20) + `]}`, 413, "longer than"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, "http://x"+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", test.method, test.path, err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != test.status || !bytes.Contains(body, []byte(test.says)) {
			t.Errorf("%s %s: %d %s, want %d and %s", test.method, test.path, res.StatusCode, body, test.status, test.says)
		}
	}
}

// TestCheck has a check that ends well, one that fails in the middle, one that does not begin.
func TestCheck(t *testing.T) {
	h := newHomes(t)
	c, _ := serve(t, h)
	check := func() (names []string, err error) {
		err = c.Check(t.Context(), true, func(c console.Checked) {
			if c.Hub != "prod" || c.Ledger != c.Disk || !c.Believed {
				t.Errorf("it was told %+v", c)
			}
			names = append(names, c.Home)
		})
		return names, err
	}
	if names, err := check(); err != nil || len(names) != 3 || names[2] != "caf\xe92" {
		t.Errorf("it was told of %q, %v", names, err)
	}
	h.err, h.after = errors.New("the disk is broken"), 2
	if names, err := check(); err == nil || len(names) != 2 || !strings.Contains(err.Error(), "the disk is broken") {
		t.Errorf("a check that failed has %q, %v", names, err)
	}
	h.err, h.after = fmt.Errorf("another is running: %w", syscall.EBUSY), 0
	if names, err := check(); err == nil || len(names) != 0 || err.Error() != h.err.Error() {
		t.Errorf("a check that was refused has %q, %v", names, err)
	}
}

// counting is a ledger whose check takes until it is released, or its request ends.
type counting struct {
	*homes
	entered, release chan struct{}
}

func (c *counting) Check(ctx context.Context, repair bool, tell func(console.Checked) error) error {
	c.entered <- struct{}{}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.release:
	}
	return c.homes.Check(ctx, repair, tell)
}

// TestCheckTakesLong has a home that takes long to be counted: who waits goes on as long as the server does, and no longer.
func TestCheckTakesLong(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for 2 s")
	}
	h := &counting{newHomes(t), make(chan struct{}, 1), make(chan struct{})}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := console.Listen(socket)
	h.must(err)
	server := console.NewServer(h, slog.New(slog.DiscardHandler))
	const silence = time.Second
	server.SetBeat(silence / 50)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	defer func() {
		cancel()
		h.must(<-ended)
	}()
	c := console.NewClient(socket)
	defer c.Close()
	c.SetSilence(silence)
	n := 0
	checked := make(chan error, 1)
	go func() { checked <- c.Check(t.Context(), false, func(console.Checked) { n++ }) }()
	<-h.entered
	select {
	case err := <-checked:
		t.Errorf("it was not waited for: %v", err)
	case <-time.After(silence + silence/5):
		close(h.release)
		if err := <-checked; err != nil || n != 3 {
			t.Errorf("%d were told of, %v", n, err)
		}
	}

	silent := filepath.Join(t.TempDir(), "s")
	other, err := net.Listen("unix", silent)
	h.must(err)
	defer other.Close()
	c = console.NewClient(silent)
	c.SetSilence(silence)
	hung, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if err := c.Check(hung, false, func(console.Checked) {}); err == nil || !strings.Contains(err.Error(), "has said nothing for 1s") {
		t.Errorf("a server that hangs: %v", err)
	}
}

// blocked are homes of whom nothing is known before they are released.
type blocked struct {
	*homes
	entered, release chan struct{}
}

func (b *blocked) Report() quota.Report {
	b.entered <- struct{}{}
	<-b.release
	return b.homes.Report()
}

// TestBusy has more requests than may run: who is too many is told so at once, and the others are answered.
func TestBusy(t *testing.T) {
	b := &blocked{newHomes(t), make(chan struct{}), make(chan struct{})}
	c, _ := serve(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const most = 16
	answers := make(chan error, most)
	for range most {
		go func() {
			_, err := c.Hubs(ctx)
			answers <- err
		}()
	}
	for range most {
		<-b.entered
	}
	if _, err := c.Hubs(ctx); err == nil || !strings.Contains(err.Error(), "try again") {
		t.Errorf("one too many is told %v", err)
	}
	close(b.release)
	for range most {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

// slow is a ledger whose check does not end when it is told to.
type slow struct {
	*homes
	entered, told, release chan struct{}
}

func (s *slow) Check(ctx context.Context, _ bool, _ func(console.Checked) error) error {
	close(s.entered)
	<-ctx.Done()
	close(s.told)
	<-s.release
	return ctx.Err()
}

// TestServeWaits has a request that goes on after the server has been stopped: Serve waits for it, since what it uses is
// closed then.
func TestServeWaits(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for requests that run, 2 s")
	}
	h := &slow{newHomes(t), make(chan struct{}), make(chan struct{}), make(chan struct{})}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := console.Listen(socket)
	h.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- console.NewServer(h, slog.New(slog.DiscardHandler)).Serve(ctx, l) }()
	go func() {
		answered <- console.NewClient(socket).Check(t.Context(), false, func(console.Checked) {})
	}()
	<-h.entered
	cancel()
	<-h.told
	select {
	case err := <-ended:
		t.Fatalf("the server ended while a request ran: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	close(h.release)
	h.must(<-ended)
	if err := <-answered; err == nil {
		t.Error("what was ended in the middle was a success")
	}
}

// broken are homes that nobody can be told of.
type broken struct{ *homes }

func (b *broken) Report() quota.Report { panic("a bug") }

func (b *broken) Check(context.Context, bool, func(console.Checked) error) error { panic("a bug") }

// TestPanic has a bug met by more requests than may run at a time: each is logged for the operator, none is answered, and the
// next is served.
func TestPanic(t *testing.T) {
	h, log := &broken{newHomes(t, "ada")}, new(bytes.Buffer)
	socket := filepath.Join(t.TempDir(), "s")
	l, err := console.Listen(socket)
	h.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	server := console.NewServer(h, slog.New(slog.NewTextHandler(log, nil)))
	server.SetBeat(time.Millisecond) // which writes to nobody afterwards
	go func() { ended <- server.Serve(ctx, l) }()
	c := console.NewClient(socket)
	defer c.Close()
	for range 20 {
		if _, err := c.Hubs(t.Context()); err == nil {
			t.Error("it was answered")
		}
		if err := c.Check(t.Context(), false, func(console.Checked) {}); err == nil {
			t.Error("a check was answered")
		}
	}
	if _, err := c.Home(t.Context(), "prod", "ada"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	cancel()
	h.must(<-ended)
	if text := log.String(); strings.Count(text, "level=ERROR") != 40 || !strings.Contains(text, `panic="a bug"`) || !strings.Contains(text, "console_test.go") {
		t.Errorf("the log has\n%s", text)
	}
}

// TestLongRequests has many large tables of quotas come at once: one after the other is read, and all are applied.
func TestLongRequests(t *testing.T) {
	h := newHomes(t, many(99)...)
	c, socket := serve(t, h)
	// This one is read by half.
	conn, err := net.Dial("unix", socket)
	h.must(err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/quotas HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", 3<<20, strings.Repeat(" ", 2<<20))
	long := console.QuotaRequest{AllowMissing: true}
	for i := range 5000 {
		name := console.NewName(strings.Repeat("x", 250) + fmt.Sprintf("%05d", i))
		long.Changes = append(long.Changes, console.QuotaChange{Hub: "prod", Name: name, Bytes: "2GiB"})
	}
	set := make(chan error, 4)
	for range cap(set) {
		go func() {
			_, err := c.SetQuotas(t.Context(), long)
			set <- err
		}()
	}
	// What is short passes by.
	for _, name := range many(20) {
		_, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: []console.QuotaChange{{Hub: "prod", Name: console.NewName(name), Bytes: "3GiB"}}})
		h.must(err)
	}
	if len(set) > 0 {
		t.Error("two long requests were read at once")
	}
	conn.Close()
	for range cap(set) {
		h.must(<-set)
	}
}

// TestSocket has everything at the socket's path that can be there.
func TestSocket(t *testing.T) {
	_, socket := serve(t, newHomes(t))
	info, err := os.Lstat(socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", info.Mode(), err)
	}
	if _, err := console.Listen(socket); err == nil || !strings.Contains(err.Error(), "another server answers there") {
		t.Errorf("a second server: %v", err)
	}
	dir := filepath.Dir(socket)
	left := filepath.Join(dir, "left")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: left, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	again, err := console.Listen(left)
	if err != nil {
		t.Fatalf("one that was left behind: %v", err)
	}
	again.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("a thesis"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := console.Listen(file); err == nil || !strings.Contains(err.Error(), "something else than a socket") {
		t.Errorf("a file: %v", err)
	}
	if data, _ := os.ReadFile(file); string(data) != "a thesis" {
		t.Error("the file is gone")
	}
	if _, err := console.Listen(filepath.Join(dir, strings.Repeat("x", 200))); err == nil || !strings.Contains(err.Error(), "admin.socket") {
		t.Errorf("a long path: %v", err)
	}
	c := console.NewClient(filepath.Join(dir, "none"))
	if _, err := c.Hubs(t.Context()); err == nil || !strings.Contains(err.Error(), "is it running") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestSocketMode makes sockets while others make files: the sockets are for the server's user alone from the moment on at which
// they have a name, whatever the umask, and the files have the mode that they were to have.
func TestSocketMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	var done atomic.Bool
	var others sync.WaitGroup
	others.Go(func() {
		for i := 0; !done.Load(); i++ {
			file := filepath.Join(dir, fmt.Sprint("file", i%100))
			if err := os.WriteFile(file, nil, 0o666); err != nil {
				t.Error(err)
				return
			}
			if info, err := os.Lstat(file); err != nil || info.Mode().Perm() != 0o666 {
				t.Errorf("a file is %v, %v", info.Mode(), err)
				return
			}
			os.Remove(file)
		}
	})
	others.Go(func() {
		for !done.Load() {
			if info, err := os.Lstat(filepath.Join(dir, "s")); err == nil && info.Mode().Perm() != 0o600 {
				t.Errorf("the socket is %v", info.Mode())
				return
			}
		}
	})
	for range 2000 {
		l, err := console.Listen(filepath.Join(dir, "s"))
		if err != nil {
			t.Error(err)
			break
		}
		l.Close()
	}
	done.Store(true)
	others.Wait()
}

// TestClientDeadline has a server that takes a connection and says nothing, and one that is something else.
func TestClientDeadline(t *testing.T) {
	dir := t.TempDir()
	silent := filepath.Join(dir, "s")
	l, err := net.Listen("unix", silent)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := console.NewClient(silent).Hubs(ctx); err == nil || !strings.Contains(err.Error(), "has not answered in time") {
		t.Errorf("a silent server: %v", err)
	}
	other := filepath.Join(dir, "o")
	l, err = net.Listen("unix", other)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.NotFoundHandler()}
	go s.Serve(l)
	defer s.Close()
	if _, err := console.NewClient(other).Hubs(t.Context()); err == nil || !strings.Contains(err.Error(), "is it hubhome?") {
		t.Errorf("something else: %v", err)
	}
}

// many are so many names of homes.
func many(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("student-%05d---%08x", i, i*2654435761)
	}
	return names
}

// TestManyHomes lists 100,000 homes, and sets a quota for each of as many as one request takes.
func TestManyHomes(t *testing.T) {
	const n = 100_000
	names := many(n)
	h := newHomes(t, names...)
	c, _ := serve(t, h)
	list, err := c.Homes(t.Context(), "")
	if err != nil || len(list) != n {
		t.Fatalf("%d of %d homes are listed: %v", len(list), n, err)
	}
	for i := range list {
		if list[i].Name.String() != names[i] {
			t.Fatalf("home %d is %q, not %q", i, list[i].Name.String(), names[i])
		}
	}
	var changes []console.QuotaChange
	for _, name := range names {
		changes = append(changes, console.QuotaChange{Hub: "prod", Name: console.NewName(name), Bytes: "2GiB"})
	}
	_, err = c.SetQuotas(t.Context(), console.QuotaRequest{Changes: changes})
	h.must(err)
	if q, _, _ := h.Home("prod", names[n-1]); q.Quota.Bytes != 2*hubhome.GiB {
		t.Errorf("the quota of the last home is %v", q.Quota.Bytes)
	}
}

func BenchmarkList20000(b *testing.B) {
	c, _ := serve(b, newHomes(b, many(20000)...))
	for b.Loop() {
		homes, err := c.Homes(b.Context(), "")
		if err != nil || len(homes) != 20000 {
			b.Fatal(len(homes), err)
		}
	}
}

func BenchmarkSetQuota(b *testing.B) {
	c, _ := serve(b, newHomes(b, many(20000)...))
	size := 1
	for b.Loop() {
		size++
		_, err := c.SetQuotas(b.Context(), console.QuotaRequest{Changes: []console.QuotaChange{
			{Hub: "prod", Name: console.NewName(many(1)[0]), Bytes: fmt.Sprint(size, "GiB")},
		}})
		if err != nil {
			b.Fatal(err)
		}
	}
}
