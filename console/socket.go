// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxSocketPath is the longest path that a unix socket can have, in bytes (unix(7)).
const maxSocketPath = 107

// mode is the socket's: the server's own user, and root, who may everything.
const mode = 0o600

// Listen listens on a unix socket that the process's own user alone can use, and root. One that a server has left behind is
// replaced, one that is answered is not.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("listen on %s: the path is longer than %d bytes: set admin.socket to a shorter one", path, maxSocketPath)
	}
	if err := clear(path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	listener, err := (&net.ListenConfig{Control: private}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	if err == nil && info.Mode().Perm()&^mode != 0 {
		err = fmt.Errorf("the file system there makes it %v, for others too: set admin.socket to a path on another one", info.Mode().Perm())
	}
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return listener, nil
}

// private gives a socket its mode before it has a name. Linux makes the name with the mode of the descriptor
// (net/unix/af_unix.c, unix_bind_bsd), so that it is right from the first moment on, and no file that somebody else of the
// process makes in that moment gets another one, as by umask(2).
func private(_, _ string, c syscall.RawConn) error {
	var err error
	if uncontrolled := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), mode) }); uncontrolled != nil {
		return uncontrolled
	}
	return err
}

// clear removes a socket that nobody listens on.
func clear(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&os.ModeSocket == 0:
		return errors.New("something else than a socket is there: move it away, or set admin.socket to another path")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return errors.New("another server answers there: stop it, or set admin.socket to another path")
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
