// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var permissionPromises = []promise{
	{"Open permits what the mode bits permit", (*tree).openBits},
	{"who may execute a file may read it", (*tree).openExec},
	{"root and the server itself may read and write everything", (*tree).openRoot},
	{"ReadDir and Lookup permit what the mode bits permit", (*tree).directoryBits},
	{"GetAttr, ReadLink and StatFS need no permission", (*tree).freeOfPermission},
	{"Parent takes no more than permission to search", (*tree).parentPermission},
}

func (t *tree) openBits() {
	f := t.file(t.home, "f", "x")
	callers := map[*vfs.Caller]uint{user: 6, member: 3, other: 0} // whose bits count: how far they are shifted
	for mode := range uint32(8) {
		for c, shift := range callers {
			// All the others have the opposite, so that nobody gets by with bits that are not theirs.
			bits := mode << shift
			for _, s := range callers {
				if s != shift {
					bits |= (^mode & 6) << s
				}
			}
			t.chmod(f.Handle, bits)
			for access, may := range map[vfs.Access]bool{
				vfs.Read:             mode&5 != 0,
				vfs.Write:            mode&2 != 0,
				vfs.Read | vfs.Write: mode&5 != 0 && mode&2 != 0,
			} {
				opened, err := t.fs.Open(t.ctx, c, f.Handle, access)
				if may {
					t.must("Open", err)
					t.must("Close", opened.Close())
				} else {
					t.refused("Open", err, syscall.EACCES)
				}
			}
		}
	}
}

func (t *tree) openExec() {
	f := t.file(t.home, "f", "program")
	t.chmod(f.Handle, 0o711)
	if got := t.read(t.open(other, f.Handle, vfs.Read), 0, 100); got != "program" {
		t.Errorf("the program reads %q", got)
	}
}

func (t *tree) openRoot() {
	f := t.file(t.home, "f", "x")
	t.chmod(f.Handle, 0)
	t.chmod(t.home, 0)
	for _, c := range []*vfs.Caller{nil, root} {
		t.open(c, f.Handle, vfs.Read|vfs.Write)
		_, err := t.fs.Lookup(t.ctx, c, t.home, "f")
		t.must("Lookup", err)
		_, err = t.fs.ReadDir(t.ctx, c, t.home, 0, true, func(*vfs.DirEntry) bool { return true })
		t.must("ReadDir", err)
		_, _, err = t.fs.Mkdir(t.ctx, c, t.home, "d", vfs.SetAttr{})
		t.must("Mkdir", err)
		_, _, err = t.fs.Remove(t.ctx, c, t.home, "d")
		t.must("Remove", err)
	}
}

func (t *tree) directoryBits() {
	t.file(t.home, "f", "x")
	for c, shift := range map[*vfs.Caller]uint{user: 6, member: 3, other: 0} {
		for mode := range uint32(8) {
			t.chmod(t.home, mode<<shift)
			_, err := t.fs.Lookup(t.ctx, c, t.home, "f")
			if mode&1 != 0 {
				t.must("Lookup", err)
			} else {
				t.refused("Lookup", err, syscall.EACCES)
			}
			_, err = t.fs.ReadDir(t.ctx, c, t.home, 0, false, func(*vfs.DirEntry) bool { return true })
			if mode&4 != 0 {
				t.must("ReadDir", err)
			} else {
				t.refused("ReadDir", err, syscall.EACCES)
			}
		}
	}
}

func (t *tree) freeOfPermission() {
	f, l := t.file(t.home, "f", "x"), t.symlink(t.home, "l", "f")
	t.chmod(f.Handle, 0)
	t.chmod(t.home, 0)
	for _, e := range []vfs.Entry{f, l} {
		t.get(e.Handle)
		_, err := t.fs.StatFS(t.ctx, e.Handle)
		t.must("StatFS", err)
	}
	_, err := t.fs.ReadLink(t.ctx, other, l.Handle)
	t.must("ReadLink", err)
}

func (t *tree) parentPermission() {
	d := t.mkdir(user, t.home, "d")
	t.chmod(d.Handle, 0o711)
	up, err := t.fs.Parent(t.ctx, other, d.Handle)
	t.must("Parent", err)
	if up.Handle != t.home || up.Attr.FileID != t.get(t.home).FileID {
		t.Error("Parent is not the home")
	}
}
