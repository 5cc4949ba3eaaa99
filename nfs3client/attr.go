// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/nfs3"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

var fileTypes = [...]vfs.Type{
	nfs3.TypeReg:  vfs.Regular,
	nfs3.TypeDir:  vfs.Directory,
	nfs3.TypeBlk:  vfs.BlockDevice,
	nfs3.TypeChr:  vfs.CharDevice,
	nfs3.TypeLnk:  vfs.Symlink,
	nfs3.TypeSock: vfs.Socket,
	nfs3.TypeFIFO: vfs.FIFO,
}

// change is the change attribute, of the only thing that changes with every change: ctime, in nanoseconds.
func change(ctime nfs3.Time) uint64 { return uint64(ctime.Sec)*1e9 + uint64(ctime.Nsec) }

// fileAttr makes what the contract knows of a file from what is on the wire.
func fileAttr(a *nfs3.Attr) (vfs.Attr, error) {
	if int(a.Type) >= len(fileTypes) || fileTypes[a.Type] == 0 {
		return vfs.Attr{}, fmt.Errorf("a file of type %d: %w", a.Type, oncrpc.ErrXDR)
	}
	return vfs.Attr{
		Type:   fileTypes[a.Type],
		Mode:   a.Mode & 0o7777,
		Nlink:  a.NLink,
		UID:    a.UID,
		GID:    a.GID,
		Size:   a.Size,
		Used:   a.Used,
		Rdev:   vfs.Device{Major: a.Rdev.Major, Minor: a.Rdev.Minor},
		FileID: a.FileID,
		Change: change(a.Ctime),
		Atime:  a.Atime.Time(),
		Mtime:  a.Mtime.Time(),
		Ctime:  a.Ctime.Time(),
	}, nil
}

// attrOf returns a file's attributes: those that came with an answer, or else it asks for them.
func (fs *FS) attrOf(ctx context.Context, h vfs.Handle, a *nfs3.PostOpAttr) (vfs.Attr, error) {
	if a.Follows {
		return fileAttr(&a.Attr)
	}
	return fs.getAttr(ctx, h)
}

// dirChange makes a directory's change from its attributes before and after. Where the times are the same, the clock has
// not ticked, or nothing has changed: that is not to be told apart.
func dirChange(w *nfs3.WccData) (ch vfs.DirChange) {
	if w.After.Follows {
		ch.After = change(w.After.Attr.Ctime)
	}
	if w.BeforeFollows {
		ch.Before = change(w.Before.Ctime)
	}
	ch.Atomic = w.BeforeFollows && w.After.Follows && ch.Before < ch.After
	return ch
}

// setAttrs makes what is on the wire of attributes to set. EINVAL for a time that the protocol does not have.
func setAttrs(set *vfs.SetAttr) (s nfs3.SetAttr, err error) {
	s = nfs3.SetAttr{Mode: set.Mode, UID: set.UID, GID: set.GID, Size: set.Size}
	if s.Atime, err = setTime(set.Atime); err == nil {
		s.Mtime, err = setTime(set.Mtime)
	}
	return s, err
}

func setTime(t vfs.SetTime) (nfs3.SetTime, error) {
	switch {
	case !t.Set:
		return nfs3.SetTime{}, nil
	case t.Now:
		return nfs3.SetTime{How: nfs3.SetToServerTime}, nil
	case t.Time.IsZero(): // the beginning of Unix time
		return nfs3.SetTime{How: nfs3.SetToClientTime}, nil
	}
	wire, ok := nfs3.TimeOf(t.Time)
	if !ok {
		return nfs3.SetTime{}, fmt.Errorf("NFSv3 has no time before 1970 or after 2106, as %v: %w", t.Time, syscall.EINVAL)
	}
	return nfs3.SetTime{How: nfs3.SetToClientTime, Time: wire}, nil
}
