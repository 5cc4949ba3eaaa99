// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
)

// A client's record is written before its first OPEN in a home, also one that only reads. Where the disk is full there is
// no room for it, and nobody could start a server to make room. So some files are kept that have their space already.
const (
	spareDir   = "spare"
	spareCount = 8
	spareSize  = 16 << 10 // bytes
)

// spares are files that can become others without taking space. Methods may be called concurrently.
type spares struct {
	disk *disk.Disk
	dir  int

	mu    sync.Mutex
	names []string
}

// openSpares finds the spare files, and makes those that are missing as far as there is room.
func openSpares(s *Store) (*spares, error) {
	dir, err := s.directory(s.own, spareDir, 0o700)
	if err != nil {
		return nil, err
	}
	sp := &spares{disk: s.disk, dir: dir}
	for _, name := range spareNames {
		var st disk.Stat
		if s.disk.Stat(dir, name, &st) == nil && st.Size >= spareSize {
			sp.names = append(sp.names, name)
		}
	}
	err = sp.refill()
	if err != nil {
		disk.Close(dir)
		return nil, err
	}
	return sp, nil
}

var spareNames = func() (names []string) {
	for i := range spareCount {
		names = append(names, strconv.Itoa(i))
	}
	return names
}()

// noRoom tells whether a call failed for want of space.
func noRoom(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// refill makes the spare files that are missing, as far as there is room.
func (sp *spares) refill() error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for _, name := range spareNames {
		if len(sp.names) == spareCount {
			break
		}
		if slices.Contains(sp.names, name) {
			continue
		}
		switch err := sp.disk.WriteFile(sp.dir, name, make([]byte, spareSize), 0o600); {
		case noRoom(err):
			return nil
		case err != nil:
			return err
		}
		sp.names = append(sp.names, name)
	}
	return nil
}

// writeFile is disk.WriteFile with a spare file's space, for data that may be followed by white space. The file that had
// the name before becomes the spare one, if it is as long. ENOSPC where no spare file is left, or data does not fit.
func (sp *spares) writeFile(dir int, name string, data []byte) error {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if len(sp.names) == 0 || len(data) > spareSize {
		return syscall.ENOSPC
	}
	spare := sp.names[len(sp.names)-1]
	fd, err := sp.disk.Open(sp.dir, spare, unix.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer disk.Close(fd)
	data = append(slices.Clip(data), bytes.Repeat([]byte(" "), spareSize-len(data))...)
	for off := 0; off < len(data); {
		n, err := sp.disk.Write(fd, data[off:], int64(off))
		if err != nil {
			return err
		}
		off += n
	}
	if err := sp.disk.Sync(fd); err != nil {
		return err
	}
	switch err := sp.disk.Rename(sp.dir, spare, dir, name, unix.RENAME_EXCHANGE); err {
	case nil:
		if err := sp.keep(spare); err != nil {
			return err
		}
	case syscall.ENOENT: // there was none of that name
		if err := sp.disk.Rename(sp.dir, spare, dir, name, 0); err != nil {
			return err
		}
		sp.names = sp.names[:len(sp.names)-1]
	default:
		return err
	}
	return sp.disk.Sync(dir)
}

// keep keeps the last spare file, which was another before, or removes it where it has too little space. sp.mu is held.
func (sp *spares) keep(spare string) error {
	var st disk.Stat
	if err := sp.disk.Stat(sp.dir, spare, &st); err != nil {
		return err
	}
	if st.Size >= spareSize {
		return nil
	}
	sp.names = sp.names[:len(sp.names)-1]
	return sp.disk.Unlink(sp.dir, spare, 0)
}
