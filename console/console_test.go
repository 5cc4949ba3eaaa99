// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
)

// patience is how long a test waits for anything. It is there for what hangs.
const patience = 20 * time.Second

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
