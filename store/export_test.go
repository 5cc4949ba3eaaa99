// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"context"
	"log/slog"
	"time"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// Checkpoint persists the ledger.
func (s *Store) Checkpoint() error { return s.ledger.checkpoint(false) }

// Sweep lets all files come to rest.
func (s *Store) Sweep() {
	for range quota.RestSweeps + 1 {
		s.quota.Sweep(context.Background())
	}
}

// Distrust has homes of a name counted.
func (s *Store) Distrust(name string) {
	for _, hub := range s.Report().Hubs {
		for _, h := range hub.Homes {
			if h.Name == name {
				if c, err := s.quota.Begin(h.ID, time.Now()); err == nil {
					c.Cancel()
				}
			}
		}
	}
}

// Recount counts the homes of which it is not known what they take.
func (s *Store) Recount(ctx context.Context) { s.count(ctx, s.quota.Uncounted(), true) }

// RecountHome counts one home.
func (s *Store) RecountHome(name string) {
	for _, hub := range s.Report().Hubs {
		for _, h := range hub.Homes {
			if h.Name == name {
				s.count(context.Background(), []vfs.HomeID{h.ID}, true)
			}
		}
	}
}

// Notice looks for homes that were made on the disk, and tells whether it has listed all.
func (s *Store) Notice() (listed bool, err error) {
	before := s.listed.began
	err = s.notice()
	return s.listed.began != before, err
}

// LogTo changes where the log goes.
func (s *Store) LogTo(log *slog.Logger) { s.log = log }

// WarnBirthless is told of a file system, as Open is of the store's.
func (s *Store) WarnBirthless(root *disk.Stat) { s.warnBirthless(root) }

// Uncharged returns the files without the ledger.
func (s *Store) Uncharged() vfs.FS { return s.fs }

// CleanLedger makes of a ledger's file one in which all homes are clean and take so much.
func CleanLedger(data []byte, used quota.Usage) ([]byte, error) {
	generation, records, _, err := parseLedger(data)
	if err != nil {
		return nil, err
	}
	for i := range records {
		records[i].Dirty, records[i].Used = false, used
	}
	return formatLedger(generation, records, nil)
}
