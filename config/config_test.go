// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
)

// parsed returns what a file says that must be good.
func parsed(t *testing.T, file, text string) *Config {
	t.Helper()
	c, err := Parse(file, []byte(text))
	if err != nil {
		t.Fatalf("%s\nof\n%s", err, text)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := parsed(t, "/etc/hubhome.yaml", "store: {disk: {path: /data/}}\nnfs:\n  allow: [10.0.0.0/8, fd00::/8]\nhubs:\n  b:\n  a: {}\n")
	if c.Store.Disk.Path != "/data" {
		t.Errorf("the store is in %s", c.Store.Disk.Path)
	}
	want := NFS{
		Listen: ":2049", BaseShare: "/homes", Squash: SquashAll, Owner: hubhome.Owner{UID: 1000, GID: 1000},
		Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")},
	}
	if !reflect.DeepEqual(c.NFS, want) {
		t.Errorf("nfs is %+v, want %+v", c.NFS, want)
	}
	if c.Admin.Socket != "/data/.hubhome/admin.sock" || c.Metrics != (Metrics{Homes: 10000}) {
		t.Errorf("an operator has %+v and %+v", c.Admin, c.Metrics)
	}
	if w := (Warnings{At: []int{80, 90, 100}}); !reflect.DeepEqual(c.Warnings, w) {
		t.Errorf("warnings are %+v", c.Warnings)
	}
	if c.Log.Level != slog.LevelInfo {
		t.Errorf("the level is %v", c.Log.Level)
	}
	hubs := []Hub{
		{Name: "b", Owner: hubhome.DefaultOwner, Mode: 0o755, Shared: true},
		{Name: "a", Owner: hubhome.DefaultOwner, Mode: 0o755, Shared: true},
	}
	if !reflect.DeepEqual(c.Hubs, hubs) {
		t.Errorf("the hubs are %+v, want %+v", c.Hubs, hubs)
	}
}

// everything is a file with another value than the default for every key.
const everything = `# a comment
store: {disk: {path: ../data}}
nfs:
  listen: "[::1]:0"
  baseShare: /export//home/
  squash: none
  owner: "0:0"
quota: {reserve: {enabled: false, bytes: 1GiB, fileBytes: 2 MiB, inodes: 5}}
log: {level: debug}
admin: {socket: admin.sock}
metrics: {listen: ":9", homes: 0}
warnings: {at: [50], file: stdout, webhook: secret}
hubs:
  a: {mode: 0750, owner: 5:6, quota: {home: unlimited, total: {bytes: 1TB}, homes: {"-x": {inodes: 7}, 5: 6B}}}
  b: {mode: 0o2775, shared: false, sharedPublic: true}
  2024.c: {mode: "01777"}
`

// remote says everything that a file can about a server of somebody else's.
const remote = `store:
  nfs:
    server: "[fd00::5]:20049"
    baseShare: /vol/homes/
    version: 3
    mountPort: 20048
    as: 1001:1002
    stateDir: ../state
    scan: {interval: 90m, iops: 0, maxAge: 0}
hubs: {a: {}, b: }
`

// TestRemote has such a server, as plainly as can be and with everything.
func TestRemote(t *testing.T) {
	c := parsed(t, "conf/hubhome.yaml", "store: {nfs: {server: filer, stateDir: /s}}")
	want := Remote{
		Server: "filer", BaseShare: "/homes", Version: "auto", As: "auto", StateDir: "/s",
		Scan: Scan{Interval: 6 * time.Hour, IOPS: 1000, MaxAge: 24 * time.Hour},
	}
	if c.Store != (Store{Remote: want}) || c.Admin.Socket != "/s/admin.sock" || c.Hubs != nil || !c.Store.IsRemote() {
		t.Errorf("it says %+v", c)
	}
	c = parsed(t, "conf/hubhome.yaml", remote)
	want = Remote{
		Server: "[fd00::5]:20049", BaseShare: "/vol/homes", Version: "3", MountPort: 20048, As: "1001:1002", StateDir: "state",
		Scan: Scan{Interval: 90 * time.Minute},
	}
	if c.Store != (Store{Remote: want}) || c.Admin.Socket != "state/admin.sock" || len(c.Hubs) != 2 {
		t.Errorf("it says %+v", c)
	}
	if d := parsed(t, "hubhome.yaml", everything); d.Store.IsRemote() || d.Same(c) {
		t.Error("a disk is a server of somebody else's")
	}
}

func TestValues(t *testing.T) {
	for name, text := range map[string]string{
		"as it is":           everything,
		"lines of DOS":       strings.ReplaceAll(everything, "\n", "\r\n"),
		"byte order mark":    "\ufeff" + everything,
		"markers":            "---\n" + everything + "...\n",
		"directive":          "%YAML 1.2\n---\n" + everything,
		"second without any": everything + "---\n# nothing\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := parsed(t, "conf/hubhome.yaml", text)
			c.at = nil
			want := &Config{
				Store: Store{Disk: Disk{Path: "data"}},
				NFS:   NFS{Listen: "[::1]:0", BaseShare: "/export/home", Allow: loopback, Squash: SquashNone},
				Quota: Quota{Reserve: hubhome.Reserve{Bytes: hubhome.GiB, File: 2 * hubhome.MiB, Inodes: 5}},
				Log:   Log{Level: slog.LevelDebug},

				Admin:    Admin{Socket: "conf/admin.sock"},
				Metrics:  Metrics{Listen: ":9"},
				Warnings: Warnings{At: []int{50}, File: Stdout, WebhookFile: "conf/secret"},
				Hubs: []Hub{
					{Name: "a", Owner: hubhome.Owner{UID: 5, GID: 6}, Mode: 0o750, Shared: true, Quotas: hubhome.Quotas{
						Home: hubhome.Quota{Bytes: hubhome.Unlimited}, Total: hubhome.Quota{Bytes: 1e12},
						Homes: map[string]hubhome.Quota{"-x": {Inodes: 7}, "5": {Bytes: 6}},
					}},
					{Name: "b", Mode: 0o2775, SharedPublic: true},
					{Name: "2024.c", Mode: 0o1777, Shared: true},
				},
				file: "conf/hubhome.yaml",
			}
			if !reflect.DeepEqual(c, want) {
				t.Errorf("it says\n%+v, want\n%+v", c, want)
			}
		})
	}
}

