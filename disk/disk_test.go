// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// directory returns a new directory, and it open.
func directory(t *testing.T) (path string, fd int) {
	t.Helper()
	path = t.TempDir()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return path, fd
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// methods is every method of a Disk, with the labels of the system calls that it makes where all goes well.
var methods = map[string]struct {
	ops  []Op
	call func(d *Disk, dir int) error
}{
	"Open": {[]Op{OpOpen}, func(d *Disk, dir int) error {
		_, err := d.Open(dir, "made", unix.O_RDWR|unix.O_CREAT, 0o600)
		return err
	}},
	"OpenTemporary": {[]Op{OpOpen}, func(d *Disk, dir int) error { _, err := d.OpenTemporary(dir, 0o600); return err }},
	"OpenHandle":    {[]Op{OpOpenHandle}, func(d *Disk, dir int) error { _, err := d.OpenHandle(dir, "12345678", 0); return err }},
	"AppendHandle":  {[]Op{OpHandle}, func(d *Disk, dir int) error { _, _, err := d.AppendHandle(nil, dir, "f"); return err }},
	"Stat":          {[]Op{OpStat}, func(d *Disk, dir int) error { return d.Stat(dir, "f", new(Stat)) }},
	"Space":         {[]Op{OpStat}, func(d *Disk, dir int) error { return d.Space(dir, new(Stat)) }},
	"StatEntry":     {[]Op{OpStat}, func(d *Disk, dir int) error { return d.StatEntry(dir, &Name{Name: []byte("f\x00")[:1]}, new(Stat)) }},
	"StatFS":        {[]Op{OpStatFS}, func(d *Disk, dir int) error { _, err := d.StatFS(dir); return err }},
	"ReadLink":      {[]Op{OpReadLink}, func(d *Disk, dir int) error { _, err := d.ReadLink(dir); return err }},
	"ReadDir": {[]Op{OpSeek, OpReadDir}, func(d *Disk, dir int) error {
		_, err := d.ReadDir(dir, 0, make([]byte, 4096), func(*Name) bool { return true })
		return err
	}},
	"Mkdir":       {[]Op{OpMkdir}, func(d *Disk, dir int) error { return d.Mkdir(dir, "made", 0o700) }},
	"Mknod":       {[]Op{OpMknod}, func(d *Disk, dir int) error { return d.Mknod(dir, "made", unix.S_IFIFO, 0, 0) }},
	"Symlink":     {[]Op{OpSymlink}, func(d *Disk, dir int) error { return d.Symlink("f", dir, "made") }},
	"LinkFile":    {[]Op{OpLink}, func(d *Disk, dir int) error { return d.LinkFile(dir, dir, "made") }},
	"Unlink":      {[]Op{OpUnlink}, func(d *Disk, dir int) error { return d.Unlink(dir, "f", 0) }},
	"Rename":      {[]Op{OpRename}, func(d *Disk, dir int) error { return d.Rename(dir, "f", dir, "made", 0) }},
	"Chmod":       {[]Op{OpChmod}, func(d *Disk, dir int) error { return d.Chmod(dir, "f", 0o777) }},
	"Chown":       {[]Op{OpChown}, func(d *Disk, dir int) error { return d.Chown(dir, "f", 1, 1) }},
	"Times":       {[]Op{OpTimes}, func(d *Disk, dir int) error { return d.Times(dir, "f", unix.Timespec{}, unix.Timespec{}) }},
	"Truncate":    {[]Op{OpTruncate}, func(d *Disk, dir int) error { return d.Truncate(dir, 0) }},
	"Read":        {[]Op{OpRead}, func(d *Disk, dir int) error { _, err := d.Read(dir, nil, 0); return err }},
	"Write":       {[]Op{OpWrite}, func(d *Disk, dir int) error { _, err := d.Write(dir, nil, 0); return err }},
	"Sync":        {[]Op{OpSync}, func(d *Disk, dir int) error { return d.Sync(dir) }},
	"SyncFor":     {[]Op{OpSync}, func(d *Disk, dir int) error { return d.SyncFor(dir, 7) }},
	"Allocate":    {[]Op{OpAllocate}, func(d *Disk, dir int) error { return d.Allocate(dir, 0, 0, 1) }},
	"Seek":        {[]Op{OpSeek}, func(d *Disk, dir int) error { _, err := d.Seek(dir, 0, unix.SEEK_SET); return err }},
	"Copy":        {[]Op{OpCopy}, func(d *Disk, dir int) error { _, err := d.Copy(dir, 0, dir, 0, 1); return err }},
	"Clone":       {[]Op{OpClone}, func(d *Disk, dir int) error { return d.Clone(dir, 0, dir, 0, 0) }},
	"GetXattr":    {[]Op{OpGetXattr}, func(d *Disk, dir int) error { _, err := d.GetXattr(dir, "user.x", nil); return err }},
	"SetXattr":    {[]Op{OpSetXattr}, func(d *Disk, dir int) error { return d.SetXattr(dir, "user.x", nil, 0) }},
	"ListXattr":   {[]Op{OpListXattr}, func(d *Disk, dir int) error { _, err := d.ListXattr(dir, nil); return err }},
	"RemoveXattr": {[]Op{OpDelXattr}, func(d *Disk, dir int) error { return d.RemoveXattr(dir, "user.x") }},
	"Lock":        {[]Op{OpLock}, func(d *Disk, dir int) error { return d.Lock(dir) }},
	"ReadFile":    {[]Op{OpOpen, OpRead, OpRead}, func(d *Disk, dir int) error { _, err := d.ReadFile(dir, "f", 100); return err }},
	"WriteFile": {[]Op{OpUnlink, OpOpen, OpWrite, OpSync, OpRename, OpSync}, func(d *Disk, dir int) error {
		return d.WriteFile(dir, "f", []byte("x"), 0o600)
	}},
}

// TestLabels: every method asks Before with its own label, and where that answers an error makes no call. The error is the
// method's own. A method that is not in the table fails the test.
func TestLabels(t *testing.T) {
	for m := range reflect.TypeFor[*Disk]().Methods() {
		if _, known := methods[m.Name]; !known {
			t.Errorf("%s has no line in the table", m.Name)
		}
	}
	for name, m := range methods {
		for nth := range m.ops {
			path, dir := directory(t)
			write(t, filepath.Join(path, "f"), "text")
			refused := errors.New("refused")
			var asked []Op
			d := &Disk{Before: func(op Op) error {
				asked = append(asked, op)
				if len(asked) > nth {
					return refused
				}
				return nil
			}}
			before := descriptors(t)
			if err := m.call(d, dir); err != refused {
				t.Errorf("%s, call %d refused: %v", name, nth, err)
			}
			if want := m.ops[:nth+1]; !slices.Equal(asked[:min(len(asked), nth+1)], want) {
				t.Errorf("%s asks for %v, want %v", name, asked, want)
			}
			if after := descriptors(t); after != before {
				t.Errorf("%s, call %d refused: %d descriptors before, %d after", name, nth, before, after)
			}
			if left, err := os.ReadDir(path); nth == 0 && (err != nil || len(left) != 1) {
				t.Errorf("%s, refused, leaves %v: %v", name, left, err)
			}
		}
	}
}

// TestNoDescriptor: what is not opened is no descriptor, and closing it closes nothing of others.
func TestNoDescriptor(t *testing.T) {
	d := &Disk{Before: func(Op) error { return syscall.EIO }}
	open := func(fd int, err error) int { return fd }
	for name, fd := range map[string]int{
		"Open": open(d.Open(unix.AT_FDCWD, ".", 0, 0)), "OpenTemporary": open(d.OpenTemporary(unix.AT_FDCWD, 0)),
		"OpenHandle": open(d.OpenHandle(unix.AT_FDCWD, "12345678", 0)),
	} {
		if fd != -1 {
			t.Errorf("%s returns descriptor %d with an error", name, fd)
		}
	}
}

// TestChanges: the labels at which a crash is interesting are those of the calls that change something.
func TestChanges(t *testing.T) {
	reading := []Op{
		OpOpen, OpOpenHandle, OpHandle, OpStat, OpStatFS, OpReadDir, OpReadLink, OpRead, OpSeek, OpGetXattr, OpListXattr, OpLock,
	}
	for name, m := range methods {
		for _, op := range m.ops {
			if op.Changes() == slices.Contains(reading, op) {
				t.Errorf("%s: Changes of %s is %v", name, op, op.Changes())
			}
		}
	}
}

// TestInterrupted: a call that a signal interrupts is made again, and Before is asked once.
func TestInterrupted(t *testing.T) {
	asked, made := 0, 0
	d := &Disk{Before: func(Op) error { asked++; return nil }}
	err := d.do(OpSync, func() error {
		if made++; made < 4 {
			return syscall.EINTR
		}
		return syscall.EIO
	})
	if err != syscall.EIO || made != 4 || asked != 1 {
		t.Errorf("made %d times, asked %d times: %v; want 4, 1 and EIO", made, asked, err)
	}
	d.Before = func(Op) error { return syscall.EINTR }
	made = 0
	if err := d.do(OpSync, func() error { made++; return nil }); err != syscall.EINTR || made != 0 {
		t.Errorf("a Before that answers EINTR: made %d times: %v", made, err)
	}
}

// TestNoLinkIsFollowed: a name that is a link is opened, described and changed as the link that it is, or not at all.
func TestNoLinkIsFollowed(t *testing.T) {
	path, dir := directory(t)
	target := filepath.Join(t.TempDir(), "target")
	write(t, target, "text")
	if err := os.Symlink(target, filepath.Join(path, "link")); err != nil {
		t.Fatal(err)
	}
	d := new(Disk)
	if _, err := d.Open(dir, "link", unix.O_RDONLY, 0); err != syscall.ELOOP {
		t.Errorf("Open answers %v, want ELOOP", err)
	}
	if _, err := d.ReadFile(dir, "link", 100); err != syscall.ELOOP {
		t.Errorf("ReadFile answers %v, want ELOOP", err)
	}
	var st Stat
	if err := d.Stat(dir, "link", &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		t.Errorf("Stat says mode %o: %v", st.Mode, err)
	}
	if err := d.Times(dir, "link", unix.Timespec{Sec: 7}, unix.Timespec{Sec: 7}); err != nil {
		t.Errorf("Times: %v", err)
	}
	d.Chmod(dir, "link", 0o777) // refused by most file systems
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o600 || info.ModTime().Unix() == 7 {
		t.Errorf("the target has mode %o and time %v: %v", info.Mode(), info.ModTime(), err)
	}
	fd, err := d.Open(dir, "link", unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fd)
	if text, err := d.ReadLink(fd); err != nil || text != target {
		t.Errorf("ReadLink says %q, want %q: %v", text, target, err)
	}
}

// TestHere: a descriptor itself can be described and changed, also one that was opened without a right to read.
func TestHere(t *testing.T) {
	path, dir := directory(t)
	write(t, filepath.Join(path, "f"), "text")
	d := new(Disk)
	fd, err := d.Open(dir, "f", unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(fd)
	if err := d.Chmod(fd, Here, 0o640); err != nil {
		t.Errorf("Chmod: %v", err)
	}
	if err := d.Times(fd, Here, unix.Timespec{Sec: 5}, unix.Timespec{Sec: 6}); err != nil {
		t.Errorf("Times: %v", err)
	}
	if err := d.Chown(fd, Here, -1, -1); err != nil {
		t.Errorf("Chown: %v", err)
	}
	var st Stat
	if err := d.Stat(fd, Here, &st); err != nil || st.Mode&0o7777 != 0o640 || st.Atime.Sec != 5 || st.Mtime.Sec != 6 || st.Size != 4 {
		t.Errorf("Stat says %+v: %v", st, err)
	}
}
