// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// ledgerPath tells TestLedgerProcess where its store is, as crashPath tells TestCrashingProcess.
const ledgerPath = "HUBHOME_LEDGER_PATH"

// TestLedgerProcess is the process that TestLedgerKilledAnywhere kills: it works in two homes, persists the ledger now and
// then, and sets quotas.
func TestLedgerProcess(t *testing.T) {
	path := os.Getenv(ledgerPath)
	if path == "" {
		t.Skip("run by TestLedgerKilledAnywhere")
	}
	last, err := strconv.ParseInt(os.Getenv(crashAt), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op.Changes() && calls.Add(1) == last {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}})
	s.Recount(ctx)
	ada, bob := mkdir(t, s, at(t, s, "prod"), "ada"), mkdir(t, s, at(t, s, "prod"), "bob")
	fs := s.FS()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for round := range 4 {
		name := func(s string) string { return s + strconv.Itoa(round) }
		put(t, s, ada, name("f"), 30_000)
		if round == 1 {
			must(s.Checkpoint())
		}
		dir := mkdir(t, s, ada, name("d"))
		put(t, s, dir, "in", 5000)
		f, e, _, _, err := fs.Create(ctx, user, bob, name("g"), vfs.Create{}, vfs.Write)
		must(err)
		_, _, _, err = f.WriteAt(ctx, make([]byte, 70_000), 0, vfs.Unstable)
		must(err)
		must(s.Checkpoint())
		_, err = f.Commit(ctx)
		must(err)
		must(f.Truncate(ctx, 10_000))
		must(f.Close())
		_, err = fs.Link(ctx, user, e.Handle, bob, name("link"))
		must(err)
		_, _, err = fs.Symlink(ctx, user, bob, name("s"), strings.Repeat("x", 200), vfs.SetAttr{})
		must(err)
		if round > 0 {
			_, _, err = fs.Remove(ctx, user, ada, "f"+strconv.Itoa(round-1))
			must(err)
			_, _, _, err = fs.Rename(ctx, user, bob, name("g"), bob, "g"+strconv.Itoa(round-1))
			must(err)
		}
		must(s.SetQuotas([]store.Override{{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Inodes: int64(1000 + round)}}}))
		fmt.Println("quota:", 1000+round)
	}
	must(s.Checkpoint())
	put(t, s, bob, "last", 1)
	must(s.Close())
}

// TestLedgerKilledAnywhere kills a server before each of its system calls that change something, one after the other. The next
// one counts what it has to, and knows what every home takes; a quota that was acknowledged is in force.
func TestLedgerKilledAnywhere(t *testing.T) {
	needsRoot(t)
	stride := 1
	if testing.Short() {
		stride = 31
	}
	points, counted := 0, 0
	for at := 1; ; at += stride {
		path := t.TempDir()
		limit, killed := runLedgerUntilKilled(t, path, at)
		s := serving(t, path, nil)
		for _, h := range s.Report().Hubs[0].Homes {
			if h.State != quota.Clean {
				counted++
			}
			if h.Name == "ada" && h.Quota.Inodes != limit && h.Quota.Inodes != limit+1 && (limit > 0 || h.Quota.Inodes < hubhome.UnlimitedInodes && h.Quota.Inodes != 1000) {
				t.Errorf("call %d: the quota is %d inodes, and %d was acknowledged", at, h.Quota.Inodes, limit)
			}
		}
		s.Recount(ctx)
		s.Sweep()
		exact(t, s, path)
		s.Close()
		if t.Failed() {
			t.Fatalf("killed at call %d", at)
		}
		if !killed {
			break
		}
		points++
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("killed at %d points, after which %d homes were counted", points, counted)
	if want := 200 / stride; points < want {
		t.Errorf("the process was killed at %d points, want %d", points, want)
	}
}

func runLedgerUntilKilled(t *testing.T, path string, at int) (limit int64, killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLedgerProcess$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), ledgerPath+"="+path, crashAt+"="+strconv.Itoa(at))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said = append(said, lines.Text())
		if n, ok := strings.CutPrefix(lines.Text(), "quota: "); ok {
			if limit, err = strconv.ParseInt(n, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return limit, false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return limit, true
	}
	t.Fatalf("call %d: the process ended with %v: %s", at, err, strings.Join(said, "\n"))
	return 0, false
}
