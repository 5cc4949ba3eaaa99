// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome"
)

// How commands write what they have to say.
const (
	outputText = "text"
	outputTSV  = "tsv"
	outputJSON = "json"
)

func newUsername() *cobra.Command {
	output := outputText
	cmd := &cobra.Command{
		Use:   "username [NAME…]",
		Short: "Print the directory of a user under both of KubeSpawner's schemes",
		Long: `Print the directories that KubeSpawner gives users under a hub's directory, under both of its schemes:
"safe", the default since KubeSpawner 7, and "escape", the one before (c.KubeSpawner.slug_scheme).
NAME is what JupyterHub calls the user. Without any, names are read from standard input, one a line.

Exit codes:
  0  all names were printed
  1  a name is not one that JupyterHub could have, or cannot be printed; the others were printed
  2  the command was not called as its help says`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != outputText && output != outputTSV {
				return usageError{fmt.Errorf("--output %q: write text or tsv", output)}
			}
			u := newUsernameWriter(cmd.OutOrStdout(), output)
			if len(args) > 0 {
				for _, name := range args {
					u.write(name)
				}
			} else {
				u.writeLines(cmd.InOrStdin())
			}
			return u.end()
		},
	}
	cmd.Flags().StringVar(&output, "output", output, "text, or tsv: name, escape and safe with tabs between, and no header")
	return cmd
}

// usernameWriter writes one line for each name, and remembers what was wrong.
type usernameWriter struct {
	w    *bufio.Writer
	tabs *tabwriter.Writer // nil: tsv
	errs []error
}

func newUsernameWriter(w io.Writer, output string) *usernameWriter {
	u := &usernameWriter{w: bufio.NewWriter(w)}
	if output == outputTSV {
		return u
	}
	u.tabs = tabwriter.NewWriter(u.w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(u.tabs, "NAME\tESCAPE\tSAFE")
	return u
}

// writeLines writes a line for each line that it reads.
func (u *usernameWriter) writeLines(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		u.write(lines.Text())
	}
	if err := lines.Err(); err != nil {
		u.errs = append(u.errs, fmt.Errorf("read names from standard input: %w", err))
	}
}

func (u *usernameWriter) write(name string) {
	escape, err := hubhome.EscapeUsername(name)
	if err != nil {
		u.errs = append(u.errs, err)
		return
	}
	safe, err := hubhome.SafeUsername(name)
	if err != nil {
		u.errs = append(u.errs, err)
		return
	}
	if u.tabs != nil {
		fmt.Fprintf(u.tabs, "%s\t%s\t%s\n", readable(name), escape, safe)
		return
	}
	if strings.ContainsAny(name, "\t\r\n") {
		u.errs = append(u.errs, fmt.Errorf("username %q has a tab or a line break, which tsv cannot hold; use --output text", name))
		return
	}
	fmt.Fprintf(u.w, "%s\t%s\t%s\n", name, escape, safe)
}

// readable quotes a name that would not show as what it is.
func readable(name string) string {
	if q := strconv.Quote(name); q != `"`+name+`"` || strings.TrimSpace(name) != name {
		return q
	}
	return name
}

// end writes what is left, and returns all that was wrong.
func (u *usernameWriter) end() error {
	if u.tabs != nil {
		u.errs = append(u.errs, u.tabs.Flush())
	}
	u.errs = append(u.errs, u.w.Flush())
	return errors.Join(u.errs...)
}
