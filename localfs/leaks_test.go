// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
	"github.com/hubhome/hubhome/vfs"
)

// TestEveryCallFails fails the first, second, third … system call of every method, until it runs to its end without
// hitting one. Whatever has been done by then, no descriptor and no lock stays behind, and no answer says more than happened.
func TestEveryCallFails(t *testing.T) {
	if dir, err := os.MkdirTemp("/dev/shm", ""); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		if xattrs(dir) {
			t.Setenv("TMPDIR", dir) // hundreds of homes: on a disk their fsyncs take their time
		}
	}
	for _, fine := range []bool{false, true} {
		nth := newNth(t)
		nth.fs.TrustTimes(fine)
		for name, call := range leakCalls {
			t.Run(fmt.Sprintf("fine=%v/%s", fine, name), func(t *testing.T) {
				for n := int64(1); nth.fail(t, n, call); n++ {
					if n > 100 {
						t.Fatal("it makes more than 100 system calls")
					}
				}
			})
		}
	}
}

// nth is an FS whose nth system call fails.
type nth struct {
	store  *store
	fs     *localfs.FS
	homes  int
	calls  atomic.Int64
	at     atomic.Int64 // 0: none
	failed atomic.Pointer[disk.Op]
}

func newNth(t *testing.T) *nth {
	t.Helper()
	f := &nth{store: newStore(t)}
	f.store.disk.Before = func(op disk.Op) error {
		if at := f.at.Load(); at > 0 && f.calls.Add(1) == at {
			f.failed.Store(&op)
			return syscall.EIO
		}
		return nil
	}
	f.fs = f.store.open()
	return f
}

