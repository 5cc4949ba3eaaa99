// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package quota_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/localfs"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

const hubName = "prod"

var (
	ctx  = context.Background()
	user = &vfs.Caller{UID: 1000, GID: 1000}
)

// keeper is one that remembers what was marked, and lists the hub where it is asked to find a home.
type keeper struct {
	b *bed

	mu         sync.Mutex
	generation uint64
	marked     map[vfs.HomeID]int
	err        error
	during     func() // runs while a home is being marked
	clock      func() time.Time
}

func (k *keeper) Mark(home vfs.HomeID) (uint64, error) {
	if k.during != nil {
		k.during()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return 0, k.err
	}
	k.marked[home]++
	return k.generation, nil
}

func (k *keeper) Find(context.Context) error {
	k.b.setHubs()
	return nil
}

func (k *keeper) Now() time.Time {
	if k.clock != nil {
		return k.clock()
	}
	return time.Now()
}

// bed is a ledger over a directory on the disk, with one hub.
type bed struct {
	testing.TB
	path   string
	disk   disk.Disk
	inner  *localfs.FS
	keeper *keeper
	ledger *quota.Ledger
	fs     *quota.FS
	quotas hubhome.Quotas
}

func newBed(t testing.TB) *bed {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: files are opened by handle and given away")
	}
	b := &bed{TB: t, path: t.TempDir()}
	for _, dir := range []string{hubName, ".hubhome", ".hubhome/new"} {
		b.must(os.Mkdir(filepath.Join(b.path, dir), 0o755))
	}
	b.must(os.Chown(filepath.Join(b.path, hubName), 1000, 1000))
	b.restart()
	return b
}

// restart makes a new FS and a new ledger that knows nothing.
func (b *bed) restart() {
	b.Helper()
	var err error
	b.inner, err = localfs.New(localfs.Options{
		Disk: &b.disk, Root: b.dir(""), Nursery: b.dir(".hubhome/new"), Key: []byte("0123456789abcdef"),
	})
	b.must(err)
	b.must(b.inner.SetHubs([]localfs.Hub{{Name: hubName, Homes: localfs.Owner{UID: 1000, GID: 1000}}}))
	b.keeper = &keeper{b: b, marked: map[vfs.HomeID]int{}}
	b.ledger = quota.New(b.inner, b.keeper)
	b.fs = b.ledger.FS()
	b.setHubs()
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bed) dir(name string) int {
	b.Helper()
	fd, err := unix.Open(filepath.Join(b.path, name), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	b.must(err)
	b.Cleanup(func() { unix.Close(fd) })
	return fd
}

// setHubs lists the hub, as the store does.
func (b *bed) setHubs() {
	b.Helper()
	b.ledger.Listing()
	at := filepath.Join(b.path, hubName)
	h := quota.Hub{Home: found(b.TB, at, hubName), Quotas: b.quotas}
	entries, err := os.ReadDir(at)
	b.must(err)
	for _, e := range entries {
		if e.IsDir() {
			h.Homes = append(h.Homes, found(b.TB, filepath.Join(at, e.Name()), e.Name()))
		}
	}
	b.ledger.SetHubs([]quota.Hub{h})
}

func found(t testing.TB, path, name string) quota.Home {
	t.Helper()
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st); err != nil {
		t.Fatal(err)
	}
	home := quota.Home{ID: vfs.HomeID(st.Ino), Name: name}
	if st.Mask&unix.STATX_BTIME != 0 {
		home.Birth = st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
	}
	return home
}

func (b *bed) hub() vfs.Handle {
	b.Helper()
	root, err := b.fs.Root(ctx)
	b.must(err)
	e, err := b.fs.Lookup(ctx, nil, root, hubName)
	b.must(err)
	return e.Handle
}

// home makes a home.
func (b *bed) home(name string) vfs.Handle {
	b.Helper()
	e, _, err := b.fs.Mkdir(ctx, &vfs.Caller{}, b.hub(), name, vfs.SetAttr{})
	b.must(err)
	return e.Handle
}

func (b *bed) create(dir vfs.Handle, name string) (vfs.File, vfs.Entry) {
	b.Helper()
	f, e, _, _, err := b.fs.Create(ctx, user, dir, name, vfs.Create{}, vfs.Read|vfs.Write)
	b.must(err)
	return f, e
}

// report is what is known of a home.
func (b *bed) report(name string) quota.HomeReport {
	b.Helper()
	for _, h := range b.ledger.Report().Hubs[0].Homes {
		if h.Name == name {
			return h
		}
	}
	b.Fatalf("the ledger has no home %s", name)
	return quota.HomeReport{}
}

// onDisk counts what a directory takes, every inode once. take says what one is charged.
func onDisk(t testing.TB, path string, take func(*unix.Stat_t) int64) (u quota.Usage) {
	t.Helper()
	seen := map[uint64]bool{}
	var walk func(dir int, name string) error
	walk = func(dir int, name string) error { // by descriptor: a path may be longer than any can be
		fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), name)
		defer f.Close()
		names, err := f.Readdirnames(-1)
		for _, name := range append(names, ".") {
			var st unix.Stat_t
			if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return err
			}
			if seen[st.Ino] {
				continue
			}
			seen[st.Ino] = true
			u.Bytes += take(&st)
			u.Inodes++
			if name != "." && st.Mode&unix.S_IFMT == unix.S_IFDIR {
				seen[st.Ino], u = false, quota.Usage{Bytes: u.Bytes - take(&st), Inodes: u.Inodes - 1} // it counts itself
				if err := walk(fd, name); err != nil {
					return err
				}
			}
		}
		return err
	}
	if err := walk(unix.AT_FDCWD, path); err != nil {
		t.Fatal(err)
	}
	return u
}

// du is what a file takes.
func du(st *unix.Stat_t) int64 { return st.Blocks * 512 }

// busy is what a file is charged while it is being changed: of what its file system takes in advance, a little.
func busy(st *unix.Stat_t) int64 {
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return du(st)
	}
	return min(du(st), (st.Size+4095)&^4095+16<<10+(st.Size/256+4095)&^4095)
}

// rest lets all files come to rest.
func (b *bed) rest() {
	for range quota.RestSweeps + 1 {
		b.ledger.Sweep(ctx)
	}
}

// exact fails the test unless the ledger knows what the disk says of a home.
func (b *bed) exact(name string) {
	b.Helper()
	b.rest()
	want := onDisk(b.TB, filepath.Join(b.path, hubName, name), du)
	if got := b.report(name); got.Used != want {
		b.Errorf("the ledger says %+v of %s, the disk %+v", got.Used, name, want)
	}
}
