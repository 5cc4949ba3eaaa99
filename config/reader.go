// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// reader makes a Config of a document, and goes on after a problem to find the next one.
type reader struct {
	config   *Config
	problems Problems
	// meant are the keys that an unknown one was most likely meant to be.
	meant map[string]bool
}

// value is what a file has for a key.
type value struct {
	// key is the whole key, with dots; name its last part; at is where that is.
	key, name string
	at        position
	node      ast.Node
}

// place is a token's position.
func place(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{1, 1}
	}
	return position{max(1, t.Position.Line), max(1, t.Position.Column)}
}

// pos is where the value is; where there is none, its key.
func (v value) pos() position {
	t := v.node.GetToken()
	if t == nil || t.Type == token.ImplicitNullType {
		return v.at
	}
	return place(t)
}

// report keeps a problem. key may be empty.
func (r *reader) report(at position, key, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.config.file, Line: at.line, Column: at.column, Key: key, What: fmt.Sprintf(format, args...),
	})
}

// wrong reports what is wrong with a value.
func (r *reader) wrong(v value, format string, args ...any) {
	r.report(v.pos(), v.key, format, args...)
}

// mapping calls fn for each key of a mapping, once. A key without a value is a mapping without keys.
func (r *reader) mapping(v value, example string, fn func(value)) {
	node, ok := v.node.(*ast.MappingNode)
	if !ok {
		if v.node.Type() != ast.NullType {
			r.wrong(v, "is %s, not a mapping; write its keys below it, indented, such as %s", kind(v.node), example)
		}
		return
	}
	first := map[string]position{}
	for _, entry := range node.Values {
		name, ok := keyName(entry.Key)
		at := place(entry.Key.GetToken())
		if !ok {
			r.report(at, v.key, "a key cannot be %s; write plain text", kind(entry.Key))
			continue
		}
		key := join(v.key, name)
		if was, twice := first[name]; twice {
			r.report(at, key, "is here a second time, after line %d; take one of them out", was.line)
			continue
		}
		first[name] = at
		r.config.at[key] = at
		fn(value{key: key, name: name, at: at, node: entry.Value})
	}
}

// join puts a key below another. A name that would not read well in a line is quoted.
func join(above, name string) string {
	if q := shortened(name); name == "" || q != `"`+name+`"` || strings.ContainsAny(name, " :.") {
		name = q
	}
	if above == "" {
		return name
	}
	return above + "." + name
}

// keyName returns a key as it is written.
func keyName(key ast.MapKeyNode) (string, bool) {
	switch key := key.(type) {
	case *ast.StringNode:
		return key.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode, *ast.MergeKeyNode:
		return key.GetToken().Value, true
	}
	return "", false
}

// text returns a value that is text. example is what one could write there.
func (r *reader) text(v value, example string) (string, bool) {
	switch node := v.node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.NullNode:
		r.wrong(v, "has no value; write one, such as %s, or take the key out", example)
	default:
		r.wrong(v, "is %s, not text; write something such as %s", kind(v.node), example)
	}
	return "", false
}

// list calls fn for each element of a list.
func (r *reader) list(v value, example string, fn func(value)) {
	switch node := v.node.(type) {
	case *ast.SequenceNode:
		for _, element := range node.Values {
			fn(value{key: v.key, name: v.name, at: place(element.GetToken()), node: element})
		}
	case *ast.NullNode:
		r.wrong(v, "has no value; write a list, such as %s", example)
	default:
		r.wrong(v, "is %s, not a list; write one, such as %s", kind(v.node), example)
	}
}

// boolean sets what v says.
func (r *reader) boolean(v value, to *bool) {
	node, ok := v.node.(*ast.BoolNode)
	if !ok {
		r.wrong(v, "is %s; write true or false", kind(v.node))
		return
	}
	*to = node.Value
}

// kind says what a node is, and where it is short, what it says.
func kind(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return fmt.Sprintf("the text %s", shortened(n.Value))
	case *ast.LiteralNode:
		return "a block of text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return fmt.Sprintf("the number %.64s", n.GetToken().Value)
	case *ast.BoolNode:
		return fmt.Sprintf("the truth value %s", n.GetToken().Value)
	case *ast.NullNode:
		return "empty"
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor (&) or an alias (*)"
	case *ast.TagNode:
		return "a value with a tag (!)"
	}
	return "something else"
}

// shortened quotes a text, and cuts what is too long to read.
func shortened(s string) string {
	const readable = 64
	if len(s) > readable {
		return fmt.Sprintf("%q…", s[:readable])
	}
	return fmt.Sprintf("%q", s)
}
