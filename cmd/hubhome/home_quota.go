// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
)

// takeBack, as a quota, takes back what was set at run time.
const takeBack = "default"

func newHomeQuota() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quota",
		Short: "Set quotas of homes, and list what was set",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newHomeQuotaList(), newHomeQuotaSet())
	return cmd
}

// quotaFlags are the flags of home quota set.
type quotaFlags struct {
	server       operatorFlags
	inodes, file string
	dryRun       bool
	allowMissing bool
}

func newHomeQuotaSet() *cobra.Command {
	var f quotaFlags
	cmd := &cobra.Command{
		Use:   "set HUB/USER QUOTA | set --from-csv FILE",
		Short: "Set the quota of a home, or of many, while the server runs",
		Long: `Set the quota of a home, or of many, while the server runs. It is in force from the next request on, whatever the home
holds, and survives restarts: what is set here comes before what the configuration says, until it is taken back.

QUOTA is a size with its unit, such as 20GiB; unlimited; or default, which takes back what was set here, bytes and inodes.
--inodes N sets how many files, directories and links the home may have; without QUOTA it sets that alone. What is not said
stays as it is. A quota below what the home takes is set, and said: nothing is removed, and the user can write nothing but
small files until there is room (the reserve).

USER is the name of the home's directory; hubhome username prints which one a user of JupyterHub has. With --allow-missing
the directory need not be there yet.

FILE has a line for each home, and a first line with the names of the columns: hub, home, quota and, where they are
wanted, inodes, in any order. An empty field leaves its part as it is. A line that is wrong is named, and then none is
applied. "-" is standard input. --dry-run shows what would change, and changes nothing.
` + operatorHelp + `

Exit codes:
  0  it is set, or was so already; with --dry-run, it could be set
  1  it is not set: a quota that cannot be read, a hub or a home that is not there, no server that answers
  2  the command was not called as its help says`,
		Example: `  hubhome home quota set prod/ada 20GiB --config hubhome.yaml
  hubhome home quota set prod/ada default --config hubhome.yaml
  printf 'hub,home,quota\nprod,ada,20GiB\n' | hubhome home quota set --from-csv - --dry-run --config hubhome.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 2 {
				return fmt.Errorf("unknown argument %q; see hubhome home quota set --help", args[2])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(args); err != nil {
				return usageError{err}
			}
			if err := f.server.check(); err != nil {
				return err
			}
			changes, lines, err := f.changes(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			return f.server.ask(cmd, askTime, func(ctx context.Context, client *console.Client) error {
				result, err := client.SetQuotas(ctx, console.QuotaRequest{DryRun: f.dryRun, AllowMissing: f.allowMissing, Changes: changes})
				if err != nil {
					return f.explain(err, lines)
				}
				return f.write(cmd.OutOrStdout(), result.Changes)
			})
		},
	}
	f.server.add(cmd)
	cmd.SetFlagErrorFunc(negative)
	flags := cmd.Flags()
	flags.StringVar(&f.inodes, "inodes", "", "how many inodes: a `NUMBER`, unlimited or default")
	flags.StringVar(&f.file, "from-csv", "", "the `FILE` with the quotas of many homes")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show what would change, and change nothing")
	flags.BoolVar(&f.allowMissing, "allow-missing", false, "set quotas of homes that are not there yet, too")
	return cmd
}

// check says what is wrong with how the command was called.
func (f *quotaFlags) check(args []string) error {
	switch {
	case f.file != "" && (len(args) > 0 || f.inodes != ""):
		return errors.New("--from-csv FILE says which homes, and what; leave the rest out")
	case f.file != "":
		return nil
	case len(args) == 0:
		return errors.New("say which home, and how much: hubhome home quota set HUB/USER 20GiB")
	case len(args) == 1 && !strings.Contains(args[0], "/"):
		return fmt.Errorf("%q is no home: write HUB/USER and how much, such as prod/ada 20GiB", args[0])
	case len(args) == 1 && f.inodes == "":
		return fmt.Errorf("say how much: hubhome home quota set %s 20GiB, or unlimited, or default, or --inodes NUMBER", args[0])
	}
	return nil
}

// negative takes a size that is less than nothing for what it is: with the minus in front it looks like a flag.
func negative(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		size := unknown.GetSpecifiedShortnames()
		if size != "" && size[0] >= '0' && size[0] <= '9' {
			_, err := hubhome.ParseQuotaBytes("-" + size)
			return exitError{err, exitFailed}
		}
	}
	return flagProblem(cmd, err)
}

// changes returns what is asked for, and for a file the lines that it is from.
func (f *quotaFlags) changes(stdin io.Reader, args []string) ([]console.QuotaChange, []int, error) {
	if f.file == "-" {
		return readQuotas(stdin, f.source())
	}
	if f.file != "" {
		file, err := os.Open(f.file)
		if err != nil {
			return nil, nil, fmt.Errorf("read the quotas: %w", err)
		}
		defer file.Close()
		return readQuotas(file, f.source())
	}
	hub, name, err := parseHome(args[0])
	if err != nil {
		return nil, nil, err
	}
	change := console.QuotaChange{Hub: hub, Name: console.NewName(name), Inodes: f.inodes}
	if len(args) == 2 {
		change.Bytes = args[1]
		if args[1] == takeBack && f.inodes == "" {
			change.Inodes = takeBack
		}
	}
	if err := checkChange(&change); err != nil {
		return nil, nil, err
	}
	return []console.QuotaChange{change}, nil, nil
}

// source is what messages call the file with quotas.
func (f *quotaFlags) source() string {
	if f.file == "-" {
		return "standard input"
	}
	return f.file
}

// checkChange says what of a change cannot be read.
func checkChange(c *console.QuotaChange) error {
	if c.Bytes != "" && c.Bytes != takeBack {
		if _, err := hubhome.ParseQuotaBytes(c.Bytes); err != nil {
			return err
		}
	}
	if c.Inodes != "" && c.Inodes != takeBack {
		if _, err := hubhome.ParseQuotaInodes(c.Inodes); err != nil {
			return err
		}
	}
	return nil
}

// explain names the lines that a server's problems are of.
func (f *quotaFlags) explain(err error, lines []int) error {
	problems, ok := errors.AsType[console.Problems](err)
	if !ok || lines == nil {
		return err
	}
	var all []error
	for _, p := range problems {
		if p.Index != nil && *p.Index < len(lines) {
			all = append(all, fmt.Errorf("%s:%d: %s", f.source(), lines[*p.Index], p.Message))
			continue
		}
		all = append(all, p)
	}
	return errors.Join(append(all, errors.New("nothing was changed"))...)
}

// write shows what changed, or would.
func (f *quotaFlags) write(w io.Writer, diffs []console.QuotaDiff) error {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	changed := 0
	for i := range diffs {
		d := &diffs[i]
		if same(&d.OverrideBefore, &d.OverrideAfter) {
			continue
		}
		changed++
		fmt.Fprintf(tabs, "%s %s\t%s\t-> %s%s\n", sign(d), readable(string(d.Hub)+"/"+d.Name.String()),
			bothText(&d.Before), bothText(&d.After), remark(d))
	}
	if err := tabs.Flush(); err != nil {
		return err
	}
	what := "changed"
	if f.dryRun {
		what = "would be changed, and nothing was (--dry-run)"
	}
	unchanged := ""
	switch n := len(diffs) - changed; n {
	case 0:
	case 1:
		unchanged = "; 1 is so already"
	default:
		unchanged = fmt.Sprintf("; %d are so already", n)
	}
	_, err := fmt.Fprintf(w, "%s %s%s\n", count(changed, "quota"), what, unchanged)
	return err
}

// sign is + for a quota that is set at run time now, - for one that is no longer, and ~ for one that is another.
func sign(d *console.QuotaDiff) string {
	switch none := (console.Limit{}); {
	case same(&d.OverrideBefore, &none):
		return "+"
	case same(&d.OverrideAfter, &none):
		return "-"
	}
	return "~"
}

func same(a, b *console.Limit) bool {
	return slices.EqualFunc([]*int64{a.Bytes, a.Inodes}, []*int64{b.Bytes, b.Inodes}, func(a, b *int64) bool {
		return a == b || a != nil && b != nil && *a == *b
	})
}

// remark says what somebody should know of a quota that is set, as a column of its own.
func remark(d *console.QuotaDiff) string {
	text := ""
	switch none := (console.Limit{}); {
	case d.Missing:
		text = "the home is not there yet"
	case d.After.Bytes != nil && d.Usage.Bytes > *d.After.Bytes:
		text = "below the " + humanBytes(uint64(d.Usage.Bytes)) + " that it takes: nothing but small files can be written until there is room"
	case d.After.Inodes != nil && d.Usage.Inodes > *d.After.Inodes:
		text = "below the " + count(int(d.Usage.Inodes), "inode") + " that it takes: hardly any files can be made until there is room"
	case same(&d.OverrideAfter, &none):
		text = "as the configuration says"
	}
	if text == "" {
		return ""
	}
	return "\t" + text
}
