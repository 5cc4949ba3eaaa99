// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// watched is a Watch of a file that runs until the test ends.
type watched struct {
	t     *testing.T
	calls chan string // what the file said at each call
	err   chan error
}

func watching(t *testing.T, file string) *watched {
	t.Helper()
	w := &watched{t: t, calls: make(chan string, 100), err: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.err <- Watch(ctx, file, func() {
			data, err := os.ReadFile(file)
			if err != nil {
				data = []byte("no file")
			}
			w.calls <- string(data)
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-w.err:
			if err != nil {
				t.Errorf("Watch: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Watch goes on after its context has ended")
		}
	})
	return w
}

// says waits until the file was noticed to say something.
func (w *watched) says(want string) {
	w.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case got := <-w.calls:
			if got == want {
				return
			}
		case err := <-w.err:
			w.err <- nil
			w.t.Fatalf("Watch: %v", err)
		case <-deadline:
			w.t.Fatalf("nobody noticed that the file says %q", want)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

func TestWatchFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "hubhome.yaml")
	write(t, file, "one")
	w := watching(t, file)
	w.says("one") // once without any change

	write(t, file, "two")
	w.says("two")

	write(t, file+".tmp", "three") // as most editors do
	rename(t, file+".tmp", file)
	w.says("three")

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w.says("no file")
	write(t, file, "four")
	w.says("four")
}

// TestWatchQuiet has changes that are none: to other files, and writing what was there before.
func TestWatchQuiet(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "hubhome.yaml")
	write(t, file, "one")
	w := watching(t, file)
	w.says("one")
	write(t, filepath.Join(dir, "other"), "two")
	write(t, file+".tmp", "one")
	rename(t, file+".tmp", file)
	write(t, file, "one")
	time.Sleep(3 * settleTime)
	write(t, file, "end")
	if got := <-w.calls; got != "end" {
		t.Errorf("a change was seen, to %q, where there was none", got)
	}
}

// TestWatchBurst wants few calls for many writes: one configuration, not each step to it.
func TestWatchBurst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hubhome.yaml")
	write(t, file, "start")
	w := watching(t, file)
	w.says("start")
	for i := range 200 {
		write(t, file, strconv.Itoa(i))
	}
	write(t, file, "end")
	calls := 0
	for got := ""; got != "end"; calls++ {
		select {
		case got = <-w.calls:
		case <-time.After(10 * time.Second):
			t.Fatal("nobody noticed the end")
		}
	}
	if calls > 20 {
		t.Errorf("%d calls for 201 writes in a row", calls)
	}
}

// TestWatchConfigMap changes a file as the kubelet's AtomicWriter does: the file is a link to ..data/hubhome.yaml, and
// ..data one to a directory with a time in its name, which is replaced by rename and then removed.
func TestWatchConfigMap(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "hubhome.yaml"), text)
		symlink(t, name, filepath.Join(dir, "..data_tmp"))
		rename(t, filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))
	}
	version("..2026_01_01", "one")
	file := filepath.Join(dir, "hubhome.yaml")
	symlink(t, filepath.Join("..data", "hubhome.yaml"), file)

	w := watching(t, file)
	w.says("one")
	before := "..2026_01_01"
	for _, next := range []string{"two", "three", "four"} {
		name := "..2026_01_01_" + next
		version(name, next)
		if err := os.RemoveAll(filepath.Join(dir, before)); err != nil {
			t.Fatal(err)
		}
		before = name
		w.says(next)
	}
}

// TestWatchLink writes to the file that a link in another directory leads to.
func TestWatchLink(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hubhome.yaml")
	target := filepath.Join(t.TempDir(), "real.yaml")
	write(t, target, "one")
	symlink(t, target, file)
	w := watching(t, file)
	w.says("one")
	write(t, target, "two")
	w.says("two")
	other := filepath.Join(t.TempDir(), "real.yaml")
	write(t, other, "three")
	symlink(t, other, file+".tmp")
	rename(t, file+".tmp", file)
	w.says("three")
	write(t, other, "four")
	w.says("four")
}

func TestWatchNoDirectory(t *testing.T) {
	err := Watch(t.Context(), filepath.Join(t.TempDir(), "none", "hubhome.yaml"), func() { t.Error("called") })
	if err == nil || !strings.HasPrefix(err.Error(), "watch the configuration: ") {
		t.Errorf("Watch: %v", err)
	}
}
