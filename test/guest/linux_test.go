// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/guest"
)

// scripts are what runs in the guest: a shell script a theme, with Python beside it where a system call has no command.
//
//go:embed testdata
var scripts embed.FS

// themes are the scripts that a user runs in the own home, each in a directory of its own, and those that take root.
var themes = []string{
	"directory", "tar", "git", "sqlite", "locks", "append", "files", "renames", "links", "sparse", "xattrs", "mmap", "unlinked", "statfs",
	"root clients", "root outside",
}

// themeTime bounds one command in the guest. The slowest takes a minute where nothing else runs.
const themeTime = 8 * time.Minute

// boot boots a guest that has the scripts.
func boot(t *testing.T) *guest.Machine {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a machine and runs for minutes")
	}
	image, err := guest.Prepare(t.Context())
	if errors.Is(err, guest.ErrUnavailable) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(scripts, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	machine, err := image.Boot(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := machine.Close(); err != nil {
			t.Error(err)
		}
	})
	return machine
}

// TestLinuxClient mounts homes of a real server in a real Linux, as a cluster's node does, and uses them as people do.
// The server is killed and started again meanwhile.
func TestLinuxClient(t *testing.T) {
	machine, binary := boot(t), buildServer(t)
	// The two versions make directories and files by the same operations: one of them makes many.
	for _, c := range []client{{version: "4.2", entries: 10000, files: 3000}, {version: "4.1", entries: 500, files: 200}} {
		t.Run("vers="+c.version, func(t *testing.T) {
			c.machine, c.server = machine, newServer(t, binary, "")
			c.test(t)
		})
	}
}

func (c *client) test(t *testing.T) {
	t.Cleanup(func() {
		if t.Failed() {
			c.run(t, time.Minute, "sh umount.sh force")
		}
	})
	c.run(t, themeTime, "sh mount.sh")
	c.run(t, themeTime, "sh run.sh allusers")
	t.Run("themes", func(t *testing.T) {
		for _, theme := range themes {
			t.Run(strings.TrimPrefix(theme, "root "), func(t *testing.T) {
				t.Parallel()
				c.run(t, themeTime, "sh run.sh "+theme)
			})
		}
	})
	c.server.checkLedger(t)
	t.Run("restart", c.restart)
	c.server.checkLedger(t)
	t.Run("remount", c.remount)
	c.server.checkLedger(t)
}

// restart kills the server while the guest writes, and holds locks and open files; and then stops it as an upgrade does.
// Each time it is started again at once. What runs in the guest must notice nothing but the wait.
func (c *client) restart(t *testing.T) {
	c.run(t, time.Minute, "rm -f /tmp/stop")
	holder := c.start(t, themeTime, "sh run.sh holder")
	writer := c.start(t, themeTime, "sh run.sh writer")
	t.Cleanup(func() {
		c.start(t, time.Minute, "touch /tmp/stop")
		<-holder.ended
		<-writer.ended
	})
	holder.says("holding", 1)
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		writer.says("safe", writer.count("safe")+10)
		promised := writer.count("safe")
		c.server.end(signal)
		c.checkPromised(t, promised)
		c.server.start()
		began, before := time.Now(), writer.count("safe")
		writer.says("safe", before+10)
		t.Logf("after %v the guest wrote on within %.1fs", signal, time.Since(began).Seconds())
		c.run(t, themeTime, "sh held.sh")
	}
	c.run(t, time.Minute, "touch /tmp/stop")
	writer.wait()
	holder.wait()
	c.run(t, themeTime, "sh held.sh free")
}

// checkPromised checks that the host's disk has the records that the guest was told are safe.
func (c *client) checkPromised(t *testing.T, promised int) {
	t.Helper()
	const recordLines = 7
	data, err := os.ReadFile(filepath.Join(c.server.store, "prod", "ada", "writer", "records"))
	if err != nil {
		t.Error(err)
	}
	if written := bytes.Count(data, []byte("\n")) / recordLines; written < promised {
		t.Errorf("%d records are on the disk, %d were promised", written, promised)
	}
}

// remount compares all files, as the guest sees them before it unmounts, with what a new mount shows and what the host
// has on its disk.
func (c *client) remount(t *testing.T) {
	before := c.run(t, themeTime, "sh checksums.sh")
	if files := strings.Count(before, "\n"); files < 50 {
		t.Fatalf("there are checksums of %d files only:\n%s", files, before)
	}
	c.run(t, themeTime, "sh umount.sh")
	c.run(t, themeTime, "sh remount.sh")
	after := c.run(t, themeTime, "sh checksums.sh")
	if before != after {
		t.Errorf("checksums before the remount:\n%s\nand after it:\n%s", before, after)
	}
	c.run(t, themeTime, "sh umount.sh")

	hub := filepath.Join(c.server.store, "prod")
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "--quiet")
	check.Dir, check.Stdin = hub, strings.NewReader(before)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("checksums on the host's disk: %v\n%s", err, out)
	}
	archive := filepath.Join(hub, "ada", "tar")
	if out, err := exec.CommandContext(t.Context(), "tar", "-df", archive+"/packed.tar", "-C", archive+"/unpacked").CombinedOutput(); err != nil {
		t.Errorf("the unpacked archive on the host's disk: %v\n%s", err, out)
	}
	checkOwners(t, hub)
}

// checkOwners checks that all in a hub's directory, and itself, is the user's of every pod.
func checkOwners(t *testing.T, hub string) {
	err := filepath.WalkDir(hub, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if stat := info.Sys().(*syscall.Stat_t); stat.Uid != 1000 || stat.Gid != 1000 {
			t.Errorf("%s is owned by %d:%d, want 1000:1000", path, stat.Uid, stat.Gid)
		}
		return nil
	})
	if err != nil {
		t.Errorf("walk the hub on the host's disk: %v", err)
	}
}
