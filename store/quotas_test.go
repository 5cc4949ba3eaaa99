// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// TestRunTimeQuotas: a quota that was set at run time is in force at once, comes before the configuration, and stays.
func TestRunTimeQuotas(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	hubs := []store.Hub{prod[0]}
	hubs[0].Quotas = hubhome.Quotas{
		Home:  hubhome.Quota{Bytes: hubhome.GiB},
		Homes: map[string]hubhome.Quota{"ada": {Bytes: 2 * hubhome.GiB, Inodes: 50}},
	}
	if err := s.SetHubs(ctx, hubs); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob", "_x\xff"} {
		mkdir(t, s, at(t, s, "prod"), name)
	}
	is := func(name string, want hubhome.Quota, override bool) {
		t.Helper()
		if r := report(t, s, name); r.Quota != want || (r.Override != hubhome.Quota{}) != override {
			t.Errorf("%q may take %+v, of which something was set at run time: %v; want %+v, %v", name, r.Quota, r.Override, want, override)
		}
	}
	is("ada", hubhome.Quota{Bytes: 2 * hubhome.GiB, Inodes: 50}, false)
	is("bob", hubhome.Quota{Bytes: hubhome.GiB, Inodes: hubhome.UnlimitedInodes}, false)
	is("_shared", hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: hubhome.UnlimitedInodes}, false)
	set := func(set ...store.Override) {
		t.Helper()
		if err := s.SetQuotas(set); err != nil {
			t.Fatal(err)
		}
	}
	set(store.Override{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: hubhome.MiB}})
	set(store.Override{Hub: "prod", Home: "_x\xff", Quota: hubhome.Quota{Inodes: 3}},
		store.Override{Hub: "prod", Home: "nobody yet", Quota: hubhome.Quota{Bytes: 5}},
		store.Override{Hub: "prod", Home: "bob", Quota: hubhome.Quota{Bytes: hubhome.Unlimited}})
	set(store.Override{Hub: "prod", Home: "bob", Quota: hubhome.Quota{}})
	for range 2 {
		is("ada", hubhome.Quota{Bytes: hubhome.MiB, Inodes: 50}, true)
		is("bob", hubhome.Quota{Bytes: hubhome.GiB, Inodes: hubhome.UnlimitedInodes}, false)
		is("_x\xff", hubhome.Quota{Bytes: hubhome.GiB, Inodes: 3}, true)
		if all := s.Overrides(); len(all) != 3 {
			t.Errorf("set at run time were %+v", all)
		}
		s.Close()
		s = serving(t, path, nil)
		if err := s.SetHubs(ctx, hubs); err != nil {
			t.Fatal(err)
		}
	}
	mkdir(t, s, at(t, s, "prod"), "nobody yet")
	is("nobody yet", hubhome.Quota{Bytes: 5, Inodes: hubhome.UnlimitedInodes}, true)
	for _, bad := range []store.Override{
		{Hub: "pr/od", Home: "ada"}, {Hub: "prod", Home: "a/b"}, {Hub: "prod", Home: ".."}, {Hub: "prod"},
		{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: -1}},
	} {
		if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "bob", Quota: hubhome.Quota{Bytes: 7}}, bad}); err == nil {
			t.Errorf("%+v can be set", bad)
		}
	}
	is("bob", hubhome.Quota{Bytes: hubhome.GiB, Inodes: hubhome.UnlimitedInodes}, false)
}

