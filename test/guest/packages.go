// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// packages are what the guest is made of; apt adds what they depend on. Busybox stands in for every tool that is not here.
var packages = []string{
	"linux-image-cloud-amd64", "kmod", "xz-utils",
	"busybox-static", "dash", "libc-bin", "coreutils", "util-linux", "mount", "tar", "attr",
	"nfs-common", "sqlite3", "git", "python3", "jupyter-notebook", "jupyter-server",
}

// apt runs apt-get. Where that fails it brings the package lists up to date and tries again: they may be missing, or
// name packages that the archive has replaced.
func apt(ctx context.Context, args ...string) error {
	get := func(args ...string) error {
		args = append([]string{"-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300",
			"-o", "APT::Sandbox::User=root"}, args...)
		return run(ctx, "apt-get", args...)
	}
	if get(args...) == nil {
		return nil
	}
	if err := get("update"); err != nil {
		return err
	}
	return get(args...)
}

// installQEMU installs QEMU on this machine, where it is not there yet.
func installQEMU(ctx context.Context) error {
	if _, err := exec.LookPath(qemu); err == nil {
		return nil
	}
	return apt(ctx, "install", "qemu-system-x86")
}

// download fetches the guest's packages, and all that they depend on, into dir. It tells apt that nothing is installed,
// so that the answer does not depend on what this machine has.
func download(ctx context.Context, dir string) ([]string, error) {
	status := filepath.Join(dir, "status")
	archives := filepath.Join(dir, "archives")
	if err := os.MkdirAll(filepath.Join(archives, "partial"), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return nil, err
	}
	args := append([]string{"-o", "Dir::State::status=" + status, "-o", "Dir::Cache=" + dir, "-o", "Dir::Cache::archives=" + archives,
		"--download-only", "install"}, packages...)
	if err := apt(ctx, args...); err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(archives, "*.deb"))
}

// unpack extracts packages into root, without their documentation. None of their scripts runs.
func unpack(ctx context.Context, debs []string, root string) error {
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.MkdirAll(filepath.Join(root, "usr", dir), 0o755); err != nil {
			return err
		}
		if err := os.Symlink("usr/"+dir, filepath.Join(root, dir)); err != nil {
			return err
		}
	}
	for _, deb := range debs {
		err := run(ctx, "sh", "-c", `dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --keep-directory-symlink `+
			`--exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale'`, deb, root)
		if err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(deb), err)
		}
	}
	return nil
}

// run runs a program with an environment of its own. Its output is in the error.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		if value := os.Getenv(name); value != "" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
