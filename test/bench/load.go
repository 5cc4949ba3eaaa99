// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

const (
	smallFile = 4 << 10
	bigIO     = 1 << 20
	// inFlight is how many sequential calls of a client are under way at once.
	inFlight = 4
)

// user is who the load runs as: the owner of a home.
var user = &vfs.Caller{UID: 1000, GID: 1000}

// client is one connection with a directory of its own.
type client struct {
	fs      *nfsclient.FS
	dir     vfs.Handle
	big     vfs.Handle // a directory of options.entries files, the same for all
	made    int
	data    vfs.File
	dataLen uint64
	random  *rand.Rand
}

// test is one figure: body runs on every client at once and returns how many operations it did.
type test struct {
	name, unit string
	body       func(ctx context.Context, o options, c *client) (int, error)
}

// tests are in the order in which they build on each other. What is created is removed at the end: a file system that
// has just freed inodes creates at another speed.
var tests = []test{
	{"create+write 4 KiB synced+close", "files/s", timed(func(ctx context.Context, c *client, i int) error {
		return c.create(ctx, fmt.Sprintf("s%06d", i), vfs.FileSync)
	})},
	{"create+write 4 KiB+close", "files/s", func(ctx context.Context, o options, c *client) (int, error) {
		n, err := timed(func(ctx context.Context, c *client, i int) error {
			return c.create(ctx, fmt.Sprintf("f%06d", i), vfs.Unstable)
		})(ctx, o, c)
		c.made = n
		return n, err
	}},
	{"lookup+getattr", "ops/s", timed(func(ctx context.Context, c *client, i int) error {
		_, err := c.fs.Lookup(ctx, user, c.dir, fmt.Sprintf("f%06d", i*7919%c.made))
		return err
	})},
	{"getattr", "ops/s", timed(func(ctx context.Context, c *client, _ int) error {
		_, err := c.fs.GetAttr(ctx, c.dir)
		return err
	})},
	{"readdir of 10,000 with attributes", "lists/s", func(ctx context.Context, o options, c *client) (int, error) {
		return timed(func(ctx context.Context, c *client, _ int) error { return c.list(ctx, o) })(ctx, o, c)
	}},
	{"sequential write+commit", "MiB/s", sequential((*client).writeAt, true)},
	{"sequential read", "MiB/s", sequential((*client).readAt, false)},
	{"random read 4 KiB", "ops/s", timed(func(ctx context.Context, c *client, _ int) error {
		return c.readAt(ctx, c.somewhere(), smallFile)
	})},
	{"random write 4 KiB", "ops/s", timed(func(ctx context.Context, c *client, _ int) error {
		return c.writeAt(ctx, c.somewhere(), smallFile)
	})},
	{"random write 4 KiB synced", "ops/s", timed(func(ctx context.Context, c *client, _ int) error {
		_, _, _, err := c.data.WriteAt(ctx, payload[:smallFile], c.somewhere(), vfs.FileSync)
		return err
	})},
	{"unlink", "ops/s", func(ctx context.Context, _ options, c *client) (int, error) {
		for i := range c.made {
			if _, _, err := c.fs.Remove(ctx, user, c.dir, fmt.Sprintf("f%06d", i)); err != nil {
				return i, err
			}
		}
		return c.made, nil
	}},
}

var payload = func() []byte {
	b := make([]byte, bigIO)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}()

// timed makes a test's body of an operation that is repeated for the length of the test.
func timed(op func(context.Context, *client, int) error) func(context.Context, options, *client) (int, error) {
	return func(ctx context.Context, o options, c *client) (int, error) {
		end := time.Now().Add(o.length)
		n := 0
		for ; time.Now().Before(end); n++ {
			if err := op(ctx, c, n); err != nil {
				return n, err
			}
		}
		return n, nil
	}
}

// sequential makes a test's body of an operation on one MiB after the other of the client's part of the data.
func sequential(op func(*client, context.Context, uint64, int) error, commit bool) func(context.Context, options, *client) (int, error) {
	return func(ctx context.Context, _ options, c *client) (int, error) {
		n := int64(c.dataLen / bigIO)
		var next atomic.Int64
		errs := make([]error, inFlight)
		var wg sync.WaitGroup
		for worker := range inFlight {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < n && errs[worker] == nil; i = next.Add(1) - 1 {
					errs[worker] = op(c, ctx, uint64(i)*bigIO, bigIO)
				}
			})
		}
		wg.Wait()
		err := errors.Join(errs...)
		if err == nil && commit {
			_, err = c.data.Commit(ctx)
		}
		return int(n), err
	}
}