func TestBaseShare(t *testing.T) {
	for written, want := range map[string]string{"/": "/", "/homes": "/homes", "/homes/": "/homes", "/a/b//": "/a/b"} {
		c := parsed(t, "f", "store: {disk: {path: a}}\nnfs: {listen: localhost:0, baseShare: "+written+"}\n")
		if c.NFS.BaseShare != want {
			t.Errorf("the base share %s becomes %s, want %s", written, c.NFS.BaseShare, want)
		}
	}
}

func TestPlace(t *testing.T) {
	c := parsed(t, "hubhome.yaml", everything)
	for key, want := range map[string]string{
		"store.disk.path": "hubhome.yaml:2:16",
		"nfs.listen":      "hubhome.yaml:4:3",
		"hubs.b":          "hubhome.yaml:15:3",
		"nfs.allow":       "hubhome.yaml",
	} {
		if got := c.Place(key); got != want {
			t.Errorf("%s is at %s, want %s", key, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.yaml"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err = Load(dir); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	file := filepath.Join(dir, "hubhome.yaml")
	if err := os.WriteFile(file, []byte(everything), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil || len(c.Hubs) != 3 {
		t.Errorf("Load: %+v, %v", c, err)
	}
	if err := os.Truncate(file, 1<<30); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(file); err == nil || !strings.Contains(err.Error(), "longer than 1048576 bytes") {
		t.Errorf("a gigabyte: %v", err)
	}
}

// FuzzParse looks for a file that panics, hangs, has no place for its problems, or yields what was not checked.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add(everything)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("f", []byte(text))
		if err != nil {
			problems, ok := errors.AsType[Problems](err)
			if !ok || len(problems) == 0 {
				t.Fatalf("the error is %#v", err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Column < 1 || p.What == "" || strings.ContainsAny(p.Key, "\n\r\x00") {
					t.Errorf("the problem is %#v", p)
				}
			}
			return
		}
		if c.Store.Disk.Path == "" || c.NFS.Listen == "" || len(c.NFS.Allow) == 0 || c.NFS.BaseShare[0] != '/' {
			t.Errorf("it was taken as %+v", c)
		}
		for _, h := range c.Hubs {
			if _, err := hubhome.ParseHubName(string(h.Name)); err != nil || h.Mode&0o700 != 0o700 || h.Mode > 0o7777 {
				t.Errorf("it was taken with the hub %+v", h)
			}
		}
	})
}
