// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
)

func newHome() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "home",
		Short: "Look at homes, and set their quotas",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newHomeList(), newHomeShow(), newHomeQuota())
	return cmd
}

// homeOrders are how homes are sorted. What is equal is in the order of hubs and names.
var homeOrders = map[string]func(a, b *console.Home) int{
	"name":  func(a, b *console.Home) int { return 0 },
	"usage": func(a, b *console.Home) int { return cmp.Compare(b.Usage.Bytes, a.Usage.Bytes) },
	"quota": func(a, b *console.Home) int { return cmp.Compare(limited(b.Quota.Bytes), limited(a.Quota.Bytes)) },
	"mtime": func(a, b *console.Home) int { return b.LastWrite.Compare(a.LastWrite) },
}

// limited is a limit as a number.
func limited(n *int64) int64 {
	if n == nil {
		return int64(hubhome.Unlimited)
	}
	return *n
}

func newHomeList() *cobra.Command {
	var server operatorFlags
	order, output := "name", outputTable
	cmd := &cobra.Command{
		Use:   "list [HUB]",
		Short: "List homes with what they take and may take",
		Long: `List the homes of a hub, or of all, with what they take and may take: bytes as the file system counts them, and
inodes, at this moment. _shared and _shared-public are listed as homes are. USED and INODES USED are how much of the quotas
that is. STATE is clean where the figures are exact; dirty where a home is yet to be counted, counting while it is, and
unreadable where it could not be: hubhome home show says why.

Where the homes are on an NFS server that somebody else runs (store.nfs), the figures are as old as AGE says, and there are
no quotas. STATE is then scanned, or partial where something could not be read and is missing.
` + operatorHelp + `

Exit codes:
  0  they are listed
  1  no such hub is served, or no server answers
  2  the command was not called as its help says`,
		Example: "  hubhome home list prod --config hubhome.yaml --sort usage",
		Args:    oneHubAtMost,
		RunE: func(cmd *cobra.Command, args []string) error {
			if homeOrders[order] == nil {
				return usageError{fmt.Errorf("--sort %q: write usage, quota, name or mtime", order)}
			}
			if err := cmp.Or(checkListing(output), server.check()); err != nil {
				return err
			}
			hub, err := parseHubArg(args)
			if err != nil {
				return err
			}
			return server.ask(cmd, askTime, func(ctx context.Context, client *console.Client) error {
				homes, err := client.Homes(ctx, hub)
				if err != nil {
					return err
				}
				if len(homes) == 0 && output == outputTable {
					hubs, err := client.Hubs(ctx)
					if err == nil {
						noHomes(cmd.ErrOrStderr(), hubs, hub)
					}
					return err
				}
				slices.SortStableFunc(homes, func(a, b console.Home) int { return homeOrders[order](&a, &b) })
				return writeHomes(cmd.OutOrStdout(), homes, output)
			})
		},
	}
	server.add(cmd)
	cmd.Flags().StringVar(&order, "sort", order, "usage or quota (the largest first), name, or mtime (the last written first)")
	cmd.Flags().StringVarP(&output, "output", "o", output, "table, json or csv")
	return cmd
}

// noHomes says why a list is empty, of one hub or of all.
func noHomes(log io.Writer, hubs []console.Hub, hub hubhome.HubName) {
	for i := range hubs {
		if hubs[i].Absent && hubs[i].Name == hub {
			fmt.Fprintf(log, "hubhome: there is no hub %s on the server\n", hub)
			return
		}
		if hubs[i].Unknown && !hubs[i].Absent && (hub == "" || hubs[i].Name == hub) {
			fmt.Fprintln(log, "hubhome: no homes are known yet: they have not been looked through to the end; what came of it the server logs")
			return
		}
	}
	fmt.Fprintln(log, "hubhome: there are no homes")
}

// writeHomes writes a list of homes.
func writeHomes(w io.Writer, homes []console.Home, output string) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var err error
	switch output {
	case outputJSON:
		err = writeJSON(out, console.HomeList{Homes: homes})
	case outputCSV:
		err = homesCSV(out, homes)
	default:
		err = homesTable(out, homes)
	}
	return cmp.Or(err, out.Flush())
}

func homesTable(w io.Writer, homes []console.Home) error {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if slices.ContainsFunc(homes, func(h console.Home) bool { return !h.AsOf.IsZero() }) {
		return scannedTable(tabs, homes)
	}
	fmt.Fprintln(tabs, "USAGE\tQUOTA\tUSED\tINODES\tINODE QUOTA\tINODES USED\tLAST WRITE\tSTATE\t  HOME")
	for i := range homes {
		h := &homes[i]
		fmt.Fprintf(tabs, "%s\t%s\t%s\t  %s\n", takenText(&h.Usage, &h.Quota), moment(h.LastWrite), h.State,
			readable(string(h.Hub)+"/"+h.Name.String()))
	}
	return tabs.Flush()
}

