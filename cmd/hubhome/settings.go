// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/store"
)

// hubs are a configuration's hubs as the store wants them.
func hubs(c *config.Config) []store.Hub {
	declared := make([]store.Hub, len(c.Hubs))
	for i, h := range c.Hubs {
		declared[i] = store.Hub(h)
	}
	return declared
}

// reserve is a configuration's reserve as the store wants it.
func reserve(c *config.Config) hubhome.Reserve {
	if !c.Quota.ReserveEnabled {
		return hubhome.Reserve{}
	}
	return c.Quota.Reserve
}

var squashes = map[config.Squash]nfsserver.Squash{
	config.SquashAll:  nfsserver.SquashAll,
	config.SquashRoot: nfsserver.SquashRoot,
	config.SquashNone: nfsserver.SquashNone,
}

// settings are what a configuration says to the NFS server.
func settings(c *config.Config) nfsserver.Settings {
	return nfsserver.Settings{
		BaseShare: c.NFS.BaseShare,
		Identity: nfsserver.Identity{
			Squash: squashes[c.NFS.Squash],
			UID:    c.NFS.Owner.UID,
			GID:    c.NFS.Owner.GID,
		},
	}
}
