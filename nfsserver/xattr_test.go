// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
	"github.com/hubhome/hubhome/vfs"
)

func getXattr(name string) op { return op{nfs4.OpGetXattr, &nfs4.GetXattrArgs{Name: []byte(name)}} }

func setXattr(name, value string, how nfs4.SetXattrOption) op {
	return op{nfs4.OpSetXattr, &nfs4.SetXattrArgs{Option: how, Key: []byte(name), Value: []byte(value)}}
}

func listXattrs(cookie uint64, maxCount uint32) op {
	return op{nfs4.OpListXattrs, &nfs4.ListXattrsArgs{Cookie: cookie, MaxCount: maxCount}}
}

func removeXattr(name string) op {
	return op{nfs4.OpRemoveXattr, &nfs4.RemoveXattrArgs{Name: []byte(name)}}
}

// TestXattr: extended attributes are set, read, listed and removed (RFC 8276).
func TestXattr(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	for _, path := range []string{"ada/f", "ada"} {
		c.in(path, getXattr("mime")).is(nfs4.ErrNoXattr)
		c.in(path, setXattr("mime", "x", nfs4.SetXattrReplace)).is(nfs4.ErrNoXattr)
		before := c.attrs(path, nfs4.AttrChange).Change
		ch := res[nfs4.SetXattrRes](c.in(path, setXattr("mime", "text/plain", nfs4.SetXattrCreate)).ok()).Info
		if after := c.attrs(path, nfs4.AttrChange).Change; !ch.Atomic || ch.Before != before || ch.After != after || before == after {
			t.Errorf("the change attribute went from %d to %d, the answer is %+v", before, after, ch)
		}
		c.in(path, setXattr("mime", "x", nfs4.SetXattrCreate)).is(nfs4.ErrExist)
		c.in(path, setXattr("mime", "x", 3)).is(nfs4.ErrInval)
		if got := string(res[nfs4.GetXattrRes](c.in(path, getXattr("mime")).ok()).Value); got != "text/plain" {
			t.Errorf("the attribute is %q", got)
		}
		c.in(path, setXattr("mime", "", nfs4.SetXattrEither)).ok()
		if got := string(res[nfs4.GetXattrRes](c.in(path, getXattr("mime")).ok()).Value); got != "" {
			t.Errorf("the attribute is %q", got)
		}
		c.in(path, removeXattr("mime")).ok()
		c.in(path, removeXattr("mime")).is(nfs4.ErrNoXattr)
	}
}

// TestXattrArgs: what cannot be a name or a value.
func TestXattrArgs(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	for name, want := range map[string]nfs4.Status{"": nfs4.ErrInval, "a\x00b": nfs4.ErrBadChar, strings.Repeat("n", 251): nfs4.ErrNameTooLong} {
		c.in("ada/f", getXattr(name)).is(want)
		c.in("ada/f", setXattr(name, "x", nfs4.SetXattrEither)).is(want)
		c.in("ada/f", removeXattr(name)).is(want)
	}
	c.in("ada/f", setXattr("big", strings.Repeat("v", vfs.MaxXattr+1), nfs4.SetXattrEither)).is(nfs4.ErrXattr2Big)
	c.in("ada/f", setXattr("big", strings.Repeat("v", vfs.MaxXattr), nfs4.SetXattrEither)).ok()
	if got := res[nfs4.GetXattrRes](c.in("ada/f", getXattr("big")).ok()).Value; len(got) != vfs.MaxXattr {
		t.Errorf("the value has %d bytes", len(got))
	}
	b.small("s", 1024, 1024, 16).in("ada/f", getXattr("big")).is(nfs4.ErrRepTooBig)
	for _, o := range []op{getXattr("x"), setXattr("x", "y", nfs4.SetXattrEither), listXattrs(0, 100), removeXattr("x")} {
		c.send(o).is(nfs4.ErrNoFileHandle)
	}
}

// TestXattrPermission: as for data.
func TestXattrPermission(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	c.in("ada/f", setMode(0o640), setXattr("x", "y", nfs4.SetXattrEither)).ok()
	member, stranger := sys(2000, 2000, 1000), sys(3000, 3000)
	c.sendAs(&member, at("ada/f", getXattr("x"))...).ok()
	c.sendAs(&member, at("ada/f", setXattr("x", "z", nfs4.SetXattrEither))...).is(nfs4.ErrAccess)
	c.sendAs(&stranger, at("ada/f", getXattr("x"))...).is(nfs4.ErrAccess)
	c.sendAs(&stranger, at("ada/f", removeXattr("x"))...).is(nfs4.ErrAccess)
}

// TestListXattrs: names are listed in parts of any size.
func TestListXattrs(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	if l := res[nfs4.ListXattrsRes](c.in("ada/f", listXattrs(0, 1000)).ok()); len(l.Names) != 0 || !l.EOF {
		t.Errorf("a new file has the attributes %q", l.Names)
	}
	for i := range 50 {
		c.in("ada/f", setXattr(fmt.Sprintf("attribute-%02d", i), "x", nfs4.SetXattrEither)).ok()
	}
	for _, maxCount := range []uint32{36, 100, 8192} {
		var names []string
		cookie := uint64(0)
		for {
			reply := c.in("ada/f", listXattrs(cookie, maxCount)).ok()
			l := res[nfs4.ListXattrsRes](reply)
			size := 8 + 4 + 4
			for _, name := range l.Names {
				names = append(names, string(name))
				size += 4 + len(name) + -len(name)&3
			}
			if size > int(maxCount) {
				t.Errorf("with a maxcount of %d the result has %d bytes", maxCount, size)
			}
			if cookie = l.Cookie; l.EOF {
				break
			}
		}
		if len(names) != 50 || names[0] != "attribute-00" || names[49] != "attribute-49" {
			t.Errorf("maxcount %d: %d names, %q", maxCount, len(names), names)
		}
	}
	c.in("ada/f", listXattrs(0, 20)).is(nfs4.ErrTooSmall)
	c.in("ada/f", listXattrs(51, 1000)).is(nfs4.ErrBadCookie)
	c.in("ada/f", listXattrs(50, 1000)).ok()
}
