// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// xattr begins a COMPOUND on an extended attribute of a file (RFC 8276).
func (fs *FS) xattr(c *vfs.Caller, h vfs.Handle) (*request, error) {
	if err := cmp.Or(checkHandle(h), fs.newer()); err != nil {
		return nil, err
	}
	return fs.on(c, h), nil
}

// GetXattr returns the value of an attribute.
func (fs *FS) GetXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string) ([]byte, error) {
	value, err := fs.getXattr(ctx, c, h, name)
	return value, fs.fail("getxattr", name, err)
}

func (fs *FS) getXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string) ([]byte, error) {
	q, err := fs.xattr(c, h)
	if err != nil {
		return nil, err
	}
	defer q.free()
	q.op(nfs4.OpGetXattr).String(name)
	if err := q.send(ctx); err != nil {
		return nil, err
	}
	q.result(nfs4.OpPutFH)
	var res nfs4.GetXattrRes
	if q.result(nfs4.OpGetXattr) {
		res.Decode(&q.reply.Decoder)
	}
	return slices.Clone(res.Value), q.done()
}

var xattrOptions = [...]nfs4.SetXattrOption{
	vfs.XattrEither:  nfs4.SetXattrEither,
	vfs.XattrCreate:  nfs4.SetXattrCreate,
	vfs.XattrReplace: nfs4.SetXattrReplace,
}

// SetXattr sets an attribute.
func (fs *FS) SetXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string, value []byte, mode vfs.XattrMode) (vfs.DirChange, error) {
	ch, err := fs.setXattr(ctx, c, h, name, value, mode)
	return ch, fs.fail("setxattr", name, err)
}

func (fs *FS) setXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string, value []byte, mode vfs.XattrMode) (ch vfs.DirChange, err error) {
	if len(value) > vfs.MaxXattr {
		return ch, syscall.E2BIG
	}
	if int(mode) >= len(xattrOptions) {
		return ch, syscall.EINVAL
	}
	q, err := fs.xattr(c, h)
	if err != nil {
		return ch, err
	}
	defer q.free()
	args := nfs4.SetXattrArgs{Option: xattrOptions[mode], Key: []byte(name), Value: value}
	args.Encode(q.changing(nfs4.OpSetXattr))
	return q.xattrChange(ctx, nfs4.OpSetXattr)
}

// RemoveXattr removes an attribute.
func (fs *FS) RemoveXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string) (vfs.DirChange, error) {
	ch, err := fs.removeXattr(ctx, c, h, name)
	return ch, fs.fail("removexattr", name, err)
}

func (fs *FS) removeXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle, name string) (ch vfs.DirChange, err error) {
	q, err := fs.xattr(c, h)
	if err != nil {
		return ch, err
	}
	defer q.free()
	q.changing(nfs4.OpRemoveXattr).String(name)
	return q.xattrChange(ctx, nfs4.OpRemoveXattr)
}

// xattrChange sends a request that changes an attribute.
func (q *request) xattrChange(ctx context.Context, op nfs4.Op) (ch vfs.DirChange, err error) {
	if err := q.send(ctx); err != nil {
		return ch, err
	}
	q.result(nfs4.OpPutFH)
	if q.result(op) {
		ch = q.changeInfo()
	}
	return ch, q.done()
}

// ListXattr returns the names of the attributes.
func (fs *FS) ListXattr(ctx context.Context, c *vfs.Caller, h vfs.Handle) ([]string, error) {
	var names []string
	var cookie uint64
	for {
		part, err := fs.listXattrs(ctx, c, h, cookie)
		if err == nil && !part.EOF && len(part.Names) == 0 {
			err = fmt.Errorf("the server sends no names and no end: %w", oncrpc.ErrXDR)
		}
		if err != nil {
			return nil, fs.fail("listxattr", "", err)
		}
		for _, name := range part.Names {
			names = append(names, string(name))
		}
		if part.EOF {
			return names, nil
		}
		cookie = part.Cookie
	}
}

// listXattrs sends one LISTXATTRS. What it returns is its own memory.
func (fs *FS) listXattrs(ctx context.Context, c *vfs.Caller, h vfs.Handle, cookie uint64) (res nfs4.ListXattrsRes, err error) {
	q, err := fs.xattr(c, h)
	if err != nil {
		return res, err
	}
	defer q.free()
	room := uint32(fs.session.Load().maxResponse - messageHead)
	args := nfs4.ListXattrsArgs{Cookie: cookie, MaxCount: min(listSize, room)}
	args.Encode(q.op(nfs4.OpListXattrs))
	if err := q.send(ctx); err != nil {
		return res, err
	}
	q.result(nfs4.OpPutFH)
	if q.result(nfs4.OpListXattrs) {
		res.Decode(&q.reply.Decoder)
	}
	for i, name := range res.Names {
		res.Names[i] = slices.Clone(name)
	}
	return res, q.done()
}
