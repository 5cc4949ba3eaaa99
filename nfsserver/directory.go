// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

func changeInfo(ch vfs.DirChange) nfs4.ChangeInfo {
	return nfs4.ChangeInfo{Atomic: ch.Atomic, Before: ch.Before, After: ch.After}
}

var nodeTypes = map[nfs4.FileType]vfs.Type{
	nfs4.TypeBlk:  vfs.BlockDevice,
	nfs4.TypeChr:  vfs.CharDevice,
	nfs4.TypeSock: vfs.Socket,
	nfs4.TypeFIFO: vfs.FIFO,
}

// opCreate: RFC 8881 section 18.4: everything but regular files.
func opCreate(c *compound) nfs4.Status {
	var a nfs4.CreateArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.writable(&c.cur); status != nfs4.OK {
		return status
	}
	if status := checkName(a.ObjName); status != nfs4.OK {
		return status
	}
	set, status := c.settable(&a.CreateAttrs, settableAttrs.Or(nfs4.AttrsOf(nfs4.AttrModeUmask)))
	if status != nfs4.OK {
		return status
	}
	// A size means nothing to what CREATE makes.
	set.Size = nil
	fs, name := c.s.options.FS, string(a.ObjName)
	var e vfs.Entry
	var ch vfs.DirChange
	var err error
	switch a.Type {
	case nfs4.TypeDir:
		e, ch, err = fs.Mkdir(c.ctx, &c.caller, c.cur.file, name, set)
	case nfs4.TypeLnk:
		if len(a.LinkData) == 0 {
			return nfs4.ErrInval
		}
		e, ch, err = fs.Symlink(c.ctx, &c.caller, c.cur.file, name, string(a.LinkData), set)
	case nfs4.TypeBlk, nfs4.TypeChr, nfs4.TypeSock, nfs4.TypeFIFO:
		dev := vfs.Device{Major: a.DevData.Major, Minor: a.DevData.Minor}
		e, ch, err = fs.Mknod(c.ctx, &c.caller, c.cur.file, name, nodeTypes[a.Type], dev, set)
	default:
		return nfs4.ErrBadType
	}
	if err != nil {
		return c.notDirectory(err)
	}
	c.setCurrent(filehandle{kind: fileHandle, file: e.Handle, home: e.Attr.Home})
	res := nfs4.CreateRes{CInfo: changeInfo(ch), AttrSet: a.CreateAttrs.Mask}
	res.Encode(c.res)
	return nfs4.OK
}

// opLink: RFC 8881 section 18.9: the saved filehandle gets a name in the current one.
func opLink(c *compound) nfs4.Status {
	var a nfs4.LinkArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.both(); status != nfs4.OK {
		return status
	}
	if status := checkName(a.NewName); status != nfs4.OK {
		return status
	}
	ch, err := c.s.options.FS.Link(c.ctx, &c.caller, c.saved.file, c.cur.file, string(a.NewName))
	if err != nil {
		return c.notDirectory(err)
	}
	res := nfs4.LinkRes{CInfo: changeInfo(ch)}
	res.Encode(c.res)
	return nfs4.OK
}

// both checks that the saved and the current filehandle are of the same file system, and one that can be changed.
func (c *compound) both() nfs4.Status {
	switch {
	case c.cur.kind == noHandle || c.saved.kind == noHandle:
		return nfs4.ErrNoFileHandle
	case c.cur.kind != c.saved.kind:
		return nfs4.ErrXDev
	case c.cur.kind == pseudoHandle:
		return nfs4.ErrROFS
	}
	return nfs4.OK
}

// opRemove: RFC 8881 section 18.25.
func opRemove(c *compound) nfs4.Status {
	var a nfs4.RemoveArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.writable(&c.cur); status != nfs4.OK {
		return status
	}
	if status := checkName(a.Target); status != nfs4.OK {
		return status
	}
	gone, ch, err := c.s.options.FS.Remove(c.ctx, &c.caller, c.cur.file, string(a.Target))
	if err != nil {
		return c.notDirectory(err)
	}
	c.s.files.removed(c.ctx, gone.Handle)
	res := nfs4.RemoveRes{CInfo: changeInfo(ch)}
	res.Encode(c.res)
	return nfs4.OK
}

// opRename: RFC 8881 section 18.26: from the saved filehandle to the current one. What cannot be replaced is told apart
// as rename(2) does, and not with EXIST for all of it: programs look at the difference.
func opRename(c *compound) nfs4.Status {
	var a nfs4.RenameArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.both(); status != nfs4.OK {
		return status
	}
	for _, name := range [][]byte{a.OldName, a.NewName} {
		if status := checkName(name); status != nfs4.OK {
			return status
		}
	}
	over, from, to, err := c.s.options.FS.Rename(c.ctx, &c.caller, c.saved.file, string(a.OldName), c.cur.file, string(a.NewName))
	if err != nil {
		return c.status(err)
	}
	c.s.files.removed(c.ctx, over.Handle)
	res := nfs4.RenameRes{SourceCInfo: changeInfo(from), TargetCInfo: changeInfo(to)}
	res.Encode(c.res)
	return nfs4.OK
}

