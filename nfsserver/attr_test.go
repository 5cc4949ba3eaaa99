// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsserver_test

import (
	"math"
	"testing"
	"time"

	"github.com/hubhome/hubhome/nfs4"
)

// all is every attribute of a minor version that can be asked for.
func (c *client) all(path string) (nfs4.Bitmap, nfs4.Attrs) {
	c.Helper()
	supported := c.attrs(path, nfs4.AttrSupportedAttrs).SupportedAttrs
	want := supported.AndNot(nfs4.WriteOnlyAttrs).AndNot(nfs4.AttrsOf(nfs4.AttrRdattrError))
	r := c.in(path, op{nfs4.OpGetAttr, &nfs4.GetAttrArgs{AttrRequest: want}}).ok()
	return want, c.decode(r)
}

// TestGetAttr: every attribute that is said to be supported is answered, and true.
func TestGetAttr(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	c.in("ada/f", setMode(0o4751)).ok()
	want, a := c.all("ada/f")
	if missing := want.AndNot(a.Mask); !missing.Empty() {
		t.Errorf("not answered: %v", missing)
	}
	truth, err := b.fs.GetAttr(t.Context(), b.find(hub, "ada", "f"))
	b.must("GetAttr", err)
	if a.Type != nfs4.TypeReg || a.Size != 8 || a.Mode != 0o4751 || a.NumLinks != 1 || a.Owner.ID != 1000 || a.OwnerGroup.ID != 1000 ||
		a.FileID != truth.FileID || a.MountedOnFileID != truth.FileID || a.Change != truth.Change || a.SpaceUsed != truth.Used ||
		!a.TimeModify.Time().Equal(truth.Mtime) || !a.TimeMetadata.Time().Equal(truth.Ctime) || !a.TimeCreate.Time().Equal(truth.Birth) {
		t.Errorf("the file's attributes are %+v, the tree says %+v", a, truth)
	}
	if a.LeaseTime != 90 || a.MaxName != 255 || a.MaxFileSize != math.MaxInt64 || a.FHExpireType != nfs4.FHPersistent ||
		!a.UniqueHandles || !a.NoTrunc || !a.CasePreserving || a.CaseInsensitive || !a.ChownRestricted || a.ACLSupport != 0 || !a.XattrSupport {
		t.Errorf("the file system's attributes are %+v", a)
	}
	if string(a.Filehandle) != string(c.handle("ada/f")) {
		t.Error("the filehandle is not what GETFH says")
	}
	if a.SpaceTotal == 0 || a.SpaceFree > a.SpaceTotal || a.FilesTotal == 0 {
		t.Errorf("of %d bytes %d are free, of %d files %d", a.SpaceTotal, a.SpaceFree, a.FilesTotal, a.FilesFree)
	}
	if a.ChangeAttrType != nfs4.ChangeMonotonicIncr {
		t.Errorf("the change attribute is of the type %v", a.ChangeAttrType)
	}
}

// TestGetAttrMinorVersion: minor version 1 knows nothing of what came with 2.
func TestGetAttrMinorVersion(t *testing.T) {
	b := newBed(t)
	one, two := b.newClient("one"), b.client("two")
	one.minor = 1
	one.begin()
	newer := nfs4.AttrsOf(nfs4.AttrCloneBlkSize, nfs4.AttrChangeAttrType, nfs4.AttrModeUmask, nfs4.AttrXattrSupport)
	want, a := one.all("ada")
	if !want.And(newer).Empty() || !want.AndNot(a.Mask).Empty() {
		t.Errorf("minor version 1 supports %v and answers %v", want, a.Mask)
	}
	if want, _ := two.all("ada"); want.And(newer).Empty() {
		t.Errorf("minor version 2 supports %v", want)
	}
	// Asking for more than there is, is no error.
	if got := one.attrs("ada", nfs4.AttrXattrSupport, nfs4.AttrACL, nfs4.AttrSecLabel, nfs4.AttrSize).Mask; got != nfs4.AttrsOf(nfs4.AttrSize) {
		t.Errorf("of attributes that are not supported, %v was answered", got)
	}
}

