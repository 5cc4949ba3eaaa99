// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfs_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

var (
	owner  = &vfs.Caller{UID: 1000, GID: 1000, Groups: []uint32{50}}
	member = &vfs.Caller{UID: 2000, GID: 2000, Groups: []uint32{30, 1000}}
	other  = &vfs.Caller{UID: 3000, GID: 3000}
	root   = &vfs.Caller{}
)

func ptr[T any](v T) *T { return &v }

// file is a regular file of the owner's.
func file(mode uint32) *vfs.Attr {
	return &vfs.Attr{Type: vfs.Regular, Mode: mode, UID: 1000, GID: 1000}
}

// TestAllowed: the first class that a caller is of decides alone, also where a later one would permit more.
func TestAllowed(t *testing.T) {
	const rwx = vfs.MayRead | vfs.MayWrite | vfs.MayExec
	for _, try := range []struct {
		who  string
		c    *vfs.Caller
		attr *vfs.Attr
		want vfs.Perm
	}{
		{"owner", owner, file(0o640), vfs.MayRead | vfs.MayWrite},
		{"member", member, file(0o640), vfs.MayRead},
		{"other", other, file(0o640), 0},
		{"other", other, file(0o641), vfs.MayExec},
		{"owner, whom the bits shut out", owner, file(0o077), 0},
		{"member, whom the bits shut out", member, file(0o707), 0},
		{"primary group", &vfs.Caller{UID: 1, GID: 1000}, file(0o020), vfs.MayWrite},
		{"owner's own group does not matter", owner, file(0o270), vfs.MayWrite},
		{"root", root, file(0), vfs.MayRead | vfs.MayWrite},
		{"root, of a program", root, file(0o001), rwx},
		{"root, of a directory", root, &vfs.Attr{Type: vfs.Directory, UID: 1000}, rwx},
		{"server", nil, file(0), vfs.MayRead | vfs.MayWrite},
		{"server, of a program", nil, file(0o100), rwx},
		{"set-id and sticky bits are no permissions", other, file(0o7000), 0},
	} {
		if got := vfs.Allowed(try.c, try.attr); got != try.want {
			t.Errorf("%s, mode %o: allowed %03b, want %03b", try.who, try.attr.Mode, got, try.want)
		}
		for want := range rwx + 1 {
			err := vfs.Permit(try.c, try.attr, want)
			if may := want&^try.want == 0; may != (err == nil) || !may && !errors.Is(err, syscall.EACCES) {
				t.Errorf("%s, mode %o: Permit of %03b: %v", try.who, try.attr.Mode, want, err)
			}
		}
	}
}

func TestPermitOpen(t *testing.T) {
	for _, try := range []struct {
		mode   uint32
		access vfs.Access
		may    bool
	}{
		{0o400, vfs.Read, true},
		{0o100, vfs.Read, true}, // to run it
		{0o200, vfs.Read, false},
		{0o200, vfs.Write, true},
		{0o500, vfs.Write, false},
		{0o300, vfs.Read | vfs.Write, true},
		{0o400, vfs.Read | vfs.Write, false},
		{0o200, vfs.Read | vfs.Write, false},
	} {
		err := vfs.PermitOpen(owner, file(try.mode), try.access)
		if try.may != (err == nil) || !try.may && !errors.Is(err, syscall.EACCES) {
			t.Errorf("mode %o, access %02b: %v", try.mode, try.access, err)
		}
	}
	if err := vfs.PermitOpen(nil, file(0), vfs.Read|vfs.Write); err != nil {
		t.Errorf("the server itself: %v", err)
	}
}

func TestPermitUnlink(t *testing.T) {
	directory := func(mode, uid uint32) *vfs.Attr {
		return &vfs.Attr{Type: vfs.Directory, Mode: mode, UID: uid, GID: 9}
	}
	for _, try := range []struct {
		what       string
		c          *vfs.Caller
		dir, entry *vfs.Attr
		want       error
	}{
		{"may write and search", owner, directory(0o300, 1000), file(0), nil},
		{"may not search", owner, directory(0o200, 1000), file(0o777), syscall.EACCES},
		{"may not write", owner, directory(0o500, 1000), file(0o777), syscall.EACCES},
		{"another's file", other, directory(0o777, 9), file(0), nil},
		{"another's file in a sticky directory", other, directory(0o1777, 9), file(0o777), syscall.EPERM},
		{"the own file in a sticky directory", owner, directory(0o1777, 9), file(0), nil},
		{"another's file in the own sticky directory", other, directory(0o1777, 3000), file(0), nil},
		{"a sticky directory that may not be written", other, directory(0o1755, 9), file(0), syscall.EACCES},
		{"root in a sticky directory", root, directory(0o1000, 9), file(0), nil},
		{"the server in a sticky directory", nil, directory(0o1000, 9), file(0), nil},
	} {
		if err := vfs.PermitUnlink(try.c, try.dir, try.entry); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", try.what, err, try.want)
		}
	}
}

