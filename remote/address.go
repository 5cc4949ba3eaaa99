// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// port is NFS's (RFC 8881 section 2.9.3).
const port = "2049"

// Address is where a server is: its name or address, and its port.
type Address struct{ Host, Port string }

// String returns the address as HOST:PORT, an IPv6 address in brackets.
func (a Address) String() string { return net.JoinHostPort(a.Host, a.Port) }

// ParseAddress reads HOST or HOST:PORT. An IPv6 address with a port stands in brackets. The port is 2049 where none is
// given.
func ParseAddress(s string) (Address, error) {
	a := Address{Host: s, Port: port}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	switch {
	case s == "":
		return Address{}, errors.New("the server has no name: write HOST or HOST:PORT")
	case strings.Contains(s, "/"):
		return Address{}, fmt.Errorf("server %q: write HOST or HOST:PORT, without a scheme and a path", s)
	case net.ParseIP(bare) != nil:
		a.Host = bare
	case strings.Contains(s, ":"):
		var err error
		if a.Host, a.Port, err = net.SplitHostPort(s); err != nil {
			return Address{}, fmt.Errorf("server %q: write HOST or HOST:PORT, an IPv6 address with a port in brackets", s)
		}
	}
	if n, err := strconv.ParseUint(a.Port, 10, 16); err != nil || n == 0 {
		return Address{}, fmt.Errorf("server %q: %q is no port: write a number from 1 to 65535", s, a.Port)
	}
	if a.Host == "" || strings.ContainsAny(a.Host, " \t\r\n@") {
		return Address{}, fmt.Errorf("server %q: %q is no host: write HOST or HOST:PORT", s, a.Host)
	}
	return a, nil
}

// Lookup finds the addresses of a host, as net.Resolver.LookupHost does.
type Lookup func(ctx context.Context, host string) ([]string, error)

// Resolve returns the addresses of a server, each as HOST:PORT and once, in the order of the resolver.
func Resolve(ctx context.Context, a Address, lookup Lookup) ([]string, error) {
	if lookup == nil {
		lookup = net.DefaultResolver.LookupHost
	}
	hosts := []string{a.Host}
	if net.ParseIP(a.Host) == nil {
		var err error
		if hosts, err = lookup(ctx, a.Host); err != nil {
			return nil, fmt.Errorf("find the address of %s: %w", a.Host, err)
		}
	}
	var addrs []string
	for _, host := range hosts {
		if addr := net.JoinHostPort(host, a.Port); !slices.Contains(addrs, addr) {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("find the address of %s: it has none", a.Host)
	}
	return addrs, nil
}
