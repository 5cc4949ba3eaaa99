// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"testing"

	"github.com/hubhome/hubhome/nfs4"
)

// TestPseudoWalk: the base share is found from the root, name by name, whatever slashes it was written with.
func TestPseudoWalk(t *testing.T) {
	for share, names := range map[string][]string{
		"/homes": {"homes"}, "homes/": {"homes"}, "/srv/hub/homes": {"srv", "hub", "homes"}, "//srv//homes//": {"srv", "homes"}, "/": nil, "": nil,
	} {
		b := newBed(t, withBaseShare(share))
		b.file("ada", "f", "contents")
		c := b.client("a")
		walk := []op{putRootFH()}
		for _, name := range names {
			c.send(append(walk[:len(walk):len(walk)], lookup("nothing"))...).is(nfs4.ErrNoEnt)
			c.send(append(walk[:len(walk):len(walk)], lookup(hub))...).is(nfs4.ErrNoEnt)
			walk = append(walk, lookup(name))
		}
		got := res[nfs4.ReadRes](c.send(append(walk[:len(walk):len(walk)], lookup(hub), lookup("ada"), lookup("f"), read(nfs4.AnonymousStateid, 0, 100))...).ok())
		if string(got.Data) != "contents" {
			t.Errorf("base share %q: the file reads %q", share, got.Data)
		}
		c.send(append(walk[:len(walk):len(walk)], lookup("undeclared"))...).is(nfs4.ErrNoEnt)
		c.send(append(walk[:len(walk):len(walk)], lookupP(), lookup("undeclared"))...).is(nfs4.ErrNoEnt)
		// The public filehandle is the root.
		root := res[nfs4.GetFHRes](c.send(putRootFH(), getFH()).ok()).Object
		if public := res[nfs4.GetFHRes](c.send(op{num: nfs4.OpPutPubFH}, getFH()).ok()).Object; string(public) != string(root) {
			t.Errorf("base share %q: the public filehandle is not the root", share)
		}
		for range names {
			walk = append(walk, lookupP())
		}
		if got := res[nfs4.GetFHRes](c.send(append(walk, getFH())...).ok()).Object; string(got) != string(root) {
			t.Errorf("base share %q: up again is not the root", share)
		}
	}
}

// TestPseudoAttributes: a pseudo directory looks like one that nobody may change, of a file system of its own.
func TestPseudoAttributes(t *testing.T) {
	b := newBed(t, withBaseShare("/srv/homes"))
	c := b.client("a")
	want := []nfs4.Attr{nfs4.AttrType, nfs4.AttrFSID, nfs4.AttrFileID, nfs4.AttrMountedOnFileID, nfs4.AttrMode, nfs4.AttrNumLinks, nfs4.AttrChange, nfs4.AttrSpaceTotal, nfs4.AttrLeaseTime, nfs4.AttrFilehandle, nfs4.AttrTimeModify, nfs4.AttrSize}
	root := c.decode(c.send(putRootFH(), getAttr(want...)).ok())
	srv := c.decode(c.send(putRootFH(), lookup("srv"), getAttr(want...)).ok())
	homes := c.decode(c.send(putRootFH(), lookup("srv"), lookup("homes"), getAttr(want...)).ok())
	for name, a := range map[string]nfs4.Attrs{"/": root, "/srv": srv} {
		if a.Type != nfs4.TypeDir || a.FSID != (nfs4.FSID{}) || a.Mode != 0o555 || a.FileID != a.MountedOnFileID || a.FileID == 0 || a.Change == 0 || a.SpaceTotal == 0 || a.LeaseTime != 90 || a.Mask != nfs4.AttrsOf(want...) {
			t.Errorf("%s has the attributes %+v", name, a)
		}
	}
	if root.FileID == srv.FileID || string(root.Filehandle) == string(srv.Filehandle) {
		t.Error("two pseudo directories are one")
	}
	if homes.FSID == (nfs4.FSID{}) || homes.FileID == homes.MountedOnFileID {
		t.Errorf("the base share, which is the root of a file system, has the attributes %+v", homes)
	}
	hubAttrs := c.decode(c.send(putRootFH(), lookup("srv"), lookup("homes"), lookup(hub), getAttr(want...)).ok())
	if hubAttrs.FSID != homes.FSID || hubAttrs.FileID != hubAttrs.MountedOnFileID {
		t.Errorf("a hub has the attributes %+v", hubAttrs)
	}
	// The entry of the base share in READDIR is what is mounted on.
	list := res[nfs4.ReadDirRes](c.send(putRootFH(), lookup("srv"), readDir(0, 8192, nfs4.AttrMountedOnFileID, nfs4.AttrFSID)).ok())
	var entry nfs4.Attrs
	if len(list.Entries) != 1 || string(list.Entries[0].Name) != "homes" || !list.EOF {
		t.Fatalf("READDIR of /srv: %+v", list)
	}
	entry.Decode(&list.Entries[0].Attrs)
	if entry.MountedOnFileID != homes.MountedOnFileID || entry.FSID != homes.FSID {
		t.Errorf("READDIR says %+v of the base share, GETATTR %+v", entry, homes)
	}
	list = res[nfs4.ReadDirRes](c.send(putRootFH(), lookup("srv"), readDir(list.Entries[0].Cookie, 8192)).ok())
	if len(list.Entries) != 0 || !list.EOF {
		t.Errorf("after the only entry READDIR says %+v", list)
	}
	c.send(putRootFH(), readDir(0, 20)).is(nfs4.ErrTooSmall)
	got := res[nfs4.AccessRes](c.send(putRootFH(), access(nfs4.AccessRead|nfs4.AccessLookup|nfs4.AccessModify|nfs4.AccessDelete)).ok())
	if got.Access != nfs4.AccessRead|nfs4.AccessLookup {
		t.Errorf("in the root may %#x of %#x", got.Access, got.Supported)
	}
}

