// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/test/prometheus"
	"github.com/hubhome/hubhome/vfs"
)

// watched is a server of this process with metrics, and a home in it that can take no more than small files.
type watched struct {
	*testing.T
	// page is the address of the metrics, addr that of NFS.
	dir, page, addr string
	fs              *nfsclient.FS
	hub             vfs.Handle
}

func startWatched(t *testing.T) *watched {
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
	w := &watched{T: t, dir: t.TempDir()}
	file := filepath.Join(w.dir, "hubhome.yaml")
	const text = `store: {disk: {path: ./data}}
nfs: {listen: 127.0.0.1:0}
metrics: {listen: 127.0.0.1:0}
warnings: {file: ./warnings.jsonl}
quota: {reserve: {fileBytes: 1MiB}}
hubs:
  prod: {quota: {home: {bytes: 1MiB, inodes: 1000}, total: {bytes: 1GiB, inodes: 1000000}}}
  staging: {}
`
	w.must(os.Mkdir(filepath.Join(w.dir, "data"), 0o755))
	w.must(os.WriteFile(file, []byte(text), 0o644))
	c, err := config.Load(file)
	w.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := openServer(ctx, slog.New(slog.DiscardHandler), new(slog.LevelVar), file, c)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.run(ctx, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, srv.close()); err != nil {
			t.Error(err)
		}
	})
	w.page = srv.operator.page.Addr().String()
	w.addr = srv.listener.Addr().String()
	w.fs, err = nfsclient.Dial(t.Context(), nfsclient.Config{Addr: w.addr, Export: "/homes/prod", Timeout: patience})
	w.must(err)
	t.Cleanup(func() { w.fs.Close() })
	w.hub, err = w.fs.Root(t.Context())
	w.must(err)
	for _, home := range []string{"ada", "bob"} {
		_, _, err := w.fs.Mkdir(t.Context(), nil, w.hub, home, vfs.SetAttr{})
		w.must(err)
	}
	w.must(w.write("ada", "large", 1040000)) // all but what its directory takes
	if err := w.write("ada", "more", 2<<20); !errors.Is(err, syscall.EDQUOT) {
		t.Fatalf("a home of 1 MiB took 3 MiB: %v", err)
	}
	w.must(w.write("ada", "small", 10000))
	return w
}

func (w *watched) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// write writes a file of a home and reads it.
func (w *watched) write(home, name string, size int) error {
	ctx := w.Context()
	dir, err := w.fs.Lookup(ctx, nil, w.hub, home)
	if err != nil {
		return err
	}
	f, _, _, _, err := w.fs.Create(ctx, nil, dir.Handle, name, vfs.Create{Mode: vfs.Unchecked}, vfs.Read|vfs.Write)
	if err != nil {
		return err
	}
	defer f.Close()
	data := make([]byte, size)
	for off := 0; off < size; {
		n, _, _, err := f.WriteAt(ctx, data[off:], uint64(off), vfs.FileSync)
		if err != nil {
			return err
		}
		off += n
	}
	_, _, err = f.ReadAt(ctx, data, 0)
	return err
}

// scrape returns the page.
func (w *watched) scrape() string {
	w.Helper()
	res, err := http.Get("http://" + w.page + "/metrics")
	w.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	w.must(err)
	if res.StatusCode != http.StatusOK {
		w.Fatalf("it answers %s: %s", res.Status, body)
	}
	return string(body)
}

