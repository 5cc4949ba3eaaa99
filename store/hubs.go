// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// Hub is a hub as it is declared.
type Hub struct {
	Name hubhome.HubName
	// Owner is to whom the hub's directory and its homes belong; Mode is the directory's, 0 to 07777.
	Owner hubhome.Owner
	Mode  uint32
	// Shared and SharedPublic ask for _shared and _shared-public.
	Shared, SharedPublic bool
	Quotas               hubhome.Quotas
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
	if err := s.list(hubs); err != nil {
		return err
	}
	s.hubs = hubs
	return s.fs.SetHubs(visible)
}

// SetReserve changes what every home may still take when its quota is spent, from the next request on.
func (s *Store) SetReserve(r hubhome.Reserve) { s.quota.SetReserve(r) }

// relistTime is the shortest time between two lists of the hubs' directories that nobody has asked for.
const relistTime = time.Second

// relist lists the homes of the hubs again: somebody has made one, or moved one, on the disk. It waits until it may, or
// somebody else has: nobody uses a home that is not known, and so is not charged, for that long.
func (s *Store) relist(ctx context.Context) error {
	for asked := time.Now(); ; {
		again, err := s.listAfter(asked)
		if again <= 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// listing is the last list of the hubs' directories.
type listing struct {
	began, ended time.Time
	err          error
	// changed is when each was changed last.
	changed map[hubhome.HubName]time.Time
}

// notice lists the homes if a hub's directory has changed since it was listed: homes that were made, moved or removed on the disk
// are known before somebody uses them.
func (s *Store) notice() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hubs {
		var st disk.Stat
		if err := s.disk.Stat(s.root, string(h.Name), &st); err != nil {
			return fmt.Errorf("hub %q: look at its directory: %w", h.Name, err)
		}
		const tick = time.Second // more than a time stamp can be behind
		changed := time.Unix(0, nanoseconds(st.Mtime))
		if before, listed := s.listed.changed[h.Name]; !listed || !changed.Equal(before) || changed.After(s.listed.began.Add(-tick)) {
			return s.list(s.hubs)
		}
	}
	return nil
}

// listAfter lists the homes if no list began after a moment, and says how long to wait before it is asked again.
func (s *Store) listAfter(asked time.Time) (wait time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listed.began.After(asked) {
		return 0, s.listed.err
	}
	if wait := relistTime - time.Since(s.listed.ended); wait > 0 {
		return wait, nil
	}
	return 0, s.list(s.hubs)
}

// list tells the ledger which hubs and homes there are. s.mu is held.
func (s *Store) list(hubs []Hub) (err error) {
	began, changed := time.Now(), make(map[hubhome.HubName]time.Time, len(hubs))
	defer func() { s.listed = listing{began, time.Now(), err, changed} }()
	s.quota.Listing()
	known := make([]quota.Hub, 0, len(hubs))
	for _, h := range hubs {
		q := quota.Hub{Quotas: h.Quotas}
		var err error
		if q.Home, q.Homes, changed[h.Name], err = s.listHub(string(h.Name)); err != nil {
			return fmt.Errorf("hub %q: list its homes: %w", h.Name, err)
		}
		known = append(known, q)
	}
	s.quota.SetHubs(known)
	if s.ledger.files != nil {
		s.quota.Resume(s.ledger.files)
		s.ledger.files = nil
	}
	return nil
}

// listHub returns a hub's directory and those in it: its homes, and what its users share; and when it was changed last. One that
// cannot be looked at is passed over: the others are served.
func (s *Store) listHub(name string) (hub quota.Home, homes []quota.Home, changed time.Time, err error) {
	dir, err := s.disk.Open(s.root, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return hub, nil, changed, err
	}
	defer disk.Close(dir)
	var st disk.Stat
	if err := s.disk.Stat(dir, disk.Here, &st); err != nil {
		return hub, nil, changed, err
	}
	hub, changed = homeOf(name, &st), time.Unix(0, nanoseconds(st.Mtime))
	_, err = s.disk.ReadDir(dir, 0, make([]byte, 64<<10), func(n *disk.Name) bool {
		switch err := s.disk.StatEntry(dir, n, &st); {
		case err == syscall.ENOENT:
		case err != nil:
			s.log.Error("a home cannot be looked at, and is not known", "hub", name, "home", string(n.Name), "error", err)
		case st.Mode&unix.S_IFMT == unix.S_IFDIR && s.fs.Ours(&st):
			homes = append(homes, homeOf(string(n.Name), &st))
		}
		return true
	})
	return hub, homes, changed, err
}

func homeOf(name string, st *disk.Stat) quota.Home {
	return quota.Home{ID: vfs.HomeID(st.Ino), Name: name, Birth: birthOf(st)}
}

// birthOf is when something was made, in nanoseconds; 0 where the file system does not keep that.
func birthOf(st *disk.Stat) int64 {
	if st.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return nanoseconds(st.Btime)
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
		{hubhome.SharedDir, h.Shared, 0o755},
		{hubhome.SharedPublicDir, h.SharedPublic, 0o777},
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
