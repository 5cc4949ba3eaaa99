// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsconn

import (
	"fmt"
	"strings"

	"github.com/hubhome/hubhome/oncrpc"
)

// CheckEntry refuses what cannot be the name of an entry of a directory, and would lead elsewhere who goes by it. Names that
// are longer than vfs.MaxName are some servers' own, and no harm.
func CheckEntry(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("the server sends %q as a name: %w", name, oncrpc.ErrXDR)
	}
	return nil
}

// Progress sees that a directory which a server sends part by part comes to an end: some go round in a circle, for ever,
// where the index of a directory is broken. It is told the last cookie of every part, of one without entries that of the
// part before. No part ends with zero, which is where a directory begins.
//
// It remembers one cookie, of ever longer ago (R. P. Brent, An improved Monte Carlo factorization algorithm, 1980): a
// circle is found after three times its length and that of the way into it at most, and a directory of any size takes no memory.
type Progress struct {
	seen         uint64
	parts, until int
}

// Part is ErrXDR where it is seen that a part of before has ended with the same cookie.
func (p *Progress) Part(cookie uint64) error {
	if cookie == p.seen {
		return fmt.Errorf("the server sends the same part of the directory again, and no end: %w", oncrpc.ErrXDR)
	}
	if p.parts == p.until {
		p.seen, p.parts, p.until = cookie, 0, max(1, 2*p.until)
	}
	p.parts++
	return nil
}
