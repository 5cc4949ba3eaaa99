// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// The process under test is this test's own binary: it works on the store in crashPath and is killed before the crashAt-th
// system call that changes something.
const (
	crashPath = "HUBHOME_CRASH_PATH"
	crashAt   = "HUBHOME_CRASH_AT"
)

var user = &vfs.Caller{UID: 1000, GID: 1000}

// step is something that is acknowledged, and how to see on the disk that it was done.
type step struct {
	name string
	do   func(*crashing) error
	done func(path string) error
}

// crashing is the process that will be killed.
type crashing struct {
	store *store.Store
	home  vfs.Handle
	file  vfs.Handle
}

func (c *crashing) write(name, text string) error {
	f, e, _, _, err := c.store.FS().Create(ctx, user, c.home, name, vfs.Create{}, vfs.Write)
	if err != nil {
		return err
	}
	defer f.Close()
	c.file = e.Handle
	_, _, _, err = f.WriteAt(ctx, []byte(text), 0, vfs.FileSync)
	return err
}

// contains tells whether a file of the home says text.
func contains(name, text string) func(string) error {
	return func(path string) error {
		got, err := os.ReadFile(filepath.Join(path, "prod", "ada", name))
		if err == nil && string(got) != text {
			err = fmt.Errorf("%s says %q, want %q", name, got, text)
		}
		return err
	}
}

var steps = []step{
	{"declare a hub", func(c *crashing) error {
		return c.store.SetHubs(ctx, []store.Hub{{Name: "prod", Owner: jovyan, Mode: 0o750, Shared: true, SharedPublic: true}})
	}, func(path string) error { return owned(filepath.Join(path, "prod"), 0o750) }},
	{"make a home", func(c *crashing) error {
		root, err := c.store.FS().Root(ctx)
		if err != nil {
			return err
		}
		hub, err := c.store.FS().Lookup(ctx, nil, root, "prod")
		if err != nil {
			return err
		}
		e, _, err := c.store.FS().Mkdir(ctx, &vfs.Caller{}, hub.Handle, "ada", vfs.SetAttr{})
		c.home = e.Handle
		return err
	}, func(path string) error { return owned(filepath.Join(path, "prod", "ada"), 0o755) }},
	{"write a file", func(c *crashing) error { return c.write("a", "first") }, contains("a", "first")},
	{"write another", func(c *crashing) error { return c.write("b.tmp", "second") }, nil},
	{"rename it into place", func(c *crashing) error {
		_, _, _, err := c.store.FS().Rename(ctx, user, c.home, "b.tmp", c.home, "b")
		return err
	}, contains("b", "second")},
	{"make an exclusive file", func(c *crashing) error {
		f, _, _, _, err := c.store.FS().Create(ctx, user, c.home, "lock", vfs.Create{Mode: vfs.Exclusive, Verifier: [8]byte{1, 2}}, vfs.Write)
		if err == nil {
			err = f.Close()
		}
		return err
	}, contains("lock", "")},
	{"make a directory", func(c *crashing) error {
		_, _, err := c.store.FS().Mkdir(ctx, user, c.home, "d", vfs.SetAttr{})
		return err
	}, func(path string) error { return owned(filepath.Join(path, "prod", "ada", "d"), 0o755) }},
	{"make a link", func(c *crashing) error {
		_, _, err := c.store.FS().Symlink(ctx, user, c.home, "l", "a", vfs.SetAttr{})
		return err
	}, contains("l", "first")},
	{"give a file another name", func(c *crashing) error {
		_, err := c.store.FS().Link(ctx, user, c.file, c.home, "b2")
		return err
	}, contains("b2", "second")},
	{"remove a name", func(c *crashing) error {
		_, _, err := c.store.FS().Remove(ctx, user, c.home, "lock")
		return err
	}, nil},
	{"change a mode", func(c *crashing) error {
		mode := uint32(0o600)
		_, err := c.store.FS().SetAttr(ctx, user, c.file, vfs.SetAttr{Mode: &mode})
		return err
	}, func(path string) error { return owned(filepath.Join(path, "prod", "ada", "b"), 0o600) }},
	{"record a client", func(c *crashing) error { return c.store.Clients().Add([]byte("c"), [8]byte{1}, 10) }, nil},
	{"record another home", func(c *crashing) error { return c.store.Clients().Add([]byte("c"), [8]byte{1}, 11) }, nil},
}

