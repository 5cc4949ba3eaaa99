// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs

import (
	"context"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/vfs"
)

// xattrPrefix is the one namespace that clients reach (RFC 8276 section 4).
const xattrPrefix = "user."

// openXattr opens a file whose extended attributes a caller may have as want: only regular files and directories have any
// of the user's (xattr(7)).
func (f *FS) openXattr(c *vfs.Caller, h vfs.Handle, want vfs.Perm) (n *node, data int, err error) {
	n, err = f.open(h)
	if err != nil {
		return nil, -1, err
	}
	a := n.attr()
	switch {
	case a.Type != vfs.Regular && a.Type != vfs.Directory:
		err = syscall.EPERM
	case n.level < levelLoose && want == vfs.MayWrite && !c.Root():
		err = syscall.EPERM
	case n.isDir() && a.Mode&unix.S_ISVTX != 0 && want == vfs.MayWrite && !c.Owns(&a):
		err = syscall.EPERM
	default:
		err = vfs.Permit(c, &a, want)
	}
	if err == nil {
		data, err = f.disk.OpenHandle(f.root, n.kernel, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	}
	if err != nil {
		n.close()
		return nil, -1, err
	}
	return n, data, nil
}

// xattrName returns an attribute's name on the disk. EINVAL for what cannot be one.
func xattrName(name string) (string, error) {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		return "", syscall.EINVAL
	}
	if len(xattrPrefix)+len(name) > unix.NAME_MAX {
		return "", syscall.ENAMETOOLONG
	}
	return xattrPrefix + name, nil
}

// GetXattr returns an attribute's value.
func (f *FS) GetXattr(_ context.Context, c *vfs.Caller, h vfs.Handle, name string) ([]byte, error) {
	full, err := xattrName(name)
	if err != nil {
		return nil, err
	}
	n, fd, err := f.openXattr(c, h, vfs.MayRead)
	if err != nil {
		return nil, err
	}
	defer n.close()
	defer disk.Close(fd)
	return sized(func(buf []byte) (int, error) { return f.disk.GetXattr(fd, full, buf) })
}

// sized asks how long something is and then for it, again where it has grown meanwhile.
func sized(get func(buf []byte) (int, error)) ([]byte, error) {
	for {
		n, err := get(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		buf := make([]byte, n)
		n, err = get(buf)
		if err == syscall.ERANGE {
			continue
		}
		if err != nil {
			return nil, err
		}
		return buf[:n], nil
	}
}

var xattrFlags = map[vfs.XattrMode]int{vfs.XattrCreate: unix.XATTR_CREATE, vfs.XattrReplace: unix.XATTR_REPLACE}

// SetXattr sets an attribute and syncs it.
func (f *FS) SetXattr(_ context.Context, c *vfs.Caller, h vfs.Handle, name string, value []byte, mode vfs.XattrMode) (vfs.DirChange, error) {
	if len(value) > vfs.MaxXattr {
		return vfs.DirChange{}, syscall.E2BIG
	}
	return f.changeXattr(c, h, name, func(fd int, full string) error {
		return f.disk.SetXattr(fd, full, value, xattrFlags[mode])
	})
}

// RemoveXattr removes an attribute and syncs that.
func (f *FS) RemoveXattr(_ context.Context, c *vfs.Caller, h vfs.Handle, name string) (vfs.DirChange, error) {
	return f.changeXattr(c, h, name, f.disk.RemoveXattr)
}

// changeXattr runs a change of a file's attributes and syncs it.
func (f *FS) changeXattr(c *vfs.Caller, h vfs.Handle, name string, change func(fd int, full string) error) (ch vfs.DirChange, err error) {
	full, err := xattrName(name)
	if err != nil {
		return ch, err
	}
	n, fd, err := f.openXattr(c, h, vfs.MayWrite)
	if err != nil {
		return ch, err
	}
	defer n.close()
	defer disk.Close(fd)
	if ch, err = f.alterXattr(n, func() error { return change(fd, full) }); err != nil {
		return ch, err
	}
	_, err = f.sync(&n.inode, fd)
	return ch, err
}

// alterXattr makes a change between the change attribute's before and after. A directory is locked meanwhile.
func (f *FS) alterXattr(n *node, change func() error) (ch vfs.DirChange, err error) {
	if n.isDir() {
		defer f.stripes.lock(n.st.Ino)()
		if n.change, err = f.look(n.fd, &n.st); err != nil {
			return ch, err
		}
	}
	ch = vfs.DirChange{Before: n.change, Atomic: n.isDir()}
	if err := f.changing(n.fd, n.st.Ino); err != nil {
		return ch, err
	}
	err = change()
	f.changed(n.st.Ino)
	if err != nil {
		return ch, err
	}
	ch.After, err = f.look(n.fd, &n.st)
	return ch, err
}

// ListXattr returns the names of the user's attributes.
func (f *FS) ListXattr(_ context.Context, c *vfs.Caller, h vfs.Handle) ([]string, error) {
	n, fd, err := f.openXattr(c, h, vfs.MayRead)
	if err != nil {
		return nil, err
	}
	defer n.close()
	defer disk.Close(fd)
	list, err := sized(func(buf []byte) (int, error) { return f.disk.ListXattr(fd, buf) })
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range strings.SplitSeq(string(list), "\x00") {
		if short, ok := strings.CutPrefix(name, xattrPrefix); ok && short != "" {
			names = append(names, short)
		}
	}
	return names, nil
}
