// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package vfstest

import (
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

var directoryPromises = []promise{
	{"ReadDir tells of every entry once", (*tree).listsAll},
	{"ReadDir tells the attributes that GetAttr tells", (*tree).listsAttr},
	{"cookies are 3 or more and all different", (*tree).cookies},
	{"a cookie resumes after its entry wherever that is", (*tree).resumes},
	{"a cookie stays valid while entries come and go", (*tree).stableCookies},
	{"the cookie of an entry that was removed resumes", (*tree).goneCookie},
	{"fn stops ReadDir", (*tree).stops},
	{"fn may use the FS", (*tree).usesInside},
	{"ReadDir takes a directory and permission to read it", (*tree).listErrors},
	{"an empty directory has no entries", (*tree).listsNothing},
	{"a directory counts its subdirectories as links", (*tree).subdirectories},
}

// fill makes empty files in a new directory.
func (t *tree) fill(n int) vfs.Handle {
	t.Helper()
	dir := t.mkdir(user, t.home, "full").Handle
	for i := range n {
		f, _, _, _, err := t.fs.Create(t.ctx, user, dir, fmt.Sprintf("file-%04d", i), vfs.Create{Mode: vfs.Guarded}, vfs.Write)
		t.must("Create", err)
		t.must("Close", f.Close())
	}
	return dir
}

func (t *tree) listsAll() {
	dir := t.fill(1000)
	names := t.names(dir)
	for i := range 1000 {
		if !names[fmt.Sprintf("file-%04d", i)] {
			t.Errorf("ReadDir does not tell of file-%04d", i)
		}
	}
	if len(names) != 1000 {
		t.Errorf("ReadDir tells of %d entries, want 1000", len(names))
	}
}

func (t *tree) listsAttr() {
	t.file(t.home, "f", "contents")
	t.mkdir(user, t.home, "d")
	t.symlink(t.home, "l", "target")
	t.fifo(t.home, "p")
	entries := t.list(t.home, 0, true)
	if len(entries) != 4 {
		t.Errorf("ReadDir tells of %d entries, want 4", len(entries))
	}
	for _, e := range entries {
		want := t.lookup(t.home, e.Name)
		if e.Err != nil || e.Handle != want.Handle || e.FileID != want.Attr.FileID {
			t.Errorf("%s: FileID %d, error %v; Lookup says FileID %d", e.Name, e.FileID, e.Err, want.Attr.FileID)
		}
		if e.Attr.Type != want.Attr.Type || e.Attr.Size != want.Attr.Size || e.Attr.Mode != want.Attr.Mode ||
			e.Attr.UID != want.Attr.UID || e.Attr.Change != want.Attr.Change || !e.Attr.Mtime.Equal(want.Attr.Mtime) {
			t.Errorf("%s: ReadDir says %+v, Lookup says %+v", e.Name, e.Attr, want.Attr)
		}
	}
}

func (t *tree) cookies() {
	seen := map[uint64]bool{}
	for _, e := range t.list(t.fill(200), 0, false) {
		if e.Cookie < 3 || seen[e.Cookie] {
			t.Errorf("%s has the cookie %d, which is reserved or another's", e.Name, e.Cookie)
		}
		if e.Name == "." || e.Name == ".." {
			t.Errorf("ReadDir tells of %q", e.Name)
		}
		seen[e.Cookie] = true
	}
}

func (t *tree) resumes() {
	dir := t.fill(300)
	all := t.list(dir, 0, false)
	for i := 0; i < len(all); i += 7 {
		rest := t.list(dir, all[i].Cookie, false)
		if len(rest) != len(all)-i-1 {
			t.Fatalf("after entry %d of %d there are %d", i, len(all), len(rest))
		}
		for j, e := range rest {
			if e.Name != all[i+1+j].Name || e.Cookie != all[i+1+j].Cookie {
				t.Fatalf("after entry %d, %s (cookie %d) is in the place of %s (%d)", i, e.Name, e.Cookie, all[i+1+j].Name, all[i+1+j].Cookie)
			}
		}
	}
}

func (t *tree) stableCookies() {
	dir := t.fill(400)
	// Read the first half; then remove some of both halves and add others.
	var half []vfs.DirEntry
	_, err := t.fs.ReadDir(t.ctx, user, dir, 0, false, func(e *vfs.DirEntry) bool {
		half = append(half, *e)
		return len(half) < 200
	})
	t.must("ReadDir", err)
	first := map[string]bool{}
	for _, e := range half {
		first[e.Name] = true
	}
	for i := 0; i < 400; i += 3 {
		_, _, err := t.fs.Remove(t.ctx, user, dir, fmt.Sprintf("file-%04d", i))
		t.must("Remove", err)
		t.mkdir(user, dir, fmt.Sprintf("new-%04d", i))
	}
	second := map[string]bool{}
	for _, e := range t.list(dir, half[len(half)-1].Cookie, false) {
		if first[e.Name] || second[e.Name] {
			t.Errorf("%s was told of twice", e.Name)
		}
		second[e.Name] = true
	}
	for i := range 400 {
		name := fmt.Sprintf("file-%04d", i)
		if i%3 != 0 && !first[name] && !second[name] {
			t.Errorf("%s was there all the time and was left out", name)
		}
		if i%3 == 0 && second[name] {
			t.Errorf("%s was removed before the second half was read, which told of it", name)
		}
	}
}

func (t *tree) goneCookie() {
	dir := t.fill(50)
	all := t.list(dir, 0, false)
	for i, e := range all[:len(all)-1] {
		_, _, err := t.fs.Remove(t.ctx, user, dir, e.Name)
		t.must("Remove", err)
		rest := t.list(dir, e.Cookie, false)
		if len(rest) != len(all)-i-1 || rest[0].Name != all[i+1].Name {
			t.Fatalf("after the removed entry %d of %d there are %d", i, len(all), len(rest))
		}
	}
}

func (t *tree) stops() {
	dir := t.fill(20)
	for _, stop := range []int{1, 7, 19} {
		n := 0
		end, err := t.fs.ReadDir(t.ctx, user, dir, 0, false, func(*vfs.DirEntry) bool {
			n++
			return n < stop
		})
		t.must("ReadDir", err)
		if n != stop || end {
			t.Errorf("stopped at entry %d, fn was called %d times and end is %v", stop, n, end)
		}
	}
	end, err := t.fs.ReadDir(t.ctx, user, dir, t.list(dir, 0, false)[19].Cookie, false, func(*vfs.DirEntry) bool { return true })
	t.must("ReadDir after the last entry", err)
	if !end {
		t.Error("after the last entry it is not the end")
	}
}

func (t *tree) usesInside() {
	dir := t.fill(10)
	end, err := t.fs.ReadDir(t.ctx, user, dir, 0, true, func(e *vfs.DirEntry) bool {
		if t.lookup(dir, e.Name).Handle != e.Handle {
			t.Errorf("%s has another handle", e.Name)
		}
		_, _, err := t.fs.Remove(t.ctx, user, dir, e.Name)
		t.must("Remove", err)
		return true
	})
	t.must("ReadDir", err)
	if left := t.names(dir); !end || len(left) != 0 {
		t.Errorf("end is %v and %d entries are left", end, len(left))
	}
}

func (t *tree) listErrors() {
	f := t.file(t.home, "f", "x")
	fn := func(*vfs.DirEntry) bool { return true }
	_, err := t.fs.ReadDir(t.ctx, user, f.Handle, 0, false, fn)
	t.refused("ReadDir of a file", err, syscall.ENOTDIR)
	t.chmod(t.home, 0o300)
	_, err = t.fs.ReadDir(t.ctx, user, t.home, 0, false, fn)
	t.refused("ReadDir without permission to read", err, syscall.EACCES)
	_, err = t.fs.ReadDir(t.ctx, nil, t.home, 0, false, fn)
	t.must("ReadDir by the server itself", err)
}

func (t *tree) listsNothing() {
	for _, withAttr := range []bool{false, true} {
		if n := len(t.list(t.home, 0, withAttr)); n != 0 {
			t.Errorf("an empty directory has %d entries", n)
		}
	}
}

func (t *tree) subdirectories() {
	before := t.get(t.home).Nlink
	t.mkdir(user, t.home, "d")
	t.file(t.home, "f", "x")
	if n := t.get(t.home).Nlink; n != before+1 && n != 1 { // some file systems always say one
		t.Errorf("a directory had %d links, with a subdirectory more it has %d", before, n)
	}
	_, _, err := t.fs.Remove(t.ctx, user, t.home, "d")
	t.must("Remove", err)
	if n := t.get(t.home).Nlink; n != before {
		t.Errorf("a directory had %d links, with a subdirectory made and removed it has %d", before, n)
	}
}
