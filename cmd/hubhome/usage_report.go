// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/usage"
)

// orders are how homes in a hub are sorted. Names settle what is equal.
var orders = map[string]func(a, b *usage.Home) int{
	sortUsage: func(a, b *usage.Home) int { return cmp.Or(cmp.Compare(b.Used, a.Used), cmp.Compare(a.Name, b.Name)) },
	sortName:  func(a, b *usage.Home) int { return cmp.Compare(a.Name, b.Name) },
	sortMtime: func(a, b *usage.Home) int { return cmp.Or(b.Newest.Compare(a.Newest), cmp.Compare(a.Name, b.Name)) },
}

// usageReport is what usage prints, as JSON in this form.
type usageReport struct {
	Source     string         `json:"source"`
	Address    string         `json:"address"`
	Version    string         `json:"nfsVersion"`
	Began      time.Time      `json:"began"`
	Ended      time.Time      `json:"ended"`
	Complete   bool           `json:"complete"`
	Resumed    bool           `json:"resumed"`
	Errors     uint64         `json:"errors"`
	Vanished   uint64         `json:"vanished"`
	Problems   []usageProblem `json:"problems"`
	PassedOver []string       `json:"passedOver"`
	Hubs       []usageHub     `json:"hubs"`
}

type usageProblem struct {
	Path  string `json:"path"`
	Error string `json:"error"`
}

// usageHub is a hub; its figures are those of all of it. Complete: they are, but for errors.
type usageHub struct {
	Name string `json:"name"`
	usage.Tally
	Complete bool        `json:"complete"`
	Errors   uint64      `json:"errors"`
	Loose    usage.Tally `json:"inNoHome"`
	Homes    []usageHome `json:"homes"`
}

// usageHome is a home. Its age is that of the oldest part of its figures, when the scan ended; it has none where nothing
// was read.
type usageHome struct {
	usage.Home
	// NameBytes is the name where it is not UTF-8, in base64.
	NameBytes []byte `json:"nameBase64,omitempty"`
	Age       *int64 `json:"ageSeconds,omitempty"`
}

func newUsageReport(r *usageRequest, fs *remote.FS, result *usage.Result) *usageReport {
	p := &usageReport{
		Source: r.source(), Address: fs.Addr, Version: fs.Version.String(),
		Began: result.Began.UTC(), Ended: result.Ended.UTC(), Complete: result.Complete, Resumed: result.Resumed,
		Errors: result.Errors, Vanished: result.Vanished,
		Problems: []usageProblem{}, PassedOver: []string{}, Hubs: []usageHub{},
	}
	for _, problem := range result.Problems {
		p.Problems = append(p.Problems, usageProblem{printable(problem.Path), problem.Err.Error()})
	}
	for _, name := range result.Passed {
		p.PassedOver = append(p.PassedOver, printable(name))
	}
	for i := range result.Hubs {
		p.Hubs = append(p.Hubs, newUsageHub(&result.Hubs[i], r.order, result.Ended))
	}
	slices.SortFunc(p.Hubs, func(a, b usageHub) int { return cmp.Compare(a.Name, b.Name) })
	return p
}

func newUsageHub(hub *usage.Hub, order func(a, b *usage.Home) int, now time.Time) usageHub {
	h := usageHub{
		Name: hub.Name, Tally: hub.Total(), Loose: hub.Loose, Complete: hub.Listed, Errors: hub.Errors,
		Homes: make([]usageHome, 0, len(hub.Homes)),
	}
	slices.SortFunc(hub.Homes, func(a, b usage.Home) int { return order(&a, &b) })
	for _, home := range hub.Homes {
		h.Complete = h.Complete && home.Complete
		h.Errors += home.Errors
		row := usageHome{Home: home}
		if age, ok := home.Age(now); ok {
			seconds := int64(age.Seconds())
			row.Age = &seconds
		}
		if !utf8.ValidString(home.Name) {
			row.NameBytes = []byte(home.Name)
		}
		h.Homes = append(h.Homes, row)
	}
	return h
}

// write prints it in the form that was asked for.
func (p *usageReport) write(out io.Writer, r *usageRequest) error {
	switch r.output {
	case outputJSON:
		return writeJSON(out, p)
	case outputCSV:
		return p.csv(out)
	}
	return p.table(out)
}

