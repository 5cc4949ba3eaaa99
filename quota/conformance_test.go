// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"testing"

	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// TestConformance: a charged FS is one as any other, on the disk and around any other.
func TestConformance(t *testing.T) {
	t.Run("disk", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes ten seconds")
		}
		beds := map[vfs.FS]*bed{}
		vfstest.Run(t, vfstest.Config{
			New: func(t *testing.T) (vfs.FS, vfs.Handle) {
				b := newBed(t)
				beds[b.fs] = b
				t.Cleanup(func() {
					for _, h := range b.ledger.Report().Hubs[0].Homes {
						if h.State == quota.Clean { // else it is from before a restart
							b.exact(h.Name)
						}
					}
				})
				return b.fs, b.home("ada")
			},
			Restart: func(t *testing.T, fs vfs.FS) vfs.FS {
				b := beds[fs]
				b.restart()
				return b.fs
			},
		})
	})
	t.Run("memory", func(t *testing.T) {
		vfstest.Run(t, vfstest.Config{
			New: func(t *testing.T) (vfs.FS, vfs.Handle) {
				m := newMemory(t)
				return m.fs, m.home("ada")
			},
		})
	})
}
