// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/config"
)

// stopTime is how long the server may take to stop: requests are given 3 s of it to end (oncrpc.Server.DrainTimeout), and
// what they wrote is synced in the rest.
const stopTime = 5 * time.Second

func newServe() *cobra.Command {
	file, asOwner := "", false
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve the homes of a store over NFSv4.1 and 4.2",
		Long: `Serve the homes of a store over NFSv4.1 and 4.2, as FILE says. examples/hubhome.yaml explains every key.
What it has to say it writes to standard error.

Where the homes are on an NFS server that somebody else runs (store.nfs), it serves no files. It looks through the homes now
and then, without mounting anything, and tells administrators and Prometheus what they hold, and how old that is:
examples/hubhome-nfs.yaml.

Signals:
  SIGTERM, SIGINT  stop: take no more requests, end those that run, within 5 s; SIGINT after that ends it at once
  SIGHUP           read FILE again, as when it changes. Where something is wrong with it, the server goes on as it was.
                   store.disk.path, nfs.listen, admin.socket and metrics.listen take a restart; with store.nfs, all of
                   it but scan.

Exit codes:
  0  stopped by a signal
  1  it could not start, or could not go on, or was stopped in the middle of stopping
  2  the command was not called as its help says`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown argument %q; a flag names the configuration: hubhome serve --config FILE", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usageError{errors.New("say what to serve: hubhome serve --config FILE")}
			}
			if asOwner {
				if err := becomeOwner(file); err != nil {
					return err
				}
			}
			level := new(slog.LevelVar)
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
			return serve(log, level, file)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "the configuration `FILE` (required)")
	cmd.Flags().BoolVar(&asOwner, "as-owner", false,
		"started as root, become nfs.owner, with one capability and a store's directory that is root's")
	return cmd
}

// serve serves what a file says until the process is told to stop.
func serve(log *slog.Logger, level *slog.LevelVar, file string) error {
	// Who reads the log may go away; the server stays.
	signal.Ignore(syscall.SIGPIPE)
	stop, hangUp := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(hangUp, syscall.SIGHUP)
	// Connections and files are one descriptor each. The soft limit needs no raising: Go has done it (os/rlimit.go).
	return supervise(log, stop, stopTime, func(ctx context.Context) error {
		return start(ctx, log, level, file, hangUp)
	})
}

// supervise lets something run until it ends or a signal comes. Then it has a while to end, and no longer than until an
// interrupt: whoever waits for the process, a kubelet or a person, must not wait for a disk that does not answer.
func supervise(log *slog.Logger, stop <-chan os.Signal, patience time.Duration, run func(context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	select {
	case err := <-ended:
		return err
	case s := <-stop:
		log.Info("stopping", "signal", s.String())
		cancel()
	}
	late := time.After(patience)
	for {
		select {
		case err := <-ended:
			if err == nil {
				log.Info("stopped")
			}
			return err
		case s := <-stop:
			// A SIGTERM may come twice, to the process and to its group: only a person's Ctrl-C is impatience.
			if s == syscall.SIGINT {
				return errors.New("ended at once by an interrupt: what clients have not committed may be lost")
			}
		case <-late:
			return fmt.Errorf("ended after %v, while requests or the disk went on: what clients have not committed may be lost",
				patience)
		}
	}
}

// start loads a configuration, and serves what it says until ctx ends.
func start(ctx context.Context, log *slog.Logger, level *slog.LevelVar, file string, hangUp <-chan os.Signal) error {
	c, err := config.Load(file)
	if err != nil {
		return err
	}
	level.Set(c.Log.Level)
	if c.Store.IsRemote() {
		s, err := openLooker(log, level, file, c)
		if err != nil {
			return err
		}
		return s.run(ctx, hangUp)
	}
	s, err := openServer(ctx, log, level, file, c)
	if err != nil {
		if ctx.Err() != nil { // told to stop before it had begun
			return nil
		}
		return err
	}
	return errors.Join(s.run(ctx, hangUp), s.close())
}
