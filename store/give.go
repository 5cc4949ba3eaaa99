// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
)

// Give gives a store's directory to the user who is going to serve it, where it is root's, as that of a new disk is. What
// is in it stays whose it is. It takes CAP_CHOWN. A directory of anybody else is an error.
func Give(path string, owner hubhome.Owner) error {
	dir, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("store %q: %w", path, explainOpen(err))
	}
	defer disk.Close(dir)
	d := new(disk.Disk)
	var st disk.Stat
	if err := d.Stat(dir, disk.Here, &st); err != nil {
		return fmt.Errorf("store %q: %w", path, err)
	}
	is := hubhome.Owner{UID: st.Uid, GID: st.Gid}
	switch {
	case is.UID == owner.UID:
		return nil
	case is.UID != 0:
		return fmt.Errorf("store %q: its directory belongs to %s, and not to root or to %s: give it to one of them, or serve "+
			"it as root", path, is, owner)
	}
	if err := d.Chown(dir, disk.Here, int(owner.UID), int(owner.GID)); err != nil {
		return fmt.Errorf("store %q: give it to %s, which takes CAP_CHOWN: %w", path, owner, err)
	}
	if err := d.Sync(dir); err != nil {
		return fmt.Errorf("store %q: %w", path, err)
	}
	return nil
}