// TestGetAttrErrors: what GETATTR refuses.
func TestGetAttrErrors(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	c.in("ada", getAttr(nfs4.AttrTimeAccessSet)).is(nfs4.ErrInval)
	c.in("ada", getAttr(nfs4.AttrTimeModifySet, nfs4.AttrSize)).is(nfs4.ErrInval)
	c.send(getAttr(nfs4.AttrSize)).is(nfs4.ErrNoFileHandle)
	h := c.handle("ada/f")
	c.in("ada", remove("f")).ok()
	c.on(h, getAttr(nfs4.AttrSize)).is(nfs4.ErrStale)
}

// TestSetAttr: each attribute that can be set.
func TestSetAttr(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	when := nfs4.Time{Sec: 1234567890, Nsec: 5}
	then := nfs4.SetTime{How: nfs4.SetToClientTime, Time: when}
	reply := c.in("ada/f", setAttr(nfs4.AnonymousStateid, set(nfs4.Attrs{Mode: 0o640, TimeAccessSet: then, TimeModifySet: then, Size: 3},
		nfs4.AttrMode, nfs4.AttrTimeAccessSet, nfs4.AttrTimeModifySet, nfs4.AttrSize))).ok()
	if got := res[nfs4.SetAttrRes](reply).AttrsSet; got != nfs4.AttrsOf(nfs4.AttrMode, nfs4.AttrTimeAccessSet, nfs4.AttrTimeModifySet, nfs4.AttrSize) {
		t.Errorf("SETATTR says that it set %v", got)
	}
	if _, a := c.all("ada/f"); a.Mode != 0o640 || a.Size != 3 || a.TimeModify != when || a.TimeAccess != when {
		t.Errorf("the attributes are %+v", a)
	}
	c.in("ada/f", setAttr(nfs4.AnonymousStateid, set(nfs4.Attrs{TimeModifySet: nfs4.SetTime{How: nfs4.SetToServerTime}}, nfs4.AttrTimeModifySet))).ok()
	if got := c.attrs("ada/f", nfs4.AttrTimeModify).TimeModify.Time(); time.Since(got).Abs() > time.Minute {
		t.Errorf("the server's time is %v", got)
	}
	admin := sys(0, 0)
	owner := set(nfs4.Attrs{Owner: nfs4.Owner{ID: 7}, OwnerGroup: nfs4.Owner{ID: 8}}, nfs4.AttrOwner, nfs4.AttrOwnerGroup)
	c.in("ada/f", setAttr(nfs4.AnonymousStateid, owner)).is(nfs4.ErrPerm)
	c.sendAs(&admin, at("ada/f", setAttr(nfs4.AnonymousStateid, owner))...).ok()
	if _, a := c.all("ada/f"); a.Owner.ID != 7 || a.OwnerGroup.ID != 8 {
		t.Errorf("the file belongs to %d:%d", a.Owner.ID, a.OwnerGroup.ID)
	}
}

