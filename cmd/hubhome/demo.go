// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	once := false
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Serve two hubs from a temporary directory, and show what a cluster does with them",
		Long: `Serve two hubs, staging and prod, from a temporary directory on a free port of the loopback, and do over NFS
what a cluster does: a kubelet makes homes, users write, an admin reads, the server is killed and comes back. Every step
says what it saw. Then the server goes on, to be mounted by hand, until Ctrl-C; the temporary directory goes with it.

Exit codes:
  0  all steps did what they should, and nothing ended but by Ctrl-C
  1  a step did not, or the server ended by itself
  2  the command was not called as its help says`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			signal.Ignore(syscall.SIGPIPE) // there is something to clean up
			// A second Ctrl-C ends the process at once. A SIGTERM may come twice, to the process and to its group.
			context.AfterFunc(ctx, func() { signal.Reset(syscall.SIGINT) })
			return demo(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the last step")
	return cmd
}

// demo makes a server in a temporary directory and shows it. What it leaves is nothing.
func demo(ctx context.Context, out, log io.Writer, once bool) error {
	dir, err := os.MkdirTemp("", "hubhome-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary directory: %w", err)
	}
	s, err := newDemoServer(dir)
	if err == nil {
		err = errors.Join(show(ctx, s, newTranscript(out), log, once), s.stop())
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// show takes the tour and, unless it is to be taken once, lets the server go on until ctx ends.
func show(ctx context.Context, s *demoServer, print *transcript, log io.Writer, once bool) error {
	print.intro(s)
	if err := newTour(s).take(ctx, print); err != nil || once {
		return err
	}
	print.mount(s)
	print.line("Serving until Ctrl-C. Then %s goes, with all that is in it.", s.dir)
	if print.err != nil {
		return print.err
	}
	s.log.follow(log)
	return s.watch(ctx)
}

// demoConfig is the configuration of the demo's server: all that is not said is as in a real one.
const demoConfig = `store:
  disk:
    path: ./data
nfs:
  listen: %s
hubs:
  staging: {}
  prod:
    sharedPublic: true
`

// writeDemoConfig makes a store directory and the configuration beside it.
func writeDemoConfig(dir, addr string) (file string, err error) {
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		return "", err
	}
	file = filepath.Join(dir, "hubhome.yaml")
	return file, os.WriteFile(file, fmt.Appendf(nil, demoConfig, addr), 0o644)
}