func (c *client) create(ctx context.Context, name string, stability vfs.Stability) error {
	f, _, _, _, err := c.fs.Create(ctx, user, c.dir, name, vfs.Create{Mode: vfs.Unchecked}, vfs.Read|vfs.Write)
	if err != nil {
		return err
	}
	if _, _, _, err := f.WriteAt(ctx, payload[:smallFile], 0, stability); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (c *client) list(ctx context.Context, o options) error {
	n := 0
	cookie := uint64(0)
	for end := false; !end; {
		var err error
		end, err = c.fs.ReadDir(ctx, user, c.big, cookie, true, func(e *vfs.DirEntry) bool {
			n, cookie = n+1, e.Cookie
			return true
		})
		if err != nil {
			return err
		}
	}
	if n != o.entries {
		return fmt.Errorf("the directory has %d entries and not %d", n, o.entries)
	}
	return nil
}

func (c *client) writeAt(ctx context.Context, off uint64, n int) error {
	_, _, _, err := c.data.WriteAt(ctx, payload[:n], off, vfs.Unstable)
	return err
}

func (c *client) readAt(ctx context.Context, off uint64, n int) error {
	buf := buffers.Get().(*[bigIO]byte)
	defer buffers.Put(buf)
	got, _, err := c.data.ReadAt(ctx, buf[:n], off)
	if err == nil && got != n {
		err = fmt.Errorf("read %d bytes of %d at %d", got, n, off)
	}
	return err
}

var buffers = sync.Pool{New: func() any { return new([bigIO]byte) }}

func (c *client) somewhere() uint64 {
	return uint64(c.random.IntN(int(c.dataLen/smallFile))) * smallFile
}

// connect makes n clients, each with a directory of its own in the bench home.
func connect(ctx context.Context, o options, s *server, n, rep int) (clients []*client, err error) {
	defer func() {
		if err != nil {
			disconnect(clients)
		}
	}()
	for i := range n {
		fs, err := nfsclient.Dial(ctx, nfsclient.Config{Addr: s.addr, Export: exportPath, MinorVersion: uint32(o.minor)})
		if err != nil {
			return clients, err
		}
		c := &client{fs: fs, random: rand.New(rand.NewPCG(1, uint64(i)))}
		clients = append(clients, c)
		root, err := fs.Root(ctx)
		if err != nil {
			return clients, err
		}
		if c.dir, err = mkdir(ctx, fs, root, fmt.Sprintf("%s-%d-%d-%d", s.name, n, rep, i)); err != nil {
			return clients, err
		}
		if c.big, err = s.bigDir(ctx, o, fs, root); err != nil {
			return clients, err
		}
		// 1 MiB at the least, so that there is something to read at random.
		c.dataLen = uint64(max(o.dataMiB/n, 1)) << 20
		c.data, _, _, _, err = fs.Create(ctx, user, c.dir, "data", vfs.Create{Mode: vfs.Guarded}, vfs.Read|vfs.Write)
		if err != nil {
			return clients, err
		}
	}
	return clients, nil
}

func mkdir(ctx context.Context, fs *nfsclient.FS, dir vfs.Handle, name string) (vfs.Handle, error) {
	mode := uint32(0o755)
	e, _, err := fs.Mkdir(ctx, user, dir, name, vfs.SetAttr{Mode: &mode})
	return e.Handle, err
}

func disconnect(clients []*client) {
	for _, c := range clients {
		if c.data != nil {
			c.data.Close()
		}
		c.fs.Close()
	}
}

// measure runs every test on n clients of one server.
func measure(ctx context.Context, o options, s *server, n, rep int, table *table) (err error) {
	clients, err := connect(ctx, o, s, n, rep)
	if err != nil {
		return err
	}
	defer disconnect(clients)
	for _, t := range tests {
		// What builds the files that later tests use runs in any case.
		needed := strings.HasPrefix(t.name, "create+write 4 KiB+close") || strings.HasPrefix(t.name, "sequential write")
		if o.only != "" && !strings.Contains(t.name, o.only) && !needed {
			continue
		}
		before := s.cpu()
		start := time.Now()
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
