// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"fmt"
	"syscall"
)

// warningsFile has what was told of homes that fill up.
const warningsFile = "warnings.json"

// maxWarnings is the longest such file that is read, in bytes.
const maxWarnings = 256 << 20

// LoadWarnings returns what SaveWarnings was given last; nothing where it never was.
func (s *Store) LoadWarnings() ([]byte, error) {
	data, err := s.disk.ReadFile(s.own, warningsFile, maxWarnings)
	switch {
	case err == syscall.ENOENT:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s/%s: %w", ownDir, warningsFile, err)
	}
	return data, nil
}

// SaveWarnings makes it durable which warnings were given. One call at a time.
func (s *Store) SaveWarnings(data []byte) error {
	if err := s.disk.WriteFile(s.own, warningsFile, data, 0o600); err != nil {
		return fmt.Errorf("write %s/%s: %w", ownDir, warningsFile, err)
	}
	return nil
}
