// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package ganesha

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestStart starts one, and has it answer and stop.
func TestStart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts NFS-Ganesha")
	}
	if err := Available(); err != nil {
		t.Skip(err)
	}
	s, err := Start(t.Context(), Config{Dir: t.TempDir(), Pseudo: "/homes"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	if err := null(t.Context(), s.Addr()); err != nil {
		t.Errorf("it was started and does not answer: %v", err)
	}
	if err := syscall.Kill(s.PID(), 0); err != nil {
		t.Errorf("process %d: %v", s.PID(), err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := syscall.Kill(s.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d after Stop: %v, and it should be gone", s.PID(), err)
	}
	if _, err := os.Stat(s.temp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s after Stop: %v, and it should be gone", s.temp, err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

// TestBadExport refuses what cannot be exported before anything is started.
func TestBadExport(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Dir: "here", Pseudo: "/homes"}, "absolute"},
		{Config{Dir: dir, Pseudo: "homes"}, "absolute"},
		{Config{Dir: dir, Pseudo: `/"; Squash = All; "`}, "quotes"},
		{Config{Dir: filepath.Join(dir, "missing"), Pseudo: "/homes"}, "no such file"},
		{Config{Dir: file, Pseudo: "/homes"}, "not a directory"},
	} {
		s, err := Start(t.Context(), test.config)
		if err == nil {
			s.Stop()
			t.Errorf("%+v was exported", test.config)
		} else if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, and not a word of %q", test.config, err, test.want)
		}
	}
}
