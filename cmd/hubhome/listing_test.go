// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
)

// TestHomesTable: inodes fill up too, and nothing is not what a home takes that nobody has counted yet.
func TestHomesTable(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	var out strings.Builder
	err := homesTable(&out, []console.Home{
		{
			Hub: "prod", Name: console.NewName("ada"), State: quota.Clean,
			Usage: console.Amount{Bytes: 1 << 20, Inodes: 259}, Quota: console.Limit{Bytes: number(20e9), Inodes: number(100)},
		},
		{Hub: "prod", Name: console.NewName("new\x1b"), State: quota.Dirty, Quota: console.Limit{Bytes: number(1 << 30)}},
	})
	const want = "    USAGE  QUOTA  USED  INODES  INODE QUOTA  INODES USED  LAST WRITE  STATE  HOME\n" +
		"  1.0 MiB   20GB    0%     259          100         259%           -  clean  prod/ada\n" +
		"        -   1GiB     -       -    unlimited            -           -  dirty  \"prod/new\\x1b\"\n"
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s\nand not\n%s", err, out.String(), want)
	}
}

// TestScannedHubs: of a hub that is not on the server that is said, and where there are no quotas CSV says of none.
func TestScannedHubs(t *testing.T) {
	hubs := []console.Hub{
		{Name: "gone", Unknown: true, Absent: true},
		{Name: "left", AsOf: time.Now(), Homes: 1, Absent: true},
		{Name: "new", Unknown: true},
		{Name: "prod", AsOf: time.Now(), Homes: 2, Uncounted: 1, Usage: console.Amount{Bytes: 4096, Inodes: 3}},
	}
	var table, lines strings.Builder
	if err := errors.Join(hubsTable(&table, hubs), hubsCSV(&lines, hubs)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-  gone (not on the server)\n", "s  left (not on the server any more)\n", "-  new (not known yet)\n", "s  prod\n"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("there is no %q in\n%s", want, table.String())
		}
	}
	for _, want := range []string{"\ngone,,,,,,,\n", "\nprod,4096,,3,,2,1,20"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("there is no %q in\n%s", want, lines.String())
		}
	}
}

// TestShowRefused: of what was refused that is told which was, and a hub that is full says why a home is refused that is not.
func TestShowRefused(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	var out strings.Builder
	home := console.HomeDetail{Home: console.Home{
		Hub: "prod", Name: console.NewName("ada"), State: quota.Clean, Usage: console.Amount{Bytes: 1, Inodes: 1},
		Denials: console.Denials{Bytes: 1, HubInodes: 12},
	}}
	hubs := []console.Hub{
		{Name: "other", Quota: console.Limit{Bytes: number(5)}},
		{Name: "prod", Usage: console.Amount{Bytes: 30, Inodes: 20}, Quota: console.Limit{Bytes: number(60), Inodes: number(20)}},
	}
	if err := writeHome(&out, &home, hubs); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nrefused      1 request for bytes, 12 requests for the hub's inodes, since the server started\n",
		"\nhub's quota  60B and 20 inodes, of which all homes together use 50% of the bytes, 100% of the inodes\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}
