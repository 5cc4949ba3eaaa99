// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"fmt"
	"testing"

	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// TestContract holds the client, and the server behind it, to the contract of a tree of files, with both versions of the
// protocol.
func TestContract(t *testing.T) {
	for minor := range uint32(2) {
		t.Run(fmt.Sprintf("NFSv4.%d", minor+1), func(t *testing.T) { contract(t, minor+1) })
	}
}

func contract(t *testing.T, minor uint32) {
	servers := map[vfs.FS]*server{}
	vfstest.Run(t, vfstest.Config{
		New: func(t *testing.T) (vfs.FS, vfs.Handle) {
			s := serve(t)
			s.home("ada")
			fs := dial(t, nfsclient.Config{Addr: s.addr, Export: "/homes", MinorVersion: minor})
			servers[fs] = s
			dir, err := fs.Lookup(t.Context(), nil, root(t, fs), hub)
			if err != nil {
				t.Fatal(err)
			}
			home, err := fs.Lookup(t.Context(), nil, dir.Handle, "ada")
			if err != nil {
				t.Fatal(err)
			}
			return fs, home.Handle
		},
		Restart: func(t *testing.T, fs vfs.FS) vfs.FS {
			s := servers[fs]
			s.restart(true)
			return dial(t, nfsclient.Config{Addr: s.addr, Export: "/homes", MinorVersion: minor})
		},
		NoHomeID: true,
		NoXattrs: minor < 2,
		NoSeek:   minor < 2,
	})
}
