// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/metrics"
	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/survey"
	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/vfs"
)

const (
	remoteServerKey  = "store.nfs.server"
	remoteVersionKey = "store.nfs.version"
	mountPortKey     = "store.nfs.mountPort"
	remoteAsKey      = "store.nfs.as"
	remoteBaseKey    = "store.nfs.baseShare"
	stateDirKey      = "store.nfs.stateDir"
	// stateFile is in the directory of states.
	stateFile = "usage"
)

// looker is everything that tells what homes hold on an NFS server that somebody else runs. It serves no files.
type looker struct {
	reloading
	survey *survey.Survey
}

// openLooker reads what was found before, and listens for operators. It asks no server yet.
func openLooker(log *slog.Logger, level *slog.LevelVar, file string, c *config.Config) (*looker, error) {
	cfg, err := reachedBy(c)
	if err != nil {
		return nil, err
	}
	as, err := lookedAs(c)
	if err != nil {
		return nil, err
	}
	dir := c.Store.Remote.StateDir
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s: %s: %w: the directory above it must be there", c.Place(stateDirKey), stateDirKey, err)
	}
	l := &looker{reloading: reloading{log: log, level: level, file: file, config: c}}
	l.lasting = func(c *config.Config) []setting {
		r := &c.Store.Remote
		return []setting{
			{remoteServerKey, r.Server}, {remoteBaseKey, r.BaseShare}, {remoteVersionKey, r.Version},
			{mountPortKey, strconv.Itoa(r.MountPort)}, {remoteAsKey, r.As}, {stateDirKey, r.StateDir},
		}
	}
	l.take = func(_ context.Context, next *config.Config) error {
		l.survey.Set(surveyed(next))
		return nil
	}
	l.survey = survey.New(survey.Options{
		Dial: func(ctx context.Context, pace func(context.Context) error) (*survey.Tree, error) {
			return lookAt(ctx, cfg, pace)
		},
		Space: func(ctx context.Context, pace func(context.Context) error) (vfs.StatFS, error) {
			tree, err := lookAt(ctx, cfg, pace)
			if err != nil {
				return vfs.StatFS{}, err
			}
			defer tree.Close()
			return usage.Space(ctx, tree.FS, tree.Path, as)
		},
		As:     as,
		State:  filepath.Join(dir, stateFile),
		Source: sourceOf(cfg.Server, cfg.Path),
		Logger: log,
	}, surveyed(c))
	if l.operator, err = listenOperation(log, c, l.survey); err != nil {
		return nil, err
	}
	if err := l.survey.Open(); err != nil {
		l.operator.close()
		return nil, fmt.Errorf("%s: %s: %w", c.Place(stateDirKey), stateDirKey, err)
	}
	l.operator.register(&metrics.Scans{Status: l.survey.Status})
	return l, nil
}

// sourceOf is what is looked through, as a state knows it.
func sourceOf(server remote.Address, base string) string {
	return "nfs://" + path.Join(server.String(), base)
}

// reachedBy is how a configuration has the server reached.
func reachedBy(c *config.Config) (cfg remote.Config, err error) {
	r := &c.Store.Remote
	cfg = remote.Config{Path: r.BaseShare}
	if cfg.Server, err = remote.ParseAddress(r.Server); err != nil {
		return cfg, c.Problem(remoteServerKey, "%v", err)
	}
	if cfg.Version, err = remote.ParseVersion(r.Version); err != nil {
		return cfg, c.Problem(remoteVersionKey, "%v", err)
	}
	cfg.MountPort = uint16(r.MountPort)
	return cfg, nil
}

// lookedAs is who looks, as a configuration has it (usage.Spec).
func lookedAs(c *config.Config) (*vfs.Caller, error) {
	if c.Store.Remote.As == config.Auto {
		return nil, nil
	}
	owner, err := hubhome.ParseOwner(c.Store.Remote.As)
	if err != nil {
		return nil, c.Problem(remoteAsKey, "%v", err)
	}
	return &vfs.Caller{UID: owner.UID, GID: owner.GID}, nil
}

// surveyed are a configuration's settings as the survey wants them.
func surveyed(c *config.Config) survey.Settings {
	scan := c.Store.Remote.Scan
	set := survey.Settings{Interval: scan.Interval, IOPS: scan.IOPS, MaxAge: scan.MaxAge}
	for _, h := range c.Hubs {
		set.Hubs = append(set.Hubs, h.Name)
	}
	return set
}

// lookAt reaches the server for one scan.
func lookAt(ctx context.Context, cfg remote.Config, pace func(context.Context) error) (*survey.Tree, error) {
	cfg.Pace = pace
	fs, err := remote.Dial(ctx, cfg)
	if err != nil {
		return nil, err
	}
	names, err := fs.Below(cfg.Path)
	if err != nil {
		fs.Close()
		return nil, err
	}
	return &survey.Tree{FS: fs, Path: names, Close: fs.Close}, nil
}

// run looks through the homes and tells of them until ctx ends.
func (l *looker) run(ctx context.Context, hangUp <-chan os.Signal) error {
	r := &l.config.Store.Remote
	hubs := any("all")
	if len(l.config.Hubs) > 0 {
		hubs = len(l.config.Hubs)
	}
	l.log.Info("looking through homes that somebody else serves", "server", r.Server, "baseShare", r.BaseShare, "hubs", hubs,
		"interval", r.Scan.Interval, "version", versionNumber())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.survey.Run(ctx) })
	group.Go(func() error { return l.operator.run(ctx) })
	group.Go(func() error {
		l.reloads(ctx, hangUp)
		return nil
	})
	return group.Wait()
}
