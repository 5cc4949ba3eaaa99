// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
)

// checkListing says what is wrong with --output.
func checkListing(output string) error {
	switch output {
	case outputTable, outputJSON, outputCSV:
		return nil
	}
	return usageError{fmt.Errorf("--output %q: write table, json or csv", output)}
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

// ageText is how long ago something was.
func ageText(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return humanAge(max(now.Sub(at), 0))
}
