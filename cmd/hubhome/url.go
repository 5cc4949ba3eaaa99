// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hubhome/hubhome/remote"
)

// parseURL reads nfs://HOST[:PORT]/PATH (RFC 2224).
func parseURL(text string) (server remote.Address, path string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "nfs" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		hint := ""
		if host, path, both := strings.Cut(text, ":/"); both && !strings.HasPrefix(path, "/") {
			hint = fmt.Sprintf(", here nfs://%s/%s", host, path)
		}
		return server, "", fmt.Errorf("%q is not where a directory is: write nfs://HOST[:PORT]/PATH%s", text, hint)
	}
	if server, err = remote.ParseAddress(u.Host); err != nil {
		return server, "", err
	}
	path, err = parsePath(u.Path)
	return server, path, err
}
