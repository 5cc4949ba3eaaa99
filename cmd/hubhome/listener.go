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

// listen listens where the configuration says. The error says what to do, and where it is written.
func listen(c *config.Config) (net.Listener, error) {
	listener, err := net.Listen("tcp", c.NFS.Listen)
	if err == nil {
		return listener, nil
	}
	way := "see " + listenKey
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		way = "another server has the port: stop that one, or choose another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		way = "this machine has no such address: choose one of its own, or none (\":2049\") for all"
	case errors.Is(err, syscall.EACCES):
		way = "a port below 1024 takes a privilege (CAP_NET_BIND_SERVICE): choose another port"
	}
	return nil, fmt.Errorf("%s: %s: %w; %s", c.Place(listenKey), listenKey, err, way)
}
