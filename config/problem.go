// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// position is a place in a file, in lines and characters that begin with 1.
type position struct{ line, column int }

// Problem is one thing that is wrong with a file.
type Problem struct {
	File string
	// Line and Column begin with 1.
	Line, Column int
	// Key is the key concerned, with dots, or empty.
	Key string
	// What says what is wrong and what to do about it.
	What string
}

// Error returns the problem in one line, in the form that editors know: file:line:column: what.
func (p Problem) Error() string {
	at := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Key != "" {
		at += p.Key + ": "
	}
	return at + p.What
}

// Problems is everything that is wrong with a file, in the order of its lines. As an error it is one line for each.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}
