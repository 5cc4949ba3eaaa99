// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/hubhome/hubhome"
)

// reserveKeys are the keys of what may still be written when a quota is spent.
func (r *reader) reserveKeys() []key {
	reserve := &r.config.Quota.Reserve
	return []key{
		{name: "enabled", read: func(v value) { r.boolean(v, &r.config.Quota.ReserveEnabled) }},
		{name: "bytes", read: func(v value) { r.size(v, hubhome.ParseBytes, &reserve.Bytes) }},
		{name: "fileBytes", read: func(v value) { r.size(v, hubhome.ParseBytes, &reserve.File) }},
		{name: "inodes", read: func(v value) { r.inodes(v, &reserve.Inodes) }},
	}
}

// checkReserve refuses a reserve that could never be used.
func (r *reader) checkReserve() {
	const key = "quota.reserve"
	q := &r.config.Quota
	for _, k := range r.reserveKeys() {
		if r.failed(join(key, k.name)) {
			return
		}
	}
	switch {
	case !q.ReserveEnabled:
	case q.Reserve.Bytes == 0 || q.Reserve.File == 0:
		r.report(r.near(key+".bytes"), key, "lets nobody write anything; write enabled: false where there is to be none")
	case q.Reserve.File > q.Reserve.Bytes:
		r.report(r.near(key+".fileBytes"), key, "is of %v for all files and %v for one; write for one file no more than for all",
			q.Reserve.Bytes, q.Reserve.File)
	}
}

// quotaKeys are the keys of a hub's quotas.
func (r *reader) quotaKeys(q *hubhome.Quotas) []key {
	return []key{
		{name: "home", read: func(v value) { r.quota(v, &q.Home) }},
		{name: "homes", read: func(v value) { r.homeQuotas(v, q) }},
		{name: "shared", read: func(v value) { r.quota(v, &q.Shared) }},
		{name: "sharedPublic", read: func(v value) { r.quota(v, &q.SharedPublic) }},
		{name: "total", read: func(v value) { r.quota(v, &q.Total) }},
	}
}

// homeQuotas reads the quotas of single homes.
func (r *reader) homeQuotas(v value, q *hubhome.Quotas) {
	r.mapping(v, "ada: 50GiB", func(v value) {
		switch {
		case v.name == hubhome.SharedDir || v.name == hubhome.SharedPublicDir:
			r.report(v.at, v.key, "is no home; its quota is written as shared or sharedPublic, beside homes")
			return
		case v.name == "" || v.name == "." || v.name == ".." || len(v.name) > 255 || hasSlash(v.name):
			r.report(v.at, v.key, "cannot be the name of a home's directory; hubhome username prints which one a user has")
			return
		}
		var quota hubhome.Quota
		r.quota(v, &quota)
		if q.Homes == nil {
			q.Homes = map[string]hubhome.Quota{}
		}
		q.Homes[v.name] = quota
	})
}

func hasSlash(name string) bool {
	for i := range len(name) {
		if name[i] == '/' || name[i] == 0 {
			return true
		}
	}
	return false
}

// quota reads a quota: a size, or sizes of bytes and inodes below it.
func (r *reader) quota(v value, to *hubhome.Quota) {
	if v.node.Type() == ast.MappingType {
		r.section(v, []key{
			{name: "bytes", read: func(v value) { r.size(v, hubhome.ParseQuotaBytes, &to.Bytes) }},
			{name: "inodes", read: func(v value) { r.inodes(v, &to.Inodes) }},
		})
		return
	}
	r.size(v, hubhome.ParseQuotaBytes, &to.Bytes)
}

// scalar returns what is written where text or a number is.
func (r *reader) scalar(v value, what, example string) (string, bool) {
	switch node := v.node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return node.GetToken().Value, true
	case *ast.NullNode:
		r.wrong(v, "has no value; write %s, such as %s, or take the key out", what, example)
	default:
		r.wrong(v, "is %s, not %s; write one such as %s", kind(v.node), what, example)
	}
	return "", false
}

// size reads a size.
func (r *reader) size(v value, parse func(string) (hubhome.Bytes, error), to *hubhome.Bytes) {
	s, ok := r.scalar(v, "a size", "20GiB")
	if !ok {
		return
	}
	b, err := parse(s)
	if err != nil {
		r.wrong(v, "%v", err)
		return
	}
	*to = b
}

// inodes reads a number of inodes.
func (r *reader) inodes(v value, to *int64) {
	s, ok := r.scalar(v, "a number of inodes", "1000000")
	if !ok {
		return
	}
	n, err := hubhome.ParseQuotaInodes(s)
	if err != nil {
		r.wrong(v, "%v", err)
		return
	}
	*to = n
}
