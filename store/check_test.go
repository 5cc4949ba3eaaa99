// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/store"
)

// TestCheckServed compares a home with the disk while it is changed in every way that there is: there is never a difference.
// Nor does comparing, and making right what is right, leave one.
func TestCheckServed(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	s.Recount(ctx)
	dirs := populate(t, s, 10)
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	for round := range rounds {
		disturbed(s, dirs, 3, round, func() {
			for _, repair := range []bool{false, true, false} {
				told := false
				err := s.CheckServed(ctx, repair, func(c store.Checked) error {
					if c.Home == "ada" {
						told = true
					}
					if !c.Same() || !c.Believed {
						t.Errorf("round %d: of %s/%s the ledger says %+v, the disk %+v", round, c.Hub, c.Home, c.Ledger, c.Disk)
					}
					return nil
				})
				if err != nil || !told {
					t.Errorf("round %d: told of the home %v: %v", round, told, err)
				}
			}
		})
		s.Sweep()
		exact(t, s, path)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// TestCheckProgress has a home of which a directory is not read before it was told how far the check is.
func TestCheckProgress(t *testing.T) {
	var waits atomic.Bool
	told := make(chan struct{})
	s := serving(t, t.TempDir(), &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpReadDir && waits.CompareAndSwap(true, false) {
			select {
			case <-told:
			case <-time.After(time.Minute):
				return syscall.ETIMEDOUT
			}
		}
		return nil
	}})
	s.Recount(ctx)
	put(t, s, mkdir(t, s, mkdir(t, s, at(t, s, "prod"), "ada"), "d"), "f", 5000)
	known := s.Report().Hubs[0].Used
	homes, last := 0, store.CheckProgress{}
	err := s.Check(ctx, prod, false, func(c store.Checked) {
		if homes++; c.Home == "_shared" {
			return
		}
		waits.Store(c.Home == "") // of the next one
	}, func(at store.CheckProgress) {
		if at.Checked == 1 && homes == 1 && !waits.Load() {
			select {
			case <-told:
			default:
				close(told)
			}
		}
		last = at
	})
	if err != nil || last != (store.CheckProgress{Homes: 3, Checked: 3, Seen: known, Known: known}) || homes != 3 {
		t.Errorf("%d were told of, at last %+v, of %+v: %v", homes, last, known, err)
	}
	select {
	case <-told:
	default:
		t.Error("nothing was told while a home was counted")
	}
}

// TestCheckOnce has a second check refused while one runs, and one ended by who is told.
func TestCheckOnce(t *testing.T) {
	s := serving(t, t.TempDir(), nil)
	s.Recount(ctx)
	enough := errors.New("enough")
	err := s.CheckServed(ctx, false, func(store.Checked) error {
		if err := s.CheckServed(ctx, false, func(store.Checked) error { return nil }); !errors.Is(err, syscall.EBUSY) {
			t.Errorf("a second check: %v", err)
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Errorf("the check ended with %v", err)
	}
}