// TestSetAttrErrors: what SETATTR refuses; its result has a bitmap all the same.
func TestSetAttrErrors(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	bad := nfs4.SetTime{How: nfs4.SetToClientTime, Time: nfs4.Time{Nsec: 1e9}}
	for name, try := range map[string]struct {
		attrs nfs4.Fattr
		want  nfs4.Status
	}{
		"read-only":       {set(nfs4.Attrs{Type: nfs4.TypeReg}, nfs4.AttrType), nfs4.ErrInval},
		"unsupported":     {nfs4.Fattr{Mask: nfs4.AttrsOf(nfs4.AttrACL), Vals: make([]byte, 4)}, nfs4.ErrAttrNotSupp},
		"mode":            {set(nfs4.Attrs{Mode: 0o10000}, nfs4.AttrMode), nfs4.ErrInval},
		"time":            {set(nfs4.Attrs{TimeModifySet: bad}, nfs4.AttrTimeModifySet), nfs4.ErrInval},
		"size":            {set(nfs4.Attrs{Size: 1 << 63}, nfs4.AttrSize), nfs4.ErrFBig},
		"owner by name":   {set(nfs4.Attrs{Owner: nfs4.Owner{Name: []byte("ada@example.org")}}, nfs4.AttrOwner), nfs4.ErrBadOwner},
		"values too long": {nfs4.Fattr{Mask: nfs4.AttrsOf(nfs4.AttrMode), Vals: make([]byte, 8)}, nfs4.ErrBadXDR},
		"values missing":  {nfs4.Fattr{Mask: nfs4.AttrsOf(nfs4.AttrMode)}, nfs4.ErrBadXDR},
		"mode and umask":  {set(nfs4.Attrs{}, nfs4.AttrMode, nfs4.AttrModeUmask), nfs4.ErrInval},
		"not the owner's": {set(nfs4.Attrs{Owner: nfs4.Owner{ID: 0}}, nfs4.AttrOwner), nfs4.ErrPerm},
	} {
		r := c.in("ada/f", setAttr(nfs4.AnonymousStateid, try.attrs))
		if r.status != try.want || !res[nfs4.SetAttrRes](r).AttrsSet.Empty() {
			t.Errorf("%s: %v, want %v", name, r, try.want)
		}
	}
	size := setSize(nfs4.AnonymousStateid, 0)
	c.in("ada", size).is(nfs4.ErrIsDir)
	c.send(size).is(nfs4.ErrNoFileHandle)
	c.alone(size).is(nfs4.ErrOpNotInSession)
	c.send(putRootFH(), setMode(0o777)).is(nfs4.ErrROFS)
	b.fs.Hook("SetAttr", func() error { panic("a fault of the file system") })
	defer b.fs.Hook("SetAttr", nil)
	b.panics.Store(true)
	c.in("ada/f", setMode(0o600)).is(nfs4.ErrServerFault)
	c.in("ada/f", getAttr(nfs4.AttrSize)).ok()
}

// TestSetAttrStateid: a size with an open's stateid takes an open for writing, and no permission besides.
func TestSetAttrStateid(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	readID, h := c.open("reader", "ada", "f", r, denyNone)
	stranger := sys(3000, 3000)
	writeID := res[nfs4.OpenRes](c.sendAs(&stranger, at("ada", open("writer", "f", w, denyNone))...).ok()).Stateid
	c.on(h, setSize(readID, 0)).is(nfs4.ErrOpenMode)
	c.on(h, setMode(0o600)).ok()
	c.sendAs(&stranger, putFH(h), setSize(nfs4.AnonymousStateid, 5)).is(nfs4.ErrAccess)
	c.sendAs(&stranger, putFH(h), setSize(writeID, 5)).ok()
	if got := b.contents(hub, "ada", "f"); got != "conte" {
		t.Errorf("the file reads %q", got)
	}
	old := nfs4.Stateid{Seqid: writeID.Seqid + 5, Other: writeID.Other}
	c.on(h, setSize(old, 0)).is(nfs4.ErrBadStateid)
	// A mode needs no stateid, and looks at none.
	c.on(h, setAttr(nfs4.Stateid{Seqid: 9}, set(nfs4.Attrs{Mode: 0o644}, nfs4.AttrMode))).ok()
}

// TestModeUmask: a new file's mode is what the umask leaves of it (RFC 8275).
func TestModeUmask(t *testing.T) {
	b := newBed(t)
	c := b.client("a")
	masked := set(nfs4.Attrs{ModeUmask: nfs4.ModeUmask{Mode: 0o777, Umask: 0o027}}, nfs4.AttrModeUmask)
	c.in("ada", openNew("o", "f", nfs4.CreateGuarded, masked)).ok()
	o := mkdir("d")
	o.args.(*nfs4.CreateArgs).CreateAttrs = masked
	c.in("ada", o).ok()
	for _, path := range []string{"ada/f", "ada/d"} {
		if mode := c.attrs(path, nfs4.AttrMode).Mode; mode != 0o750 {
			t.Errorf("%s has mode %o", path, mode)
		}
	}
	c.in("ada/f", setAttr(nfs4.AnonymousStateid, masked)).is(nfs4.ErrInval)
	one := b.newClient("one")
	one.minor = 1
	one.begin()
	one.send(reclaimComplete()).ok()
	one.in("ada", openNew("o", "g", nfs4.CreateGuarded, masked)).is(nfs4.ErrAttrNotSupp)
}

