// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/vfs"
)

// scanTree is what is scanned: homes of directories of files.
type scanTree struct{ homes, dirs, files int }

// benchScan compares scans of homes over a network in which each round trip takes a while: as an exporter of directory
// sizes does on a mount without a cache (a list of names, and then a look at each, one after the other), the same with
// lists that bring attributes, one directory after the other, which is the best that such a mount can do; and ours.
func benchScan(ctx context.Context, o options) error {
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
	hub := filepath.Join(disk.dir, "bench")
	if err := (scanTree{homes: 10, dirs: 100, files: 10}).make(hub); err != nil {
		return err
	}
	b := scanBench{o: o, old: time.Now().Add(trusted), temp: disk.temp, entries: -1} // but for the hub's directory
	if err := filepath.WalkDir(hub, func(_ string, _ fs.DirEntry, err error) error {
		b.entries++
		return err
	}); err != nil {
		return err
	}
	fmt.Printf("%d files and directories in homes, %v a round trip more, NFSv4.%d\n\n", b.entries, o.delay, o.minor)
	tabs := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tabs, "server\twalk\ttime\trequests\tscans are faster by")
	for _, s := range servers {
		if err := b.run(ctx, s, tabs); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return tabs.Flush()
}

// trusted is how old a directory's last change must be for a later scan to count on it, and a little.
const trusted = time.Minute + 2*time.Second

// make makes the tree on the disk.
func (s scanTree) make(hub string) error {
	for i := range s.homes {
		home := filepath.Join(hub, fmt.Sprintf("home%02d", i))
		for j := range s.dirs {
			// One in ten is in the home, and the others in these.
			dir := filepath.Join(home, fmt.Sprint(j%10))
			if j >= 10 {
				dir = filepath.Join(dir, fmt.Sprint(j))
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			for k := range s.files {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("file", k)), payload[:100*k], 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// scanBench is what the walks have in common.
type scanBench struct {
	o       options
	old     time.Time
	temp    string
	entries int
}

// walk is one way to find out what the homes hold: it returns how many files and directories there are.
type walk struct {
	name string
	// leaves, takes: a state, which is the last one's.
	leaves, takes bool
	run           func(ctx context.Context, fs vfs.FS, st *usage.State) (int, error)
}

var walks = []walk{
	{name: "names, then each file", run: func(ctx context.Context, fs vfs.FS, _ *usage.State) (int, error) {
		return oneByOne(ctx, fs, false)
	}},
	{name: "a directory at a time", run: func(ctx context.Context, fs vfs.FS, _ *usage.State) (int, error) {
		return oneByOne(ctx, fs, true)
	}},
	{name: "hubhome usage", leaves: true, run: scanOnce},
	{name: "hubhome usage again, with its state", takes: true, run: scanOnce},
}

// scanOnce scans the hub that the exported directory is.
func scanOnce(ctx context.Context, fs vfs.FS, st *usage.State) (int, error) {
	r, err := usage.Scan(ctx, fs, usage.Spec{SingleHub: true, State: st, MaxAge: time.Hour})
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range r.Hubs[0].Homes {
		n += int(r.Hubs[0].Homes[i].Entries())
	}
	return n, nil
}

// oneByOne walks the homes and waits for each answer before it asks for the next.
func oneByOne(ctx context.Context, fs vfs.FS, withAttr bool) (int, error) {
	root, err := fs.Root(ctx)
	if err != nil {
		return 0, err
	}
	n := -1 // the hub's directory
	for dirs := []vfs.Handle{root}; len(dirs) > 0; n++ {
		dir := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		var entries []vfs.DirEntry
		if _, err := fs.ReadDir(ctx, user, dir, 0, withAttr, func(e *vfs.DirEntry) bool {
			entries = append(entries, *e)
			return true
		}); err != nil {
			return n, err
		}
		for _, e := range entries {
			if !withAttr {
				if e.Entry, err = fs.Lookup(ctx, user, dir, e.Name); err != nil {
					return n, err
				}
			}
			if e.Attr.Type == vfs.Directory {
				dirs = append(dirs, e.Handle)
			} else {
				n++
			}
		}
	}
	return n, nil
}

// run runs all walks against a server.
func (b *scanBench) run(ctx context.Context, s *server, tabs *tabwriter.Writer) error {
	network, err := newDelayed(s.addr, b.o.delay)
	if err != nil {
		return err
	}
	defer network.close()
	var requests atomic.Int64
	fs, err := nfsclient.Dial(ctx, nfsclient.Config{
		Addr: network.addr, Export: "/homes/bench", MinorVersion: uint32(b.o.minor),
		Pace: func(context.Context) error {
			requests.Add(1)
			return nil
		},
	})
	if err != nil {
		return err
	}
	defer fs.Close()
	times, counts := map[string]float64{}, map[string]int64{}
	for _, w := range walks {
		if times[w.name], counts[w.name], err = b.measure(ctx, s, w, fs, &requests); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	for _, w := range walks {
		fmt.Fprintf(tabs, "%s\t%s\t%.3f s\t%d\t%.1f\n", s.name, w.name, times[w.name], counts[w.name], times[w.name]/times["hubhome usage"])
	}
	return nil
}

// enough is how long a walk takes, in seconds, that is not repeated.
const enough = 5

// measure runs a walk some times, and returns the median of the seconds that it takes, and the requests of one.
func (b *scanBench) measure(ctx context.Context, s *server, w walk, fs vfs.FS, requests *atomic.Int64) (seconds float64, n int64, err error) {
	if w.leaves {
		select { // so that the next can count on what it leaves
		case <-time.After(time.Until(b.old)):
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	path := filepath.Join(b.temp, s.name+".state")
	var times []float64
	for len(times) < b.o.reps && (len(times) == 0 || times[0] < enough) {
		if !w.takes {
			os.Remove(path)
		}
		st, err := usage.OpenState(path, s.name)
		if err != nil {
			return 0, 0, err
		}
		before, start := requests.Load(), time.Now()
		found, err := w.run(ctx, fs, st)
		times = append(times, time.Since(start).Seconds())
		n = requests.Load() - before
		if err := errors.Join(err, st.Close()); err != nil {
			return 0, 0, err
		}
		if found != b.entries {
			return 0, 0, fmt.Errorf("it found %d files and directories, and there are %d", found, b.entries)
		}
	}
	return median(times), n, nil
}
