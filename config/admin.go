// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import "path/filepath"

// adminSocket is the socket's default place in the store; remoteSocket that in the directory of states.
const (
	adminSocket  = ".hubhome/admin.sock"
	remoteSocket = "admin.sock"
)

// maxSocket is the longest path that a unix socket can have, in bytes (unix(7)).
const maxSocket = 107

// socket reads the path of the admin socket.
func (r *reader) socket(v value) {
	path := ""
	r.path(v, "/run/hubhome/admin.sock", &path)
	if len(path) > maxSocket {
		r.wrong(v, "is longer than the %d bytes that a socket's path can have; choose a shorter one", maxSocket)
		return
	}
	r.config.Admin.Socket = path
}

func (r *reader) checkAdmin() {
	if r.config.Admin.Socket != "" {
		return
	}
	if path := r.config.Store.Disk.Path; path != "" {
		r.config.Admin.Socket = filepath.Join(path, adminSocket)
	}
	if path := r.config.Store.Remote.StateDir; path != "" {
		r.config.Admin.Socket = filepath.Join(path, remoteSocket)
	}
}