// opReadLink: RFC 8881 section 18.24.
func opReadLink(c *compound) nfs4.Status {
	switch c.cur.kind {
	case noHandle:
		return nfs4.ErrNoFileHandle
	case pseudoHandle:
		return nfs4.ErrWrongType
	}
	target, err := c.s.options.FS.ReadLink(c.ctx, &c.caller, c.cur.file)
	if err != nil {
		status := c.status(err)
		if status == nfs4.ErrInval {
			return nfs4.ErrWrongType
		}
		return status
	}
	c.res.String(target)
	return nfs4.OK
}

// opReadDir: RFC 8881 section 18.23. Cookies are the FS's own and stay good while the directory changes, so the verifier
// is always zero.
func opReadDir(c *compound) nfs4.Status {
	var a nfs4.ReadDirArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if c.cur.kind == noHandle {
		return nfs4.ErrNoFileHandle
	}
	if a.Cookie == 1 || a.Cookie == 2 {
		return nfs4.ErrBadCookie
	}
	if a.CookieVerf != (nfs4.Verifier{}) {
		return nfs4.ErrNotSame
	}
	if !a.AttrRequest.And(nfs4.WriteOnlyAttrs).And(c.supportedAttrs()).Empty() {
		return nfs4.ErrInval
	}
	l := listing{c: c, want: a.AttrRequest, names: int(min(a.DirCount, maxMessage))}
	if l.names == 0 {
		l.names = maxMessage
	}
	l.reply = nfs4.BeginReadDir(c.res, nfs4.Verifier{}, min(int(min(a.MaxCount, maxMessage)), c.room()))
	var end bool
	var status nfs4.Status
	if c.cur.kind == pseudoHandle {
		end, status = l.pseudo(a.Cookie)
	} else {
		end, status = l.files(a.Cookie)
	}
	if status != nfs4.OK {
		return status
	}
	if l.reply.Count() == 0 && !end {
		return nfs4.ErrTooSmall
	}
	l.reply.End(end)
	return nfs4.OK
}

// listing is a READDIR while it runs.
type listing struct {
	c     *compound
	reply nfs4.ReadDirReply
	want  nfs4.Bitmap
	// names is how many bytes of cookies and names are left: a hint of how much the client can use.
	names  int
	status nfs4.Status
	handle []byte
}

func (l *listing) pseudo(cookie uint64) (end bool, status nfs4.Status) {
	const only = 3
	if cookie >= only {
		return true, nfs4.OK
	}
	child, status := l.c.child(l.c.cur.pseudo)
	if status != nfs4.OK {
		return false, status
	}
	if status := l.c.fill(&child, l.want); status != nfs4.OK {
		return false, status
	}
	return l.reply.Add(only, l.c.cur.pseudo.child, &l.c.attrs, l.want), nfs4.OK
}

func (l *listing) files(cookie uint64) (end bool, status nfs4.Status) {
	c := l.c
	c.attrs = c.constants()
	if !l.want.And(spaceAttrs).Empty() {
		space, err := c.s.options.FS.StatFS(c.ctx, c.cur.file)
		if err != nil {
			return false, c.status(err)
		}
		setSpace(&c.attrs, &space)
	}
	withAttr := !l.want.And(nfs4.KnownAttrs).AndNot(entryAttrs).Empty()
	end, err := c.s.options.FS.ReadDir(c.ctx, &c.caller, c.cur.file, cookie, withAttr, l.add)
	if err != nil {
		return false, c.notDirectory(err)
	}
	return end, l.status
}

// add writes one entry, and tells whether there is room for more.
func (l *listing) add(e *vfs.DirEntry) bool {
	if l.reply.Count() > 0 && l.names < 8+4+len(e.Name) {
		return false
	}
	a := &l.c.attrs
	mask := a.Mask
	defer func() { a.Mask = mask }()
	switch {
	case e.Err != nil && !l.want.Has(nfs4.AttrRdattrError):
		if l.reply.Count() == 0 {
			l.status = l.c.status(e.Err)
		}
		return false
	case e.Err != nil:
		*a = nfs4.Attrs{Mask: nfs4.AttrsOf(nfs4.AttrRdattrError), RdattrError: l.c.status(e.Err)}
		defer func() { *a = l.c.constants() }()
	default:
		l.c.setFile(a, &e.Attr)
		a.FileID, a.MountedOnFileID = e.FileID, e.FileID
		a.Mask.Set(nfs4.AttrRdattrError)
		l.handle = append(append(l.handle[:0], tagFile), e.Handle...)
		a.Filehandle = l.handle
	}
	if !l.reply.Add(e.Cookie, e.Name, a, l.want) {
		return false
	}
	l.names -= 8 + 4 + len(e.Name)
	return true
}
