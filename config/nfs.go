// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package config

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/hubhome/hubhome"
)

// What is so where the file does not say it. Allow is for checkAllow to fill in.
var defaultNFS = NFS{Listen: ":2049", BaseShare: "/homes", Squash: SquashAll, Owner: hubhome.DefaultOwner}

// loopback is who may connect where only this machine can, unless the file says otherwise.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// address reads an address and a port to listen on.
func (r *reader) address(v value, example string, to *string) {
	port := example[strings.LastIndexByte(example, ':'):]
	if v.node.Type() == ast.SequenceType {
		r.wrong(v, `is a list; put an IPv6 address in quotes, such as "[::1]%s"`, port)
		return
	}
	s, ok := r.text(v, example)
	if !ok {
		return
	}
	host, number, err := net.SplitHostPort(s)
	if err != nil {
		r.wrong(v, "%s is not an address with a port; write one such as %s, or %s for all addresses of the machine",
			shortened(s), example, port)
		return
	}
	if _, err := strconv.ParseUint(number, 10, 16); err != nil {
		r.wrong(v, "%s is not a port; write a number from 1 to 65535, or 0 for any that is free", shortened(number))
		return
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		r.wrong(v, "%s is not an IP address; write one of the machine's, such as %s, or %s for all of them",
			shortened(host), example, port)
		return
	}
	*to = s
}

// baseShare reads the path below which the hubs are. It may end in '/' or not.
func (r *reader) baseShare(v value, to *string) {
	const longest = 1024
	s, ok := r.text(v, "/homes")
	if !ok {
		return
	}
	if !strings.HasPrefix(s, "/") {
		r.wrong(v, "%s does not begin with '/'; write a path such as /homes", shortened(s))
		return
	}
	if len(s) > longest {
		r.wrong(v, "is longer than %d bytes", longest)
		return
	}
	for name := range strings.SplitSeq(s, "/") {
		if name == "." || name == ".." || strings.ContainsRune(name, 0) || len(name) > 255 {
			r.wrong(v, "has the component %s, which no directory can be called; write a path such as /homes", shortened(name))
			return
		}
	}
	*to = path.Clean(s)
}

// squash reads whom callers are taken for.
func (r *reader) squash(v value) {
	s, ok := r.text(v, "all")
	if !ok {
		return
	}
	switch squash := Squash(s); squash {
	case SquashAll, SquashRoot, SquashNone:
		r.config.NFS.Squash = squash
	default:
		r.wrong(v, "%s is not a squash; write all (every caller is nfs.owner), root (only root is) or none", shortened(s))
	}
}

// owner reads an owner.
func (r *reader) owner(v value, to *hubhome.Owner) {
	s, ok := r.text(v, hubhome.DefaultOwner.String())
	if !ok {
		return
	}
	owner, err := hubhome.ParseOwner(s)
	if err != nil {
		r.wrong(v, "%v", err)
		return
	}
	*to = owner
}

// allow reads the networks.
func (r *reader) allow(v value) {
	const (
		example = "[10.0.0.0/8]"
		most    = 1024 // each is looked at for every connection
	)
	r.config.NFS.Allow = []netip.Prefix{}
	lines := map[netip.Prefix]string{}
	elements := 0
	r.list(v, example, func(v value) {
		elements++
		if elements == most+1 {
			r.wrong(v, "is the network after the %dth, which is the last; write fewer and larger ones", most)
		}
		if elements > most {
			return
		}
		switch v.node.Type() {
		case ast.NullType:
			r.wrong(v, "has an entry without a value; take it out")
			return
		case ast.MappingType: // the parser's idea of fd00::/8 between braces
			r.wrong(v, `is a mapping, not text; put an IPv6 network in quotes, such as "fd00::/8"`)
			return
		}
		s, ok := r.text(v, "10.0.0.0/8")
		if !ok {
			return
		}
		network, err := parseNetwork(s)
		if err != nil {
			r.wrong(v, "%v", err)
			return
		}
		for _, other := range r.config.NFS.Allow {
			switch {
			case other == network:
				r.wrong(v, "%v is here twice, also in %s; take one out", network, lines[other])
			case other.Overlaps(network):
				r.wrong(v, "%v and %v (%s) overlap; take out the one that is not meant", network, other, lines[other])
			default:
				continue
			}
			return
		}
		at := v.pos()
		lines[network] = fmt.Sprintf("line %d, column %d", at.line, at.column)
		r.config.NFS.Allow = append(r.config.NFS.Allow, network)
	})
	if elements == 0 && !r.failed(v.key) {
		r.wrong(v, "is empty, so that nobody could connect; write the networks of the clients, such as %s", example)
	}
}

// parseNetwork reads a network, such as 10.0.0.0/8 or fd00::/8.
func parseNetwork(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		return netip.Prefix{}, fmt.Errorf("%s has no length; for this address alone write %s/%d", s, s, addr.BitLen())
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s is not a network; write one such as 10.0.0.0/8 or fd00::/8", shortened(s))
	}
	if network.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%s is IPv4 in the form of IPv6; write it as IPv4, such as 10.0.0.0/8", s)
	}
	if masked := network.Masked(); masked != network {
		return netip.Prefix{}, fmt.Errorf("%s is an address in a network; write the network %v, or %v/%d for the address alone",
			s, masked, network.Addr(), network.Addr().BitLen())
	}
	return network, nil
}

// checkAllow wants to be told who may connect where others than this machine can: there is no safe default. What a
// caller says it is (AUTH_SYS, RFC 5531 section 8.2) is not proved by anything.
func (r *reader) checkAllow() {
	const key = "nfs.allow"
	if !r.missing(key) || r.meant["nfs.listen"] || r.failed("nfs.listen") {
		return
	}
	if r.onlyHere() {
		r.config.NFS.Allow = loopback
		return
	}
	r.report(r.near(key), key, "is missing, and nfs.listen %s can be reached from other machines; whoever may connect can "+
		"say to be any user, as NFS proves nothing of it: write the networks of the clients, such as allow: [10.0.0.0/8], "+
		"or listen on 127.0.0.1:2049", r.config.NFS.Listen)
}

// onlyHere tells whether only this machine can connect.
func (r *reader) onlyHere() bool {
	host, _, _ := net.SplitHostPort(r.config.NFS.Listen)
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
