// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"slices"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// xattrHandle checks the current filehandle of an operation on extended attributes.
func (c *compound) xattrHandle(change bool) nfs4.Status {
	switch {
	case c.cur.kind == noHandle:
		return nfs4.ErrNoFileHandle
	case !c.s.xattrs:
		return nfs4.ErrNotSupp
	case c.cur.kind == pseudoHandle && change:
		return nfs4.ErrROFS
	case c.cur.kind == pseudoHandle:
		return nfs4.ErrNoXattr
	}
	return nfs4.OK
}

func checkXattrName(name []byte) nfs4.Status {
	switch {
	case len(name) == 0:
		return nfs4.ErrInval
	case len(name) > vfs.MaxName-len("user."):
		return nfs4.ErrNameTooLong
	case slices.Contains(name, 0):
		return nfs4.ErrBadChar
	}
	return nfs4.OK
}

// opGetXattr: RFC 8276 section 8.4.1.
func opGetXattr(c *compound) nfs4.Status {
	var a nfs4.GetXattrArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.xattrHandle(false); status != nfs4.OK {
		return status
	}
	if status := checkXattrName(a.Name); status != nfs4.OK {
		return status
	}
	value, err := c.s.options.FS.GetXattr(c.ctx, &c.caller, c.cur.file, string(a.Name))
	if err != nil {
		return c.status(err)
	}
	res := nfs4.GetXattrRes{Value: value}
	res.Encode(c.res)
	return nfs4.OK
}

var xattrModes = [...]vfs.XattrMode{
	nfs4.SetXattrEither:  vfs.XattrEither,
	nfs4.SetXattrCreate:  vfs.XattrCreate,
	nfs4.SetXattrReplace: vfs.XattrReplace,
}

// opSetXattr: RFC 8276 section 8.4.2.
func opSetXattr(c *compound) nfs4.Status {
	var a nfs4.SetXattrArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.xattrHandle(true); status != nfs4.OK {
		return status
	}
	if status := checkXattrName(a.Key); status != nfs4.OK {
		return status
	}
	if int(a.Option) >= len(xattrModes) {
		return nfs4.ErrInval
	}
	if len(a.Value) > vfs.MaxXattr {
		return nfs4.ErrXattr2Big
	}
	ch, err := c.s.options.FS.SetXattr(c.ctx, &c.caller, c.cur.file, string(a.Key), a.Value, xattrModes[a.Option])
	if err != nil {
		return c.status(err)
	}
	res := nfs4.SetXattrRes{Info: changeInfo(ch)}
	res.Encode(c.res)
	return nfs4.OK
}

// opListXattrs: RFC 8276 section 8.4.3. The names are listed in their order, and a cookie is how many were listed.
func opListXattrs(c *compound) nfs4.Status {
	var a nfs4.ListXattrsArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	status := c.xattrHandle(false)
	if status == nfs4.ErrNoXattr {
		res := nfs4.ListXattrsRes{EOF: true}
		res.Encode(c.res)
		return nfs4.OK
	}
	if status != nfs4.OK {
		return status
	}
	names, err := c.s.options.FS.ListXattr(c.ctx, &c.caller, c.cur.file)
	if err != nil {
		return c.status(err)
	}
	if a.Cookie > uint64(len(names)) {
		return nfs4.ErrBadCookie
	}
	slices.Sort(names)
	res := nfs4.ListXattrsRes{Cookie: a.Cookie}
	left := min(int(min(a.MaxCount, maxMessage)), c.room()) - (8 + 4 + 4) // the cookie, the count and eof
	for _, name := range names[a.Cookie:] {
		size := 4 + len(name) + (-len(name) & 3)
		if left -= size; left < 0 {
			break
		}
		res.Names = append(res.Names, []byte(name))
		res.Cookie++
	}
	res.EOF = res.Cookie == uint64(len(names))
	if len(res.Names) == 0 && !res.EOF {
		return nfs4.ErrTooSmall
	}
	res.Encode(c.res)
	return nfs4.OK
}

// opRemoveXattr: RFC 8276 section 8.4.4.
func opRemoveXattr(c *compound) nfs4.Status {
	var a nfs4.RemoveXattrArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if status := c.xattrHandle(true); status != nfs4.OK {
		return status
	}
	if status := checkXattrName(a.Name); status != nfs4.OK {
		return status
	}
	ch, err := c.s.options.FS.RemoveXattr(c.ctx, &c.caller, c.cur.file, string(a.Name))
	if err != nil {
		return c.status(err)
	}
	res := nfs4.RemoveXattrRes{Info: changeInfo(ch)}
	res.Encode(c.res)
	return nfs4.OK
}