// TestVerify: VERIFY and NVERIFY compare, and end the request.
func TestVerify(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "contents")
	c := b.client("a")
	verify := func(num nfs4.Op, f nfs4.Fattr) op { return op{num, &nfs4.VerifyArgs{ObjAttributes: f}} }
	same := set(nfs4.Attrs{Size: 8, Mode: 0o666, Type: nfs4.TypeReg}, nfs4.AttrSize, nfs4.AttrMode, nfs4.AttrType)
	other := set(nfs4.Attrs{Size: 8, Mode: 0o667, Type: nfs4.TypeReg}, nfs4.AttrSize, nfs4.AttrMode, nfs4.AttrType)
	c.in("ada/f", verify(nfs4.OpVerify, same), getFH()).ok()
	c.in("ada/f", verify(nfs4.OpVerify, other), getFH()).is(nfs4.ErrNotSame)
	c.in("ada/f", verify(nfs4.OpNVerify, same), getFH()).is(nfs4.ErrSame)
	c.in("ada/f", verify(nfs4.OpNVerify, other), getFH()).ok()
	for _, num := range []nfs4.Op{nfs4.OpVerify, nfs4.OpNVerify} {
		c.in("ada/f", verify(num, set(nfs4.Attrs{}, nfs4.AttrTimeModifySet))).is(nfs4.ErrInval)
		c.in("ada/f", verify(num, set(nfs4.Attrs{}, nfs4.AttrRdattrError))).is(nfs4.ErrInval)
		c.in("ada/f", verify(num, nfs4.Fattr{Mask: nfs4.AttrsOf(nfs4.AttrACL), Vals: make([]byte, 4)})).is(nfs4.ErrAttrNotSupp)
		c.send(verify(num, same)).is(nfs4.ErrNoFileHandle)
	}
	c.send(putRootFH(), verify(nfs4.OpVerify, set(nfs4.Attrs{Type: nfs4.TypeDir}, nfs4.AttrType))).ok()
}

// TestAccess: ACCESS says what the mode bits permit, of what it is asked.
func TestAccess(t *testing.T) {
	b := newBed(t)
	b.file("ada", "f", "x")
	c := b.client("a")
	const every = nfs4.AccessRead | nfs4.AccessLookup | nfs4.AccessModify | nfs4.AccessExtend | nfs4.AccessDelete | nfs4.AccessExecute
	c.in("ada/f", setMode(0o654)).ok()
	for _, try := range []struct {
		uid  uint32
		gids []uint32
		want nfs4.Access
	}{
		{1000, nil, nfs4.AccessRead | nfs4.AccessModify | nfs4.AccessExtend},
		{2000, []uint32{1000}, nfs4.AccessRead | nfs4.AccessExecute},
		{3000, nil, nfs4.AccessRead},
		{0, nil, nfs4.AccessRead | nfs4.AccessModify | nfs4.AccessExtend | nfs4.AccessExecute},
	} {
		cred := sys(try.uid, try.uid, try.gids...)
		r := res[nfs4.AccessRes](c.sendAs(&cred, at("ada/f", access(every))...).ok())
		if r.Access != try.want || r.Supported != every&^(nfs4.AccessLookup|nfs4.AccessDelete) {
			t.Errorf("uid %d may %#x of %#x, want %#x", try.uid, r.Access, r.Supported, try.want)
		}
		if r := res[nfs4.AccessRes](c.sendAs(&cred, at("ada/f", access(nfs4.AccessRead))...).ok()); r.Supported != nfs4.AccessRead {
			t.Errorf("asked for one way, the server tells of %#x", r.Supported)
		}
	}
	dir := res[nfs4.AccessRes](c.in("ada", access(every)).ok())
	if dir.Supported != every&^nfs4.AccessExecute || dir.Access != dir.Supported {
		t.Errorf("in the own directory may %#x of %#x", dir.Access, dir.Supported)
	}
	x := res[nfs4.AccessRes](c.in("ada/f", access(nfs4.AccessXARead|nfs4.AccessXAWrite|nfs4.AccessXAList)).ok())
	if x.Access != nfs4.AccessXARead|nfs4.AccessXAWrite|nfs4.AccessXAList {
		t.Errorf("of extended attributes may %#x of %#x", x.Access, x.Supported)
	}
	c.send(access(every)).is(nfs4.ErrNoFileHandle)
}
