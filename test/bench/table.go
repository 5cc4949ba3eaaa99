// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// sample is one turn of one server: operations a second, and microseconds of the server's CPU an operation.
type sample struct{ rate, cpu float64 }

// row is the figures of one test with one number of clients.
type row struct {
	test    test
	clients int
	samples map[string][]sample // by server
}

type table struct {
	options
	start time.Time
	total int
	done  int
	rows  []*row
	rss   map[string]float64
}

func newTable(o options) *table {
	return &table{options: o, start: time.Now(), total: o.reps * len(o.clients), rss: map[string]float64{}}
}

func (t *table) add(server string, of test, clients int, s sample) {
	i := slices.IndexFunc(t.rows, func(r *row) bool { return r.test.name == of.name && r.clients == clients })
	if i < 0 {
		i = len(t.rows)
		t.rows = append(t.rows, &row{test: of, clients: clients, samples: map[string][]sample{}})
	}
	t.rows[i].samples[server] = append(t.rows[i].samples[server], s)
}

func (t *table) memory(s *server) { t.rss[s.name] = s.rss() }

// progress tells whoever waits how far it is.
func (t *table) progress(clients, rep int) {
	t.done++
	left := time.Since(t.start) / time.Duration(t.done) * time.Duration(t.total-t.done)
	fmt.Fprintf(os.Stderr, "%d clients, turn %d: %d of %d done, %s left\n", clients, rep+1, t.done, t.total, left.Round(time.Second))
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func (r *row) medians(server string) (rate, cpu float64) {
	var rates, cpus []float64
	for _, s := range r.samples[server] {
		rates, cpus = append(rates, s.rate), append(cpus, s.cpu)
	}
	return median(rates), median(cpus)
}

// ratio is the median of the turns' ratios: both servers had the same machine in a turn.
func (r *row) ratio() float64 {
	var ratios []float64
	for i, ours := range r.samples["hubhome"] {
		if theirs := r.samples["ganesha"]; i < len(theirs) && theirs[i].rate > 0 {
			ratios = append(ratios, ours.rate/theirs[i].rate)
		}
	}
	return median(ratios)
}

// print writes the table as Markdown.
func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %d CPUs, Linux %s, %s. NFSv4.%d; median of %d turns, %v a test; %d entries to list; up to %d MiB of data.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), kernel(), runtime.Version(), t.minor, t.done/len(t.clients), t.length, t.entries, t.dataMiB)
	fmt.Fprintln(w, "| test | clients | unit | hubhome | NFS-Ganesha | ratio | CPU µs/op, hubhome | NFS-Ganesha |")
	fmt.Fprintln(w, "|---|---:|---|---:|---:|---:|---:|---:|")
	// One test's rows together; they came in one client count after the other.
	of := func(r *row) int { return slices.IndexFunc(tests, func(t test) bool { return t.name == r.test.name }) }
	slices.SortStableFunc(t.rows, func(a, b *row) int { return of(a) - of(b) })
	for _, r := range t.rows {
		ours, ourCPU := r.medians("hubhome")
		theirs, theirCPU := r.medians("ganesha")
		fmt.Fprintf(w, "| %s | %d | %s | %.0f | %.0f | %.2f | %.0f | %.0f |\n",
			r.test.name, r.clients, r.test.unit, ours, theirs, r.ratio(), ourCPU, theirCPU)
	}
	fmt.Fprintf(w, "\nMemory at the end (RSS): hubhome %.0f MiB, NFS-Ganesha %.0f MiB.\n", t.rss["hubhome"], t.rss["ganesha"])
}

// kernel is the release of the machine's kernel.
func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(release))
}
