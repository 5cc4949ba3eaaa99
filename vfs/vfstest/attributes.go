// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"syscall"
	"time"

	"github.com/hubhome/hubhome/vfs"
)

// clockTime is a time that every file system can keep.
var clockTime = time.Unix(1234567890, 123456000)

var attributePromises = []promise{
	{"SetAttr changes what is set and nothing else", (*tree).setChanges},
	{"SetAttr answers the attributes that GetAttr tells", (*tree).setAnswers},
	{"the mode has twelve bits", (*tree).modeBits},
	{"times are kept to the microsecond at least", (*tree).keepsTimes},
	{"the clock is the server's", (*tree).setNow},
	{"a size grows a file with zeros and cuts it", (*tree).setSize},
	{"a size is of regular files alone", (*tree).sizeErrors},
	{"only the owner and root set mode, owner and times", (*tree).setPermission},
	{"the owner gives a file to a group of the own, and to no user", (*tree).setGroup},
	{"who may write may set the times to now, and the size", (*tree).setByWriter},
	{"a new owner takes the set-id bits away", (*tree).chownClears},
	{"writing takes the set-id bits away", (*tree).writeClears},
	{"a file takes about what it holds", (*tree).used},
	{"StatFS is plausible", (*tree).statFS},
}

func (t *tree) set(c *vfs.Caller, h vfs.Handle, set vfs.SetAttr) (vfs.Attr, error) {
	return t.fs.SetAttr(t.ctx, c, h, set)
}

func (t *tree) setChanges() {
	f := t.file(t.home, "f", "contents")
	at := vfs.SetTime{Set: true, Time: clockTime}
	for name, try := range map[string]struct {
		set  vfs.SetAttr
		want func(a *vfs.Attr) // makes the change to the attributes from before
	}{
		"mode":  {vfs.SetAttr{Mode: ptr(uint32(0o604))}, func(a *vfs.Attr) { a.Mode = 0o604 }},
		"user":  {vfs.SetAttr{UID: ptr(uint32(1234))}, func(a *vfs.Attr) { a.UID = 1234 }},
		"group": {vfs.SetAttr{GID: ptr(uint32(1235))}, func(a *vfs.Attr) { a.GID = 1235 }},
		"size":  {vfs.SetAttr{Size: ptr(uint64(4))}, func(a *vfs.Attr) { a.Size = 4 }},
		"atime": {vfs.SetAttr{Atime: at}, func(a *vfs.Attr) { a.Atime = clockTime }},
		"mtime": {vfs.SetAttr{Mtime: at}, func(a *vfs.Attr) { a.Mtime = clockTime }},
	} {
		before := t.get(f.Handle)
		want := before
		try.want(&want)
		_, err := t.set(nil, f.Handle, try.set)
		t.must("SetAttr of the "+name, err)
		got := t.get(f.Handle)
		if got.Change <= before.Change || got.Ctime.Before(before.Ctime) {
			t.Errorf("%s: the change attribute went from %d to %d, ctime from %v to %v", name, before.Change, got.Change, before.Ctime, got.Ctime)
		}
		if got.Mode != want.Mode || got.UID != want.UID || got.GID != want.GID || got.Size != want.Size || got.Nlink != want.Nlink ||
			!got.Atime.Equal(want.Atime) || (name != "size" && !got.Mtime.Equal(want.Mtime)) {
			t.Errorf("%s: the attributes are\n%+v, want\n%+v", name, got, want)
		}
	}
}

func (t *tree) setAnswers() {
	f := t.file(t.home, "f", "contents")
	got, err := t.set(user, f.Handle, vfs.SetAttr{Mode: ptr(uint32(0o600)), Size: ptr(uint64(2)), Mtime: vfs.SetTime{Set: true, Time: clockTime}})
	t.must("SetAttr", err)
	want := t.get(f.Handle)
	if got.Mode != 0o600 || got.Size != 2 || got.Change != want.Change || got.FileID != want.FileID || !got.Mtime.Equal(want.Mtime) {
		t.Errorf("SetAttr answered %+v, GetAttr %+v", got, want)
	}
	if !got.Mtime.Equal(clockTime) {
		t.Errorf("with a size and an mtime, the mtime is %v, want %v", got.Mtime, clockTime)
	}
}

func (t *tree) modeBits() {
	f, d := t.file(t.home, "f", "x"), t.mkdir(user, t.home, "d")
	for _, h := range []vfs.Handle{f.Handle, d.Handle} {
		for _, mode := range []uint32{0, 0o1, 0o20, 0o400, 0o777, 0o1777, 0o2755, 0o4755, 0o7777} {
			if a := t.chmod(h, mode); a.Mode != mode || t.get(h).Mode != mode {
				t.Errorf("the mode is %o, want %o", a.Mode, mode)
			}
		}
	}
}

