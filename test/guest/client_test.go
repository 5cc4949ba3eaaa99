// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hubhome/hubhome/test/guest"
)

// client is the guest as an NFS client of one server, with one minor version.
type client struct {
	machine *guest.Machine
	server  *server
	version string
	// entries and files are the size of the large directory and of the archive.
	entries, files int
}

// job is a command that runs in the guest.
type job struct {
	t       *testing.T
	c       *client
	command string
	output  output
	began   time.Time
	cancel  context.CancelFunc
	// ended is closed after the command has ended, with its error in err.
	ended chan struct{}
	err   error
}

// start starts a command in the guest, as root.
func (c *client) start(t *testing.T, timeout time.Duration, command string) *job {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), timeout)
	j := &job{t: t, c: c, command: command, began: time.Now(), cancel: cancel, ended: make(chan struct{})}
	script := fmt.Sprintf("export VERS=%s PORT=%s ENTRIES=%d FILES=%d\n%s",
		c.version, c.server.port(), c.entries, c.files, command)
	go func() {
		defer close(j.ended)
		defer cancel()
		j.err = c.machine.Run(ctx, script, &j.output)
	}()
	return j
}

// wait waits for the command's end and returns what it printed. The test fails if the command did.
func (j *job) wait() string {
	j.t.Helper()
	<-j.ended
	took := time.Since(j.began).Seconds()
	if j.err != nil {
		j.t.Errorf("%s: %v, after %.1fs:\n%s", j.command, j.err, took, j.output.last(4<<10))
		j.c.explain(j.t)
		j.t.FailNow()
	}
	j.t.Logf("%s: %.1fs", j.command, took)
	return j.output.String()
}

// says waits until the command has printed a text a number of times.
func (j *job) says(text string, times int) {
	j.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); j.count(text) < times; {
		select {
		case <-j.ended:
			j.wait()
			j.t.Fatalf("%s ended before it said %q %d times:\n%s", j.command, text, times, j.output.last(4<<10))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			j.t.Errorf("%s said %q %d times of %d", j.command, text, j.count(text), times)
			j.c.explain(j.t)
			j.t.FailNow()
		}
	}
}

func (j *job) count(text string) int { return strings.Count(j.output.String(), text) }

// run runs a command in the guest, as root, and returns what it printed. The test fails if the command does.
func (c *client) run(t *testing.T, timeout time.Duration, command string) string {
	t.Helper()
	return c.start(t, timeout, command).wait()
}

// explain logs what the guest has to say of a failure.
func (c *client) explain(t *testing.T) {
	j := c.start(t, 20*time.Second, "sh explain.sh")
	<-j.ended
	t.Logf("the guest's console ends:\n%s\nand it says of itself (%v):\n%s", c.machine.Console(), j.err, &j.output)
}
