// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
)

// The directories that the users of a hub share.
const (
	sharedDir       = "_shared"
	sharedPublicDir = "_shared-public"
)

// Hub is a hub as it is declared.
type Hub struct {
	Name hubhome.HubName
	// Owner is to whom the hub's directory and its homes belong; Mode is the directory's, 0 to 07777.
	Owner hubhome.Owner
	Mode  uint32
	// Shared and SharedPublic ask for _shared and _shared-public.
	Shared, SharedPublic bool
}

// SetHubs makes the directories of hubs, where they are not there, and then exactly these hubs visible to clients. What is
// in a hub's directory is never touched, and no directory is ever removed. After an error the hubs that clients see are
// those from before.
func (s *Store) SetHubs(ctx context.Context, hubs []Hub) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	visible := make([]localfs.Hub, 0, len(hubs))
	for _, h := range hubs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.ensureHub(h); err != nil {
			return fmt.Errorf("hub %q: %w", h.Name, err)
		}
		visible = append(visible, localfs.Hub{Name: string(h.Name), Homes: localfs.Owner{UID: h.Owner.UID, GID: h.Owner.GID}})
	}
	return s.fs.SetHubs(visible)
}

// ensureHub makes a hub's directories, or sees that they are right.
func (s *Store) ensureHub(h Hub) error {
	made, err := s.ensureDir(s.root, string(h.Name), h.Owner, h.Mode)
	if err != nil {
		return err
	}
	if made {
		s.log.Info("made a hub's directory", "hub", h.Name, "owner", h.Owner, "mode", fmt.Sprintf("%04o", h.Mode))
	}
	dir, err := s.disk.Open(s.root, string(h.Name), unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return fmt.Errorf("open its directory: %w", err)
	}
	defer disk.Close(dir)
	if !made {
		if err := s.dress(dir, h.Owner, h.Mode); err != nil {
			return fmt.Errorf("set owner and mode of its directory: %w", err)
		}
	}
	for _, shared := range []struct {
		name string
		want bool
		mode uint32
	}{
		{sharedDir, h.Shared, 0o755},
		{sharedPublicDir, h.SharedPublic, 0o777},
	} {
		if !shared.want {
			continue
		}
		// One that is there is its admins' to change, and what they make of it must not stop the server of all hubs.
		_, err := s.ensureDir(dir, shared.name, h.Owner, shared.mode)
		if errors.Is(err, syscall.ENOTDIR) {
			s.log.Error("a hub is served without one of its shared directories", "hub", h.Name, "error", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// ensureDir makes a directory where there is none, whole and durably. Something else of that name is an error.
func (s *Store) ensureDir(parent int, name string, owner hubhome.Owner, mode uint32) (made bool, err error) {
	var st disk.Stat
	switch err := s.disk.Stat(parent, name, &st); {
	case err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return false, fmt.Errorf("%q in the store is no directory: move it away: %w", name, syscall.ENOTDIR)
	case err == nil:
		return false, nil
	case err != syscall.ENOENT:
		return false, fmt.Errorf("look at directory %q: %w", name, err)
	}
	if err := s.makeDir(parent, name, owner, mode); err != nil {
		return false, fmt.Errorf("make directory %q: %w", name, err)
	}
	return true, nil
}

// unfinished is the name of a directory of a hub while it is made: none that localfs uses, whose names are numbers to the
// base of 36.
const unfinished = "new-hub"

func (s *Store) makeDir(parent int, name string, owner hubhome.Owner, mode uint32) error {
	if err := s.disk.Unlink(s.nursery, unfinished, unix.AT_REMOVEDIR); err != nil && err != syscall.ENOENT {
		return err
	}
	if err := s.disk.Mkdir(s.nursery, unfinished, 0o700); err != nil {
		return err
	}
	dir, err := s.disk.Open(s.nursery, unfinished, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer disk.Close(dir)
	if err := s.dress(dir, owner, mode); err != nil {
		return err
	}
	if err := s.disk.Rename(s.nursery, unfinished, parent, name, unix.RENAME_NOREPLACE); err != nil {
		return err
	}
	return s.disk.Sync(parent)
}

// dress gives a directory its owner and mode, where it has others, durably.
func (s *Store) dress(dir int, owner hubhome.Owner, mode uint32) error {
	var st disk.Stat
	if err := s.disk.Stat(dir, disk.Here, &st); err != nil {
		return err
	}
	if st.Uid == owner.UID && st.Gid == owner.GID && uint32(st.Mode)&0o7777 == mode {
		return nil
	}
	if st.Uid != owner.UID || st.Gid != owner.GID {
		if err := s.disk.Chown(dir, disk.Here, int(owner.UID), int(owner.GID)); err != nil {
			return fmt.Errorf("give it to %s, which takes CAP_CHOWN or a server that runs as that user: %w", owner, err)
		}
	}
	if err := s.disk.Chmod(dir, disk.Here, mode); err != nil {
		return err
	}
	return s.disk.Sync(dir)
}