// undone is the steps that undo an earlier one: what an earlier step did may be gone once one of these may have begun.
var undone = map[string]string{"make an exclusive file": "remove a name"}

func owned(path string, mode fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 1000 || st.Gid != 1000 || info.Mode().Perm() != mode {
		return fmt.Errorf("%s belongs to %d:%d and has mode %o", path, st.Uid, st.Gid, info.Mode().Perm())
	}
	return nil
}

// TestCrashingProcess is the process that is killed.
func TestCrashingProcess(t *testing.T) {
	path := os.Getenv(crashPath)
	if path == "" {
		t.Skip("run by TestKilledAnywhere")
	}
	last, err := strconv.ParseInt(os.Getenv(crashAt), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	d := &disk.Disk{Before: func(op disk.Op) error {
		if op.Changes() && calls.Add(1) == last {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}}
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet, Disk: d})
	if err != nil {
		t.Fatal(err)
	}
	c := &crashing{store: s}
	for _, step := range steps {
		if err := step.do(c); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		fmt.Println("acknowledged:", step.name)
	}
}

// TestKilledAnywhere kills a server before each of its system calls that change something, one after the other. Whatever
// was acknowledged is there, whatever is there is whole and its owner's, and the next start goes as any other.
func TestKilledAnywhere(t *testing.T) {
	needsRoot(t)
	stride := 1
	if testing.Short() {
		stride = 9
	}
	points := 0
	for at := 1; ; at += stride {
		path := t.TempDir()
		acknowledged, killed := runUntilKilled(t, path, at)
		if killed && len(acknowledged) == len(steps) {
			t.Fatalf("call %d: killed after the last step", at)
		}
		checkAfterCrash(t, path, at, acknowledged)
		if t.Failed() || !killed {
			break
		}
		points++
	}
	t.Logf("killed at %d points", points)
	if points < 10 {
		t.Errorf("the process was killed at %d points only", points)
	}
}

func runUntilKilled(t *testing.T, path string, at int) (acknowledged []string, killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestCrashingProcess$", "-test.timeout=30s")
	cmd.Env = append(os.Environ(), crashPath+"="+path, crashAt+"="+strconv.Itoa(at))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		for _, step := range steps {
			if lines.Text() == "acknowledged: "+step.name {
				acknowledged = append(acknowledged, step.name)
			}
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return acknowledged, false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return acknowledged, true
	}
	t.Fatalf("call %d: the process ended with %v after %v", at, err, acknowledged)
	return nil, false
}

func checkAfterCrash(t *testing.T, path string, at int, acknowledged []string) {
	t.Helper()
	for i, name := range acknowledged {
		undoing := undone[name]
		begun := undoing != "" && slices.ContainsFunc(steps[:min(len(acknowledged)+1, len(steps))], func(s step) bool { return s.name == undoing })
		if done := steps[i].done; done != nil && !begun {
			if err := done(path); err != nil {
				t.Errorf("call %d: %q was acknowledged: %v", at, name, err)
			}
		}
	}
	hub := filepath.Join(path, "prod")
	err := filepath.WalkDir(hub, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the hub was not made yet
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 1000 || st.Gid != 1000 {
			return fmt.Errorf("%s belongs to %d:%d", p, st.Uid, st.Gid)
		}
		return nil
	})
	if err != nil {
		t.Errorf("call %d: %v", at, err)
	}
	s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
	if err != nil {
		t.Errorf("call %d: start again: %v", at, err)
		return
	}
	defer s.Close()
	c := &crashing{store: s}
	if err := steps[0].do(c); err != nil {
		t.Errorf("call %d: declare the hub again: %v", at, err)
	}
	if left, err := os.ReadDir(filepath.Join(path, ".hubhome", "new")); err != nil || len(left) > 0 {
		t.Errorf("call %d: left over: %v (%v)", at, left, err)
	}
	records, err := s.Clients().Load()
	want := slices.Contains(acknowledged, "record a client")
	if err != nil || want && (len(records) != 1 || !slices.Contains(records[0].Homes, vfs.HomeID(10))) {
		t.Errorf("call %d: the client records are %+v: %v", at, records, err)
	}
}
