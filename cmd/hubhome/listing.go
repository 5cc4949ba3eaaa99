// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
)

// listingCSV is, beside outputTable and outputJSON, how lists are written.
const listingCSV = "csv"

// checkListing says what is wrong with --output.
func checkListing(output string) error {
	switch output {
	case outputTable, outputJSON, listingCSV:
		return nil
	}
	return usageError{fmt.Errorf("--output %q: write table, json or csv", output)}
}

// indented writes a value as JSON for people and programs.
func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// bytesText is an amount of space in its largest binary unit, to one digit behind the point.
func bytesText(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + "B"
	}
	f, unit := float64(n)/1024, 0
	for f >= 999.95 && unit < 5 {
		f, unit = f/1024, unit+1
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + "KMGTPE"[unit:unit+1] + "iB"
}

// limitText is a limit of bytes for people, exactly; null is none.
func limitText(n *int64) string {
	if n == nil {
		return hubhome.FormatQuotaBytes(hubhome.Unlimited)
	}
	return hubhome.FormatQuotaBytes(hubhome.Bytes(*n))
}

// inodesText is a limit of inodes.
func inodesText(n *int64) string {
	if n == nil {
		return hubhome.FormatQuotaInodes(hubhome.UnlimitedInodes)
	}
	return hubhome.FormatQuotaInodes(*n)
}

// bothText is a whole quota, the inodes where they are limited.
func bothText(l *console.Limit) string {
	text := limitText(l.Bytes)
	if l.Inodes != nil {
		text += " and " + inodesText(l.Inodes) + " inodes"
	}
	return text
}

// partText is how much of a quota is used, in whole percent; nothing where there is none.
func partText(used int64, limit *int64) string {
	if limit == nil || *limit == 0 {
		return "-"
	}
	return strconv.FormatInt(int64(100*float64(used)/float64(*limit)), 10) + "%"
}

// timeText is a moment for people.
func timeText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// stampText is a moment for programs.
func stampText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
