// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
)

// exitDiffer is the exit code of a check that has found a difference.
const exitDiffer = 3

func newStore() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Work on a store that is not being served",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newStoreCheck())
	return cmd
}

func newStoreCheck() *cobra.Command {
	file, repair, rebuild := "", false, false
	cmd := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Compare what the server knows that homes take with what is on the disk",
		Long: `Compare what the server knows that homes take, its ledger, with what is on the disk, by counting every home of
FILE's hubs. The server must not be running. Nothing in the homes is changed.

A server counts by itself what it has to, after a crash too. This is for when files were changed on the disk while no
server was running, and for when a server refuses to start because its ledger is damaged, or of a newer hubhome.

Exit codes:
  0  the ledger is right, or is now
  1  it could not be told: the store is in use, or damaged, or the disk cannot be read
  2  the command was not called as its help says
  3  the ledger is not right, and was left as it is`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usageError{errors.New("say which store: hubhome store check --config FILE")}
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			c, err := config.Load(file)
			if err != nil {
				return err
			}
			return storeCheck(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), c, repair || rebuild, rebuild)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "the configuration `FILE` (required)")
	cmd.Flags().BoolVar(&repair, "repair", false, "make the ledger right")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "throw the ledger away, also one that cannot be read, and make a new one; implies --repair")
	return cmd
}

// storeCheck compares and says where there is a difference.
func storeCheck(ctx context.Context, out, log io.Writer, c *config.Config, repair, rebuild bool) (err error) {
	s, err := store.Open(ctx, store.Options{
		Path: c.Store.Disk.Path, Logger: slog.New(slog.NewTextHandler(log, nil)), Rebuild: rebuild,
	})
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.Place(storePathKey), storePathKey, err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	const progress = 10 * time.Second
	told, homes, differ := time.Now(), 0, 0
	err = s.Check(ctx, hubs(c), repair, func(h store.Checked) {
		homes++
		if time.Since(told) > progress {
			told = time.Now()
			fmt.Fprintf(log, "counted %s so far\n", count(homes, "directory"))
		}
		if h.Same() {
			return
		}
		differ++
		fmt.Fprintf(out, "%s/%s: the ledger says %s, the disk %s\n", h.Hub, printable(h.Home), inodes(h.Ledger), inodes(h.Disk))
	})
	switch {
	case err != nil:
		return err
	case differ == 0:
		_, err = fmt.Fprintf(out, "ok: the ledger is right of all %d directories\n", homes)
	case repair:
		_, err = fmt.Fprintf(out, "repaired: the ledger was wrong of %d of %d directories\n", differ, homes)
	default:
		err = exitError{fmt.Errorf("the ledger is wrong of %d of %d directories: hubhome store check --repair makes it right", differ, homes), exitDiffer}
	}
	return err
}

func inodes(u quota.Usage) string { return fmt.Sprintf("%d bytes in %d inodes", u.Bytes, u.Inodes) }
