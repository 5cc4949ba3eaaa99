// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/guest"
)

// scripts are what runs in the guest: a shell script a theme, with Python beside it where a system call has no command.
//
//go:embed testdata
var scripts embed.FS

// TestLinuxClient mounts homes of a real server in a real Linux, as a cluster's node does, and uses them as people do.
func TestLinuxClient(t *testing.T) {
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
	binary := buildServer(t)
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
	for _, version := range []string{"4.2", "4.1"} {
		t.Run("vers="+version, func(t *testing.T) {
			c := &client{t, machine, newServer(t, binary), version}
			c.test()
		})
	}
}

// client is the guest as an NFS client of one server, with one minor version.
type client struct {
	t       *testing.T
	machine *guest.Machine
	server  *server
	version string
}

// themes are the scripts that a user runs in the own home, each in a directory of its own, and those that take root.
var themes = []string{
	"directory", "tar", "git", "sqlite", "locks", "append", "files", "renames", "links", "sparse", "xattrs", "unlinked", "statfs",
	"root mmap", "root outside",
}

func (c *client) test() {
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.run(c.t, time.Minute, "sh umount.sh force")
		}
	})
	c.run(c.t, time.Minute, "sh mount.sh")
	c.run(c.t, time.Minute, "sh run.sh allusers")
	c.t.Run("themes", func(t *testing.T) {
		for _, theme := range themes {
			t.Run(strings.TrimPrefix(theme, "root "), func(t *testing.T) {
				t.Parallel()
				c.run(t, 2*time.Minute, "sh run.sh "+theme)
			})
		}
	})
	c.run(c.t, time.Minute, "sh umount.sh")
}

// run runs a command in the guest as root, and returns what it prints.
func (c *client) run(t *testing.T, timeout time.Duration, command string) string {
	t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), timeout)
	defer cancel()
	began := time.Now()
	err := c.machine.Run(ctx, fmt.Sprintf("export VERS=%s PORT=%s\n%s", c.version, c.server.port(), command), &out)
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, &out)
		c.explain(t)
		t.FailNow()
	}
	t.Logf("%s: %.1fs", command, time.Since(began).Seconds())
	return out.String()
}

// explain logs what the guest has to say of a failure.
func (c *client) explain(t *testing.T) {
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
	defer cancel()
	if err := c.machine.Run(ctx, "sh explain.sh", &out); err != nil {
		t.Logf("ask the guest: %v", err)
	}
	t.Logf("the guest's console ends:\n%s\nand it says:\n%s", c.machine.Console(), &out)
}
