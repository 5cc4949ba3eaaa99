// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfs3client_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/nfs3client"
	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/vfs"
)

// TestExports asks a Ganesha what it exports, and finds directories of the export that are there and that are not.
func TestExports(t *testing.T) {
	g := startPeer(t, ganesha.Config{})
	if err := os.MkdirAll(filepath.Join(g.dir, "prod", "ada"), 0o755); err != nil {
		t.Fatal(err)
	}
	list, err := nfs3client.Exports(t.Context(), g.config(""))
	if err != nil || len(list) != 1 || list[0].Path != "/homes" {
		t.Errorf("exported are %v, %v", list, err)
	}
	for path, missing := range map[string]bool{"/homes": false, "/homes/prod/ada/": false, "/homes/prod/bob": true, "/homes/test/ada": true} {
		fs := dial(t, g.config(path))
		_, err := fs.Root(t.Context())
		if missing && !errors.Is(err, syscall.ENOENT) || !missing && err != nil {
			t.Errorf("root of %s: %v", path, err)
		}
		if !strings.HasPrefix(fs.Mounted(), "/homes") {
			t.Errorf("%s: mounted is %s", path, fs.Mounted())
		}
		if missing {
			continue
		}
		if _, err := fs.Parent(t.Context(), nil, root(t, fs)); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("parent of the root of %s: %v", path, err)
		}
	}
	export, err := nfs3client.FindExport(t.Context(), g.config(""), "/homes/test/ada")
	if err != nil || export != "/homes" {
		t.Errorf("the export of a path that is not there is %q, %v", export, err)
	}
	if _, err := nfs3client.Dial(t.Context(), g.config("/data")); err == nil || !strings.Contains(err.Error(), `/data is not exported, but "/homes"`) {
		t.Errorf("dial of what is not exported: %v", err)
	}
}

// TestSquash: whom the server takes for nobody may not do what root may.
func TestSquash(t *testing.T) {
	g := startPeer(t, ganesha.Config{Squash: ganesha.RootSquash})
	fs := dial(t, g.config("/homes"))
	h := root(t, fs)
	e, _, err := fs.Mkdir(t.Context(), nil, h, "nobody's", vfs.SetAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Attr.UID == 0 {
		t.Error("root made a directory that is root's")
	}
	uid, gid := uint32(1000), uint32(1000)
	if _, err := fs.SetAttr(t.Context(), nil, e.Handle, vfs.SetAttr{UID: &uid, GID: &gid}); !errors.Is(err, syscall.EPERM) {
		t.Errorf("nobody gives a directory away: %v", err)
	}
	// What is refused of a new directory leaves nothing behind.
	if _, _, err := fs.Mkdir(t.Context(), nil, h, "given away", vfs.SetAttr{UID: &uid, GID: &gid}); !errors.Is(err, syscall.EPERM) {
		if now, e := fs.Lookup(t.Context(), nil, h, "given away"); err != nil || e != nil || now.Attr.UID != uid {
			t.Errorf("nobody makes another's directory: %v; it belongs to %d, %v", err, now.Attr.UID, e)
		}
	} else if _, err := fs.Lookup(t.Context(), nil, h, "given away"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a directory that could not be given away: %v", err)
	}
}

// TestReadOnly: a read-only export says so.
func TestReadOnly(t *testing.T) {
	g := startPeer(t, ganesha.Config{ReadOnly: true})
	if err := os.WriteFile(filepath.Join(g.dir, "f"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	fs := dial(t, g.config("/homes"))
	h := root(t, fs)
	_, _, mkdir := fs.Mkdir(t.Context(), nil, h, "x", vfs.SetAttr{})
	_, _, _, _, create := fs.Create(t.Context(), nil, h, "x", vfs.Create{}, vfs.Write)
	_, _, remove := fs.Remove(t.Context(), nil, h, "f")
	for step, err := range map[string]error{"mkdir": mkdir, "create": create, "remove": remove} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v, want EROFS", step, err)
		}
	}
	f, err := fs.Lookup(t.Context(), nil, h, "f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Open(t.Context(), nil, f.Handle, vfs.Write); !errors.Is(err, syscall.EROFS) && !errors.Is(err, syscall.EACCES) {
		t.Errorf("open for writing: %v", err)
	}
	if _, err := fs.Open(t.Context(), nil, f.Handle, vfs.Read); err != nil {
		t.Errorf("open for reading: %v", err)
	}
}

// TestReservedPort: a server that wants reserved ports takes a client that comes from one, and no other.
func TestReservedPort(t *testing.T) {
	g := startPeer(t, ganesha.Config{PrivilegedPort: true})
	try := func(reserved bool) error {
		cfg := g.config("/homes")
		cfg.ReservedPort = reserved
		fs, err := nfs3client.Dial(t.Context(), cfg)
		if err != nil {
			return err
		}
		defer fs.Close()
		h, err := fs.Root(t.Context())
		if err != nil {
			return err
		}
		_, _, err = fs.Mkdir(t.Context(), nil, h, fmt.Sprint("reserved is ", reserved), vfs.SetAttr{})
		return err
	}
	if err := try(true); err != nil {
		t.Errorf("from a reserved port: %v", err)
	}
	if err := try(false); !errors.Is(err, syscall.EACCES) {
		t.Errorf("from any port: %v, want EACCES", err)
	} else {
		t.Log(err)
	}
}

// TestPortMapper finds MOUNT by a real port mapper at its own port.
func TestPortMapper(t *testing.T) {
	g := startPeer(t, ganesha.Config{Apart: true})
	var fs *nfs3client.FS
	var list []nfs3client.Export
	var err, listErr error
	g.Inside(func() {
		cfg := g.config("/homes")
		cfg.MountAddr = ""
		fs, err = nfs3client.Dial(t.Context(), cfg)
		list, listErr = nfs3client.Exports(t.Context(), cfg)
	})
	if listErr != nil || len(list) != 1 {
		t.Errorf("exported are %v, %v", list, listErr)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	if _, _, err := fs.Mkdir(t.Context(), nil, root(t, fs), "dir", vfs.SetAttr{}); err != nil {
		t.Error(err)
	}
	// From here it is not there: it was the port mapper that led to it.
	if conn, err := net.Dial("tcp", g.MountAddr()); err == nil {
		conn.Close()
		t.Errorf("%s answers outside of its network", g.MountAddr())
	}
}