// fail fails one system call of a call, in a home of its own, and tells whether there was one to fail.
func (f *nth) fail(t *testing.T, n int64, call func(*leaking) error) (hit bool) {
	t.Helper()
	f.homes++
	l := plant(t, f.store, f.fs, fmt.Sprint("home-", f.homes))
	before := descriptors(t)
	f.failed.Store(nil)
	f.calls.Store(0)
	f.at.Store(n)
	err := call(l)
	f.at.Store(0)
	op := f.failed.Load()
	hit = op != nil
	if !hit {
		op = new(disk.Op)
	}
	switch {
	case !hit && err != nil:
		t.Errorf("nothing fails, and it answers %v", err)
	case hit && !errors.Is(err, syscall.EIO):
		t.Errorf("call %d, %s, fails, and it answers %v", n, *op, err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("call %d, %s, fails: %d descriptors were open before and %d are after", n, *op, before, after)
	}
	// No lock is in the way of what comes next in the same directories.
	for _, dir := range []vfs.Handle{l.home, l.dir} {
		if _, _, err := f.fs.Symlink(ctx, user, dir, "afterwards", "x", vfs.SetAttr{}); err != nil {
			t.Errorf("call %d, %s, fails: the next change of the directory answers %v", n, *op, err)
		}
	}
	return hit
}

// plant makes the tree right on the disk, which is quick.
func plant(t *testing.T, s *store, fs vfs.FS, name string) *leaking {
	t.Helper()
	l := &leaking{FS: fs, home: home(t, fs, name)}
	at := filepath.Join(s.path, hubName, name)
	make := func(dir vfs.Handle, path, name string, mode os.FileMode) vfs.Handle {
		var err error
		if full := filepath.Join(at, path, name); mode.IsDir() {
			err = os.Mkdir(full, mode.Perm())
		} else {
			err = os.WriteFile(full, nil, mode.Perm())
		}
		if err == nil {
			err = os.Chown(filepath.Join(at, path, name), 1000, 1000)
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := fs.Lookup(ctx, nil, dir, name)
		if err != nil {
			t.Fatal(err)
		}
		return e.Handle
	}
	l.file, l.other = make(l.home, "", "f", 0o644), make(l.home, "", "over", 0o644)
	make(l.home, "", "d", os.ModeDir|0o755)
	l.dir = make(l.home, "", "e", os.ModeDir|0o755)
	l.deep = make(l.home, "", "1", os.ModeDir|0o755)
	l.deep = make(l.deep, "1", "2", os.ModeDir|0o755)
	l.deep = make(l.deep, "1/2", "3", os.ModeDir|0o755)
	return l
}

// leaking is a tree with a home, in which are the files "f" and "over", the empty directories "d" and "e", and one that is
// three levels down.
type leaking struct {
	vfs.FS
	home, file, other, dir, deep vfs.Handle
}

func (l *leaking) create(c *vfs.Caller, name string, how vfs.Create) error {
	f, _, _, _, err := l.Create(ctx, c, l.home, name, how, vfs.Read|vfs.Write)
	if err == nil {
		err = f.Close()
	} else if f != nil {
		return errors.New("a File and an error")
	}
	return err
}

// with opens two files and gives them to call.
func (l *leaking) with(call func(f, g vfs.File) error) error {
	f, err := l.Open(ctx, user, l.file, vfs.Read|vfs.Write)
	if err != nil {
		return err
	}
	defer f.Close()
	g, err := l.Open(ctx, user, l.other, vfs.Read|vfs.Write)
	if err != nil {
		return err
	}
	defer g.Close()
	return call(f, g)
}

var leakCalls = map[string]func(*leaking) error{
	"Create, of the process": func(l *leaking) error { return l.create(nil, "new", vfs.Create{}) },
	"Create, of a user":      func(l *leaking) error { return l.create(user, "new", vfs.Create{}) },
	"Create, exclusive": func(l *leaking) error {
		return l.create(user, "new", vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{1}})
	},
	"Create, of what is there": func(l *leaking) error { return l.create(user, "f", vfs.Create{}) },
	"Create, cutting":          func(l *leaking) error { return l.create(user, "f", vfs.Create{Attr: vfs.SetAttr{Size: new(uint64)}}) },
	"Mkdir, of the process":    func(l *leaking) error { _, _, err := l.Mkdir(ctx, nil, l.home, "new", vfs.SetAttr{}); return err },
	"Mkdir, of a user":         func(l *leaking) error { _, _, err := l.Mkdir(ctx, user, l.home, "new", vfs.SetAttr{}); return err },
	"Symlink": func(l *leaking) error {
		_, _, err := l.Symlink(ctx, user, l.home, "new", "f", vfs.SetAttr{})
		return err
	},
	"Link":                     func(l *leaking) error { _, err := l.Link(ctx, user, l.file, l.dir, "new"); return err },
	"Remove":                   func(l *leaking) error { _, _, err := l.Remove(ctx, user, l.home, "f"); return err },
	"Remove, of a directory":   func(l *leaking) error { _, _, err := l.Remove(ctx, user, l.home, "d"); return err },
	"Rename":                   func(l *leaking) error { _, _, _, err := l.Rename(ctx, user, l.home, "f", l.home, "new"); return err },
	"Rename, over a file":      func(l *leaking) error { _, _, _, err := l.Rename(ctx, user, l.home, "f", l.home, "over"); return err },
	"Rename, of a directory":   func(l *leaking) error { _, _, _, err := l.Rename(ctx, user, l.home, "d", l.dir, "new"); return err },
	"Rename, to the same name": func(l *leaking) error { _, _, _, err := l.Rename(ctx, user, l.home, "f", l.home, "f"); return err },
	"Lookup":                   func(l *leaking) error { _, err := l.Lookup(ctx, user, l.home, "f"); return err },
	"Parent":                   func(l *leaking) error { _, err := l.Parent(ctx, user, l.dir); return err },
	"Parent, deep down":        func(l *leaking) error { _, err := l.Parent(ctx, user, l.deep); return err },
	"ReadDir": func(l *leaking) error {
		_, err := l.ReadDir(ctx, user, l.home, 0, false, func(*vfs.DirEntry) bool { return true })
		return err
	},
	"GetAttr": func(l *leaking) error { _, err := l.GetAttr(ctx, l.file); return err },
	"StatFS":  func(l *leaking) error { _, err := l.StatFS(ctx, l.file); return err },
	"SetAttr, of a file": func(l *leaking) error {
		_, err := l.SetAttr(ctx, user, l.file, vfs.SetAttr{Mode: new(uint32), Size: new(uint64)})
		return err
	},
	"SetAttr, of a directory": func(l *leaking) error {
		_, err := l.SetAttr(ctx, user, l.dir, vfs.SetAttr{Mtime: vfs.SetTime{Set: true, Now: true}})
		return err
	},
	"SetXattr, of a file": func(l *leaking) error {
		_, err := l.SetXattr(ctx, user, l.file, "x", []byte("y"), vfs.XattrEither)
		return err
	},
	"SetXattr, of a directory": func(l *leaking) error {
		_, err := l.SetXattr(ctx, user, l.dir, "x", []byte("y"), vfs.XattrEither)
		return err
	},
	"ListXattr": func(l *leaking) error { _, err := l.ListXattr(ctx, user, l.file); return err },
	"Open, read, write, commit": func(l *leaking) error {
		return l.with(func(f, g vfs.File) error {
			if _, _, _, err := f.WriteAt(ctx, []byte("text"), 0, vfs.FileSync); err != nil {
				return err
			}
			if _, _, err := g.CopyFrom(ctx, f, 0, 0, 4); err != nil {
				return err
			}
			if _, _, err := g.ReadAt(ctx, make([]byte, 4), 0); err != nil {
				return err
			}
			if _, _, err := g.Seek(ctx, vfs.SeekHole, 0); err != nil {
				return err
			}
			if err := g.Truncate(ctx, 1); err != nil {
				return err
			}
			if err := g.Allocate(ctx, 0, 4096); err != nil {
				return err
			}
			if err := g.Deallocate(ctx, 0, 4096); err != nil {
				return err
			}
			_, err := g.Commit(ctx)
			return err
		})
	},
}
