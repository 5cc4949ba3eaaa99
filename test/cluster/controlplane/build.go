// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package controlplane

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Version is the Kubernetes that is built: the one in kubernetes/go.mod.
const Version = "v1.34.1"

// buildTime is how long a build may take, with all that it downloads: 9 minutes of a processor where nothing is cached.
const buildTime = 60 * time.Minute

// flags are how each program is linked. Clients ask a server for its version, and this is where it has it from
// (k8s.io/component-base/version).
var flags = []string{"-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X k8s.io/component-base/version.gitVersion=" + Version +
	" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34"}

// programs are the names that Go gives to the tools of kubernetes/go.mod: etcd's main package is called server.
var programs = []string{"server", "kube-apiserver", "kube-controller-manager"}

// build returns the directory of the programs. It builds them where that has not been done before with the same modules,
// the same flags and the same Go; another process that builds the same is waited for.
func build(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	source, err := source(ctx)
	if err != nil {
		return "", err
	}
	dir, err := cached(source)
	if err != nil {
		return "", err
	}
	if built(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if built(dir) {
		return dir, nil
	}
	fmt.Fprintf(os.Stderr, "building Kubernetes %s into %s: once, and it takes minutes\n", Version, dir)
	temp, err := os.MkdirTemp(filepath.Dir(dir), "building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", temp+"/", "tool")...)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build Kubernetes: %w\n%s", errors.Join(err, context.Cause(ctx)), out)
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return "", err
	}
	// Whole or not at all: a build that was killed leaves nothing under this name.
	if err := os.Rename(temp, dir); err != nil {
		return "", fmt.Errorf("keep what was built: %w", err)
	}
	return dir, nil
}

// source is the directory of the module that says what to build. It is found from the module whose tests are running.
func source(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module of the test: %w", err)
	}
	dir := filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "controlplane", "kubernetes")
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", fmt.Errorf("find the module of the control plane: %w", err)
	}
	return dir, nil
}

// cached is where the programs of a source are, or will be. All that they are made from is in the name.
func cached(source string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH, flags)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return "", err
		}
		if name == "go.mod" && !strings.Contains(string(text), "\tk8s.io/kubernetes "+Version+" ") {
			return "", fmt.Errorf("build Kubernetes %s: %s is for another version: change both", Version, source)
		}
		sum.Write(text)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place to keep Kubernetes at: %w", err)
	}
	return filepath.Join(cache, "hubhome-test", fmt.Sprintf("kubernetes-%s-%.6x", Version, sum.Sum(nil))), nil
}

// built tells whether the programs are there.
func built(dir string) bool {
	for _, program := range programs {
		if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
			return false
		}
	}
	return true
}

// lock waits until no other process has the file locked (flock(2)), and locks it. The lock goes with the process.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("wait for another process that builds Kubernetes: %w", context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}
