// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/usage"
)

// TestUsageReport prints names that terminals and programs must be kept from, and what is not known.
func TestUsageReport(t *testing.T) {
	began := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	home := func(name string, used uint64, complete bool) usage.Home {
		return usage.Home{Hub: "prod", Name: name, AsOf: began.Add(-3 * time.Hour), Complete: complete,
			Tally: usage.Tally{Used: used, Size: 7, Files: 2, Directories: 1, Newest: began, Oldest: began}}
	}
	unread := usage.Home{Hub: "prod", Name: "unread"}
	broken := home("broken", 3<<30, true)
	broken.Errors = 2
	result := &usage.Result{
		Began: began, Ended: began.Add(time.Minute), Errors: 2, Passed: []string{".snapshot", "\x1b[2J"},
		Problems: []usage.Problem{{Path: "prod/broken/\x1b]0;x\a", Err: syscall.EACCES}},
		Hubs: []usage.Hub{
			{Name: "staging", Listed: true},
			{Name: "prod", Listed: true, Loose: usage.Tally{Files: 1, Size: 5}, Homes: []usage.Home{
				home("caf\xe9", 2048, true), home("half", 10, false), unread, broken, home("\u202eadmin", 1, true), home("日本", 5, true),
			}},
		},
	}
	print := func(output, order string) string {
		r := &usageRequest{output: output, order: orders[order], path: "/homes", remote: remote.Config{Server: remote.Address{Host: "h", Port: "2049"}}}
		p := newUsageReport(r, &remote.FS{Addr: "10.0.0.5:2049", Version: remote.V3}, result)
		var out bytes.Buffer
		if err := p.write(&out, r); err != nil {
			t.Fatal(err)
		}
		p.troubles(&out)
		return out.String()
	}
	table := print(outputTable, sortUsage)
	for _, want := range []string{
		`  3.0 GiB  7 B      2     1  2026-11-25 12:00Z   3h  prod/broken  ! 2 errors`,
		`"prod/caf\xe9"` + "\n", `prod/half  ! not read to its end` + "\n", `"prod/\u202eadmin"` + "\n", "prod/日本\n",
		"      0 B  0 B      0     0                  -    -  prod/unread  ! not read to its end\n",
		"prod (in no home)\n", "prod (total)  ! not read to its end, 2 errors\n", "staging (total)\n",
		`hubhome: "prod/broken/\x1b]0;x\a": permission denied` + "\n",
		`hubhome: passed over in the base share, since they are no directories or no hub can have the name: .snapshot, "\x1b[2J"` + "\n",
	} {
		if !strings.Contains(squeeze(table), squeeze(want)) {
			t.Errorf("the table has no %q:\n%s", want, table)
		}
	}
	lines := strings.Split(print(outputCSV, sortName), "\n")
	if want := "prod,\u202eadmin,1," + `7,2,1,2026-11-25T12:00:00Z,2026-11-25T12:00:00Z,2026-11-25T09:00:00Z,10860,true,0`; lines[5] != want {
		t.Errorf("CSV: %s, want %s", strings.Join(lines, "\n"), want)
	}
	var back usageReport
	text, _, _ := strings.Cut(print(outputJSON, sortMtime), "\nhubhome:")
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	for _, h := range back.Hubs[0].Homes {
		if (h.Age == nil) != (h.Name == "unread") || (h.NameBytes != nil) != (string(h.NameBytes) == "caf\xe9") {
			t.Errorf("JSON: %+v", h)
		}
	}
	if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "prod,caf\xe9,2048,") }) {
		t.Errorf("CSV has the bytes of no name that is not UTF-8: %q", lines)
	}
	if strings.ContainsAny(table, "\x1b\a\u202e") {
		t.Errorf("it prints what a terminal acts on: %q", table)
	}
}

// squeeze makes one space of many.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestUsageProgress foretells what is known and nothing else.
func TestUsageProgress(t *testing.T) {
	for want, p := range map[string]usage.Progress{
		"0 of 0 or more homes, 0 B, 0 files and directories, 0/s, 0s":                  {},
		"1 of 3 or more homes, 1.0 KiB, 500 files and directories, 50/s, 10s, 1 error": {Homes: 1, Found: 3, Entries: 500, Bytes: 1024, Elapsed: 10 * time.Second, Errors: 1},
		"1 of 3 homes, 1.0 KiB, 500 files and directories of at most 9000, 50/s, 10s":  {Homes: 1, Found: 3, Listed: true, Entries: 500, Bytes: 1024, Elapsed: 10 * time.Second, AtMost: 9000},
		"1 of 3 homes, 1.0 KiB, 500 files and directories, 50/s, 10s, about 20s left":  {Homes: 1, Found: 3, Listed: true, Entries: 500, Bytes: 1024, Elapsed: 10 * time.Second, AtMost: 9000, Expected: 1500},
		"2 of 3 homes, 1.0 MiB, 900 files and directories, 10/s, 10s, about 1m0s left": {Homes: 2, Found: 3, Listed: true, Entries: 900, Kept: 800, Bytes: 1 << 20, Elapsed: 10 * time.Second, Expected: 1500},
		"0 of 3 homes, 0 B, 1 files and directories, 0/s, 1h0m0s":                      {Found: 3, Listed: true, Entries: 1, Elapsed: time.Hour, Expected: 1 << 40},
		"3 of 3 homes, 5.0 EiB, 2000 files and directories, 200/s, 10s":                {Homes: 3, Found: 3, Listed: true, Entries: 2000, Bytes: 5 << 60, Elapsed: 10 * time.Second, Expected: 1500},
	} {
		if got := progressText(&p); got != want {
			t.Errorf("%+v:\n%s\nwant:\n%s", p, got, want)
		}
	}
	var log bytes.Buffer
	p := newProgress(&log)
	for i := range 100 {
		p.showScan(usage.Progress{Elapsed: time.Duration(i) * time.Second})
	}
	p.end()
	if n := strings.Count(log.String(), "\n"); n != 9 {
		t.Errorf("%d lines in 99 s:\n%s", n, &log)
	}
}
