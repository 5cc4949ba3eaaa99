// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome

import (
	"fmt"
	"math"
	"strconv"
)

// Unlimited is a quota of bytes that is none; UnlimitedInodes is one of inodes.
const (
	Unlimited       Bytes = math.MaxInt64
	UnlimitedInodes int64 = math.MaxInt64
)

// unlimited is how both are written.
const unlimited = "unlimited"

// Quota is how much a home, a shared directory or a hub may hold. What is zero is not said, and left to who says more
// generally; nobody's saying anything is Unlimited.
type Quota struct {
	// Bytes is what the file system takes for files and directories, as du(1) counts it.
	Bytes Bytes
	// Inodes is the number of files, directories, links and all else that has a name.
	Inodes int64
}

// Or returns the quota, with what it does not say from another one.
func (q Quota) Or(other Quota) Quota {
	if q.Bytes == 0 {
		q.Bytes = other.Bytes
	}
	if q.Inodes == 0 {
		q.Inodes = other.Inodes
	}
	return q
}

// Quotas are the quotas of one hub. A home that has one of its own takes what that does not say from Home.
type Quotas struct {
	// Total is for all that is in the hub's directory.
	Total Quota
	// Home is for every home; Shared and SharedPublic for the directories _shared and _shared-public.
	Home, Shared, SharedPublic Quota
	// Homes are for single homes, by the names of their directories.
	Homes map[string]Quota
}

// The names of the directories that the users of a hub share.
const (
	SharedDir       = "_shared"
	SharedPublicDir = "_shared-public"
)

// Of returns the quota of a directory of the hub, in which nothing is zero.
func (q *Quotas) Of(name string) Quota {
	quota := q.Home
	switch name {
	case SharedDir:
		quota = q.Shared
	case SharedPublicDir:
		quota = q.SharedPublic
	}
	return q.Homes[name].Or(quota).Or(Quota{Unlimited, UnlimitedInodes})
}

// Reserve is what may still be written when a quota is spent, so that a user's server starts, notebooks are saved and the user
// can make room: files of at most File bytes, and all of them together Bytes and Inodes, in each home. A longer file may grow by
// 256 KiB, or a quarter of File if that is less, while it is open. In a minute a home can have a quarter of the bytes that are
// left of it, and a sixteenth of the inodes. No Bytes: there is no reserve.
type Reserve struct {
	Bytes, File Bytes
	Inodes      int64
}

// DefaultReserve is enough for what Jupyter writes when it starts, and for saving notebooks with pictures in them, each with
// the two copies that Jupyter makes of it.
var DefaultReserve = Reserve{Bytes: 256 * MiB, File: 32 * MiB, Inodes: 4096}

// ParseQuotaBytes reads the bytes of a quota: a size of at least one byte, or unlimited.
func ParseQuotaBytes(s string) (Bytes, error) {
	if s == unlimited {
		return Unlimited, nil
	}
	b, err := ParseBytes(s)
	if err != nil {
		return 0, fmt.Errorf("%w, or unlimited", err)
	}
	if b == 0 {
		return 0, fmt.Errorf("%s as a quota would let nobody write anything; write a size such as 20GiB, or unlimited", quote(s))
	}
	return b, nil
}

// ParseQuotaInodes reads the inodes of a quota: a whole number of at least 1, or unlimited.
func ParseQuotaInodes(s string) (int64, error) {
	if s == unlimited {
		return UnlimitedInodes, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if n == UnlimitedInodes { // or more: ParseInt answers its limit
		return 0, fmt.Errorf("%s is not a number of inodes: it is too large; write unlimited", quote(s))
	}
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is not a number of inodes; write a whole number of 1 or more, such as 1000000, or unlimited", quote(s))
	}
	return n, nil
}

// FormatQuotaBytes writes the bytes of a quota as ParseQuotaBytes reads them.
func FormatQuotaBytes(b Bytes) string {
	if b == Unlimited {
		return unlimited
	}
	return b.String()
}

// FormatQuotaInodes writes the inodes of a quota as ParseQuotaInodes reads them.
func FormatQuotaInodes(n int64) string {
	if n == UnlimitedInodes {
		return unlimited
	}
	return strconv.FormatInt(n, 10)
}