// scannedTable writes homes that were looked through, with how old that is and without quotas: there are none.
func scannedTable(tabs *tabwriter.Writer, homes []console.Home) error {
	fmt.Fprintln(tabs, "USAGE\tINODES\tLAST WRITE\tAGE\tSTATE\t  HOME")
	now := time.Now()
	for i := range homes {
		h := &homes[i]
		fmt.Fprintf(tabs, "%s\t%d\t%s\t%s\t%s\t  %s\n", humanBytes(uint64(h.Usage.Bytes)), h.Usage.Inodes, moment(h.LastWrite),
			ageText(h.AsOf, now), h.State, readable(string(h.Hub)+"/"+h.Name.String()))
	}
	return tabs.Flush()
}

// homesCSV writes names as they are, whatever their bytes. Of homes that were looked through there is no quota and no reserve.
func homesCSV(w io.Writer, homes []console.Home) error {
	out := csv.NewWriter(w)
	out.Write([]string{"hub", "home", "usage_bytes", "quota_bytes", "usage_inodes", "quota_inodes", "reserve_bytes", "last_write", "state", "as_of", "unread"})
	for i := range homes {
		h := &homes[i]
		scanned, reserve := h.State == quota.Scanned || h.State == quota.Partial, strconv.FormatInt(h.Reserve.Bytes, 10)
		if scanned {
			reserve = ""
		}
		out.Write([]string{
			string(h.Hub), h.Name.String(), strconv.FormatInt(h.Usage.Bytes, 10), limitField(h.Quota.Bytes, scanned),
			strconv.FormatInt(h.Usage.Inodes, 10), limitField(h.Quota.Inodes, scanned), reserve, stamp(h.LastWrite), string(h.State),
			stamp(h.AsOf), strconv.FormatUint(h.Unread, 10),
		})
	}
	out.Flush()
	return out.Error()
}

func newHomeShow() *cobra.Command {
	var server operatorFlags
	output, largest := outputTable, 0
	cmd := &cobra.Command{
		Use:   "show HUB/USER",
		Short: "Show what a home takes and may take, and where it lies",
		Long: `Show what a home takes and may take at this moment, who has said so, what of the reserve is in use, and what was refused.
USER is the name of the home's directory; hubhome username prints which one a user of JupyterHub has.

With --largest N the server looks through the home for its N largest directories, each with all that is below it. That
takes as long as it takes to read the home, and how far it is is told meanwhile; everything else it knows.
` + operatorHelp + `

Exit codes:
  0  it is shown
  1  there is no such home, or no server answers
  2  the command was not called as its help says`,
		Example: "  hubhome home show prod/ada --config hubhome.yaml --largest 10",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one home, not %d: hubhome home show HUB/USER", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			hub, name, err := parseHome(args[0])
			if err != nil {
				return err
			}
			if largest < 0 || largest > console.MaxLargest {
				return usageError{fmt.Errorf("--largest %d: write how many directories to show, up to %d", largest, console.MaxLargest)}
			}
			if output != outputTable && output != outputJSON {
				return usageError{fmt.Errorf("--output %q: write table or json", output)}
			}
			if err := server.check(); err != nil {
				return err
			}
			patience := askTime
			if largest > 0 {
				patience = walkTime
			}
			return server.ask(cmd, patience, func(ctx context.Context, client *console.Client) error {
				home, err := askHome(ctx, client, hub, name, largest, cmd.ErrOrStderr())
				if err != nil {
					return err
				}
				if output == outputJSON {
					return writeJSON(cmd.OutOrStdout(), home)
				}
				hubs, err := client.Hubs(ctx)
				if err != nil {
					return err
				}
				if err := writeHome(cmd.OutOrStdout(), &home, hubs); err != nil || largest == 0 {
					return err
				}
				return writeLargest(cmd.OutOrStdout(), &home)
			})
		},
	}
	server.add(cmd)
	cmd.Flags().IntVar(&largest, "largest", 0, "how many of its largest directories to look for, a `NUMBER` up to 1000")
	cmd.Flags().StringVarP(&output, "output", "o", output, "table or json")
	return cmd
}

// askHome asks for a home, with its largest directories where there are to be any, which may take minutes: it shows how far that is.
func askHome(ctx context.Context, client *console.Client, hub hubhome.HubName, name string, largest int, log io.Writer) (console.HomeDetail, error) {
	if largest == 0 {
		return client.Home(ctx, hub, name)
	}
	p := newProgress(log)
	defer p.end()
	return client.Largest(ctx, hub, name, largest, func(l console.Looked) {
		p.show(uint64(l.Seen.Inodes), uint64(l.Of.Inodes), lookedText(&l, p.elapsed()), p.elapsed())
	})
}

