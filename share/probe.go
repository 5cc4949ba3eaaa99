// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package share

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

const (
	// ProbePrefix begins the name of every probe file. Nobody else's file is called so.
	ProbePrefix = ".hubhome-probe-"
	// ProbeSize is the most that a probe file has in it, in bytes.
	ProbeSize = 4 << 10
	// probeAge is how old a probe file is that no run can still need.
	probeAge = 10 * time.Minute
	// maxSwept is how many of them are looked at in one run.
	maxSwept = 100
	// cleanUpTime is what is left for cleaning up after the context has ended.
	cleanUpTime = time.Second
)

// lastCall is a context for what has to be tried even after ctx has ended.
func lastCall(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
}

// probe writes, reads and removes a file in the hub's directory as the owner. It is removed whatever happens; what a run
// that was killed has left, the next one removes.
func (c *creator) probe(ctx context.Context, hub vfs.Handle, path string) error {
	name := ProbePrefix + rand.Text()
	created, failure := c.writeProbe(ctx, hub, path, name)
	if failure == nil {
		if _, _, err := c.fs.Remove(ctx, c.owner, hub, name); err != nil {
			failure = fail(ctx, fmt.Sprintf("remove, as %s,", c.spec.Owner), join(path, name), err)
		}
	}
	if failure != nil {
		failure.AsOwner = true
		rest, cancel := lastCall(ctx)
		defer cancel()
		c.fs.Remove(rest, c.owner, hub, name)
		return failure
	}
	if err := Sweep(ctx, c.fs, c.owner, hub, created); err != nil && ctx.Err() != nil {
		return fail(ctx, "list", path, err)
	}
	return nil
}

// writeProbe makes the file and reads it back, and sees whether root is squashed. created is when that was by the server's clock.
func (c *creator) writeProbe(ctx context.Context, hub vfs.Handle, path, name string) (created time.Time, failure *Error) {
	as := fmt.Sprintf(", as %s,", c.spec.Owner)
	mode := uint32(0o600)
	f, e, _, _, err := c.fs.Create(ctx, c.owner, hub, name, vfs.Create{Mode: vfs.Guarded, Attr: vfs.SetAttr{Mode: &mode}}, vfs.Read|vfs.Write)
	if err != nil {
		return created, fail(ctx, "make a file"+as+" in", path, err)
	}
	data := []byte("hubhome looks whether " + c.spec.Owner.String() + " can write here: " + rand.Text() + "\n")
	if err := write(ctx, f, data); err != nil {
		c.discard(ctx, f)
		return created, fail(ctx, "write"+as, join(path, name), err)
	}
	got := make([]byte, len(data))
	n, _, err := f.ReadAt(ctx, got, 0)
	if err == nil && !bytes.Equal(got[:n], data) {
		err = fmt.Errorf("what was read is not what was written: %w", syscall.EIO)
	}
	if err != nil {
		c.discard(ctx, f)
		return created, fail(ctx, "read"+as, join(path, name), err)
	}
	// As the kubelet makes homes: the file is the owner's already, and root has to be root to give it.
	_, err = c.fs.SetAttr(ctx, c.root, e.Handle, vfs.SetAttr{UID: &c.spec.Owner.UID})
	if c.report.RootSquashed = denied(err); err != nil && !denied(err) {
		c.discard(ctx, f)
		return created, fail(ctx, "give to "+c.spec.Owner.String()+", as root,", join(path, name), err)
	}
	if err := f.Close(); err != nil {
		return created, fail(ctx, "close"+as, join(path, name), err)
	}
	return e.Attr.Mtime, nil
}

// write writes the data so that it is on the server's disk.
func write(ctx context.Context, f vfs.File, data []byte) error {
	n, did, _, err := f.WriteAt(ctx, data, 0, vfs.FileSync)
	if err == nil && n < len(data) {
		err = fmt.Errorf("%d bytes of %d were written: %w", n, len(data), syscall.EIO)
	}
	if err == nil && did < vfs.FileSync {
		_, err = f.Commit(ctx)
	}
	return err
}

// discard closes a file that is of no use any more. Where nobody answers, it goes with the connection.
func (c *creator) discard(ctx context.Context, f vfs.File) {
	if ctx.Err() == nil {
		f.Close()
	}
}

// Sweep removes, as a caller, the probe files of runs that were killed from a directory: those that are older than any run
// at a time by the server's clock. What cannot be removed stays; it is in nobody's way, and so are more than a hundred at
// once, until the next run. An error is that of listing the directory, or of a server that does not answer any more.
func Sweep(ctx context.Context, fs vfs.FS, c *vfs.Caller, dir vfs.Handle, now time.Time) error {
	var left []string
	_, err := fs.ReadDir(ctx, c, dir, 0, false, func(e *vfs.DirEntry) bool {
		if strings.HasPrefix(e.Name, ProbePrefix) {
			left = append(left, e.Name)
		}
		return len(left) < maxSwept
	})
	if err != nil {
		return err
	}
	for _, name := range left {
		e, err := fs.Lookup(ctx, c, dir, name)
		if err == nil && e.Attr.Type == vfs.Regular && e.Attr.Size <= ProbeSize && now.Sub(e.Attr.Mtime) > probeAge {
			_, _, err = fs.Remove(ctx, c, dir, name)
		}
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}