// TestMetrics compares what is told with what docs/metrics.md lists, and looks at figures that are known.
func TestMetrics(t *testing.T) {
	w := startWatched(t)
	page := w.scrape()
	for _, line := range []string{
		`hubhome_home_quota_bytes{home="ada",hub="prod"} 1.048576e+06`,
		`hubhome_home_quota_inodes{home="bob",hub="prod"} 1000`,
		`hubhome_homes{hub="prod",state="clean"} 3`,
		`hubhome_hub_quota_bytes{hub="prod"} 1.073741824e+09`,
		`dirsize_hard_limit_bytes{directory="ada",hub="prod"} 1.048576e+06`,
		`dirsize_entries_count{directory="ada",hub="prod"} 4`,
		`hubhome_nfs_written_bytes_total{hub="prod"} 2.098576e+06`,
		`hubhome_nfs_read_bytes_total{hub="prod"} 1.05e+06`,
		`hubhome_nfs_clients 1`,
		`hubhome_nfs_hub_clients{hub="prod",lease="valid"} 0`, // all is closed
		`hubhome_nfs_locks{hub="staging"} 0`,
		`hubhome_hub_size_bytes{hub="prod"} 1.073741824e+09`,
		`node_filesystem_size_bytes{device="hubhome",fstype="nfs4",hub="prod",mountpoint="/shared-volume"} 1.073741824e+09`,
		`hubhome_disk_sync_errors_total{hub="prod"} 0`,
	} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("it does not say %s", line)
		}
	}
	if strings.Contains(page, `hubhome_hub_quota_bytes{hub="staging"}`) {
		t.Error("what is unlimited has a limit")
	}
	for _, refused := range []string{
		`hubhome_home_denials_total\{home="ada",hub="prod",resource="bytes"\} [1-9]\d*\n`,
		`hubhome_nfs_operations_total\{hub="prod",op="WRITE",status="NFS4ERR_DQUOT"\} [1-9]\d*\n`,
		`hubhome_home_reserve_used_bytes\{home="ada",hub="prod"\} [1-9]`,
		`hubhome_disk_sync_duration_seconds_count\{hub="prod"\} [1-9]`,
		`hubhome_disk_sync_duration_seconds_count\{hub=""\} [1-9]`,
		`hubhome_nfs_operation_duration_seconds_count\{hub="prod",op="WRITE"\} [1-9]`,
	} {
		if !regexp.MustCompile(refused).MatchString(page) {
			t.Errorf("it does not say %s", refused)
		}
	}

	told, listed := toldMetrics(page), listedMetrics(t, false)
	for _, name := range told {
		if !slices.Contains(listed, name) {
			t.Errorf("docs/metrics.md does not list %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(told, name) {
			t.Errorf("docs/metrics.md lists %s, which is not told", name)
		}
	}
}

// toldMetrics are the names on a page that are ours to tell.
func toldMetrics(page string) (told []string) {
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "go_") && !strings.HasPrefix(m[1], "process_") && !strings.HasPrefix(m[1], "promhttp_") {
			told = append(told, m[1])
		}
	}
	return told
}

// listedMetrics are the names that docs/metrics.md lists: those of a store of somebody else's alone, or the others.
func listedMetrics(t *testing.T, remote bool) (listed []string) {
	t.Helper()
	documented, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for section := range strings.SplitSeq(string(documented), "\n## ") {
		if strings.HasPrefix(section, "Homes on somebody else's server\n") != remote {
			continue
		}
		for _, m := range regexp.MustCompile("(?m)^\\| `((?:hubhome|dirsize|node)_[a-z_]+)` ").FindAllStringSubmatch(section, -1) {
			listed = append(listed, m[1])
		}
	}
	return listed
}

