// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package survey

import (
	"context"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// How often the server is asked what space it has, how soon again where it did not say so, and how long it may take.
const (
	spaceTime    = 5 * time.Minute
	spaceAgain   = time.Minute
	spaceTimeout = time.Minute
)

// measure asks the server again and again what space it has, until ctx ends. A scan is too seldom for that: a share fills in
// an hour.
func (s *Survey) measure(ctx context.Context) {
	for silent := false; ; {
		wait := spaceTime
		space, err := s.space(ctx)
		if err != nil {
			wait = spaceAgain
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !silent:
			s.opt.Logger.Warn("ask what space the server has; what it said last stays", "error", err, "again", wait)
		case err == nil && silent:
			s.opt.Logger.Info("the server says again what space it has")
		}
		silent = err != nil
		if err == nil && space.TotalBytes > 0 { // else it does not say
			s.mu.Lock()
			s.status.Space, s.status.SpaceAsOf = space, time.Now()
			s.mu.Unlock()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (s *Survey) space(ctx context.Context) (vfs.StatFS, error) {
	ctx, cancel := context.WithTimeout(ctx, spaceTimeout)
	defer cancel()
	return s.opt.Space(ctx, s.pace.Wait)
}
