// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package jupyterhub runs Python beside a real JupyterHub, Debian's, for tests of what the charts give a hub to run.
//
// JupyterHub itself and the models of Kubernetes' objects are Debian's packages. KubeSpawner is none: where the
// environment variable KUBESPAWNER_SRC names a checkout of it, the tests run it, and elsewhere what stands in for it
// (testdata/standin.py). Nothing here talks to a cluster.
package jupyterhub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// KubeSpawnerEnv is the environment variable that names a checkout of KubeSpawner.
const KubeSpawnerEnv = "KUBESPAWNER_SRC"

// python is Debian's: the one that Debian's packages are for.
const python = "/usr/bin/python3"

// packages are Debian's: JupyterHub, what KubeSpawner needs, and what the configuration of Zero to JupyterHub needs.
var packages = []string{"jupyterhub", "python3-kubernetes", "python3-escapism", "python3-slugify", "python3-pycurl", "python3-yaml"}

// service is the unit that the package jupyterhub starts: a hub for the users of the machine.
const service = "jupyterhub.service"

// modules are what the packages bring, as Python imports it.
const modules = "import jupyterhub, kubernetes, escapism, slugify, pycurl, yaml"

// installing is one at a time in a process; apt-get's own lock does it between processes.
var installing sync.Mutex

// Install installs the packages where they are missing. Where it cannot, the error says what is missing.
func Install(ctx context.Context) error {
	installing.Lock()
	defer installing.Unlock()
	if err := exec.CommandContext(ctx, python, "-c", modules).Run(); err == nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("JupyterHub is missing: install Debian's packages %s", strings.Join(packages, " "))
	}
	get := func(args ...string) error {
		args = append([]string{"-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"}, args...)
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("JupyterHub is missing, and to install it: %s: %w\n%s", cmd, err, out)
		}
		return nil
	}
	if err := errors.Join(get("update"), get(append([]string{"install"}, packages...)...)); err != nil {
		return err
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil // no systemd, and nothing that the package could have started
	}
	// Nobody asked for the service, only for the modules.
	if out, err := exec.CommandContext(ctx, "systemctl", "disable", "--now", service).CombinedOutput(); err != nil {
		return fmt.Errorf("stop %s, which the package started: %w\n%s", service, err, out)
	}
	return nil
}

// Python runs a script to its end, with env besides the environment, and returns what it printed. The error has what it
// said on stderr.
func Python(ctx context.Context, script string, env ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, python, "-W", "ignore", script)
	// The tree stays as it is.
	cmd.Env = append(append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), env...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out, fmt.Errorf("%s: %w\n%s", script, err, exit.Stderr)
	}
	return out, err
}
