// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"bytes"
	"slices"
	"strings"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var xattrPromises = []promise{
	{"an attribute is what it was set to", (*tree).xattrSet},
	{"the modes create and replace", (*tree).xattrModes},
	{"ListXattr tells of every attribute", (*tree).xattrList},
	{"an attribute that was removed is gone", (*tree).xattrRemove},
	{"an attribute changes the change attribute", (*tree).xattrChange},
	{"a value over MaxXattr is refused", (*tree).xattrLimit},
	{"permission is as for data", (*tree).xattrPermission},
}

func (t *tree) needsXattrs() {
	t.Helper()
	if t.config.NoXattrs {
		t.Skip("there are no extended attributes")
	}
}

func (t *tree) setXattr(h vfs.Handle, name, value string) {
	t.Helper()
	_, err := t.fs.SetXattr(t.ctx, user, h, name, []byte(value), vfs.XattrEither)
	t.must("SetXattr "+name, err)
}

func (t *tree) xattrSet() {
	t.needsXattrs()
	for _, h := range []vfs.Handle{t.file(t.home, "f", "x").Handle, t.mkdir(user, t.home, "d").Handle} {
		for _, value := range []string{"value", "", "\x00\xff", strings.Repeat("v", 1000), "short"} {
			t.setXattr(h, "name", value)
			got, err := t.fs.GetXattr(t.ctx, user, h, "name")
			t.must("GetXattr", err)
			if !bytes.Equal(got, []byte(value)) {
				t.Errorf("the attribute is %q, want %q", got, value)
			}
		}
		_, err := t.fs.GetXattr(t.ctx, user, h, "another")
		t.refused("GetXattr of another", err, syscall.ENODATA)
	}
}

func (t *tree) xattrModes() {
	t.needsXattrs()
	h := t.file(t.home, "f", "x").Handle
	_, err := t.fs.SetXattr(t.ctx, user, h, "name", []byte("0"), vfs.XattrReplace)
	t.refused("SetXattr in place of nothing", err, syscall.ENODATA)
	_, err = t.fs.SetXattr(t.ctx, user, h, "name", []byte("1"), vfs.XattrCreate)
	t.must("SetXattr of a new one", err)
	_, err = t.fs.SetXattr(t.ctx, user, h, "name", []byte("2"), vfs.XattrCreate)
	t.refused("SetXattr of a new one that is there", err, syscall.EEXIST)
	_, err = t.fs.SetXattr(t.ctx, user, h, "name", []byte("3"), vfs.XattrReplace)
	t.must("SetXattr in place of another", err)
	got, err := t.fs.GetXattr(t.ctx, user, h, "name")
	t.must("GetXattr", err)
	if string(got) != "3" {
		t.Errorf("the attribute is %q, want 3", got)
	}
}

func (t *tree) xattrList() {
	t.needsXattrs()
	h := t.file(t.home, "f", "x").Handle
	names, err := t.fs.ListXattr(t.ctx, user, h)
	t.must("ListXattr", err)
	if len(names) != 0 {
		t.Errorf("a new file has the attributes %q", names)
	}
	want := []string{"a", "b.c", "mime type", "naïve", "user.twice"}
	for _, name := range want {
		t.setXattr(h, name, name)
	}
	names, err = t.fs.ListXattr(t.ctx, user, h)
	t.must("ListXattr", err)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("the attributes are %q, want %q", names, want)
	}
}

func (t *tree) xattrRemove() {
	t.needsXattrs()
	h := t.file(t.home, "f", "x").Handle
	t.setXattr(h, "a", "1")
	t.setXattr(h, "b", "2")
	_, err := t.fs.RemoveXattr(t.ctx, user, h, "a")
	t.must("RemoveXattr", err)
	_, err = t.fs.GetXattr(t.ctx, user, h, "a")
	t.refused("GetXattr of what was removed", err, syscall.ENODATA)
	_, err = t.fs.RemoveXattr(t.ctx, user, h, "a")
	t.refused("RemoveXattr of what was removed", err, syscall.ENODATA)
	names, err := t.fs.ListXattr(t.ctx, user, h)
	t.must("ListXattr", err)
	if !slices.Equal(names, []string{"b"}) {
		t.Errorf("the attributes are %q, want b", names)
	}
}

func (t *tree) xattrChange() {
	t.needsXattrs()
	h := t.file(t.home, "f", "x").Handle
	before := t.get(h).Change
	ch, err := t.fs.SetXattr(t.ctx, user, h, "name", []byte("value"), vfs.XattrEither)
	t.must("SetXattr", err)
	t.changed("SetXattr", h, before, ch)
	before = t.get(h).Change
	ch, err = t.fs.RemoveXattr(t.ctx, user, h, "name")
	t.must("RemoveXattr", err)
	t.changed("RemoveXattr", h, before, ch)
}

func (t *tree) xattrLimit() {
	t.needsXattrs()
	h := t.file(t.home, "f", "x").Handle
	_, err := t.fs.SetXattr(t.ctx, user, h, "name", make([]byte, vfs.MaxXattr+1), vfs.XattrEither)
	t.refused("SetXattr", err, syscall.E2BIG)
	_, err = t.fs.GetXattr(t.ctx, user, h, "name")
	t.refused("GetXattr", err, syscall.ENODATA)
}

func (t *tree) xattrPermission() {
	t.needsXattrs()
	h := t.file(t.home, "f", "x").Handle
	t.setXattr(h, "name", "value")
	set := func(c *vfs.Caller) error {
		_, err := t.fs.SetXattr(t.ctx, c, h, "name", []byte("other"), vfs.XattrEither)
		return err
	}
	t.chmod(h, 0o640)
	_, err := t.fs.GetXattr(t.ctx, member, h, "name")
	t.must("GetXattr with permission to read", err)
	t.refused("SetXattr without permission to write", set(member), syscall.EACCES)
	_, err = t.fs.RemoveXattr(t.ctx, member, h, "name")
	t.refused("RemoveXattr without permission to write", err, syscall.EACCES)
	_, err = t.fs.GetXattr(t.ctx, other, h, "name")
	t.refused("GetXattr without permission to read", err, syscall.EACCES)
	t.chmod(h, 0o642)
	t.must("SetXattr with permission to write", set(other))
}