func TestPermitSetAttr(t *testing.T) {
	now, then := vfs.SetTime{Set: true, Now: true}, vfs.SetTime{Set: true, Time: time.Unix(1, 0)}
	for _, try := range []struct {
		what  string
		set   vfs.SetAttr
		owner error // what the owner is answered
		// What others are, who may not and who may write.
		other, writer error
	}{
		{"nothing", vfs.SetAttr{}, nil, nil, nil},
		{"mode", vfs.SetAttr{Mode: ptr(uint32(0o600))}, nil, syscall.EPERM, syscall.EPERM},
		{"another user", vfs.SetAttr{UID: ptr(uint32(3000))}, syscall.EPERM, syscall.EPERM, syscall.EPERM},
		{"the same user", vfs.SetAttr{UID: ptr(uint32(1000))}, nil, syscall.EPERM, syscall.EPERM},
		{"the same group", vfs.SetAttr{GID: ptr(uint32(1000))}, nil, syscall.EPERM, syscall.EPERM},
		{"a group of the owner's", vfs.SetAttr{GID: ptr(uint32(50))}, nil, syscall.EPERM, syscall.EPERM},
		{"a group of the other's", vfs.SetAttr{GID: ptr(uint32(3000))}, syscall.EPERM, syscall.EPERM, syscall.EPERM},
		{"size", vfs.SetAttr{Size: ptr(uint64(0))}, nil, syscall.EACCES, nil},
		{"atime now", vfs.SetAttr{Atime: now}, nil, syscall.EACCES, nil},
		{"mtime now", vfs.SetAttr{Mtime: now}, nil, syscall.EACCES, nil},
		{"a given atime", vfs.SetAttr{Atime: then}, nil, syscall.EPERM, syscall.EPERM},
		{"a given mtime", vfs.SetAttr{Mtime: then}, nil, syscall.EPERM, syscall.EPERM},
		{"one time now and one given", vfs.SetAttr{Atime: now, Mtime: then}, nil, syscall.EACCES, syscall.EPERM},
		{"size and mode", vfs.SetAttr{Size: ptr(uint64(0)), Mode: ptr(uint32(0))}, nil, syscall.EPERM, syscall.EPERM},
	} {
		if err := vfs.PermitSetAttr(owner, file(0o644), &try.set); !errors.Is(err, try.owner) {
			t.Errorf("%s, by the owner: %v, want %v", try.what, err, try.owner)
		}
		if err := vfs.PermitSetAttr(other, file(0o644), &try.set); !errors.Is(err, try.other) {
			t.Errorf("%s, by another: %v, want %v", try.what, err, try.other)
		}
		if err := vfs.PermitSetAttr(other, file(0o646), &try.set); !errors.Is(err, try.writer) {
			t.Errorf("%s, by another who may write: %v, want %v", try.what, err, try.writer)
		}
		for _, c := range []*vfs.Caller{nil, root} {
			if err := vfs.PermitSetAttr(c, file(0), &try.set); err != nil {
				t.Errorf("%s, by root: %v", try.what, err)
			}
		}
	}
}

func TestCheckName(t *testing.T) {
	longest := strings.Repeat("n", vfs.MaxName)
	for _, name := range []string{"a", "...", ".a", "a.", " ", "\n", "\xff", longest, `\`} {
		if err := vfs.CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, want := range map[string]error{
		"": syscall.EINVAL, ".": syscall.EINVAL, "..": syscall.EINVAL, "/": syscall.EINVAL, "a/b": syscall.EINVAL, "a\x00": syscall.EINVAL,
		longest + "n": syscall.ENAMETOOLONG, longest + "/": syscall.ENAMETOOLONG,
	} {
		if err := vfs.CheckName(name); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
}

// TestCaller: a nil Caller is the server itself.
func TestCaller(t *testing.T) {
	var server *vfs.Caller
	for _, try := range []struct {
		c              *vfs.Caller
		root, in, owns bool
	}{{server, true, true, true}, {root, true, false, true}, {owner, false, true, true}, {member, false, true, false}, {other, false, false, false}} {
		a := file(0)
		got := fmt.Sprint(try.c.Root(), try.c.In(a.GID), try.c.Owns(a))
		if want := fmt.Sprint(try.root, try.in, try.owns); got != want {
			t.Errorf("%+v: root, in the group, owns: %s, want %s", try.c, got, want)
		}
	}
}
