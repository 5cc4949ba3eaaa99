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
	"github.com/hubhome/hubhome/vfs"
)

// Checked is what Check found of a home, or with an empty name of what lies in a hub's directory and in no home.
type Checked struct {
	Hub  hubhome.HubName
	Home string // bytes of any kind
	// Ledger is what the ledger says, Disk what there is.
	Ledger, Disk quota.Usage
	// Believed: the ledger says so for certain. Otherwise the next start would have counted the home, and a difference is none.
	Believed bool
	// Fault is why the home could not be counted; empty: it could. Then nothing is known of Disk, and nothing is made right.
	Fault string
}

// Same tells whether the ledger is right.
func (c *Checked) Same() bool { return !c.Believed || c.Ledger == c.Disk }

// CheckProgress is how far a check is.
type CheckProgress struct {
	// Homes is how many directories are to be counted, and Checked how many are.
	Homes, Checked int
	// Seen is what was counted until now, and Known what the ledger says of all.
	Seen, Known quota.Usage
}

// Check counts the homes of hubs and compares what they take with what the ledger says, home by home. repair makes the ledger
// right. It is for a store that is not being served, and changes nothing in the hubs' directories: one that is not there is
// passed over. progress is called each second, and after each home; it and tell one at a time.
func (s *Store) Check(ctx context.Context, hubs []Hub, repair bool, tell func(Checked), progress func(CheckProgress)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var there []Hub
	for _, h := range hubs {
		_, _, _, err := s.listHub(string(h.Name))
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
	report := s.quota.Report()
	var at CheckProgress
	for _, hub := range report.Hubs {
		at.Homes += 1 + len(hub.Homes)
		at.Known = plus(at.Known, hub.Used)
	}
	for _, hub := range report.Hubs {
		homes := append([]quota.HomeReport{{ID: hub.ID, Used: hub.Own, State: hub.OwnState}}, hub.Homes...)
		for _, home := range homes {
			checked := Checked{Hub: hub.Name, Home: home.Name, Ledger: home.Used, Believed: home.State == quota.Clean}
			before := at.Seen
			var err error
			checked.Disk, err = s.countResting(ctx, home.ID, repair, func(now quota.Usage) {
				at.Seen = plus(before, now)
				progress(at)
			})
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				checked.Fault = err.Error()
			}
			at.Seen = plus(before, checked.Disk)
			at.Checked++
			tell(checked)
			progress(at)
		}
	}
	return nil
}

func plus(a, b quota.Usage) quota.Usage {
	return quota.Usage{Bytes: a.Bytes + b.Bytes, Inodes: a.Inodes + b.Inodes}
}

// countResting counts a home that nobody uses, and tells each second how far that is.
func (s *Store) countResting(ctx context.Context, id vfs.HomeID, repair bool, progress func(quota.Usage)) (quota.Usage, error) {
	c, err := s.begin(id)
	if err != nil {
		return quota.Usage{}, err
	}
	err = s.tallyTold(ctx, c, func() { progress(c.Sum()) })
	sum := c.Sum()
	if err == nil && repair {
		c.Done()
	} else {
		c.Leave()
	}
	return sum, err
}

// tallyTold is tally, and calls a function each second until it returns.
func (s *Store) tallyTold(ctx context.Context, c *quota.Count, tell func()) error {
	ended := make(chan error, 1)
	go func() { ended <- s.tally(ctx, c) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			tell()
		}
	}
}

// CheckServed is Check for a store that is being served: each home is counted while it is used, and compared at the moment at
// which its count is done. Homes that are to be counted anyway, or in which something went wrong meanwhile, are not Believed;
// repair counts the former at once, and what was made right is on the disk when it returns. One check at a time: EBUSY. An
// error of tell is returned.
func (s *Store) CheckServed(ctx context.Context, repair bool, tell func(Checked) error) error {
	if !s.checking.TryLock() {
		return fmt.Errorf("another check is running: %w", syscall.EBUSY)
	}
	defer s.checking.Unlock()
	// Homes may have come and gone behind the server's back too.
	s.mu.Lock()
	err := s.list(s.hubs)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for _, hub := range s.quota.Report().Hubs {
		homes := append([]quota.HomeReport{{ID: hub.ID, Used: hub.Own, State: hub.OwnState}}, hub.Homes...)
		for _, home := range homes {
			checked := Checked{Hub: hub.Name, Home: home.Name, Ledger: home.Used}
			var err error
			switch {
			case home.State == quota.Clean:
				err = s.compare(ctx, home.ID, repair, &checked)
			case repair:
				checked.Disk, err = s.recount(ctx, home.ID, func(quota.Usage) {})
			}
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, errMoved):
				continue
			case errors.Is(err, errCounted): // and so not believed
			case err != nil:
				checked.Fault = err.Error()
			}
			if err := tell(checked); err != nil {
				return err
			}
		}
	}
	if repair {
		return s.ledger.checkpoint(false) // a crash would bring back what was wrong, and nobody would know
	}
	return nil
}

// compare counts a home that is used, and compares. Where the home has gone meanwhile, that is errMoved.
func (s *Store) compare(ctx context.Context, id vfs.HomeID, repair bool, checked *Checked) error {
	c, err := s.begin(id)
	if err != nil {
		return err
	}
	if err := s.tally(ctx, c); err != nil {
		c.Leave()
		return err
	}
	if repair {
		checked.Disk, checked.Ledger, checked.Believed = c.Done()
	} else {
		checked.Disk, checked.Ledger, checked.Believed = c.Compare()
	}
	return nil
}

// errCounted says that a home is being counted by somebody else.
var errCounted = errors.New("it is being counted already")

// begin begins a count.
func (s *Store) begin(id vfs.HomeID) (*quota.Count, error) {
	switch c, err := s.quota.Begin(id, time.Now()); err {
	case nil:
		return c, nil
	case syscall.EBUSY:
		return nil, errCounted
	default:
		return nil, errMoved
	}
}
