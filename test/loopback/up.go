// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package loopback

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Up brings up the loopback of the network that the calling thread is in: a new one has it down (netdevice(7)).
func Up() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring up the loopback: %w", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	if err != nil {
		return fmt.Errorf("bring up the loopback: %w", err)
	}
	return nil
}