// table prints a row for each home and each hub, with numbers at the right.
func (p *usageReport) table(out io.Writer) error {
	if len(p.Hubs) == 0 {
		return nil
	}
	tabs := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tabs, "USAGE\tAPPARENT\tFILES\tDIRS\tLAST CHANGE\tAGE\t  HOME")
	row := func(t *usage.Tally, age, name, note string) {
		fmt.Fprintf(tabs, "%s\t%s\t%d\t%d\t%s\t%s\t  %s\n", humanBytes(t.Used), humanBytes(t.Size), t.Files, t.Directories, moment(t.Newest), age, name+note)
	}
	for i := range p.Hubs {
		hub := &p.Hubs[i]
		for j := range hub.Homes {
			h := &hub.Homes[j]
			age := "-"
			if h.Age != nil {
				age = humanAge(time.Duration(*h.Age) * time.Second)
			}
			row(&h.Tally, age, printable(hub.Name+"/"+h.Name), note(h.Complete, h.Errors))
		}
		if hub.Loose.Files > 0 {
			row(&hub.Loose, "", printable(hub.Name)+" (in no home)", "")
		}
		row(&hub.Tally, "", printable(hub.Name)+" (total)", note(hub.Complete, hub.Errors))
	}
	return tabs.Flush()
}

// note says what is missing.
func note(complete bool, errors uint64) string {
	var notes []string
	if !complete {
		notes = append(notes, "not read to its end")
	}
	if errors > 0 {
		notes = append(notes, count(int(errors), "error"))
	}
	if notes == nil {
		return ""
	}
	return "  ! " + strings.Join(notes, ", ")
}

// csv prints a line for each home, and one without a home for what is in no home of a hub. The sums are for the reader. Names are
// as they are, whatever their bytes, as in all CSV: whose table they are put into knows homes by these names.
func (p *usageReport) csv(out io.Writer) error {
	w := csv.NewWriter(out)
	w.Write([]string{"hub", "home", "used_bytes", "apparent_bytes", "files", "directories", "newest_mtime", "oldest_mtime",
		"as_of", "age_seconds", "complete", "errors"})
	line := func(hub, home string, t *usage.Tally, asOf, age string, complete bool, errors uint64) {
		w.Write([]string{
			hub, home, strconv.FormatUint(t.Used, 10), strconv.FormatUint(t.Size, 10),
			strconv.FormatUint(t.Files, 10), strconv.FormatUint(t.Directories, 10), stamp(t.Newest), stamp(t.Oldest),
			asOf, age, strconv.FormatBool(complete), strconv.FormatUint(errors, 10),
		})
	}
	for i := range p.Hubs {
		hub := &p.Hubs[i]
		inHomes := uint64(0)
		for j := range hub.Homes {
			h := &hub.Homes[j]
			inHomes += h.Errors
			age := ""
			if h.Age != nil {
				age = strconv.FormatInt(*h.Age, 10)
			}
			line(hub.Name, h.Name, &h.Tally, stamp(h.AsOf), age, h.Complete, h.Errors)
		}
		line(hub.Name, "", &hub.Loose, stamp(p.Began), strconv.FormatInt(int64(p.Ended.Sub(p.Began).Seconds()), 10), hub.Complete, hub.Errors-inHomes)
	}
	w.Flush()
	return w.Error()
}

// troubles says what was left out, and what could not be read.
func (p *usageReport) troubles(log io.Writer) {
	const shown = 10
	for i, problem := range p.Problems {
		if i == shown {
			fmt.Fprintf(log, "hubhome: and %d more; --output json has the first 100\n", p.Errors-shown)
			break
		}
		fmt.Fprintf(log, "hubhome: %s: %s\n", problem.Path, problem.Error)
	}
	if len(p.PassedOver) > 0 {
		fmt.Fprintf(log, "hubhome: passed over in the base share, since they are no directories or no hub can have the name: %s\n", strings.Join(p.PassedOver, ", "))
	}
	if len(p.Hubs) == 0 {
		fmt.Fprintf(log, "hubhome: there is no hub in %s\n", p.Source)
	}
}

// printable is a name as it is where a terminal shows it so, and quoted where not.
func printable(name string) string {
	for _, c := range name {
		if !strconv.IsPrint(c) || c == utf8.RuneError {
			return strconv.Quote(name)
		}
	}
	return name
}

// stamp is a time for programs; empty where there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// moment is a time for people.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// humanAge is an age in its largest unit.
func humanAge(age time.Duration) string {
	switch {
	case age >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(age.Hours()/24))
	case age >= 2*time.Hour:
		return fmt.Sprintf("%dh", int(age.Hours()))
	case age >= 2*time.Minute:
		return fmt.Sprintf("%dm", int(age.Minutes()))
	}
	return fmt.Sprintf("%ds", int(age.Seconds()))
}

// humanBytes is an amount of space in its largest binary unit.
func humanBytes(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for units := "KMGTPE"; f >= 999.95 && unit < len(units)-1; unit++ {
		f /= 1024
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTPE"[unit])
}
