// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// TestNames: what cannot be a name is told apart (RFC 8881 section 14.5), by every operation that takes one.
func TestNames(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	for name, want := range map[string]nfs4.Status{
		"": nfs4.ErrInval, ".": nfs4.ErrBadName, "..": nfs4.ErrBadName, "a/b": nfs4.ErrBadChar, "/": nfs4.ErrBadChar, "a\x00": nfs4.ErrBadChar,
		strings.Repeat("n", 256): nfs4.ErrNameTooLong, strings.Repeat("n", 1000): nfs4.ErrNameTooLong,
	} {
		for _, o := range []op{
			lookup(name), mkdir(name), symlink(name, "x"), create(nfs4.TypeFIFO, name), remove(name),
			openNew("o", name, nfs4.CreateUnchecked, nfs4.Fattr{}), {nfs4.OpSecInfo, &nfs4.SecInfoArgs{Name: []byte(name)}},
		} {
			c.in("ada", o).is(want)
		}
		c.send(append(at("ada/f", saveFH()), at("ada", link(name))...)...).is(want)
		c.in("ada", saveFH(), rename("f", name)).is(want)
		c.in("ada", saveFH(), rename(name, "f")).is(want)
	}
	for _, name := range []string{"\xff\xfe", strings.Repeat("n", 255), "half of a rune \xc3", `\`, "a:b", " "} {
		c.in("ada", mkdir(name)).ok()
		c.in("ada", lookup(name)).ok()
		c.in("ada", remove(name)).ok()
	}
}

// TestCreate: CREATE makes all but regular files, and makes what it made the current filehandle.
func TestCreate(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	for name, typ := range map[string]nfs4.FileType{"d": nfs4.TypeDir, "p": nfs4.TypeFIFO, "s": nfs4.TypeSock} {
		o := create(typ, name)
		o.args.(*nfs4.CreateArgs).CreateAttrs = set(nfs4.Attrs{Mode: 0o710}, nfs4.AttrMode)
		before := c.attrs("ada", nfs4.AttrChange).Change
		r := c.in("ada", o, getAttr(nfs4.AttrType, nfs4.AttrMode, nfs4.AttrOwner)).ok()
		made := res[nfs4.CreateRes](r)
		if a := c.decode(r); a.Type != typ || a.Mode != 0o710 || a.Owner.ID != 1000 || !made.AttrSet.Has(nfs4.AttrMode) {
			t.Errorf("%s has the attributes %+v", name, a)
		}
		if after := c.attrs("ada", nfs4.AttrChange).Change; !made.CInfo.Atomic || made.CInfo.Before != before || made.CInfo.After != after || before == after {
			t.Errorf("the directory went from %d to %d, the answer is %+v", before, after, made.CInfo)
		}
		c.in("ada", o).is(nfs4.ErrExist)
	}
	r := c.in("ada", symlink("l", "../../else\xffwhere"), readLink()).ok()
	if got := string(res[nfs4.ReadLinkRes](r).Link); got != "../../else\xffwhere" {
		t.Errorf("the link says %q", got)
	}
	c.in("ada", symlink("empty", "")).is(nfs4.ErrInval)
	c.in("ada", create(nfs4.TypeReg, "r")).is(nfs4.ErrBadType)
	c.in("ada", create(nfs4.TypeNamedAttr, "r")).is(nfs4.ErrBadType)
	c.in("ada", create(77, "r")).is(nfs4.ErrBadType)
	device := op{nfs4.OpCreate, &nfs4.CreateArgs{Type: nfs4.TypeChr, DevData: nfs4.SpecData{Major: 1, Minor: 3}, ObjName: []byte("null")}}
	c.in("ada", device).is(nfs4.ErrPerm)
	root := sys(0, 0)
	dev := c.decode(c.sendAs(&root, at("ada", device, getAttr(nfs4.AttrRawDev))...).ok()).RawDev
	if dev != (nfs4.SpecData{Major: 1, Minor: 3}) {
		t.Errorf("the device is %+v", dev)
	}
	c.in("ada/p", mkdir("x")).is(nfs4.ErrNotDir)
	c.in("ada/l", mkdir("x")).is(nfs4.ErrSymlink)
	c.in("ada/l", lookup("x")).is(nfs4.ErrSymlink)
	c.in("ada/p", readLink()).is(nfs4.ErrWrongType, nfs4.ErrInval)
	c.send(mkdir("x")).is(nfs4.ErrNoFileHandle)
	// A home is born with its owner, whoever makes it.
	admin := sys(0, 0)
	if a := c.decode(c.sendAs(&admin, at("", mkdir("newcomer"), getAttr(nfs4.AttrOwner, nfs4.AttrOwnerGroup, nfs4.AttrMode))...).ok()); a.Owner.ID != 1000 || a.OwnerGroup.ID != 1000 || a.Mode != 0o755 {
		t.Errorf("a new home belongs to %d:%d and has mode %o", a.Owner.ID, a.OwnerGroup.ID, a.Mode)
	}
}

// TestRemove: REMOVE removes names of files and of empty directories.
func TestRemove(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	c.in("ada", mkdir("d"), mkdir("inner")).ok()
	c.in("ada", remove("d")).is(nfs4.ErrNotEmpty)
	r := res[nfs4.RemoveRes](c.in("ada", remove("f")).ok())
	if !r.CInfo.Atomic || r.CInfo.Before >= r.CInfo.After {
		t.Errorf("REMOVE answered %+v", r)
	}
	c.in("ada", remove("f")).is(nfs4.ErrNoEnt)
	c.in("ada/d", remove("inner")).ok()
	c.in("ada", remove("d")).ok()
	c.send(remove("x")).is(nfs4.ErrNoFileHandle)
	stranger := sys(3000, 3000)
	b.file("ada", "g", "x")
	c.sendAs(&stranger, at("ada", remove("g"))...).is(nfs4.ErrAccess)
}

// TestRename: RENAME moves from the saved filehandle to the current one.
func TestRename(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "new")
	b.file("ada", "g", "old")
	c := b.client("a")
	c.in("ada", mkdir("d"), mkdir("full")).ok()
	move := func(fromDir, from, toDir, to string) *reply {
		return c.in(fromDir, append([]op{saveFH()}, at(toDir, rename(from, to))...)...)
	}
	h := c.handle("ada/f")
	r := res[nfs4.RenameRes](move("ada", "f", "ada", "g").ok())
	if r.SourceCInfo.Before >= r.SourceCInfo.After || r.TargetCInfo.Before >= r.TargetCInfo.After {
		t.Errorf("RENAME answered %+v", r)
	}
	if string(c.handle("ada/g")) != string(h) || b.contents(hub, "ada", "g") != "new" {
		t.Error("the file is not in the place of the other")
	}
	move("ada", "g", "ada/d", "h").ok()
	move("ada/d", "h", "ada/d", "h").ok()
	move("ada", "nothing", "ada", "x").is(nfs4.ErrNoEnt)
	move("ada", "d", "ada/d", "d").is(nfs4.ErrInval)
	move("ada", "d", "ada/d/full", "d").is(nfs4.ErrInval)
	b.file("ada", "file", "x")
	move("ada", "file", "ada", "d").is(nfs4.ErrIsDir, nfs4.ErrExist)
	move("ada", "d", "ada", "file").is(nfs4.ErrNotDir, nfs4.ErrExist)
	c.in("ada", mkdir("e")).ok()
	move("ada", "e", "ada", "d").is(nfs4.ErrNotEmpty, nfs4.ErrExist)
	c.in("ada", rename("a", "b")).is(nfs4.ErrNoFileHandle)
}

// TestBetweenHomes: a file's home never changes.
func TestBetweenHomes(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	root := sys(0, 0)
	across := func(o op) *reply {
		return c.sendAs(&root, append(at("ada", saveFH()), at("bob", o)...)...)
	}
	across(rename("f", "f")).is(nfs4.ErrXDev)
	c.sendAs(&root, append(at("ada/f", saveFH()), at("bob", link("f"))...)...).is(nfs4.ErrXDev)
	c.sendAs(&root, append(at("ada/f", saveFH()), at("", link("f"))...)...).is(nfs4.ErrXDev)
	c.sendAs(&root, at("", saveFH(), rename("ada", "adb"))...).is(nfs4.ErrPerm)
	if got := b.contents(hub, "ada", "f"); got != "x" {
		t.Errorf("the file reads %q", got)
	}
	// Nor does anything go between the FS and the pseudo file system.
	c.send(append(at("ada", saveFH()), putRootFH(), rename("f", "f"))...).is(nfs4.ErrXDev)
	c.send(append([]op{putRootFH(), saveFH()}, at("ada", rename("f", "f"))...)...).is(nfs4.ErrXDev)
	c.send(append(at("ada/f", saveFH()), putRootFH(), link("f"))...).is(nfs4.ErrXDev)
}

// TestLink: LINK gives the saved file a name in the current directory.
func TestLink(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	c.in("ada", mkdir("d")).ok()
	c.send(append(at("ada/f", saveFH()), at("ada/d", link("g"))...)...).ok()
	if string(c.handle("ada/f")) != string(c.handle("ada/d/g")) || c.attrs("ada/f", nfs4.AttrNumLinks).NumLinks != 2 {
		t.Error("the new name is not of the file")
	}
	c.send(append(at("ada/f", saveFH()), at("ada/d", link("g"))...)...).is(nfs4.ErrExist)
	c.send(append(at("ada/f", saveFH()), at("ada/f", link("h"))...)...).is(nfs4.ErrNotDir)
	c.send(append(at("ada/d", saveFH()), at("ada", link("e"))...)...).is(nfs4.ErrPerm, nfs4.ErrIsDir)
	c.in("ada", link("x")).is(nfs4.ErrNoFileHandle)
}

// list reads a directory with as many READDIRs as it takes.
func (c *client) list(path string, maxCount uint32, attrs ...nfs4.Attr) []nfs4.DirEntry {
	c.Helper()
	h := c.handle(path)
	var all []nfs4.DirEntry
	for cookie := uint64(0); ; {
		reply := c.on(h, readDir(cookie, maxCount, attrs...)).ok()
		got := res[nfs4.ReadDirRes](reply)
		if got.CookieVerf != (nfs4.Verifier{}) {
			c.Errorf("the cookie verifier is %x", got.CookieVerf)
		}
		all = append(all, got.Entries...)
		if got.EOF {
			return all
		}
		if len(got.Entries) == 0 {
			c.Fatal("READDIR has no entries and is not at the end")
		}
		cookie = got.Entries[len(got.Entries)-1].Cookie
	}
}

// TestReadDir: a directory is read in parts of any size, each entry once, with the attributes asked for.
func TestReadDir(t *testing.T) {
	b := newBed(t)
	for i := range 300 {
		b.file("ada", fmt.Sprintf("file-%d", i), strings.Repeat("x", i))
	}
	c := b.client("a")
	for _, maxCount := range []uint32{150, 1000, 8192, 1 << 20, math.MaxUint32} {
		seen := map[string]bool{}
		for _, e := range c.list("ada", maxCount, nfs4.AttrSize, nfs4.AttrFileID) {
			var a nfs4.Attrs
			if _, status := a.Decode(&e.Attrs); status != nfs4.OK {
				t.Fatalf("the attributes of %s: %v", e.Name, status)
			}
			if seen[string(e.Name)] || e.Cookie < 3 || string(e.Name) != fmt.Sprintf("file-%d", a.Size) || a.FileID == 0 {
				t.Errorf("maxcount %d: %s with cookie %d, size %d, fileid %d", maxCount, e.Name, e.Cookie, a.Size, a.FileID)
			}
			seen[string(e.Name)] = true
		}
		if len(seen) != 300 {
			t.Errorf("maxcount %d: %d entries", maxCount, len(seen))
		}
	}
	for _, e := range c.list("ada", 8192, nfs4.AttrFilehandle, nfs4.AttrRdattrError, nfs4.AttrMountedOnFileID)[:3] {
		var a nfs4.Attrs
		a.Decode(&e.Attrs)
		if string(a.Filehandle) != string(c.handle("ada/"+string(e.Name))) || a.RdattrError != nfs4.OK {
			t.Errorf("%s has another filehandle, or the error %v", e.Name, a.RdattrError)
		}
	}
	if entries := c.list("bob", 8192); len(entries) != 0 {
		t.Errorf("an empty directory has %d entries", len(entries))
	}
}

// TestReadDirLimits: a reply is no longer than the client said, and says so where nothing fits.
func TestReadDirLimits(t *testing.T) {
	b := newBed(t)
	for i := range 20 {
		b.file("ada", fmt.Sprintf("%030d", i), "")
	}
	c := b.client("a")
	for maxCount := uint32(0); maxCount < 400; maxCount += 7 {
		r := c.in("ada", readDir(0, maxCount, nfs4.AttrFileID)).is(nfs4.OK, nfs4.ErrTooSmall)
		if r.status == nfs4.ErrTooSmall {
			continue
		}
		shorter := c.in("ada").ok()
		if size := len(r.raw) - len(shorter.raw) - 8; size > int(maxCount) {
			t.Errorf("with a maxcount of %d the result has %d bytes", maxCount, size)
		}
	}
	c.in("ada", readDir(0, 20)).is(nfs4.ErrTooSmall)
	few := op{nfs4.OpReadDir, &nfs4.ReadDirArgs{DirCount: 100, MaxCount: 8192}}
	if n := len(res[nfs4.ReadDirRes](c.in("ada", few).ok()).Entries); n < 1 || n > 3 {
		t.Errorf("with a dircount of 100 there are %d entries of 42 bytes", n)
	}
	// The end of a directory needs next to no room.
	c.in("bob", readDir(0, 16)).ok()
	// Nor does a small session carry more than it can.
	small := b.small("s", 1024, 1024, 16)
	r := small.in("ada", readDir(0, 1<<20, nfs4.AttrFileID)).ok()
	if n := len(r.raw) + 24; n > 1024 || len(res[nfs4.ReadDirRes](r).Entries) < 5 {
		t.Errorf("the reply has %d bytes and %d entries", n, len(res[nfs4.ReadDirRes](r).Entries))
	}
}

// TestReadDirArgs: what READDIR refuses.
func TestReadDirArgs(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	c.in("ada", readDir(1, 8192)).is(nfs4.ErrBadCookie)
	c.in("ada", readDir(2, 8192)).is(nfs4.ErrBadCookie)
	c.in("ada", op{nfs4.OpReadDir, &nfs4.ReadDirArgs{Cookie: 3, CookieVerf: nfs4.Verifier{1}, MaxCount: 8192}}).is(nfs4.ErrNotSame)
	c.in("ada", readDir(0, 8192, nfs4.AttrTimeModifySet)).is(nfs4.ErrInval)
	c.in("ada/f", readDir(0, 8192)).is(nfs4.ErrNotDir)
	c.send(readDir(0, 8192)).is(nfs4.ErrNoFileHandle)
	c.in("ada", setMode(0o300)).ok()
	c.in("ada", readDir(0, 8192)).is(nfs4.ErrAccess)
	if end := res[nfs4.ReadDirRes](c.in("bob", readDir(math.MaxUint64, 8192)).ok()); !end.EOF {
		t.Error("behind the greatest cookie is not the end")
	}
}

// TestLookupP: LOOKUPP goes up to the root, and no further.
func TestLookupP(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	up := func(path string, ops ...op) nfs4.Handle {
		c.Helper()
		return res[nfs4.GetFHRes](c.in(path, append(ops, getFH())...).ok()).Object
	}
	c.in("ada", mkdir("d")).ok()
	if string(up("ada/d", lookupP())) != string(c.handle("ada")) || string(up("ada/d", lookupP(), lookupP())) != string(c.handle("")) {
		t.Error("LOOKUPP is not the directory above")
	}
	root := res[nfs4.GetFHRes](c.send(putRootFH(), getFH()).ok()).Object
	if string(up("", lookupP(), lookupP())) != string(root) {
		t.Error("LOOKUPP does not lead to the root")
	}
	c.send(putRootFH(), lookupP()).is(nfs4.ErrNoEnt)
	c.in("ada/f", lookupP()).is(nfs4.ErrNotDir)
	c.send(lookupP()).is(nfs4.ErrNoFileHandle)
	c.in("ada/d", setMode(0)).ok()
	c.in("ada/d", lookupP()).is(nfs4.ErrAccess)
}

// TestFilehandles: a filehandle is opaque, signed, and good until its file is gone.
func TestFilehandles(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	h := c.handle("ada/f")
	for _, bad := range []nfs4.Handle{{}, {'f'}, {'x', 1, 2}, h[:len(h)-1], append(h[:len(h):len(h)], 0), {'p', 1}, {'p', 1, 2, 3, 4, 5, 6, 7, 8, 9}} {
		c.on(bad, getAttr(nfs4.AttrSize)).is(nfs4.ErrBadHandle)
	}
	for i := range h {
		flipped := append(nfs4.Handle{}, h...)
		flipped[i] ^= 1
		c.on(flipped).is(nfs4.ErrBadHandle)
	}
	c.on(nfs4.Handle{'p', 1, 2, 3, 4, 5, 6, 7, 8}).is(nfs4.ErrStale)
	b.restart()
	c.again()
	c.on(h, getAttr(nfs4.AttrSize)).ok()
	c.in("ada", remove("f")).ok()
	c.on(h, getAttr(nfs4.AttrSize)).is(nfs4.ErrStale)
	c.send(restoreFH()).is(nfs4.ErrNoFileHandle)
	c.send(saveFH()).is(nfs4.ErrNoFileHandle)
	c.send(getFH()).is(nfs4.ErrNoFileHandle)
}

// TestSecInfo: everything is reached the same way, and SECINFO uses the current filehandle up.
func TestSecInfo(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	secInfo := func(name string) op { return op{nfs4.OpSecInfo, &nfs4.SecInfoArgs{Name: []byte(name)}} }
	noName := func(style nfs4.SecInfoStyle) op {
		return op{nfs4.OpSecInfoNoName, &nfs4.SecInfoNoNameArgs{Style: style}}
	}
	for _, o := range []op{secInfo("ada"), noName(nfs4.SecInfoCurrentFH), noName(nfs4.SecInfoParent)} {
		flavors := res[nfs4.SecInfoRes](c.in("", o).ok()).Flavors
		if len(flavors) != 2 || flavors[0].Flavor != 1 || flavors[1].Flavor != 0 {
			t.Errorf("the server takes %v", flavors)
		}
		c.in("", o, getFH()).is(nfs4.ErrNoFileHandle)
	}
	c.in("", secInfo("nobody")).is(nfs4.ErrNoEnt)
	c.send(putRootFH(), noName(nfs4.SecInfoParent)).is(nfs4.ErrNoEnt)
	c.send(noName(nfs4.SecInfoCurrentFH)).is(nfs4.ErrNoFileHandle)
}

// TestDirectoryErrors: an error of the file system is told as what it is.
func TestDirectoryErrors(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	for errno, want := range map[syscall.Errno]nfs4.Status{
		syscall.ENOSPC: nfs4.ErrNoSpc, syscall.EDQUOT: nfs4.ErrDQuot, syscall.EIO: nfs4.ErrIO, syscall.EROFS: nfs4.ErrROFS,
		syscall.EMLINK: nfs4.ErrMLink, syscall.EMFILE: nfs4.ErrDelay,
	} {
		for label, o := range map[string]op{"Mkdir": mkdir("d"), "Create": openNew("o", "g", nfs4.CreateUnchecked, nfs4.Fattr{}), "Remove": remove("f")} {
			b.fs.Fail(label, errno)
			c.in("ada", o).is(want)
			b.fs.Fail(label, nil)
		}
	}
}
