// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package share_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/share"
	"github.com/hubhome/hubhome/vfs"
	"github.com/hubhome/hubhome/vfs/vfstest"
)

// tree is a server with nothing but /mnt/export, which belongs to root. That is as deep in a Memory as directories take
// the owner that they are given.
type tree struct {
	t *testing.T
	*vfstest.Memory
}

func newTree(t *testing.T) *tree {
	m := &tree{t, vfstest.NewMemory("mnt")}
	m.mkdir("/mnt/export")
	return m
}

// spec asks for /mnt/export/homes/prod.
func spec() share.Spec {
	return share.Spec{Base: []string{"mnt", "export", "homes"}, Hub: "prod", Owner: hubhome.DefaultOwner, Mode: 0o755}
}

func (m *tree) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// find returns what a path leads to.
func (m *tree) find(path string) (e vfs.Entry, err error) {
	e.Handle, err = m.Root(m.t.Context())
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if err == nil {
			e, err = m.Lookup(m.t.Context(), nil, e.Handle, name)
		}
	}
	return e, err
}

func (m *tree) give(path string, uid, gid, mode uint32) {
	m.t.Helper()
	e, err := m.find(path)
	m.must(err)
	_, err = m.SetAttr(m.t.Context(), nil, e.Handle, vfs.SetAttr{UID: &uid, GID: &gid, Mode: &mode})
	m.must(err)
}

// mkdir makes directories that belong to root.
func (m *tree) mkdir(paths ...string) {
	m.t.Helper()
	for _, path := range paths {
		above, name := path[:strings.LastIndex(path, "/")], path[strings.LastIndex(path, "/")+1:]
		dir, err := m.find(above)
		m.must(err)
		_, _, err = m.Mkdir(m.t.Context(), nil, dir.Handle, name, vfs.SetAttr{})
		m.must(err)
		m.give(path, 0, 0, 0o755)
	}
}

