// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
)

// TestQuotaOverNFS: a client that goes over a quota is told that, and one that fills the disk is told that; the space that it
// asks for is the home's own.
func TestQuotaOverNFS(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("mount a small file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s := &served{
		file: filepath.Join(dir, "hubhome.yaml"), addr: addr, rest: "quota: {reserve: {bytes: 1MiB, fileBytes: 256KiB}}\n",
		hub: "{shared: false, quota: {home: {bytes: 8MiB, inodes: 1000}, homes: {bob: unlimited}, total: 1GiB}}",
	}
	s.start(t)
	t.Cleanup(func() { s.stop() })
	fs, err := nfsclient.Dial(t.Context(), nfsclient.Config{Addr: s.addr, Export: "/homes", MinorVersion: 2, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	// fill writes a file until it is refused.
	fill := func(home vfs.Handle, name string) (size uint64, err error) {
		f, _, _, _, err := fs.Create(t.Context(), nil, home, name, vfs.Create{}, vfs.Write)
		if err != nil {
			return 0, err
		}
		defer f.Close()
		for err == nil && size < 1<<30 {
			n := 0
			n, _, _, err = f.WriteAt(t.Context(), make([]byte, 1<<20), size, vfs.FileSync)
			size += uint64(n)
		}
		return size, err
	}
	ada, bob := kubelet(t, fs, "prod", "ada"), kubelet(t, fs, "prod", "bob")
	size, err := fill(ada, "f")
	if !errors.Is(err, syscall.EDQUOT) || size < 7<<20 || size > 8<<20 {
		t.Errorf("after %d bytes of 8 MiB: %v, want EDQUOT", size, err)
	}
	st, err := fs.StatFS(t.Context(), ada)
	if err != nil || st.TotalBytes != 8<<20 || st.TotalBytes-st.FreeBytes < size || st.AvailBytes > 64<<10 || st.TotalFiles != 1000 || st.FreeFiles != 998 {
		t.Errorf("the home's space is %+v: %v", st, err)
	}
	small, _, _, _, err := fs.Create(t.Context(), nil, ada, "notebook", vfs.Create{}, vfs.Write)
	if err != nil {
		t.Fatalf("make a small file when the quota is spent: %v", err)
	}
	if _, _, _, err := small.WriteAt(t.Context(), make([]byte, 200<<10), 0, vfs.FileSync); err != nil {
		t.Errorf("write a small file when the quota is spent: %v", err)
	}
	small.Close()
	if _, err := fill(bob, "f"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("with the disk full: %v, want ENOSPC", err)
	}
	if _, _, err := fs.Remove(t.Context(), nil, bob, "f"); err != nil {
		t.Errorf("remove on a full disk: %v", err)
	}
	if _, _, err := fs.Remove(t.Context(), nil, ada, "f"); err != nil {
		t.Errorf("remove when the quota is spent: %v", err)
	}
	if size, err := fill(ada, "g"); !errors.Is(err, syscall.EDQUOT) || size < 7<<20 {
		t.Errorf("with room again, after %d bytes: %v", size, err)
	}
}
