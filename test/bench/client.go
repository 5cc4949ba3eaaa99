// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

// user is who the load runs as: the owner of a home.
var user = &vfs.Caller{UID: 1000, GID: 1000}

// client is one connection with a directory of its own.
type client struct {
	fs      *nfsclient.FS
	dir     vfs.Handle
	big     vfs.Handle // a directory of options.entries files, the same for all clients of a server
	made    int        // the files f000000 and on that are in dir
	data    vfs.File
	dataLen uint64 // what data has or shall have, a multiple of bigIO
	random  *rand.Rand
}

// payload is what is written, and not zeros.
var payload = func() []byte {
	b := make([]byte, bigIO)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}()

// buffers is what is read into.
var buffers = sync.Pool{New: func() any { return new([bigIO]byte) }}

// connect makes n clients, each with a directory of its own in the bench home. With an error it returns those that
// there are.
func connect(ctx context.Context, o options, s *server, n, turn int) (clients []*client, err error) {
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
		if c.dir, err = mkdir(ctx, fs, root, fmt.Sprintf("%s-%d-%d-%d", s.name, n, turn, i)); err != nil {
			return clients, err
		}
		if c.big, err = s.bigDir(ctx, o.entries, fs, root); err != nil {
			return clients, err
		}
		// 1 MiB at the least, so that there is something to read at random.
		c.dataLen = uint64(max(o.dataMiB/n, 1)) * bigIO
		c.data, _, _, _, err = fs.Create(ctx, user, c.dir, "data", vfs.Create{Mode: vfs.Guarded}, vfs.Read|vfs.Write)
		if err != nil {
			return clients, err
		}
	}
	return clients, nil
}

func disconnect(clients []*client) {
	for _, c := range clients {
		if c.data != nil {
			c.data.Close()
		}
		c.fs.Close()
	}
}

func mkdir(ctx context.Context, fs *nfsclient.FS, dir vfs.Handle, name string) (vfs.Handle, error) {
	mode := uint32(0o755)
	e, _, err := fs.Mkdir(ctx, user, dir, name, vfs.SetAttr{Mode: &mode})
	return e.Handle, err
}

// bigDir finds or makes the directory that is listed. One goroutine calls it.
func (s *server) bigDir(ctx context.Context, entries int, fs *nfsclient.FS, root vfs.Handle) (vfs.Handle, error) {
	if s.big != "" {
		return s.big, nil
	}
	dir, err := mkdir(ctx, fs, root, "big-"+s.name)
	if err != nil {
		return "", err
	}
	// Many at once, so that a server can sync many at once.
	_, err = parallel(16, entries, func(i int) (more bool, err error) {
		f, _, _, _, err := fs.Create(ctx, user, dir, fmt.Sprintf("entry-%06d.ipynb", i), vfs.Create{}, vfs.Write)
		if err != nil {
			return false, err
		}
		return true, f.Close()
	})
	if err != nil {
		return "", err
	}
	s.big = dir
	return dir, nil
}

func (c *client) create(ctx context.Context, name string, stability vfs.Stability) error {
	f, _, _, _, err := c.fs.Create(ctx, user, c.dir, name, vfs.Create{Mode: vfs.Unchecked}, vfs.Read|vfs.Write)
	if err != nil {
		return err
	}
	_, _, _, err = f.WriteAt(ctx, payload[:smallFile], 0, stability)
	return errors.Join(err, f.Close())
}

func (c *client) list(ctx context.Context, entries int) error {
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
	if n != entries {
		return fmt.Errorf("the directory has %d entries and not %d", n, entries)
	}
	return nil
}

func (c *client) writeAt(ctx context.Context, off uint64, n int) error {
	got, _, _, err := c.data.WriteAt(ctx, payload[:n], off, vfs.Unstable)
	if err == nil && got != n {
		err = fmt.Errorf("wrote %d bytes of %d at %d", got, n, off)
	}
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

// somewhere is where a small block is in the data.
func (c *client) somewhere() uint64 {
	return uint64(c.random.IntN(int(c.dataLen/smallFile))) * smallFile
}
