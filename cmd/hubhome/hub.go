// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/console"
)

func newHub() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hub",
		Short: "Look at hubs",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newHubList())
	return cmd
}

func newHubList() *cobra.Command {
	var server operatorFlags
	output := outputTable
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List hubs with what they take and may take",
		Long: `List the hubs that are served, with what is in their directories at this moment and what may be. UNCOUNTED is how many
of their homes are yet to be counted, or are: where it is not 0 the figures are not exact.

Where the homes are on an NFS server that somebody else runs (store.nfs), the figures are as old as AGE says, and PARTIAL is
how many homes have something in them that could not be read, and is missing.
` + operatorHelp + `

Exit codes:
  0  they are listed
  1  no server answers
  2  the command was not called as its help says`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown argument %q; see hubhome hub list --help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmp.Or(checkListing(output), server.check()); err != nil {
				return err
			}
			return server.ask(cmd, askTime, func(ctx context.Context, client *console.Client) error {
				hubs, err := client.Hubs(ctx)
				if err != nil {
					return err
				}
				switch output {
				case outputJSON:
					return writeJSON(cmd.OutOrStdout(), console.HubList{Hubs: hubs})
				case outputCSV:
					return hubsCSV(cmd.OutOrStdout(), hubs)
				}
				return hubsTable(cmd.OutOrStdout(), hubs)
			})
		},
	}
	server.add(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", output, "table, json or csv")
	return cmd
}

func hubsTable(w io.Writer, hubs []console.Hub) error {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if slices.ContainsFunc(hubs, func(h console.Hub) bool { return h.Unknown || !h.AsOf.IsZero() }) {
		return scannedHubsTable(tabs, hubs)
	}
	fmt.Fprintln(tabs, "USAGE\tQUOTA\tUSED\tINODES\tINODE QUOTA\tINODES USED\tHOMES\tUNCOUNTED\t  HUB")
	for i := range hubs {
		h := &hubs[i]
		fmt.Fprintf(tabs, "%s\t%d\t%d\t  %s\n", takenText(&h.Usage, &h.Quota), h.Homes, h.Uncounted, h.Name)
	}
	return tabs.Flush()
}

// scannedHubsTable writes hubs that were looked through, as scannedTable does homes.
func scannedHubsTable(tabs *tabwriter.Writer, hubs []console.Hub) error {
	fmt.Fprintln(tabs, "USAGE\tINODES\tHOMES\tPARTIAL\tAGE\t  HUB")
	now := time.Now()
	for i := range hubs {
		h := &hubs[i]
		switch {
		case h.Unknown && h.Absent:
			fmt.Fprintf(tabs, "-\t-\t-\t-\t-\t  %s (not on the server)\n", h.Name)
			continue
		case h.Unknown:
			fmt.Fprintf(tabs, "-\t-\t-\t-\t-\t  %s (not known yet)\n", h.Name)
			continue
		}
		note := ""
		if h.Absent {
			note = " (not on the server any more)"
		}
		fmt.Fprintf(tabs, "%s\t%d\t%d\t%d\t%s\t  %s%s\n", humanBytes(uint64(h.Usage.Bytes)), h.Usage.Inodes, h.Homes, h.Uncounted,
			ageText(h.AsOf, now), h.Name, note)
	}
	return tabs.Flush()
}

func hubsCSV(w io.Writer, hubs []console.Hub) error {
	out := csv.NewWriter(w)
	out.Write([]string{"hub", "usage_bytes", "quota_bytes", "usage_inodes", "quota_inodes", "homes", "uncounted", "as_of"})
	for i := range hubs {
		h := &hubs[i]
		scanned := !h.AsOf.IsZero()
		if h.Unknown {
			out.Write([]string{string(h.Name), "", "", "", "", "", "", ""})
			continue
		}
		out.Write([]string{
			string(h.Name), strconv.FormatInt(h.Usage.Bytes, 10), limitField(h.Quota.Bytes, scanned), strconv.FormatInt(h.Usage.Inodes, 10),
			limitField(h.Quota.Inodes, scanned), strconv.Itoa(h.Homes), strconv.Itoa(h.Uncounted), stamp(h.AsOf),
		})
	}
	out.Flush()
	return out.Error()
}
