// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"bytes"
	"errors"
	"syscall"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// checkName answers what a name from the wire cannot be (RFC 8881 sections 14.5, 15.1.7). Names are bytes.
func checkName(name []byte) nfs4.Status {
	switch {
	case len(name) == 0:
		return nfs4.ErrInval
	case len(name) > vfs.MaxName:
		return nfs4.ErrNameTooLong
	case bytes.IndexByte(name, '/') >= 0 || bytes.IndexByte(name, 0) >= 0:
		return nfs4.ErrBadChar
	case string(name) == "." || string(name) == "..":
		return nfs4.ErrBadName
	}
	return nfs4.OK
}

// setCurrent makes a filehandle the current one; a stateid belongs to the filehandle it came with.
func (c *compound) setCurrent(h filehandle) {
	c.cur = h
	c.curState = nfs4.InvalidStateid
}

// opPutFH: RFC 8881 section 18.19. Whether the file is still there shows when it is used.
func opPutFH(c *compound) nfs4.Status {
	var a nfs4.PutFHArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	h, status := c.parse(a.Object)
	if status == nfs4.OK {
		c.setCurrent(h)
	}
	return status
}

// opPutRootFH: RFC 8881 section 18.21; the public filehandle is the root as well (section 18.20).
func opPutRootFH(c *compound) nfs4.Status {
	h, status := c.root()
	if status == nfs4.OK {
		c.setCurrent(h)
	}
	return status
}

// opGetFH: RFC 8881 section 18.8.
func opGetFH(c *compound) nfs4.Status {
	if c.cur.kind == noHandle {
		return nfs4.ErrNoFileHandle
	}
	var wire [nfs4.MaxHandle]byte
	c.res.Opaque(c.cur.wire(wire[:0]))
	return nfs4.OK
}

// opSaveFH: RFC 8881 section 18.28. The stateid is saved with the filehandle (section 16.2.3.1.2).
func opSaveFH(c *compound) nfs4.Status {
	if c.cur.kind == noHandle {
		return nfs4.ErrNoFileHandle
	}
	c.saved, c.savedState = c.cur, c.curState
	return nfs4.OK
}

// opRestoreFH: RFC 8881 section 18.27.
func opRestoreFH(c *compound) nfs4.Status {
	if c.saved.kind == noHandle {
		return nfs4.ErrNoFileHandle
	}
	c.cur, c.curState = c.saved, c.savedState
	return nfs4.OK
}

// opLookup: RFC 8881 section 18.13.
func opLookup(c *compound) nfs4.Status {
	var a nfs4.LookupArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	h, status := c.lookup(a.ObjName)
	if status == nfs4.OK {
		c.setCurrent(h)
	}
	return status
}

func (c *compound) lookup(name []byte) (filehandle, nfs4.Status) {
	if c.cur.kind == noHandle {
		return filehandle{}, nfs4.ErrNoFileHandle
	}
	if status := checkName(name); status != nfs4.OK {
		return filehandle{}, status
	}
	if c.cur.kind == pseudoHandle {
		if string(name) != c.cur.pseudo.child {
			return filehandle{}, nfs4.ErrNoEnt
		}
		return c.child(c.cur.pseudo)
	}
	e, err := c.s.options.FS.Lookup(c.ctx, &c.caller, c.cur.file, string(name))
	if err != nil {
		return filehandle{}, c.notDirectory(err)
	}
	return filehandle{kind: fileHandle, file: e.Handle, home: e.Attr.Home}, nfs4.OK
}

// notDirectory is the status of an error of an operation on a directory: NFS tells a symbolic link from other files
// that are not directories, since the client may follow it (RFC 8881 section 15.1.2.9).
func (c *compound) notDirectory(err error) nfs4.Status {
	if errors.Is(err, syscall.ENOTDIR) && c.cur.kind == fileHandle {
		if a, e := c.s.options.FS.GetAttr(c.ctx, c.cur.file); e == nil && a.Type == vfs.Symlink {
			return nfs4.ErrSymlink
		}
	}
	return c.status(err)
}

// opLookupP: RFC 8881 section 18.14.
func opLookupP(c *compound) nfs4.Status {
	h, status := c.parent()
	if status == nfs4.OK {
		c.setCurrent(h)
	}
	return status
}

func (c *compound) parent() (filehandle, nfs4.Status) {
	switch c.cur.kind {
	case noHandle:
		return filehandle{}, nfs4.ErrNoFileHandle
	case pseudoHandle:
		if c.cur.pseudo.parent == nil {
			return filehandle{}, nfs4.ErrNoEnt
		}
		return filehandle{kind: pseudoHandle, pseudo: c.cur.pseudo.parent}, nfs4.OK
	}
	e, err := c.s.options.FS.Parent(c.ctx, &c.caller, c.cur.file)
	if errors.Is(err, syscall.ENOENT) && len(c.now.pseudo) > 0 {
		return filehandle{kind: pseudoHandle, pseudo: c.now.pseudo[len(c.now.pseudo)-1]}, nfs4.OK
	}
	if err != nil {
		return filehandle{}, c.notDirectory(err)
	}
	return filehandle{kind: fileHandle, file: e.Handle, home: e.Attr.Home}, nfs4.OK
}

// opSecInfo: RFC 8881 section 18.29. Everything is reached the same way; the current filehandle is used up.
func opSecInfo(c *compound) nfs4.Status {
	var a nfs4.SecInfoArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if _, status := c.lookup(a.Name); status != nfs4.OK {
		return status
	}
	return c.secInfo()
}

// opSecInfoNoName: RFC 8881 section 18.45.
func opSecInfoNoName(c *compound) nfs4.Status {
	var a nfs4.SecInfoNoNameArgs
	if a.Decode(c.args); c.malformed() {
		return nfs4.ErrBadXDR
	}
	if c.cur.kind == noHandle {
		return nfs4.ErrNoFileHandle
	}
	if a.Style == nfs4.SecInfoParent {
		if _, status := c.parent(); status != nfs4.OK {
			return status
		}
	}
	return c.secInfo()
}

func (c *compound) secInfo() nfs4.Status {
	c.setCurrent(filehandle{})
	res := nfs4.SecInfoRes{Flavors: []nfs4.SecInfo{
		{Flavor: oncrpc.AuthSys},
		{Flavor: oncrpc.AuthNone},
	}}
	res.Encode(c.res)
	return nfs4.OK
}
