// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/hubhome/hubhome/config"
)

const listenKey = "nfs.listen"

// listen listens for NFS where the configuration says.
func listen(c *config.Config) (net.Listener, error) { return listenAt(c, listenKey, c.NFS.Listen) }

// listenAt listens where a key of the configuration says. The error says what to do, and where it is written.
func listenAt(c *config.Config, key, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err == nil {
		return listener, nil
	}
	way := "see " + key
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		way = "another server has the port: stop that one, or choose another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		way = "this machine has no such address: choose one of its own, or none (\":2049\") for all"
	case errors.Is(err, syscall.EACCES):
		way = "a port below 1024 takes a privilege (CAP_NET_BIND_SERVICE): choose another port"
	}
	return nil, fmt.Errorf("%s: %s: %w; %s", c.Place(key), key, err, way)
}
