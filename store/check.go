// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
)

// Checked is what Check found of a home, or with an empty name of what lies in a hub's directory and in no home.
type Checked struct {
	Hub  hubhome.HubName
	Home string // bytes of any kind
	// Ledger is what the ledger says, Disk what there is.
	Ledger, Disk quota.Usage
	// Believed: the ledger says so for certain. Otherwise the next start would have counted the home, and a difference is none.
	Believed bool
}

// Same tells whether the ledger is right.
func (c *Checked) Same() bool { return !c.Believed || c.Ledger == c.Disk }

// Check counts the homes of hubs and compares what they take with what the ledger says, home by home. repair makes the ledger
// right. It is for a store that is not being served, and changes nothing in the hubs' directories: one that is not there is
// passed over.
func (s *Store) Check(ctx context.Context, hubs []Hub, repair bool, tell func(Checked)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var there []Hub
	for _, h := range hubs {
		_, _, err := s.listHub(string(h.Name))
		switch {
		case errors.Is(err, syscall.ENOENT):
		case err != nil:
			return fmt.Errorf("hub %q: list its homes: %w", h.Name, err)
		default:
			there = append(there, h)
		}
	}
	if err := s.list(there); err != nil {
		return err
	}
	for _, hub := range s.quota.Report().Hubs {
		homes := append([]quota.HomeReport{{ID: hub.ID, Used: hub.Own, State: hub.OwnState}}, hub.Homes...)
		for _, home := range homes {
			c := s.quota.Begin(home.ID, time.Now())
			err := s.tally(ctx, c)
			sum := c.Sum()
			if err == nil && repair {
				c.Done()
			} else {
				c.Leave()
			}
			if err != nil {
				return fmt.Errorf("count what home %q in hub %q takes: %w", home.Name, hub.Name, err)
			}
			tell(Checked{hub.Name, home.Name, home.Used, sum, home.State == quota.Clean})
		}
	}
	return nil
}
