// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/metrics"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/store"
)

const storePathKey = "store.disk.path"

// lease is how long a client may be silent before what it holds may be given to others. A node that dies holds up its
// own users for as long; one that is merely cut off loses its locks after it. Linux clients renew every two thirds of it.
const lease = 60 * time.Second

// server is everything that serves one configuration.
type server struct {
	reloading

	store    *store.Store
	nfs      *nfsserver.Server
	clients  *clients
	listener net.Listener
	meters   meters
}

// openServer opens the store, makes the hubs, and listens. Nothing is served yet.
func openServer(ctx context.Context, log *slog.Logger, level *slog.LevelVar, file string, c *config.Config) (_ *server, err error) {
	s := &server{reloading: reloading{log: log, level: level, file: file, config: c}, clients: newClients(log, c.NFS.Allow)}
	s.lasting = func(c *config.Config) []setting {
		return []setting{{storePathKey, c.Store.Disk.Path}, {listenKey, c.NFS.Listen}}
	}
	s.take = s.takeOver
	s.store, err = store.Open(ctx, store.Options{Path: c.Store.Disk.Path, Logger: log, Disk: s.meters.disk()})
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Place(storePathKey), storePathKey, err)
	}
	defer func() {
		if err != nil {
			s.store.Close()
		}
	}()
	if s.listener, err = listen(c); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.listener.Close()
		}
	}()
	if s.operator, err = listenOperation(log, c, homes{s.store}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.operator.close()
		}
	}()
	s.operator.warn(c, s.store)
	if err := s.store.SetHubs(ctx, hubs(c)); err != nil {
		return nil, fmt.Errorf("%s: make the hubs: %w", c.Place("hubs"), err)
	}
	s.store.SetReserve(reserve(c))
	s.meters.operations = metrics.NewOperations(s.store.HubOf)
	s.nfs = nfsserver.New(nfsserver.Options{
		FS:       s.store.FS(),
		Recovery: recovery{s.store.Clients()},
		Logger:   log,
		ServerID: s.store.ID(),
		Lease:    lease,
		Observe:  s.meters.operations.Observe,
	}, settings(c))
	if err := s.nfs.Open(ctx); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Place(storePathKey), storePathKey, err)
	}
	s.operator.register(
		s.meters.operations, s.meters.syncs.Collector(s.store.HubOf),
		&metrics.Clients{Stats: s.nfs.Stats, Connections: s.clients.count, Hubs: s.operator.hubs, HubOf: s.store.HubOf},
		&metrics.Volume{FS: s.store.FS(), Hubs: s.operator.hubs},
		&metrics.Recount{Progress: func() metrics.Progress { return metrics.Progress(s.store.Progress()) }},
		&metrics.Warnings{Counts: s.operator.watch.Counts},
	)
	return s, nil
}

// takeOver takes a configuration over. Only the hubs can be refused.
func (s *server) takeOver(ctx context.Context, next *config.Config) error {
	if err := s.store.SetHubs(ctx, hubs(next)); err != nil {
		return err
	}
	s.store.SetReserve(reserve(next))
	s.nfs.Set(settings(next))
	s.clients.set(next.NFS.Allow)
	return nil
}

// run serves until ctx ends, and then until the last request has ended and what was written is synced.
func (s *server) run(ctx context.Context, hangUp <-chan os.Signal) error {
	c := s.config
	s.log.Info("serving", "address", s.listener.Addr().String(), "baseShare", c.NFS.BaseShare, "hubs", len(c.Hubs),
		"store", s.store.Path(), "version", versionNumber())

	// The server's own work goes on until the last request has ended.
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	var ended errgroup.Group
	ended.Go(func() error { return s.nfs.Run(background) })
	keeping, endKeeping := context.WithCancel(ctx) // a count is nothing to wait for
	ended.Go(func() error { return s.store.Run(keeping) })

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		rpc := &oncrpc.Server{
			Handler:      s.nfs,
			Logger:       s.log,
			Allow:        s.clients.allowed,
			OnConnect:    s.clients.connected,
			OnDisconnect: s.clients.disconnected,
		}
		if err := rpc.Serve(ctx, s.listener); err != nil {
			return fmt.Errorf("serve on %s: %w", s.listener.Addr(), err)
		}
		return nil
	})
	group.Go(func() error { return s.operator.run(ctx) })
	group.Go(func() error {
		s.reloads(ctx, hangUp)
		return nil
	})
	err := group.Wait()
	endKeeping()
	end()
	return errors.Join(err, ended.Wait())
}

// close gives the store back.
func (s *server) close() error {
	if err := s.store.Close(); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}
