// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
)

// takeLock keeps a second server from the store. The lock is the kernel's, on the directory of hubhome's own data, and goes
// with the process however that ends. What is written in the file only says who has it: removing the file frees nothing.
func (s *Store) takeLock() error {
	switch err := s.disk.Lock(s.own); err {
	case nil:
	case syscall.EWOULDBLOCK:
		holder := "another process"
		if text, err := s.disk.ReadFile(s.own, lockFile, 4<<10); err == nil && len(text) > 0 {
			holder = strings.TrimSpace(string(text))
		}
		return fmt.Errorf("%w: in use by %s: stop that server first, or give this one another store", syscall.EBUSY, holder)
	default:
		return fmt.Errorf("lock %s: %w", ownDir, err)
	}
	fd, err := s.disk.Open(s.own, lockFile, unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		return fmt.Errorf("open %s/%s: %w", ownDir, lockFile, explainWrite(err))
	}
	defer disk.Close(fd)
	text := fmt.Sprintf("process %d on %s since %s\n", os.Getpid(), hostname(), time.Now().UTC().Format(time.RFC3339))
	if err := s.disk.Truncate(fd, 0); err != nil {
		return fmt.Errorf("write %s/%s: %w", ownDir, lockFile, err)
	}
	// On a full disk it says nothing, and the server starts all the same.
	if _, err := s.disk.Write(fd, []byte(text), 0); err != nil && err != syscall.ENOSPC && err != syscall.EDQUOT {
		return fmt.Errorf("write %s/%s: %w", ownDir, lockFile, err)
	}
	return nil
}
