// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Command bench compares hubhome with Debian's NFS-Ganesha: the same directory tree on the same disk, the same client,
// in the same run, taking turns. It prints ours, theirs and the ratio of each figure.
//
// Both servers serve one ext4 of its own in a file, mounted by a loop device, so that it needs root. Absolute figures
// are this machine's; the ratios are what to look at, and of those only the ones that are far from 1: two servers that
// take turns on a shared machine differ by 20 % without a reason.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the size of the run.
type options struct {
	binary  string
	clients []int
	reps    int
	length  time.Duration
	entries int
	dataMiB int
	minor   int
	only    string
}

func main() {
	var o options
	clients := flag.String("clients", "1,4,16", "client counts")
	flag.StringVar(&o.binary, "binary", "bin/hubhome", "the hubhome to measure")
	flag.IntVar(&o.reps, "reps", 3, "turns of each server; the median is printed")
	flag.DurationVar(&o.length, "time", time.Second, "length of each timed test")
	flag.IntVar(&o.entries, "entries", 10000, "entries of the directory that is listed")
	flag.IntVar(&o.dataMiB, "data", 256, "MiB of sequential data, divided over the clients")
	flag.IntVar(&o.minor, "minor", 1, "minor version of NFSv4 that the client speaks")
	flag.StringVar(&o.only, "run", "", "run only the tests whose name contains this")
	flag.Parse()
	for field := range strings.SplitSeq(*clients, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > 256 {
			fmt.Fprintf(os.Stderr, "bench: -clients: %q is not a number from 1 to 256\n", field)
			os.Exit(2)
		}
		o.clients = append(o.clients, n)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures both servers and prints the table.
func run(ctx context.Context, o options) error {
	disk, err := newDisk(ctx)
	if err != nil {
		return err
	}
	defer disk.remove()
	servers, err := startServers(ctx, o, disk.dir)
	if err != nil {
		return err
	}
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	table := newTable(o)
	for _, n := range o.clients {
		for rep := range o.reps {
			for i := range servers {
				// Who goes first changes with each turn.
				s := servers[(i+rep)%len(servers)]
				if err := measure(ctx, o, s, n, rep, table); err != nil {
					return fmt.Errorf("%s, %d clients: %w", s.name, n, err)
				}
			}
			table.progress(n, rep)
		}
	}
	for _, s := range servers {
		table.memory(s)
	}
	table.print(os.Stdout)
	return nil
}
