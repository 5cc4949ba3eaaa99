// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package controlplane

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopTime is how long a program may take to end by itself.
const stopTime = 15 * time.Second

// process is a program that runs until it is stopped, or until the test's process ends, however that ends.
type process struct {
	name, log string
	cmd       *exec.Cmd
	ended     chan struct{} // it is gone, and waitErr says how
	waitErr   error
}

// start starts a program of dir. Its output goes to a file in temp.
func start(temp, name, path string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(temp, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(path, args...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = temp, log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The signal comes when the thread that started the program ends (prctl(2), PR_SET_PDEATHSIG): it stays.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.waitErr = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// stop ends the program, and kills it where it does not end by itself.
func (p *process) stop() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s had ended: %v; the end of its log:\n%s", p.name, p.waitErr, p.logEnd())
	default:
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopTime):
	}
	p.cmd.Process.Kill()
	<-p.ended
	return fmt.Errorf("%s did not end within %v and was killed", p.name, stopTime)
}

// logEnd is the last lines of its log.
func (p *process) logEnd() string {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
