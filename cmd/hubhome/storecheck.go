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
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
)

// exitDiffer is the exit code of a check that has found a difference.
const exitDiffer = 3

func newStore() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Work on a store",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newStoreCheck())
	return cmd
}

func newStoreCheck() *cobra.Command {
	file, repair, rebuild := "", false, false
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Compare what the server knows that homes take with what is on the disk",
		Long: `Compare what the server knows that homes take, its ledger, with what is on the disk, by counting every home of
FILE's hubs. A server that runs does it while it serves, and compares each home as of one moment. Nothing in the homes is
changed. How far it is is told on standard error.

A server counts by itself what it has to, after a crash too. This is for when files were changed on the disk while no
server was running, and for when a server refuses to start because its ledger is damaged, or of a newer hubhome. With
--repair homes that wait to be counted are counted at once, also those that could not be read before.

Exit codes:
  0  the ledger is right, or is now
  1  it could not be told: the store is in use by who does not answer, or damaged, or a home cannot be read
  2  the command was not called as its help says
  3  the ledger is not right, and was left as it is`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := configOr(file, "say which store: hubhome store check --config FILE")
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			c, err := config.Load(file)
			if err != nil {
				return err
			}
			err = storeCheck(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), c, repair || rebuild, rebuild)
			switch {
			case err != nil && ctx.Err() != nil && rebuild:
				return errors.New("interrupted: not all homes were counted; a server counts the others when it is started")
			case err != nil && ctx.Err() != nil:
				return errors.New("interrupted: not all homes were compared, and what was not is as it was")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "the configuration `FILE` (/etc/hubhome/hubhome.yaml if not given)")
	cmd.Flags().BoolVar(&repair, "repair", false, "make the ledger right")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "throw the ledger away, also one that cannot be read, and make a new one, with no server running; implies --repair")
	return cmd
}

// storeCheck compares and says where there is a difference. A server that runs is asked to: it has the store.
func storeCheck(ctx context.Context, out, log io.Writer, c *config.Config, repair, rebuild bool) error {
	if c.Store.IsRemote() {
		return fmt.Errorf("%s: store.nfs has no ledger to compare: what its homes hold is found out by looking, by hubhome usage", c.Place("store.nfs"))
	}
	for _, path := range []string{c.Admin.Socket, store.OwnDir(c.Store.Disk.Path)} {
		if err := asOwnerOf(path); err != nil {
			return err
		}
	}
	p := newProgress(log)
	r := &checkReport{out: p.above(out), repair: repair, rebuild: rebuild}
	err := r.check(ctx, p, c)
	p.end()
	if err != nil {
		return err
	}
	return r.verdict()
}

// check compares, with progress.
func (r *checkReport) check(ctx context.Context, p *progress, c *config.Config) error {
	if !r.rebuild {
		client := console.NewClient(c.Admin.Socket)
		defer client.Close()
		err := client.Check(ctx, r.repair, func(c console.Checked) {
			r.add(store.Checked(c))
			p.show(uint64(r.sum.Inodes), 0, fmt.Sprintf("%d directories so far, with %s", r.homes, count(int(r.sum.Inodes), "inode")), p.elapsed())
		})
		if !errors.Is(err, console.ErrNoServer) {
			return err
		}
	}
	s, err := store.Open(ctx, store.Options{
		Path: c.Store.Disk.Path, Logger: slog.New(slog.NewTextHandler(p.above(p.log), nil)), Rebuild: r.rebuild, Existing: !r.repair,
	})
	if errors.Is(err, store.ErrNoStore) {
		return fmt.Errorf("%s: %s: %w: mount the disk that it is on; on a disk with homes that no server has served yet, --repair counts them", c.Place(storePathKey), storePathKey, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", c.Place(storePathKey), storePathKey, err)
	}
	err = s.Check(ctx, hubs(c), r.repair, r.add, func(at store.CheckProgress) {
		p.show(uint64(at.Seen.Inodes), uint64(at.Known.Inodes), checkText(&at, p.elapsed()), p.elapsed())
	})
	return errors.Join(err, s.Close())
}

// checkText says how far a check is.
func checkText(at *store.CheckProgress, elapsed time.Duration) string {
	return fmt.Sprintf("%d of %d directories, %s, %s of about %d, %.0f/s, %v", at.Checked, at.Homes, humanBytes(uint64(at.Seen.Bytes)),
		count(int(at.Seen.Inodes), "inode"), max(at.Known.Inodes, at.Seen.Inodes), float64(at.Seen.Inodes)/max(elapsed.Seconds(), 0.001),
		elapsed.Round(time.Second))
}

// checkReport writes what a check finds.
type checkReport struct {
	out             io.Writer
	repair, rebuild bool

	homes, differ, faults int
	sum                   quota.Usage // of what is on the disk
	// unsure are those that are to be counted, of which nothing can be wrong yet. A repair counts them.
	unsure int
}

// add counts a home, and says where there is a difference.
func (r *checkReport) add(h store.Checked) {
	r.homes++
	name := readable(string(h.Hub) + "/" + h.Home)
	if h.Home == "" {
		name = string(h.Hub) + " (in no home)"
	}
	if h.Fault != "" {
		r.faults++
		fmt.Fprintf(r.out, "%s: cannot be counted: %s\n", name, printable(h.Fault))
		return
	}
	r.sum.Bytes, r.sum.Inodes = r.sum.Bytes+h.Disk.Bytes, r.sum.Inodes+h.Disk.Inodes
	if !h.Believed && !r.repair {
		r.unsure++
	}
	if h.Same() {
		return
	}
	r.differ++
	fmt.Fprintf(r.out, "%s: the ledger says %s, the disk %s\n", name, inodes(h.Ledger), inodes(h.Disk))
}

// verdict is the last line.
func (r *checkReport) verdict() error {
	rest := ""
	if r.unsure > 0 {
		rest = fmt.Sprintf("; %d yet to be counted, which a server does by itself", r.unsure)
	}
	switch {
	case r.faults > 0 && r.differ > 0 && !r.repair:
		return fmt.Errorf("%d of %d directories cannot be counted, and ledger and disk differ in %d", r.faults, r.homes, r.differ)
	case r.faults > 0:
		return fmt.Errorf("%d of %d directories cannot be counted", r.faults, r.homes)
	case r.rebuild:
		_, err := fmt.Fprintf(r.out, "rebuilt: the ledger is made anew: %s in %d directories\n", inodes(r.sum), r.homes)
		return err
	case r.differ == 0 && r.unsure == 0:
		_, err := fmt.Fprintf(r.out, "ok: ledger and disk agree in all %d directories\n", r.homes)
		return err
	case r.differ == 0:
		_, err := fmt.Fprintf(r.out, "ok: ledger and disk agree in %d of %d directories%s\n", r.homes-r.unsure, r.homes, rest)
		return err
	case r.repair:
		_, err := fmt.Fprintf(r.out, "repaired: ledger and disk differed in %d of %d directories\n", r.differ, r.homes)
		return err
	}
	return exitError{fmt.Errorf("ledger and disk differ in %d of %d directories%s: hubhome store check --repair makes the ledger right", r.differ, r.homes, rest), exitDiffer}
}

func inodes(u quota.Usage) string {
	return fmt.Sprintf("%d bytes in %s", u.Bytes, count(int(u.Inodes), "inode"))
}
