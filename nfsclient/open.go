// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/nfsconn"
	"github.com/hubhome/hubhome/vfs"
)

const defaultFileMode = 0o644

func (fs *FS) openOwner() []byte {
	return binary.BigEndian.AppendUint64([]byte("open "), fs.opens.Add(1))
}

// openArgs are the arguments of OPEN for the file, with a claim. No delegation is wanted, and none can be given: there
// is no way to call back.
func (f *File) openArgs(claim nfs4.OpenClaim) nfs4.OpenArgs {
	return nfs4.OpenArgs{
		ShareAccess: nfs4.ShareAccess(f.access) | nfs4.ShareWantNoDeleg,
		ShareDeny:   nfs4.ShareDenyNone,
		Owner:       nfs4.StateOwner{Owner: f.owner},
		Claim:       claim,
	}
}

// opened reads the results of PUTFH and OPEN behind which nothing else is of interest.
func (q *request) opened() (nfs4.Stateid, error) {
	q.result(nfs4.OpPutFH)
	var res nfs4.OpenRes
	if q.result(nfs4.OpOpen) {
		res.Decode(&q.reply.Decoder)
	}
	return res.Stateid, q.done()
}

// Open opens a regular file.
func (fs *FS) Open(ctx context.Context, c *vfs.Caller, h vfs.Handle, access vfs.Access) (vfs.File, error) {
	if err := cmp.Or(checkHandle(h), nfsconn.CheckAccess(access)); err != nil {
		return nil, fs.fail("open", "", err)
	}
	f := fs.newFile(c, access)
	f.handle = h
	id, err := f.open(ctx)
	if err != nil {
		return nil, fs.fail("open", "", err)
	}
	f.opened(h, id)
	return f, nil
}

// open opens the file by its handle (RFC 8881 section 18.16, CLAIM_FH).
func (f *File) open(ctx context.Context) (nfs4.Stateid, error) {
	q := f.on()
	defer q.free()
	args := f.openArgs(nfs4.OpenClaim{Type: nfs4.ClaimFH})
	args.Encode(q.changing(nfs4.OpOpen))
	if err := q.send(ctx); err != nil {
		return nfs4.Stateid{}, err
	}
	return q.opened()
}

// reopen opens the file anew after the server has lost its state.
func (f *File) reopen(ctx context.Context) error {
	id, err := f.open(ctx)
	if err != nil {
		return err
	}
	f.fs.log.Debug("opened a file anew", "server", f.fs.addr)
	f.mu.Lock()
	f.stateid = id
	f.mu.Unlock()
	return nil
}

// Create opens a regular file, and makes it where it is not there.
func (fs *FS) Create(ctx context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	if err := cmp.Or(checkHandle(dir), vfs.CheckName(name), nfsconn.CheckAccess(access)); err != nil {
		return nil, vfs.Entry{}, false, vfs.DirChange{}, fs.fail("open", name, err)
	}
	ctx, cancel := fs.deadline(ctx)
	defer cancel()
	o := creation{fs: fs, caller: c, dir: dir, name: name, how: how}
	f, err := o.run(ctx, access)
	if errors.Is(err, nfs4.ErrSymlink) && o.notDirectory(ctx) {
		err = nfs4.ErrNotDir
	}
	if err != nil {
		return nil, vfs.Entry{}, false, vfs.DirChange{}, fs.fail("open", name, err)
	}
	return f, o.entry, o.created, o.change, nil
}

// creation is a Create while it runs.
type creation struct {
	fs     *FS
	caller *vfs.Caller
	dir    vfs.Handle
	name   string
	how    vfs.Create

	entry   vfs.Entry
	created bool
	change  vfs.DirChange
}

var createModes = [...]nfs4.CreateMode{
	vfs.Unchecked: nfs4.CreateUnchecked,
	vfs.Guarded:   nfs4.CreateGuarded,
	vfs.Exclusive: nfs4.CreateExclusive4_1,
}

// run opens the file. Where something goes wrong behind that, it is closed again.
func (o *creation) run(ctx context.Context, access vfs.Access) (*File, error) {
	if int(o.how.Mode) >= len(createModes) {
		return nil, syscall.EINVAL
	}
	now, later := o.attrs()
	f := o.fs.newFile(o.caller, access)
	id, err := o.open(ctx, f, &now)
	if err != nil {
		return nil, err
	}
	f.opened(o.entry.Handle, id)
	if later != (vfs.SetAttr{}) {
		o.entry.Attr, err = o.fs.setAttr(ctx, o.caller, o.entry.Handle, nfs4.Stateid{Other: id.Other}, later)
		if err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// attrs splits the attributes into those that go with OPEN and those that are set behind it: an exclusive creation may
// keep its verifier in the times (RFC 8881 section 18.16.3).
func (o *creation) attrs() (now, later vfs.SetAttr) {
	now = o.how.Attr
	if now.Mode == nil {
		mode := uint32(defaultFileMode)
		now.Mode = &mode
	}
	if o.how.Mode == vfs.Exclusive {
		later = vfs.SetAttr{Size: now.Size, Atime: now.Atime, Mtime: now.Mtime}
		now.Size, now.Atime, now.Mtime = nil, vfs.SetTime{}, vfs.SetTime{}
	}
	return now, later
}

// open sends the OPEN and reads its results.
func (o *creation) open(ctx context.Context, f *File, set *vfs.SetAttr) (nfs4.Stateid, error) {
	q := o.fs.on(o.caller, o.dir)
	defer q.free()
	attrs := setAttrs(set)
	args := f.openArgs(nfs4.OpenClaim{Type: nfs4.ClaimNull, File: []byte(o.name)})
	args.How = nfs4.OpenHow{
		Type:     nfs4.OpenWithCreate,
		Mode:     createModes[o.how.Mode],
		Verifier: nfs4.Verifier(o.how.Verifier),
		Attrs:    attrs.Fattr(),
	}
	args.Encode(q.changing(nfs4.OpOpen))
	q.getEntry()
	if err := q.send(ctx); err != nil {
		return nfs4.Stateid{}, err
	}
	q.result(nfs4.OpPutFH)
	var res nfs4.OpenRes
	if q.result(nfs4.OpOpen) {
		res.Decode(&q.reply.Decoder)
	}
	o.change = vfs.DirChange{Before: res.CInfo.Before, After: res.CInfo.After, Atomic: res.CInfo.Atomic}
	o.created = o.made(&res)
	var err error
	o.entry, err = q.made(ctx)
	if err != nil && o.entry.Handle != "" {
		o.fs.closeState(ctx, o.entry.Handle, res.Stateid)
	}
	return res.Stateid, err
}

// made tells whether an OPEN made the file. The protocol says so with the two modes that open nothing else; otherwise
// by the directory having changed and the attributes having been set.
func (o *creation) made(res *nfs4.OpenRes) bool {
	if o.how.Mode != vfs.Unchecked {
		return true
	}
	if res.CInfo.Atomic {
		return res.CInfo.Before != res.CInfo.After
	}
	return res.CInfo.Before != res.CInfo.After && res.AttrSet.Has(nfs4.AttrMode)
}

// notDirectory tells whether it was the directory, and not the name in it, that is a symbolic link.
func (o *creation) notDirectory(ctx context.Context) bool {
	a, err := o.fs.getAttr(ctx, o.dir)
	return err == nil && a.Type != vfs.Directory
}
