// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package prometheus runs Debian's Prometheus beside a test, to scrape a server of ours and to be asked what dashboards and
// alerts ask.
package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/test/loopback"
)

const (
	program, tool = "prometheus", "promtool"
	// service is the unit that the package starts, with Debian's configuration and on Prometheus' own port.
	service = "prometheus.service"
)

// patience is how long it may take to start, and to answer.
const patience = 30 * time.Second

// Available tells why Start cannot work here. Nil: it can.
func Available() error {
	if installed() {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return errors.New("no Prometheus is here: install Debian's package prometheus")
	}
	return nil
}

func installed() bool {
	_, err := exec.LookPath(program)
	_, noTool := exec.LookPath(tool)
	return err == nil && noTool == nil
}

// installing is one at a time in a process; apt-get's own lock does it between processes.
var installing sync.Mutex

// install installs the package where it is missing.
func install(ctx context.Context) error {
	installing.Lock()
	defer installing.Unlock()
	if err := Available(); err != nil || installed() {
		return err
	}
	for _, args := range [][]string{
		{"-q", "-o", "DPkg::Lock::Timeout=300", "update"},
		{"-q", "-y", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends", "install", "prometheus"},
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("no Prometheus is here, and to install it: %s: %w\n%s", cmd, err, out)
		}
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return nil // no systemd, and nothing that the package could have started
	}
	if out, err := exec.CommandContext(ctx, "systemctl", "disable", "--now", service).CombinedOutput(); err != nil {
		return fmt.Errorf("stop %s, which the package started: %w\n%s", service, err, out)
	}
	return nil
}

// Tool runs promtool, with something to read, and returns what it prints.
func Tool(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	if err := install(ctx); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Stdin = stdin
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return string(out), nil
}

// Server is a Prometheus that runs.
type Server struct {
	addr  string
	cmd   *exec.Cmd
	ended chan struct{}
}

// Start starts a Prometheus that scrapes targets every second and evaluates the rules of a file. It keeps its data in a
// directory, and ends with Stop. It returns when it is ready.
func Start(ctx context.Context, dir, rules string, targets ...string) (*Server, error) {
	if err := install(ctx); err != nil {
		return nil, err
	}
	addr, err := loopback.Addr()
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: hubhome
    static_configs: [{targets: [%s]}]
`, rules, strings.Join(targets, ", "))
	config := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &Server{addr: addr, ended: make(chan struct{}), cmd: exec.Command(program, "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.cmd.Wait()
		close(s.ended)
	}()
	if err := s.ready(ctx); err != nil {
		s.Stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("start Prometheus: %w\n%s", err, said)
	}
	return s, nil
}

// ready waits until it answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if _, err := s.get(ctx, "/-/ready", nil); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ended:
			return errors.New("it has ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Server) get(ctx context.Context, path string, params url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+path+"?"+params.Encode(), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", res.Status, body)
	}
	return body, nil
}

// Query answers a query as of now: how many series it has.
func (s *Server) Query(ctx context.Context, expr string) (int, error) {
	body, err := s.get(ctx, "/api/v1/query", url.Values{"query": {expr}})
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct {
			Result []json.RawMessage
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, err
	}
	return len(answer.Data.Result), nil
}

// Stop ends it, and waits until it has.
func (s *Server) Stop() {
	s.cmd.Process.Kill()
	<-s.ended
}
