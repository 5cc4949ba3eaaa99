// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The version of OpenTofu, and the checksum of its module as go.sum would have it.
const (
	tofuModule  = "github.com/opentofu/opentofu"
	tofuVersion = "v1.12.6"
	tofuSum     = "h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98="
)

// tofuDeadline is for a build from nothing, which takes five minutes of one processor, on a machine that does other things.
const tofuDeadline = 20 * time.Minute

// openTofu returns the path of OpenTofu. It is built once, and kept in the user's cache for the next run.
func openTofu() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place to keep OpenTofu: %w", err)
	}
	dir := filepath.Join(cache, "hubhome-test")
	path := filepath.Join(dir, "tofu-"+tofuVersion)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(dir, "building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)

	ctx, cancel := context.WithTimeout(context.Background(), tofuDeadline)
	defer cancel()
	// It has replace directives in its go.mod, which only hold where it is the main module: it is built where it lies.
	out, err := goCommand(ctx, work, "mod", "download", "-json", tofuModule+"@"+tofuVersion).Output()
	if err != nil {
		return "", fmt.Errorf("download OpenTofu: %w", err)
	}
	var module struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("download OpenTofu: %w", err)
	}
	if module.Sum != tofuSum {
		return "", fmt.Errorf("download OpenTofu %s: it has the checksum %s, not %s", tofuVersion, module.Sum, tofuSum)
	}
	built := filepath.Join(work, "tofu")
	build := goCommand(ctx, module.Dir, "build", "-trimpath", "-ldflags=-s -w", "-o", built, "./cmd/tofu")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build OpenTofu: %w\n%s", err, out)
	}
	return path, os.Rename(built, path) // two at a time each make a whole one
}

// goCommand is the go command, which gives way to other processes where it can.
func goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	args = append([]string{"go"}, args...)
	if nice, err := exec.LookPath("nice"); err == nil {
		args = append([]string{nice, "-n", "10"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	cmd.WaitDelay = time.Second
	return cmd
}