// TestManyQuotas sets quotas as a script may that runs every minute: what is kept does not grow without end, and is right after
// each, also where it could not be written anew, and where it is not known whether it was.
func TestManyQuotas(t *testing.T) {
	path := t.TempDir()
	var renames atomic.Bool // fail
	var syncs atomic.Int64  // until one fails
	d := &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpRename && renames.Load() || op == disk.OpSync && syncs.Add(-1) == 0 {
			return syscall.EIO
		}
		return nil
	}}
	s := serving(t, path, d)
	file := filepath.Join(path, ".hubhome", "quotas")
	var set [3]hubhome.Bytes
	again := func(when string) {
		t.Helper()
		s.Close()
		s = serving(t, path, d)
		for i, want := range set {
			if q := report(t, s, fmt.Sprint("u", i)).Override.Bytes; q != want {
				t.Fatalf("%s the quota of u%d is %d, and was set to %d", when, i, q, want)
			}
		}
	}
	for i := range set {
		mkdir(t, s, at(t, s, "prod"), fmt.Sprint("u", i))
	}
	one := func(i int) error {
		err := s.SetQuotas([]store.Override{{Hub: "prod", Home: fmt.Sprint("u", i%3), Quota: hubhome.Quota{Bytes: hubhome.Bytes(i + 1)}}})
		if err == nil {
			set[i%3] = hubhome.Bytes(i + 1)
		}
		return err
	}
	longest := int64(0)
	for i := range 400 {
		if err := one(i); err != nil {
			t.Fatal(err)
		}
		if st, err := os.Stat(file); err != nil {
			t.Fatal(err)
		} else {
			longest = max(longest, st.Size())
		}
	}
	if longest > 8<<10 {
		t.Errorf("the file grew to %d bytes for three homes", longest)
	}
	again("after 400")
	renames.Store(true)
	for i := range 150 {
		if err := one(i); err != nil {
			t.Fatal(err)
		}
	}
	renames.Store(false)
	again("where it could not be written anew")
	all := []store.Override{{Hub: "prod", Home: "u0", Quota: hubhome.Quota{Bytes: 7}}, {Hub: "prod", Home: "u1", Quota: hubhome.Quota{Bytes: 7}}}
	for _, n := range []int64{1, 2} { // the file, and when that is in its place, its directory
		syncs.Store(n)
		if err := s.SetQuotas(all); err == nil {
			t.Fatal("it is said to be durable, and was not synced")
		}
		if err := one(5); err != nil {
			t.Fatal(err)
		}
		again("where it was not known whether it was written anew")
	}
}

// TestQuotasNotKept fails each system call of a set that changes something, and then each of what undoes it as well: what was not
// acknowledged is in force neither now nor after a restart, or the error says that it may be then, and the next set puts it right.
func TestQuotasNotKept(t *testing.T) {
	path := t.TempDir()
	var calls, first atomic.Int64 // from 1; those fail
	var from atomic.Int64         // and all from this one on
	d := &disk.Disk{Before: func(op disk.Op) error {
		if !op.Changes() {
			return nil
		}
		n := calls.Add(1)
		if n == first.Load() || from.Load() > 0 && n >= from.Load() {
			return syscall.EIO
		}
		return nil
	}}
	s := serving(t, path, d)
	mkdir(t, s, at(t, s, "prod"), "ada")
	mkdir(t, s, at(t, s, "prod"), "bob")
	s.Recount(ctx)
	set := func(names ...string) error {
		all := make([]store.Override, len(names))
		for i, name := range names {
			all[i] = store.Override{Hub: "prod", Home: name, Quota: hubhome.Quota{Bytes: 7 * hubhome.GiB}}
		}
		calls.Store(0)
		return s.SetQuotas(all)
	}
	before := store.Override{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: hubhome.GiB}}
	if err := s.SetQuotas([]store.Override{before}); err != nil {
		t.Fatal(err)
	}
	never := func() { first.Store(0); from.Store(0) }
	// kept is what a restart would put in force.
	kept := func() []store.Override {
		t.Helper()
		never()
		other := t.TempDir()
		if err := os.CopyFS(other, os.DirFS(path)); err != nil {
			t.Fatal(err)
		}
		opened, err := store.Open(ctx, store.Options{Path: other, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		return opened.Overrides()
	}
	same := func(all []store.Override) bool { return len(all) == 1 && all[0] == before }
	doubts := 0
	for _, names := range [][]string{{"ada"}, {"ada", "bob"}} {
		for n := int64(1); n < 50; n++ {
			never()
			first.Store(n)
			err := set(names...)
			if err == nil { // there is no such call
				never()
				if err := s.SetQuotas([]store.Override{before, {Hub: "prod", Home: "bob"}}); err != nil {
					t.Fatal(err)
				}
				break
			}
			if all := s.Overrides(); !errors.Is(err, syscall.EIO) || strings.Contains(err.Error(), "put back") || !same(all) || !same(kept()) {
				t.Errorf("%v, call %d fails: %v; in force are %v, and after a restart %v", names, n, err, all, kept())
			}
			never()
			from.Store(n)
			err = set(names...)
			said := strings.Contains(err.Error(), "nor can the file be put back")
			if all := s.Overrides(); !same(all) || !said && !same(kept()) {
				t.Errorf("%v, all calls from %d on fail: %v; in force are %v, and after a restart %v", names, n, err, all, kept())
			}
			if said {
				doubts++
			}
			never()
			if err := s.SetQuotas([]store.Override{before}); err != nil || !same(kept()) {
				t.Errorf("%v, after all calls from %d on failed: %v; after a restart in force are %v", names, n, err, kept())
			}
		}
	}
	if doubts < 2 {
		t.Errorf("it was said %d times that the file could not be put back", doubts)
	}
}

// TestDamagedQuotas: a line that was not acknowledged is nothing; one that is damaged is not passed over.
func TestDamagedQuotas(t *testing.T) {
	path := t.TempDir()
	s := serving(t, path, nil)
	if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: 7}}}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	file := filepath.Join(path, ".hubhome", "quotas")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		string(whole) + `{"hub":"prod","ho`:                           "",
		string(whole) + "{\"hub\":\"prod\",\"ho\n" + string(whole):    "line 2",
		string(whole) + "{\"hub\":\"prod\"}\n":                        "line 2",
		"{\"hub\":\"prod\",\"home\":\"ada\",\"bytes\":-5}\n":          "line 1",
		"{\"hub\":\"prod\",\"home\":\"a\\\"da\",\"bytes\":5}\n":       "line 1",
		string(whole) + "{\"hub\":\"prod\",\"home\":\"ada\"}\n{\"a\"": "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
		if err == nil {
			if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "bob", Quota: hubhome.Quota{Bytes: 8}}}); err != nil {
				t.Error(err)
			}
			s.Close()
			if s, err = store.Open(ctx, store.Options{Path: path, Logger: quiet}); err == nil {
				s.Close()
			}
		}
		switch {
		case says == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), ".hubhome/quotas")):
			t.Errorf("%q: the error is %v", text, err)
		}
	}
}

