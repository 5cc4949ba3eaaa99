// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsconn

import (
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/vfs"
)

// Read reads into p from off with as many READs, of at most size bytes each, as it takes.
func Read(p []byte, off, size uint64, read func(p []byte, off uint64) (n int, eof bool, err error)) (n int, eof bool, err error) {
	for {
		part := p[n:][:min(uint64(len(p)-n), size)]
		got, end, err := read(part, off+uint64(n))
		n += got
		if err != nil || end || n == len(p) {
			return n, end, err
		}
		if got == 0 {
			return n, false, fmt.Errorf("the server sends no data and no end: %w", oncrpc.ErrXDR)
		}
	}
}

// Copy copies what a server sent to where it was asked for.
func Copy(p, data []byte) (int, error) {
	if len(data) > len(p) {
		return 0, fmt.Errorf("the server sends %d bytes for %d: %w", len(data), len(p), oncrpc.ErrXDR)
	}
	return copy(p, data), nil
}

// Written is the answer to one WRITE, of which Committed has the values of vfs.Stability where the server is sane.
type Written struct {
	Count, Committed uint32
	Verifier         vfs.Verifier
}

// Check refuses what cannot be the answer to a WRITE of p that asked for a stability.
func (w *Written) Check(p []byte, want vfs.Stability) error {
	if uint64(w.Count) > uint64(len(p)) || w.Committed > uint32(vfs.FileSync) || w.Committed < uint32(want) {
		return fmt.Errorf("the server says it wrote %d bytes of %d, stability %d for %d: %w",
			w.Count, len(p), w.Committed, want, oncrpc.ErrXDR)
	}
	return nil
}

// Writing is a write of many bytes while it runs, with as many WRITEs as it takes.
type Writing struct {
	n        int
	did      vfs.Stability
	verifier vfs.Verifier
}

// Write writes p at off, from where it was left, in WRITEs of at most size bytes each. It ends early, without error,
// where the server has lost what it had not synced between two of them: the verifier is of all that was written.
func (w *Writing) Write(p []byte, off, size uint64, write func(p []byte, off uint64) (Written, error)) error {
	for {
		part := p[w.n:][:min(uint64(len(p)-w.n), size)]
		res, err := write(part, off+uint64(w.n))
		if err != nil {
			return err
		}
		if w.n > 0 && res.Verifier != w.verifier {
			return nil
		}
		did := vfs.Stability(res.Committed)
		if w.n > 0 {
			did = min(did, w.did)
		}
		w.n, w.did, w.verifier = w.n+int(res.Count), did, res.Verifier
		if w.n == len(p) {
			return nil
		}
		if res.Count == 0 {
			return fmt.Errorf("the server wrote nothing: %w", syscall.EIO)
		}
	}
}

// Result is what vfs.File.WriteAt answers. Where a part was written there is no error: what went wrong will again with
// the rest.
func (w *Writing) Result(err error) (n int, did vfs.Stability, v vfs.Verifier, _ error) {
	if w.n > 0 {
		err = nil
	}
	return w.n, w.did, w.verifier, err
}
