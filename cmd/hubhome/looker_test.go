// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/usage/usagetest"
)

// looking returns one that looks through what an address serves, and has not begun.
func looking(t *testing.T, server string) *looker {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hubhome.yaml")
	text := fmt.Sprintf("store: {nfs: {server: '%s', stateDir: ./state}}\nmetrics: {listen: 127.0.0.1:0}\n", server)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	l, err := openLooker(slog.New(slog.DiscardHandler), new(slog.LevelVar), file, c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// until waits for a scan to be somewhere.
func (l *looker) until(t *testing.T, what string, there func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no scan %s: %+v", what, l.survey.Status())
		}
	}
}

// TestLookerMetrics compares what is told of homes on somebody else's server with what docs/metrics.md lists, and with du.
func TestLookerMetrics(t *testing.T) {
	_, base, s := scannedStore(t, func(hub string) { manyHomes(t, hub, 3, 20) })
	want := usagetest.Measure(t, base, "prod")
	l := looking(t, s.addr)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.run(ctx, nil) }()
	defer func() {
		cancel()
		if err := await(t, ended); err != nil {
			t.Error(err)
		}
	}()
	l.until(t, "came to its end", func() bool { st := l.survey.Status(); return st.Took > 0 && !st.SpaceAsOf.IsZero() })
	res, err := http.Get("http://" + l.operator.page.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	page := string(body)
	for path, tally := range want {
		series := []string{fmt.Sprintf("hubhome_hub_used_bytes{hub=%q}", path)}
		if hub, home, in := strings.Cut(path, "/"); in {
			series = []string{
				fmt.Sprintf("hubhome_home_used_bytes{home=%q,hub=%q}", home, hub),
				fmt.Sprintf("dirsize_total_size_bytes{directory=%q,hub=%q}", home, hub),
			}
		}
		for _, name := range series {
			m := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(name) + " (.*)$").FindStringSubmatch(page)
			if m == nil {
				t.Errorf("it does not tell %s", name)
			} else if n, err := strconv.ParseFloat(m[1], 64); err != nil || n != float64(tally.Used) {
				t.Errorf("it tells %s, and %s takes %d", m[0], path, tally.Used)
			}
		}
	}
	told, remote := toldMetrics(page), listedMetrics(t, true)
	listed := append(listedMetrics(t, false), remote...)
	for _, name := range told {
		if !slices.Contains(listed, name) {
			t.Errorf("docs/metrics.md does not list %s", name)
		}
		for _, never := range []string{"quota", "reserve", "nfs", "recount", "sync", "warnings"} {
			if strings.Contains(name, "_"+never+"_") || strings.HasPrefix(name, never) {
				t.Errorf("it tells %s, of which nothing is known", name)
			}
		}
	}
	for _, name := range remote {
		if !slices.Contains(told, name) {
			t.Errorf("docs/metrics.md lists %s, which is not told", name)
		}
	}
}

// TestLookerStops tells it to stop while the server has gone silent after any number of bytes.
func TestLookerStops(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for silent servers")
	}
	_, _, s := scannedStore(t, func(hub string) { manyHomes(t, hub, 5, 5) })
	for after := int64(0); after < 10_000; after += 1500 {
		l := looking(t, silencer(t, s.addr, after)) // one after the other: a socket is made with another umask
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			stop, ended := make(chan os.Signal, 1), make(chan error, 1)
			go func() {
				ended <- supervise(l.log, stop, stopTime, func(ctx context.Context) error { return l.run(ctx, nil) })
			}()
			l.until(t, "began", func() bool { st := l.survey.Status(); return !st.Began.IsZero() || st.Took > 0 })
			stop <- syscall.SIGTERM
			if err := await(t, ended); err != nil {
				t.Errorf("it does not stop: %v", err)
			}
		})
	}
}
