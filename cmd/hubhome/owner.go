// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/store"
)

// becomeOwner makes a process that root started one of the owner of the homes, who keeps CAP_DAC_READ_SEARCH and nothing
// else: it begins again, with the same arguments, and returns only where it cannot, or has already. Before that it gives
// the store's directory and hubhome's own data to the owner, where they are root's. It takes CAP_SETUID, CAP_SETGID,
// CAP_DAC_READ_SEARCH, and for a disk that is new or that root has served CAP_CHOWN.
//
// Who gets through to open_by_handle_at(2) in a container reaches every file of the file systems that it sees, the node's
// own among them. As root he could write there (design/privileges.md).
func becomeOwner(file string) error {
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	owner := c.NFS.Owner
	if problems := notForOwner(c); len(problems) > 0 {
		return problems
	}
	switch self := os.Geteuid(); {
	case self == int(owner.UID):
		return nil
	case self != 0:
		return fmt.Errorf("--as-owner takes a start as root or as %s, and this is user %d: leave it out", owner, self)
	}
	if err := store.Give(c.Store.Disk.Path, owner); err != nil {
		return fmt.Errorf("%s: %s: %w", c.Place(storePathKey), storePathKey, err)
	}
	return fmt.Errorf("become %s: %w", owner, execAs(owner))
}

// notForOwner says what of a configuration takes a server that is root.
func notForOwner(c *config.Config) config.Problems {
	if c.Store.IsRemote() {
		return config.Problems{c.Problem("store.nfs", "serves no files, which --as-owner is for; leave it out, and run as any user")}
	}
	var problems config.Problems
	owner := c.NFS.Owner
	if owner.UID == 0 {
		problems = append(problems, c.Problem("nfs.owner", "is root, so that --as-owner gives nothing away; leave it out"))
	}
	if c.NFS.Squash != config.SquashAll {
		problems = append(problems, c.Problem("nfs.squash", "%s makes files of other users than %s, which takes root; leave --as-owner out",
			c.NFS.Squash, owner))
	}
	for _, h := range c.Hubs {
		if h.Owner != owner {
			key := "hubs." + string(h.Name) + ".owner"
			problems = append(problems, c.Problem(key, "is %s and not nfs.owner %s, which takes root; leave --as-owner out", h.Owner, owner))
		}
	}
	return problems
}

// execAs begins this program again as a user with one capability. What a thread becomes is its own until execve(2), which
// ends the others.
func execAs(owner hubhome.Owner) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Root's capabilities go with root, but for those of a thread that says so (capabilities(7)).
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("keep a capability: %w", err)
	}
	// These change all threads.
	if err := syscall.Setgroups([]int{}); err != nil {
		return fmt.Errorf("leave root's groups, which takes CAP_SETGID: %w", err)
	}
	if err := syscall.Setgid(int(owner.GID)); err != nil {
		return fmt.Errorf("change the group, which takes CAP_SETGID: %w", err)
	}
	if err := syscall.Setuid(int(owner.UID)); err != nil {
		return fmt.Errorf("change the user, which takes CAP_SETUID: %w", err)
	}
	const only = 1 << unix.CAP_DAC_READ_SEARCH
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: only, Permitted: only, Inheritable: only}}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("keep CAP_DAC_READ_SEARCH: %w", err)
	}
	// An ambient capability is what a program that is no root's has after execve(2), also where no_new_privs is set.
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, unix.CAP_DAC_READ_SEARCH, 0, 0); err != nil {
		return fmt.Errorf("keep CAP_DAC_READ_SEARCH: %w", err)
	}
	// By its file and not by its path, which may be in a directory of root's.
	return fmt.Errorf("run this program again: %w", syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
}
