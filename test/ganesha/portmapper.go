// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package ganesha

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/test/loopback"
)

// portMapper is Debian's rpcbind in namespaces of its own, so that neither its port 111 nor its socket in /run are those
// of the machine. A Ganesha with NFSv3 does not start without one; it registers through the socket, which works from
// another network.
type portMapper struct {
	cmd    *exec.Cmd
	ended  chan struct{} // the process is gone
	output bytes.Buffer
}

// apartScript is what runs in the namespaces. It becomes rpcbind once /run is its own.
const apartScript = `mount -t tmpfs tmpfs /run && exec ` + mapperProgram + ` -f`

// startPortMapper starts one, and waits until it takes registrations.
func startPortMapper(ctx context.Context) (*portMapper, error) {
	m := &portMapper{ended: make(chan struct{})}
	m.cmd = exec.Command("unshare", "--mount", "--net", "sh", "-c", apartScript)
	m.cmd.Stdout, m.cmd.Stderr = &m.output, &m.output
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", mapperProgram, err)
	}
	go func() {
		m.cmd.Wait()
		close(m.ended)
	}()
	if err := m.waitUntilReady(ctx); err != nil {
		m.stop()
		return nil, fmt.Errorf("%w: %s", err, &m.output)
	}
	return m, nil
}

func (m *portMapper) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		// Before the program runs, /run is the machine's.
		if program, _ := os.Readlink(m.proc("exe")); filepath.Base(program) == mapperProgram {
			if _, err := os.Stat(m.proc("root/run/rpcbind.sock")); err == nil {
				break
			}
		}
		select {
		case <-m.ended:
			return fmt.Errorf("%s ended at its start", mapperProgram)
		case <-ctx.Done():
			return fmt.Errorf("%s has no socket in time: %w", mapperProgram, context.Cause(ctx))
		case <-time.After(5 * time.Millisecond):
		}
	}
	var err error
	m.inside(func() { err = loopback.Up() })
	return err
}

// proc is a file of the process in /proc.
func (m *portMapper) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(m.cmd.Process.Pid), name)
}

// beside makes a command that finds the port mapper's socket, and with apart is in its network. Without a port mapper it
// is the plain command.
func (m *portMapper) beside(apart bool, name string, args ...string) *exec.Cmd {
	if m == nil {
		return exec.Command(name, args...)
	}
	enter := []string{"--mount=" + m.proc("ns/mnt")}
	if apart {
		enter = append(enter, "--net="+m.proc("ns/net"))
	}
	return exec.Command("nsenter", append(append(enter, name), args...)...)
}

// inside calls fn in a thread of the port mapper's network. The thread ends with it.
func (m *portMapper) inside(fn func()) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		ns, err := os.Open(m.proc("ns/net"))
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			ns.Close()
		}
		if err == nil {
			fn()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		panic(fmt.Sprintf("enter the network of %s: %v", mapperProgram, err))
	}
}

// stop ends the process. It is an error where that had ended before. Without a port mapper it does nothing.
func (m *portMapper) stop() error {
	if m == nil {
		return nil
	}
	select {
	case <-m.ended:
		return errors.New(mapperProgram + " had ended: " + strings.TrimSpace(m.output.String()))
	default:
	}
	m.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.ended:
		return nil
	case <-time.After(stopTime):
	}
	m.cmd.Process.Kill()
	<-m.ended
	return fmt.Errorf("%s did not end within %v and was killed", mapperProgram, stopTime)
}
