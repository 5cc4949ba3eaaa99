// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"context"
	"errors"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/vfs"
)

const (
	// listSize is how much of a directory is asked for at once, in bytes.
	listSize = 128 << 10
	// maxEntryName is the longest name that is read, in bytes.
	maxEntryName = 1 << 10
)

var (
	// nameAttrs are the attributes of an entry that take no look at its file.
	nameAttrs = nfs4.AttrsOf(nfs4.AttrRdattrError, nfs4.AttrMountedOnFileID)
	// entryAttrs are all that a vfs.DirEntry is made of.
	entryAttrs = fileAttrs.Or(nfs4.AttrsOf(nfs4.AttrRdattrError, nfs4.AttrFilehandle))
)

// ReadDir lists a directory, from the entry after the one whose cookie was given.
func (fs *FS) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (end bool, err error) {
	if err := checkHandle(dir); err != nil {
		return false, fs.fail("readdir", "", err)
	}
	l := listing{fs: fs, caller: c, dir: dir, cookie: cookie, fn: fn, want: nameAttrs}
	if withAttr {
		l.want = entryAttrs
	}
	for !l.end && !l.stopped && err == nil {
		err = l.more(ctx)
	}
	return l.end && !l.stopped, fs.failDir("readdir", "", err)
}

// listing is a ReadDir while it runs.
type listing struct {
	fs     *FS
	caller *vfs.Caller
	dir    vfs.Handle
	want   nfs4.Bitmap
	fn     func(*vfs.DirEntry) bool

	cookie   uint64
	progress nfsconn.Progress
	verf     nfs4.Verifier
	// end: the directory has ended. stopped: fn has.
	end, stopped bool
}

// more asks for the next part of the directory. A server whose verifier has changed, because the directory did, is asked
// for the new one: the contract's cookies stay valid, and it is for the server to say which do not.
func (l *listing) more(ctx context.Context) error {
	err := l.ask(ctx, listSize, l.read)
	if l.cookie == 0 || !errors.Is(err, nfs4.ErrNotSame) && !errors.Is(err, nfs4.ErrBadCookie) {
		return err
	}
	at := l.cookie
	l.cookie, l.verf = 0, nfs4.Verifier{}
	e := l.ask(ctx, minMessage, func(q *request) error {
		l.verf = verifier(q)
		return nil
	})
	l.cookie = at
	if e != nil {
		return err
	}
	return l.ask(ctx, listSize, l.read)
}

// ask sends a READDIR for at most size bytes (RFC 8881 section 18.23) and has its result read.
func (l *listing) ask(ctx context.Context, size uint32, read func(*request) error) error {
	q := l.fs.on(l.caller, l.dir)
	defer q.free()
	room := uint32(l.fs.session.Load().maxResponse - messageHead)
	args := nfs4.ReadDirArgs{
		Cookie:      l.cookie,
		CookieVerf:  l.verf,
		DirCount:    min(size, room),
		MaxCount:    min(size, room),
		AttrRequest: l.want,
	}
	args.Encode(q.op(nfs4.OpReadDir))
	if err := q.send(ctx); err != nil {
		return err
	}
	q.result(nfs4.OpPutFH)
	if !q.result(nfs4.OpReadDir) {
		return q.done()
	}
	return read(q)
}

func verifier(q *request) (v nfs4.Verifier) {
	copy(v[:], q.reply.Fixed(len(v)))
	return v
}

// read hands the entries of a READDIR's result to fn.
func (l *listing) read(q *request) error {
	l.verf = verifier(q)
	d := &q.reply.Decoder
	for d.Bool() {
		cookie, name := d.Uint64(), d.Opaque(maxEntryName)
		var attrs nfs4.Fattr
		attrs.Decode(d)
		q.decodeAttrs(&attrs)
		if d.Err() != nil {
			return d.Err()
		}
		l.cookie = cookie
		if err := nfsconn.CheckEntry(string(name)); err != nil {
			return err
		}
		entry := vfs.DirEntry{Name: string(name), Cookie: cookie}
		if !l.fill(q, &entry) {
			continue
		}
		if !l.fn(&entry) {
			l.stopped = true
			return nil
		}
	}
	if l.end = d.Bool(); l.end || d.Err() != nil {
		return d.Err()
	}
	return l.progress.Part(l.cookie)
}

// fill sets what is known of an entry; false where the entry has gone meanwhile, or what the server sends of it is nothing.
func (l *listing) fill(q *request, entry *vfs.DirEntry) bool {
	a := &q.wire
	if a.Mask.Has(nfs4.AttrRdattrError) && a.RdattrError != nfs4.OK {
		entry.Err = l.fs.fail("readdir", entry.Name, a.RdattrError)
		return a.RdattrError != nfs4.ErrNoEnt
	}
	if l.want == nameAttrs {
		entry.FileID = a.MountedOnFileID
		return true
	}
	entry.Handle = vfs.Handle(a.Filehandle)
	entry.Attr = q.fileAttr(a)
	entry.FileID = entry.Attr.FileID
	return q.reply.Err() == nil
}
