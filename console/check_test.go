// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/console"
)

// TestCheck has a check that ends well, one that fails in the middle, one that does not begin.
func TestCheck(t *testing.T) {
	h := newHomes(t)
	c, _ := serve(t, h)
	check := func() (names []string, err error) {
		err = c.Check(t.Context(), true, func(c console.Checked) {
			if c.Hub != "prod" || c.Ledger != c.Disk || !c.Believed {
				t.Errorf("it was told %+v", c)
			}
			names = append(names, c.Home)
		})
		return names, err
	}
	if names, err := check(); err != nil || len(names) != 3 || names[2] != "caf\xe92" {
		t.Errorf("it was told of %q, %v", names, err)
	}
	h.err, h.after = errors.New("the disk is broken"), 2
	if names, err := check(); err == nil || len(names) != 2 || !strings.Contains(err.Error(), "the disk is broken") {
		t.Errorf("a check that failed has %q, %v", names, err)
	}
	h.err, h.after = fmt.Errorf("another is running: %w", syscall.EBUSY), 0
	if names, err := check(); err == nil || len(names) != 0 || err.Error() != h.err.Error() {
		t.Errorf("a check that was refused has %q, %v", names, err)
	}
}

// counting is a ledger whose check takes until it is released, or its request ends.
type counting struct {
	*homes
	entered, release chan struct{}
}

func (c *counting) Check(ctx context.Context, repair bool, tell func(console.Checked) error) error {
	c.entered <- struct{}{}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.release:
	}
	return c.homes.Check(ctx, repair, tell)
}

// TestCheckTakesLong has a home that takes long to be counted: who waits goes on as long as the server does, and no longer.
func TestCheckTakesLong(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for 2 s")
	}
	h := &counting{newHomes(t), make(chan struct{}, 1), make(chan struct{})}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := console.Listen(socket)
	h.must(err)
	server := console.NewServer(h, slog.New(slog.DiscardHandler))
	const silence = time.Second
	server.SetBeat(silence / 50)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, l) }()
	defer func() {
		cancel()
		h.must(<-ended)
	}()
	c := console.NewClient(socket)
	defer c.Close()
	c.SetSilence(silence)
	n := 0
	checked := make(chan error, 1)
	go func() { checked <- c.Check(t.Context(), false, func(console.Checked) { n++ }) }()
	<-h.entered
	select {
	case err := <-checked:
		t.Errorf("it was not waited for: %v", err)
	case <-time.After(silence + silence/5):
		close(h.release)
		if err := <-checked; err != nil || n != 3 {
			t.Errorf("%d were told of, %v", n, err)
		}
	}

	silent := filepath.Join(t.TempDir(), "s")
	other, err := net.Listen("unix", silent)
	h.must(err)
	defer other.Close()
	c = console.NewClient(silent)
	c.SetSilence(silence)
	hung, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if err := c.Check(hung, false, func(console.Checked) {}); err == nil || !strings.Contains(err.Error(), "has said nothing for 1s") {
		t.Errorf("a server that hangs: %v", err)
	}
}

// slow is a ledger whose check does not end when it is told to.
type slow struct {
	*homes
	entered, told, release chan struct{}
}

func (s *slow) Check(ctx context.Context, _ bool, _ func(console.Checked) error) error {
	close(s.entered)
	<-ctx.Done()
	close(s.told)
	<-s.release
	return ctx.Err()
}
