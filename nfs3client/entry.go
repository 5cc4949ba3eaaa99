// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"context"
	"errors"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// plusSize is how much longer the entries of READDIRPLUS are than those of READDIR, about.
const plusSize = 4

// ReadDir lists a directory, from the entry after the one whose cookie was given. With withAttr, an entry whose handle or
// attributes the server does not send along is looked up.
func (fs *FS) ReadDir(ctx context.Context, c *vfs.Caller, dir vfs.Handle, cookie uint64, withAttr bool, fn func(*vfs.DirEntry) bool) (end bool, err error) {
	if err := checkHandle(dir); err != nil {
		return false, fs.fail("readdir", "", err)
	}
	l := listing{fs: fs, caller: c, dir: dir, cookie: cookie, fn: fn, withAttr: withAttr}
	for !l.end && !l.stopped && err == nil {
		err = l.more(ctx)
	}
	return l.end && !l.stopped, fs.fail("readdir", "", err)
}

// listing is a ReadDir while it runs.
type listing struct {
	fs       *FS
	caller   *vfs.Caller
	dir      vfs.Handle
	withAttr bool
	fn       func(*vfs.DirEntry) bool

	cookie   uint64
	progress nfsconn.Progress
	verf     nfs3.Verifier
	// end: the directory has ended. stopped: fn has.
	end, stopped bool
}

// more asks for the next part of the directory. A server whose verifier has changed, because the directory did, is asked
// for the new one: the contract's cookies stay valid, and it is for the server to say which do not.
func (l *listing) more(ctx context.Context) error {
	err := l.ask(ctx, l.read)
	if l.cookie == 0 || !errors.Is(err, nfs3.ErrBadCookie) {
		return err
	}
	at := l.cookie
	l.cookie, l.verf = 0, nfs3.Verifier{}
	e := l.ask(ctx, func(_ context.Context, _ *oncrpc.Decoder, head *nfs3.ReadDirHead, _ bool) error {
		l.verf = head.Verf
		return nil
	})
	l.cookie = at
	if e != nil {
		return err
	}
	return l.ask(ctx, l.read)
}

// ask sends a READDIRPLUS or READDIR and has its entries read.
func (l *listing) ask(ctx context.Context, read func(context.Context, *oncrpc.Decoder, *nfs3.ReadDirHead, bool) error) error {
	for raced := 0; ; raced++ {
		plus := l.withAttr && !l.fs.noPlus.Load()
		var head nfs3.ReadDirHead
		proc, args := l.request(plus)
		a, err := l.fs.ask(ctx, l.caller, proc, args, nil, &head)
		switch {
		case err == nil:
			err = read(ctx, &a.reply.Decoder, &head, plus)
			a.free()
			return err
		case plus && err == nfs3.ErrNotSupp:
			l.fs.noPlus.Store(true)
		case err != nfs3.ErrNoEnt || raced == maxRaced:
			// NOENT is of an entry that some servers looked at when it was gone.
			a.free()
			return err
		}
		a.free()
	}
}

func (l *listing) request(plus bool) (nfs3.Proc, encoder) {
	limits := &l.fs.limits
	size := uint32(limits.list)
	if !plus {
		return nfs3.ProcReadDir, &nfs3.ReadDirArgs{Dir: nfs3.Handle(l.dir), Cookie: l.cookie, Verf: l.verf, Count: size}
	}
	return nfs3.ProcReadDirPlus, &nfs3.ReadDirPlusArgs{
		Dir: nfs3.Handle(l.dir), Cookie: l.cookie, Verf: l.verf,
		DirCount: size, MaxCount: max(size, min(plusSize*size, uint32(limits.read))),
	}
}

// read hands the entries of a result to fn.
func (l *listing) read(ctx context.Context, d *oncrpc.Decoder, head *nfs3.ReadDirHead, plus bool) error {
	l.verf = head.Verf
	for d.Bool() {
		var e nfs3.DirEntry
		if e.Decode(d, plus); d.Err() != nil {
			return d.Err()
		}
		l.cookie = e.Cookie
		name := string(e.Name)
		if name == "." || name == ".." {
			continue
		}
		if err := nfsconn.CheckEntry(name); err != nil {
			return err
		}
		entry := vfs.DirEntry{Name: name, Cookie: e.Cookie, FileID: e.FileID}
		if l.withAttr && !l.fill(ctx, &entry, &e) {
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

// fill sets the handle and the attributes of an entry; false where the entry has gone meanwhile.
func (l *listing) fill(ctx context.Context, entry *vfs.DirEntry, e *nfs3.DirEntry) bool {
	var err error
	if len(e.Handle) > 0 && e.Attr.Follows {
		entry.Handle = vfs.Handle(e.Handle)
		entry.Attr, err = fileAttr(&e.Attr.Attr)
	} else {
		entry.Entry, err = l.fs.lookup(ctx, l.caller, l.dir, entry.Name)
	}
	if err != nil {
		entry.Err = l.fs.fail("readdir", entry.Name, err)
		return err != nfs3.ErrNoEnt
	}
	return true
}
