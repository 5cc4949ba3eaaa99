// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"
)

// How many homes have figures of their own: by default, and at most.
const (
	defaultMetricsHomes = 10_000
	maxMetricsHomes     = 1_000_000
)

// metricsHomes reads how many homes have figures of their own.
func (r *reader) metricsHomes(v value) {
	if n, ok := r.number(v, 0, maxMetricsHomes, "10000"); ok {
		r.config.Metrics.Homes = n
	}
}

// number returns a whole number that is in a range.
func (r *reader) number(v value, least, most int, example string) (int, bool) {
	node, ok := v.node.(*ast.IntegerNode)
	if !ok {
		r.wrong(v, "is %s, not a whole number; write one, such as %s", kind(v.node), example)
		return 0, false
	}
	n, err := strconv.Atoi(node.GetToken().Value)
	if err != nil || n < least || n > most {
		r.wrong(v, "%.64s is not a whole number from %d to %d", node.GetToken().Value, least, most)
		return 0, false
	}
	return n, true
}
