// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/config"
)

// reloads takes a changed configuration over, until ctx ends. Reloads never run at the same time.
func (s *server) reloads(ctx context.Context, hangUp <-chan os.Signal) {
	changed := make(chan struct{}, 1)
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() {
		err := config.Watch(ctx, s.file, func() {
			select {
			case changed <- struct{}{}:
			default: // one is coming
			}
		})
		if err != nil {
			s.log.Warn("changes of the configuration are not noticed any longer; send SIGHUP", "error", err)
		}
	})
	last := taken
	for {
		level := slog.LevelInfo
		select {
		case <-ctx.Done():
			return
		case <-changed:
			if last != refused { // else somebody waits to hear that the file is right again
				level = slog.LevelDebug
			}
		case <-hangUp:
		}
		last = s.reload(ctx)
		s.operator.reloaded(last != refused)
		if last == unchanged {
			s.log.Log(ctx, level, "the configuration says what it said", "file", s.file)
		}
	}
}

// outcome is what became of a reload.
type outcome int

const (
	taken outcome = iota
	unchanged
	refused
)

// reload reads the configuration and takes it over as a whole, or logs why not and leaves everything as it was.
func (s *server) reload(ctx context.Context) outcome {
	next, err := config.Load(s.file)
	if err == nil {
		err = s.fixed(next)
	}
	if err != nil {
		s.refuse(err)
		return refused
	}
	if next.Same(s.config) {
		s.config = next // its places are those in the file
		return unchanged
	}
	if err := s.store.SetHubs(ctx, hubs(next)); err != nil {
		if ctx.Err() == nil { // else nobody waits for it any more
			s.refuse(err)
		}
		return refused
	}
	s.store.SetReserve(reserve(next))
	s.nfs.Set(settings(next))
	s.clients.set(next.NFS.Allow)
	s.operator.set(next)
	s.level.Set(next.Log.Level)
	before := s.config
	s.config = next
	s.log.Info("took the changed configuration over", "file", s.file, "hubs", len(next.Hubs),
		"added", names(next, before), "removed", names(before, next))
	return taken
}

// refuse logs why a configuration was not taken over.
func (s *server) refuse(err error) {
	const message = "the changed configuration is not taken over; the one before stays in force"
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		s.log.Error(message, "file", s.file, "error", err)
		return
	}
	for _, p := range problems {
		s.log.Error(message, "error", p)
	}
}

// fixed returns what a configuration would change that cannot change while the server runs.
func (s *server) fixed(next *config.Config) error {
	var problems config.Problems
	was := s.config
	for _, k := range []struct{ key, was, is string }{
		{storePathKey, was.Store.Disk.Path, next.Store.Disk.Path},
		{listenKey, was.NFS.Listen, next.NFS.Listen},
		{adminSocketKey, was.Admin.Socket, next.Admin.Socket},
		{metricsListenKey, cmp.Or(was.Metrics.Listen, "nowhere"), cmp.Or(next.Metrics.Listen, "nowhere")},
	} {
		if k.was != k.is {
			problems = append(problems, next.Problem(k.key, "changes from %s to %s, which takes a restart of the server", k.was, k.is))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// names returns the hubs of one configuration that another does not have.
func names(of, without *config.Config) []hubhome.HubName {
	var all []hubhome.HubName
	for _, h := range of.Hubs {
		if !slices.ContainsFunc(without.Hubs, func(o config.Hub) bool { return o.Name == h.Name }) {
			all = append(all, h.Name)
		}
	}
	return all
}