// TestDashboards has a real Prometheus scrape a real server, and asks it what the dashboards and the alerts ask: each query
// must be one, and have an answer.
func TestDashboards(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a Prometheus")
	}
	if err := prometheus.Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	const dir = "../../dashboards"
	w := startWatched(t)
	if out, err := prometheus.Tool(t.Context(), nil, "test", "rules", filepath.Join(dir, "alerts_test.yaml")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := prometheus.Tool(t.Context(), strings.NewReader(w.scrape()), "check", "metrics"); err != nil {
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, "hubhome_") { // the others' names are theirs
				t.Errorf("promtool: %s", line)
			}
		}
	}
	rules, err := filepath.Abs(filepath.Join(dir, "alerts.yaml"))
	w.must(err)
	// Beside it one that looks through the same homes as those of somebody else.
	l := looking(t, w.addr)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.run(ctx, nil) }()
	defer func() {
		cancel()
		w.must(await(t, ended))
	}()
	p, err := prometheus.Start(t.Context(), t.TempDir(), rules, w.page, l.operator.page.Addr().String())
	w.must(err)
	defer p.Stop()

	var queries []string
	for _, name := range []string{"homes.json", "server.json"} {
		queries = append(queries, panelQueries(t, filepath.Join(dir, name))...)
	}
	text, err := os.ReadFile(rules)
	w.must(err)
	for _, selector := range selectors.FindAllString(string(text), -1) {
		queries = append(queries, strings.ReplaceAll(selector, `status=~"NFS4ERR_(IO|SERVERFAULT)"`, `status=~"NFS4ERR_.*"`))
	}
	for _, expr := range append(queries, dashboardsOfOthers...) {
		ask(w, p, expr)
	}
}

// selectors are the metrics that an alert asks for: whether it fires is tested with promtool, and here whether there is such
// a thing.
var selectors = regexp.MustCompile(`\bhubhome_[a-z_]+(?:\{[^}]*\})?`)

// dashboardsOfOthers are queries of dashboards, alerts and services that are in use with prometheus-dirsize-exporter and
// jupyterhub-home-nfs. They have a namespace from the discovery of the pods, which is not here.
var dashboardsOfOthers = []string{
	`max(dirsize_total_size_bytes) by (directory, namespace)`,
	`min(dirsize_latest_mtime) by (directory) * 1000`,
	`max(dirsize_entries_count) by (directory)`,
	`max(dirsize_total_size_bytes) by (directory) / ignoring (directory) group_left sum(dirsize_total_size_bytes)`,
	`max(dirsize_total_size_bytes) by (directory) / max(dirsize_hard_limit_bytes) by (directory) > 0.8`,
	`dirsize_last_updated_ns`,
	`min(node_filesystem_avail_bytes{mountpoint="/shared-volume"}) by (namespace) / min(node_filesystem_size_bytes{mountpoint="/shared-volume"}) by (namespace)`,
}

// ask asks until there is an answer: some take a second scrape.
func ask(w *watched, p *prometheus.Server, expr string) {
	w.Helper()
	for deadline := time.Now().Add(patience); ; {
		n, err := p.Query(w.Context(), expr)
		switch {
		case err != nil:
			w.Errorf("%s\n%v", expr, err)
			return
		case n > 0:
			return
		case time.Now().After(deadline):
			w.Errorf("nothing answers\n%s", expr)
			return
		}
		if err := w.write("ada", "more", 2<<20); !errors.Is(err, syscall.EDQUOT) {
			w.Fatalf("a home that is full took 2 MiB: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// panelQueries returns the queries of a dashboard, with what Grafana would put in.
func panelQueries(t *testing.T, file string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&board); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var queries []string
	seen := map[int]bool{}
	variables := []string{"$__rate_interval", "10s"}
	for _, v := range board.Templating.List {
		variables = append(variables, "$"+v.Name, ".*")
		if m := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(v.Definition); m != nil {
			queries = append(queries, fmt.Sprintf(`%s{%s!=""}`, m[1], m[2]))
		}
	}
	put := strings.NewReplacer(variables...)
	for _, panel := range board.Panels {
		if seen[panel.ID] {
			t.Errorf("%s: two panels have the number %d", file, panel.ID)
		}
		seen[panel.ID] = true
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s: the panel %q asks nothing", file, panel.Title)
		}
		for _, target := range panel.Targets {
			expr := put.Replace(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s: the panel %q has a variable that the dashboard does not have: %s", file, panel.Title, target.Expr)
			}
			queries = append(queries, expr)
		}
	}
	return queries
}
