// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/vfs"
)

// The exit codes of usage beside the usual ones and exitUnreachable and exitMissing, as its help lists them.
const (
	exitUnread     = 5
	exitUnfinished = 6
	exitState      = 7
)

// What usage prints, and in which order.
const (
	outputCSV = "csv"
	sortUsage = "usage"
	sortName  = "name"
	sortMtime = "mtime"
)

// defaultIOPS leaves most of the smallest managed server to its users.
const defaultIOPS = 1000

// usageFlags are the flags of usage.
type usageFlags struct {
	hubs         []string
	singleHub    bool
	as           string
	iops         int
	state        string
	maxAge       time.Duration
	output, sort string
	version      string
	mountPort    uint16
	quiet        bool
}

func newUsage() *cobra.Command {
	f := usageFlags{iops: defaultIOPS, maxAge: 24 * time.Hour, output: outputTable, sort: sortUsage, version: remote.Auto.String()}
	cmd := &cobra.Command{
		Use:   "usage nfs://HOST[:PORT]/PATH",
		Short: "Find out what the homes on an NFS server hold that somebody else runs",
		Long: `Read, over NFS and without mounting anything, what each home holds in the hubs of a base share: bytes on the disk and
apparent bytes, files and directories, the times of the latest and the earliest change. PATH is the base share, /homes, in
which each directory is a hub's; or one hub's directory, which is known by a _shared or _shared-public in it, or by
--single-hub. _shared and _shared-public are rows of their own. Nothing at the server is changed.

Directories are read with their files' attributes, many at a time, and as root; where root may not (root squash), as the owner
of each directory or as 1000:1000. --iops bounds the requests in a second, and with them what users notice; one request brings some hundred
files. A file with several names in a home counts once there.

With --state FILE, what is found is kept. A scan that was interrupted, by whatever, goes on where it was when it is started
again with the same FILE within a day. And the next scan reads less: NFS tells by a directory's change attribute whether a
name in it came, went or was replaced, but not whether a file in it grew. So a directory that was empty and is unchanged is
not read; and a directory that has no others in it, and is unchanged, is taken as it was for up to --max-age. A file that
only grew, in such a directory, is seen when that is over. AGE says how old the oldest part of a home's figures is. With
--max-age 0 everything is read that can have changed, which is nearly everything.

How much is left is known only from the last scan in FILE. On a first scan the progress says what the server counts as its
files in all, where it does: there can be no more than that.

Exit codes:
  0  all was read
  1  anything that is not below
  2  the command was not called as its help says
  3  no NFS server answered, or what did is none, speaks another version, or does not take this client
  4  PATH, or a hub in it, is not there
  5  some files or directories could not be read: they are listed, and missing in the figures of their homes
  6  the scan was interrupted, or the server answers no more: what was found until then is printed, and marked. Interrupted
     again, it ends at once
  7  the FILE cannot be used, or could not be written`,
		Example: `  hubhome usage nfs://10.0.0.5/homes
  hubhome usage nfs://10.0.0.5/homes --hub prod --state /var/lib/hubhome/usage --output csv`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("say what to scan: hubhome usage nfs://HOST[:PORT]/PATH")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.request(args[0])
			if err != nil {
				return usageError{err}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // whoever does not want to wait for what was found interrupts again
			return r.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.hubs, "hub", nil, "scan only this hub, the `NAME` of its directory in PATH; may be repeated")
	flags.BoolVar(&f.singleHub, "single-hub", false, "PATH is one hub's directory, though there is no _shared in it")
	flags.StringVar(&f.as, "as", "", "who looks, `UID:GID`; root, and where that may not the owner or 1000:1000, if not given")
	flags.IntVar(&f.iops, "iops", f.iops, "how many requests to send in a second at most, a `NUMBER`; 0: as many as the server answers")
	flags.StringVar(&f.state, "state", "", "the `FILE` that lets the next scan read less, and this one go on when it was interrupted")
	flags.DurationVar(&f.maxAge, "max-age", f.maxAge, "how old figures from the state may be of directories in which no name has changed")
	flags.StringVarP(&f.output, "output", "o", f.output, "table, json or csv")
	flags.StringVar(&f.sort, "sort", f.sort, "usage (the largest first), name, or mtime (the latest change first)")
	flags.StringVar(&f.version, "nfs-version", f.version, "the `VERSION` of NFS: auto (the best that the server has), 3, 4.1 or 4.2")
	flags.Uint16Var(&f.mountPort, "mount-port", 0, "the `PORT` of NFSv3's MOUNT service, where no port mapper knows it")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing of the progress")
	return cmd
}

// usageRequest is what usage was asked for.
type usageRequest struct {
	remote remote.Config
	path   string
	spec   usage.Spec
	iops   int
	state  string
	output string
	order  func(a, b *usage.Home) int
	quiet  bool
}

// request reads the flags.
func (f *usageFlags) request(target string) (*usageRequest, error) {
	r := &usageRequest{iops: f.iops, state: f.state, output: f.output, quiet: f.quiet}
	var err error
	if r.remote.Server, r.path, err = parseURL(target); err != nil {
		return nil, err
	}
	if err := readVersion(&r.remote, f.version, f.mountPort); err != nil {
		return nil, err
	}
	for _, name := range f.hubs {
		hub, err := hubhome.ParseHubName(name)
		if err != nil {
			return nil, fmt.Errorf("--hub: %w", err)
		}
		if !slices.Contains(r.spec.Hubs, hub) {
			r.spec.Hubs = append(r.spec.Hubs, hub)
		}
	}
	if f.singleHub && len(f.hubs) > 0 {
		return nil, errors.New("--hub names hubs in a base share, and with --single-hub PATH is none: leave one of them out")
	}
	if f.as != "" {
		owner, err := hubhome.ParseOwner(f.as)
		if err != nil {
			return nil, fmt.Errorf("--as: %w", err)
		}
		r.spec.As = &vfs.Caller{UID: owner.UID, GID: owner.GID}
	}
	if f.iops < 0 {
		return nil, fmt.Errorf("--iops %d: write a number of requests in a second, or 0 for no bound", f.iops)
	}
	if f.maxAge < 0 {
		return nil, fmt.Errorf("--max-age %v: write a time such as 24h, or 0", f.maxAge)
	}
	if !slices.Contains([]string{outputTable, outputJSON, outputCSV}, f.output) {
		return nil, fmt.Errorf("--output %q: write table, json or csv", f.output)
	}
	if r.order = orders[f.sort]; r.order == nil {
		return nil, fmt.Errorf("--sort %q: write usage, name or mtime", f.sort)
	}
	r.remote.Path = r.path
	r.spec.SingleHub, r.spec.MaxAge = f.singleHub, f.maxAge
	return r, nil
}

// source is what is scanned, as the state knows it.
func (r *usageRequest) source() string { return sourceOf(r.remote.Server, r.path) }

// run scans, and prints what was found.
func (r *usageRequest) run(ctx context.Context, out, log io.Writer) error {
	if r.state != "" {
		st, err := usage.OpenState(r.state, r.source())
		if err != nil {
			return exitError{err, exitState}
		}
		defer st.Close()
		r.spec.State = st
		if st.Resumed() && !r.quiet {
			fmt.Fprintf(log, "hubhome: going on with the scan that began at %s\n", st.Began().Format(time.RFC3339))
		}
	}
	fs, err := r.reach(ctx)
	if err != nil {
		return err
	}
	defer fs.Close() // what the server does not hear of it forgets by itself
	if err := r.place(ctx, fs); err != nil {
		return err
	}
	result, err := r.scan(ctx, fs, log)
	if len(result.Hubs) > 0 || err == nil {
		report := newUsageReport(r, fs, result)
		if e := report.write(out, r); e != nil {
			return e
		}
		report.troubles(log)
		if hub, sign, looks := result.HubForHome(); looks && !r.spec.SingleHub {
			fmt.Fprintf(log, "hubhome: what was taken for hubs looks like homes: in %s there is %s. If %s is one hub's directory, say --single-hub\n",
				readable(hub), sign, r.source())
		}
	}
	return r.verdict(ctx, result, err)
}

// reach connects to the server.
func (r *usageRequest) reach(ctx context.Context) (*remote.FS, error) {
	if r.iops > 0 {
		// What was not used for a tenth of a second is gone: a burst is what users notice.
		limit := rate.NewLimiter(rate.Limit(r.iops), max(r.iops/10, 1))
		r.remote.Pace = limit.Wait
		// Nobody waits longer for a turn than the server may take for an answer.
		const longestWait = 10
		r.spec.Parallel = min(usage.DefaultParallel, longestWait*r.iops)
	}
	fs, err := remote.Dial(ctx, r.remote)
	if err != nil {
		return nil, unreached(ctx, err).exit()
	}
	return fs, nil
}

// place finds where the path is in what was reached, and what it is.
func (r *usageRequest) place(ctx context.Context, fs *remote.FS) error {
	var err error
	if r.spec.Path, err = fs.Below(r.path); err != nil {
		return exitError{err, exitMissing}
	}
	if r.spec.SingleHub || len(r.spec.Hubs) > 0 {
		return nil
	}
	r.spec.SingleHub, err = usage.IsHub(ctx, fs, r.spec.Path, r.spec.As)
	if err != nil {
		return r.verdict(ctx, &usage.Result{}, err)
	}
	return nil
}

// scan scans with progress.
func (r *usageRequest) scan(ctx context.Context, fs *remote.FS, log io.Writer) (*usage.Result, error) {
	if !r.quiet {
		p := newProgress(log)
		defer p.end()
		r.spec.Progress = p.showScan
	}
	return usage.Scan(ctx, fs, r.spec)
}

// verdict is the error that a scan ends with.
func (r *usageRequest) verdict(ctx context.Context, result *usage.Result, err error) error {
	if r.spec.State != nil {
		if e := r.spec.State.Close(); e != nil && err == nil {
			return exitError{e, exitState}
		}
	}
	again := ""
	if r.state != "" {
		again = "; to go on with it, start it again with the same --state"
	}
	if missing, ok := errors.AsType[*usage.Missing](err); ok {
		return exitError{errors.New(r.source() + ": " + missingText(missing)), exitMissing}
	}
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return exitError{fmt.Errorf("the scan was interrupted%s", again), exitUnfinished}
	case err != nil && len(result.Hubs) > 0:
		return exitError{fmt.Errorf("the scan has not come to its end: %w%s", err, again), exitUnfinished}
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return exitError{fmt.Errorf("scan %s: %w", r.source(), err), exitUnread}
	case err != nil:
		return fmt.Errorf("scan %s: %w", r.source(), err)
	case result.Errors > 0:
		return exitError{errors.New(unreadable(result.Errors)), exitUnread}
	}
	return nil
}

// missingText says what is not there, what is there in its place, and what to do where the server may not export it.
func missingText(m *usage.Missing) string {
	text := m.Error()
	if len(m.There) > 0 {
		names := make([]string, len(m.There))
		for i, name := range m.There {
			names[i] = readable(name)
		}
		text += fmt.Sprintf("; in %s there is: %s", m.In, strings.Join(names, ", "))
		if m.In != "/" {
			return text
		}
	}
	return text + "\n" + advice.NotExported.String()
}

// unreadable says how much is missing.
func unreadable(n uint64) string {
	if n == 1 {
		return "1 file or directory could not be read, and is missing in the figures"
	}
	return fmt.Sprintf("%d files or directories could not be read, and are missing in the figures", n)
}