// lookedText says how far the walk through a home is.
func lookedText(l *console.Looked, elapsed time.Duration) string {
	return fmt.Sprintf("%d of about %d files and directories, %s, %v", l.Seen.Inodes, max(l.Of.Inodes, l.Seen.Inodes),
		humanBytes(uint64(l.Seen.Bytes)), elapsed.Round(time.Second))
}

// writeHome writes one home for people. Of its hub, which is among hubs, the quota concerns it too.
func writeHome(w io.Writer, h *console.HomeDetail, hubs []console.Hub) error {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(tabs, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("home", "%s", readable(string(h.Hub)+"/"+h.Name.String()))
	line("usage", "%s (%d bytes), %s", humanBytes(uint64(h.Usage.Bytes)), h.Usage.Bytes, count(int(h.Usage.Inodes), "inode"))
	if h.State != quota.Scanned && h.State != quota.Partial {
		line("quota", "%s, %s", bothText(&h.Quota), saidBy(h.Override))
		if used := bothUsed(&h.Usage, &h.Quota); used != "" {
			line("used", "%s", used)
		}
	}
	if i := slices.IndexFunc(hubs, func(hub console.Hub) bool { return hub.Name == h.Hub }); i >= 0 {
		if used := bothUsed(&hubs[i].Usage, &hubs[i].Quota); used != "" {
			line("hub's quota", "%s, of which all homes together use %s", bothText(&hubs[i].Quota), used)
		}
	}
	if h.ReserveLimit.Bytes > 0 {
		line("reserve in use", "%s of %s, %d of %s", humanBytes(uint64(h.Reserve.Bytes)), humanBytes(uint64(h.ReserveLimit.Bytes)), h.Reserve.Inodes,
			count(int(h.ReserveLimit.Inodes), "inode"))
	}
	line("last write", "%s", moment(h.LastWrite))
	line("figures", "%s", stateText(&h.Home))
	if d := h.Denials; d != (console.Denials{}) {
		line("refused", "%s, since the server started", denialsText(&d))
	}
	return tabs.Flush()
}

// denialsText says what was refused, by what was spent.
func denialsText(d *console.Denials) string {
	var parts []string
	for _, why := range []struct {
		n    uint64
		what string
	}{{d.Bytes, "bytes"}, {d.Inodes, "inodes"}, {d.HubBytes, "the hub's bytes"}, {d.HubInodes, "the hub's inodes"}} {
		if why.n > 0 {
			parts = append(parts, fmt.Sprintf("%s for %s", count(int(why.n), "request"), why.what))
		}
	}
	return strings.Join(parts, ", ")
}

// writeLargest writes the largest directories of a home.
func writeLargest(w io.Writer, h *console.HomeDetail) error {
	fmt.Fprintln(w)
	if len(h.Largest) == 0 {
		_, err := fmt.Fprintln(w, "there are no directories in it")
		return err
	}
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tabs, "USAGE\tINODES\t  DIRECTORY")
	for _, d := range h.Largest {
		fmt.Fprintf(tabs, "%s\t%d\t  %s\n", humanBytes(uint64(d.Usage.Bytes)), d.Usage.Inodes, readable(d.Name.String()))
	}
	if err := tabs.Flush(); err != nil {
		return err
	}
	if h.LargestUnread > 0 {
		fmt.Fprintln(w, unreadable(uint64(h.LargestUnread)))
	}
	return nil
}

// saidBy tells who has set a quota.
func saidBy(override *console.Limit) string {
	switch {
	case override == nil:
		return "as the configuration says"
	case override.Bytes == nil:
		return "the inodes set at run time"
	case override.Inodes == nil:
		return "the bytes set at run time"
	}
	return "set at run time"
}

func stateText(h *console.Home) string {
	switch h.State {
	case quota.Scanned, quota.Partial:
		if h.AsOf.IsZero() {
			return "none: the home could not be read"
		}
		text := fmt.Sprintf("of %s, %s old", moment(h.AsOf), ageText(h.AsOf, time.Now()))
		if h.State == quota.Partial {
			text += fmt.Sprintf("; too low: %d files or directories in it could not be read", h.Unread)
		}
		return text
	case quota.Unreadable:
		return "not exact: the home cannot be counted, which is tried again now and then: " + printable(h.Fault)
	case quota.Clean:
		return "exact"
	case quota.Counting:
		return "not exact yet: the home is being counted"
	}
	if h.Fault != "" {
		return "not exact yet: " + printable(h.Fault)
	}
	return "not exact yet: the home is waiting to be counted"
}
