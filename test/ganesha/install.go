// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package ganesha

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

const program, mapperProgram = "ganesha.nfsd", "rpcbind"

// packages are Debian's, the server and its back end for a local file system. The server's brings the port mapper.
var packages = []string{"nfs-ganesha", "nfs-ganesha-vfs"}

// service is the unit that the package starts, with Debian's configuration and on NFS's own port.
const service = "nfs-ganesha.service"

// Available tells why Start cannot work here: no root, or packages missing that it cannot install. Nil: it can.
func Available() error {
	if os.Geteuid() != 0 {
		return errors.New("NFS-Ganesha opens files by handle, which needs root")
	}
	if installed() {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("NFS-Ganesha is missing: install Debian's packages %s and %s", packages[0], packages[1])
	}
	return nil
}

// installed tells whether the program and its back end are there.
func installed() bool {
	_, err := exec.LookPath(program)
	_, noMapper := exec.LookPath(mapperProgram)
	backends, _ := filepath.Glob("/usr/lib/*/ganesha/libfsalvfs.so")
	return err == nil && noMapper == nil && len(backends) > 0
}

// installing is one at a time in a process; apt-get's own lock does it between processes.
var installing sync.Mutex

// install installs the packages where they are missing.
func install(ctx context.Context) error {
	installing.Lock()
	defer installing.Unlock()
	if err := Available(); err != nil || installed() {
		return err
	}
	for _, args := range [][]string{
		{"-q", "-o", "DPkg::Lock::Timeout=300", "update"},
		append([]string{"-q", "-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends", "install"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("NFS-Ganesha is missing, and to install it: %s: %w\n%s", cmd, err, out)
		}
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil // no systemd, and nothing that the package could have started
	}
	// Nobody asked for the service, only for the program.
	if out, err := exec.CommandContext(ctx, "systemctl", "disable", "--now", service).CombinedOutput(); err != nil {
		return fmt.Errorf("stop %s, which the package started: %w\n%s", service, err, out)
	}
	return nil
}
