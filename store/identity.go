// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
)

// format is the version of what is in .hubhome.
const format = 1

// keySize is the length of a store's key in bytes.
const keySize = 32

// identity is what makes a store the same one after a restart or on another machine: clients' file handles are signed
// with its key, and clients know the server by its id.
type identity struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	Key    []byte `json:"key"`
}

// identity reads the store's identity, and gives the store one where it has none.
func (s *Store) identity() (identity, error) {
	data, err := s.disk.ReadFile(s.own, storeFile, 64<<10)
	if errors.Is(err, syscall.ENOENT) {
		return s.newIdentity()
	}
	if err != nil {
		return identity{}, fmt.Errorf("read %s/%s: %w", ownDir, storeFile, err)
	}
	var i identity
	if err := json.Unmarshal(data, &i); err != nil {
		return identity{}, damaged(err.Error())
	}
	switch {
	case i.Format > format:
		return identity{}, fmt.Errorf("%s/%s has format %d, and this hubhome knows %d: use a newer hubhome", ownDir, storeFile, i.Format, format)
	case i.Format < 1:
		return identity{}, damaged("it has no format")
	case i.ID == "":
		return identity{}, damaged("it has no id")
	case len(i.Key) != keySize:
		return identity{}, damaged(fmt.Sprintf("its key has %d bytes and not %d", len(i.Key), keySize))
	}
	return i, nil
}

func damaged(how string) error {
	return fmt.Errorf("%s/%s is damaged: %s: restore it from a backup of the disk, or remove it to go on with a new one, after which every client must mount again", ownDir, storeFile, how)
}

func (s *Store) newIdentity() (identity, error) {
	var id [16]byte
	rand.Read(id[:])
	i := identity{Format: format, ID: hex.EncodeToString(id[:]), Key: make([]byte, keySize)}
	rand.Read(i.Key)
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return identity{}, err
	}
	if err := s.disk.WriteFile(s.own, storeFile, append(data, '\n'), 0o600); err != nil {
		return identity{}, fmt.Errorf("write %s/%s: %w", ownDir, storeFile, err)
	}
	if s.settled() {
		s.log.Info("this is a new store, on a disk with directories: homes in those of the hubs are counted, while they are served", "path", s.path, "id", i.ID)
	} else {
		s.log.Warn("this is a new store: if it should hold homes already, its disk is not mounted", "path", s.path, "id", i.ID)
	}
	return i, nil
}

// settled tells whether there are directories that are neither hubhome's nor the file system's own.
func (s *Store) settled() (settled bool) {
	dir, err := s.disk.Open(s.root, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return false
	}
	defer disk.Close(dir)
	var st disk.Stat
	s.disk.ReadDir(dir, 0, make([]byte, 64<<10), func(n *disk.Name) bool {
		switch string(n.Name) {
		case ownDir, "lost+found":
		default:
			settled = s.disk.StatEntry(dir, n, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
		}
		return !settled
	})
	return settled
}
