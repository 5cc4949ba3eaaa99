// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"slices"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// Squash says whom the server takes a client's user for (exports(5), "User ID Mapping").
type Squash uint8

const (
	// SquashAll takes everybody for the owner: in a JupyterHub every pod is the same user.
	SquashAll Squash = iota
	// SquashRoot takes root for the owner, and everybody else for who they say they are.
	SquashRoot
	// SquashNone takes everybody for who they say they are.
	SquashNone
)

// nobody is who a caller is that sends no identity and is not squashed (the kernel's overflow uid).
const nobody = 65534

// maxGroups is how many groups AUTH_SYS can carry (RFC 5531 appendix A).
const maxGroups = 16

// Identity is the squash and the owner that it squashes to.
type Identity struct {
	Squash   Squash
	UID, GID uint32
}

// caller fills in who a request acts as. groups is memory that the caller may keep its groups in.
func (id Identity) caller(cred *oncrpc.Cred, c *vfs.Caller, groups *[maxGroups]uint32) {
	owner := vfs.Caller{UID: id.UID, GID: id.GID}
	if id.Squash == SquashAll {
		*c = owner
		return
	}
	if cred.Flavor != oncrpc.AuthSys {
		*c = vfs.Caller{UID: nobody, GID: nobody}
		return
	}
	if cred.UID == 0 && id.Squash == SquashRoot {
		*c = owner
		return
	}
	n := copy(groups[:], cred.GIDs())
	*c = vfs.Caller{UID: cred.UID, GID: cred.GID, Groups: groups[:n]}
	if id.Squash == SquashRoot {
		// Membership in root's group is root's power over many a system file.
		if c.GID == 0 {
			c.GID = id.GID
		}
		c.Groups = slices.DeleteFunc(c.Groups, func(g uint32) bool { return g == 0 })
	}
}