// TestNothingBeforeItsMark: a home is changed only when it is durable that it is being changed, or the next start would believe
// what was known before; and a quota is in force only when it is durable.
func TestNothingBeforeItsMark(t *testing.T) {
	path := t.TempDir()
	var failing atomic.Bool // the next sync
	s := serving(t, path, &disk.Disk{Before: func(op disk.Op) error {
		if op == disk.OpSync && failing.CompareAndSwap(true, false) {
			return syscall.EIO
		}
		return nil
	}})
	s.Recount(ctx)
	home := mkdir(t, s, at(t, s, "prod"), "ada")
	set := func(bytes hubhome.Bytes) error {
		return s.SetQuotas([]store.Override{{Hub: "prod", Home: "ada", Quota: hubhome.Quota{Bytes: bytes}}})
	}
	if err := set(hubhome.GiB); err != nil {
		t.Fatal(err)
	}
	s.Sweep()
	if err := s.Checkpoint(); err != nil { // after which the home is clean, and to be marked again
		t.Fatal(err)
	}
	failing.Store(true)
	_, _, _, _, err := s.FS().Create(ctx, user, home, "f", vfs.Create{}, vfs.Write)
	if !errors.Is(err, syscall.EIO) || failing.Load() {
		t.Errorf("Create answers %v, want EIO", err)
	}
	if _, err := os.Lstat(filepath.Join(path, "prod", "ada", "f")); !os.IsNotExist(err) {
		t.Errorf("the file is there although nothing says so after a crash: %v", err)
	}
	failing.Store(true)
	if err := set(hubhome.MiB); !errors.Is(err, syscall.EIO) {
		t.Errorf("SetQuotas answers %v, want EIO", err)
	}
	if q := report(t, s, "ada").Quota.Bytes; q != hubhome.GiB {
		t.Errorf("a quota of %s is in force that is gone after a crash", hubhome.FormatQuotaBytes(q))
	}
	if err := set(hubhome.MiB); err != nil {
		t.Errorf("SetQuotas: %v", err)
	}
	put(t, s, home, "g", 5000)
	exact(t, s, path)
}
