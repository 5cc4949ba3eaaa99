// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"encoding/binary"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// Create opens a regular file and makes it where it is not there.
func (f *FS) Create(_ context.Context, c *vfs.Caller, dir vfs.Handle, name string, how vfs.Create, access vfs.Access) (file vfs.File, e vfs.Entry, created bool, ch vfs.DirChange, err error) {
	op, err := f.begin(c, dir, name)
	if err != nil {
		return nil, e, false, ch, err
	}
	n, err := f.existing(op, c, name, how, access)
	switch err {
	case nil:
		ch = vfs.DirChange{Before: op.dir.change, After: op.dir.change, Atomic: true}
		if how.Mode != vfs.Exclusive {
			op.abandon() // nothing of the directory has changed
		} else if err = op.end(); err != nil { // the request that made the file may not have got here
			n.close()
			return nil, e, false, ch, err
		}
		return f.reopen(n, how, access, ch)
	case syscall.ENOENT:
	default:
		op.abandon()
		return nil, e, false, ch, err
	}
	a := op.dir.attr()
	err = vfs.Permit(c, &a, vfs.MayWrite)
	var b birth
	if err == nil {
		b, err = f.birth(c, op.dir, false, 0o644, how.Attr)
	}
	if err != nil {
		op.abandon()
		return nil, e, false, ch, err
	}
	if how.Mode == vfs.Exclusive {
		b.set.Atime, b.set.Mtime = verifierTimes(how.Verifier)
	}
	fd, ch, err := f.createFile(op, name, &b)
	if err != nil {
		op.abandon()
		return nil, e, false, ch, err
	}
	if e, err = f.entryAt(&op.dir.inode, fd); err != nil {
		op.abandon()
	} else {
		err = op.end()
	}
	if err != nil {
		disk.Close(fd)
		return nil, vfs.Entry{}, true, ch, err
	}
	in, err := f.signer.open(e.Handle)
	if err != nil {
		disk.Close(fd)
		return nil, vfs.Entry{}, true, ch, err
	}
	return f.file(&in, e.Attr.FileID, fd, access, b.mode), e, true, ch, nil
}

// createFile makes a regular file that is not there: directly where the kernel makes it whole, or else without a name,
// which it gets when it is dressed.
func (f *FS) createFile(op *dirOp, name string, b *birth) (fd int, ch vfs.DirChange, err error) {
	fd = -1
	if f.plain(op.dir, b) && b.mode&0o600 == 0o600 {
		ch, err = op.change(func() error {
			fd, err = f.disk.Open(op.dir.fd, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, b.mode)
			return err
		})
	} else {
		fd, err = f.disk.OpenTemporary(op.dir.fd, 0o600)
		if err == nil {
			err = f.dress(fd, b, false)
		}
		if err == nil {
			ch, err = op.change(func() error { return f.disk.LinkFile(fd, op.dir.fd, name) })
		}
	}
	if err != nil && fd >= 0 {
		disk.Close(fd) // the file may have its name; what comes after that can fail too
	}
	return fd, ch, err
}

// existing returns the file that has the name, if the caller may open it so.
func (f *FS) existing(op *dirOp, c *vfs.Caller, name string, how vfs.Create, access vfs.Access) (*node, error) {
	e, err := f.entry(op.dir, name)
	if err != nil {
		return nil, err
	}
	if how.Mode == vfs.Guarded {
		return nil, syscall.EEXIST
	}
	n, err := f.open(e.Handle)
	if err != nil {
		return nil, err
	}
	a := n.attr()
	switch {
	case how.Mode == vfs.Exclusive:
		// Who made the file may have it, whatever its mode: this is the same OPEN again. Times alone prove nothing: anybody
		// can look at them.
		if a.Type != vfs.Regular || a.Size != 0 || !c.Owns(&a) || !isVerifier(&n.st, how.Verifier) {
			err = syscall.EEXIST
		}
	case a.Type != vfs.Regular:
		err = notRegular(a.Type)
	default:
		err = vfs.PermitOpen(c, &a, access)
		if err == nil && cuts(how) {
			err = vfs.PermitSetAttr(c, &a, &vfs.SetAttr{Size: how.Attr.Size})
		}
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func cuts(how vfs.Create) bool {
	return how.Mode == vfs.Unchecked && how.Attr.Size != nil && *how.Attr.Size == 0
}

// reopen opens the file that Create found, and closes the node.
func (f *FS) reopen(n *node, how vfs.Create, access vfs.Access, ch vfs.DirChange) (vfs.File, vfs.Entry, bool, vfs.DirChange, error) {
	defer n.close()
	open := access
	if cuts(how) {
		open |= vfs.Write
	}
	fd, err := f.openData(n, open)
	if err != nil {
		return nil, vfs.Entry{}, false, ch, err
	}
	if cuts(how) {
		if err = f.changing(n.fd, n.st.Ino); err == nil {
			if err = f.killSetID(fd, n.st.Ino); err == nil {
				err = f.disk.Truncate(fd, 0)
			}
			f.changed(n.st.Ino)
		}
		if err == nil {
			_, err = f.sync(&n.inode, fd)
		}
	}
	if err == nil {
		n.change, err = f.look(fd, &n.st)
	}
	if err != nil {
		disk.Close(fd)
		return nil, vfs.Entry{}, false, ch, err
	}
	return f.file(&n.inode, n.st.Ino, fd, access, uint32(n.st.Mode)), vfs.Entry{Handle: n.handle, Attr: n.attr()}, false, ch, nil
}

// An exclusive create's verifier is kept in the file's times, where a restart finds it (RFC 8881 section 18.16.3): 31
// bits in the seconds of each, which every file system can keep, and one in the nanoseconds.
func verifierTimes(v [8]byte) (atime, mtime vfs.SetTime) {
	return verifierTime(binary.BigEndian.Uint32(v[:4])), verifierTime(binary.BigEndian.Uint32(v[4:]))
}

func verifierTime(half uint32) vfs.SetTime {
	return vfs.SetTime{Set: true, Time: time.Unix(int64(half&(1<<31-1)), int64(half>>31))}
}

func isVerifier(st *disk.Stat, v [8]byte) bool {
	atime, mtime := verifierTimes(v)
	return sameTime(st.Atime, atime) && sameTime(st.Mtime, mtime)
}

func sameTime(a unix.StatxTimestamp, b vfs.SetTime) bool {
	return a.Sec == b.Time.Unix() && int(a.Nsec) == b.Time.Nanosecond()
}
