// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hubhome/hubhome"
)

// Remote is an NFS server that somebody else runs, in which hubhome looks for what homes hold.
type Remote struct {
	// Server is HOST or HOST:PORT; empty where homes live on a disk of hubhome's own.
	Server string
	// BaseShare is as in NFS.
	BaseShare string
	// Version is that of NFS: auto, 3, 4.1 or 4.2.
	Version string
	// MountPort is the port of NFSv3's MOUNT service; 0: the port mapper knows it.
	MountPort int
	// As is who looks, UID:GID; auto: root, and where root may not look, a directory's owner or hubhome.DefaultOwner.
	As string
	// StateDir is the directory of hubhome's own where what was found outlives a restart.
	StateDir string
	Scan     Scan
}

// Scan says how often homes are looked through, and how hard.
type Scan struct {
	// Interval is from the end of one scan to the beginning of the next.
	Interval time.Duration
	// IOPS is how many requests are sent in a second at most; 0: no bound.
	IOPS int
	// MaxAge is how old a figure may be of a directory in which no name has changed (usage.Spec).
	MaxAge time.Duration
}

// IsRemote tells whether homes live on an NFS server that somebody else runs.
func (s *Store) IsRemote() bool { return s.Remote.Server != "" }

const (
	remoteKey    = "store.nfs"
	serverKey    = remoteKey + ".server"
	mountPortKey = remoteKey + ".mountPort"
	stateDirKey  = remoteKey + ".stateDir"
	maxIOPS      = 1_000_000
)

// Auto leaves it to hubhome which version is spoken, and who looks.
const Auto = "auto"

// leastInterval keeps scans from following each other without end.
const leastInterval = time.Second

// versions are those of NFS that a server may be asked for.
var versions = []string{Auto, "3", "4.1", "4.2"}

var defaultRemote = Remote{
	BaseShare: "/homes", Version: "auto", As: Auto, Scan: Scan{Interval: 6 * time.Hour, IOPS: 1000, MaxAge: 24 * time.Hour},
}

// remoteKeys are the keys of a server that somebody else runs.
func (r *reader) remoteKeys() []key {
	remote := &r.config.Store.Remote
	return []key{
		{name: "server", read: r.server},
		{name: "baseShare", read: func(v value) { r.baseShare(v, &remote.BaseShare) }},
		{name: "version", read: r.version},
		{name: "mountPort", read: func(v value) {
			if n, ok := r.number(v, 0, 65535, "20048"); ok {
				remote.MountPort = n
			}
		}},
		{name: "as", read: r.as},
		{name: "stateDir", read: func(v value) { r.path(v, "./state", &remote.StateDir) }},
		{name: "scan", keys: []key{
			{name: "interval", read: func(v value) { r.duration(v, leastInterval, "6h", &remote.Scan.Interval) }},
			{name: "iops", read: func(v value) {
				if n, ok := r.number(v, 0, maxIOPS, "1000"); ok {
					remote.Scan.IOPS = n
				}
			}},
			{name: "maxAge", read: func(v value) { r.duration(v, 0, "24h", &remote.Scan.MaxAge) }},
		}},
	}
}

// server reads where the server is: HOST or HOST:PORT. Whether there is one is not looked at.
func (r *reader) server(v value) {
	const example = "10.0.0.5, or filer.example.org:2049"
	s, ok := r.text(v, example)
	if !ok {
		return
	}
	host := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if net.ParseIP(host) == nil && strings.Contains(s, ":") && !strings.Contains(s, "/") {
		var port string
		var err error
		if host, port, err = net.SplitHostPort(s); err != nil {
			r.wrong(v, "%s is not a server; write an IPv6 address with a port as [::1]:2049", shortened(s))
			return
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			r.wrong(v, "%s is not a port; write a number from 1 to 65535", shortened(port))
			return
		}
	}
	switch {
	case strings.Contains(s, "/"):
		r.wrong(v, "%s has a slash; write the host alone, such as %s, and the path as baseShare", shortened(s), example)
	case host == "" || strings.ContainsAny(host, " \t\r\n@"):
		r.wrong(v, "%s is not a host; write one such as %s", shortened(s), example)
	default:
		r.config.Store.Remote.Server = s
	}
}

// version reads a version of NFS, which YAML takes for a number.
func (r *reader) version(v value) {
	s := ""
	switch node := v.node.(type) {
	case *ast.StringNode:
		s = node.Value
	case *ast.IntegerNode, *ast.FloatNode:
		s = node.GetToken().Value
	}
	if !slices.Contains(versions, s) {
		r.wrong(v, "is %s, not a version of NFS; write auto (the best that the server has), 3, 4.1 or 4.2", kind(v.node))
		return
	}
	r.config.Store.Remote.Version = s
}

// as reads who looks.
func (r *reader) as(v value) {
	s, ok := r.text(v, hubhome.DefaultOwner.String())
	if !ok || s == Auto {
		return
	}
	owner, err := hubhome.ParseOwner(s)
	if err != nil {
		r.wrong(v, "%v; or write auto, for root and, where root may not look, the owner of each directory", err)
		return
	}
	r.config.Store.Remote.As = owner.String()
}

// duration reads a time such as 6h or 90m.
func (r *reader) duration(v value, least time.Duration, example string, to *time.Duration) {
	s, ok := "", false
	if node, number := v.node.(*ast.IntegerNode); number {
		s = node.GetToken().Value
	} else if s, ok = r.text(v, example); !ok {
		return
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		r.wrong(v, "%s is not a time; write a number with its unit, h, m or s, such as %s", shortened(s), example)
	case d < 0:
		r.wrong(v, "%s is negative; write a time such as %s", shortened(s), example)
	case d < least:
		r.wrong(v, "%s is too short; write at least %v, better a time such as %s", shortened(s), least, example)
	default:
		*to = d
	}
}

// aside are the keys that say nothing about a server that somebody else runs, with the reason.
var aside = []struct{ key, why string }{
	{"nfs", "says how hubhome serves homes, and with store.nfs it serves none: clients go to the server itself; take it out"},
	{"quota", "is for quotas, which hubhome has where it serves the homes itself (store.disk); take it out"},
	{"warnings", "are of quotas, which hubhome has where it serves the homes itself (store.disk); take them out"},
}

// checkRemote wants of a server that somebody else runs what must be said, and nothing that does not apply.
func (r *reader) checkRemote() {
	if r.missing(serverKey) {
		r.report(r.near(serverKey), serverKey, "is missing; write the server's name or address, such as server: 10.0.0.5")
	}
	if r.missing(stateDirKey) {
		r.report(r.near(stateDirKey), stateDirKey, "is missing; write a directory of hubhome's own that outlives restarts, "+
			"in which it keeps what it has found, such as stateDir: ./state")
	}
	if remote := &r.config.Store.Remote; remote.MountPort != 0 && strings.HasPrefix(remote.Version, "4") {
		r.report(r.config.at[mountPortKey], mountPortKey, "goes with NFSv3, and not with version: %s; take one of them out", remote.Version)
	}
	for _, a := range aside {
		if at, there := r.config.at[a.key]; there {
			r.report(at, a.key, "%s", a.why)
		}
	}
	for _, hub := range r.config.Hubs {
		for _, k := range r.hubKeys(new(Hub)) {
			key := join(join("hubs", string(hub.Name)), k.name)
			if at, there := r.config.at[key]; there {
				r.report(at, key, "is for hubs that hubhome serves itself (store.disk), and with store.nfs it changes nothing "+
					"on the server; take it out, and leave %s: {}", hub.Name)
			}
		}
	}
}
