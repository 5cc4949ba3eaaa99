// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of what is given to the parser, whose time grows with the square of a line and the cube of a nesting.
const (
	maxLine    = 16 << 10
	maxNesting = 32
)

// document returns the one mapping that a file is. Where it returns nil it has reported why.
func (r *reader) document(data []byte) *ast.MappingNode {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !r.readable(data) {
		return nil
	}
	file, err := parse(data)
	if err != nil {
		at, message := position{1, 1}, err.Error()
		if e, ok := errors.AsType[yaml.Error](err); ok {
			at, message = place(e.GetToken()), e.GetMessage()
		}
		r.report(at, "", "is not YAML from here on: %s", advice(strings.TrimSpace(message)))
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.DirectiveType:
		case body != nil:
			at := place(doc.Body.GetToken())
			if doc.Start != nil {
				at = place(doc.Start)
			}
			r.report(at, "", "a second document begins; a configuration is one: take out the line ---")
			return nil
		default:
			body = doc.Body
		}
	}
	return r.root(body)
}

// advice is what the parser says, with what to do where that is not plain from it.
func advice(message string) string {
	switch {
	case strings.HasPrefix(message, "found character '\t'"):
		return "a tab, by which nothing can be indented; write spaces"
	case strings.HasPrefix(message, "value is not allowed"), strings.HasPrefix(message, "mapping value is not allowed"),
		strings.HasPrefix(message, "non-map value"):
		return message + "; keys that belong together begin in one column, each has a colon and a space after it, " +
			"and text with brackets or a colon is in quotes"
	}
	return message
}

// root returns a document's mapping.
func (r *reader) root(body ast.Node) *ast.MappingNode {
	switch body := body.(type) {
	case *ast.MappingNode:
		return body
	case nil, *ast.NullNode:
		r.report(position{1, 1}, "", "the file is empty; it needs at least store.disk.path and who may connect (nfs.allow)")
	default:
		r.report(place(body.GetToken()), "", "the file is %s, not a mapping; begin with the line store:", kind(body))
	}
	return nil
}

// readable tells whether data is text that the parser can read in little time.
func (r *reader) readable(data []byte) bool {
	if len(data) > maxFile {
		r.report(position{1, 1}, "", "the file is longer than %d bytes; it cannot be a configuration", maxFile)
		return false
	}
	line, depth := 0, 0
	for text := range bytes.Lines(data) {
		line++
		if len(text) > maxLine {
			r.report(position{line, 1}, "", "the line is longer than %d bytes; break it", maxLine)
			return false
		}
		for i := 0; i < len(text); {
			c, size := utf8.DecodeRune(text[i:])
			at := position{line, 1 + utf8.RuneCount(text[:i])}
			switch {
			case c == utf8.RuneError && size == 1:
				r.report(at, "", "the byte %#02x is not UTF-8; save the file as UTF-8", text[i])
				return false
			case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
				r.report(at, "", "the control character %q is not allowed in YAML; take it out", c)
				return false
			case c == '[' || c == '{':
				depth++
			case c == ']' || c == '}':
				depth = max(0, depth-1)
			}
			if depth+leaders(text) > maxNesting {
				r.report(at, "", "is nested more than %d deep; no key of a configuration is", maxNesting)
				return false
			}
			i += size
		}
	}
	return true
}

// leaders is how many nested blocks the beginning of a line opens.
func leaders(line []byte) int {
	n := 0
	for len(line) > 0 && (line[0] == ' ' || line[0] == '-' || line[0] == '?') {
		if line[0] != ' ' {
			n++
		}
		line = line[1:]
	}
	return n
}

// parse never panics, whatever the parser does about what it did not expect.
func parse(data []byte) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parser cannot go on (%v)", p)
		}
	}()
	return parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
}
