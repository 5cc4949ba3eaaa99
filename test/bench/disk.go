// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// disk is an ext4 of its own in a file.
type disk struct {
	temp, dir string
}

func newDisk(ctx context.Context) (*disk, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("needs root, to mount a file system of its own and to start NFS-Ganesha")
	}
	temp, err := os.MkdirTemp("", "hubhome-bench-")
	if err != nil {
		return nil, err
	}
	d := &disk{temp: temp, dir: filepath.Join(temp, "disk")}
	image := filepath.Join(temp, "ext4")
	for _, step := range [][]string{
		{"truncate", "-s", "16G", image},
		{"mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-N", "2000000", image},
		{"mkdir", d.dir},
		{"mount", "-o", "loop,noatime", image, d.dir},
	} {
		if out, err := exec.CommandContext(ctx, step[0], step[1:]...).CombinedOutput(); err != nil {
			os.RemoveAll(temp)
			return nil, fmt.Errorf("%s: %w: %s", strings.Join(step, " "), err, out)
		}
	}
	return d, nil
}

// sync writes out what a turn has left in memory, so that the next one does not pay for it.
func (d *disk) sync() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd())))
}

// remove unmounts it and removes its file. Both servers have ended.
func (d *disk) remove() {
	if err := syscall.Unmount(d.dir, 0); err != nil {
		fmt.Fprintln(os.Stderr, "bench: unmount", d.dir+":", err)
		return
	}
	os.RemoveAll(d.temp)
}
