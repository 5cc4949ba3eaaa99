// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfs

import (
	"slices"
	"syscall"
)

// Caller is on whose behalf an operation runs: who the client says it is, after the server's squash.
// It must not be changed while in use. A nil Caller is the server itself.
type Caller struct {
	UID, GID uint32
	// Groups are the supplementary groups.
	Groups []uint32
}

// Root tells whether mode bits do not apply to the caller.
func (c *Caller) Root() bool { return c == nil || c.UID == 0 }

// In tells whether the caller is in a group.
func (c *Caller) In(gid uint32) bool {
	return c == nil || c.GID == gid || slices.Contains(c.Groups, gid)
}

// Owns tells whether the caller may do what only a file's owner may.
func (c *Caller) Owns(a *Attr) bool { return c.Root() || c.UID == a.UID }

// Perm is a set of permissions, with the values of the three lowest mode bits.
type Perm uint32

// The permissions.
const (
	MayExec  Perm = 1
	MayWrite Perm = 2
	MayRead  Perm = 4
)

// Permit answers EACCES where the mode bits of a file refuse want to a caller, as the Linux kernel's
// generic_permission does: the owner's bits decide for the owner, else the group's for its members, else the others'.
// Root may read and write everything, search every directory, and execute what anybody may.
func Permit(c *Caller, a *Attr, want Perm) error {
	if Allowed(c, a)&want == want {
		return nil
	}
	return syscall.EACCES
}

// Allowed returns all that Permit permits.
func Allowed(c *Caller, a *Attr) Perm {
	switch {
	case c.Root():
		if a.Type == Directory || a.Mode&0o111 != 0 {
			return MayRead | MayWrite | MayExec
		}
		return MayRead | MayWrite
	case c.UID == a.UID:
		return Perm(a.Mode>>6) & 7
	case c.In(a.GID):
		return Perm(a.Mode>>3) & 7
	}
	return Perm(a.Mode) & 7
}

// PermitOpen is Permit for opening a regular file. Who may execute a file may read it: a client reads a program in
// order to run it (RFC 8881 section 18.22.4).
func PermitOpen(c *Caller, a *Attr, access Access) error {
	var want Perm
	if access&Read != 0 && Allowed(c, a)&MayExec == 0 {
		want |= MayRead
	}
	if access&Write != 0 {
		want |= MayWrite
	}
	return Permit(c, a, want)
}

// PermitUnlink answers EACCES or EPERM where a caller may not remove an entry of a directory: it takes permission to
// write and search the directory, and in a sticky one ownership of the directory or the entry.
func PermitUnlink(c *Caller, dir, entry *Attr) error {
	if err := Permit(c, dir, MayWrite|MayExec); err != nil {
		return err
	}
	if dir.Mode&syscall.S_ISVTX != 0 && !c.Owns(dir) && !c.Owns(entry) {
		return syscall.EPERM
	}
	return nil
}

// PermitSetAttr answers EPERM or EACCES where a caller may not make the changes to a file. Ownership changes follow
// chown(2): only root gives a file away; its owner may give it to a group that the owner is in.
func PermitSetAttr(c *Caller, a *Attr, set *SetAttr) error {
	if c.Root() {
		return nil
	}
	owner := c.UID == a.UID
	if set.Mode != nil && !owner {
		return syscall.EPERM
	}
	if set.UID != nil && (!owner || *set.UID != a.UID) {
		return syscall.EPERM
	}
	if set.GID != nil && (!owner || (*set.GID != a.GID && !c.In(*set.GID))) {
		return syscall.EPERM
	}
	for _, t := range []SetTime{set.Atime, set.Mtime} {
		if !t.Set || owner {
			continue
		}
		if !t.Now {
			return syscall.EPERM
		}
		if err := Permit(c, a, MayWrite); err != nil {
			return err
		}
	}
	if set.Size != nil && !owner {
		return Permit(c, a, MayWrite)
	}
	return nil
}

// CheckName answers EINVAL or ENAMETOOLONG for what cannot be a name in a directory.
func CheckName(name string) error {
	if len(name) > MaxName {
		return syscall.ENAMETOOLONG
	}
	if name == "" || name == "." || name == ".." {
		return syscall.EINVAL
	}
	for i := range len(name) {
		if name[i] == 0 || name[i] == '/' {
			return syscall.EINVAL
		}
	}
	return nil
}
