// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

const (
	smallFile = 4 << 10
	bigIO     = 1 << 20
	// inFlight is how many sequential calls of a client are under way at once.
	inFlight = 4
	// sequentialTime is for how many lengths of a timed test a sequential one may go on: a slow server moves less data.
	sequentialTime = 4
)

// test is one figure: body runs on every client at once and returns how many operations it did.
type test struct {
	name, unit string
	// always is for a test that makes the files of later ones.
	always bool
	body   func(ctx context.Context, o options, c *client) (int, error)
}

// tests are in the order in which they build on each other. What is created is removed at the end: a file system that
// has just freed inodes creates at another speed.
var tests = []test{
	{name: "create+write 4 KiB synced+close", unit: "files/s", body: timed(func(ctx context.Context, c *client, i int) error {
		return c.create(ctx, fmt.Sprintf("s%06d", i), vfs.FileSync)
	})},
	{name: "create+write 4 KiB+close", unit: "files/s", always: true, body: func(ctx context.Context, o options, c *client) (n int, err error) {
		n, err = timed(func(ctx context.Context, c *client, i int) error {
			return c.create(ctx, fmt.Sprintf("f%06d", i), vfs.Unstable)
		})(ctx, o, c)
		c.made = n
		return n, err
	}},
	{name: "lookup+getattr", unit: "ops/s", body: timed(func(ctx context.Context, c *client, i int) error {
		_, err := c.fs.Lookup(ctx, user, c.dir, fmt.Sprintf("f%06d", i*7919%c.made))
		return err
	})},
	{name: "getattr", unit: "ops/s", body: timed(func(ctx context.Context, c *client, _ int) error {
		_, err := c.fs.GetAttr(ctx, c.dir)
		return err
	})},
	{name: "readdir with attributes", unit: "lists/s", body: func(ctx context.Context, o options, c *client) (int, error) {
		return timed(func(ctx context.Context, c *client, _ int) error { return c.list(ctx, o.entries) })(ctx, o, c)
	}},
	{name: "sequential write+commit", unit: "MiB/s", always: true, body: func(ctx context.Context, o options, c *client) (n int, err error) {
		n, err = sequential(o, c.dataLen, func(off uint64) error { return c.writeAt(ctx, off, bigIO) })
		c.dataLen = uint64(n) * bigIO
		if err != nil {
			return n, err
		}
		_, err = c.data.Commit(ctx)
		return n, err
	}},
	{name: "sequential read", unit: "MiB/s", body: func(ctx context.Context, o options, c *client) (int, error) {
		return sequential(o, c.dataLen, func(off uint64) error { return c.readAt(ctx, off, bigIO) })
	}},
	{name: "random read 4 KiB", unit: "ops/s", body: timed(func(ctx context.Context, c *client, _ int) error {
		return c.readAt(ctx, c.somewhere(), smallFile)
	})},
	{name: "random write 4 KiB", unit: "ops/s", body: timed(func(ctx context.Context, c *client, _ int) error {
		return c.writeAt(ctx, c.somewhere(), smallFile)
	})},
	{name: "random write 4 KiB synced", unit: "ops/s", body: timed(func(ctx context.Context, c *client, _ int) error {
		_, _, _, err := c.data.WriteAt(ctx, payload[:smallFile], c.somewhere(), vfs.FileSync)
		return err
	})},
	{name: "unlink", unit: "ops/s", body: func(ctx context.Context, _ options, c *client) (int, error) {
		for i := range c.made {
			if _, _, err := c.fs.Remove(ctx, user, c.dir, fmt.Sprintf("f%06d", i)); err != nil {
				return i, err
			}
		}
		return c.made, nil
	}},
}

// timed makes a test's body of an operation that is repeated for the length of the test, and done once at the least.
func timed(op func(context.Context, *client, int) error) func(context.Context, options, *client) (int, error) {
	return func(ctx context.Context, o options, c *client) (n int, err error) {
		for end := time.Now().Add(o.length); n == 0 || time.Now().Before(end); n++ {
			if err := op(ctx, c, n); err != nil {
				return n, err
			}
		}
		return n, nil
	}
}

// sequential does an operation for one MiB after the other, and ends before all is done where it takes too long.
// What it has done is the first n.
func sequential(o options, length uint64, op func(off uint64) error) (n int, err error) {
	end := time.Now().Add(sequentialTime * o.length)
	return parallel(inFlight, int(length/bigIO), func(i int) (bool, error) {
		return time.Now().Before(end), op(uint64(i) * bigIO)
	})
}

// parallel calls fn for 0 to n-1 in order, several at once, until one answers that it is enough, or an error. It
// returns for how many it was called.
func parallel(workers, n int, fn func(i int) (more bool, err error)) (done int, err error) {
	var next atomic.Int64
	var enough atomic.Bool
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for !enough.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				more, err := fn(i)
				if errs[w] = err; !more || err != nil {
					enough.Store(true)
				}
			}
		})
	}
	wg.Wait()
	return min(int(next.Load()), n), errors.Join(errs...)
}

// measure runs every test on n clients of one server.
func measure(ctx context.Context, o options, s *server, n, turn int, table *table) error {
	clients, err := connect(ctx, o, s, n, turn)
	defer disconnect(clients)
	if err != nil {
		return err
	}
	for _, t := range tests {
		if !t.always && !strings.Contains(t.name, o.only) {
			continue
		}
		before, start := s.cpu(), time.Now()
		total, err := together(clients, func(c *client) (int, error) { return t.body(ctx, o, c) })
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		table.add(s.name, t, n, sample{
			rate: float64(total) / time.Since(start).Seconds(),
			cpu:  (s.cpu() - before).Seconds() / float64(max(total, 1)) * 1e6,
		})
	}
	return nil
}

// together runs a function on all clients at once.
func together(clients []*client, fn func(*client) (int, error)) (total int, err error) {
	counts, errs := make([]int, len(clients)), make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() { counts[i], errs[i] = fn(c) })
	}
	wg.Wait()
	for _, n := range counts {
		total += n
	}
	return total, errors.Join(errs...)
}
