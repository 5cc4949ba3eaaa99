// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/vfs"
)

// checkHandle refuses what no server can have issued.
func checkHandle(h vfs.Handle) error { return nfsconn.CheckHandle(h, nfs3.MaxHandle) }

// Root returns the handle of Config.Export. Where that is below the directory that is mounted, it is found at the first
// call; ENOENT and ENOTDIR say which component of it is not there.
func (fs *FS) Root(ctx context.Context) (vfs.Handle, error) {
	if h := fs.root.Load(); h != nil {
		return *h, nil
	}
	h, at := vfs.Handle(fs.mounted.handle), fs.mounted.path
	for _, name := range fs.mounted.rest {
		e, err := fs.lookup(ctx, nil, h, name)
		if err != nil {
			whole := path.Join(fs.mounted.path, strings.Join(fs.mounted.rest, "/"))
			return "", fs.fail("find export", whole, fmt.Errorf("%q in %s: %w", name, at, rootError(err)))
		}
		h, at = e.Handle, path.Join(at, name)
	}
	fs.root.Store(&h)
	return h, nil
}

// rootError says a status in plain words.
func rootError(err error) error {
	if status, ok := err.(nfs3.Status); ok {
		return status.Errno()
	}
	return err
}

// Home answers zero: to which home a file belongs is not on the wire.
func (fs *FS) Home(h vfs.Handle) (vfs.HomeID, error) {
	return 0, fs.fail("home", "", checkHandle(h))
}

// GetAttr returns a file's attributes.
func (fs *FS) GetAttr(ctx context.Context, h vfs.Handle) (vfs.Attr, error) {
	a, err := fs.getAttr(ctx, h)
	return a, fs.fail("getattr", "", err)
}

func (fs *FS) getAttr(ctx context.Context, h vfs.Handle) (vfs.Attr, error) {
	if err := checkHandle(h); err != nil {
		return vfs.Attr{}, err
	}
	var res nfs3.GetAttrRes
	a, err := fs.ask(ctx, nil, nfs3.ProcGetAttr, &nfs3.HandleArgs{Object: nfs3.Handle(h)}, nil, &res)
	a.free()
	if err != nil {
		return vfs.Attr{}, err
	}
	return fileAttr(&res.Attr)
}

// SetAttr changes attributes.
func (fs *FS) SetAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	a, err := fs.setAttr(ctx, c, h, set)
	return a, fs.fail("setattr", "", err)
}

func (fs *FS) setAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	if err := checkHandle(h); err != nil {
		return vfs.Attr{}, err
	}
	attr, err := fs.setOnce(ctx, c, h, &set)
	if err == nil && set.Mode != nil && (set.UID != nil || set.GID != nil) && attr.Mode != *set.Mode {
		// A server that sets the mode first loses set-id bits by setting the owner (chown(2)).
		attr, err = fs.setOnce(ctx, c, h, &vfs.SetAttr{Mode: set.Mode})
	}
	return attr, err
}

// setOnce sends one SETATTR.
func (fs *FS) setOnce(ctx context.Context, c *vfs.Caller, h vfs.Handle, set *vfs.SetAttr) (vfs.Attr, error) {
	wire, err := setAttrs(set)
	if err != nil {
		return vfs.Attr{}, err
	}
	var res nfs3.WccRes
	a, err := fs.ask(ctx, c, nfs3.ProcSetAttr, &nfs3.SetAttrArgs{Object: nfs3.Handle(h), Attr: wire}, nil, &res)
	a.free()
	if err != nil {
		return vfs.Attr{}, err
	}
	return fs.attrOf(ctx, h, &res.Wcc.After)
}

// StatFS returns the space of the file system that a file is in.
func (fs *FS) StatFS(ctx context.Context, h vfs.Handle) (vfs.StatFS, error) {
	s, err := fs.statFS(ctx, h)
	return s, fs.fail("statfs", "", err)
}

func (fs *FS) statFS(ctx context.Context, h vfs.Handle) (vfs.StatFS, error) {
	if err := checkHandle(h); err != nil {
		return vfs.StatFS{}, err
	}
	var res nfs3.FSStatRes
	a, err := fs.ask(ctx, nil, nfs3.ProcFSStat, &nfs3.HandleArgs{Object: nfs3.Handle(h)}, nil, &res)
	a.free()
	return vfs.StatFS{
		TotalBytes: res.TotalBytes, FreeBytes: res.FreeBytes, AvailBytes: res.AvailBytes,
		TotalFiles: res.TotalFiles, FreeFiles: res.FreeFiles, AvailFiles: res.AvailFiles,
	}, err
}
