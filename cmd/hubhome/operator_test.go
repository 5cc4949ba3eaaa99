// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"os"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/console"
)

// TestInterrupted: who presses Ctrl-C hears that, and not what became of a connection.
func TestInterrupted(t *testing.T) {
	cmd := new(cobra.Command)
	cmd.SetContext(t.Context())
	f := operatorFlags{socket: "nobody"}
	err := f.ask(cmd, patience, func(ctx context.Context, _ *console.Client) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if err == nil || err.Error() != "interrupted before the server had answered" {
		t.Error(err)
	}
}
