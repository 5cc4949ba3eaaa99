// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/console"
)

func newHomeQuotaList() *cobra.Command {
	var server operatorFlags
	output := outputTable
	cmd := &cobra.Command{
		Use:   "list [HUB]",
		Short: "List the quotas that were set at run time",
		Long: `List the quotas that hubhome home quota set has set, of a hub or of all, by hub and home. They come before what the
configuration says. default is what was not set, of bytes or of inodes. THERE is no of a home that is not there, yet or any
more, and of a hub that is not served: the quota is in force when it is.

--output csv is what hubhome home quota set --from-csv reads. So another server has the same set:

  hubhome home quota list --config old.yaml --output csv | hubhome home quota set --from-csv - --allow-missing --config new.yaml
` + operatorHelp + `

Exit codes:
  0  they are listed
  1  no such hub is served, or no server answers
  2  the command was not called as its help says`,
		Example: "  hubhome home quota list prod --config hubhome.yaml",
		Args:    oneHubAtMost,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cmp.Or(checkListing(output), server.check()); err != nil {
				return err
			}
			hub, err := parseHubArg(args)
			if err != nil {
				return err
			}
			return server.ask(cmd, askTime, func(ctx context.Context, client *console.Client) error {
				quotas, err := client.Quotas(ctx, hub)
				if err != nil {
					return err
				}
				switch output {
				case outputJSON:
					return writeJSON(cmd.OutOrStdout(), console.SetQuotaList{Quotas: quotas})
				case outputCSV:
					return writeQuotas(cmd.OutOrStdout(), quotas)
				}
				if len(quotas) == 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "hubhome: no quota is set at run time")
					return nil
				}
				return quotasTable(cmd.OutOrStdout(), quotas)
			})
		},
	}
	server.add(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", output, "table, json or csv")
	return cmd
}

func quotasTable(w io.Writer, quotas []console.SetQuota) error {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tabs, "QUOTA\tINODE QUOTA\tTHERE\t  HOME")
	for i := range quotas {
		q, there := &quotas[i], "yes"
		if q.Missing {
			there = "no"
		}
		fmt.Fprintf(tabs, "%s\t%s\t%s\t  %s\n", setBytesText(q.Override.Bytes), setInodesText(q.Override.Inodes), there,
			readable(string(q.Hub)+"/"+q.Name.String()))
	}
	return tabs.Flush()
}

// setBytesText is what was set of bytes, as home quota set takes it: null was not, -1 is unlimited.
func setBytesText(n *int64) string {
	if n == nil {
		return takeBack
	}
	if *n < 0 {
		n = nil
	}
	return limitText(n)
}

// setInodesText is that of inodes.
func setInodesText(n *int64) string {
	if n == nil {
		return takeBack
	}
	if *n < 0 {
		n = nil
	}
	return inodesText(n)
}
