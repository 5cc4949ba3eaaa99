// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/hubhome/hubhome"
)

// key is one key that a file may have: it has either a value, which read reads, or keys below it.
type key struct {
	name string
	read func(value)
	keys []key
}

// keys are all keys of a file. What is below a hub's name is in hubKeys.
func (r *reader) keys() []key {
	return []key{
		{name: "store", keys: []key{
			{name: "disk", keys: []key{
				{name: "path", read: r.storePath},
			}},
			{name: "nfs", keys: r.remoteKeys()},
		}},
		{name: "nfs", keys: []key{
			{name: "listen", read: func(v value) { r.address(v, "127.0.0.1:2049", &r.config.NFS.Listen) }},
			{name: "baseShare", read: func(v value) { r.baseShare(v, &r.config.NFS.BaseShare) }},
			{name: "allow", read: r.allow},
			{name: "squash", read: r.squash},
			{name: "owner", read: func(v value) { r.owner(v, &r.config.NFS.Owner) }},
		}},
		{name: "quota", keys: []key{
			{name: "reserve", keys: r.reserveKeys()},
		}},
		{name: "log", keys: []key{
			{name: "level", read: r.level},
		}},
		{name: "admin", keys: []key{
			{name: "socket", read: r.socket},
		}},
		{name: "metrics", keys: []key{
			{name: "listen", read: func(v value) { r.address(v, "127.0.0.1:9949", &r.config.Metrics.Listen) }},
			{name: "homes", read: r.metricsHomes},
		}},
		{name: "warnings", keys: []key{
			{name: "at", read: r.warnAt},
			{name: "file", read: r.warnFile},
			{name: "webhook", read: r.webhook},
		}},
		{name: "hubs", read: r.hubs},
	}
}

// read reads a file, fills in what it does not say, and checks what no key shows alone.
func (r *reader) read(root *ast.MappingNode) {
	r.defaults()
	r.section(value{node: root}, r.keys())
	r.checkStore()
	r.checkAdmin()
	if _, remote := r.config.at[remoteKey]; remote {
		if !r.failed(remoteKey) {
			r.checkRemote()
		}
		return
	}
	r.config.Store.Remote = Remote{}
	r.checkAllow()
	r.checkReserve()
	r.checkHubs()
}

func (r *reader) defaults() {
	c := r.config
	c.Store.Remote = defaultRemote
	c.NFS = defaultNFS
	c.Quota = Quota{ReserveEnabled: true, Reserve: hubhome.DefaultReserve}
	c.Log.Level = defaultLevel
	c.Metrics.Homes = defaultMetricsHomes
	c.Warnings.At = slices.Clone(defaultAt)
}

// section reads the keys of a mapping and reports those that are none of its own.
func (r *reader) section(v value, keys []key) {
	r.mapping(v, keys[0].name+":", func(v value) {
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == v.name })
		switch {
		case i < 0:
			r.unknown(v, keys)
		case keys[i].read != nil:
			keys[i].read(v)
		default:
			r.section(v, keys[i].keys)
		}
	})
}

// unknown reports a key that nobody knows, with what was most likely meant.
func (r *reader) unknown(v value, keys []key) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	above := strings.TrimSuffix(v.key, join("", v.name))
	meant := cmp.Or(
		prefixed(above, nearest(v.name, names)),
		find(v.name, "", r.keys()),
		find(v.name, "hubs.<name>", r.hubKeys(new(Hub))))
	switch {
	case meant != "":
		r.meant[meant] = true
		r.report(v.at, v.key, "unknown key; did you mean %s?", meant)
	case len(names) == 1:
		r.report(v.at, v.key, "unknown key; the only one here is %s", names[0])
	default:
		r.report(v.at, v.key, "unknown key; those here are %s", strings.Join(names, ", "))
	}
}

func prefixed(above, name string) string {
	if name == "" {
		return ""
	}
	return above + name
}

// find returns the place of a key that is called name.
func find(name, above string, keys []key) string {
	for _, k := range keys {
		if plain(k.name) == plain(name) {
			return join(above, k.name)
		}
		if found := find(name, join(above, k.name), k.keys); found != "" {
			return found
		}
	}
	return ""
}

// near is the place of a key that is missing: that of the nearest one above it that is there, else the first line.
func (r *reader) near(key string) position {
	for {
		above := strings.LastIndexByte(key, '.')
		if above < 0 {
			return position{1, 1}
		}
		key = key[:above]
		if at, ok := r.config.at[key]; ok {
			return at
		}
	}
}

// missing tells whether a key is not there, and that not because of a problem that was reported already.
func (r *reader) missing(key string) bool {
	for k := key; ; k = k[:strings.LastIndexByte(k, '.')] {
		if r.meant[k] || k != key && r.failed(k) {
			return false
		}
		if !strings.Contains(k, ".") {
			break
		}
	}
	_, there := r.config.at[key]
	return !there
}

// failed tells whether a key already has a problem.
func (r *reader) failed(key string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return p.Key == key })
}
