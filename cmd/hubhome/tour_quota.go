// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/vfs"
)

// graceQuota is what grace may have, tooMuch what she wants to have at once, and bigFile what she fills her home with.
const (
	graceQuota = 16 * hubhome.MiB
	tooMuch    = 64 * hubhome.MiB
	bigFile    = "big.bin"
)

// operator asks the server what an operator would.
func (t *tour) operator(ask func(*console.Client) error) error {
	client := console.NewClient(filepath.Join(t.server.dir, "data", ".hubhome", "admin.sock"))
	defer client.Close()
	return ask(client)
}

// graceNow is what the ledger says of grace's home.
func (t *tour) graceNow(ctx context.Context) (home console.HomeDetail, err error) {
	err = t.operator(func(c *console.Client) error {
		home, err = c.Home(ctx, tourHub, "grace")
		return err
	})
	return home, err
}

// setQuota gives grace a quota while the server runs, and has her want more than that.
func (t *tour) setQuota(ctx context.Context) (string, error) {
	err := t.operator(func(c *console.Client) error {
		_, err := c.SetQuotas(ctx, console.QuotaRequest{Changes: []console.QuotaChange{
			{Hub: tourHub, Name: console.NewName("grace"), Bytes: graceQuota.String()},
		}})
		return err
	})
	if err != nil {
		return "", err
	}
	grace := t.users["grace"]
	f, _, _, _, err := grace.fs.Create(ctx, grace.who, grace.root, bigFile, vfs.Create{}, vfs.Write)
	if err != nil {
		return "", err
	}
	err = mustRefuse("room for "+tooMuch.String(), f.Allocate(ctx, 0, uint64(tooMuch)), syscall.EDQUOT)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	space, err := grace.fs.StatFS(ctx, grace.root)
	if err == nil && space.TotalBytes != uint64(graceQuota) {
		err = fmt.Errorf("df says %d bytes", space.TotalBytes)
	}
	return fmt.Sprintf("grace may have %v from now on: df ~ says so, and %v for one file are refused (EDQUOT)", graceQuota, tooMuch), err
}

// fullHome fills grace's home, saves her notebook all the same, and has her make room.
func (t *tour) fullHome(ctx context.Context) (string, error) {
	grace := t.users["grace"]
	if _, err := grace.save(ctx, grace.root, bigFile, make([]byte, graceQuota)); err != nil {
		return "", err
	}
	text := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
	if _, err := grace.save(ctx, grace.root, notebookName, text); err != nil {
		return "", fmt.Errorf("save the notebook in a full home: %w", err)
	}
	t.stored["grace/"+notebookName] = sumOf(text)
	full, err := t.graceNow(ctx)
	if err != nil {
		return "", err
	}
	if _, _, err := grace.fs.Remove(ctx, grace.who, grace.root, bigFile); err != nil {
		return "", err
	}
	after, err := t.graceNow(ctx)
	if err == nil && (full.Reserve.Bytes == 0 || after.Reserve.Bytes != 0 || after.Usage.Bytes > int64(graceQuota)) {
		err = fmt.Errorf("of the reserve %d bytes are used, then %d, with %d in the home", full.Reserve.Bytes, after.Reserve.Bytes, after.Usage.Bytes)
	}
	return fmt.Sprintf("full, and her notebook is saved (%s of the reserve); rm, and she is at %s", humanBytes(uint64(full.Reserve.Bytes)), humanBytes(uint64(after.Usage.Bytes))), err
}

// usageRight compares what the server says that homes take with the disk, after it was killed.
func (t *tour) usageRight(ctx context.Context) (string, error) {
	compared := 0
	err := t.operator(func(c *console.Client) error {
		for {
			hubs, err := c.Hubs(ctx)
			if err != nil {
				return err
			}
			uncounted := 0
			for _, h := range hubs {
				uncounted += h.Uncounted
			}
			if uncounted == 0 {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%d homes are not counted: %w", uncounted, ctx.Err())
			case <-time.After(10 * time.Millisecond):
			}
		}
		var differs error
		err := c.Check(ctx, false, func(h console.Checked) {
			compared++
			if h.Believed && h.Ledger != h.Disk {
				differs = fmt.Errorf("%s/%s: the ledger says %s, the disk %s", h.Hub, h.Home, inodes(h.Ledger), inodes(h.Disk))
			}
		})
		return errors.Join(err, differs)
	})
	if err != nil {
		return "", err
	}
	home, err := t.graceNow(ctx)
	if err == nil && (home.Quota.Bytes == nil || *home.Quota.Bytes != int64(graceQuota)) {
		err = errors.New("grace's quota is another one")
	}
	return fmt.Sprintf("ledger and disk agree in all %d directories; the quota that grace was given is in force", compared), err
}
