// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

// pseudoDir is a directory on the way from the root to the base share. It exists on no disk and holds one entry
// (RFC 8881 section 7.3).
type pseudoDir struct {
	id     uint64 // of its path, so that it outlives a restart; also its fileid
	parent *pseudoDir
	// child is the one entry's name. next is its directory; nil: it is the FS's root.
	child string
	next  *pseudoDir
}

// newPseudo makes the directories of a base share; none for "/".
func newPseudo(baseShare string) []*pseudoDir {
	var dirs []*pseudoDir
	path := ""
	for name := range strings.SplitSeq(strings.Trim(baseShare, "/"), "/") {
		if name == "" {
			continue
		}
		d := &pseudoDir{id: pseudoID(path), child: name}
		if len(dirs) > 0 {
			d.parent = dirs[len(dirs)-1]
			d.parent.next = d
		}
		dirs = append(dirs, d)
		path += "/" + name
	}
	return dirs
}

func pseudoID(path string) uint64 {
	sum := sha256.Sum256([]byte("pseudo file system" + path))
	return binary.BigEndian.Uint64(sum[:])
}

// The first byte of a filehandle on the wire says what the rest is.
const (
	tagFile   = 'f'
	tagPseudo = 'p'
)

// wire writes a filehandle as the client keeps it.
func (h *filehandle) wire(buf []byte) []byte {
	if h.kind == pseudoHandle {
		return binary.BigEndian.AppendUint64(append(buf, tagPseudo), h.pseudo.id)
	}
	return append(append(buf, tagFile), h.file...)
}

// parse reads a filehandle from the wire. STALE for a pseudo directory that is no more, BADHANDLE for what no server of
// this store has issued.
func (c *compound) parse(b nfs4.Handle) (filehandle, nfs4.Status) {
	if len(b) < 2 {
		return filehandle{}, nfs4.ErrBadHandle
	}
	switch b[0] {
	case tagFile:
		return c.fileHandle(vfs.Handle(b[1:]))
	case tagPseudo:
		if len(b) != 9 {
			return filehandle{}, nfs4.ErrBadHandle
		}
		id := binary.BigEndian.Uint64(b[1:])
		for _, d := range c.now.pseudo {
			if d.id == id {
				return filehandle{kind: pseudoHandle, pseudo: d}, nfs4.OK
			}
		}
		return filehandle{}, nfs4.ErrStale
	}
	return filehandle{}, nfs4.ErrBadHandle
}

func (c *compound) fileHandle(h vfs.Handle) (filehandle, nfs4.Status) {
	home, err := c.s.options.FS.Home(h)
	if err != nil {
		return filehandle{}, c.status(err)
	}
	return filehandle{kind: fileHandle, file: h, home: home}, nfs4.OK
}

// root returns the root of everything: the first pseudo directory, or the FS itself where the base share is "/".
func (c *compound) root() (filehandle, nfs4.Status) {
	if len(c.now.pseudo) > 0 {
		return filehandle{kind: pseudoHandle, pseudo: c.now.pseudo[0]}, nfs4.OK
	}
	return c.fsRoot()
}

func (c *compound) fsRoot() (filehandle, nfs4.Status) {
	h, err := c.s.options.FS.Root(c.ctx)
	if err != nil {
		return filehandle{}, c.status(err)
	}
	return c.fileHandle(h)
}

// child returns the one entry of a pseudo directory.
func (c *compound) child(d *pseudoDir) (filehandle, nfs4.Status) {
	if d.next != nil {
		return filehandle{kind: pseudoHandle, pseudo: d.next}, nfs4.OK
	}
	return c.fsRoot()
}
