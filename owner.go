// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package hubhome

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Owner is whom a file belongs to.
type Owner struct{ UID, GID uint32 }

// DefaultOwner is who every pod of a JupyterHub runs as: jovyan, in the images that are in use.
var DefaultOwner = Owner{UID: 1000, GID: 1000}

// String returns the owner as ParseOwner reads it.
func (o Owner) String() string { return fmt.Sprintf("%d:%d", o.UID, o.GID) }

// ParseOwner reads an owner that is written as UID:GID, such as 1000:1000. Numbers alone: the names that a machine has
// for them are not those of the clients. 4294967295 is no owner: to chown(2) it says that nothing changes.
func ParseOwner(s string) (Owner, error) {
	uid, gid, both := strings.Cut(s, ":")
	if !both {
		return Owner{}, fmt.Errorf("%s is not an owner: write the numbers of the user and of the group as UID:GID, "+
			"such as 1000:1000", quote(s))
	}
	u, err := parseID(uid)
	if err != nil {
		return Owner{}, fmt.Errorf("%s is not an owner: the user %w", quote(s), err)
	}
	g, err := parseID(gid)
	if err != nil {
		return Owner{}, fmt.Errorf("%s is not an owner: the group %w", quote(s), err)
	}
	return Owner{UID: u, GID: g}, nil
}

// parseID reads a user's or a group's number.
func parseID(s string) (uint32, error) {
	const largest = math.MaxUint32 - 1
	id, err := strconv.ParseUint(s, 10, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		return 0, fmt.Errorf("%s is not a number; write UID:GID in digits, such as 1000:1000", quote(s))
	}
	if err != nil || id > largest {
		return 0, fmt.Errorf("%s is too large; the largest is %d", quote(s), uint32(largest))
	}
	return uint32(id), nil
}