// list returns what is below a path: a line for each, of directories with owner and mode.
func (m *tree) list(path string) string {
	m.t.Helper()
	var lines []string
	var walk func(path string)
	walk = func(path string) {
		dir, err := m.find(path)
		m.must(err)
		_, err = m.ReadDir(m.t.Context(), nil, dir.Handle, 0, true, func(e *vfs.DirEntry) bool {
			lines = append(lines, fmt.Sprintf("%s/%s %d:%d %04o", path, e.Name, e.Attr.UID, e.Attr.GID, e.Attr.Mode))
			return true
		})
		m.must(err)
		for _, line := range slices.Clone(lines) {
			if name, _, _ := strings.Cut(line, " "); strings.Count(name, "/") == strings.Count(path, "/")+1 {
				if e, err := m.find(name); err == nil && e.Attr.Type == vfs.Directory && strings.HasPrefix(name, path+"/") {
					walk(name)
				}
			}
		}
	}
	walk(path)
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// actions are what a report says was done.
func actions(r share.Report) string {
	var words []string
	for _, d := range r.Directories {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", d.Path, d.Action, d.Owner, d.Mode, d.Was)))
	}
	return strings.Join(words, "; ")
}

const whole = `/mnt/export/homes 0:0 0755
/mnt/export/homes/prod 1000:1000 0755
/mnt/export/homes/prod/_shared 1000:1000 0755
/mnt/export/homes/prod/_shared-public 1000:1000 0777`

// TestCreate makes all that there is to make, and leaves it alone the second time.
func TestCreate(t *testing.T) {
	m := newTree(t)
	s := spec()
	s.Shared, s.SharedPublic = true, true
	report, err := share.Create(t.Context(), m, s)
	m.must(err)
	if report.RootSquashed {
		t.Error("root is not squashed")
	}
	if !report.Probed {
		t.Error("there was no probe")
	}
	if got := m.list("/mnt/export"); got != whole {
		t.Errorf("there is\n%s\nand should be\n%s", got, whole)
	}
	want := "/mnt/export/homes made 0:0 0755; /mnt/export/homes/prod made 1000:1000 0755; " +
		"/mnt/export/homes/prod/_shared made 1000:1000 0755; /mnt/export/homes/prod/_shared-public made 1000:1000 0777"
	if got := actions(report); got != want {
		t.Errorf("it says that it did\n%s, want\n%s", got, want)
	}
	m.mkdir("/mnt/export/homes/prod/ada")
	m.give("/mnt/export/homes/prod/ada", 7, 7, 0o700)
	m.give("/mnt/export/homes/prod/_shared", 1000, 1000, 0o2775)
	before := m.list("/mnt/export")
	report, err = share.Create(t.Context(), m, s)
	m.must(err)
	if got := actions(report); strings.Count(got, share.Unchanged) != 3 || strings.Count(got, ";") != 2 {
		t.Errorf("the second time it says %s", got)
	}
	if got := m.list("/mnt/export"); got != before {
		t.Errorf("the second time there is\n%s\nand there was\n%s", got, before)
	}
	if n := m.OpenFiles(); n != 0 {
		t.Errorf("%d files are still open", n)
	}
}

// TestRoot: the base share may be the FS's own root, as with NFSv3.
func TestRoot(t *testing.T) {
	m := newTree(t)
	s := spec()
	s.At, s.Base = "/homes/", nil
	report, err := share.Create(t.Context(), m, s)
	m.must(err)
	if got, want := actions(report), "/homes/prod made 1000:1000 0755"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestThere is what becomes of a hub's directory that is there.
func TestThere(t *testing.T) {
	for _, test := range []struct {
		name           string
		uid, gid, mode uint32
		full, chown    bool
		want           string // what was done
		trouble        share.Trouble
		says           string
	}{
		{name: "right", uid: 1000, gid: 1000, mode: 0o755, full: true, want: "unchanged 1000:1000 0755"},
		{name: "another mode", uid: 1000, gid: 1000, mode: 0o700, full: true, want: "changed 1000:1000 0755 1000:1000 0700"},
		{name: "root's and empty", mode: 0o700, want: "changed 1000:1000 0755 0:0 0700"},
		{name: "somebody's and empty", uid: 7, gid: 8, mode: 0o700, want: "changed 1000:1000 0755 7:8 0700"},
		{name: "somebody's and full", uid: 7, gid: 8, mode: 0o777, full: true, trouble: share.InTheWay, says: "belongs to 7:8, mode 0777, and not to 1000:1000"},
		{name: "another group's and full", uid: 1000, gid: 8, mode: 0o755, full: true, trouble: share.InTheWay, says: "belongs to 1000:8"},
		{name: "taken over", uid: 7, gid: 8, mode: 0o700, full: true, chown: true, want: "changed 1000:1000 0755 7:8 0700"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newTree(t)
			m.mkdir("/mnt/export/homes", "/mnt/export/homes/prod")
			if test.full {
				m.mkdir("/mnt/export/homes/prod/ada")
			}
			m.give("/mnt/export/homes/prod", test.uid, test.gid, test.mode)
			before := m.list("/mnt/export")
			s := spec()
			s.Chown = test.chown
			report, err := share.Create(t.Context(), m, s)
			if test.says != "" {
				failed(t, err, test.trouble, test.says)
				if got := m.list("/mnt/export"); got != before {
					t.Errorf("it was refused, and there is\n%s\nwhere there was\n%s", got, before)
				}
				return
			}
			m.must(err)
			if got := actions(report); got != "/mnt/export/homes/prod "+test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// failed holds an error to what it should be.
func failed(t *testing.T, err error, want share.Trouble, says string) {
	t.Helper()
	e, ok := errors.AsType[*share.Error](err)
	if !ok {
		t.Fatalf("the error is %v", err)
	}
	if e.Trouble != want || !strings.Contains(err.Error(), says) {
		t.Errorf("%v: %q; want %v, and %q in it", e.Trouble, err, want, says)
	}
}

// TestInTheWay: what is no directory is never taken for one.
func TestInTheWay(t *testing.T) {
	for _, path := range []string{"/mnt/export/homes", "/mnt/export/homes/prod", "/mnt/export/homes/prod/_shared"} {
		for _, kind := range []string{"file", "link"} {
			t.Run(kind+" "+path, func(t *testing.T) {
				m := newTree(t)
				if strings.Count(path, "/") > 3 {
					m.mkdir("/mnt/export/homes")
				}
				if strings.Count(path, "/") > 4 {
					m.mkdir("/mnt/export/homes/prod")
				}
				i := strings.LastIndex(path, "/")
				dir, err := m.find(path[:i])
				m.must(err)
				if kind == "file" {
					f, _, _, _, err := m.Create(t.Context(), nil, dir.Handle, path[i+1:], vfs.Create{}, vfs.Read)
					m.must(err)
					m.must(f.Close())
				} else {
					_, _, err := m.Symlink(t.Context(), nil, dir.Handle, path[i+1:], "/mnt/export", vfs.SetAttr{})
					m.must(err)
				}
				s := spec()
				s.Shared, s.Chown = true, true
				_, err = share.Create(t.Context(), m, s)
				failed(t, err, share.InTheWay, "use "+path+": not a directory")
			})
		}
	}
}

// TestSharedLeft: a shared directory with something in it is its admins', one that a kubelet has made is not.
func TestSharedLeft(t *testing.T) {
	m := newTree(t)
	m.mkdir("/mnt/export/homes", "/mnt/export/homes/prod", "/mnt/export/homes/prod/_shared", "/mnt/export/homes/prod/_shared-public", "/mnt/export/homes/prod/_shared/data")
	m.give("/mnt/export/homes/prod", 1000, 1000, 0o755)
	s := spec()
	s.Shared, s.SharedPublic = true, true
	report, err := share.Create(t.Context(), m, s)
	m.must(err)
	want := "/mnt/export/homes/prod unchanged 1000:1000 0755; /mnt/export/homes/prod/_shared left 0:0 0755; " +
		"/mnt/export/homes/prod/_shared-public changed 1000:1000 0777 0:0 0755"
	if got := actions(report); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestEveryFailure has each call fail once. What is left is nothing that the next run does not complete, and no probe.
func TestEveryFailure(t *testing.T) {
	s := spec()
	s.Shared, s.SharedPublic = true, true
	for _, label := range []string{"Root", "Lookup", "Mkdir", "SetAttr", "Create", "WriteAt", "Sync", "ReadAt", "Remove", "ReadDir"} {
		for _, errno := range []syscall.Errno{syscall.EIO, syscall.EDQUOT, syscall.EROFS} {
			for n := 0; ; n++ {
				m := newTree(t)
				calls, did := 0, false
				m.Hook(label, func() error {
					calls++
					if calls == n+1 {
						did = true
						return errno
					}
					return nil
				})
				_, err := share.Create(t.Context(), m, s)
				if !did {
					break
				}
				if err == nil && label != "ReadDir" && label != "SetAttr" {
					t.Errorf("%s %d answered %v, and Create nothing", label, n, errno)
				}
				if n := m.OpenFiles(); n != 0 {
					t.Errorf("%s %d: %d files are still open", label, n, n)
				}
				m.Hook(label, nil)
				if _, err := share.Create(t.Context(), m, s); err != nil {
					t.Errorf("after %s %d: %v", label, n, err)
				}
				got := m.list("/mnt/export")
				if got != whole {
					t.Errorf("after %s %d (%v) and another run there is\n%s", label, n, errno, got)
				}
			}
		}
	}
}

// TestTroubles: an errno is a trouble with a name.
func TestTroubles(t *testing.T) {
	for errno, want := range map[syscall.Errno]share.Trouble{
		syscall.ENOSPC: share.Full, syscall.EDQUOT: share.Full, syscall.EROFS: share.ReadOnly,
		syscall.EACCES: share.Denied, syscall.EPERM: share.Denied, syscall.EIO: share.Failed,
	} {
		for _, label := range []string{"Mkdir", "Create", "WriteAt"} {
			m := newTree(t)
			m.mkdir("/mnt/export/homes")
			m.Fail(label, errno)
			_, err := share.Create(t.Context(), m, spec())
			failed(t, err, want, errno.Error())
			if got := m.list("/mnt/export"); strings.Contains(got, "probe") {
				t.Errorf("%s answered %v, and there is\n%s", label, errno, got)
			}
		}
	}
}

// TestKilled: what a run that was killed has left is removed when it is so old that no run can need it.
func TestKilled(t *testing.T) {
	m := newTree(t)
	_, err := share.Create(t.Context(), m, spec())
	m.must(err)
	hub, err := m.find("/mnt/export/homes/prod")
	m.must(err)
	for name, age := range map[string]time.Duration{".hubhome-probe-OLD": time.Hour, ".hubhome-probe-NEW": 0, "notes": time.Hour} {
		set := vfs.SetAttr{Mtime: vfs.SetTime{Set: true, Time: time.Now().Add(-age)}}
		f, _, _, _, err := m.Create(t.Context(), nil, hub.Handle, name, vfs.Create{Attr: set}, vfs.Read)
		m.must(err)
		m.must(f.Close())
	}
	m.mkdir("/mnt/export/homes/prod/.hubhome-probe-dir")
	_, err = share.Create(t.Context(), m, spec())
	m.must(err)
	got := m.list("/mnt/export/homes/prod")
	if strings.Contains(got, "OLD") || strings.Count(got, "\n") != 2 {
		t.Errorf("there is\n%s", got)
	}
}

// TestTogether: runs at the same time, also for one hub, are in nobody's way.
func TestTogether(t *testing.T) {
	m := newTree(t)
	s := spec()
	s.Shared, s.SharedPublic = true, true
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := share.Create(t.Context(), m, s); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := m.list("/mnt/export"); got != whole {
		t.Errorf("there is\n%s", got)
	}
}

// TestCancelled: a run that is interrupted removes its probe.
func TestCancelled(t *testing.T) {
	m := newTree(t)
	ctx, cancel := context.WithCancel(t.Context())
	m.Hook("WriteAt", func() error {
		cancel()
		return ctx.Err()
	})
	if _, err := share.Create(ctx, m, spec()); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if got := m.list("/mnt/export"); strings.Contains(got, "probe") {
		t.Errorf("there is\n%s", got)
	}
}