// TestPseudoReadOnly: nothing can be made, changed or opened there.
func TestPseudoReadOnly(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	root := func(o ...op) *reply { return c.send(append([]op{putRootFH()}, o...)...) }
	for _, o := range []op{mkdir("x"), symlink("x", "y"), remove("homes"), setMode(0o777), openNew("o", "x", nfs4.CreateUnchecked, nfs4.Fattr{}), {nfs4.OpSetXattr, &nfs4.SetXattrArgs{Key: []byte("x")}}} {
		root(o).is(nfs4.ErrROFS)
	}
	root(saveFH(), rename("homes", "x")).is(nfs4.ErrROFS)
	root(saveFH(), link("x")).is(nfs4.ErrROFS)
	root(open("o", "homes", r, denyNone)).is(nfs4.ErrIsDir)
	root(open("o", "x", r, denyNone)).is(nfs4.ErrNoEnt)
	root(openClaim("o", nfs4.ClaimFH, r, denyNone)).is(nfs4.ErrIsDir)
	root(read(nfs4.AnonymousStateid, 0, 1)).is(nfs4.ErrIsDir)
	root(write(nfs4.AnonymousStateid, 0, nfs4.FileSync, "x")).is(nfs4.ErrIsDir)
	root(closeFile(nfs4.Stateid{Seqid: 1, Other: [12]byte{1}})).is(nfs4.ErrIsDir, nfs4.ErrBadStateid)
	root(op{num: nfs4.OpReadLink}).is(nfs4.ErrWrongType, nfs4.ErrInval)
	root(op{nfs4.OpGetXattr, &nfs4.GetXattrArgs{Name: []byte("x")}}).is(nfs4.ErrNoXattr)
	if l := res[nfs4.ListXattrsRes](root(op{nfs4.OpListXattrs, &nfs4.ListXattrsArgs{MaxCount: 100}}).ok()); len(l.Names) != 0 || !l.EOF {
		t.Errorf("the root has the extended attributes %q", l.Names)
	}
	for _, name := range []string{"", ".", "..", "a/b"} {
		if r := root(lookup(name)); r.status == nfs4.OK || r.status == nfs4.ErrNoEnt {
			t.Errorf("the name %q: %v", name, r)
		}
	}
}

// TestPseudoRestart: handles of pseudo directories survive a restart; another base share makes them stale.
func TestPseudoRestart(t *testing.T) {
	b := newBed(t, withBaseShare("/srv/homes"))
	c := b.client("a")
	h := res[nfs4.GetFHRes](c.send(putRootFH(), lookup("srv"), getFH()).ok()).Object
	b.restart()
	c.again()
	c.on(h, lookup("homes"), lookup(hub)).ok()
	settings := b.settings
	settings.BaseShare = "/elsewhere"
	b.server.Set(settings)
	c.on(h, lookup("homes")).is(nfs4.ErrStale)
	c.send(putRootFH(), lookup("srv")).is(nfs4.ErrNoEnt)
	c.send(putRootFH(), lookup("elsewhere"), lookup(hub)).ok()
}
