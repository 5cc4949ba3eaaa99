// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package localfs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/vfs"
)

// TestUnprivileged: a server that runs as the homes' owner, with the one capability that opening by handle takes, does all
// that its owner may. What takes more is EPERM, and leaves nothing behind.
func TestUnprivileged(t *testing.T) {
	if os.Getenv(childOf) == "" && os.Geteuid() != 0 {
		t.Skip("needs root, to give its rights up")
	}
	if child(t, "unprivileged", &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 1000, Gid: 1000},
		AmbientCaps: []uintptr{unix.CAP_DAC_READ_SEARCH},
	}) == "" {
		return
	}
	s := newStore(t)
	fs := s.open()
	dir := home(t, fs, "ada")
	before := descriptors(t)
	unprivilegedFiles(t, fs, dir)
	unprivilegedKinds(t, fs, dir)
	unprivilegedRefusals(t, s, fs, dir)
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// unprivilegedFiles tries files whose modes refuse their owner something.
func unprivilegedFiles(t *testing.T, fs vfs.FS, dir vfs.Handle) {
	t.Helper()
	for _, how := range []vfs.Create{
		{Attr: mode(0o644)}, {Attr: mode(0o444)}, {Attr: mode(0)}, {Mode: vfs.Guarded, Attr: mode(0o4755)},
		{Mode: vfs.Exclusive, Verifier: [8]byte{1}, Attr: mode(0o400)},
	} {
		f, e, created, _, err := fs.Create(ctx, user, dir, "f", how, vfs.Read|vfs.Write)
		if err != nil || !created || e.Attr.UID != 1000 || e.Attr.GID != 1000 || e.Attr.Mode != *how.Attr.Mode {
			t.Fatalf("Create with mode %o: %+v: %v", *how.Attr.Mode, e.Attr, err)
		}
		if _, did, _, err := f.WriteAt(ctx, []byte("text"), 0, vfs.FileSync); err != nil || did != vfs.FileSync {
			t.Errorf("a file born with mode %o cannot be written: %v", *how.Attr.Mode, err)
		}
		f.Close()
		// The server itself reads everything, as the capability says.
		if f, err = fs.Open(ctx, nil, e.Handle, vfs.Read); err != nil {
			t.Fatalf("Open of mode %o: %v", *how.Attr.Mode, err)
		}
		got := make([]byte, 9)
		if n, _, err := f.ReadAt(ctx, got, 0); err != nil || !bytes.Equal(got[:n], []byte("text")) {
			t.Errorf("%q is in the file: %v", got[:n], err)
		}
		f.Close()
		f, err = fs.Open(ctx, user, e.Handle, vfs.Write)
		if (err == nil) != (*how.Attr.Mode&0o200 != 0) {
			t.Errorf("Open of mode %o for writing: %v", *how.Attr.Mode, err)
		}
		if err == nil {
			f.Close()
		}
		if a, err := fs.SetAttr(ctx, user, e.Handle, mode(0o600)); err != nil || a.Mode != 0o600 {
			t.Errorf("SetAttr of the mode: %o: %v", a.Mode, err)
		}
		if _, err := fs.SetXattr(ctx, user, e.Handle, "x", []byte("y"), vfs.XattrCreate); err != nil {
			t.Errorf("SetXattr: %v", err)
		}
		if _, _, err := fs.Remove(ctx, user, dir, "f"); err != nil {
			t.Fatal(err)
		}
	}
}

// unprivilegedKinds makes, moves and removes a file of every other kind.
func unprivilegedKinds(t *testing.T, fs vfs.FS, dir vfs.Handle) {
	t.Helper()
	for name, make := range map[string]func() (vfs.Entry, vfs.DirChange, error){
		"d": func() (vfs.Entry, vfs.DirChange, error) { return fs.Mkdir(ctx, user, dir, "d", mode(0o2750)) },
		"l": func() (vfs.Entry, vfs.DirChange, error) {
			return fs.Symlink(ctx, user, dir, "l", "f", vfs.SetAttr{Mtime: vfs.SetTime{Set: true, Now: true}})
		},
		"p": func() (vfs.Entry, vfs.DirChange, error) {
			return fs.Mknod(ctx, user, dir, "p", vfs.FIFO, vfs.Device{}, mode(0o1600))
		},
	} {
		e, _, err := make()
		if err != nil || e.Attr.UID != 1000 || e.Attr.GID != 1000 {
			t.Fatalf("%s: %+v: %v", name, e.Attr, err)
		}
		if e.Attr.Type != vfs.Directory {
			if _, err := fs.Link(ctx, user, e.Handle, dir, name+"2"); err != nil {
				t.Errorf("Link of %s: %v", name, err)
			}
			if _, _, err := fs.Remove(ctx, user, dir, name+"2"); err != nil {
				t.Errorf("Remove of the link: %v", err)
			}
		}
		if _, _, _, err := fs.Rename(ctx, user, dir, name, dir, "moved"); err != nil {
			t.Errorf("Rename of %s: %v", name, err)
		}
		if _, _, err := fs.Remove(ctx, user, dir, "moved"); err != nil {
			t.Errorf("Remove of %s: %v", name, err)
		}
	}
}

// unprivilegedRefusals tries what takes a capability that the process does not have.
func unprivilegedRefusals(t *testing.T, s *store, fs vfs.FS, dir vfs.Handle) {
	t.Helper()
	f, mine, _, _, err := fs.Create(ctx, user, dir, "mine", vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	e, _, err := fs.Mkdir(ctx, user, dir, "open", mode(0o777))
	if err != nil {
		t.Fatal(err)
	}
	uid := uint32(3000)
	for what, err := range map[string]error{
		"a file of another user":      fifth(fs.Create(ctx, stranger, e.Handle, "x", vfs.Create{}, vfs.Write)),
		"a directory of another user": fourth(fs.Mkdir(ctx, stranger, e.Handle, "x", vfs.SetAttr{})),
		"a link of another user":      fourth(fs.Symlink(ctx, stranger, e.Handle, "x", "y", vfs.SetAttr{})),
		"a device":                    fourth(fs.Mknod(ctx, nil, e.Handle, "x", vfs.CharDevice, vfs.Device{Major: 1, Minor: 3}, vfs.SetAttr{})),
		"another owner":               third(fs.SetAttr(ctx, nil, mine.Handle, vfs.SetAttr{UID: &uid})),
	} {
		if err != syscall.EPERM {
			t.Errorf("%s: %v, want EPERM", what, err)
		}
	}
	for _, dir := range []string{filepath.Join(hubName, "ada", "open"), ".hubhome/new"} {
		if left, err := os.ReadDir(filepath.Join(s.path, dir)); err != nil || len(left) > 0 {
			t.Errorf("%s holds %v: %v", dir, left, err)
		}
	}
	if _, _, err := fs.Remove(ctx, user, dir, "mine"); err != nil {
		t.Error(err)
	}
}

func fourth(_ vfs.Entry, _ vfs.DirChange, err error) error { return err }
