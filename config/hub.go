// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"github.com/hubhome/hubhome"
)

const (
	defaultMode = 0o755
	// ownerMode is what a hub's owner must be able to do: to find, make and list homes.
	ownerMode = 0o700
)

// hubKeys are the keys of one hub.
func (r *reader) hubKeys(h *Hub) []key {
	return []key{
		{name: "owner", read: func(v value) { r.owner(v, &h.Owner) }},
		{name: "mode", read: func(v value) { r.mode(v, &h.Mode) }},
		{name: "shared", read: func(v value) { r.boolean(v, &h.Shared) }},
		{name: "sharedPublic", read: func(v value) { r.boolean(v, &h.SharedPublic) }},
		{name: "quota", keys: r.quotaKeys(&h.Quotas)},
	}
}

// hubs reads the hubs. A hub with nothing to say is {} or nothing.
func (r *reader) hubs(v value) {
	r.mapping(v, "staging: {}", func(v value) {
		name, err := hubhome.ParseHubName(v.name)
		if err != nil {
			r.report(v.at, "hubs", "%v", err)
			return
		}
		hub := Hub{Name: name, Mode: defaultMode, Shared: true}
		r.section(v, r.hubKeys(&hub))
		r.config.Hubs = append(r.config.Hubs, hub)
	})
}

// octal is a mode as it must be written, so that everybody reads it as octal.
var octal = regexp.MustCompile(`^0o?([0-7]{3,4})$`)

// mode reads a directory's mode. YAML has it that 0755 is decimal (1.2) or octal (1.1); here it is octal, quoted or not.
func (r *reader) mode(v value, to *uint32) {
	const how = `write it in octal with a 0 in front, such as "0755"`
	var s string
	switch node := v.node.(type) {
	case *ast.StringNode:
		s = node.Value
	case *ast.IntegerNode:
		s = node.GetToken().Value
	default:
		r.wrong(v, "is %s, not a mode; %s", kind(v.node), how)
		return
	}
	digits := octal.FindStringSubmatch(s)
	if digits == nil {
		r.wrong(v, "%s is not a mode; %s", shortened(s), how)
		return
	}
	mode, err := strconv.ParseUint(digits[1], 8, 32)
	if err != nil {
		r.wrong(v, "%s is not a mode; %s", shortened(s), how)
		return
	}
	if mode&ownerMode != ownerMode {
		r.wrong(v, "%#04o would keep the hub's owner from its own homes; the owner's part must be 7, as in \"0755\"", mode)
		return
	}
	*to = uint32(mode)
}

// checkHubs gives the hubs their owners, and refuses those that nobody could use: where every caller is nfs.owner, a hub
// of somebody else, with homes of somebody else, is closed to all. Root may write everywhere.
func (r *reader) checkHubs() {
	nfs := &r.config.NFS
	for i := range r.config.Hubs {
		hub := &r.config.Hubs[i]
		key := join(join("hubs", string(hub.Name)), "owner")
		at, own := r.config.at[key]
		if !own {
			hub.Owner = nfs.Owner
			continue
		}
		if nfs.Squash != SquashAll || nfs.Owner.UID == 0 || hub.Owner.UID == nfs.Owner.UID ||
			r.failed(key) || r.failed("nfs.owner") || r.failed("nfs.squash") {
			continue
		}
		r.report(at, key, "%v is not nfs.owner %v, whom nfs.squash all takes every caller for, so that nobody could write "+
			"in the hub; take the owner out, or set nfs.squash to root or none", hub.Owner, nfs.Owner)
	}
}
