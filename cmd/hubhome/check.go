// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/check"
	"github.com/hubhome/hubhome/remote"
)

// outputTable is how check and usage write for people.
const outputTable = "table"

// checkFlags are the flags of check.
type checkFlags struct {
	owner     string
	version   string
	mountPort uint16
	output    string
	timeout   time.Duration
	readOnly  bool
}

func newCheck() *cobra.Command {
	f := checkFlags{owner: hubhome.DefaultOwner.String(), version: remote.Auto.String(), output: outputTable, timeout: 30 * time.Second}
	cmd := &cobra.Command{
		Use:   "check nfs://HOST[:PORT]/PATH",
		Short: "Say whether homes on an NFS server work, and what to do where they do not",
		Long: `Say whether homes in a directory of an NFS server work: a line for each thing, from the server's name to a lock in a
file, with a verdict, and what to do about each that is not ok. Nothing is mounted. PATH is a hub's directory, such as
/homes/prod, or a home.

It writes as the owner, to a file .hubhome-probe-… in PATH, which it removes whatever happens, and nothing else;
with --read-only not even that.

  resolve          the server's name has an address
  connect          each address takes TCP connections
  versions         which versions of NFS are spoken
  session          a session in the best of them, or in --nfs-version
  export           what the server exports, and whether PATH is in it
  path             PATH is there
  owner            it is the owner's, by owner and mode
  list             the owner can list it
  space            what df would say, and whether that can be
  getattr-latency  how long a look at a file takes
  write, read      the owner can make a file, write it, and read the same back
  root             root can give a file to the owner, as the kubelet has to who makes homes
  fsync            the server says that data is on its disk
  lock             a lock keeps another out (NFSv4)
  rename           a file can be moved to another name
  write-latency    how long a synced write takes
  clock            the server's clock and this machine's are together
  remove           the file is gone again

Exit codes:
  0  all is ok, or there are warnings alone
  1  something failed, or --timeout was over before all was looked at
  2  the command was not called as its help says`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one directory, not %d: hubhome check nfs://HOST[:PORT]/PATH", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := f.config(args[0])
			if err != nil {
				return usageError{err}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			signal.Ignore(syscall.SIGPIPE) // there is something to clean up
			ctx, cancel := context.WithTimeout(ctx, f.timeout)
			defer cancel()
			if f.output == outputJSON {
				return checkJSON(ctx, cfg, args[0], cmd.OutOrStdout())
			}
			return checkTable(ctx, cfg, args[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.owner, "owner", f.owner, "who reads and writes, `UID:GID`")
	flags.BoolVar(&f.readOnly, "read-only", false, "write nothing: skip what takes a file")
	flags.StringVar(&f.version, "nfs-version", f.version, "the `VERSION` of NFS: auto (the best that the server has), 3, 4.1 or 4.2")
	flags.Uint16Var(&f.mountPort, "mount-port", 0, "the `PORT` of NFSv3's MOUNT service, where no port mapper knows it")
	flags.DurationVar(&f.timeout, "timeout", f.timeout, "how long all of it may take")
	flags.StringVar(&f.output, "output", f.output, "table or json")
	return cmd
}

// config reads the flags and the URL.
func (f *checkFlags) config(text string) (check.Config, error) {
	cfg := check.Config{ReadOnly: f.readOnly}
	var err error
	if cfg.Remote.Server, cfg.Remote.Path, err = parseURL(text); err != nil {
		return cfg, err
	}
	if cfg.Owner, err = hubhome.ParseOwner(f.owner); err != nil {
		return cfg, fmt.Errorf("--owner: %w", err)
	}
	if err := readVersion(&cfg.Remote, f.version, f.mountPort); err != nil {
		return cfg, err
	}
	if f.timeout < time.Second {
		return cfg, fmt.Errorf("--timeout %v: give it at least 1s", f.timeout)
	}
	if f.output != outputTable && f.output != outputJSON {
		return cfg, fmt.Errorf("--output %q: write table or json", f.output)
	}
	return cfg, nil
}

// checkResult is what check prints as JSON.
type checkResult struct {
	URL     string        `json:"url"`
	Server  string        `json:"server"`
	Path    string        `json:"path"`
	Owner   string        `json:"owner"`
	Verdict check.Verdict `json:"verdict"`
	Checks  []check.Line  `json:"checks"`
}

func checkJSON(ctx context.Context, cfg check.Config, text string, out io.Writer) error {
	result := checkResult{URL: text, Server: cfg.Remote.Server.String(), Path: cfg.Remote.Path, Owner: cfg.Owner.String()}
	result.Verdict = check.Run(ctx, cfg, func(line check.Line) { result.Checks = append(result.Checks, line) })
	if err := writeJSON(out, result); err != nil {
		return err
	}
	return failed(result.Checks)
}

// failed is the end of a check that has said already what is wrong.
func failed(lines []check.Line) error {
	var names []string
	for _, line := range lines {
		if line.Verdict == check.Fail && !slices.Contains(names, line.Name) {
			names = append(names, line.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("not ok: %s", strings.Join(names, ", "))
}

// nameWidth is the width of the longest name of a line.
const nameWidth = len("getattr-latency")

// checkTable prints every line as soon as it is known, and then what to do.
func checkTable(ctx context.Context, cfg check.Config, text string, out io.Writer) error {
	t := &transcript{out: out, colour: os.Getenv("NO_COLOR") == "" && terminal(out)}
	t.line("%s, as %s", text, cfg.Owner)
	t.line("")
	var lines []check.Line
	check.Run(ctx, cfg, func(line check.Line) {
		lines = append(lines, line)
		t.line("%s  %-*s  %s", t.paint(fmt.Sprintf("%-4s", line.Verdict), verdictColours[line.Verdict]), nameWidth, line.Name, line.Seen)
	})
	told := map[string]bool{}
	for _, line := range lines {
		if line.Advice == nil || told[line.Advice.Do] {
			continue
		}
		told[line.Advice.Do] = true
		t.line("")
		t.line("%s: %s", line.Name, line.Advice)
	}
	if t.err != nil {
		return t.err
	}
	return failed(lines)
}

var verdictColours = map[check.Verdict]int{check.Skip: faint, check.OK: green, check.Warn: yellow, check.Fail: red}
