// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsconn

import (
	"errors"
	"syscall"
	"testing"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// TestRead reads in parts that are shorter than asked for, to the end, and from a server that says nothing.
func TestRead(t *testing.T) {
	const contents = "0123456789"
	server := func(p []byte, off uint64) (int, bool, error) {
		if len(p) > 4 {
			t.Errorf("asked for %d bytes at once", len(p))
		}
		n := copy(p[:min(len(p), 3)], contents[min(off, 10):])
		return n, off+uint64(n) >= 10, nil
	}
	for _, test := range []struct {
		off  uint64
		len  int
		want string
		eof  bool
	}{{0, 5, "01234", false}, {0, 20, contents, true}, {7, 3, "789", true}, {9, 1, "9", true}, {10, 1, "", true}} {
		p := make([]byte, test.len)
		n, eof, err := Read(p, test.off, 4, server)
		if err != nil || string(p[:n]) != test.want || eof != test.eof {
			t.Errorf("%d bytes at %d: %q, end %v, %v", test.len, test.off, p[:n], eof, err)
		}
	}
	_, _, err := Read(make([]byte, 5), 0, 4, func([]byte, uint64) (int, bool, error) { return 0, false, nil })
	if !errors.Is(err, oncrpc.ErrXDR) {
		t.Errorf("no data and no end: %v", err)
	}
}

// answers are what a server answers to WRITEs, one after another.
func answers(list ...Written) func([]byte, uint64) (Written, error) {
	return func(p []byte, off uint64) (Written, error) {
		if len(list) == 0 {
			return Written{}, syscall.ENOSPC
		}
		w := list[0]
		list = list[1:]
		return w, nil
	}
}

// TestWriting writes in parts: all of it, to a server that loses what it had, and to one that is full.
func TestWriting(t *testing.T) {
	a, b := vfs.Verifier{1}, vfs.Verifier{2}
	for name, test := range map[string]struct {
		server func([]byte, uint64) (Written, error)
		n      int
		did    vfs.Stability
		err    error
	}{
		"whole":            {answers(Written{4, 2, a}, Written{3, 1, a}, Written{3, 2, a}), 10, vfs.DataSync, nil},
		"restarts between": {answers(Written{4, 0, a}, Written{4, 0, b}), 4, vfs.Unstable, nil},
		"full":             {answers(Written{4, 2, a}), 4, vfs.FileSync, nil},
		"full at once":     {answers(), 0, vfs.Unstable, syscall.ENOSPC},
		"writes nothing":   {answers(Written{0, 2, a}), 0, vfs.FileSync, syscall.EIO},
	} {
		var w Writing
		n, did, v, err := w.Result(w.Write(make([]byte, 10), 0, 4, test.server))
		if n != test.n || did != test.did || !errors.Is(err, test.err) || n > 0 && v != a {
			t.Errorf("%s: %d bytes, stability %d, verifier %x, %v", name, n, did, v, err)
		}
	}
}

// TestWrittenCheck refuses what no sane server answers.
func TestWrittenCheck(t *testing.T) {
	p := make([]byte, 4)
	for _, w := range []Written{{Count: 5, Committed: 2}, {Count: 4, Committed: 3}, {Count: 4, Committed: 0}, {Count: 4, Committed: 1 << 8}} {
		if err := w.Check(p, vfs.DataSync); !errors.Is(err, oncrpc.ErrXDR) {
			t.Errorf("%+v: %v", w, err)
		}
	}
	if err := (&Written{Count: 3, Committed: 2}).Check(p, vfs.DataSync); err != nil {
		t.Error(err)
	}
}
