// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// model does random things with a home.
type model struct {
	*bed
	name string
	rand *rand.Rand
	dirs []vfs.Handle
	open []opened
}

// opened is a File and, where its last name is gone, what its inode is charged all the same.
type opened struct {
	vfs.File
	handle vfs.Handle
}

func (m *model) dir() vfs.Handle { return m.dirs[m.rand.IntN(len(m.dirs))] }

func (m *model) any() string { return fmt.Sprintf("n%d", m.rand.IntN(12)) }

func (m *model) file() vfs.File {
	if len(m.open) == 0 {
		return nil
	}
	return m.open[m.rand.IntN(len(m.open))].File
}

// step does one thing, which may fail for good reasons.
func (m *model) step() (what string, err error) {
	off, length := uint64(m.rand.IntN(1<<18)), uint64(1+m.rand.IntN(1<<17))
	f, dir, name := m.file(), m.dir(), m.any()
	kind := m.rand.IntN(22)
	if f == nil && kind > 9 {
		kind = 0
	}
	switch kind {
	case 0, 1, 2:
		how := vfs.Create{}
		if m.rand.IntN(3) == 0 {
			how.Attr.Size = new(uint64)
		}
		f, e, _, _, err := m.fs.Create(ctx, user, dir, name, how, vfs.Read|vfs.Write)
		if err == nil {
			m.open = append(m.open, opened{f, e.Handle})
		}
		return "create " + name, err
	case 3:
		e, _, err := m.fs.Mkdir(ctx, user, dir, name, vfs.SetAttr{})
		if err == nil {
			m.dirs = append(m.dirs, e.Handle)
		}
		return "mkdir " + name, err
	case 4:
		_, _, err := m.fs.Symlink(ctx, user, dir, name, strings.Repeat("t", 1+m.rand.IntN(3000)), vfs.SetAttr{})
		return "symlink", err
	case 5, 6:
		_, _, err := m.fs.Remove(ctx, user, dir, name)
		return "remove " + name, err
	case 7, 8:
		to := m.any()
		_, _, _, err := m.fs.Rename(ctx, user, dir, name, m.dir(), to)
		return "rename " + name + " to " + to, err
	case 9:
		_, _, err := m.fs.Mknod(ctx, user, dir, name, vfs.FIFO, vfs.Device{}, vfs.SetAttr{})
		return "mknod", err
	case 10:
		_, err := m.fs.Link(ctx, user, m.open[m.rand.IntN(len(m.open))].handle, dir, name)
		return "link " + name, err
	case 11, 12:
		i := m.rand.IntN(len(m.open))
		err := m.open[i].Close()
		m.open = append(m.open[:i], m.open[i+1:]...)
		return "close", err
	case 13, 14, 15:
		n, _, _, err := f.WriteAt(ctx, make([]byte, length), off, vfs.Stability(m.rand.IntN(3)))
		return fmt.Sprintf("write %d of %d at %d", n, length, off), err
	case 16:
		return "truncate", f.Truncate(ctx, off)
	case 17:
		return "allocate", f.Allocate(ctx, off, length)
	case 18:
		return "deallocate", f.Deallocate(ctx, off, length)
	case 19:
		_, _, err := f.CopyFrom(ctx, m.file(), off, off/2, length)
		return "copy", err
	case 20:
		err := f.CloneFrom(ctx, m.file(), 0, 0, 0)
		return "clone", err
	default:
		size := off
		h := m.open[m.rand.IntN(len(m.open))].handle
		if m.rand.IntN(2) == 0 {
			_, err := m.fs.SetXattr(ctx, user, h, "x", make([]byte, m.rand.IntN(3000)), vfs.XattrEither)
			return "set an attribute", err
		}
		_, err := m.fs.SetAttr(ctx, user, h, vfs.SetAttr{Size: &size})
		return "set the size", err
	}
}

// expected tells whether a step may fail so.
func expected(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EEXIST, syscall.ENOENT, syscall.ENOTDIR, syscall.EISDIR, syscall.ENOTEMPTY, syscall.EINVAL, syscall.ESTALE,
		syscall.ELOOP, syscall.EPERM, syscall.EOPNOTSUPP, syscall.EDQUOT, syscall.ENOSPC, syscall.E2BIG, syscall.EXDEV,
		syscall.ENAMETOOLONG,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return err == nil
}

// orphans is what the open files take that have no name any more.
func (m *model) orphans() (u quota.Usage) {
	seen := map[vfs.Handle]bool{}
	for _, o := range m.open {
		a, err := o.File.(interface{ Attr() (vfs.Attr, error) }).Attr()
		if err != nil {
			m.Fatal(err)
		}
		if a.Nlink == 0 && !seen[o.handle] {
			seen[o.handle] = true
			u.Bytes += busy(&unix.Stat_t{Mode: unix.S_IFREG, Size: int64(a.Size), Blocks: int64(a.Used / 512)})
			u.Inodes++
		}
	}
	return u
}

// onDisk is what the home takes.
func (m *model) onDisk() quota.Usage {
	m.Helper()
	u, orphans := onDisk(m.TB, filepath.Join(m.path, hubName, m.name), busy), m.orphans()
	return quota.Usage{Bytes: u.Bytes + orphans.Bytes, Inodes: u.Inodes + orphans.Inodes}
}

// check compares the ledger with the disk. Where a file system has thought better of what a file takes that was not synced
// yet, the file is synced first.
func (m *model) check(seed uint64, i int, what string) {
	m.Helper()
	if m.report(m.name).Used == m.onDisk() {
		return
	}
	for _, o := range m.open {
		if _, err := o.Commit(ctx); err != nil {
			m.Fatal(err)
		}
	}
	m.ledger.Sweep(ctx)
	if got, want := m.report(m.name).Used, m.onDisk(); got != want {
		m.Fatalf("seed %d, step %d, %s: the ledger says %+v, the disk %+v", seed, i, what, got, want)
	}
}

// TestModel does random things with a home, and counts what it takes on the disk after each of them, or after some.
func TestModel(t *testing.T) {
	if onFileSystems(t) != "" {
		t.Run("steps", steps) // which has a directory of its own, on that file system
	}
}

func steps(t *testing.T) {
	for seed := range uint64(12) {
		b := newBed(t)
		m := &model{bed: b, name: "ada", rand: rand.New(rand.NewPCG(seed, 1))}
		if seed%3 == 2 {
			b.quotas.Home = hubhome.Quota{Bytes: 2 * hubhome.MiB, Inodes: 40}
			b.setHubs()
			b.ledger.SetReserve(hubhome.Reserve{Bytes: hubhome.MiB, File: 64 * hubhome.KiB, Inodes: 10})
		}
		m.dirs = []vfs.Handle{b.home(m.name)}
		denied := 0
		for i := range 600 {
			what, err := m.step()
			if !expected(err) {
				t.Fatalf("seed %d, step %d, %s: %v", seed, i, what, err)
			}
			if errors.Is(err, syscall.EDQUOT) {
				denied++
			}
			// Who asks has files looked at: half of the homes have many steps between, in which they are not.
			if seed%2 == 0 || m.rand.IntN(20) == 0 {
				m.check(seed, i, fmt.Sprintf("%s: %v", what, err))
			}
		}
		if limited := seed%3 == 2; limited != (denied > 0) {
			t.Errorf("seed %d: %d steps were denied", seed, denied)
		}
		for _, o := range m.open {
			b.must(o.Close())
		}
		b.exact(m.name)
		if r := b.report(m.name); r.State != quota.Clean {
			t.Errorf("seed %d: the home is %s", seed, r.State)
		}
	}
}
