// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

const (
	// sweepTime is between two looks at files that have yet to come to rest (quota.RestSweeps).
	sweepTime = restTime / quota.RestSweeps
	// checkpointSweeps is after how many of them the ledger is persisted. What a crash costs is a count of the homes that were
	// changed since.
	checkpointSweeps = 6
	// progressTime is between two lines in the log about a count that goes on.
	progressTime = 10 * time.Second
)

// Run keeps the ledger until ctx ends: it counts the homes of which it is not known what they take, persists the ledger, looks again
// at files that have yet to come to rest, and for homes that were made behind the server's back. What goes wrong is logged and
// tried again.
func (s *Store) Run(ctx context.Context) error {
	var counting sync.WaitGroup
	defer counting.Wait()
	counting.Go(func() { s.countAll(ctx) })
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	failing, blind := false, false
	for sweeps := 1; ; sweeps++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		s.sweep(ctx)
		if sweeps%checkpointSweeps != 0 {
			continue
		}
		err := s.ledger.checkpoint(false)
		if err != nil && !failing {
			s.log.Error("the ledger of what homes take is not persisted: after a crash more homes are counted than need be", "error", err)
		}
		if err == nil && failing {
			s.log.Info("the ledger of what homes take is persisted again")
		}
		failing = err != nil
		err = s.notice()
		if err != nil && !blind {
			s.log.Error("homes that were made on the disk itself are not known until somebody uses them", "error", err)
		}
		blind = err != nil
	}
}

// sweep looks at files that have yet to come to rest, for no longer than until the next time.
func (s *Store) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	s.quota.Sweep(ctx)
}

// countAll counts homes until ctx ends.
func (s *Store) countAll(ctx context.Context) {
	tick := time.NewTicker(sweepTime)
	defer tick.Stop()
	for {
		homes, news := s.retries.due(s.quota.Uncounted(), time.Now())
		s.count(ctx, homes, news)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// count counts homes, while they are used, and returns when all are counted or ctx ends. news: the log is to hear of it.
func (s *Store) count(ctx context.Context, homes []vfs.HomeID, news bool) {
	if len(homes) == 0 {
		return
	}
	level := slog.LevelDebug
	if news {
		level = slog.LevelInfo
	}
	s.log.Log(ctx, level, "counting what homes take", "homes", len(homes))
	began, told := time.Now(), time.Now()
	var sum quota.Usage
	counted, failed := 0, 0
	defer s.progress.Store(nil)
	for i, id := range homes {
		if ctx.Err() != nil {
			return
		}
		s.progress.Store(&Progress{Homes: len(homes), Counted: i, Inodes: sum.Inodes, Since: began})
		u, err := s.recount(ctx, id, func(now quota.Usage) {
			s.progress.Store(&Progress{Homes: len(homes), Counted: i, Inodes: sum.Inodes + now.Inodes, Since: began})
			if time.Since(told) < progressTime {
				return
			}
			told = time.Now()
			s.log.Info("still counting what homes take", "counted", i, "homes", len(homes),
				"inodes", sum.Inodes+now.Inodes, "bytes", sum.Bytes+now.Bytes)
		})
		sum.Bytes, sum.Inodes = sum.Bytes+u.Bytes, sum.Inodes+u.Inodes
		switch {
		case err == nil:
			counted++
		case !errors.Is(err, errMoved) && !errors.Is(err, errCounted): // one that is gone, or counted by somebody else, is neither
			failed++
		}
	}
	s.log.Log(ctx, level, "counted what homes take", "homes", counted, "failed", failed, "inodes", sum.Inodes, "bytes", sum.Bytes,
		"took", time.Since(began).Round(time.Millisecond).String())
}

// Progress is how far the count of homes has come that runs. Its zero value: none does.
type Progress struct {
	// Homes is how many are to be counted, and Counted how many are; Inodes what was seen in all until now.
	Homes, Counted int
	Inodes         int64
	Since          time.Time
}

// Progress tells how far the count of homes has come.
func (s *Store) Progress() Progress {
	if p := s.progress.Load(); p != nil {
		return *p
	}
	return Progress{}
}

// recount counts one home, and returns what it takes: with an error, what of it was counted. The error was logged, but for
// errMoved where it has gone, and errCounted where somebody counts it already.
func (s *Store) recount(ctx context.Context, id vfs.HomeID, progress func(quota.Usage)) (quota.Usage, error) {
	c, err := s.begin(id)
	if err != nil {
		return quota.Usage{}, err
	}
	err = s.tallyTold(ctx, c, func() {
		c.Publish()
		progress(c.Sum())
	})
	return s.counted(ctx, id, c, err), err
}

// counted ends the count of a home, which has gone wrong where there is an error.
func (s *Store) counted(ctx context.Context, id vfs.HomeID, c *quota.Count, err error) quota.Usage {
	hub, name, _, _ := c.Where()
	if ctx.Err() != nil {
		c.Cancel()
		return quota.Usage{}
	}
	pause, tell, failed := s.retries.counted(id, time.Now(), err)
	missing, partly := errors.AsType[*unreadError](err)
	var sum quota.Usage
	switch {
	case err == nil:
		var before quota.Usage
		sum, before, _ = c.Done()
		s.log.Debug("counted what a home takes", "hub", hub, "home", name, "bytes", sum.Bytes, "inodes", sum.Inodes,
			"bytesBefore", before.Bytes, "inodesBefore", before.Inodes)
		if failed {
			s.log.Info("a home can be counted again", "hub", hub, "home", name)
		}
		return sum
	case errors.Is(err, errMoved):
		c.Cancel()
		if listed := s.relist(ctx); listed != nil {
			err = listed
		} else {
			tell = false // it is found where it is now, or has gone
		}
	case partly:
		sum = c.Sum()
		c.Fail(missing.n, err)
	default:
		c.Fail(0, err)
	}
	if tell {
		s.log.Error("a home cannot be counted, and what is known of it is not certain; it is tried again, more and more seldom",
			"hub", hub, "home", name, "error", err, "again", pause.String())
	}
	return sum
}
