// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/vfs"
)

// exportPath is the home that the load runs in, the same for both servers.
const exportPath = "/homes/bench/user"

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

func (d *disk) remove() {
	if err := syscall.Unmount(d.dir, 0); err != nil {
		fmt.Fprintln(os.Stderr, "bench: unmount", d.dir+":", err)
		return
	}
	os.RemoveAll(d.temp)
}

// server is one that is measured.
type server struct {
	name, addr string
	pid        int
	stop       func()
	big        vfs.Handle
}

// startServers starts both on the same directory tree.
func startServers(ctx context.Context, o options, dir string) ([]*server, error) {
	ours, err := startOurs(ctx, o.binary, dir)
	if err != nil {
		return nil, fmt.Errorf("start hubhome: %w", err)
	}
	// The home, as a kubelet makes it.
	home := filepath.Join(dir, "bench", "user")
	if err := errors.Join(os.Mkdir(home, 0o755), os.Chown(home, int(user.UID), int(user.GID))); err != nil {
		ours.stop()
		return nil, err
	}
	theirs, err := startPeer(ctx, dir)
	if err != nil {
		ours.stop()
		return nil, fmt.Errorf("start NFS-Ganesha: %w", err)
	}
	return []*server{ours, theirs}, nil
}

func startOurs(ctx context.Context, binary, dir string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(filepath.Dir(dir), "hubhome.yaml")
	text := fmt.Sprintf("store:\n  disk:\n    path: %s\nnfs:\n  listen: %s\n  squash: none\nhubs:\n  bench: {}\n", dir, addr)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, binary, "serve", "--config", config)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{name: "hubhome", addr: addr, pid: cmd.Process.Pid, stop: func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}}
	if err := waitFor(ctx, addr); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func startPeer(ctx context.Context, dir string) (*server, error) {
	g, err := ganesha.Start(ctx, ganesha.Config{Dir: dir, Pseudo: "/homes"})
	if err != nil {
		return nil, err
	}
	return &server{name: "ganesha", addr: g.Addr(), pid: g.PID(), stop: func() { g.Stop() }}, nil
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// waitFor waits until a server listens.
func waitFor(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen: %w", addr, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// bigDir finds or makes the directory that is listed.
func (s *server) bigDir(ctx context.Context, o options, fs *nfsclient.FS, root vfs.Handle) (vfs.Handle, error) {
	if s.big != "" {
		return s.big, nil
	}
	dir, err := mkdir(ctx, fs, root, "big-"+s.name)
	if err != nil {
		return "", err
	}
	for i := range o.entries {
		f, _, _, _, err := fs.Create(ctx, user, dir, fmt.Sprintf("entry-%06d.ipynb", i), vfs.Create{}, vfs.Write)
		if err != nil {
			return "", err
		}
		if err := f.Close(); err != nil {
			return "", err
		}
	}
	s.big = dir
	return dir, nil
}

// ticks is the unit of /proc/PID/stat's times, a hundredth of a second on every Linux that Go runs on (USER_HZ).
const ticks = 10 * time.Millisecond

// cpu is the processor time that a server has used (proc(5), /proc/pid/stat, fields 14 and 15).
func (s *server) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * ticks
}

// rss is the memory that a server holds, in MiB (proc(5), /proc/pid/status).
func (s *server) rss() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}
