// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/vfs"
)

// checkHandle refuses what no server can have issued.
func checkHandle(h vfs.Handle) error { return nfsconn.CheckHandle(h, vfs.MaxHandle) }

// Root returns the handle of the exported directory. It is found by Config.Export at the first call; ENOENT and ENOTDIR
// say which component of it is not there.
func (fs *FS) Root(ctx context.Context) (vfs.Handle, error) {
	if h := fs.root.Load(); h != nil {
		return *h, nil
	}
	q := fs.request(nil)
	defer q.free()
	q.op(nfs4.OpPutRootFH)
	for _, name := range fs.export {
		q.lookup(name)
	}
	q.op(nfs4.OpGetFH)
	if err := q.send(ctx); err != nil {
		return "", fs.fail("find export", fs.exportTo(len(fs.export)), fs.exportError(q, err))
	}
	q.result(nfs4.OpPutRootFH)
	for range fs.export {
		q.result(nfs4.OpLookup)
	}
	h := q.handle()
	if err := q.done(); err != nil {
		return "", fs.fail("find export", fs.exportTo(len(fs.export)), err)
	}
	fs.root.Store(&h)
	return h, nil
}

// exportTo is the path of the first n components of the export.
func (fs *FS) exportTo(n int) string { return "/" + strings.Join(fs.export[:n], "/") }

// exportError says which component of the export could not be had.
func (fs *FS) exportError(q *request, err error) error {
	const before = 2 // SEQUENCE and PUTROOTFH
	status, ok := errors.AsType[nfs4.Status](err)
	n := q.results - before
	if !ok || status != q.status || n < 1 || n > len(fs.export) {
		return err
	}
	return fmt.Errorf("%q in %s: %w", fs.export[n-1], fs.exportTo(n-1), dirError(status).Errno())
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
	q := fs.on(nil, h)
	defer q.free()
	q.getAttr(fileAttrs)
	if err := q.send(ctx); err != nil {
		return vfs.Attr{}, err
	}
	q.result(nfs4.OpPutFH)
	a := q.attr()
	return a, q.done()
}

// SetAttr changes attributes.
func (fs *FS) SetAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	a, err := fs.setAttr(ctx, c, h, nfs4.AnonymousStateid, set)
	return a, fs.fail("setattr", "", err)
}

// setAttr is SetAttr with a stateid, which counts for the size alone (RFC 8881 section 18.30.3).
func (fs *FS) setAttr(ctx context.Context, c *vfs.Caller, h vfs.Handle, id nfs4.Stateid, set vfs.SetAttr) (vfs.Attr, error) {
	if err := checkHandle(h); err != nil {
		return vfs.Attr{}, err
	}
	q := fs.on(c, h)
	defer q.free()
	e := q.changing(nfs4.OpSetAttr)
	id.Encode(e)
	a := setAttrs(&set)
	a.Encode(e, a.Mask)
	q.getAttr(fileAttrs)
	if err := q.send(ctx); err != nil {
		return vfs.Attr{}, err
	}
	q.result(nfs4.OpPutFH)
	if q.result(nfs4.OpSetAttr) {
		var res nfs4.SetAttrRes
		res.Decode(&q.reply.Decoder)
	}
	attr := q.attr()
	if q.failed != nfs4.OK { // the attributes are set; only the look at them went wrong
		return fs.getAttr(ctx, h)
	}
	return attr, q.done()
}

// StatFS returns the space that the file's home has.
func (fs *FS) StatFS(ctx context.Context, h vfs.Handle) (vfs.StatFS, error) {
	s, err := fs.statFS(ctx, h)
	return s, fs.fail("statfs", "", err)
}

func (fs *FS) statFS(ctx context.Context, h vfs.Handle) (vfs.StatFS, error) {
	if err := checkHandle(h); err != nil {
		return vfs.StatFS{}, err
	}
	q := fs.on(nil, h)
	defer q.free()
	q.getAttr(nfs4.AttrsOf(nfs4.AttrSpaceTotal, nfs4.AttrSpaceFree, nfs4.AttrSpaceAvail,
		nfs4.AttrFilesTotal, nfs4.AttrFilesFree, nfs4.AttrFilesAvail))
	if err := q.send(ctx); err != nil {
		return vfs.StatFS{}, err
	}
	q.result(nfs4.OpPutFH)
	a := q.attrs()
	return vfs.StatFS{
		TotalBytes: a.SpaceTotal, FreeBytes: a.SpaceFree, AvailBytes: a.SpaceAvail,
		TotalFiles: a.FilesTotal, FreeFiles: a.FilesFree, AvailFiles: a.FilesAvail,
	}, q.done()
}