func (t *tree) keepsTimes() {
	f := t.file(t.home, "f", "x")
	for _, when := range []time.Time{clockTime, time.Unix(0, 0), time.Unix(1<<31-1, 999999000), time.Unix(-1, 500000000), time.Unix(4102444800, 0)} {
		if t.config.NoOpens && when.Unix() < 0 {
			continue
		}
		at := vfs.SetTime{Set: true, Time: when}
		_, err := t.set(user, f.Handle, vfs.SetAttr{Atime: at, Mtime: at})
		t.must("SetAttr", err)
		if a := t.get(f.Handle); !a.Mtime.Equal(when) || !a.Atime.Equal(when) {
			t.Errorf("the times are %v and %v, want %v", a.Atime, a.Mtime, when)
		}
	}
}

func (t *tree) setNow() {
	f := t.file(t.home, "f", "x")
	old, now := vfs.SetTime{Set: true, Time: clockTime}, vfs.SetTime{Set: true, Now: true}
	_, err := t.set(user, f.Handle, vfs.SetAttr{Atime: old, Mtime: old})
	t.must("SetAttr", err)
	_, err = t.set(user, f.Handle, vfs.SetAttr{Atime: now})
	t.must("SetAttr of atime", err)
	a := t.get(f.Handle)
	if age := a.Ctime.Sub(a.Atime).Abs(); age > time.Minute || !a.Mtime.Equal(clockTime) {
		t.Errorf("atime is %v from the clock, mtime is %v", age, a.Mtime)
	}
	_, err = t.set(user, f.Handle, vfs.SetAttr{Mtime: now})
	t.must("SetAttr of mtime", err)
	a = t.get(f.Handle)
	if age := a.Ctime.Sub(a.Mtime).Abs(); age > time.Minute {
		t.Errorf("mtime is %v from the clock", age)
	}
}

func (t *tree) setSize() {
	f := t.file(t.home, "f", "contents")
	for _, try := range []struct {
		size uint64
		want string
	}{{12, "contents\x00\x00\x00\x00"}, {3, "con"}, {6, "con\x00\x00\x00"}, {0, ""}, {2, "\x00\x00"}} {
		_, err := t.set(user, f.Handle, vfs.SetAttr{Size: &try.size})
		t.must("SetAttr", err)
		if got := t.contents(f.Handle); got != try.want || t.get(f.Handle).Size != try.size {
			t.Errorf("with a size of %d the file reads %q", try.size, got)
		}
	}
}

func (t *tree) sizeErrors() {
	size := vfs.SetAttr{Size: ptr(uint64(0))}
	_, err := t.set(nil, t.mkdir(user, t.home, "d").Handle, size)
	t.refused("SetAttr of a directory's size", err, syscall.EISDIR, syscall.EINVAL)
	_, err = t.set(nil, t.symlink(t.home, "l", "x").Handle, size)
	t.refused("SetAttr of a link's size", err, syscall.EINVAL, syscall.ELOOP)
	_, err = t.set(nil, t.fifo(t.home, "p").Handle, size)
	t.refused("SetAttr of a FIFO's size", err, syscall.EINVAL)
	f := t.file(t.home, "f", "x")
	_, err = t.set(nil, f.Handle, vfs.SetAttr{Size: ptr(uint64(1 << 63))})
	t.refused("SetAttr of a size of 8 EiB", err, syscall.EFBIG, syscall.EINVAL)
	if got := t.contents(f.Handle); got != "x" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) setPermission() {
	f := t.file(t.home, "f", "contents")
	t.chmod(f.Handle, 0o666)
	at := vfs.SetTime{Set: true, Time: clockTime}
	for name, set := range map[string]vfs.SetAttr{
		"mode": {Mode: ptr(uint32(0o600))}, "user": {UID: ptr(uint32(3000))}, "group": {GID: ptr(uint32(3000))},
		"the same user": {UID: ptr(uint32(1000))}, "atime": {Atime: at}, "mtime": {Mtime: at},
	} {
		before := t.get(f.Handle)
		for _, c := range []*vfs.Caller{other, member} {
			_, err := t.set(c, f.Handle, set)
			t.refused("SetAttr of the "+name, err, syscall.EPERM)
		}
		if after := t.get(f.Handle); after != before {
			t.Errorf("%s: the attributes went from %+v to %+v", name, before, after)
		}
	}
}

