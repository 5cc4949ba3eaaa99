// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
)

// Give gives a store's directory, and hubhome's own data in it, to the user who is going to serve it, where they are
// root's: those of a new disk are, and those of one that root has served. Hubs and homes stay whose they are. It takes
// CAP_CHOWN. A directory of anybody else is an error.
//
// The store's directory is the last that is given, and hubhome's own data are in a directory that nobody but root could
// write to before: who is to have them cannot put others in their place. A run that was ended is completed by the next.
func Give(path string, owner hubhome.Owner) error {
	if err := give(path, owner); err != nil {
		return fmt.Errorf("store %q: %w", path, err)
	}
	return nil
}

func give(path string, owner hubhome.Owner) error {
	dir, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return explainOpen(err)
	}
	defer disk.Close(dir)
	g := gift{new(disk.Disk), owner}
	var st disk.Stat
	if err := g.disk.Stat(dir, disk.Here, &st); err != nil {
		return err
	}
	if st.Uid != 0 && st.Uid != owner.UID {
		return fmt.Errorf("its directory belongs to %s, and not to root or to %s: give it to one of them, or serve it as root",
			hubhome.Owner{UID: st.Uid, GID: st.Gid}, owner)
	}
	if err := g.tree(dir, ownDir); err != nil && err != syscall.ENOENT {
		return fmt.Errorf("%s: %w", ownDir, err)
	}
	return g.chown(dir, disk.Here)
}

// gift is a Give while it runs.
type gift struct {
	disk  *disk.Disk
	owner hubhome.Owner
}

// tree gives what is root's of a directory of root's and in it, the directory itself last. Links are not followed.
func (g *gift) tree(parent int, name string) error {
	dir, err := g.disk.Open(parent, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer disk.Close(dir)
	var st disk.Stat
	if err := g.disk.Stat(dir, disk.Here, &st); err != nil || st.Uid != 0 {
		return err
	}
	var names []string
	_, err = g.disk.ReadDir(dir, 0, make([]byte, 32<<10), func(n *disk.Name) bool {
		names = append(names, string(n.Name))
		return true
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		give := g.chown
		if err := g.disk.Stat(dir, name, &st); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			give = g.tree
		}
		if err := give(dir, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return g.chown(dir, disk.Here)
}

// chown gives a file that is root's. A directory is synced.
func (g *gift) chown(dir int, name string) error {
	var st disk.Stat
	if err := g.disk.Stat(dir, name, &st); err != nil || st.Uid != 0 {
		return err
	}
	if err := g.disk.Chown(dir, name, int(g.owner.UID), int(g.owner.GID)); err != nil {
		return fmt.Errorf("give it to %s, which takes CAP_CHOWN: %w", g.owner, err)
	}
	if name != disk.Here {
		return nil
	}
	return g.disk.Sync(dir)
}
