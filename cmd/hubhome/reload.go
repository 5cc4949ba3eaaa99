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
	"github.com/hubhome/hubhome/quota"
)

// reloading is what a server has of its configuration, and of what becomes of it when it changes.
type reloading struct {
	log   *slog.Logger
	level *slog.LevelVar
	// file is the configuration's; config what is in force.
	file   string
	config *config.Config
	// lasting are the keys that take a restart. take takes a configuration over as a whole, or not at all.
	lasting func(*config.Config) []setting
	take    func(context.Context, *config.Config) error

	operator *operation
}

// setting is what a configuration says at a key.
type setting struct{ key, value string }

// reloads takes a changed configuration over, until ctx ends. Reloads never run at the same time.
func (s *reloading) reloads(ctx context.Context, hangUp <-chan os.Signal) {
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
func (s *reloading) reload(ctx context.Context) outcome {
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
	overfull := overfullHomes(s.operator.homes.Report())
	if err := s.take(ctx, next); err != nil {
		if ctx.Err() == nil { // else nobody waits for it any more
			s.refuse(err)
		}
		return refused
	}
	s.operator.set(next)
	s.level.Set(next.Log.Level)
	before := s.config
	s.config = next
	s.log.Info("took the changed configuration over", "file", s.file, "hubs", len(next.Hubs),
		"added", names(next, before), "removed", names(before, next))
	s.warnOverfull(overfull, overfullHomes(s.operator.homes.Report()))
	return taken
}

// overfullHomes are the homes, as hub/home, and the hubs that take more than they may.
func overfullHomes(report quota.Report) []string {
	var all []string
	for i := range report.Hubs {
		hub := &report.Hubs[i]
		if hub.Full() > 1 {
			all = append(all, string(hub.Name))
		}
		for j := range hub.Homes {
			if hub.Homes[j].Full() > 1 {
				all = append(all, string(hub.Name)+"/"+hub.Homes[j].Name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// warnOverfull says that quotas are below what homes take, where a configuration has made it so: with a unit that is mistaken
// that would be all homes of a hub.
func (s *reloading) warnOverfull(before, after []string) {
	now := slices.DeleteFunc(after, func(name string) bool {
		_, was := slices.BinarySearch(before, name)
		return was
	})
	if len(now) > 0 {
		s.log.Warn("quotas are below what homes take already: nothing but small files can be written there until there is room",
			"homes", len(now), "first", now[0])
	}
}

// refuse logs why a configuration was not taken over.
func (s *reloading) refuse(err error) {
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
func (s *reloading) fixed(next *config.Config) error {
	if was, is := s.config.Store.IsRemote(), next.Store.IsRemote(); was != is {
		return config.Problems{next.Problem("store", "changes from one kind to another, which takes a restart of the server")}
	}
	var problems config.Problems
	was := s.everLasting(s.config)
	for i, k := range s.everLasting(next) {
		if was := was[i].value; was != k.value {
			problems = append(problems, next.Problem(k.key, "changes from %s to %s, which takes a restart of the server", was, k.value))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// everLasting are the keys that take a restart, whatever the store.
func (s *reloading) everLasting(c *config.Config) []setting {
	return append(s.lasting(c),
		setting{adminSocketKey, c.Admin.Socket}, setting{metricsListenKey, cmp.Or(c.Metrics.Listen, "nowhere")})
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
