// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/advice"
	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/share"
	"github.com/hubhome/hubhome/vfs"
)

// The exit codes of share create beside the usual ones, as its help lists them.
const (
	exitUnreachable = 3
	exitMissing     = 4
	exitDenied      = 5
	exitFull        = 6
	exitInTheWay    = 7
)

func newShare() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "share",
		Short: "Work on the directories of hubs on an NFS server",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newShareCreate())
	return cmd
}

// shareFlags are the flags of share create.
type shareFlags struct {
	server, base, hub string
	owner, mode       string
	version           string
	mountPort         uint16
	output            string
	timeout           time.Duration
	shared, public    bool
	chown             bool
}

func newShareCreate() *cobra.Command {
	f := shareFlags{owner: hubhome.DefaultOwner.String(), mode: "0755", version: remote.Auto.String(), output: outputText, timeout: time.Minute}
	cmd := &cobra.Command{
		Use:   "create --server HOST[:PORT] --base-share PATH --hub NAME",
		Short: "Make a hub's directory on an NFS server, and prove that its owner can write there",
		Long: `Make PATH/NAME on an NFS server, with owner and mode, so that it can be mounted and homes can be made in it; and
PATH itself, where the server lets root make it. Nothing is mounted: hubhome speaks NFS itself, and needs no privilege on
this machine. The owner then writes, reads and removes a file there. What is in the directory is never touched.

It may run again at any time: what is right is left as it is. A directory that belongs to somebody else is given to the
owner where it is empty, and otherwise only with --chown. A server that is not there yet is waited for until --timeout,
which is never exceeded by more than 2 seconds.

Exit codes:
  0  the directories are there, and the owner can write
  1  anything that is not below, such as an input/output error of the server, or an interrupt
  2  the command was not called as its help says
  3  no NFS server answered until --timeout, or what did is none, speaks another version, or does not take this client
  4  the base share is not there, and the server does not let anybody make it: it is not exported
  5  the server does not permit it: root squash, a read-only export
  6  no space or no quota is left
  7  something is in the way: a file, a link, or somebody else's directory that is not empty`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown argument %q; see hubhome share create --help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := f.request()
			if err != nil {
				return usageError{err}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			signal.Ignore(syscall.SIGPIPE) // there is something to clean up
			return r.run(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.server, "server", "", "the NFS server, `HOST[:PORT]`; port 2049 where none is given (required)")
	flags.StringVar(&f.base, "base-share", "", "the directory of all hubs on the server, a `PATH` such as /homes (required)")
	flags.StringVar(&f.hub, "hub", "", "the hub, the `NAME` of its directory in the base share (required)")
	flags.StringVar(&f.owner, "owner", f.owner, "to whom the hub's directory belongs, `UID:GID`")
	flags.StringVar(&f.mode, "mode", f.mode, "the mode of the hub's directory, in `OCTAL`")
	flags.BoolVar(&f.shared, "shared", false, "make _shared in it, which the owner can write to")
	flags.BoolVar(&f.public, "shared-public", false, "make _shared-public in it, which all can write to")
	flags.BoolVar(&f.chown, "chown", false, "give the hub's directory to the owner even where it is not empty; not what is in it")
	flags.StringVar(&f.version, "nfs-version", f.version, "the `VERSION` of NFS: auto (the best that the server has), 3, 4.1 or 4.2")
	flags.Uint16Var(&f.mountPort, "mount-port", 0, "the `PORT` of NFSv3's MOUNT service, where no port mapper knows it")
	flags.DurationVar(&f.timeout, "timeout", f.timeout, "how long all of it may take, the waiting for the server included")
	flags.StringVar(&f.output, "output", f.output, "text or json")
	return cmd
}

// shareRequest is what share create was asked for.
type shareRequest struct {
	remote  remote.Config
	base    string
	spec    share.Spec
	timeout time.Duration
	json    bool
}

// request reads the flags.
func (f *shareFlags) request() (*shareRequest, error) {
	for _, flag := range []struct{ name, value string }{{"server", f.server}, {"base-share", f.base}, {"hub", f.hub}} {
		if flag.value == "" {
			return nil, fmt.Errorf("--%s is missing: hubhome share create --server HOST[:PORT] --base-share PATH --hub NAME", flag.name)
		}
	}
	r := &shareRequest{timeout: f.timeout, json: f.output == outputJSON}
	var err error
	if r.remote.Server, err = remote.ParseAddress(f.server); err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	if err := readVersion(&r.remote, f.version, f.mountPort); err != nil {
		return nil, err
	}
	if r.base, err = parsePath(f.base); err != nil {
		return nil, fmt.Errorf("--base-share: %w", err)
	}
	if r.spec.Hub, err = hubhome.ParseHubName(f.hub); err != nil {
		return nil, fmt.Errorf("--hub: %w", err)
	}
	if r.spec.Owner, err = hubhome.ParseOwner(f.owner); err != nil {
		return nil, fmt.Errorf("--owner: %w", err)
	}
	mode, err := strconv.ParseUint(f.mode, 8, 32)
	if err != nil || mode > 0o7777 {
		return nil, fmt.Errorf("--mode %q: write up to four octal digits, such as 0755", f.mode)
	}
	if f.timeout < time.Second {
		return nil, fmt.Errorf("--timeout %v: give it at least 1s", f.timeout)
	}
	if f.output != outputText && f.output != outputJSON {
		return nil, fmt.Errorf("--output %q: write text or json", f.output)
	}
	r.remote.Path = r.base
	r.spec.Mode, r.spec.Shared, r.spec.SharedPublic, r.spec.Chown = uint32(mode), f.shared, f.public, f.chown
	return r, nil
}

// readVersion reads the flags that say how NFS is spoken.
func readVersion(cfg *remote.Config, version string, mountPort uint16) error {
	var err error
	if cfg.Version, err = remote.ParseVersion(version); err != nil {
		return fmt.Errorf("--nfs-version: %w", err)
	}
	if mountPort != 0 && cfg.Version >= remote.V41 {
		return fmt.Errorf("--mount-port goes with NFSv3, and not with --nfs-version %s", version)
	}
	cfg.MountPort = mountPort
	return nil
}

// parsePath reads an absolute path on a server. Slashes at its ends are as good as none.
func parsePath(s string) (string, error) {
	for _, name := range remote.Names(s) {
		if name == "." || name == ".." || strings.ContainsRune(name, 0) || len(name) > maxName {
			return "", fmt.Errorf("%q is no name in a path; write the path as the server exports it, such as /homes", name)
		}
	}
	return path.Clean("/" + s), nil
}

// maxName is the longest name in a path in bytes (NAME_MAX).
const maxName = 255

// shareResult is what share create prints as JSON.
type shareResult struct {
	Server  string `json:"server"`
	Address string `json:"address,omitempty"`
	Version string `json:"nfsVersion,omitempty"`
	share.Report
	Error *shareError `json:"error,omitempty"`
}

// shareError is why it could not be done.
type shareError struct {
	Code    int            `json:"exitCode"`
	Trouble string         `json:"trouble"`
	Message string         `json:"message"`
	Advice  *advice.Advice `json:"advice,omitempty"`
}

// run does it, and prints what was done.
func (r *shareRequest) run(ctx context.Context, out, log io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	result := shareResult{Server: r.remote.Server.String(), Report: share.Report{Directories: []share.Directory{}}}
	failure := r.create(ctx, &result, log)
	if failure != nil {
		result.Error = failure
	}
	var err error
	if r.json {
		err = writeJSON(out, result)
	} else {
		err = result.write(out, r)
	}
	if failure != nil {
		return failure.exit()
	}
	return err
}

// create reaches the server and makes the directories.
func (r *shareRequest) create(ctx context.Context, result *shareResult, log io.Writer) *shareError {
	fs, err := remote.Wait(ctx, r.remote, func(err error) {
		fmt.Fprintf(log, "hubhome: %v; trying again for up to %v\n", err, r.timeout)
	})
	if err != nil {
		return unreached(ctx, err)
	}
	defer fs.Close() // what the server does not hear of it forgets by itself
	result.Address, result.Version = fs.Addr, fs.Version.String()
	spec := r.spec
	if spec.Base, err = fs.Below(r.base); err == nil {
		spec.At = fs.At
		result.Report, err = share.Create(ctx, fs, spec)
	}
	if err != nil {
		return unmade(ctx, fmt.Errorf("%s, NFSv%s: %w", fs.Addr, fs.Version, err), r.timeout)
	}
	return nil
}

// interrupted is the trouble of a run that a signal has ended.
const interrupted = "interrupted"

// unreached is the failure of a server that was not reached.
func unreached(ctx context.Context, err error) *shareError {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &shareError{Code: exitFailed, Trouble: interrupted, Message: "interrupted before the server was reached"}
	}
	e := &shareError{Code: exitUnreachable, Trouble: remote.Failed.String(), Message: err.Error()}
	if failure, ok := errors.AsType[*remote.Error](err); ok {
		e.Trouble, e.Advice = failure.Trouble().String(), failure.Trouble().Advice()
		if failure.Trouble() == remote.NotExported {
			e.Code = exitMissing
		}
	}
	return e
}

// unmade is the failure of a directory that could not be made.
func unmade(ctx context.Context, err error, timeout time.Duration) *shareError {
	e := &shareError{Code: exitFailed, Trouble: share.Failed.String(), Message: err.Error()}
	if errors.Is(ctx.Err(), context.Canceled) {
		e.Trouble, e.Message = interrupted, "interrupted; another run completes what was begun"
		return e
	}
	failure, ok := errors.AsType[*share.Error](err)
	if !ok {
		return e
	}
	e.Trouble = failure.Trouble.String()
	switch failure.Trouble {
	case share.Silent:
		e.Code, e.Advice = exitUnreachable, &advice.Silent
		e.Message += fmt.Sprintf("; the time of %v is over", timeout)
	case share.Missing:
		e.Code, e.Advice = exitMissing, &advice.NotExported
	case share.Denied:
		e.Code, e.Advice = exitDenied, &advice.RootSquash
		if failure.AsOwner {
			e.Advice = &advice.Denied
		}
	case share.ReadOnly:
		e.Code, e.Advice = exitDenied, &advice.ReadOnly
	case share.Full:
		e.Code, e.Advice = exitFull, &advice.Full
	case share.InTheWay:
		e.Code, e.Advice = exitInTheWay, inTheWay(failure)
	}
	return e
}

// inTheWay is what to do about what is where the hub's directory should be.
func inTheWay(e *share.Error) *advice.Advice {
	if e.Occupant == nil {
		return &advice.Advice{Do: "Move it away, or give the hub another directory (--hub)."}
	}
	if e.Occupant.UID == vfs.Nobody || e.Occupant.GID == vfs.Nobody {
		return &advice.Nobody
	}
	return &advice.Advice{Do: fmt.Sprintf("See whose it is. Where it is this hub's and %[1]s is right, say --owner %[1]s; where it is this hub's and %[1]s is wrong, "+
		"--chown gives the directory itself, and nothing in it, to the owner. Where it is another's, give the hub another directory (--hub).", e.Occupant)}
}

// exit is the error that ends the command.
func (e *shareError) exit() error {
	text := e.Message
	if e.Advice != nil {
		text += "\n" + e.Advice.String()
	}
	return exitError{errors.New(text), e.Code}
}

// write prints what was done as text; nothing where nothing was.
func (s *shareResult) write(out io.Writer, r *shareRequest) error {
	tabs := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range s.Directories {
		line := d.Path + "\t" + d.Action + "\t" + d.Owner + "\t" + d.Mode
		if d.Was != "" {
			line += "\twas " + d.Was
		}
		fmt.Fprintln(tabs, line)
	}
	if s.Probed {
		fmt.Fprintf(tabs, "%s wrote, read and removed a file in %s/%s at %s over NFSv%s\n",
			r.spec.Owner, strings.TrimSuffix(r.base, "/"), r.spec.Hub, s.Address, s.Version)
	}
	if s.RootSquashed {
		fmt.Fprintf(tabs, "warning: the server takes root for nobody (root squash): a kubelet can make no homes there; hubhome check says what to do\n")
	}
	return tabs.Flush()
}

// writeJSON prints a value as JSON.
func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
