// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package usage_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hubhome/hubhome/remote"
	"github.com/hubhome/hubhome/test/ganesha"
	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/usage/usagetest"
	"github.com/hubhome/hubhome/vfs"
)

// needPeer skips a test where no Ganesha can be started.
func needPeer(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts another server")
	}
	if err := ganesha.Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// peer starts a Ganesha that exports a directory as /homes, with NFSv3 too.
func peer(t *testing.T, dir string, squash ganesha.Squash) *ganesha.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	g, err := ganesha.Start(ctx, ganesha.Config{Dir: dir, Pseudo: "/homes", Squash: squash, NFSv3: true})
	if err != nil {
		t.Fatalf("start NFS-Ganesha: %v", err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Errorf("stop NFS-Ganesha: %v", err)
		}
	})
	return g
}

// reach connects to a peer, until the test ends.
func reach(t *testing.T, g *ganesha.Server, v remote.Version) *remote.FS {
	t.Helper()
	server, err := remote.ParseAddress(g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(g.MountAddr())
	mount, _ := strconv.ParseUint(port, 10, 16)
	cfg := remote.Config{Server: server, Path: "/homes", Version: v}
	if v == remote.V3 {
		cfg.MountPort = uint16(mount)
	}
	fs, err := remote.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fs.Close() })
	return fs
}

var versions = []remote.Version{remote.V42, remote.V41, remote.V3}

// scanned scans the base share of a peer.
func scanned(t *testing.T, fs *remote.FS, spec usage.Spec) *usage.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var err error
	if spec.Path, err = fs.Below("/homes"); err != nil {
		t.Fatal(err)
	}
	r, err := usage.Scan(ctx, fs, spec)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPeer compares what a scan finds at another server with what du(1) finds at its disk.
func TestPeer(t *testing.T) {
	needPeer(t)
	dir := t.TempDir()
	usagetest.MakeTree(t, filepath.Join(dir, "prod"), 100_000)
	usagetest.MakeTree(t, filepath.Join(dir, "staging"), 3)
	want := usagetest.Measure(t, dir, "prod", "staging")
	g := peer(t, dir, "")
	for _, v := range versions {
		t.Run("NFSv"+v.String(), func(t *testing.T) {
			fs := reach(t, g, v)
			st := (&tree{T: t}).state()
			for _, what := range []string{"first", "with a state", "all again"} {
				maxAge := time.Hour
				if what == "all again" {
					maxAge = 0
				}
				r := scanned(t, fs, usage.At(usage.Spec{State: st.open(), MaxAge: maxAge}, 2*time.Minute))
				st.close()
				if r.Errors != 0 || r.Vanished != 0 || len(r.Hubs) != 2 {
					t.Errorf("%s: %d errors, %d vanished, %d hubs: %v", what, r.Errors, r.Vanished, len(r.Hubs), r.Problems)
				}
				want.Compare(t, r)
			}
		})
	}
}

// TestSquashingPeer scans a server that takes root for nobody.
func TestSquashingPeer(t *testing.T) {
	needPeer(t)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	usagetest.MakeTree(t, filepath.Join(dir, "prod"), 3)
	locked := filepath.Join(dir, "prod", "locked")
	for _, path := range []string{locked, locked + "/private", locked + "/private/none"} {
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+"/file", []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]os.FileMode{locked: 0o700, locked + "/private": 0o700, locked + "/private/none": 0} {
		if err := os.Chown(path, 1001, 1001); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	g := peer(t, dir, ganesha.RootSquash)
	for _, v := range versions {
		t.Run("NFSv"+v.String(), func(t *testing.T) {
			fs := reach(t, g, v)
			r := scanned(t, fs, usage.Spec{})
			if r.Errors != 1 || len(r.Problems) != 1 || r.Problems[0].Path != "prod/locked/private/none" {
				t.Errorf("%d errors: %v", r.Errors, r.Problems)
			}
			for _, h := range r.Hubs[0].Homes {
				if h.Name == "locked" && (h.Files != 2 || h.Directories != 3 || h.Errors != 1) {
					t.Errorf("%+v", h)
				}
			}
			r = scanned(t, fs, usage.Spec{As: &vfs.Caller{UID: 1000, GID: 1000}})
			if r.Errors != 1 || r.Problems[0].Path != "prod/locked" {
				t.Errorf("as another: %d errors: %v", r.Errors, r.Problems)
			}
		})
	}
}

// TestPeerChanges scans while directories and files are made and removed. What nobody touches must be right.
func TestPeerChanges(t *testing.T) {
	needPeer(t)
	dir := t.TempDir()
	quiet, busy := filepath.Join(dir, "prod", "quiet"), filepath.Join(dir, "prod", "busy")
	for i := range 50 {
		path := filepath.Join(quiet, fmt.Sprint(i))
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+"/file", []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g := peer(t, dir, "")
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			path := filepath.Join(busy, fmt.Sprint(i%7))
			os.RemoveAll(path)
			for j := range 30 {
				os.MkdirAll(filepath.Join(path, fmt.Sprint(j)), 0o755)
				os.WriteFile(filepath.Join(path, fmt.Sprint(j), "file"), []byte("x"), 0o644)
			}
		}
	})
	defer all.Wait()
	defer close(stop)
	for _, v := range versions {
		fs := reach(t, g, v)
		for range 10 {
			r := scanned(t, fs, usage.Spec{})
			for _, problem := range r.Problems {
				// A server that looks at an entry when it has gone may have any word for it.
				if !strings.HasPrefix(problem.Path, "prod/busy/") {
					t.Errorf("NFSv%v: %s: %v", v, problem.Path, problem.Err)
				}
			}
			for _, h := range r.Hubs[0].Homes {
				if h.Name == "quiet" && (h.Files != 50 || h.Directories != 51 || h.Errors != 0) {
					t.Errorf("NFSv%v: %+v", v, h)
				}
			}
		}
	}
}

// TestPeerRestarts restarts the server under a scan, which goes on.
func TestPeerRestarts(t *testing.T) {
	needPeer(t)
	dir := t.TempDir()
	for i := range 2000 {
		path := filepath.Join(dir, "prod", fmt.Sprint("user", i%10), fmt.Sprint(i))
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	g := peer(t, dir, "")
	for _, v := range versions {
		t.Run("NFSv"+v.String(), func(t *testing.T) {
			fs := reach(t, g, v)
			var once sync.Once
			restarted := false
			done := 0
			slow := usage.Spec{Parallel: 2, Done: func(usage.Home) {
				if done++; done == 3 {
					once.Do(func() {
						ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
						defer cancel()
						if err := g.Restart(ctx); err != nil {
							t.Errorf("restart: %v", err)
						}
						restarted = true
					})
				}
			}}
			r := scanned(t, fs, slow)
			if total := r.Hubs[0].Total(); !restarted || total.Directories != 2011 || r.Errors != 0 {
				t.Errorf("restarted: %v; %d directories, %d errors: %v", restarted, total.Directories, r.Errors, r.Problems)
			}
		})
	}
}
