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
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// limit is how long a run may take.
const limit = 9*time.Minute + 30*time.Second

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
	scan    bool
	delay   time.Duration
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
	flag.BoolVar(&o.scan, "scan", false, "compare scans of homes over a network with -delay, and nothing else")
	flag.DurationVar(&o.delay, "delay", 2*time.Millisecond, "how much longer a round trip takes with -scan")
	flag.Parse()
	if err := o.check(*clients); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// check refuses what nothing can be measured with.
func (o *options) check(clients string) error {
	for field := range strings.SplitSeq(clients, ",") {
		n, err := strconv.Atoi(field)
		if err != nil || n < 1 || n > 256 {
			return fmt.Errorf("-clients: %q is not a number from 1 to 256", field)
		}
		o.clients = append(o.clients, n)
	}
	if o.reps < 1 || o.length <= 0 || o.entries < 1 || o.dataMiB < 1 {
		return errors.New("-reps, -time, -entries and -data have to be more than nothing")
	}
	if o.minor != 1 && o.minor != 2 {
		return fmt.Errorf("-minor: there is no NFSv4.%d here, it is 1 or 2", o.minor)
	}
	return nil
}

// run measures both servers and prints the table, also one that was interrupted.
func run(ctx context.Context, o options) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %v: try fewer -clients or -reps", limit))
	defer cancel()
	if o.scan {
		return benchScan(ctx, o)
	}
	disk, err := newDisk(ctx)
	if err != nil {
		return err
	}
	defer disk.remove()
	servers, err := startServers(ctx, o, disk.dir)
	if err != nil {
		return err
	}
	defer stopServers(servers)
	table := newTable(o)
	err = takeTurns(ctx, o, disk, servers, table)
	for _, s := range servers {
		table.memory(s)
	}
	table.print(os.Stdout)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// takeTurns has all client counts in each turn, so that a run that ends before its time has figures of all. There is no
// further turn when there may not be the time for it.
func takeTurns(ctx context.Context, o options, disk *disk, servers []*server, table *table) error {
	start := time.Now()
	for turn := range o.reps {
		for _, n := range o.clients {
			for i := range servers {
				// Who goes first changes with each turn.
				s := servers[(i+turn)%len(servers)]
				if err := disk.sync(); err != nil {
					return err
				}
				if err := measure(ctx, o, s, n, turn, table); err != nil {
					return fmt.Errorf("%s, %d clients: %w", s.name, n, err)
				}
			}
			table.progress(n, turn)
		}
		took := time.Since(start) / time.Duration(turn+1)
		if left, _ := ctx.Deadline(); turn+1 < o.reps && time.Until(left) < took*3/2 {
			fmt.Fprintf(os.Stderr, "a turn takes %v: there is no time for more than %d\n", took.Round(time.Second), turn+1)
			return nil
		}
	}
	return nil
}
