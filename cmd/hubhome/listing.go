// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"strconv"
	"strings"
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

// limitField is a limit in CSV, of bytes or inodes; empty where homes were looked through, and there are no quotas.
func limitField(n *int64, scanned bool) string {
	switch {
	case scanned:
		return ""
	case n == nil:
		return hubhome.FormatQuotaBytes(hubhome.Unlimited)
	}
	return strconv.FormatInt(*n, 10)
}

// bothText is a whole quota, the inodes where they are limited.
func bothText(l *console.Limit) string {
	text := limitText(l.Bytes)
	if l.Inodes != nil {
		text += " and " + count(int(*l.Inodes), "inode")
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

// bothUsed is how much of a quota is used, of what is limited; empty where nothing is.
func bothUsed(used *console.Amount, l *console.Limit) string {
	var parts []string
	if l.Bytes != nil {
		parts = append(parts, partText(used.Bytes, l.Bytes)+" of the bytes")
	}
	if l.Inodes != nil {
		parts = append(parts, partText(used.Inodes, l.Inodes)+" of the inodes")
	}
	return strings.Join(parts, ", ")
}

// takenText are the first columns of a table: usage, quota and how much of it that is, of bytes and of inodes. What has no
// inode has never been counted, and nothing is said of it.
func takenText(used *console.Amount, l *console.Limit) string {
	if used.Inodes == 0 {
		return fmt.Sprintf("-\t%s\t-\t-\t%s\t-", limitText(l.Bytes), inodesText(l.Inodes))
	}
	return fmt.Sprintf("%s\t%s\t%s\t%d\t%s\t%s", humanBytes(uint64(used.Bytes)), limitText(l.Bytes), partText(used.Bytes, l.Bytes),
		used.Inodes, inodesText(l.Inodes), partText(used.Inodes, l.Inodes))
}

// ageText is how long ago something was.
func ageText(at, now time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return humanAge(max(now.Sub(at), 0))
}