func (t *tree) setGroup() {
	f, _ := t.create(member, t.mkdirMode("d", 0o777), "f")
	_ = f
	e := t.lookup(t.lookup(t.home, "d").Handle, "f")
	_, err := t.set(member, e.Handle, vfs.SetAttr{GID: ptr(uint32(1000))})
	t.must("SetAttr to a group that the owner is in", err)
	_, err = t.set(member, e.Handle, vfs.SetAttr{UID: ptr(uint32(2000)), GID: ptr(uint32(2000))})
	t.must("SetAttr of the same owner, and the own group", err)
	_, err = t.set(member, e.Handle, vfs.SetAttr{GID: ptr(uint32(3000))})
	t.refused("SetAttr to a group that the owner is not in", err, syscall.EPERM)
	_, err = t.set(member, e.Handle, vfs.SetAttr{UID: ptr(uint32(1000))})
	t.refused("SetAttr to another owner", err, syscall.EPERM)
	if a := t.get(e.Handle); a.UID != 2000 || a.GID != 2000 {
		t.Errorf("the owner is %d:%d", a.UID, a.GID)
	}
}

// mkdirMode makes a directory of the user's with a mode.
func (t *tree) mkdirMode(name string, mode uint32) vfs.Handle {
	t.Helper()
	d := t.mkdir(user, t.home, name)
	t.chmod(d.Handle, mode)
	return d.Handle
}

func (t *tree) setByWriter() {
	f := t.file(t.home, "f", "contents")
	now := vfs.SetTime{Set: true, Now: true}
	for name, set := range map[string]vfs.SetAttr{"times": {Atime: now, Mtime: now}, "size": {Size: ptr(uint64(3))}} {
		t.chmod(f.Handle, 0o644)
		_, err := t.set(other, f.Handle, set)
		t.refused("SetAttr of the "+name+" without permission to write", err, syscall.EACCES)
		t.chmod(f.Handle, 0o646)
		_, err = t.set(other, f.Handle, set)
		t.must("SetAttr of the "+name+" with permission to write", err)
	}
	if got := t.contents(f.Handle); got != "con" {
		t.Errorf("the file reads %q", got)
	}
}

func (t *tree) chownClears() {
	f := t.file(t.home, "f", "x")
	t.chmod(f.Handle, 0o6755)
	_, err := t.set(user, f.Handle, vfs.SetAttr{GID: ptr(uint32(1000))})
	t.must("SetAttr of the group", err)
	if a := t.get(f.Handle); a.Mode != 0o755 {
		t.Errorf("the mode is %o, want 755", a.Mode)
	}
}

func (t *tree) writeClears() {
	t.skipIf(t.config.Foreign, "set-id bits are the server's affair")
	f := t.file(t.home, "f", "x")
	size := vfs.SetAttr{Size: ptr(uint64(2))}
	w := t.open(user, f.Handle, vfs.Write)
	for name, write := range map[string]func(){
		"WriteAt":  func() { t.write(w, 0, "y") },
		"Truncate": func() { t.must("Truncate", w.Truncate(t.ctx, 3)) },
		"SetAttr":  func() { _, err := t.set(user, f.Handle, size); t.must("SetAttr", err) },
	} {
		t.chmod(f.Handle, 0o6755)
		write()
		if a := t.get(f.Handle); a.Mode != 0o755 {
			t.Errorf("after %s the mode is %o, want 755", name, a.Mode)
		}
		t.chmod(f.Handle, 0o2644) // no permission to execute for the group: it does not mean set-group-id
		write()
		if a := t.get(f.Handle); a.Mode&0o777 != 0o644 {
			t.Errorf("after %s the mode is %o, want 644", name, a.Mode)
		}
	}
}

func (t *tree) used() {
	f, e := t.create(user, t.home, "f")
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i*7 + i>>8)
	}
	t.write(f, 0, string(data))
	if a := t.get(e.Handle); a.Used < 1<<19 || a.Used > 1<<22 {
		t.Errorf("1 MiB takes %d bytes", a.Used)
	}
}

func (t *tree) statFS() {
	s, err := t.fs.StatFS(t.ctx, t.home)
	t.must("StatFS", err)
	if s.TotalBytes == 0 || s.FreeBytes > s.TotalBytes || s.AvailBytes > s.FreeBytes {
		t.Errorf("of %d bytes %d are free and %d available", s.TotalBytes, s.FreeBytes, s.AvailBytes)
	}
	if s.FreeFiles > s.TotalFiles || s.AvailFiles > s.FreeFiles {
		t.Errorf("of %d files %d are free and %d available", s.TotalFiles, s.FreeFiles, s.AvailFiles)
	}
}
